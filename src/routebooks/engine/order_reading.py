"""Orders as they are read: source rows into the ledger, and what was changed or cancelled after it went out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from routebooks.connectors.base import Connection, DocumentTarget, OrderCursor, OrderSource, SourceOrder
from routebooks.engine import connections, documents, ledger
from routebooks.engine.context import Context
from routebooks.engine.flows import map_of
from routebooks.errors import ConfigError, FatalError, Problem
from routebooks.records import Rejected
from routebooks.store import companies, flows, rejected
from routebooks.store import ledger as store
from routebooks.store import runs as run_store
from routebooks.store.database import Tx
from routebooks.store.flows import Flow
from routebooks.store.ledger import Order, OrderState

#: the code of an order that was cancelled before it was posted: reopened, it goes as if nothing had been
CANCELLED = "order-cancelled"
#: before every order
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
#: how far another time zone can move a stamp
_FORGIVEN = timedelta(hours=26)


def read_orders(ctx: Context, run_id: int) -> None:
    """Read orders since the cursor into the ledger, source rows and all, and move the cursor with them.

    Raises TransientError when the orders database is away, ConfigError when its query is wrong or seems to name orders
    otherwise than before, FatalError when the system that they are for takes none: they stay where they are then.
    """
    with ctx.store.read() as tx:
        flow = flows.flow(tx, run_store.run(tx, run_id).flow_id)
        taking = connections.takes_documents(ctx, tx, companies.connection(tx, flow.target_id))
        if taking is not None and not taking.ok:
            raise FatalError(taking.message, hint=taking.hint, code=connections.NO_DOCUMENTS)
        connection = ctx.connection(tx, flow.source_id)
        kept = flows.cursor(tx, flow.id)
    source = ctx.able(connection.connector, OrderSource)
    found, moved = source.read_orders(connection, _cursor(flow, kept), ctx.now())
    anew = _reads_anew(flow, kept)
    same = _same(ctx, flow, connection, found) if anew else ()
    with ctx.store.begin() as tx:
        if anew:
            _refuse_old_as_new(tx, flow, found, same, datetime.fromisoformat(anew))
        for item in found:
            _keep(tx, flow, run_id, item, ctx.now())
        # Somebody who corrected the connection meanwhile wants all read again.
        if moved is not None and flows.cursor(tx, flow.id) == kept:
            mark = {"stamp": moved.stamp.isoformat(), "key": moved.key, "start_date": _start_date(flow)}
            behind = anew and moved.stamp <= (store.newest_stamp(tx, flow.id) or _BEGINNING)
            flows.set_cursor(tx, flow.id, mark | ({"anew": anew} if behind else {}), ctx.now())
        run_store.change_run(tx, run_id, records_read=len(found))
    _report_changed(ctx, run_id, flow, connection, found)


def _start_date(flow: Flow) -> str:
    return str(flow.settings.get("start_date") or "")


def _cursor(flow: Flow, kept: Mapping[str, Any] | None) -> OrderCursor | None:
    """Where to read on. With another start date, or once rewound, all is read again: the ledger knows what it has."""
    start = _start_date(flow)
    if kept is not None and "stamp" in kept and kept["start_date"] == start:
        return OrderCursor(datetime.fromisoformat(kept["stamp"]), kept["key"])
    if start:
        return OrderCursor(datetime.fromisoformat(start), "")
    # Without a cursor no cancellation would be told; and who had a cursor knows orders.
    return OrderCursor(_BEGINNING, "") if kept is not None else None


def _reads_anew(flow: Flow, kept: Mapping[str, Any] | None) -> str:
    """Since when the flow reads its orders once more, after its connection was changed; empty when it does not.

    Who sets another start date after that has said which orders are to be taken.
    """
    if kept is None or kept.get("start_date") != _start_date(flow):
        return ""
    return str(kept.get("anew", ""))


def _refuse_old_as_new(
    tx: Tx, flow: Flow, found: Sequence[SourceOrder], same: Collection[str], changed_at: datetime
) -> None:
    """Raises ConfigError when orders that were read before seem to come under other keys: they would be posted twice.

    A few hours are forgiven where most of the others, the `same`, read as before: the time zone may be what was
    changed. Where they do not, a key names another order now, and by our write-back an old one may have a new stamp.
    """
    newest = store.newest_stamp(tx, flow.id)
    # What cannot be taken is in no ledger: it says nothing about the keys, and is not posted either.
    takeable = [i for i in found if i.problem is None and not i.cancelled and not _before_start(flow, i)]
    unknown = [item for item in takeable if store.order_keyed(tx, flow.id, item.key) is None]
    if newest is None or not unknown:
        return
    are_known = bool(same) and 2 * len(same) >= len(takeable) - len(unknown)
    before = newest if are_known else max(newest, changed_at)
    if unknown[0].stamp > (newest - _FORGIVEN if are_known else before):
        return
    old = [item.key for item in unknown if item.stamp <= before]
    raise ConfigError(
        f"The orders connection was changed, and now brings {len(old)} orders from before {before:%Y-%m-%d %H:%M} UTC "
        f"that Routebooks does not know (the first: {old[0]}). They would all be posted.",
        hint="If they were posted under other keys, let the query name orders as it did before. Else say from when on "
        "orders are to be taken: `routebooks flow set` with another start_date.",
        code="orders-look-new",
    )


def _same(ctx: Context, flow: Flow, connection: Connection, found: Sequence[SourceOrder]) -> list[str]:
    """The keys of the known orders that read as they did."""
    found = [item for item in found if not item.cancelled and item.problem is None]
    with ctx.store.read() as tx:
        known = {item.key: store.order_keyed(tx, flow.id, item.key) for item in found}
    orders = {key: order for key, order in known.items() if order is not None}
    changed = _changed_keys(ctx, flow, connection, orders, found)
    return [key for key in orders if key not in changed]


def catch_up(ctx: Context, run_id: int) -> None:
    """Look at the orders that read otherwise while they were on their way, now that their answers are here."""
    with ctx.store.read() as tx:
        flow = flows.flow(tx, run_store.run(tx, run_id).flow_id)
        connection = ctx.connection(tx, flow.source_id)
        orders = store.orders_with_later(tx, flow.id)
    if not orders:
        return
    found = [_later(order) for order in orders]
    with ctx.store.begin() as tx:
        for item in found:
            _keep(tx, flow, run_id, item, ctx.now())
    _report_changed(ctx, run_id, flow, connection, found)
    with ctx.store.begin() as tx:
        for order in orders:
            store.change_order(tx, order.id, later=None)


def _report_changed(ctx: Context, run_id: int, flow: Flow, source: Connection, found: Sequence[SourceOrder]) -> None:
    """An order that stands in QuickBooks and reads otherwise now is reported, not posted again.

    Compared as mapped, so that what our own write-back changed is no change.
    """
    found = [item for item in found if not item.cancelled and item.problem is None]
    with ctx.store.read() as tx:
        known = {item.key: store.order_keyed(tx, flow.id, item.key) for item in found}
    posted = {key: order for key, order in known.items() if order is not None and order.state is OrderState.POSTED}
    read = {item.key: item.rows for item in found if item.key in posted}
    changed = _changed_keys(ctx, flow, source, posted, found)
    with ctx.store.begin() as tx:
        same = [key for key in posted if key not in changed]
        rejected.resolve(tx, flow.id, flow.stream, ctx.now(), keys=same)
        _list(tx, flow, run_id, [_changed(posted[key], read[key]) for key in changed], ctx.now())


def _changed_keys(
    ctx: Context, flow: Flow, source: Connection, orders: Mapping[str, Order], found: Sequence[SourceOrder]
) -> list[str]:
    """The keys of these orders that read otherwise than they are kept."""
    with ctx.store.read() as tx:
        target = ctx.connection(tx, flow.target_id)
    read = {item.key: item.rows for item in found if item.key in orders}
    columns = ctx.able(target.connector, DocumentTarget).targets()[flow.target]
    before, _ = documents.mapped(ctx, flow, source, columns, {key: order.source for key, order in orders.items()})
    after, _ = documents.mapped(ctx, flow, source, columns, read)
    asked = map_of(flow).fields
    return [
        key
        for key, order in orders.items()
        if after.get(key) != before.get(key) and not _query_changed(order.source, read[key], asked)
    ]


def _query_changed(
    before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]], asked: Collection[str]
) -> bool:
    """Whether the query asks for more columns now, and both readings have the same in the others, line for line.

    Lines that say the same count once: the new columns may hold what were lines of their own.
    """
    more = documents.lacking(before, {name for row in now for name in row} & set(asked))
    kept = sorted(set(asked) - more)
    was, reads = ({str([row.get(name) for name in kept]) for row in rows} for rows in (before, now))
    return bool(more) and was == reads


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
    known = store.order_keyed(tx, flow.id, item.key, lock=True)
    if item.problem is not None:
        if known is None:
            _list(tx, flow, run_id, [Rejected(item.key, item.problem, {"rows": list(item.rows)})], now)
    elif known is None:
        if not item.cancelled and not _before_start(flow, item):
            _judge(tx, _new(tx, flow, item, now), run_id, item, now)
    elif known.state is OrderState.SENDING:
        _keep_for_later(tx, known, item)
    elif item.cancelled:
        _cancelled(tx, flow, run_id, known, now)
    elif known.state is not OrderState.POSTED:
        # What was not written yet is written as it reads now; a refused one still waits for a person's word.
        store.change_order(tx, known.id, source=_rows(item), stamp=item.stamp)
        if known.state is OrderState.DROPPED and (known.problem or {}).get("code") == CANCELLED:
            store.change_order(tx, known.id, state=OrderState.NEW, problem=None)
        _judge(tx, store.order(tx, known.id), run_id, item, now)


def _before_start(flow: Flow, item: SourceOrder) -> bool:
    """Whether an order was dealt with before this flow began: by hand, or by a Routebooks that this one forgot."""
    start = _start_date(flow)
    return bool(start) and item.stamp < datetime.fromisoformat(start)


def _rows(item: SourceOrder) -> list[dict[str, Any]]:
    return [dict(row) for row in item.rows]


def _new(tx: Tx, flow: Flow, item: SourceOrder, now: datetime) -> Order:
    rejected.resolve(tx, flow.id, flow.stream, now, keys=[item.key])
    order_id = store.add_order(
        tx,
        company_id=flow.company_id,
        flow_id=flow.id,
        key=item.key,
        stamp=item.stamp,
        source=_rows(item),
        state=OrderState.NEW,
        read_at=now,
    )
    return store.order(tx, order_id)


def _judge(tx: Tx, order: Order, run_id: int, item: SourceOrder, now: datetime) -> None:
    """An order that comes with a QuickBooks id, and not one of ours, waits for a person: a person's word is kept."""
    if not item.external_id or item.external_id == order.external_id or order.state is OrderState.DROPPED:
        return
    problem = Problem(
        "order-posted-elsewhere",
        f"Order {order.key} carries the QuickBooks id {item.external_id}, which Routebooks did not get for it.",
        "Look for it in QuickBooks. If it is there, end it here with `routebooks order drop`; if it is not, "
        "`routebooks order retry` posts it all the same.",
    )
    store.change_order(tx, order.id, external_id=item.external_id)
    ledger.refuse(tx, order, run_id, problem, now)


def _keep_for_later(tx: Tx, known: Order, item: SourceOrder) -> None:
    """What an order on its way reads as now can mean nothing before the answer is here; then `catch_up` looks at it."""
    later = {"stamp": item.stamp.isoformat(), "rows": _rows(item), "cancelled": item.cancelled}
    later["external_id"] = item.external_id
    as_sent = not item.cancelled and later["rows"] == known.source
    store.change_order(tx, known.id, later=None if as_sent else later)


def _later(order: Order) -> SourceOrder:
    kept: Mapping[str, Any] = order.later or {}
    return SourceOrder(
        order.key,
        datetime.fromisoformat(kept["stamp"]),
        tuple(kept["rows"]),
        cancelled=kept["cancelled"],
        external_id=kept["external_id"],
    )


def _cancelled(tx: Tx, flow: Flow, run_id: int, known: Order, now: datetime) -> None:
    """An order that was read before was cancelled: one that stands in QuickBooks is reported, another not written."""
    if known.state is OrderState.POSTED:
        problem = Problem(
            "order-cancelled-after-posting",
            f"Order {known.key} was cancelled in PocketAdvantage after it was posted as {known.number}.",
            "Close the sales order in QuickBooks by hand, then `routebooks rejected resolve`.",
        )
        _list(tx, flow, run_id, [Rejected(known.key, problem, {"posted": known.source})], now)
        return
    # One that vanished would go by itself if it were dropped here and reopened there: it waits for a person.
    if known.state in (OrderState.DROPPED, OrderState.VANISHED):
        return
    problem = Problem(CANCELLED, f"Order {known.key} was cancelled in PocketAdvantage.", "Reopened there, it goes.")
    ledger.set_aside(tx, known, OrderState.DROPPED, problem)
    rejected.resolve(tx, flow.id, flow.stream, now, keys=[known.key])
