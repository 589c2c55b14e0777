"""What was posted and stands there no more has vanished: it is shown, and never posted again by itself.

A person deleted it, or an older copy of the company file was put back. Once a day a caller is asked, with its first
session, which documents it has.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from routebooks.connectors.base import Connection, Enumerating
from routebooks.engine import ledger
from routebooks.engine.context import Context, as_json
from routebooks.errors import Problem, RoutebooksError
from routebooks.records import Rejected
from routebooks.store import companies, exchange, flows, rejected
from routebooks.store import ledger as store
from routebooks.store.companies import Caller
from routebooks.store.database import Tx
from routebooks.store.exchange import Request
from routebooks.store.ledger import Order, OrderState

#: the kind of the request
KIND = "standing"
#: the code of what is found by it
CODE = "order-vanished"
#: a caller is asked once in so long; less than a day, for it does not come at the same minute every night
EVERY = timedelta(hours=20)
#: so long after it was posted an order is looked for
WATCHED = timedelta(days=30)


def ask(ctx: Context, tx: Tx, caller: Caller, now: datetime) -> None:
    """At a log-in: put the question into the exchange where it is due and there is anything to ask for."""
    if caller.standing_at is not None and now - caller.standing_at < EVERY:
        return
    sent = store.first_sending(tx, caller.connection_id, since=now - WATCHED, until=now)
    if sent is None:
        return
    connection = ctx.connection(tx, caller.connection_id)
    target = ctx.connector(connection.connector)
    if not isinstance(target, Enumerating):
        return
    request = target.standing_request(connection, _written_since(caller, sent, now))
    # One that still waits was made before the caller's absence was known.
    exchange.drop_all(tx, connection.id, now, kind=KIND)
    exchange.add_request(tx, connection_id=connection.id, kind=KIND, request=request, now=now)


def _written_since(caller: Caller, sent: datetime, now: datetime) -> datetime:
    """When the first of the orders could be written that were sent since an instant, as far as is known.

    After a restored backup of Routebooks QuickBooks may have taken them from the one that was lost (`order_doubts`).
    """
    lately = caller.away_until is not None and now - caller.away_until < 2 * WATCHED
    return min(sent - ledger.REMEMBERED, caller.away_from if lately and caller.away_from else sent)


def read(ctx: Context, connection: Connection, request: Request, answer: bytes, now: datetime) -> Callable[[Tx], bool]:
    """Read which documents there are; the function returned commits what follows for the orders posted before."""
    target = ctx.able(connection.connector, Enumerating)
    try:
        standing = target.read_standing(connection, answer)
    except RoutebooksError as error:
        problem = as_json(error.problem)
        return lambda tx: _later(tx, connection.id, problem, now)

    def record(tx: Tx) -> bool:
        companies.change_caller(tx, connection.id, standing_at=now)
        asked_at = request.created_at
        for order in store.posted_into(tx, connection.id, since=asked_at - WATCHED, until=asked_at):
            there = order.external_id in standing
            if there and order.state is OrderState.VANISHED:
                _back(tx, order, now)
            elif not there and order.state is OrderState.POSTED:
                _gone(tx, order, now)
        return True

    return record


def put_off(tx: Tx, connection_id: int, now: datetime) -> None:
    """The question was not answered this time; it is asked again when it is due the next time."""
    companies.change_caller(tx, connection_id, standing_at=now)


def _later(tx: Tx, connection_id: int, problem: dict[str, str], now: datetime) -> bool:
    put_off(tx, connection_id, now)
    companies.change_caller(tx, connection_id, last_problem=problem)
    return True


def _gone(tx: Tx, order: Order, now: datetime) -> None:
    problem = Problem(
        CODE,
        f"Order {order.key} was posted as {order.number}, and stands in QuickBooks no more.",
        "Look there: somebody deleted it, or an older copy of the company file was put back. `routebooks order retry` "
        "posts it again, `routebooks order drop` ends it.",
    )
    ledger.set_aside(tx, order, OrderState.VANISHED, problem)
    flow = flows.flow(tx, order.flow_id)
    # Beside what is listed already: changed or cancelled after it was posted, it still is when it is back.
    rejected.keep_rejected(
        tx,
        company_id=order.company_id,
        flow_id=flow.id,
        run_id=store.write_attempts_of(tx, order.id)[-1].run_id,
        stream=flow.stream,
        records=[Rejected(order.key, problem, {"rows": order.source})],
        now=now,
    )


def _back(tx: Tx, order: Order, now: datetime) -> None:
    """The newer company file is open again, or the order was brought back."""
    store.change_order(tx, order.id, state=OrderState.POSTED, problem=None)
    flow = flows.flow(tx, order.flow_id)
    for row in rejected.open_of_flow(tx, flow.id, flow.stream):
        if (row.key, row.code) == (order.key, CODE):
            rejected.resolve_one(tx, row.id, now)
