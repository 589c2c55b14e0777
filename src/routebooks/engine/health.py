"""How connections and flows are doing: one word each, and what needs a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from routebooks.engine import schedule, waiting
from routebooks.engine.connections import NO_DOCUMENTS, is_silent, takes_documents, wrong_password
from routebooks.engine.context import Context, as_json
from routebooks.engine.runs import met_at
from routebooks.engine.words import count, span
from routebooks.store import companies, flows, rejected, runs
from routebooks.store.companies import Caller, CompanyRow, ConnectionRow
from routebooks.store.database import Tx
from routebooks.store.flows import Flow
from routebooks.store.runs import Run, State

#: a flow whose last run ended so waits for a person
_NEEDY = (State.FAILED, State.EXPIRED, State.HELD)

#: so many runs of a flow tell how it is doing
_RECENT = 20


@dataclass(frozen=True)
class Health:
    """The state in one word, and what a person has to do, if anything."""

    state: str
    needs: str = ""
    #: the code of the problem behind it, if there is one
    code: str = ""
    #: of a flow, what its run waits for
    waits_for: str = ""


def connection_health(
    row: ConnectionRow,
    caller: Caller | None,
    now: datetime,
    failing: Mapping[str, str] | None = None,
    *,
    used: bool = True,
) -> Health:
    """A connection from what is stored of it, the problem that its last use met, and whether any use or test went well.

    Nothing is tried.
    """
    if caller is not None and caller.refused is not None:
        return Health("refused", *_cure(caller.refused))
    if row.paused_at is not None:
        return Health("paused")
    if failing is not None:
        return Health("failing", *_cure(failing))
    if caller is None:
        return Health("ready" if used else "not used")
    wrong = wrong_password(caller, now)
    if wrong is not None:
        return Health("shut out", *_cure(as_json(wrong)))
    if caller.last_seen_at is None:
        return Health("not seen", "Add its .qwc file to the Web Connector (`routebooks connection qwc`).")
    if caller.seen_path is not None:
        return Health("moved", f"Its company file lies at {caller.seen_path} now: `routebooks connection confirm`.")
    if is_silent(caller, now):
        gone = span(now - caller.last_seen_at)
        return Health("silent", f"The Web Connector has not called for {gone}: see that its PC is on and logged in.")
    if caller.last_problem is not None:
        return Health("in trouble", *_cure(caller.last_problem))
    return Health("ready")


def flow_health(flow: Flow, zone: str, recent: Sequence[Run], scheduled: Run | None, now: datetime) -> Health:
    """A flow from its recent runs, newest first, and its newest scheduled one."""
    active = [run for run in recent if run.active]
    ended = next((run for run in recent if not run.active and run.state is not State.SUPERSEDED), None)
    for run in active:
        if is_late(run, now):
            return Health("late", f"Run {run.id} is late; it waits for {run.waits_for or 'its work'}.")
    due = overdue(flow, zone, recent, scheduled, now)
    if due is not None:
        ago = f"It was due {span(now - due)} ago"
        if schedule.skips(flow.schedule):
            return Health("late", f"{ago} and was left out: `routebooks flow run` makes up for it.")
        return Health("late", f"{ago} and did not begin: see that `routebooks serve` runs.")
    if active:
        return Health(active[0].state, waits_for=active[0].waits_for)
    if not flow.enabled:
        return Health("off")
    if ended is None:
        return Health("never ran")
    return Health(ended.state, *_cure(ended.problem or {})) if ended.state in _NEEDY else Health(ended.state)


def is_late(run: Run, now: datetime) -> bool:
    """Whether a run should have ended by now."""
    return run.active and now > run.late_after


def overdue(flow: Flow, zone: str, recent: Sequence[Run], scheduled: Run | None, now: datetime) -> datetime | None:
    """When the first run was due that never came, if that is longer ago than the flow may be late.

    A run that a person asked for since then makes up for it.
    """
    if not flow.enabled or flow.schedule is None:
        return None
    settled = schedule.settled(flow.schedule, flow.created_at, scheduled.not_before if scheduled else None)
    read = [run for run in recent if run.trigger != runs.RESEND]
    settled = max([settled, *(run.created_at for run in read[:1])])
    due = schedule.upcoming(flow.schedule, zone, settled, 1)[0]
    return due if now - due > timedelta(minutes=flow.late_after_minutes) else None


def _cure(problem: Mapping[str, str]) -> tuple[str, str]:
    return f"{problem.get('message', '')} {problem.get('hint', '')}".strip(), problem.get("code", "")


def health_of_connection(tx: Tx, row: ConnectionRow, now: datetime) -> Health:
    """A connection as its rows tell."""
    caller = companies.caller(tx, row.id)
    passed = row.tested_at is not None and row.test_problem is None
    # A run that ended well tells more than a test that failed before, and a test more than a run of before.
    works = passed or runs.any_done_at(tx, row.id, since=row.tested_at)
    failing = _failing(tx, row) or (None if works else row.test_problem)
    return connection_health(row, caller, now, failing, used=caller is not None or works)


def _failing(tx: Tx, row: ConnectionRow) -> dict[str, str] | None:
    """What the last use of a connection met, if that was after its last test."""
    run = next(iter(runs.tried_again_at(tx, row.id)), None) or runs.last_delivery(tx, row.id)
    if run is None or run.problem is None or (row.tested_at is not None and row.tested_at >= met_at(run)):
        return None
    return run.problem


def health_of_flow(ctx: Context, tx: Tx, flow: Flow, zone: str) -> Health:
    """A flow as its rows tell, and what the system says of itself that it writes to."""
    now, target = ctx.now(), companies.connection(tx, flow.target_id)
    taking = takes_documents(ctx, tx, target) if flow.enabled and flow.direction == "back" else None
    if taking is not None and not taking.ok:
        return Health("unable", f"{taking.message} {taking.hint}", NO_DOCUMENTS)
    recent = [line.run for line in runs.list_runs(tx, flow_id=flow.id, limit=_RECENT)]
    recent = [replace(run, waits_for=waiting.reason(tx, run, now)) if run.active else run for run in recent]
    return flow_health(flow, zone, recent, runs.last_run(tx, flow.id, trigger="schedule"), now)


@dataclass(frozen=True)
class Trouble:
    """Something of a company that needs a person: what it is of, what kind it is, and how much of it there is."""

    company_id: int
    subject: str
    #: the same for as long as it is the same trouble
    kind: str
    needs: str
    amount: int = 1


def troubles(ctx: Context, tx: Tx, company: CompanyRow) -> list[Trouble]:
    """What needs a person in a company, as `status` marks it."""
    found = []
    for row in companies.connections_of(tx, company.id):
        found.append((f"connection {row.name}", health_of_connection(tx, row, ctx.now())))
    for flow in flows.flows_of(tx, company.id):
        found.append((f"flow {flow.name}", health_of_flow(ctx, tx, flow, company.time_zone)))
    listed = [
        Trouble(company.id, subject, f"{health.state} {health.code}".strip(), health.needs)
        for subject, health in found
        if health.needs
    ]
    if number := rejected.count_open(tx).get(company.id, 0):
        cure = "`routebooks rejected list` shows reasons and cures."
        listed.append(Trouble(company.id, "rejected records", "open", f"{count(number, 'record')}. {cure}", number))
    return listed
