"""The workers: the server processes on this database, when each was last seen, and what all of them must share.

Times are those of the database's own clock, for the clocks of two machines differ.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from routebooks.store.database import Tx, application_name, from_row
from routebooks.store.tables import Instant, alerts, connections, marks, workers


@dataclass(frozen=True)
class WorkerRow:
    """One server process."""

    id: str
    host: str
    home: str
    #: where it listens: http://host:port
    address: str
    #: tells master keys apart, and nothing about them
    key_mark: str
    started_at: datetime
    seen_at: datetime
    #: until then it counts as living, whatever is heard of it
    good_until: datetime


def clock(tx: Tx) -> datetime:
    """The present instant, as the database has it."""
    found: datetime = tx.execute(sa.select(sa.type_coerce(sa.func.now(), Instant()))).scalar_one()
    return found


def add_worker(
    tx: Tx, worker_id: str, *, host: str, home: str, address: str, key_mark: str, good_for: timedelta
) -> None:
    """A worker begins; one of the same id that was here before is forgotten."""
    remove_worker(tx, worker_id)
    now = clock(tx)
    values = {"id": worker_id, "host": host, "home": home, "address": address, "key_mark": key_mark}
    tx.execute(workers.insert().values(**values, started_at=now, seen_at=now, good_until=now + good_for))


def remove_worker(tx: Tx, worker_id: str) -> None:
    """A worker is here no more."""
    tx.execute(workers.delete().where(workers.c.id == worker_id))


def hold(tx: Tx, worker_id: str) -> bool:
    """Whether a worker is still here; to the end of the transaction nobody can remove it then, but it is seen."""
    query = sa.select(workers.c.id).where(workers.c.id == worker_id)
    return tx.execute(query.with_for_update(read=True, key_share=True)).one_or_none() is not None


def seen(tx: Tx, worker_id: str, good_for: timedelta) -> bool:
    """A worker lives; whether it said so in time."""
    now = clock(tx)
    mine = workers.c.id == worker_id
    in_time = tx.execute(sa.select(workers.c.good_until).where(mine)).scalar_one_or_none()
    tx.execute(workers.update().where(mine).values(seen_at=now, good_until=now + good_for))
    return in_time is not None and in_time >= now


def all_workers(tx: Tx) -> list[WorkerRow]:
    """Every worker, the oldest first."""
    return [from_row(WorkerRow, row) for row in tx.execute(sa.select(workers).order_by("started_at", "id"))]


def living(tx: Tx) -> list[WorkerRow]:
    """The workers that were seen in time, the oldest first."""
    return [each for each in all_workers(tx) if each.good_until >= clock(tx)]


def remove_silent(tx: Tx, by: str) -> list[WorkerRow]:
    """Take the silent workers away, with all that they have open in this database; who they were. PostgreSQL only.

    None, when `by`, the worker that asks, was silent itself: then it cannot tell who else is. What is open is ended,
    for a machine that lost its power, or a process that stands still, may hold locks for hours.
    """
    silent = [each for each in all_workers(tx) if each.good_until < clock(tx)]
    if by in (each.id for each in silent):
        return []
    for each in silent:
        tx.execute(
            sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name"),
            {"name": application_name(each.id)},
        )
        remove_worker(tx, each.id)
    return silent


def keep_mark(tx: Tx, name: str, value: str) -> str:
    """The value of this name that all workers share; the first to ask gives it."""
    found: str | None = tx.execute(sa.select(marks.c.value).where(marks.c.name == name)).scalar_one_or_none()
    if found is None:
        tx.execute(marks.insert().values(name=name, value=value))
    return value if found is None else found


def sealed(tx: Tx) -> Collection[str]:
    """All that was sealed with the master key."""
    queries = (sa.select(connections.c.secrets), sa.select(alerts.c.address))
    return [text for query in queries for text in tx.execute(query).scalars() if text]
