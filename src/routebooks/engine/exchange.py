"""The exchange as a calling system sees it: a session opens, takes one request after the other, brings the answers.

Every request is marked as out, and every answer kept, in a transaction before the caller hears from us.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from routebooks.connectors.base import CallingSource, Connection, Outcome
from routebooks.engine import extracts, identity, ledger
from routebooks.engine.context import Context, as_json
from routebooks.engine.window import opens_in
from routebooks.errors import Problem
from routebooks.store import companies
from routebooks.store import exchange as store
from routebooks.store import runs as run_store
from routebooks.store.artifacts import Written
from routebooks.store.companies import Caller
from routebooks.store.database import Tx
from routebooks.store.exchange import Request, Session

#: a session that says nothing for so long has ended, whatever its caller thinks
SESSION_SILENCE = timedelta(minutes=30)
#: a session that spoke so lately is at work
AT_WORK = timedelta(minutes=1)
#: the longest that a caller is asked to stay away, so that a changed setting is felt
LONGEST_POSTPONE = timedelta(hours=1)

DONE = 100
BROKEN_OFF = -1

_SESSION_LOST = Problem(
    "session-broken",
    "The Web Connector broke off in the middle of an extract.",
    "Nothing to do: it begins again at the start. If it happens every night, keep the PC awake and QuickBooks free.",
)


@dataclass(frozen=True)
class Opening:
    """The answer to a log-in: a ticket, whether there is work, and how long to stay away if not."""

    ticket: str
    work: bool
    #: another connector is at work for the same connection this very moment
    busy: bool = False
    postpone: timedelta = timedelta(0)


@dataclass(frozen=True)
class _Visit:
    """One call within a session, with what it is about."""

    session: Session
    connection: Connection
    source: CallingSource
    request: Request | None
    now: datetime


def _hash(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()


def open_session(ctx: Context, connection_id: int, address: str = "") -> Opening:
    """A caller has proved who it is. A session of it that never said good-bye is ended first, its work recovered.

    An unbound connection always has work: its identity query. Two connectors at once would take each other's answers:
    while one at another address is at work, this one has to wait.
    """
    now, ticket = ctx.now(), ctx.new_id(32)
    with ctx.store.begin() as tx:
        companies.connection(tx, connection_id, lock=True)
        earlier = store.open_sessions(tx, connection_id)
        if any(session.address != address and now - session.last_at < AT_WORK for session in earlier):
            return Opening(ticket, work=False, busy=True)
        for session in earlier:
            _end(ctx, tx, session, "dropped", now)
        companies.change_caller(tx, connection_id, last_seen_at=now)
        store.add_session(tx, connection_id=connection_id, ticket_hash=_hash(ticket), address=address, now=now)
        caller = companies.caller(tx, connection_id)
        closed_for = _closed_for(tx, connection_id, now)
        if closed_for is not None:
            return Opening(ticket, work=False, postpone=min(closed_for, LONGEST_POSTPONE))
        # Which company file answers has to be found out, or, after it moved, whether it is back.
        unsure = caller is not None and (caller.bound_at is None or caller.seen_path is not None)
        return Opening(ticket, work=unsure or _next(tx, connection_id, caller) is not None)


def _closed_for(tx: Tx, connection_id: int, now: datetime) -> timedelta | None:
    """How long nothing may go to the system: its window is closed, or a person paused it. None when it may."""
    row = companies.connection(tx, connection_id)
    if row.paused_at is not None:
        return timedelta(0)
    return opens_in(row.window, companies.company(tx, row.company_id).time_zone, now) or None


def _next(tx: Tx, connection_id: int, caller: Caller | None) -> Request | None:
    return store.next_waiting(tx, connection_id, writes=caller is None or caller.seen_path is None)


def hand_out(ctx: Context, ticket: str, path: str) -> bytes:
    """The next request of a session, marked as out before it leaves; nothing when there is none.

    The first of every session asks which company file answers. Asked twice without an answer between, the same
    request goes out again, byte for byte.
    """
    now = ctx.now()
    with ctx.store.begin() as tx:
        visit = _visit(ctx, tx, ticket, now)
        if visit is None:
            return b""
        session = visit.session
        store.change_session(tx, session.id, last_at=now, path=path or session.path, turns=session.turns + 1)
        companies.change_caller(tx, visit.connection.id, last_seen_at=now)
        if visit.request is not None:
            return visit.request.request
        if not session.verified:
            return _send_identity(tx, visit)
        if _closed_for(tx, visit.connection.id, now) is not None:
            return b""
        request = _next(tx, visit.connection.id, companies.caller(tx, visit.connection.id))
        if request is None:
            return b""
        store.change_request(tx, request.id, state="out", session_id=session.id, out_at=now)
        if request.write_attempt_id is not None and request.kind == "write":
            ledger.handed_out(tx, request.write_attempt_id, now)
        return request.request


def _send_identity(tx: Tx, visit: _Visit) -> bytes:
    request = visit.source.identity_request(visit.connection)
    request_id = store.add_request(
        tx, connection_id=visit.connection.id, kind="identity", request=request, now=visit.now
    )
    store.change_request(tx, request_id, state="out", session_id=visit.session.id, out_at=visit.now)
    return request


def _visit(ctx: Context, tx: Tx, ticket: str, now: datetime) -> _Visit | None:
    session = store.session_with(tx, _hash(ticket))
    if session is None or session.state != "open":
        return None
    companies.connection(tx, session.connection_id, lock=True)
    connection = ctx.connection(tx, session.connection_id)
    source = ctx.able(connection.connector, CallingSource)
    return _Visit(session, connection, source, store.request_out(tx, session.id), now)


Record = Callable[[Tx], bool]


def take(ctx: Context, ticket: str, answer: bytes, hresult: str, message: str) -> int:
    """Keep an answer and do what follows from it; percent done, 100 when nothing is left, negative to break off."""
    now = ctx.now()
    with ctx.store.read() as tx:
        visit = _visit(ctx, tx, ticket, now)
    if visit is None:
        return BROKEN_OFF
    request = visit.request
    if request is None:
        return _break_off(ctx, visit, "An answer came for which nothing was asked.")
    # Reading the answer and writing it to disk take the time; the transaction after them is short.
    kind = "page" if request.kind == "page" else "answer"
    written = ctx.artifacts.write(visit.connection.company.id, kind, answer, now) if answer else None
    record = _refused(ctx, visit, request, hresult, message) if hresult else _read(ctx, visit, request, answer, written)
    with ctx.store.begin() as tx:
        companies.connection(tx, visit.connection.id, lock=True)
        still = store.request_out(tx, visit.session.id)
        if still is None or still.id != request.id:
            return BROKEN_OFF
        store.change_request(tx, request.id, state="answered", answered_at=now)
        goes_on = record(tx)
        store.change_session(tx, visit.session.id, last_at=now)
        return _progress(tx, visit) if goes_on else BROKEN_OFF


def _read(ctx: Context, visit: _Visit, request: Request, answer: bytes, written: Written | None) -> Record:
    match request.kind:
        case "identity":
            return identity.read(visit.connection, visit.source, visit.session, answer, visit.now)
        case "page":
            return _page(ctx, visit, request, answer, written)
        case _:
            return ledger.read_answer(ctx, visit.connection, request, answer, written, visit.now)


def _page(ctx: Context, visit: _Visit, request: Request, answer: bytes, written: Written | None) -> Record:
    with ctx.store.read() as tx:
        attempt = run_store.attempt(tx, request.attempt_id or 0)
        extract = run_store.extract(tx, attempt.extract_id)
        number = len(run_store.pages_of(tx, attempt.id)) + 1
    page = visit.source.read_page(visit.connection, extracts.request_of(extract, attempt.page_size), answer)

    def record(tx: Tx) -> bool:
        problem = page.problem or _SESSION_LOST
        if page.outcome in (Outcome.STOP, Outcome.HOLD):
            extracts.fail(ctx, tx, extract, problem, visit.now)
        elif page.outcome in (Outcome.RETRY, Outcome.UNKNOWN) or written is None:
            extracts.break_attempt(ctx, tx, attempt.id, problem, visit.now)
            store.change_session(tx, visit.session.id, last_error=problem.message)
        else:
            artifact_id = ctx.artifacts.record(tx, written)
            run_store.add_page(
                tx, attempt_id=attempt.id, number=number, artifact_id=artifact_id, records=page.records, now=visit.now
            )
            if page.next_request is None:
                extracts.complete(ctx, tx, attempt.id, visit.now)
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


def _refused(ctx: Context, visit: _Visit, request: Request, hresult: str, message: str) -> Record:
    """The caller hands in an error of QuickBooks in place of an answer (QBWC guide, receiveResponseXML)."""
    outcome, problem = visit.source.read_refusal(hresult, message)

    def record(tx: Tx) -> bool:
        # HOLD says that this very request is at fault and was not carried out; all else is about QuickBooks as a whole.
        final = outcome is Outcome.HOLD
        companies.change_caller(tx, visit.connection.id, last_problem=as_json(problem))
        store.change_session(tx, visit.session.id, last_error=problem.message)
        if request.kind == "page" and request.attempt_id is not None:
            if final:
                attempt = run_store.attempt(tx, request.attempt_id)
                extracts.fail(ctx, tx, run_store.extract(tx, attempt.extract_id), problem, visit.now)
            else:
                extracts.break_attempt(ctx, tx, request.attempt_id, problem, visit.now)
        elif request.kind == "write" and final:
            ledger.not_accepted(ctx, tx, visit.connection, request, problem, visit.now)
        elif request.kind in ("write", "find", "clear"):
            # Nobody knows whether it was done: the same bytes go out again.
            store.change_request(tx, request.id, state="waiting", session_id=None)
        return final and request.kind != "identity"

    return record


def _progress(tx: Tx, visit: _Visit) -> int:
    connection_id = visit.connection.id
    if _closed_for(tx, connection_id, visit.now) is not None:
        return DONE
    if _next(tx, connection_id, companies.caller(tx, connection_id)) is None:
        return DONE
    turns, waiting = visit.session.turns, store.waiting_count(tx, connection_id)
    return max(1, min(DONE - 1, DONE * turns // (turns + waiting)))


def _break_off(ctx: Context, visit: _Visit, reason: str) -> int:
    with ctx.store.begin() as tx:
        store.change_session(tx, visit.session.id, last_error=reason)
    return BROKEN_OFF


def connection_failed(ctx: Context, ticket: str, hresult: str, message: str) -> None:
    """The caller could not open QuickBooks: keep why, for the connection's test, and end the session."""
    now = ctx.now()
    with ctx.store.begin() as tx:
        visit = _visit(ctx, tx, ticket, now)
        if visit is None:
            return
        _, problem = visit.source.read_refusal(hresult, message)
        companies.change_caller(tx, visit.connection.id, last_problem=as_json(problem), last_seen_at=now)
        store.change_session(tx, visit.session.id, last_error=problem.message)
        _end(ctx, tx, visit.session, "closed", now)


def last_error(ctx: Context, ticket: str) -> str:
    """What went wrong in a session, short and for the eyes of the office."""
    with ctx.store.read() as tx:
        session = store.session_with(tx, _hash(ticket))
    if session is None:
        return "This session is not known. Press Update Selected again."
    return session.last_error or "There is nothing to do now."


def close(ctx: Context, ticket: str) -> str:
    """The caller says good-bye; what it still held is recovered. Returns the line it shows as its status."""
    now = ctx.now()
    with ctx.store.begin() as tx:
        session = store.session_with(tx, _hash(ticket))
        if session is None:
            return "OK"
        if session.state == "open":
            companies.connection(tx, session.connection_id, lock=True)
            _end(ctx, tx, session, "closed", now)
        return session.last_error or f"Done, {session.turns} requests."


def _end(ctx: Context, tx: Tx, session: Session, state: str, now: datetime) -> None:
    """End a session. A write whose answer is missing waits to be sent again as it was; iterators die with it."""
    store.change_session(tx, session.id, state=state, closed_at=now)
    for request in store.requests_of(tx, session_id=session.id, states=("out",)):
        if request.kind == "page" and request.attempt_id is not None:
            extracts.break_attempt(ctx, tx, request.attempt_id, _SESSION_LOST, now)
        elif request.kind == "identity":
            store.change_request(tx, request.id, state="dropped", answered_at=now)
        else:
            store.change_request(tx, request.id, state="waiting", session_id=None)
    waiting = store.next_waiting(tx, session.connection_id)
    while waiting is not None and waiting.urgent and waiting.attempt_id is not None:
        extracts.break_attempt(ctx, tx, waiting.attempt_id, _SESSION_LOST, now)
        waiting = store.next_waiting(tx, session.connection_id)


def end_silent(ctx: Context) -> None:
    """End the sessions that broke off without a word. Part of every tick."""
    now = ctx.now()
    with ctx.store.begin() as tx:
        for session in store.open_sessions(tx):
            if session.last_at < now - SESSION_SILENCE:
                _end(ctx, tx, session, "dropped", now)
