"""Incremental files: what was delivered before and is as it was is not sent again; what was deleted is told.

A transaction is known by its key; its fingerprint is that of its mapped rows, so that a change which the file does
not show sends nothing. What was set aside is looked at again every night: its cure may lie elsewhere (a customer's
number), and then nothing says that it changed.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from routebooks.connectors.base import View
from routebooks.errors import ConfigError, Problem
from routebooks.records import Kind, Layout, Rejected
from routebooks.store import deliveries
from routebooks.store.database import Tx
from routebooks.store.flows import Flow
from routebooks.store.rejected import RejectedRow

KEY = "__key"
#: what the status column of a layout says of a transaction that was deleted in QuickBooks
STATUS, DELETED = "Status", "D"

Rows = list[dict[str, Any]]


def by_key(rows: pa.Table) -> dict[str, Rows]:
    """The rows of each transaction, without the key itself."""
    found: dict[str, Rows] = defaultdict(list)
    for row in rows.to_pylist():
        key = row.pop(KEY)
        found[key].append(row)
    return dict(found)


def fingerprint(rows: Rows) -> str:
    """A name for exactly these rows."""
    return hashlib.sha256(json.dumps(rows, default=str, sort_keys=True).encode()).hexdigest()


def sent_rows(rows: pa.Table) -> dict[str, tuple[str, Rows]]:
    """Fingerprint and rows of each transaction, as they are remembered."""
    return {
        key: (fingerprint(group), json.loads(json.dumps(group, default=str))) for key, group in by_key(rows).items()
    }


def suppress(tx: Tx, flow: Flow, rows: pa.Table) -> tuple[pa.Table, int]:
    """The rows of the transactions that changed, and how many rows were left out. With resend_days nothing is."""
    if flow.settings.get("resend_days"):
        return rows, 0
    groups = by_key(rows)
    known = deliveries.sent_of(tx, flow.id, groups.keys())
    same = {key for key, group in groups.items() if key in known and known[key][0] == fingerprint(group)}
    keep = [key not in same for key in rows[KEY].to_pylist()]
    kept = rows.filter(pa.array(keep, pa.bool_()))
    return kept, rows.num_rows - kept.num_rows


def keys_aside(rows: Iterable[RejectedRow], key: str) -> dict[int, str]:
    """By the id of each rejected record the key that its own system knows it by; what is gone has no record."""
    return {row.id: row.record[key] for row in rows if key in row.record}


def carried(before: pa.Table, table: pa.Table, key: str, aside: Collection[str]) -> pa.Table:
    """What changed, after the records of the last snapshot that were set aside and have not changed since."""
    wanted = sorted(set(aside).difference(table[key].to_pylist()))
    still = before.filter(pc.is_in(before[key], value_set=pa.array(wanted, before[key].type)))
    return pa.concat_tables([still, table], promote_options="default") if still.num_rows else table


def without_deleted(view: View | None, tables: Mapping[str, pa.Table]) -> Mapping[str, pa.Table]:
    """The tables without what is listed as deleted: it may have been read just before, or have been set aside."""
    if view is None or view.deletions is None:
        return tables
    gone = tables[view.deletions][KEY_FIELD]
    changing = set(view.changes) - {view.deletions}
    return {
        name: table.filter(pc.invert(pc.is_in(table[KEY_FIELD], value_set=gone))) if name in changing else table
        for name, table in tables.items()
    }


def deleted(
    tx: Tx,
    flow: Flow,
    view: View | None,
    tables: Mapping[str, pa.Table],
    rows: pa.Table,
    aside: Collection[str],
    *,
    whole: bool,
) -> list[tuple[str, str]]:
    """Key and name of what was deleted since the last time, and of what was read and has nothing more to tell.

    After a long gap QuickBooks no longer lists deletions: then the whole is compared with what was delivered. What was
    set aside is there, whatever the file says of it.
    """
    if view is None or view.deletions is None:
        return []
    present = {*rows[KEY].to_pylist(), *aside}
    if whole:
        return [(key, key) for key in deliveries.sent_keys(tx, flow.id) if key not in present]
    listed = tables[view.deletions]
    keys: list[Any] = listed[KEY_FIELD].to_pylist()
    names: list[Any] = listed[view.deletions_label or KEY_FIELD].to_pylist()
    read: set[Any] = {
        key for name in set(view.changes) - {view.deletions} for key in tables[name][KEY_FIELD].to_pylist()
    }
    emptied = deliveries.sent_of(tx, flow.id, read - present)
    return [(key, name or key) for key, name in zip(keys, names, strict=True)] + [(key, key) for key in emptied]


#: the field by which a stream of deletions, and those that it tells of, name a record
KEY_FIELD = "TxnID"


def tell_deleted(
    tx: Tx, flow: Flow, layout: Layout, rows: pa.Table, gone: list[tuple[str, str]]
) -> tuple[pa.Table, tuple[Rejected, ...]]:
    """The rows, after them those last delivered of what is gone, with nothing left in them; and what never went out."""
    known = deliveries.sent_of(tx, flow.id, [key for key, _ in gone])
    schema = rows.schema
    told: Rows = []
    never = []
    for key, name in gone:
        if key not in known:
            never.append(_never(key, name))
        else:
            emptied = [_emptied(row, layout) for row in known[key][1]]
            if fingerprint(emptied) != known[key][0]:
                told += [{**row, KEY: key} for row in emptied]
    if not told:
        return rows, tuple(never)
    return pa.concat_tables([rows, pa.Table.from_pylist(told, schema=schema)]), tuple(never)


def _emptied(row: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    """A delivered row of a transaction that is gone: its names stay, its quantities and amounts are nothing."""
    emptied: dict[str, Any] = {}
    for column in layout.columns:
        value = row.get(column.name)
        match column.kind:
            case Kind.DECIMAL:
                emptied[column.name] = None if value is None else Decimal(0).quantize(Decimal(1).scaleb(-column.scale))
            case Kind.DATE:
                emptied[column.name] = None if value is None else date.fromisoformat(value)
            case Kind.TIMESTAMP:
                emptied[column.name] = None if value is None else datetime.fromisoformat(value)
            case _:
                emptied[column.name] = value
    if STATUS in emptied:
        emptied[STATUS] = DELETED
    return emptied


def _never(key: str, name: str) -> Rejected:
    return Rejected(
        key,
        Problem(
            "deleted-never-delivered",
            f"Transaction {name} was deleted in QuickBooks and had never been delivered.",
            "Nothing to do, unless PocketAdvantage knows it from elsewhere.",
        ),
    )


def union(before: pa.Table, rows: pa.Table) -> pa.Table:
    """A file that was not taken, and the next one: what stands in both is taken from the next, with its columns.

    Raises ConfigError when a column of the first holds what the same column of the next cannot.
    """
    newer = set(rows[KEY].to_pylist())
    kept = before.filter(pa.array([key not in newer for key in before[KEY].to_pylist()], pa.bool_()))
    # The layout may have been changed in between.
    there = set(kept.column_names)
    columns = [kept[each.name] if each.name in there else pa.nulls(kept.num_rows, each.type) for each in rows.schema]
    try:
        fitted = pa.table(columns, names=rows.column_names).cast(rows.schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ConfigError(
            "The last file was not taken, and does not fit the layout that was changed since.",
            hint="Let the receiver take it, or take it away yourself, then run the flow again.",
            code="file-not-taken",
            detail=str(error),
        ) from error
    return pa.concat_tables([fitted, rows])
