"""Rows of the store as the data of an answer: what JSON writes, and what tables are made from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from routebooks.cli.words import span
from routebooks.engine import schedule, waiting
from routebooks.engine.context import Context
from routebooks.engine.health import health_of_connection, health_of_flow, is_late
from routebooks.store import companies, exchange, runs
from routebooks.store.companies import CompanyRow, ConnectionRow
from routebooks.store.database import Tx
from routebooks.store.flows import Flow
from routebooks.store.runs import Run, RunLine, State

View = dict[str, Any]


def zones(tx: Tx) -> dict[str, str]:
    """The time zone of every company by its name, also of those that were removed."""
    return {row.name: row.time_zone for row in companies.all_companies(tx, removed=True)}


def connection_view(tx: Tx, row: ConnectionRow, company: CompanyRow, now: datetime) -> View:
    """A connection with its health; of a caller also when it was seen. No secret."""
    caller = companies.caller(tx, row.id)
    health = health_of_connection(tx, row, now)
    return {
        "id": row.id,
        "company": company.name,
        "name": row.name,
        "connector": row.connector,
        "state": health.state,
        "needs": health.needs,
        "window": window(row),
        "paused_at": row.paused_at,
        "last_seen_at": caller.last_seen_at if caller else None,
        "tested_at": row.tested_at,
        "test_problem": row.test_problem,
        "test_in_words": test_in_words(row, now),
    }


def test_in_words(row: ConnectionRow, now: datetime) -> str:
    """How the last test of a connection went, and when; nothing where there was none."""
    if row.tested_at is None:
        return ""
    return f"{span(now - row.tested_at)} ago, {'works' if row.test_problem is None else 'failed'}"


def window(row: ConnectionRow) -> str:
    """When the connection may be used, as it is typed."""
    return f"{row.window['from']}-{row.window['to']}" if row.window else "always"


def flow_view(ctx: Context, tx: Tx, flow: Flow, company: CompanyRow) -> View:
    """A flow with its health and its last runs."""
    latest = runs.list_runs(tx, flow_id=flow.id, limit=1)
    good = runs.last_run(tx, flow.id, state=State.DONE)
    health = health_of_flow(ctx, tx, flow, company.time_zone)
    return {
        "id": flow.id,
        "company": company.name,
        "name": flow.name,
        "from": companies.connection(tx, flow.source_id).name,
        "to": companies.connection(tx, flow.target_id).name,
        "enabled": flow.enabled,
        "schedule": flow.schedule,
        "schedule_in_words": schedule.words(flow.schedule),
        "state": health.state,
        "late": health.state == "late",
        "needs": health.needs,
        "waits_for": health.waits_for or None,
        "last_run": _last(latest[0].run) if latest else None,
        "last_good_run_at": good.finished_at if good else None,
    }


def _last(run: Run) -> View:
    return {"id": run.id, "state": run.state, "created_at": run.created_at, "finished_at": run.finished_at}


def run_view(tx: Tx, line: RunLine, now: datetime) -> View:
    """A run with what it waits for, and since when."""
    run = line.run
    return {
        "id": run.id,
        "company": line.company,
        "flow": line.flow,
        "trigger": run.trigger,
        "state": run.state,
        "phase": run.phase,
        "late": is_late(run, now),
        "waits_for": waiting.reason(tx, run, now) or None,
        "waits_since": waits_since(tx, run, now),
        "not_before": run.not_before,
        "late_after": run.late_after,
        "expires_at": run.expires_at,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "records_read": run.records_read,
        "records_written": run.records_written,
        "records_rejected": run.records_rejected,
        "records_left_out": run.records_left_out,
        "problem": run.problem,
        "superseded_by": run.superseded_by,
    }


def waits_since(tx: Tx, run: Run, now: datetime) -> datetime | None:
    """Since when a waiting run waits for what it waits for: its oldest open request, else its own turn."""
    if not run.active or not run.waits_for:
        return None
    requests = exchange.requests_of(tx, run_id=run.id) or _page_requests(tx, run)
    if requests:
        return requests[0].out_at or requests[0].created_at
    return min(max(run.created_at, run.not_before), now)


def _page_requests(tx: Tx, run: Run) -> list[exchange.Request]:
    if run.phase is not runs.Phase.EXTRACT:
        return []
    tries = [runs.attempts_of(tx, extract.id) for extract in runs.extracts_of(tx, run.night_id).values()]
    return [each for found in tries for last in found[-1:] for each in exchange.requests_of(tx, attempt_id=last.id)]


def state_word(view: View) -> str:
    """The state of a run as it is shown: an active one that should have ended is late."""
    return "late" if view["late"] else str(view["state"])
