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
from routebooks.rows import Rows
from routebooks.store import deliveries
from routebooks.store.database import Tx
from routebooks.store.flows import Flow
from routebooks.store.rejected import RejectedRow

KEY = "__key"
#: what the status column of a layout says of a transaction that was deleted in QuickBooks
STATUS, DELETED = "Status", "D"

Lines = list[dict[str, Any]]


def by_key(rows: pa.Table) -> dict[str, Lines]:
    """The rows of each transaction, without the key itself."""
    found: dict[str, Lines] = defaultdict(list)
    for row in rows.to_pylist():
        key = row.pop(KEY)
        found[key].append(row)
    return dict(found)


def fingerprint(rows: Lines) -> str:
    """A name for exactly these rows."""
    return hashlib.sha256(json.dumps(rows, default=str, sort_keys=True).encode()).hexdigest()


def sent_rows(rows: pa.Table) -> dict[str, tuple[str, Lines]]:
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


def carried(before: Rows, rows: Rows, key: str, aside: Collection[str]) -> Rows:
    """What changed, after the records of the last snapshot that were set aside and have not changed since."""
    wanted = sorted(set(aside).difference(rows.table([key])[key].to_pylist()))
    still = before.matching(lambda batch: _among(batch[key], wanted))
    return Rows.of_table(pa.concat_tables([still, rows.table()], promote_options="default")) if still.num_rows else rows


def without_deleted(view: View | None, sources: Mapping[str, Rows]) -> Mapping[str, Rows]:
    """The rows without what is listed as deleted: it may have been read just before, or have been set aside."""
    if view is None or view.deletions is None:
        return sources
    gone = sources[view.deletions].table([KEY_FIELD])[KEY_FIELD].to_pylist()
    changing = set(view.changes) - {view.deletions} if gone else ()
    return {name: _without(rows, gone) if name in changing else rows for name, rows in sources.items()}


def _without(rows: Rows, gone: Collection[Any]) -> Rows:
    there = pc.invert(_among(rows.table([KEY_FIELD])[KEY_FIELD], gone))
    return rows.kept(there.combine_chunks())


def _among(keys: Any, wanted: Collection[Any]) -> Any:
    return pc.is_in(keys, value_set=pa.array(wanted, keys.type))


def deleted(
    tx: Tx,
    flow: Flow,
    view: View | None,
    sources: Mapping[str, Rows],
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
    label = view.deletions_label or KEY_FIELD
    listed = sources[view.deletions].table(list(dict.fromkeys([KEY_FIELD, label])))
    keys: list[Any] = listed[KEY_FIELD].to_pylist()
    names: list[Any] = listed[label].to_pylist()
    changed = [sources[name].table([KEY_FIELD]) for name in view.changes if name != view.deletions]
    read: set[Any] = {key for table in changed for key in table[KEY_FIELD].to_pylist()}
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
    told: Lines = []
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
