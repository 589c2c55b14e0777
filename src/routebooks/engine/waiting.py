"""What a run waits for, where that is a system that may not be used now or does not call."""

from __future__ import annotations

from datetime import datetime

from routebooks.engine.connections import is_silent
from routebooks.engine.window import opens_in
from routebooks.engine.words import span
from routebooks.store import companies, flows
from routebooks.store.companies import ConnectionRow
from routebooks.store.database import Tx
from routebooks.store.flows import Flow
from routebooks.store.runs import Phase, Run, State


def reason(tx: Tx, run: Run, now: datetime) -> str:
    """What an active run waits for, in words: the connection that keeps it, if one does; '' for one at work."""
    if not run.active or run.state is State.RUNNING:
        return run.waits_for
    row = _system(tx, run)
    if row is None:
        return run.waits_for
    return closed(tx, row, now) or _unheard(tx, row, now) or run.waits_for


def is_kept(tx: Tx, run: Run, now: datetime) -> bool:
    """Whether the next work of a run would speak to a system that may not be used now."""
    row = _system(tx, run)
    return row is not None and closed(tx, row, now) != ""


def closed(tx: Tx, row: ConnectionRow, now: datetime) -> str:
    """Why a connection may not be used now; '' when it may."""
    if row.paused_at is not None:
        return f"the connection {row.name}, which is paused"
    zone = companies.company(tx, row.company_id).time_zone
    if row.window is not None and opens_in(row.window, zone, now):
        return f"the window of {row.name}, which opens at {row.window['from']}"
    return ""


def _unheard(tx: Tx, row: ConnectionRow, now: datetime) -> str:
    caller = companies.caller(tx, row.id)
    if caller is None:
        return ""
    if caller.last_seen_at is None:
        return f"the Web Connector of {row.name}, which has never called"
    if is_silent(caller, now):
        return f"the Web Connector of {row.name}, which has not called for {span(now - caller.last_seen_at)}"
    return ""


def _system(tx: Tx, run: Run) -> ConnectionRow | None:
    """The connection that the next work of a run speaks to; None where it needs nobody."""
    flow = flows.flow(tx, run.flow_id)
    match run.phase:
        case Phase.EXTRACT:
            return companies.connection(tx, flow.source_id)
        case Phase.DELIVER | Phase.POST:
            return companies.connection(tx, flow.target_id)
        case Phase.LOAD | Phase.CONFIRM:
            return _called_source(tx, flow)
        case _:
            return None


def _called_source(tx: Tx, flow: Flow) -> ConnectionRow | None:
    """The source, where we call it; the pages of one that calls us are here already when a run is loaded."""
    return None if companies.caller(tx, flow.source_id) else companies.connection(tx, flow.source_id)
