"""Orders as documents: kept rows through the map, keys to the system's own ids, policies of the target settled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from routebooks.connectors.base import Connection, DocumentTarget, OrderSource, Preparing, Source
from routebooks.engine.context import Context
from routebooks.engine.flows import map_of
from routebooks.errors import Problem, RecordError
from routebooks.mapping.apply import apply_map
from routebooks.records import Document, Target, TargetColumn
from routebooks.rows import Rows, Scratch
from routebooks.store import companies, deliveries
from routebooks.store.database import Tx
from routebooks.store.flows import Flow

Lines = Sequence[Mapping[str, Any]]

#: the column in which rows carry their order's own key through a map, which may call the order anything
_OWN_KEY = "__order"


@dataclass(frozen=True)
class Settled:
    """What may be written, why the others may not, and what a person should know."""

    ready: Mapping[str, Document]
    refused: Mapping[str, Problem]
    notes: list[dict[str, str]]


def settle(ctx: Context, flow: Flow, source: Connection, target: Connection, orders: Mapping[str, Lines]) -> Settled:
    """The documents of orders (their rows by key), ready to be written; the others with their cure."""
    columns = ctx.able(target.connector, DocumentTarget).targets()[flow.target]
    documents, refused = mapped(ctx, flow, source, columns, orders)
    ready, notes = _settled(ctx, flow, target, columns, documents, refused)
    return Settled(ready, refused, notes)


def mapped(
    ctx: Context, flow: Flow, source: Connection, target: Target, orders: Mapping[str, Lines]
) -> tuple[dict[str, Document], dict[str, Problem]]:
    """The documents by key, and why some orders have none: one bad line holds the whole order."""
    connector, map = ctx.able(source.connector, OrderSource), map_of(flow)
    parameters = {"Company.CustId": source.company.cust_id, "Company.Name": source.company.name}
    refused = _of_another_query(connector, source, map.fields - parameters.keys(), orders)
    orders = {key: order for key, order in orders.items() if key not in refused}
    rows = [row for order in orders.values() for row in order]
    keys = [key for key, order in orders.items() for _ in order]
    if not rows:
        return {}, refused | {key: _no_lines(key) for key in orders}
    table = connector.order_table(rows, source).append_column(_OWN_KEY, pa.array(keys, pa.string()))
    result = apply_map(map, table, target, parameters, key_field=_OWN_KEY)
    refused |= {item.record[_OWN_KEY]: item.problem for item in result.rejected}
    lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
    indices: list[Any] = result.source_rows.to_pylist()
    for index, row in zip(indices, result.table.to_pylist(), strict=True):
        lines[keys[index]].append(row)
    documents: dict[str, Document] = {}
    for key, order in orders.items():
        if len(lines[key]) < len(order) and key not in refused:
            refused[key] = _no_lines(key)
        if key not in refused:
            documents[key] = _document(key, lines[key], target)
    return documents, refused


def _settled(
    ctx: Context,
    flow: Flow,
    target: Connection,
    columns: Target,
    documents: Mapping[str, Document],
    refused: dict[str, Problem],
) -> tuple[dict[str, Document], list[dict[str, str]]]:
    """The documents with the system's own ids, by the connection's policies; those that cannot go join the refused."""
    connector = ctx.connector(target.connector)
    with ctx.store.read() as tx:
        links = _links(tx, target, columns, documents.values())
        look_up = Snapshots(ctx, tx, target.id)
        ready: dict[str, Document] = {}
        notes: list[dict[str, str]] = []
        for key, document in documents.items():
            try:
                ready[key] = _linked(document, columns, links)
                if isinstance(connector, Preparing):
                    prepared = connector.prepare(target, flow.target, ready[key], look_up)
                    ready[key] = prepared.document
                    notes += [_note(key, problem) for problem in prepared.notes]
            except RecordError as error:
                refused[key] = error.problem
    return ready, notes


def _note(key: str, problem: Problem) -> dict[str, str]:
    return {"code": problem.code, "message": f"Order {key}: {problem.message}", "hint": problem.hint}


class Snapshots:
    """Looks records up in the last whole snapshots of a connection, each read once, when it is first asked for."""

    def __init__(self, ctx: Context, tx: Tx, connection_id: int) -> None:
        self._ctx, self._tx, self._connection_id = ctx, tx, connection_id
        self._records: dict[str, dict[str, Mapping[str, Any]]] = {}

    def __call__(self, stream: str, key: str) -> Mapping[str, Any] | None:
        """The record of this id; None when there is none, or no snapshot."""
        if stream not in self._records:
            self._records[stream] = self._load(stream)
        return self._records[stream].get(key)

    def _load(self, stream: str) -> dict[str, Mapping[str, Any]]:
        snapshot = deliveries.last_snapshot(self._tx, self._connection_id, stream)
        row = companies.connection(self._tx, self._connection_id)
        source = self._ctx.able(row.connector, Source)
        if snapshot is None or stream not in source.streams():
            return {}
        shape = source.streams()[stream]
        with Scratch() as scratch:
            kept = self._ctx.artifacts.copy(self._tx, snapshot.artifact_id, scratch.file())
            rows = Rows.of_parquet(kept).table().to_pylist()
        records = rows if shape.line is None else _with_lines(rows, shape.key)
        by_name = {str(record[shape.label]): record for record in records}
        return by_name | {str(record[shape.key]): record for record in records}


def _with_lines(rows: Sequence[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Records of rows a line: the record's own fields, and its lines under `lines`, their fields without `Line.`."""
    records: dict[Any, dict[str, Any]] = {}
    for row in rows:
        line = {name.removeprefix("Line."): value for name, value in row.items() if name.startswith("Line")}
        records.setdefault(row[key], {**row, "lines": []})["lines"].append(line)
    return list(records.values())


def _document(key: str, rows: Sequence[Mapping[str, Any]], target: Target) -> Document:
    header = [column.name for column in target.columns if not column.line]
    line = [column.name for column in target.columns if column.line]
    return Document(
        key,
        {name: rows[0][name] for name in header if rows[0][name] is not None},
        tuple({name: row[name] for name in line if row[name] is not None} for row in rows),
    )


def _of_another_query(
    connector: OrderSource, source: Connection, asked: Collection[str], orders: Mapping[str, Lines]
) -> dict[str, Problem]:
    """The orders that an earlier query read, without a column that the map asks for now."""
    missing = {key: found for key, order in orders.items() if (found := lacking(order, asked))}
    # What the query does not have to this day is wrong in the map.
    there = {field.name for field in connector.order_fields(source).fields} if missing else set()
    return {key: _read_otherwise(key, found & there) for key, found in missing.items() if found & there}


def lacking(rows: Lines, names: Collection[str]) -> set[str]:
    """The columns that any of the kept rows does not have."""
    return {name for row in rows for name in names if name not in row}


def _read_otherwise(key: str, missing: Collection[str]) -> Problem:
    return Problem(
        "order-read-otherwise",
        f"Order {key} was read when the query had no {', '.join(sorted(missing))}, which the map asks for now.",
        "Save the order again in PocketAdvantage: it is read anew, and goes by itself.",
    )


def _no_lines(key: str) -> Problem:
    return Problem(
        "order-lines-missing",
        f"Order {key} has no line that can be written.",
        "Look at the order in PocketAdvantage, and at the map of this flow.",
    )


Links = Mapping[str, Mapping[str, str]]


def _links(tx: Tx, target: Connection, columns: Target, documents: Iterable[Document]) -> Links:
    """The ids behind every key that the documents name, by stream."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for document in documents:
        for part in (document.header, *document.lines):
            for column in columns.columns:
                if column.link is not None and column.name in part:
                    wanted[column.link].add(str(part[column.name]))
    return {
        stream: deliveries.find_links(
            tx, company_id=target.company.id, connection_id=target.id, stream=stream, keys=keys
        )
        for stream, keys in wanted.items()
    }


def _linked(document: Document, columns: Target, links: Links) -> Document:
    """The document with every key we delivered replaced by the system's own id. Raises RecordError."""
    linked = [column for column in columns.columns if column.link is not None]
    return Document(
        document.key,
        _resolve(document.key, document.header, linked, links),
        tuple(_resolve(document.key, line, linked, links) for line in document.lines),
    )


def _resolve(order_key: str, part: Mapping[str, Any], linked: Sequence[TargetColumn], links: Links) -> dict[str, Any]:
    """A header or line with the keys we delivered replaced by the ids of the system. Raises RecordError."""
    resolved = dict(part)
    for column in linked:
        key = part.get(column.name)
        if key is None or column.link is None:
            continue
        found = links.get(column.link, {}).get(str(key))
        if found is None:
            one = {"customers": "customer", "items": "item"}.get(column.link, column.link)
            raise RecordError(
                f"Order {order_key} names the {one} {key}, which never went out in a file.",
                hint=f"Run the {column.link} flow first (`routebooks flow run`), if the {one} is in QuickBooks; else "
                f"give the {one} this key there, or correct the order. The order goes by itself with the next run.",
                code=f"{one}-not-linked",
                detail=str(key),
            )
        resolved[column.name] = found
    return resolved
