"""The life of a run: made, planned, waiting as a row, ready, worked on, ended. One tick moves all of them.

plan --(tick)--> extract: requests in the exchange, the run waits --(last page)--> load: ready --(tick)--> work
load --(orders prepared)--> post: waits for answers --(last answer)--> confirm: ready --(tick)--> work --> done
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from routebooks.connectors.base import CallingSource, OrderSource, PulledSource, Source
from routebooks.engine import schedule
from routebooks.engine.context import Context, as_json
from routebooks.errors import ConfigError, Problem, RoutebooksError, TransientError
from routebooks.records import Extract
from routebooks.store import companies, exchange, flows
from routebooks.store import ledger as orders
from routebooks.store import runs as store
from routebooks.store.database import Tx
from routebooks.store.flows import Flow
from routebooks.store.runs import Phase, Run, State

#: payments touch invoices late, and an offset around daylight saving is wrong by an hour (design section 3)
OVERLAP = timedelta(hours=2)
#: broken attempts after which an extract gives up
MAX_ATTEMPTS = 8
MIN_PAGE_SIZE = 10
#: a run that met a passing fault tries again after so long, at the most
LONGEST_BACKOFF = timedelta(minutes=30)
MAX_TRIES = 12
#: work done at once; the others stay ready and take their turn
MAX_RUNNING = 4

Start = Callable[[Run], None]


def create(tx: Tx, flow: Flow, trigger: str, now: datetime, *, due: datetime | None = None) -> int:
    """A new run of a flow, waiting for its turn. It takes the place of one that waits and has not begun."""
    due = due or now
    run_id = store.add_run(
        tx,
        company_id=flow.company_id,
        flow_id=flow.id,
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
            _drop_requests(tx, older, now)
            store.change_run(tx, older.id, state=State.SUPERSEDED, superseded_by=run_id, finished_at=now, waits_for="")
    return run_id


def _not_begun(tx: Tx, run: Run) -> bool:
    """Whether a run can be given up without losing anything: nothing was handed out for it yet."""
    if run.state is not State.WAITING:
        return False
    if run.phase is Phase.PLAN:
        return True
    attempts = store.attempts_of(tx, run.id)
    out = exchange.requests_of(tx, run_id=run.id, states=("out", "answered"))
    return run.phase is Phase.EXTRACT and len(attempts) == 1 and not out


def _drop_requests(tx: Tx, run: Run, now: datetime) -> None:
    for request in exchange.requests_of(tx, run_id=run.id):
        exchange.change_request(tx, request.id, state="dropped", answered_at=now)
    for attempt in store.attempts_of(tx, run.id):
        if attempt.state == "open":
            store.end_attempt(tx, attempt.id, "broken", now)


def plan(ctx: Context, tx: Tx, run: Run, now: datetime) -> None:
    """Give a run its first work: requests for a system that calls us, else it is ready at once."""
    flow = flows.flow(tx, run.flow_id)
    connection = ctx.connection(tx, flow.source_id)
    connector = ctx.connector(connection.connector)
    since = _since(tx, flow)
    if isinstance(connector, CallingSource):
        store.change_run(tx, run.id, modified_since=since, phase=Phase.EXTRACT, waits_for=connector.title)
        _new_attempt(ctx, tx, store.run(tx, run.id), now)
    elif isinstance(connector, PulledSource | OrderSource):
        store.change_run(tx, run.id, modified_since=since, phase=Phase.LOAD, state=State.READY, waits_for="")
    else:
        raise ConfigError(f"{connector.title} is not something to read from.", code="connector-unfit")


def _since(tx: Tx, flow: Flow) -> datetime | None:
    if not flow.incremental or flow.direction != "out":
        return None
    cursor = flows.cursor(tx, flow.id)
    return datetime.fromisoformat(cursor["modified"]) - OVERLAP if cursor else None


def extract_of(tx: Tx, run: Run, page_size: int) -> Extract:
    """What a run asks its source for."""
    flow = flows.flow(tx, run.flow_id)
    return Extract(stream=flow.stream, page_size=page_size, modified_since=run.modified_since)


def _new_attempt(ctx: Context, tx: Tx, run: Run, now: datetime) -> None:
    flow = flows.flow(tx, run.flow_id)
    connection = ctx.connection(tx, flow.source_id)
    source = ctx.able(connection.connector, CallingSource)
    broken = len(store.attempts_of(tx, run.id))
    # Two breaks at one size may be chance; after them a smaller page still gets a slow file through.
    size = max(MIN_PAGE_SIZE, int(connection.settings["page_size"]) // 2 ** (broken // 2))
    attempt_id = store.add_attempt(tx, run_id=run.id, number=broken + 1, page_size=size, now=now)
    exchange.add_request(
        tx,
        connection_id=connection.id,
        kind="page",
        request=source.first_request(connection, extract_of(tx, run, size)),
        now=now,
        run_id=run.id,
        attempt_id=attempt_id,
    )


def break_attempt(ctx: Context, tx: Tx, attempt_id: int, problem: Problem, now: datetime) -> None:
    """An extract attempt ended before its last page: a new one begins at the start, or the run gives up."""
    attempt = store.attempt(tx, attempt_id)
    if attempt.state != "open":
        return
    store.end_attempt(tx, attempt_id, "broken", now, as_json(problem))
    for request in exchange.requests_of(tx, attempt_id=attempt_id):
        exchange.change_request(tx, request.id, state="dropped", answered_at=now)
    run = store.run(tx, attempt.run_id)
    if run.state is not State.WAITING:
        return
    if attempt.number >= MAX_ATTEMPTS:
        fail(tx, run, problem, now)
    else:
        _new_attempt(ctx, tx, run, now)


def pages_complete(tx: Tx, attempt_id: int, now: datetime) -> None:
    """The last page is in: the attempt is complete and its run ready, in the page's own transaction."""
    attempt = store.attempt(tx, attempt_id)
    store.end_attempt(tx, attempt_id, "complete", now)
    store.change_run(
        tx,
        attempt.run_id,
        only_if=[State.WAITING],
        phase=Phase.LOAD,
        state=State.READY,
        waits_for="",
        not_before=now,
    )


def fail(tx: Tx, run: Run, problem: Problem, now: datetime) -> None:
    """End a run that cannot go on. What waited for it in the exchange is dropped."""
    _drop_requests(tx, run, now)
    store.change_run(
        tx,
        run.id,
        only_if=store.ACTIVE,
        state=State.FAILED,
        problem=as_json(problem),
        finished_at=now,
        waits_for="",
    )


def met(tx: Tx, run: Run, error: RoutebooksError, now: datetime) -> None:
    """The work on a run met an error: a passing one lets it try again later, any other ends it."""
    if not isinstance(error, TransientError) or run.tries + 1 >= MAX_TRIES:
        fail(tx, run, error.problem, now)
        return
    wait = min(timedelta(seconds=15) * 2**run.tries, LONGEST_BACKOFF)
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


def cancel(tx: Tx, run_id: int, now: datetime) -> Run:
    """End a run at a person's word. Raises ConfigError when it has ended, or when a write of it may be under way."""
    run = store.find_run(tx, run_id)
    if run is None:
        raise ConfigError(f"There is no run {run_id}.", hint="`routebooks run list` shows them.", code="run-unknown")
    if not run.active:
        raise ConfigError(f"Run {run_id} has ended already ({run.state}).", code="run-ended")
    if run.phase in (Phase.POST, Phase.CONFIRM):
        raise ConfigError(
            f"Run {run_id} has handed orders to the exchange; their answers must be waited for.",
            hint="Pause the connection (`routebooks connection pause`) if nothing more may go to QuickBooks.",
            code="run-posting",
        )
    _drop_requests(tx, run, now)
    store.change_run(tx, run_id, state=State.CANCELLED, finished_at=now, waits_for="")
    return store.run(tx, run_id)


def tick(ctx: Context, start: Start) -> int:
    """Move every run that can be moved: due flows, over-old runs, turns, ready rows. Returns how many were started.

    Safe to repeat and to cut off anywhere: `start` gets the same workflow id for the same work every time.
    """
    now = ctx.now()
    with ctx.store.begin() as tx:
        _create_due(tx, now)
        _expire(tx, now)
        _give_turns(ctx, tx, now)
        running = sum(run.state is State.RUNNING for run in store.active_runs(tx))
        ready = store.ready_runs(tx, now)[: max(0, MAX_RUNNING - running)]
    for run in ready:
        start(run)
    return len(ready)


def _create_due(tx: Tx, now: datetime) -> None:
    for flow in flows.flows_of(tx):
        if not flow.enabled or flow.schedule is None:
            continue
        last = store.last_run(tx, flow.id, trigger="schedule")
        zone = companies.company(tx, flow.company_id).time_zone
        due = schedule.due(flow.schedule, zone, last.not_before if last else flow.created_at, now)
        if due is not None:
            create(tx, flow, "schedule", now, due=due)


def _expire(tx: Tx, now: datetime) -> None:
    for run in store.active_runs(tx):
        # Orders on their way are never given up: their answers decide.
        if run.expires_at <= now and run.state is not State.RUNNING and run.phase not in (Phase.POST, Phase.CONFIRM):
            _drop_requests(tx, run, now)
            problem = Problem(
                "run-expired",
                f"The run was not finished in its time; it waited for {run.waits_for or 'its turn'}.",
                "See that the Web Connector runs and the connection is not paused, then run the flow again.",
            )
            store.change_run(tx, run.id, state=State.EXPIRED, finished_at=now, problem=as_json(problem), waits_for="")


def _give_turns(ctx: Context, tx: Tx, now: datetime) -> None:
    """One run of a flow at a time: the oldest that waits begins when no other is under way."""
    busy = {run.flow_id for run in store.active_runs(tx) if run.phase is not Phase.PLAN}
    for run in store.active_runs(tx):
        if run.phase is Phase.PLAN and run.flow_id not in busy and run.not_before <= now:
            busy.add(run.flow_id)
            try:
                plan(ctx, tx, run, now)
            except RoutebooksError as error:
                fail(tx, run, error.problem, now)


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


def source_of(ctx: Context, tx: Tx, flow: Flow) -> Source:
    """The connector that a flow's stream is read from."""
    return ctx.able(companies.connection(tx, flow.source_id).connector, Source)
