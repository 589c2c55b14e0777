"""The rejected list: every record set aside, until a person or a later success ends it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from routebooks.records import Rejected
from routebooks.store.database import Tx, from_row, is_id
from routebooks.store.tables import companies, flows, rejected


@dataclass(frozen=True)
class RejectedRow:
    """A rejected record as kept."""

    id: int
    company_id: int
    flow_id: int
    run_id: int
    stream: str
    key: str
    code: str
    message: str
    hint: str
    detail: str
    record: dict[str, Any]
    state: str
    times: int
    first_at: datetime
    last_at: datetime
    resolved_at: datetime | None


def keep_rejected(
    tx: Tx, *, company_id: int, flow_id: int, run_id: int, stream: str, records: Iterable[Rejected], now: datetime
) -> None:
    """Add records to the list; one that stands there already is seen once more, not listed twice.

    Two records may share a key (that is then what is wrong with them): the message tells them apart.
    Safe to repeat within a run.
    """
    known = {(row.key, row.code, row.message): row for row in open_of_flow(tx, flow_id, stream)}
    fresh: dict[tuple[str, str, str], dict[str, Any]] = {}
    for item in records:
        place = (item.key, item.problem.code, item.problem.message)
        values = {
            "message": item.problem.message,
            "hint": item.problem.hint,
            "detail": item.problem.detail,
            "record": dict(item.record),
            "run_id": run_id,
            "last_at": now,
        }
        if (row := known.get(place)) is not None:
            times = row.times if row.run_id == run_id else row.times + 1
            tx.execute(rejected.update().where(rejected.c.id == row.id).values(times=times, **values))
        else:
            fresh[place] = {
                "company_id": company_id,
                "flow_id": flow_id,
                "stream": stream,
                "key": item.key,
                "code": item.problem.code,
                "state": "open",
                "times": 1,
                "first_at": now,
                **values,
            }
    if fresh:
        tx.execute(rejected.insert(), list(fresh.values()))


def open_of_flow(tx: Tx, flow_id: int, stream: str) -> list[RejectedRow]:
    """What still stands in the list for a flow."""
    query = sa.select(rejected).where(
        rejected.c.flow_id == flow_id, rejected.c.stream == stream, rejected.c.state == "open"
    )
    return [from_row(RejectedRow, row) for row in tx.execute(query)]


def count_open(tx: Tx) -> dict[int, int]:
    """How many records stand in the list, by company."""
    query = sa.select(rejected.c.company_id, sa.func.count()).where(rejected.c.state == "open")
    return {company_id: int(count) for company_id, count in tx.execute(query.group_by(rejected.c.company_id))}


def resolve(
    tx: Tx,
    flow_id: int,
    stream: str,
    now: datetime,
    *,
    keys: Collection[str] | None = None,
    not_in_run: int | None = None,
    other_than: str | None = None,
) -> int:
    """End the records of these keys (for other reasons than one code), or all that a run did not reject again."""
    query = rejected.update().where(
        rejected.c.flow_id == flow_id, rejected.c.stream == stream, rejected.c.state == "open"
    )
    if keys is not None:
        query = query.where(rejected.c.key.in_(sorted(set(keys))))
    if not_in_run is not None:
        query = query.where(rejected.c.run_id != not_in_run)
    if other_than is not None:
        query = query.where(rejected.c.code != other_than)
    return int(tx.execute(query.values(state="resolved", resolved_at=now)).rowcount)


def resolve_flow(tx: Tx, flow_id: int, now: datetime) -> None:
    """End all records of a flow."""
    query = rejected.update().where(rejected.c.flow_id == flow_id, rejected.c.state == "open")
    tx.execute(query.values(state="resolved", resolved_at=now))


def resolve_one(tx: Tx, rejected_id: int, now: datetime) -> None:
    """End one record at a person's word."""
    query = rejected.update().where(rejected.c.id == rejected_id, rejected.c.state == "open")
    tx.execute(query.values(state="resolved", resolved_at=now))


@dataclass(frozen=True)
class RejectedLine:
    """A rejected record with the names of its company and flow."""

    rejected: RejectedRow
    company: str
    flow: str


@dataclass(frozen=True)
class Chosen:
    """Which rejected records are meant; without a word the open ones. None: all."""

    company_id: int | None = None
    flow_name: str | None = None
    state: str | None = "open"
    run_id: int | None = None
    rejected_id: int | None = None

    def of(self, query: sa.Select[Any]) -> sa.Select[Any]:
        """A query over rejected records and flows, with these only."""
        wanted = (
            (rejected.c.company_id, self.company_id),
            (flows.c.name, self.flow_name),
            (rejected.c.state, self.state),
            (rejected.c.run_id, self.run_id),
            (rejected.c.id, self.rejected_id),
        )
        return query.where(*(column == value for column, value in wanted if value is not None))


OPEN = Chosen()


def list_rejected(tx: Tx, chosen: Chosen = OPEN, *, limit: int = 200) -> list[RejectedLine]:
    """The newest first."""
    if chosen.rejected_id is not None and not is_id(chosen.rejected_id):
        return []
    query = (
        sa.select(rejected, companies.c.name.label("company_name"), flows.c.name.label("flow_name"))
        .join(companies, companies.c.id == rejected.c.company_id)
        .join(flows, flows.c.id == rejected.c.flow_id)
        .order_by(rejected.c.last_at.desc(), rejected.c.id.desc())
        .limit(limit)
    )
    found = tx.execute(chosen.of(query))
    return [RejectedLine(from_row(RejectedRow, row), row.company_name, row.flow_name) for row in found]


def count(tx: Tx, chosen: Chosen) -> int:
    """How many there are."""
    query = sa.select(sa.func.count()).select_from(rejected.join(flows, flows.c.id == rejected.c.flow_id))
    return int(tx.execute(chosen.of(query)).scalar_one())
