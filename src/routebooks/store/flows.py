"""Flows and their cursors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from routebooks.store import rows
from routebooks.store.database import Tx, from_row
from routebooks.store.tables import cursors, flows, sent


@dataclass(frozen=True)
class Flow:
    """A source, a map and a target of one company."""

    id: int
    company_id: int
    name: str
    direction: str
    source_id: int
    target_id: int
    stream: str
    target: str
    map_name: str
    map_text: str | None
    enabled: bool
    incremental: bool
    settings: dict[str, Any]
    schedule: dict[str, Any] | None
    late_after_minutes: int
    expires_after_minutes: int
    created_at: datetime
    removed_at: datetime | None = None


def add_flow(tx: Tx, **values: Any) -> int:
    """A new flow; its id."""
    return rows.add(tx, flows, values)


def change_flow(tx: Tx, flow_id: int, **values: Any) -> None:
    """Set columns of a flow."""
    rows.change(tx, flows, flow_id, values)


def flow(tx: Tx, flow_id: int) -> Flow:
    """The flow with this id."""
    return rows.get(tx, Flow, flows, flow_id)


def flow_named(tx: Tx, company_id: int, name: str) -> Flow | None:
    """The company's flow of this name, if there is one."""
    return rows.find(tx, Flow, flows, company_id=company_id, name=name)


def flows_of(tx: Tx, company_id: int | None = None) -> list[Flow]:
    """The flows of a company, or of all, in the order they were made; without the removed ones."""
    query = sa.select(flows).where(flows.c.removed_at.is_(None)).order_by(flows.c.company_id, flows.c.id)
    if company_id is not None:
        query = query.where(flows.c.company_id == company_id)
    return [from_row(Flow, row) for row in tx.execute(query)]


def removed_flows(tx: Tx, company_id: int) -> list[Flow]:
    """The removed flows of a company, the one that was removed last first."""
    query = sa.select(flows).where(flows.c.company_id == company_id, flows.c.removed_at.is_not(None))
    return [from_row(Flow, row) for row in tx.execute(query.order_by(flows.c.removed_at.desc(), flows.c.id.desc()))]


def forget(tx: Tx, flow_id: int) -> None:
    """Let a flow begin at the start: its cursor and what it remembers to have sent go; its ledger stays."""
    tx.execute(cursors.delete().where(cursors.c.flow_id == flow_id))
    tx.execute(sent.delete().where(sent.c.flow_id == flow_id))


@dataclass(frozen=True)
class Scheduled:
    """What says when a flow is due: every tick reads it of every flow, so it is no more than that."""

    id: int
    company_id: int
    schedule: dict[str, Any]
    created_at: datetime


def scheduled(tx: Tx, company_id: int | None = None) -> list[Scheduled]:
    """The flows that run by themselves, of a company or of all, in the order they were made."""
    query = sa.select(flows.c.id, flows.c.company_id, flows.c.schedule, flows.c.created_at)
    query = query.where(flows.c.enabled, flows.c.schedule.is_not(sa.null()))
    query = query.order_by(flows.c.company_id, flows.c.id)
    if company_id is not None:
        query = query.where(flows.c.company_id == company_id)
    return [Scheduled(*row) for row in tx.execute(query)]


def cursor(tx: Tx, flow_id: int) -> dict[str, Any] | None:
    """How far the flow's extract has come."""
    value: dict[str, Any] | None = tx.execute(
        sa.select(cursors.c.value).where(cursors.c.flow_id == flow_id)
    ).scalar_one_or_none()
    return value


def rewind(tx: Tx, source_id: int, now: datetime) -> None:
    """Let the flows that read from a connection begin at the start again.

    No two such cursors are alike, so that a reading which is under way can see that it has been overtaken.
    """
    for flow in rows.every(tx, Flow, flows, source_id=source_id):
        mark = {"anew": now.isoformat(), "start_date": str(flow.settings.get("start_date") or "")}
        set_cursor(tx, flow.id, mark, now)


def set_cursor(tx: Tx, flow_id: int, value: dict[str, Any], now: datetime) -> None:
    """Move the cursor."""
    changed = tx.execute(cursors.update().where(cursors.c.flow_id == flow_id).values(value=value, updated_at=now))
    if not changed.rowcount:
        tx.execute(cursors.insert().values(flow_id=flow_id, value=value, updated_at=now))
