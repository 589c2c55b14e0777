"""What comes back of a write: its answer, a look-up in its place, or nothing; and what follows for the order.

No answer: the same attempt is sent again, byte for byte. Outcome unknown: look into QuickBooks for our own key before
any new attempt (design section 3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from routebooks.connectors.base import Connection, DocumentTarget, Outcome, WriteAnswer
from routebooks.engine import ledger, order_doubts, runs
from routebooks.engine.context import Context, as_json
from routebooks.errors import Problem
from routebooks.records import Document
from routebooks.store import exchange, flows, rejected
from routebooks.store import ledger as store
from routebooks.store import runs as run_store
from routebooks.store.database import Tx, turn
from routebooks.store.exchange import Request
from routebooks.store.ledger import Order, OrderState, WriteAttempt

#: after so many attempts an order that QuickBooks was too busy for, or never clear about, waits for a person
MAX_ATTEMPTS = 6
#: after so many sendings without an answer an attempt is not sent again, but looked for
MAX_SENDINGS = 5
#: how long an unanswered look-up waits before it is asked again
LOOK_AGAIN = timedelta(minutes=5)


def _document(order: Order) -> Document:
    kept: Mapping[str, Any] = order.document or {"key": order.key, "header": {}, "lines": []}
    return Document(kept["key"], kept["header"], tuple(kept["lines"]))


def to_send(ctx: Context, tx: Tx, connection: Connection, request: Request, now: datetime) -> Request:
    """What is to leave now in place of a write whose turn it is: the write itself, or a look-up for what became of it.

    From here on only an answer can tell. What is never answered would keep all else from going, so it is looked for; so
    is what QuickBooks may have written and forgotten (`order_doubts`).
    """
    attempt = store.write_attempt(tx, request.write_attempt_id or 0)
    order = store.order(tx, attempt.ledger_id)
    unanswered = attempt.sendings >= MAX_SENDINGS
    if not unanswered and not order_doubts.may_stand_there(tx, connection.id, order):
        sent(tx, request, now)
        return request
    exchange.change_request(tx, request.id, state="dropped", answered_at=now)
    store.change_write_attempt(tx, attempt.id, state="unknown")
    if unanswered:
        hint = "Routebooks looks for it in QuickBooks before anything else. Let the Web Connector run."
        problem = _unclear(order, hint)
        store.change_write_attempt(tx, attempt.id, problem=as_json(problem))
        store.change_order(tx, order.id, problem=as_json(problem))
        ledger.reject(tx, order, attempt.run_id, problem, now)
    return _look(ctx, tx, connection, attempt, order, now)


def sent(tx: Tx, request: Request, now: datetime) -> None:
    """A write leaves, once more."""
    attempt = store.write_attempt(tx, request.write_attempt_id or 0)
    store.change_write_attempt(
        tx, attempt.id, state="out", first_out_at=attempt.first_out_at or now, sendings=attempt.sendings + 1
    )


def _unclear(order: Order, hint: str) -> Problem:
    return Problem("order-unanswered", f"QuickBooks gave no clear answer to order {order.key}.", hint)


def read_answer(
    ctx: Context, connection: Connection, request: Request, answer: bytes, now: datetime
) -> Callable[[Tx], bool]:
    """Read the answer to a write, a look-up or a clearing; the function returned commits what follows from it."""
    target = ctx.able(connection.connector, DocumentTarget)
    attempt_id = request.write_attempt_id or 0
    with ctx.store.read() as tx:
        attempt = store.write_attempt(tx, attempt_id)
        order = store.order(tx, attempt.ledger_id)
        flow = flows.flow(tx, order.flow_id)
    if request.kind == "clear":
        return lambda tx: _cleared(tx, attempt_id)
    if request.kind == "find":
        result = target.read_found(connection, flow.target, answer, order.key)
    else:
        result = target.read_write(connection, flow.target, answer)
    written = ctx.artifacts.write(connection.company.id, "answer", answer, now) if answer else None

    def record(tx: Tx) -> bool:
        if written is not None:
            store.change_write_attempt(tx, attempt.id, answer_id=ctx.artifacts.record(tx, written))
        if request.kind == "find":
            return _found(ctx, tx, connection, attempt, order, result, now)
        return _written(ctx, tx, connection, attempt, order, result, now)

    return record


def _cleared(tx: Tx, attempt_id: int) -> bool:
    store.change_write_attempt(tx, attempt_id, state="cleared")
    return True


def _written(
    ctx: Context,
    tx: Tx,
    connection: Connection,
    attempt: WriteAttempt,
    order: Order,
    result: WriteAnswer,
    now: datetime,
) -> bool:
    done = result.outcome in (Outcome.OK, Outcome.PARTIAL)
    # A no to a later sending says nothing of what became of the first: only a look into QuickBooks does.
    if result.outcome is Outcome.UNKNOWN or (attempt.sendings > 1 and not done):
        store.change_write_attempt(tx, attempt.id, state="unknown", problem=_problem_json(result))
        _look(ctx, tx, connection, attempt, order, now)
        return True
    ledger.answered(ctx, tx, connection, attempt, result, now)
    if done:
        ledger.posted(tx, order, result, now)
    elif result.outcome is Outcome.RETRY and attempt.number < MAX_ATTEMPTS:
        wait = timedelta(minutes=2) * 2**attempt.number
        store.change_order(tx, order.id, state=OrderState.RETRY, not_before=now + wait, problem=_problem_json(result))
    elif result.outcome is Outcome.STOP:
        _stop(ctx, tx, order, attempt.run_id, result.problem or _NO_REASON, now)
    else:
        ledger.refuse(tx, order, attempt.run_id, result.problem or _NO_REASON, now)
    runs.settle(tx, attempt.run_id, now)
    return True


def _stop(ctx: Context, tx: Tx, order: Order, run_id: int, problem: Problem, now: datetime) -> None:
    """QuickBooks takes no orders at all (edition, permission): what has not left yet is withdrawn, the owner told."""
    ledger.hold(tx, order, run_id, problem, now)
    for request in exchange.requests_of(tx, run_id=run_id, states=("waiting",)):
        if request.kind != "write" or request.write_attempt_id is None:
            continue
        attempt = store.write_attempt(tx, request.write_attempt_id)
        if attempt.first_out_at is None:
            exchange.change_request(tx, request.id, state="dropped", answered_at=now)
            store.change_write_attempt(tx, attempt.id, state="withdrawn")
            store.change_order(tx, attempt.ledger_id, state=OrderState.NEW)
    if not store.unsettled_of(tx, run_id):
        runs.fail(ctx, tx, run_store.run(tx, run_id), problem, now)


def _found(
    ctx: Context,
    tx: Tx,
    connection: Connection,
    attempt: WriteAttempt,
    order: Order,
    result: WriteAnswer,
    now: datetime,
) -> bool:
    if result.outcome in (Outcome.OK, Outcome.PARTIAL):
        ledger.answered(ctx, tx, connection, attempt, result, now)
        ledger.posted(tx, order, result, now)
    elif result.outcome is Outcome.EMPTY:
        ledger.answered(ctx, tx, connection, attempt, result, now)
        _not_there(tx, attempt, order, now)
    else:
        _still_unknown(tx, attempt, order, result.problem or _NO_REASON, now, passing=result.outcome is Outcome.RETRY)
        return False
    runs.settle(tx, attempt.run_id, now)
    return True


def _still_unknown(
    tx: Tx, attempt: WriteAttempt, order: Order, problem: Problem, now: datetime, *, passing: bool = False
) -> None:
    """Nothing may be written. The tick asks again later (`look_again`); a person hears of what does not pass."""
    store.change_write_attempt(tx, attempt.id, problem=as_json(problem), answered_at=now)
    store.change_order(tx, order.id, problem=as_json(problem))
    if not passing:
        ledger.reject(tx, order, attempt.run_id, problem, now)


def _not_there(tx: Tx, attempt: WriteAttempt, order: Order, now: datetime) -> None:
    """The write did not happen: the next run of the flow makes a new attempt, unless it would go on so for ever."""
    if attempt.sendings >= MAX_SENDINGS or attempt.number >= MAX_ATTEMPTS:
        hint = "It does not stand in QuickBooks. Look at `routebooks order show`, then `routebooks order retry`."
        ledger.refuse(tx, order, attempt.run_id, _unclear(order, hint), now)
        return
    store.change_order(tx, order.id, state=OrderState.NEW, not_before=None)
    flow = flows.flow(tx, order.flow_id)
    rejected.resolve(tx, flow.id, flow.stream, now, keys=[order.key])


def _problem_json(result: WriteAnswer) -> dict[str, str]:
    return as_json(result.problem or _NO_REASON)


_NO_REASON = Problem(
    "write-unexplained",
    "QuickBooks did not take the order and gave no reason.",
    "Try again with `routebooks order retry`; if it stays so, look at the kept answer.",
)


def _look(ctx: Context, tx: Tx, connection: Connection, attempt: WriteAttempt, order: Order, now: datetime) -> Request:
    flow = flows.flow(tx, order.flow_id)
    target = ctx.able(connection.connector, DocumentTarget)
    since = order_doubts.earliest(tx, connection.id, order, attempt.first_out_at or now)
    request_id = exchange.add_request(
        tx,
        connection_id=connection.id,
        kind="find",
        request=target.find_request(connection, flow.target, _document(order), since),
        now=now,
        run_id=attempt.run_id,
        write_attempt_id=attempt.id,
    )
    return exchange.request(tx, request_id)


def look_again(ctx: Context) -> None:
    """Ask once more about attempts whose outcome is unknown and for which nothing waits. Part of every tick."""
    now = ctx.now()
    # Mostly there are none, and only one can write at a time.
    with ctx.store.read() as tx:
        if not store.unknown_without_request(tx, before=now - LOOK_AGAIN):
            return
    with ctx.store.begin() as tx:
        # Two look-ups for one attempt would have two answers.
        if not turn(tx, "look again"):
            return
        for attempt in store.unknown_without_request(tx, before=now - LOOK_AGAIN):
            order = store.order(tx, attempt.ledger_id)
            connection = ctx.connection(tx, flows.flow(tx, order.flow_id).target_id)
            _look(ctx, tx, connection, attempt, order, now)


def not_accepted(
    ctx: Context, tx: Tx, connection: Connection, request: Request, problem: Problem, now: datetime
) -> None:
    """QuickBooks could not even read the write (0x80040400): this time it was not carried out."""
    attempt = store.write_attempt(tx, request.write_attempt_id or 0)
    order = store.order(tx, attempt.ledger_id)
    _written(ctx, tx, connection, attempt, order, WriteAnswer(Outcome.HOLD, problem=problem), now)


def not_understood(tx: Tx, request: Request, problem: Problem, now: datetime) -> None:
    """QuickBooks could not read a look-up or a clearing. An id stays uncleared, which does no harm; a look-up waits."""
    attempt = store.write_attempt(tx, request.write_attempt_id or 0)
    if request.kind == "clear":
        _cleared(tx, attempt.id)
    else:
        _still_unknown(tx, attempt, store.order(tx, attempt.ledger_id), problem, now)
