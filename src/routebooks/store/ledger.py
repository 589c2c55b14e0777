"""The ledger: each order as read, whether it may be posted, its write attempts, and what was answered."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from routebooks.store import rows
from routebooks.store.database import Tx, from_row
from routebooks.store.tables import companies, exchange, flows, ledger, write_attempts


class OrderState(StrEnum):
    """Where an order stands."""

    #: read; the next run of its flow prepares it
    NEW = "new"
    #: it cannot be posted yet (a customer or item is not known); every run of its flow tries again
    HELD = "held"
    #: its write waits in the exchange, or is out; until the answer is here nothing else may happen to it
    SENDING = "sending"
    #: QuickBooks was too busy for it: a new attempt after `not_before`
    RETRY = "retry"
    #: QuickBooks said no; a person mends it and asks for another try
    REFUSED = "refused"
    #: it is not to be posted any more: a person said so, or it was cancelled in PocketAdvantage and not reopened
    DROPPED = "dropped"
    #: it stands in QuickBooks
    POSTED = "posted"
    #: it stood in QuickBooks and does no more; a person says whether it is posted again
    VANISHED = "vanished"


#: whose external id is the one that we got for them
STOOD = (OrderState.POSTED, OrderState.VANISHED)


@dataclass(frozen=True)
class Order:
    """One line of the ledger."""

    id: int
    company_id: int
    flow_id: int
    key: str
    stamp: datetime
    source: list[dict[str, Any]]
    document: dict[str, Any] | None
    state: OrderState
    #: posted or vanished: the id that QuickBooks gave us for it; else one that the orders database claims
    external_id: str | None
    number: str | None
    tries: int
    problem: dict[str, str] | None
    not_before: datetime | None
    read_at: datetime
    posted_at: datetime | None
    told: str | None
    #: how it was read while it was on its way: stamp, rows, cancelled, external id
    later: dict[str, Any] | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", OrderState(self.state))


@dataclass(frozen=True)
class WriteAttempt:
    """One try to write an order, told apart by its set id; the bytes never change."""

    id: int
    ledger_id: int
    run_id: int
    number: int
    set_id: str
    request: bytes
    state: str
    outcome: str | None
    first_out_at: datetime | None
    #: how often it left
    sendings: int
    answered_at: datetime | None
    answer_id: int | None
    problem: dict[str, str] | None


def add_order(tx: Tx, **values: Any) -> int:
    """A new order; its id."""
    return rows.add(tx, ledger, values)


def change_order(tx: Tx, order_id: int, **values: Any) -> None:
    """Set columns of an order."""
    rows.change(tx, ledger, order_id, values)


def order(tx: Tx, order_id: int, *, lock: bool = False) -> Order:
    """The order with this id; locked to the end of the transaction when asked."""
    return rows.get(tx, Order, ledger, order_id, lock=lock)


def order_keyed(tx: Tx, flow_id: int, key: str, *, lock: bool = False) -> Order | None:
    """The order of a flow with this key, if it was read; locked to the end of the transaction when asked."""
    return rows.find(tx, Order, ledger, lock=lock, flow_id=flow_id, key=key)


def orders_to_prepare(tx: Tx, flow_id: int, now: datetime, *, lock: bool = False) -> list[Order]:
    """The orders for which a run makes (or tries to make) a write attempt, by stamp and key; locked if asked."""
    query = (
        sa.select(ledger)
        .where(
            ledger.c.flow_id == flow_id,
            ledger.c.state.in_((OrderState.NEW, OrderState.HELD, OrderState.RETRY)),
            sa.or_(ledger.c.not_before.is_(None), ledger.c.not_before <= now),
        )
        .order_by(ledger.c.stamp, ledger.c.key)
    )
    return [from_row(Order, row) for row in tx.execute(query.with_for_update() if lock else query)]


def newest_stamp(tx: Tx, flow_id: int) -> datetime | None:
    """The greatest stamp of the orders that a flow has read; None when it has read none."""
    found: datetime | None = tx.execute(
        sa.select(sa.func.max(ledger.c.stamp)).where(ledger.c.flow_id == flow_id)
    ).scalar_one()
    return found


def orders_with_later(tx: Tx, flow_id: int) -> list[Order]:
    """The answered orders of a flow that were read otherwise while they were on their way."""
    query = (
        sa.select(ledger)
        .where(ledger.c.flow_id == flow_id, ledger.c.later.is_not(None), ledger.c.state != OrderState.SENDING)
        .order_by(ledger.c.id)
    )
    return [from_row(Order, row) for row in tx.execute(query)]


def orders_to_tell(tx: Tx, flow_id: int) -> list[Order]:
    """The orders whose present state, or the reason for it, the orders database does not know yet.

    One that carries an id which is not ours is left there as it is.
    """
    query = (
        sa.select(ledger)
        .where(
            ledger.c.flow_id == flow_id,
            ledger.c.state.in_((*STOOD, OrderState.REFUSED, OrderState.HELD, OrderState.DROPPED)),
            sa.or_(ledger.c.told.is_(None), ledger.c.told != ledger.c.state),
            sa.or_(ledger.c.state.in_(STOOD), ledger.c.external_id.is_(None)),
        )
        .order_by(ledger.c.id)
    )
    return [from_row(Order, row) for row in tx.execute(query)]


@dataclass(frozen=True)
class OrderLine:
    """An order with the names of its company and flow."""

    order: Order
    company: str
    flow: str


def list_orders(
    tx: Tx,
    *,
    company_id: int | None = None,
    flow_id: int | None = None,
    key: str | None = None,
    states: Collection[OrderState] | None = None,
    limit: int = 100,
) -> list[OrderLine]:
    """The newest orders first."""
    query = (
        sa.select(ledger, companies.c.name.label("company_name"), flows.c.name.label("flow_name"))
        .join(companies, companies.c.id == ledger.c.company_id)
        .join(flows, flows.c.id == ledger.c.flow_id)
        .order_by(ledger.c.id.desc())
        .limit(limit)
    )
    if company_id is not None:
        query = query.where(ledger.c.company_id == company_id)
    if flow_id is not None:
        query = query.where(ledger.c.flow_id == flow_id)
    if key is not None:
        query = query.where(ledger.c.key == key)
    if states is not None:
        query = query.where(ledger.c.state.in_(states))
    return [OrderLine(from_row(Order, row), row.company_name, row.flow_name) for row in tx.execute(query)]


def add_write_attempt(tx: Tx, **values: Any) -> int:
    """A new write attempt, which waits; its id."""
    return rows.add(tx, write_attempts, {"state": "waiting", **values})


def change_write_attempt(tx: Tx, attempt_id: int, **values: Any) -> None:
    """Set columns of a write attempt."""
    rows.change(tx, write_attempts, attempt_id, values)


def write_attempt(tx: Tx, attempt_id: int) -> WriteAttempt:
    """The write attempt with this id."""
    return rows.get(tx, WriteAttempt, write_attempts, attempt_id)


def write_attempts_of(tx: Tx, ledger_id: int) -> list[WriteAttempt]:
    """The write attempts of an order, in order."""
    return rows.every(tx, WriteAttempt, write_attempts, "number", ledger_id=ledger_id)


def unknown_without_request(tx: Tx, *, before: datetime) -> list[WriteAttempt]:
    """The attempts of unknown outcome that were last asked about before an instant and for which nothing waits."""
    open_requests = sa.select(exchange.c.write_attempt_id).where(
        exchange.c.state.in_(("waiting", "out")), exchange.c.write_attempt_id.is_not(None)
    )
    query = sa.select(write_attempts).where(
        write_attempts.c.state == "unknown",
        sa.or_(write_attempts.c.answered_at.is_(None), write_attempts.c.answered_at < before),
        write_attempts.c.id.not_in(open_requests),
    )
    return [from_row(WriteAttempt, row) for row in tx.execute(query)]


def unsettled_of(tx: Tx, run_id: int) -> int:
    """How many write attempts of a run have no answer yet."""
    query = sa.select(sa.func.count()).where(
        write_attempts.c.run_id == run_id, write_attempts.c.state.in_(("waiting", "out", "unknown"))
    )
    return int(tx.execute(query).scalar_one())


def unsettled_to(tx: Tx, connection_id: int) -> int:
    """How many write attempts into the system of a connection have no answer yet."""
    query = (
        sa.select(sa.func.count())
        .select_from(write_attempts.join(ledger).join(flows, flows.c.id == ledger.c.flow_id))
        .where(flows.c.target_id == connection_id, write_attempts.c.state.in_(("waiting", "out", "unknown")))
    )
    return int(tx.execute(query).scalar_one())


def posted_into(tx: Tx, connection_id: int, *, since: datetime, until: datetime) -> list[Order]:
    """The orders posted into the system of a connection between two instants, also vanished ones; locked."""
    given = {"connection_id": connection_id, "since": since, "until": until}
    return [from_row(Order, row) for row in tx.execute(_POSTED, given)]


def first_sending(tx: Tx, connection_id: int, *, since: datetime, until: datetime) -> datetime | None:
    """When the first attempt at any of these orders left; None when there are none."""
    given = {"connection_id": connection_id, "since": since, "until": until}
    first: datetime | None = tx.execute(_FIRST_SENDING, given).scalar_one()
    return first


# Asked at every log-in, so built once.
_POSTED_INTO = (
    flows.c.target_id == sa.bindparam("connection_id"),
    ledger.c.state.in_(STOOD),
    ledger.c.posted_at >= sa.bindparam("since"),
    ledger.c.posted_at < sa.bindparam("until"),
)
_POSTED = (
    sa.select(ledger)
    .join(flows, flows.c.id == ledger.c.flow_id)
    .where(*_POSTED_INTO)
    .order_by(ledger.c.id)
    .with_for_update(of=ledger)
)
_FIRST_SENDING = (
    sa.select(sa.func.min(write_attempts.c.first_out_at))
    .select_from(write_attempts.join(ledger).join(flows, flows.c.id == ledger.c.flow_id))
    .where(*_POSTED_INTO)
)


def any_from(tx: Tx, connection_id: int) -> bool:
    """Whether an order was read from the system of a connection."""
    query = sa.select(ledger.c.id).join(flows, flows.c.id == ledger.c.flow_id)
    return tx.execute(query.where(flows.c.source_id == connection_id).limit(1)).one_or_none() is not None


def outcomes_of(tx: Tx, run_id: int) -> dict[str, int]:
    """How many orders that a run tried to write now stand in each state."""
    query = (
        sa.select(ledger.c.state, sa.func.count(sa.distinct(ledger.c.id)))
        .join(write_attempts, write_attempts.c.ledger_id == ledger.c.id)
        .where(write_attempts.c.run_id == run_id)
        .group_by(ledger.c.state)
    )
    return {state: int(count) for state, count in tx.execute(query)}
