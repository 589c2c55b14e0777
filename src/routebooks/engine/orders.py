"""The way back: source rows into the ledger, through map and links to documents, into the exchange, and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from routebooks.connectors.base import (
    Connection,
    DocumentTarget,
    OrderCursor,
    OrderSource,
    Preparing,
    SourceOrder,
    WriteBack,
)
from routebooks.engine import documents, ledger
from routebooks.engine.context import Context, as_json
from routebooks.errors import FatalError, Problem, RecordError
from routebooks.records import Document, Rejected
from routebooks.store import companies, flows, rejected
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
    _report_changed(ctx, run_id, flow, connection, found)


def _report_changed(ctx: Context, run_id: int, flow: Flow, source: Connection, found: Sequence[SourceOrder]) -> None:
    """An order that stands in QuickBooks and reads otherwise now is reported, not posted again.

    Compared as mapped, so that what our own write-back changed is no change.
    """
    found = [item for item in found if not item.cancelled and item.problem is None]
    with ctx.store.read() as tx:
        known = {item.key: store.order_keyed(tx, flow.id, item.key) for item in found}
        target = ctx.connection(tx, flow.target_id)
    posted = {key: order for key, order in known.items() if order is not None and order.state is OrderState.POSTED}
    read = {item.key: item.rows for item in found if item.key in posted}
    columns = ctx.able(target.connector, DocumentTarget).targets()[flow.target]
    before, _ = documents.mapped(ctx, flow, source, columns, {key: order.source for key, order in posted.items()})
    after, _ = documents.mapped(ctx, flow, source, columns, read)
    changed = [key for key in posted if after.get(key) != before.get(key)]
    with ctx.store.begin() as tx:
        same = [key for key in posted if key not in changed]
        rejected.resolve(tx, flow.id, flow.stream, ctx.now(), keys=same)
        _list(tx, flow, run_id, [_changed(posted[key], read[key]) for key in changed], ctx.now())


def _changed(order: Order, rows: Sequence[Mapping[str, Any]]) -> Rejected:
    return Rejected(
        order.key,
        Problem(
            "order-changed-after-posting",
            f"Order {order.key} was changed in PocketAdvantage after it was posted as {order.number}.",
            "Change the sales order in QuickBooks by hand, then `routebooks rejected resolve`. It is not posted again.",
        ),
        {"rows": list(rows), "posted": order.source},
    )


def _list(tx: Tx, flow: Flow, run_id: int, records: Sequence[Rejected], now: datetime) -> None:
    rejected.keep_rejected(
        tx, company_id=flow.company_id, flow_id=flow.id, run_id=run_id, stream=flow.stream, records=records, now=now
    )


def _keep(tx: Tx, flow: Flow, run_id: int, item: SourceOrder, now: datetime) -> None:
    known = store.order_keyed(tx, flow.id, item.key)
    if item.problem is not None:
        if known is None:
            _list(tx, flow, run_id, [Rejected(item.key, item.problem, {"rows": list(item.rows)})], now)
        return
    if item.cancelled:
        _cancelled(tx, flow, run_id, known, now)
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


def _cancelled(tx: Tx, flow: Flow, run_id: int, known: Order | None, now: datetime) -> None:
    """An order that was read before was cancelled: one that stands in QuickBooks is reported, another not written."""
    if known is None or known.state is OrderState.SENDING:
        return
    if known.state is OrderState.POSTED:
        problem = Problem(
            "order-cancelled-after-posting",
            f"Order {known.key} was cancelled in PocketAdvantage after it was posted as {known.number}.",
            "Close the sales order in QuickBooks by hand, then `routebooks rejected resolve`.",
        )
        _list(tx, flow, run_id, [Rejected(known.key, problem, {"posted": known.source})], now)
        return
    problem = Problem("order-cancelled", f"Order {known.key} was cancelled in PocketAdvantage.", "Nothing to do.")
    store.change_order(tx, known.id, state=OrderState.REFUSED, problem=as_json(problem), not_before=None)
    rejected.resolve(tx, flow.id, flow.stream, now, keys=[known.key])


def prepare_orders(ctx: Context, run_id: int) -> None:
    """Make a write attempt for every order that may be written; hold the others with their cure.

    All attempts, their requests and the run's waiting are one transaction: either all of it happened or nothing.
    """
    with ctx.store.read() as tx:
        run = run_store.run(tx, run_id)
        flow = flows.flow(tx, run.flow_id)
        source, target = ctx.connection(tx, flow.source_id), ctx.connection(tx, flow.target_id)
        orders = store.orders_to_prepare(tx, flow.id, ctx.now())
        _check_edition(ctx, tx, target)
    settled = documents.settle(ctx, flow, source, target, {order.key: order.source for order in orders})
    with ctx.store.begin() as tx:
        # Read again under the lock: a person may have ended the run, or asked for another try of an order.
        if not run_store.is_at(tx, run_id, Phase.LOAD):
            return
        allowed = {order.id for order in store.orders_to_prepare(tx, flow.id, ctx.now(), lock=True)}
        for order in orders:
            if order.id not in allowed:
                continue
            problem = settled.refused.get(order.key)
            if problem is None:
                problem = _send(ctx, tx, order, run_id, target, settled.ready[order.key])
            if problem is not None:
                ledger.hold(tx, order, run_id, problem, ctx.now())
        run_store.change_run(tx, run_id, notes=settled.notes)
        _wait_or_go_on(ctx, tx, run, target)


def _check_edition(ctx: Context, tx: Tx, target: Connection) -> None:
    """Say so once for all orders when the system has none of the kind, before the first night. Raises FatalError."""
    connector, caller = ctx.connector(target.connector), companies.caller(tx, target.id)
    if isinstance(connector, Preparing) and caller is not None and caller.product:
        check = connector.can_write(caller.product)
        if not check.ok:
            raise FatalError(check.message, hint=check.hint, code="no-sales-orders", detail=caller.product)


def _send(ctx: Context, tx: Tx, order: Order, run_id: int, target: Connection, document: Document) -> Problem | None:
    try:
        ledger.send(ctx, tx, order, run_id, target, document)
    except RecordError as error:
        return error.problem
    return None


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
