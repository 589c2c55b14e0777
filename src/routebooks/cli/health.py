"""How connections and flows are doing: one word each, and what needs a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from routebooks.cli.words import span
from routebooks.engine import schedule
from routebooks.engine.connections import is_silent
from routebooks.store.companies import Caller, ConnectionRow
from routebooks.store.flows import Flow
from routebooks.store.runs import Run, State

#: a flow whose last run ended so waits for a person
_NEEDY = (State.FAILED, State.EXPIRED, State.HELD)


@dataclass(frozen=True)
class Health:
    """The state in one word, and what a person has to do, if anything."""

    state: str
    needs: str = ""


def connection_health(row: ConnectionRow, caller: Caller | None, now: datetime) -> Health:
    """A connection from what is stored of it; nothing is tried."""
    if caller is not None and caller.refused is not None:
        return Health("refused", _cure(caller.refused))
    if row.paused_at is not None:
        return Health("paused")
    if caller is None:
        return Health("ready")
    if caller.last_seen_at is None:
        return Health("not seen", "Add its .qwc file to the Web Connector (`routebooks connection qwc`).")
    if caller.seen_path is not None:
        return Health("moved", f"Its company file lies at {caller.seen_path} now: `routebooks connection confirm`.")
    if is_silent(caller, now):
        gone = span(now - caller.last_seen_at)
        return Health("silent", f"The Web Connector has not called for {gone}: see that its PC is on and logged in.")
    if caller.last_problem is not None:
        return Health("in trouble", _cure(caller.last_problem))
    return Health("ready")


def flow_health(flow: Flow, zone: str, recent: Sequence[Run], scheduled: Run | None, now: datetime) -> Health:
    """A flow from its recent runs, newest first, and its newest scheduled one."""
    active = [run for run in recent if run.active]
    ended = next((run for run in recent if not run.active and run.state is not State.SUPERSEDED), None)
    for run in active:
        if is_late(run, now):
            return Health("late", f"Run {run.id} waits for {run.waits_for or 'its work'} and is late.")
    due = overdue(flow, zone, scheduled, now)
    if due is not None:
        return Health("late", f"It was due {span(now - due)} ago and did not begin: see that `routebooks serve` runs.")
    if active:
        return Health(active[0].state)
    if not flow.enabled:
        return Health("off")
    if ended is None:
        return Health("never ran")
    return Health(ended.state, _cure(ended.problem or {}) if ended.state in _NEEDY else "")


def is_late(run: Run, now: datetime) -> bool:
    """Whether a run should have ended by now."""
    return run.active and now > run.late_after


def overdue(flow: Flow, zone: str, scheduled: Run | None, now: datetime) -> datetime | None:
    """When a run was due that nobody made, if that is longer ago than the flow may be late: the run that never came."""
    if not flow.enabled or flow.schedule is None:
        return None
    last = scheduled.not_before if scheduled is not None else flow.created_at
    due = schedule.due(flow.schedule, zone, last, now)
    late_after = timedelta(minutes=flow.late_after_minutes)
    return due if due is not None and now - due > late_after else None


def _cure(problem: dict[str, str]) -> str:
    return f"{problem.get('message', '')} {problem.get('hint', '')}".strip()
