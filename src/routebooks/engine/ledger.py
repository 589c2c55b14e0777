"""The ledger's rules: which order may be written, what an answer means for it, and what is never done twice.

No answer: the same attempt is sent again, byte for byte. A refusal: committed, its set id cleared, a retry is a new
attempt. Outcome unknown: look into QuickBooks for our own key before any new attempt (design section 3).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from routebooks.connectors.base import Connection, DocumentTarget, Outcome, WriteAnswer
from routebooks.engine import runs
from routebooks.engine.context import Context, as_json
from routebooks.errors import Problem
from routebooks.records import Document, Rejected
from routebooks.store import exchange, flows, rejected
from routebooks.store import ledger as store
from routebooks.store import runs as run_store
from routebooks.store.artifacts import Written
from routebooks.store.database import Tx
from routebooks.store.exchange import Request
from routebooks.store.ledger import Order, OrderState, WriteAttempt

#: Intuit allows 24 characters (9004); a GUID would not fit
SET_ID_LENGTH = 22
#: after so many attempts an order that QuickBooks was too busy for waits for a person
MAX_ATTEMPTS = 6
#: how long an unanswered look-up waits before it is asked again
LOOK_AGAIN = timedelta(minutes=5)


def document_json(document: Document) -> dict[str, Any]:
    """A document as it is kept: texts only, exact."""
    kept: dict[str, Any] = json.loads(
        json.dumps({"key": document.key, "header": document.header, "lines": list(document.lines)}, default=str)
    )
    return kept


def _document(order: Order) -> Document:
    kept: Mapping[str, Any] = order.document or {"key": order.key, "header": {}, "lines": []}
    return Document(kept["key"], kept["header"], tuple(kept["lines"]))


def send(ctx: Context, tx: Tx, order: Order, run_id: int, connection: Connection, document: Document) -> None:
    """Make a write attempt and put it into the exchange. Raises RecordError when the order cannot be written down.

    Must run in one transaction with whatever decided that the order may be written.
    """
    flow = flows.flow(tx, order.flow_id)
    target = ctx.able(connection.connector, DocumentTarget)
    set_id = ctx.new_id(SET_ID_LENGTH)
    request = target.write_request(connection, flow.target, document, set_id)
    number = len(store.write_attempts_of(tx, order.id)) + 1
    attempt_id = store.add_write_attempt(
        tx, ledger_id=order.id, run_id=run_id, number=number, set_id=set_id, request=request
    )
    exchange.add_request(
        tx,
        connection_id=connection.id,
        kind="write",
        request=request,
        now=ctx.now(),
        run_id=run_id,
        write_attempt_id=attempt_id,
    )
    store.change_order(
        tx, order.id, state=OrderState.SENDING, document=document_json(document), not_before=None, problem=None
    )


def handed_out(tx: Tx, attempt_id: int, now: datetime) -> None:
    """The attempt is about to leave: from here on only an answer can tell what became of it."""
    attempt = store.write_attempt(tx, attempt_id)
    store.change_write_attempt(tx, attempt_id, state="out", first_out_at=attempt.first_out_at or now)


def read_answer(
    ctx: Context, connection: Connection, request: Request, answer: bytes, written: Written | None, now: datetime
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

    def record(tx: Tx) -> bool:
        if written is not None:
            store.change_write_attempt(tx, attempt.id, answer_id=ctx.artifacts.record(tx, written))
        if request.kind == "find":
            return _found(ctx, tx, connection, attempt, order, result, now)
        sent_before = attempt.first_out_at is not None and attempt.first_out_at < (request.out_at or now)
        if sent_before and result.outcome is Outcome.RETRY:
            # Too busy now says nothing of what became of it the first time: only a look into QuickBooks does.
            return _written(ctx, tx, connection, attempt, order, replace(result, outcome=Outcome.UNKNOWN), now)
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
    if result.outcome is Outcome.UNKNOWN:
        store.change_write_attempt(tx, attempt.id, state="unknown", problem=_problem_json(result))
        _look(ctx, tx, connection, attempt, order, now)
        return True
    _answered(ctx, tx, connection, attempt, result, now)
    if result.outcome in (Outcome.OK, Outcome.PARTIAL):
        _posted(tx, order, result, now)
    elif result.outcome is Outcome.RETRY and attempt.number < MAX_ATTEMPTS:
        wait = timedelta(minutes=2) * 2**attempt.number
        store.change_order(tx, order.id, state=OrderState.RETRY, not_before=now + wait, problem=_problem_json(result))
    elif result.outcome is Outcome.STOP:
        _stop(ctx, tx, order, attempt.run_id, result.problem or _NO_REASON, now)
    else:
        refuse(tx, order, attempt.run_id, result.problem or _NO_REASON, now)
    runs.settle(tx, attempt.run_id, now)
    return True


def _stop(ctx: Context, tx: Tx, order: Order, run_id: int, problem: Problem, now: datetime) -> None:
    """QuickBooks takes no orders at all (edition, permission): what has not left yet is withdrawn, the owner told."""
    hold(tx, order, run_id, problem, now)
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
        _answered(ctx, tx, connection, attempt, result, now)
        _posted(tx, order, result, now)
    elif result.outcome is Outcome.EMPTY:
        # It is not there, so the write did not happen: the next run of the flow makes a new attempt.
        _answered(ctx, tx, connection, attempt, result, now)
        store.change_order(tx, order.id, state=OrderState.NEW, not_before=None)
    else:
        # Still unknown: nothing may be written. The tick asks again later (`look_again`).
        store.change_write_attempt(tx, attempt.id, problem=_problem_json(result), answered_at=now)
        store.change_order(tx, order.id, problem=_problem_json(result))
        return False
    runs.settle(tx, attempt.run_id, now)
    return True


def _problem_json(result: WriteAnswer) -> dict[str, str]:
    return as_json(result.problem or _NO_REASON)


_NO_REASON = Problem(
    "write-unexplained",
    "QuickBooks did not take the order and gave no reason.",
    "Try again with `routebooks order retry`; if it stays so, look at the kept answer.",
)


def _look(ctx: Context, tx: Tx, connection: Connection, attempt: WriteAttempt, order: Order, now: datetime) -> None:
    flow = flows.flow(tx, order.flow_id)
    target = ctx.able(connection.connector, DocumentTarget)
    since = attempt.first_out_at or now
    exchange.add_request(
        tx,
        connection_id=connection.id,
        kind="find",
        request=target.find_request(connection, flow.target, _document(order), since),
        now=now,
        run_id=attempt.run_id,
        write_attempt_id=attempt.id,
    )


def look_again(ctx: Context) -> None:
    """Ask once more about attempts whose outcome is unknown and for which nothing waits. Part of every tick."""
    now = ctx.now()
    with ctx.store.begin() as tx:
        for attempt in store.unknown_without_request(tx, before=now - LOOK_AGAIN):
            order = store.order(tx, attempt.ledger_id)
            connection = ctx.connection(tx, flows.flow(tx, order.flow_id).target_id)
            _look(ctx, tx, connection, attempt, order, now)


def _answered(
    ctx: Context, tx: Tx, connection: Connection, attempt: WriteAttempt, result: WriteAnswer, now: datetime
) -> None:
    """Commit the answer; the set id is cleared after it, never before."""
    store.change_write_attempt(
        tx,
        attempt.id,
        state="answered",
        outcome=result.outcome,
        answered_at=now,
        problem=as_json(result.problem) if result.problem else None,
    )
    target = ctx.able(connection.connector, DocumentTarget)
    exchange.add_request(
        tx,
        connection_id=connection.id,
        kind="clear",
        request=target.clear_request(connection, attempt.set_id),
        now=now,
        write_attempt_id=attempt.id,
    )


def _posted(tx: Tx, order: Order, result: WriteAnswer, now: datetime) -> None:
    store.change_order(
        tx,
        order.id,
        state=OrderState.POSTED,
        external_id=result.external_id,
        number=result.number,
        posted_at=now,
        problem=as_json(result.problem) if result.problem else None,
    )
    flow = flows.flow(tx, order.flow_id)
    rejected.resolve(tx, flow.id, flow.stream, now, keys=[order.key])


def refuse(tx: Tx, order: Order, run_id: int, problem: Problem, now: datetime) -> None:
    """QuickBooks said no: the order waits for a person, in the rejected list."""
    store.change_order(tx, order.id, state=OrderState.REFUSED, problem=as_json(problem), not_before=None)
    _reject(tx, order, run_id, problem, now)


def hold(tx: Tx, order: Order, run_id: int, problem: Problem, now: datetime) -> None:
    """The order cannot be written yet; every run of its flow tries again."""
    store.change_order(tx, order.id, state=OrderState.HELD, problem=as_json(problem), not_before=None)
    _reject(tx, order, run_id, problem, now)


def _reject(tx: Tx, order: Order, run_id: int, problem: Problem, now: datetime) -> None:
    flow = flows.flow(tx, order.flow_id)
    rejected.resolve(tx, flow.id, flow.stream, now, keys=[order.key], other_than=problem.code)
    rejected.keep_rejected(
        tx,
        company_id=order.company_id,
        flow_id=flow.id,
        run_id=run_id,
        stream=flow.stream,
        records=[Rejected(order.key, problem, {"rows": order.source})],
        now=now,
    )


def not_accepted(
    ctx: Context, tx: Tx, connection: Connection, request: Request, problem: Problem, now: datetime
) -> None:
    """QuickBooks could not even read the write (0x80040400): it was not carried out, and never will be as it is."""
    attempt = store.write_attempt(tx, request.write_attempt_id or 0)
    order = store.order(tx, attempt.ledger_id)
    _answered(ctx, tx, connection, attempt, WriteAnswer(Outcome.HOLD, problem=problem), now)
    refuse(tx, order, attempt.run_id, problem, now)
    runs.settle(tx, attempt.run_id, now)


def not_understood(tx: Tx, request: Request, now: datetime) -> None:
    """QuickBooks could not read a look-up or a clearing. An id stays uncleared, which does no harm; a look-up waits."""
    if request.kind == "clear":
        _cleared(tx, request.write_attempt_id or 0)
    else:
        store.change_write_attempt(tx, request.write_attempt_id or 0, answered_at=now)
