"""Snapshots, deliveries, and the links that a delivery leaves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from routebooks.store.database import Tx, from_row, is_id
from routebooks.store.tables import companies, deliveries, flows, links, sent, snapshots

#: bound parameters of one statement; SQLite allows 32,766
_CHUNK = 2000


@dataclass(frozen=True)
class Delivery:
    """One file: made, then in place at the target."""

    id: int
    company_id: int
    flow_id: int
    run_id: int
    layout: str
    address: str
    artifact_id: int
    rows_id: int | None
    resend_of: int | None
    records: int
    state: str
    problem: dict[str, str] | None
    made_at: datetime
    delivered_at: datetime | None


@dataclass(frozen=True)
class Snapshot:
    """The last complete extract of a stream."""

    id: int
    company_id: int
    connection_id: int
    stream: str
    extract_id: int
    artifact_id: int
    records: int
    whole: bool
    taken_at: datetime


def keep_snapshot(tx: Tx, **values: Any) -> None:
    """The snapshot of an extract; made again, it takes the place of the first."""
    tx.execute(snapshots.delete().where(snapshots.c.extract_id == values["extract_id"]))
    tx.execute(snapshots.insert().values(**values))


def snapshot_of(tx: Tx, extract_id: int) -> Snapshot | None:
    """The snapshot of an extract."""
    row = tx.execute(sa.select(snapshots).where(snapshots.c.extract_id == extract_id)).one_or_none()
    return from_row(Snapshot, row) if row else None


def last_snapshot(tx: Tx, connection_id: int, stream: str) -> Snapshot | None:
    """The newest snapshot of all records of a stream."""
    query = (
        sa.select(snapshots)
        .where(snapshots.c.connection_id == connection_id, snapshots.c.stream == stream, snapshots.c.whole)
        .order_by(snapshots.c.id.desc())
        .limit(1)
    )
    row = tx.execute(query).one_or_none()
    return from_row(Snapshot, row) if row else None


def newest_snapshot(tx: Tx, connection_id: int, stream: str) -> Snapshot | None:
    """The newest snapshot of a stream, of all records or of what had changed."""
    query = sa.select(snapshots).where(snapshots.c.connection_id == connection_id, snapshots.c.stream == stream)
    row = tx.execute(query.order_by(snapshots.c.id.desc()).limit(1)).one_or_none()
    return from_row(Snapshot, row) if row else None


def keep_delivery(tx: Tx, **values: Any) -> None:
    """The file that a run made; made again (the work was cut off), it takes the place of the first."""
    tx.execute(deliveries.delete().where(deliveries.c.run_id == values["run_id"], deliveries.c.state != "delivered"))
    tx.execute(deliveries.insert().values(**values))


def change_delivery(tx: Tx, delivery_id: int, **values: Any) -> None:
    """Set columns of a delivery."""
    tx.execute(deliveries.update().where(deliveries.c.id == delivery_id).values(**values))


def delivery(tx: Tx, delivery_id: int) -> Delivery | None:
    """The delivery with this id, if there is one."""
    if not is_id(delivery_id):
        return None
    row = tx.execute(sa.select(deliveries).where(deliveries.c.id == delivery_id)).one_or_none()
    return from_row(Delivery, row) if row else None


def last_delivered(tx: Tx, flow_id: int) -> Delivery | None:
    """The newest file of a flow that went to its target."""
    query = (
        sa.select(deliveries)
        .where(deliveries.c.flow_id == flow_id, deliveries.c.state == "delivered")
        .order_by(deliveries.c.delivered_at.desc(), deliveries.c.id.desc())
        .limit(1)
    )
    row = tx.execute(query).one_or_none()
    return from_row(Delivery, row) if row else None


def delivery_of_run(tx: Tx, run_id: int) -> Delivery | None:
    """The file of a run."""
    row = tx.execute(sa.select(deliveries).where(deliveries.c.run_id == run_id)).one_or_none()
    return from_row(Delivery, row) if row else None


def delivered(tx: Tx, delivery_id: int, address: str, now: datetime) -> None:
    """The file lies in place."""
    query = deliveries.update().where(deliveries.c.id == delivery_id)
    tx.execute(query.values(state="delivered", address=address, delivered_at=now))


@dataclass(frozen=True)
class DeliveryLine:
    """A delivery with the names of its company and flow."""

    delivery: Delivery
    company: str
    flow: str


_LINES = (
    sa.select(deliveries, companies.c.name.label("company_name"), flows.c.name.label("flow_name"))
    .join(companies, companies.c.id == deliveries.c.company_id)
    .join(flows, flows.c.id == deliveries.c.flow_id)
)


def list_deliveries(tx: Tx, *, company_id: int | None = None, limit: int = 50) -> list[DeliveryLine]:
    """The newest files first."""
    query = _LINES.order_by(deliveries.c.id.desc()).limit(limit)
    if company_id is not None:
        query = query.where(deliveries.c.company_id == company_id)
    return [DeliveryLine(from_row(Delivery, row), row.company_name, row.flow_name) for row in tx.execute(query)]


def find_delivery(tx: Tx, delivery_id: int) -> DeliveryLine | None:
    """The delivery with this id, if there is one."""
    if not is_id(delivery_id):
        return None
    row = tx.execute(_LINES.where(deliveries.c.id == delivery_id)).one_or_none()
    return DeliveryLine(from_row(Delivery, row), row.company_name, row.flow_name) if row else None


def keep_links(
    tx: Tx,
    *,
    company_id: int,
    connection_id: int,
    stream: str,
    ids: Mapping[str, str],
    delivery_id: int,
    now: datetime,
) -> None:
    """Write key -> id for every record of a delivered file. Keys that were delivered before and are not now stay."""
    rows = [
        {
            "company_id": company_id,
            "connection_id": connection_id,
            "stream": stream,
            "key": key,
            "external_id": external_id,
            "delivery_id": delivery_id,
            "updated_at": now,
        }
        for key, external_id in ids.items()
    ]
    insert = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    query = insert(links)
    query = query.on_conflict_do_update(
        index_elements=[links.c.company_id, links.c.connection_id, links.c.stream, links.c.key],
        set_={name: query.excluded[name] for name in ("external_id", "delivery_id", "updated_at")},
    )
    if rows:
        tx.execute(query, rows)


def find_links(tx: Tx, *, company_id: int, connection_id: int, stream: str, keys: Collection[str]) -> dict[str, str]:
    """The ids of those keys that were ever delivered."""
    wanted = sorted(set(keys))
    found: dict[str, str] = {}
    for start in range(0, len(wanted), _CHUNK):
        query = sa.select(links.c.key, links.c.external_id).where(
            links.c.company_id == company_id,
            links.c.connection_id == connection_id,
            links.c.stream == stream,
            links.c.key.in_(wanted[start : start + _CHUNK]),
        )
        found.update((row.key, row.external_id) for row in tx.execute(query))
    return found


def sent_of(tx: Tx, flow_id: int, keys: Collection[str]) -> dict[str, tuple[str, list[dict[str, Any]]]]:
    """Fingerprint and rows of what was last delivered under these keys."""
    wanted = sorted(set(keys))
    found: dict[str, tuple[str, list[dict[str, Any]]]] = {}
    for start in range(0, len(wanted), _CHUNK):
        query = sa.select(sent).where(sent.c.flow_id == flow_id, sent.c.key.in_(wanted[start : start + _CHUNK]))
        found.update((row.key, (row.fingerprint, row.rows)) for row in tx.execute(query))
    return found


def sent_keys(tx: Tx, flow_id: int) -> list[str]:
    """Every key that a flow ever delivered."""
    return list(tx.execute(sa.select(sent.c.key).where(sent.c.flow_id == flow_id).order_by(sent.c.key)).scalars())


def keep_sent(tx: Tx, flow_id: int, delivery_id: int, rows: Mapping[str, tuple[str, list[dict[str, Any]]]]) -> None:
    """Remember what was delivered under each key: its fingerprint and its rows."""
    values = [
        {"flow_id": flow_id, "key": key, "fingerprint": fingerprint, "rows": kept, "delivery_id": delivery_id}
        for key, (fingerprint, kept) in rows.items()
    ]
    insert = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    query = insert(sent)
    query = query.on_conflict_do_update(
        index_elements=[sent.c.flow_id, sent.c.key],
        set_={name: query.excluded[name] for name in ("fingerprint", "rows", "delivery_id")},
    )
    if values:
        tx.execute(query, values)
