"""The exchange as a calling system sees it in its session: it takes one request after the other, brings the answers.

Every request is marked as out, and what its answer brought kept, in a transaction before the caller hears from us.
"""

from __future__ import annotations

from collections.abc import Callable

from routebooks.connectors.base import Outcome, Page
from routebooks.engine import extracts, identity, order_answers, sessions, vanished
from routebooks.engine.context import Context, as_json
from routebooks.engine.extracts import Reading
from routebooks.engine.sessions import Visit
from routebooks.errors import Problem
from routebooks.store import companies
from routebooks.store import exchange as store
from routebooks.store import runs as run_store
from routebooks.store.database import Tx
from routebooks.store.exchange import Request

DONE = 100
BROKEN_OFF = -1

SKIPPED = Problem(
    "page-skipped",
    "A page is missing: QuickBooks was asked twice for the next one, and one of the answers was lost.",
    "Nothing to do: the extract begins again at the start. If it happens every night, see to the network of the PC.",
)


def hand_out(ctx: Context, ticket: str, path: str) -> bytes:
    """The next request of a session, marked as out before it leaves; nothing when there is none.

    The first of every session asks which company file answers. Asked twice without an answer between, the same
    request goes out again, byte for byte.
    """
    now = ctx.now()
    with ctx.store.begin() as tx:
        visit = sessions.visit(ctx, tx, ticket, now)
        if visit is None:
            return b""
        session = visit.session
        store.change_session(tx, session.id, last_at=now, path=path or session.path, turns=session.turns + 1)
        companies.change_caller(tx, visit.connection.id, last_seen_at=now)
        moved = bool(path and session.path and path != session.path)
        if visit.request is not None:
            return b"" if moved else _again(tx, visit, visit.request)
        if moved:
            store.change_session(tx, session.id, verified=False)
        if not session.verified or moved:
            return _send_identity(tx, visit)
        if sessions.closed_for(visit.row, visit.connection.company.time_zone, now) is not None:
            return b""
        request = sessions.next_request(tx, visit.connection.id, visit.caller, now)
        if request is None:
            return b""
        if request.kind == "write":
            request = order_answers.to_send(ctx, tx, visit.connection, request, now)
        store.change_request(tx, request.id, state="out", session_id=session.id, out_at=now)
        return request.request


def _again(tx: Tx, visit: Visit, request: Request) -> bytes:
    if request.kind == "write":
        order_answers.sent(tx, request, visit.now)
    return request.request


def _send_identity(tx: Tx, visit: Visit) -> bytes:
    request = visit.source.identity_request(visit.connection)
    request_id = store.add_request(
        tx, connection_id=visit.connection.id, kind="identity", request=request, now=visit.now
    )
    store.change_request(tx, request_id, state="out", session_id=visit.session.id, out_at=visit.now)
    return request


Record = Callable[[Tx], bool]


def take(ctx: Context, ticket: str, answer: bytes, hresult: str, message: str) -> int:
    """Keep an answer and do what follows from it; percent done, 100 when nothing is left, negative to break off."""
    now = ctx.now()
    with ctx.store.read() as tx:
        visit = sessions.visit(ctx, tx, ticket, now)
        reading = _reading(tx, visit.request) if visit is not None else None
    if visit is None:
        return BROKEN_OFF
    request = visit.request
    if request is None:
        return _break_off(ctx, visit, "An answer came for which nothing was asked.")
    # Reading the answer and writing it to disk take the time; the transaction after them is short.
    if hresult:
        record = _refused(ctx, visit, request, hresult, message)
    elif reading is not None:
        record = _page(ctx, visit, reading, answer)
    else:
        record = _read(ctx, visit, request, answer)
    with ctx.store.begin() as tx:
        if not store.is_out(tx, request):
            return BROKEN_OFF
        store.change_request(tx, request.id, state="answered", answered_at=now)
        return _progress(tx, visit, request) if record(tx) else BROKEN_OFF


def _reading(tx: Tx, request: Request | None) -> Reading | None:
    attempt_id = request.attempt_id if request is not None else None
    return extracts.reading(tx, attempt_id) if attempt_id is not None else None


def _read(ctx: Context, visit: Visit, request: Request, answer: bytes) -> Record:
    match request.kind:
        case "identity":
            return identity.read(visit.connection, visit.source, visit.session, answer, visit.now)
        case vanished.KIND:
            return vanished.read(ctx, visit.connection, request, answer, visit.now)
        case _:
            return order_answers.read_answer(ctx, visit.connection, request, answer, visit.now)


def _page(ctx: Context, visit: Visit, reading: Reading, answer: bytes) -> Record:
    attempt, extract, last = reading.attempt, reading.extract, reading.last
    page = visit.source.read_page(visit.connection, extracts.request_of(extract, attempt), answer)
    if last is not None and extracts.skipped(last, page):
        page = Page(Outcome.RETRY, problem=SKIPPED)
    counts = bool(answer) and page.outcome in (Outcome.OK, Outcome.EMPTY, Outcome.PARTIAL)
    written = ctx.artifacts.write(visit.connection.company.id, "page", answer, visit.now) if counts else None

    def record(tx: Tx) -> bool:
        problem = page.problem or sessions.LOST
        if page.outcome in (Outcome.STOP, Outcome.HOLD):
            extracts.fail(ctx, tx, extract, problem, visit.now)
        elif written is None:
            extracts.break_attempt(ctx, tx, attempt.id, problem, visit.now)
            store.change_session(tx, visit.session.id, last_error=problem.message)
        else:
            artifact_id = ctx.artifacts.record(tx, written)
            run_store.add_page(
                tx,
                attempt_id=attempt.id,
                number=last.number + 1 if last else 1,
                artifact_id=artifact_id,
                records=page.records,
                remaining=page.remaining,
                stored_at=visit.now,
            )
            read = extracts.read_besides(tx, extract, page.besides)
            if page.next_request is None:
                extracts.complete(ctx, tx, visit.source, read, attempt, visit.now)
            else:
                store.add_request(
                    tx,
                    connection_id=visit.connection.id,
                    kind="page",
                    request=page.next_request,
                    now=visit.now,
                    attempt_id=attempt.id,
                    urgent=True,
                )
        # After a passing fault the connector comes back later; at once it would meet the same fault in a circle.
        return page.outcome is not Outcome.RETRY

    return record


def _refused(ctx: Context, visit: Visit, request: Request, hresult: str, message: str) -> Record:
    """The caller hands in an error of QuickBooks in place of an answer (QBWC guide, receiveResponseXML)."""
    outcome, problem = visit.source.read_refusal(hresult, message)

    def record(tx: Tx) -> bool:
        # HOLD says that this very request is at fault and was not carried out; all else is about QuickBooks as a whole.
        final = outcome is Outcome.HOLD
        companies.change_caller(tx, visit.connection.id, last_problem=as_json(problem))
        store.change_session(tx, visit.session.id, last_error=problem.message)
        if request.kind == "page" and request.attempt_id is not None:
            if final:
                _, extract = run_store.reading(tx, request.attempt_id)
                extracts.fail(ctx, tx, extract, problem, visit.now)
            else:
                extracts.break_attempt(ctx, tx, request.attempt_id, problem, visit.now)
        elif request.kind == "write" and final:
            order_answers.not_accepted(ctx, tx, visit.connection, request, problem, visit.now)
        elif request.kind in ("find", "clear") and final:
            order_answers.not_understood(tx, request, problem, visit.now)
        elif request.kind == vanished.KIND:
            # Tomorrow again: one that is always refused must not break off every session of the day.
            vanished.put_off(tx, visit.connection.id, visit.now)
        elif request.kind in ("write", "find", "clear"):
            # Nobody knows whether it was done.
            sessions.again(tx, request)
        return final and request.kind != "identity"

    return record


def _progress(tx: Tx, visit: Visit, request: Request) -> int:
    connection_id, turns = visit.row.id, visit.session.turns
    if sessions.closed_for(visit.row, visit.connection.company.time_zone, visit.now) is not None:
        return DONE
    # Which company file answers may hold the writes, or let them go.
    caller = companies.caller(tx, connection_id) if request.kind == "identity" else visit.caller
    waiting = sessions.waiting_count(tx, connection_id, caller, visit.now)
    return max(1, min(DONE - 1, DONE * turns // (turns + waiting))) if waiting else DONE


def _break_off(ctx: Context, visit: Visit, reason: str) -> int:
    with ctx.store.begin() as tx:
        store.change_session(tx, visit.session.id, last_error=reason)
    return BROKEN_OFF
