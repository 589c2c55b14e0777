"""What a person may say of an order: try it again, or leave it."""

from __future__ import annotations

from datetime import datetime

from routebooks.engine import ledger, runs
from routebooks.engine.context import Context
from routebooks.errors import ConfigError, Problem
from routebooks.store import flows, rejected
from routebooks.store import ledger as store
from routebooks.store.database import Tx
from routebooks.store.ledger import Order, OrderState


def retry(ctx: Context, tx: Tx, order: Order, now: datetime) -> None:
    """Another try of an order, also of a dropped one. Raises ConfigError when it is in QuickBooks or on its way."""
    order = _free(tx, order, "Let the Web Connector run; a second attempt now could post it twice.")
    store.change_order(tx, order.id, state=OrderState.NEW, not_before=None, problem=None, tries=order.tries + 1)
    runs.create(ctx, tx, [flows.flow(tx, order.flow_id)], "person", now)


def drop(tx: Tx, order: Order, now: datetime) -> None:
    """An order that is not to be posted any more. Raises ConfigError when it is in QuickBooks or on its way."""
    order = _free(tx, order, "Let the Web Connector run. What comes to stand in QuickBooks is closed there.")
    problem = Problem(
        "order-dropped", f"Order {order.key} was dropped by a person.", "`routebooks order retry` brings it back."
    )
    ledger.set_aside(tx, order, OrderState.DROPPED, problem)
    rejected.resolve(tx, order.flow_id, flows.flow(tx, order.flow_id).stream, now, keys=[order.key])


def _free(tx: Tx, order: Order, while_on_its_way: str) -> Order:
    """The order, locked, if its fate is ours to decide. Raises ConfigError."""
    order = store.order(tx, order.id, lock=True)
    if order.state is OrderState.POSTED:
        raise ConfigError(
            f"Order {order.key} stands in QuickBooks already (number {order.number}).",
            hint="Change or close the sales order there.",
            code="order-posted",
        )
    if order.state is OrderState.SENDING:
        raise ConfigError(
            f"Order {order.key} is on its way; only the answer of QuickBooks can tell what became of it.",
            hint=while_on_its_way,
            code="order-sending",
        )
    return order
