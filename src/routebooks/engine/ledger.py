"""The ledger's rules: how an order is sent, stands in QuickBooks, is refused or held.

A refusal is committed, then its set id cleared; a retry is a new attempt (design section 3). The set id is made of
what the order is, and cleared late: so a restored backup of Routebooks, which forgot some, posts none twice.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from routebooks.clock import base62
from routebooks.connectors.base import Connection, DocumentTarget, WriteAnswer
from routebooks.engine.context import Context, as_json
from routebooks.errors import Problem
from routebooks.records import Document, Rejected
from routebooks.store import companies, exchange, flows, rejected
from routebooks.store import ledger as store
from routebooks.store.database import Tx
from routebooks.store.ledger import Order, OrderState, WriteAttempt

#: Intuit allows 24 characters (9004); a GUID would not fit
SET_ID_LENGTH = 22
#: so long QuickBooks remembers an answered write: should a backup of Routebooks be restored meanwhile, it is sent again
#: under the same set id and not done again
REMEMBERED = timedelta(days=7)


def document_json(document: Document) -> dict[str, Any]:
    """A document as it is kept: texts only, exact."""
    kept: dict[str, Any] = json.loads(
        json.dumps({"key": document.key, "header": document.header, "lines": list(document.lines)}, default=str)
    )
    return kept


def set_id_of(file_id: str, flow_id: int, key: str, number: int) -> str:
    """The set id of an order's attempt: the same wherever this is made again, as after a restored backup.

    Base 62; `file_id` is the mark of the company file, which no other installation has.
    """
    named = json.dumps([file_id, flow_id, key, number])
    return base62(int.from_bytes(hashlib.sha256(named.encode()).digest()), SET_ID_LENGTH)


def send(ctx: Context, tx: Tx, order: Order, run_id: int, connection: Connection, document: Document) -> None:
    """Make a write attempt and put it into the exchange. Raises RecordError when the order cannot be written down.

    Must run in one transaction with whatever decided that the order may be written.
    """
    flow = flows.flow(tx, order.flow_id)
    target = ctx.able(connection.connector, DocumentTarget)
    number = len(store.write_attempts_of(tx, order.id)) + 1
    caller = companies.caller(tx, connection.id)
    set_id = set_id_of(caller.file_id if caller else "", flow.id, order.key, number)
    request = target.write_request(connection, flow.target, document, set_id)
    now = ctx.now()
    attempt_id = store.add_write_attempt(
        tx, ledger_id=order.id, run_id=run_id, number=number, set_id=set_id, request=request
    )
    exchange.add_request(
        tx,
        connection_id=connection.id,
        kind="write",
        request=request,
        now=now,
        run_id=run_id,
        write_attempt_id=attempt_id,
    )
    store.change_order(
        tx, order.id, state=OrderState.SENDING, document=document_json(document), not_before=None, problem=None
    )


def answered(
    ctx: Context, tx: Tx, connection: Connection, attempt: WriteAttempt, result: WriteAnswer, now: datetime
) -> None:
    """Commit the answer; the set id is cleared after it, never before, and not before REMEMBERED is over."""
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


def posted(tx: Tx, order: Order, result: WriteAnswer, now: datetime) -> None:
    """The order stands in QuickBooks; whatever was wrong with it is over."""
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
    """QuickBooks said no: the order waits for a person, in the rejected list. No run tries it again by itself."""
    if "order retry" not in problem.hint:
        problem = replace(problem, hint=f"{problem.hint} Then `routebooks order retry`.".strip())
    set_aside(tx, order, OrderState.REFUSED, problem)
    reject(tx, order, run_id, problem, now)


def hold(tx: Tx, order: Order, run_id: int, problem: Problem, now: datetime) -> None:
    """The order cannot be written yet; every run of its flow tries again."""
    set_aside(tx, order, OrderState.HELD, problem)
    reject(tx, order, run_id, problem, now)


def set_aside(tx: Tx, order: Order, state: OrderState, problem: Problem) -> None:
    """The order does not go, and why. The orders database is told of another reason as of another state."""
    again = (order.problem or {}).get("message") == problem.message
    told = order.told if again else None
    store.change_order(tx, order.id, state=state, problem=as_json(problem), not_before=None, told=told)


def reject(tx: Tx, order: Order, run_id: int, problem: Problem, now: datetime) -> None:
    """Put the order into the rejected list, for this reason and no other."""
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
