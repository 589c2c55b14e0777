"""Rows by what they are known by, with statements that are built once: building one takes longer than its work."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any, TypeVar

import sqlalchemy as sa

from routebooks.store.database import Dataclass, Tx, from_row, names, one

D = TypeVar("D", bound=Dataclass)

#: no column has this name, so it may stand beside the values of an update
_KEY = "the_key"


def find(tx: Tx, kind: type[D], table: sa.Table, *, lock: bool = False, **known: Any) -> D | None:
    """The only row with these values, if there is one; locked to the end of the transaction when asked."""
    row = tx.execute(_select(table, tuple(known), lock), known).one_or_none()
    return from_row(kind, row) if row is not None else None


def get(tx: Tx, kind: type[D], table: sa.Table, key: int, *, lock: bool = False) -> D:
    """The row with this id, which must be there. Raises FatalError."""
    row = tx.execute(_select(table, ("id",), lock), {"id": key}).one_or_none()
    return from_row(kind, one(row, f"{table.name} {key}"))


def every(tx: Tx, kind: type[D], table: sa.Table, order: str = "id", **known: Any) -> list[D]:
    """All rows with these values, ordered by a column."""
    return [from_row(kind, row) for row in tx.execute(_select(table, tuple(known), False, order), known)]


def add(tx: Tx, table: sa.Table, values: Mapping[str, Any]) -> int:
    """A new row; its id."""
    return int(tx.execute(_insert(table), values).scalar_one())


def change(
    tx: Tx, table: sa.Table, key: int, values: Mapping[str, Any], *, only_if: Collection[str] | None = None
) -> bool:
    """Set columns of the row with this primary key, if it is in one of the given states; whether it was."""
    states = None if only_if is None else tuple(only_if)
    return bool(tx.execute(_update(table, tuple(values), states), {**values, _KEY: key}).rowcount)


def columns(kind: type[Dataclass], table: sa.Table) -> list[sa.Column[Any]]:
    """The columns that fill a dataclass, for a query over several tables; `parts` reads them."""
    return [table.c[name] for name in names(kind)]


def parts(row: sa.Row[Any], *kinds: type[Dataclass]) -> Iterator[Any]:
    """The dataclasses that a row of several tables fills, one after the other; None for what an outer join lacks."""
    at = 0
    for kind in kinds:
        end = at + len(names(kind))
        # The first field of each is its primary key.
        yield None if row[at] is None else kind(*row[at:end])
        at = end


@cache
def _select(table: sa.Table, columns: tuple[str, ...], lock: bool, order: str = "") -> sa.Select[Any]:
    query = sa.select(table).where(*(table.c[name] == sa.bindparam(name) for name in columns))
    query = query.order_by(table.c[order]) if order else query
    return query.with_for_update() if lock else query


@cache
def _insert(table: sa.Table) -> Any:
    return table.insert().returning(table.c.id)


@cache
def _update(table: sa.Table, columns: tuple[str, ...], states: tuple[str, ...] | None) -> sa.Update:
    (primary,) = table.primary_key
    query = table.update().where(primary == sa.bindparam(_KEY)).values({name: sa.bindparam(name) for name in columns})
    return query if states is None else query.where(table.c.state.in_(states))
