"""The way back: orders of the ledger through map and links to documents, into the exchange, and the report."""

from __future__ import annotations

from routebooks.connectors.base import Connection, OrderSource, WriteBack
from routebooks.engine import documents, ledger
from routebooks.engine.context import Context
from routebooks.errors import Problem, RecordError
from routebooks.records import Document
from routebooks.store import flows, rejected
from routebooks.store import ledger as store
from routebooks.store import runs as run_store
from routebooks.store.database import Tx
from routebooks.store.ledger import Order, OrderState
from routebooks.store.runs import Phase, Run, State


def prepare_orders(ctx: Context, run_id: int) -> None:
    """Make a write attempt for every order that may be written; hold the others with their cure.

    All attempts, their requests and the run's waiting are one transaction: either all of it happened or nothing.
    """
    with ctx.store.read() as tx:
        run = run_store.run(tx, run_id)
        flow = flows.flow(tx, run.flow_id)
        source, target = ctx.connection(tx, flow.source_id), ctx.connection(tx, flow.target_id)
        orders = store.orders_to_prepare(tx, flow.id, ctx.now())
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
        ctx.store.check()
        ctx.able(connection.connector, OrderSource).write_back(connection, results)
    with ctx.store.begin() as tx:
        for order in orders:
            known = store.order(tx, order.id, lock=True)
            # What came over it meanwhile is told with the next run.
            if (known.state, known.problem) == (order.state, order.problem):
                store.change_order(tx, order.id, told=order.state.value)


def finish(ctx: Context, run_id: int) -> None:
    """Count and close."""
    with ctx.store.begin() as tx:
        outcomes = store.outcomes_of(tx, run_id)
        listed = rejected.list_rejected(tx, rejected.Chosen(run_id=run_id), limit=100_000)
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
