"""Alerts: where it is told that something needs a person, and what was told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from routebooks.store.database import Tx, from_row
from routebooks.store.tables import alerts, alerts_told


@dataclass(frozen=True)
class AlertRow:
    """An alert as stored; its address is sealed."""

    id: int
    name: str
    company_id: int | None
    kind: str
    address: str
    problem: dict[str, str] | None
    created_at: datetime


@dataclass(frozen=True)
class Told:
    """One trouble that was told and is not well again."""

    company_id: int
    subject: str
    kind: str
    amount: int


def add_alert(tx: Tx, *, name: str, company_id: int | None, kind: str, address: str, now: datetime) -> int:
    """A new alert; its id."""
    values = {"name": name, "company_id": company_id, "kind": kind, "address": address, "created_at": now}
    return int(tx.execute(alerts.insert().values(values).returning(alerts.c.id)).scalar_one())


def change_alert(tx: Tx, alert_id: int, **values: Any) -> None:
    """Set columns of an alert."""
    tx.execute(alerts.update().where(alerts.c.id == alert_id).values(**values))


def remove_alert(tx: Tx, alert_id: int) -> None:
    """Take an alert away, with what it told."""
    tx.execute(alerts_told.delete().where(alerts_told.c.alert_id == alert_id))
    tx.execute(alerts.delete().where(alerts.c.id == alert_id))


def all_alerts(tx: Tx) -> list[AlertRow]:
    """Every alert, by name."""
    return [from_row(AlertRow, row) for row in tx.execute(sa.select(alerts).order_by(alerts.c.name))]


def alert_named(tx: Tx, name: str) -> AlertRow | None:
    """The alert of this name, if there is one."""
    row = tx.execute(sa.select(alerts).where(alerts.c.name == name)).one_or_none()
    return from_row(AlertRow, row) if row else None


def told_by(tx: Tx, alert_id: int) -> list[Told]:
    """What an alert has told and not yet told to be well."""
    columns = [alerts_told.c[name] for name in ("company_id", "subject", "kind", "amount")]
    query = sa.select(*columns).where(alerts_told.c.alert_id == alert_id)
    return [from_row(Told, row) for row in tx.execute(query.order_by("company_id", "subject"))]


def forget(tx: Tx, company_id: int, subject: str | None = None) -> None:
    """Forget what was told of a subject of a company, or of all of them: it is gone, and not well again."""
    query = alerts_told.delete().where(alerts_told.c.company_id == company_id)
    tx.execute(query if subject is None else query.where(alerts_told.c.subject == subject))


def keep_told(tx: Tx, alert_id: int, told: Iterable[Told], now: datetime) -> None:
    """What an alert has told by now, all of it."""
    tx.execute(alerts_told.delete().where(alerts_told.c.alert_id == alert_id))
    rows = [{"alert_id": alert_id, "told_at": now, **vars(each)} for each in told]
    if rows:
        tx.execute(alerts_told.insert(), rows)
