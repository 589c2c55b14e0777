"""The way back: source rows into the ledger, through map and links to documents, into the exchange, and the report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from routebooks.connectors.base import (
    Connection,
    DocumentTarget,
    OrderCursor,
    OrderSource,
    SourceOrder,
    WriteBack,
)
from routebooks.engine import ledger
from routebooks.engine.context import Context
from routebooks.engine.flows import map_of
from routebooks.errors import Problem, RecordError
from routebooks.mapping.apply import apply_map
from routebooks.records import Document, Rejected, Target, TargetColumn
from routebooks.store import deliveries, flows, rejected
from routebooks.store import ledger as store
from routebooks.store import runs as run_store
from routebooks.store.database import Tx
from routebooks.store.flows import Flow
from routebooks.store.ledger import Order, OrderState
from routebooks.store.runs import Phase, Run, State


def read_orders(ctx: Context, run_id: int) -> None:
    """Read orders since the cursor into the ledger, source rows and all, and move the cursor with them.

    Raises TransientError when the orders database is away, ConfigError when its query is wrong.
    """
    with ctx.store.read() as tx:
        run = run_store.run(tx, run_id)
        flow = flows.flow(tx, run.flow_id)
        connection = ctx.connection(tx, flow.source_id)
        kept = flows.cursor(tx, flow.id)
    source = ctx.able(connection.connector, OrderSource)
    cursor = OrderCursor(datetime.fromisoformat(kept["stamp"]), kept["key"]) if kept else None
    found, moved = source.read_orders(connection, cursor, ctx.now())
    with ctx.store.begin() as tx:
        for item in found:
            _keep(tx, flow, run_id, item, ctx.now())
        if moved is not None:
            flows.set_cursor(tx, flow.id, {"stamp": moved.stamp.isoformat(), "key": moved.key}, ctx.now())
        run_store.change_run(tx, run_id, records_read=len(found))


def _keep(tx: Tx, flow: Flow, run_id: int, item: SourceOrder, now: datetime) -> None:
    known = store.order_keyed(tx, flow.id, item.key)
    if item.problem is not None:
        if known is None:
            entry = Rejected(item.key, item.problem, {"rows": list(item.rows)})
            rejected.keep_rejected(
                tx,
                company_id=flow.company_id,
                flow_id=flow.id,
                run_id=run_id,
                stream=flow.stream,
                records=[entry],
                now=now,
            )
        return
    rows = [dict(row) for row in item.rows]
    if known is None:
        rejected.resolve(tx, flow.id, flow.stream, now, keys=[item.key])
        store.add_order(
            tx,
            company_id=flow.company_id,
            flow_id=flow.id,
            key=item.key,
            stamp=item.stamp,
            source=rows,
            state=OrderState.NEW,
            read_at=now,
        )
    elif known.state not in (OrderState.SENDING, OrderState.POSTED):
        # What was not written yet is written as it reads now; a refused one still waits for a person's word.
        store.change_order(tx, known.id, source=rows, stamp=item.stamp)


def prepare_orders(ctx: Context, run_id: int) -> None:
    """Make a write attempt for every order that may be written; hold the others with their cure.

    All attempts, their requests and the run's waiting are one transaction: either all of it happened or nothing.
    """
    with ctx.store.read() as tx:
        run = run_store.run(tx, run_id)
        flow = flows.flow(tx, run.flow_id)
        source, target = ctx.connection(tx, flow.source_id), ctx.connection(tx, flow.target_id)
        orders = store.orders_to_prepare(tx, flow.id, ctx.now())
    columns = ctx.able(target.connector, DocumentTarget).targets()[flow.target]
    documents, refused = _documents(ctx, flow, source, columns, orders)
    with ctx.store.begin() as tx:
        # Read again under the lock: the work may have been cut off after this very transaction and begun anew.
        allowed = {order.id for order in store.orders_to_prepare(tx, flow.id, ctx.now())}
        links = _links(tx, target, columns, documents.values())
        for order in orders:
            if order.id not in allowed:
                continue
            problem = refused.get(order.key)
            if problem is None:
                problem = _send(ctx, tx, order, run_id, target, columns, documents[order.key], links)
            if problem is not None:
                ledger.hold(tx, order, run_id, problem, ctx.now())
        _wait_or_go_on(ctx, tx, run, target)


def _documents(
    ctx: Context, flow: Flow, source: Connection, target: Target, orders: Sequence[Order]
) -> tuple[dict[str, Document], dict[str, Problem]]:
    """The documents of the orders by key, and why some orders have none: one bad line holds the whole order."""
    rows = [row for order in orders for row in order.source]
    keys = [order.key for order in orders for _ in order.source]
    if not rows:
        return {}, {order.key: _no_lines(order) for order in orders}
    connector = ctx.able(source.connector, OrderSource)
    parameters = {"Company.CustId": source.company.cust_id, "Company.Name": source.company.name}
    table = connector.order_table(rows, source)
    key_field = connector.order_fields(source).key
    mapped = apply_map(map_of(flow), table, target, parameters, key_field=key_field)
    refused = {item.key: item.problem for item in mapped.rejected}
    lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
    indices: list[int] = mapped.source_rows.to_pylist()  # type: ignore[assignment]
    for index, row in zip(indices, mapped.table.to_pylist(), strict=True):
        lines[keys[index]].append(row)
    documents: dict[str, Document] = {}
    for order in orders:
        if len(lines[order.key]) < len(order.source) and order.key not in refused:
            refused[order.key] = _no_lines(order)
        if order.key not in refused:
            documents[order.key] = _document(order.key, lines[order.key], target)
    return documents, refused


def _document(key: str, rows: Sequence[Mapping[str, Any]], target: Target) -> Document:
    header = [column.name for column in target.columns if not column.line]
    line = [column.name for column in target.columns if column.line]
    return Document(
        key,
        {name: rows[0][name] for name in header if rows[0][name] is not None},
        tuple({name: row[name] for name in line if row[name] is not None} for row in rows),
    )


def _no_lines(order: Order) -> Problem:
    return Problem(
        "order-lines-missing",
        f"Order {order.key} has no line that can be written.",
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


def _send(
    ctx: Context,
    tx: Tx,
    order: Order,
    run_id: int,
    target: Connection,
    columns: Target,
    document: Document,
    links: Links,
) -> Problem | None:
    linked = [column for column in columns.columns if column.link is not None]
    try:
        resolved = Document(
            document.key,
            _resolve(order.key, document.header, linked, links),
            tuple(_resolve(order.key, line, linked, links) for line in document.lines),
        )
        ledger.send(ctx, tx, order, run_id, target, resolved)
    except RecordError as error:
        return error.problem
    return None


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
                hint=f"Give the {one} this key in QuickBooks and let its flow run, or correct the order; then it goes "
                "by itself with the next run.",
                code=f"{one}-not-linked",
                detail=str(key),
            )
        resolved[column.name] = found
    return resolved


def _wait_or_go_on(ctx: Context, tx: Tx, run: Run, target: Connection) -> None:
    if store.unsettled_of(tx, run.id):
        waits_for = ctx.connector(target.connector).title
        run_store.change_run(tx, run.id, phase=Phase.POST, state=State.WAITING, waits_for=waits_for)
    else:
        run_store.change_run(tx, run.id, phase=Phase.CONFIRM, state=State.READY, waits_for="", not_before=ctx.now())


def tell(ctx: Context, run_id: int) -> None:
    """Tell the orders database what became of its orders. Raises TransientError; safe to repeat."""
    with ctx.store.read() as tx:
        run = run_store.run(tx, run_id)
        flow = flows.flow(tx, run.flow_id)
        connection = ctx.connection(tx, flow.source_id)
        orders = store.orders_to_tell(tx, flow.id)
    results = [
        WriteBack(
            key=order.key,
            status=order.state.value,
            external_id=order.external_id or "",
            number=order.number or "",
            message=(order.problem or {}).get("message", ""),
        )
        for order in orders
    ]
    if results:
        ctx.able(connection.connector, OrderSource).write_back(connection, results)
    with ctx.store.begin() as tx:
        for order in orders:
            store.change_order(tx, order.id, told=order.state.value)


def finish(ctx: Context, run_id: int) -> None:
    """Count and close."""
    with ctx.store.begin() as tx:
        outcomes = store.outcomes_of(tx, run_id)
        listed = rejected.list_rejected(tx, run_id=run_id, limit=100_000)
        run_store.change_run(
            tx,
            run_id,
            state=State.DONE,
            records_written=outcomes.get(OrderState.POSTED, 0),
            records_rejected=len({line.rejected.key for line in listed}),
            finished_at=ctx.now(),
            waits_for="",
            problem=None,
        )
