"""The life of a run: made, planned, waiting as a row, ready, worked on, ended. One tick moves all of them.

plan --(tick)--> extract: requests in the exchange, the run waits --(last page)--> load: ready --(tick)--> work
out:  load --(file made)--> deliver: waits for its turn in the night --(tick)--> work --> done, or held for a person
back: load --(orders prepared)--> post: waits for answers --(last answer)--> confirm: ready --(tick)--> work --> done
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

from routebooks.connectors.base import CallingSource, OrderSource, PulledSource
from routebooks.engine import extracts, nights, schedule, waiting
from routebooks.engine import flows as flow_rules
from routebooks.engine.context import Context, as_json
from routebooks.errors import AGAIN, ConfigError, Problem, RoutebooksError, TransientError
from routebooks.store import companies, flows
from routebooks.store import ledger as orders
from routebooks.store import runs as store
from routebooks.store.database import Tx, turn
from routebooks.store.flows import Flow
from routebooks.store.runs import Phase, Run, State

#: a run that met a passing fault tries again after so long, at the most
LONGEST_BACKOFF = timedelta(minutes=30)
MAX_TRIES = 12
#: work done at once; the others stay ready and take their turn
MAX_RUNNING = 4

Start = Callable[[Run], None]


def create(
    ctx: Context, tx: Tx, wanted: Sequence[Flow], trigger: str, now: datetime, *, due: datetime | None = None
) -> list[int]:
    """A night: a run of each of these flows (of one company), waiting for its turn; their ids.

    A run takes the place of one of the same flow that waits and has not begun. Raises ConfigError for a removed flow.
    """
    for flow in wanted:
        flow_rules.refuse_removed(flow)
    for source_id in sorted({flow.source_id for flow in wanted}):
        companies.lock(tx, source_id)
    due = due or now
    night_id = store.add_night(tx, wanted[0].company_id, now)
    return [_create(ctx, tx, flow, night_id, trigger, now, due) for flow in wanted]


def _create(ctx: Context, tx: Tx, flow: Flow, night_id: int, trigger: str, now: datetime, due: datetime) -> int:
    run_id = store.add_run(
        tx,
        company_id=flow.company_id,
        flow_id=flow.id,
        night_id=night_id,
        trigger=trigger,
        phase=Phase.PLAN,
        state=State.WAITING,
        waits_for="its turn",
        not_before=due,
        late_after=due + timedelta(minutes=flow.late_after_minutes),
        expires_at=due + timedelta(minutes=flow.expires_after_minutes),
        created_at=now,
        notes=[],
    )
    for older in store.active_runs(tx, flow.id):
        if older.id != run_id and _not_begun(tx, older):
            store.change_run(tx, older.id, state=State.SUPERSEDED, superseded_by=run_id, finished_at=now, waits_for="")
            extracts.release(ctx, tx, older.night_id, now)
    return run_id


def _not_begun(tx: Tx, run: Run) -> bool:
    """Whether a run can be given up without losing anything: nothing was handed out for it yet."""
    if run.state is not State.WAITING or run.phase not in (Phase.PLAN, Phase.EXTRACT):
        return False
    return run.phase is Phase.PLAN or not extracts.begun(tx, run)


def plan(ctx: Context, tx: Tx, run: Run, now: datetime) -> None:
    """Give a run its first work: extracts from a system that calls us, else it is ready at once."""
    flow = flows.flow(tx, run.flow_id)
    connector = ctx.connector(companies.connection(tx, flow.source_id).connector)
    if isinstance(connector, CallingSource):
        store.change_run(tx, run.id, phase=Phase.EXTRACT, waits_for=connector.title)
        extracts.ensure(ctx, tx, run, flow, now)
        extracts.make_ready(ctx, tx, store.run(tx, run.id), now)
    elif isinstance(connector, PulledSource):
        extracts.ensure(ctx, tx, run, flow, now)
        store.change_run(tx, run.id, phase=Phase.LOAD, state=State.READY, waits_for="")
    elif isinstance(connector, OrderSource):
        store.change_run(tx, run.id, phase=Phase.LOAD, state=State.READY, waits_for="")
    else:
        raise ConfigError(f"{connector.title} is not something to read from.", code="connector-unfit")


def fail(ctx: Context, tx: Tx, run: Run, problem: Problem, now: datetime) -> None:
    """End a run that cannot go on. What waited in the exchange for it alone is dropped."""
    _lock_sources(tx, [run])
    store.change_run(
        tx,
        run.id,
        only_if=store.ACTIVE,
        state=State.FAILED,
        problem=as_json(problem),
        finished_at=now,
        waits_for="",
    )
    extracts.release(ctx, tx, run.night_id, now)


def _lock_sources(tx: Tx, runs: Sequence[Run]) -> None:
    """Lock the connections that runs read from: before their rows, as the answers of those connections do.

    Else a page could be kept for an extract that is being given up, or a run wait for an extract that just ended.
    """
    for source_id in sorted({flows.flow(tx, run.flow_id).source_id for run in runs}):
        companies.lock(tx, source_id)


def met(ctx: Context, tx: Tx, run: Run, error: RoutebooksError, now: datetime) -> None:
    """The work on a run met an error: a passing one lets it try again later, any other ends it."""
    if not isinstance(error, TransientError) or run.tries + 1 >= MAX_TRIES:
        fail(ctx, tx, run, error.problem, now)
        return
    wait = _backoff(run.tries)
    store.change_run(
        tx,
        run.id,
        only_if=store.ACTIVE,
        state=State.READY,
        tries=run.tries + 1,
        not_before=now + wait,
        problem=as_json(error.problem),
        waits_for=f"another try: {error.problem.message}",
    )


def _backoff(tries: int) -> timedelta:
    return min(timedelta(seconds=15 * 2**tries), LONGEST_BACKOFF)


def met_at(run: Run) -> datetime:
    """When a run met its problem: at its end, or at the try after which it waits."""
    return run.finished_at or run.not_before - _backoff(run.tries - 1)


def cancel(ctx: Context, tx: Tx, run_id: int, now: datetime) -> Run:
    """End a run at a person's word. Raises ConfigError when it has ended, or when a write of it may be under way."""
    seen = store.find_run(tx, run_id)
    if seen is None:
        raise ConfigError(f"There is no run {run_id}.", hint="`routebooks run list` shows them.", code="run-unknown")
    _lock_sources(tx, [seen])
    run = store.run(tx, run_id, lock=True)
    if not run.active and run.state is not State.HELD:
        raise ConfigError(f"Run {run_id} has ended already ({run.state}).", code="run-ended")
    if run.phase is Phase.DELIVER and run.state is State.RUNNING:
        raise ConfigError(
            f"The file of run {run_id} is on its way to its place this very moment.",
            hint="`routebooks file resend` sends an earlier file again, if this one was wrong.",
            code="run-delivering",
        )
    if run.phase in (Phase.POST, Phase.CONFIRM):
        raise ConfigError(
            f"Run {run_id} has handed orders to the exchange; their answers must be waited for.",
            hint="Pause the connection (`routebooks connection pause`) if nothing more may go to QuickBooks.",
            code="run-posting",
        )
    store.change_run(tx, run_id, state=State.CANCELLED, finished_at=now, waits_for="")
    extracts.release(ctx, tx, run.night_id, now)
    return store.run(tx, run_id)


def tick(ctx: Context, start: Start, at_once: int = MAX_RUNNING) -> int:
    """Move every run that can be moved: due flows, over-old runs, turns, ready rows. Returns how many were started.

    No more than `at_once` are under way then. Safe to repeat and to cut off anywhere: `start` gets the same workflow id
    for the same work every time.
    """
    now = ctx.now()
    # Many short transactions: a call of a connector that comes meanwhile waits for one of them, not for all.
    _create_due(ctx, now)
    with ctx.store.begin() as tx:
        if not turn(tx, "tick"):
            return 0
        _expire(ctx, tx, now)
    _give_turns(ctx, now)
    with ctx.store.begin() as tx:
        if not turn(tx, "tick"):
            return 0
        nights.give_turns(ctx, tx, now)
        running = store.active_runs(tx, state=State.RUNNING)
        # Two runs of one flow at once (a night and a file that is sent again) would meet at its place.
        busy = {run.flow_id for run in running}
        ready = list(islice(_startable(tx, busy, now), max(0, at_once - len(running))))
    for run in ready:
        start(run)
    return len(ready)


def _startable(tx: Tx, busy: set[int], now: datetime) -> Iterator[Run]:
    """The first ready run of each flow, oldest first, one by one: the connectors' calls wait for whoever looks long."""
    for run in store.ready_runs(tx, now):
        if run.flow_id not in busy:
            busy.add(run.flow_id)
            if not waiting.is_kept(tx, run, now):
                yield run


def bring_back(ctx: Context, ended: Callable[[Sequence[str]], set[str]]) -> int:
    """Runs whose durable work has ended without moving them (our own database failed it) get another try."""
    now = ctx.now()
    with ctx.store.read() as tx:
        overdue = store.ready_runs(tx, now - timedelta(minutes=1))
        stuck = [*store.active_runs(tx, state=State.RUNNING), *overdue]
    gone = ended([run.workflow_id for run in stuck])
    for run in stuck:
        if run.workflow_id not in gone:
            continue
        with ctx.store.begin() as tx:
            found = store.run(tx, run.id, lock=True)
            if found.active and found.workflow_id == run.workflow_id:
                error = TransientError("The work broke off.", hint=AGAIN, code="work-broke-off")
                met(ctx, tx, found, error, now)
    return len(gone)


def _create_due(ctx: Context, now: datetime) -> None:
    with ctx.store.read() as tx:
        found = {company_id for company_id, _ in _due(tx, now)}
    for company_id in sorted(found):
        with ctx.store.begin() as tx:
            # Looked at again: a person may have changed a flow meanwhile, or another server made the night.
            due = _due(tx, now, company_id) if turn(tx, "tick") else {}
            for (_, instant), wanted in due.items():
                create(ctx, tx, [flows.flow(tx, flow_id) for flow_id in wanted], "schedule", now, due=instant)


def _due(tx: Tx, now: datetime, company_id: int | None = None) -> dict[tuple[int, datetime], list[int]]:
    """The nights that are due, of one company or of all: flows that are due at one time share their extracts."""
    zones = {company.id: company.time_zone for company in companies.all_companies(tx)}
    last = store.last_scheduled(tx, company_id)
    due: dict[tuple[int, datetime], list[int]] = {}
    for flow in flows.scheduled(tx, company_id):
        settled = schedule.settled(flow.schedule, flow.created_at, last.get(flow.id))
        instant = schedule.due(flow.schedule, zones[flow.company_id], settled, now)
        if instant is not None:
            due.setdefault((flow.company_id, instant), []).append(flow.id)
    return due


def _expire(ctx: Context, tx: Tx, now: datetime) -> None:
    over = [run for run in store.late_runs(tx, now) if _is_over(tx, run, now)]
    _lock_sources(tx, over)
    for seen in over:
        run = store.run(tx, seen.id, lock=True)
        if _is_over(tx, run, now):
            problem = Problem(
                "run-expired",
                f"The run was not finished in its time; it waited for {waiting.reason(tx, run, now) or 'its turn'}.",
                "See that the Web Connector runs and the connection is not paused, then run the flow again.",
            )
            store.change_run(tx, run.id, state=State.EXPIRED, finished_at=now, problem=as_json(problem), waits_for="")
            extracts.release(ctx, tx, run.night_id, now)


def _is_over(tx: Tx, run: Run, now: datetime) -> bool:
    # Orders on their way are never given up: their answers decide.
    if not run.active or run.state is State.RUNNING or run.phase in (Phase.POST, Phase.CONFIRM):
        return False
    return run.expires_at <= now or _is_to_be_left_out(tx, run, now)


def _is_to_be_left_out(tx: Tx, run: Run, now: datetime) -> bool:
    """Whether a late run is one of a schedule that leaves out what was missed, and nothing of it was handed out."""
    if run.trigger != "schedule" or now <= run.late_after or not _not_begun(tx, run):
        return False
    return schedule.skips(flows.flow(tx, run.flow_id).schedule)


def _give_turns(ctx: Context, now: datetime) -> None:
    """One run of a flow at a time: the oldest that waits begins when no other is under way."""
    with ctx.store.read() as tx:
        planned, busy = store.active_runs(tx, phase=Phase.PLAN), store.busy_flows(tx)
    for run in planned:
        if run.flow_id not in busy and run.not_before <= now:
            with ctx.store.begin() as tx:
                if turn(tx, "tick"):
                    _give_turn(ctx, tx, run, now)


def _give_turn(ctx: Context, tx: Tx, seen: Run, now: datetime) -> None:
    """Plan a run, if its turn it is still: a person may have ended it, or another run of its flow have begun."""
    _lock_sources(tx, [seen])
    run = store.run(tx, seen.id, lock=True)
    busy = any(other.phase is not Phase.PLAN for other in store.active_runs(tx, run.flow_id))
    if busy or not run.active or _waits_for_files(tx, run):
        return
    try:
        plan(ctx, tx, run, now)
    except RoutebooksError as error:
        fail(ctx, tx, run, error.problem, now)


def _waits_for_files(tx: Tx, run: Run) -> bool:
    """Orders of a night come after its files: those leave the links by which an order finds customer and items."""
    if flows.flow(tx, run.flow_id).direction == "out":
        return False
    return any(other.active and flow.direction == "out" for other, flow in store.night(tx, run.night_id))


def settle(tx: Tx, run_id: int, now: datetime) -> None:
    """After an answer: when no write of the run is open any more, it is ready for its last phase."""
    if orders.unsettled_of(tx, run_id):
        return
    run = store.run(tx, run_id)
    if run.phase is Phase.POST:
        store.change_run(
            tx,
            run_id,
            only_if=[State.WAITING],
            phase=Phase.CONFIRM,
            state=State.READY,
            waits_for="",
            not_before=now,
            tries=0,
        )
