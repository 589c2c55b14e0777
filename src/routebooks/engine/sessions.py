"""Sessions of a calling system: who is in, whether anything may go to it now, and what an ended one leaves."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from routebooks.connectors.base import CallingSource, Connection
from routebooks.engine import extracts, ledger, order_doubts, vanished
from routebooks.engine.context import Context, as_json
from routebooks.engine.window import opens_in
from routebooks.engine.words import count, span
from routebooks.errors import Problem
from routebooks.store import companies
from routebooks.store import exchange as store
from routebooks.store.companies import Caller, ConnectionRow
from routebooks.store.database import Tx
from routebooks.store.exchange import Request, Session

#: a session that says nothing for so long has ended, whatever its caller thinks
SESSION_SILENCE = timedelta(minutes=30)
#: a session that spoke so lately is at work
AT_WORK = timedelta(minutes=1)
#: the longest that a caller is asked to stay away, so that a changed setting is felt
LONGEST_POSTPONE = timedelta(hours=1)

NOTHING = "There is nothing to do now."

LOST = Problem(
    "session-broken",
    "The Web Connector broke off in the middle of an extract.",
    "Nothing to do: it begins again at the start. If it happens every night, keep the PC awake and QuickBooks free.",
)


@dataclass(frozen=True)
class Opening:
    """The answer to a log-in: a ticket, whether there is work and in which file, and how long to stay away if not."""

    ticket: str
    work: bool
    #: another connector is at work for the same connection this very moment
    busy: bool = False
    postpone: timedelta = timedelta(0)
    #: the path of the company file that is to be opened; '' for the one that is open
    company_file: str = ""


@dataclass(frozen=True)
class Visit:
    """One call within a session, with what it is about."""

    session: Session
    row: ConnectionRow
    connection: Connection
    caller: Caller | None
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
        row = companies.connection(tx, connection_id, lock=True)
        earlier = store.open_sessions(tx, connection_id)
        if any(session.address != address and now - session.last_at < AT_WORK for session in earlier):
            return Opening(ticket, work=False, busy=True)
        for session in earlier:
            _end(ctx, tx, session, "dropped", now)
        caller = companies.caller(tx, connection_id)
        if caller is not None:
            caller = order_doubts.note_absence(tx, caller, now)
        companies.change_caller(tx, connection_id, last_seen_at=now)
        session_id = store.add_session(
            tx, connection_id=connection_id, ticket_hash=_hash(ticket), address=address, now=now
        )
        away = closed_for(row, companies.company(tx, row.company_id).time_zone, now)
        if away is not None:
            why = f"The window of this connection opens in {span(away)}." if away else "This connection is paused."
            store.change_session(tx, session_id, last_error=f"Nothing is done now. {why}")
            return Opening(ticket, work=False, postpone=min(away, LONGEST_POSTPONE))
        if caller is not None:
            vanished.ask(ctx, tx, caller, now)
        # Which company file answers has to be found out, or, after it moved, whether it is back.
        unsure = caller is not None and (caller.bound_at is None or caller.seen_path is not None)
        work = unsure or next_request(tx, connection_id, caller, now) is not None
        return Opening(ticket, work, company_file=str(row.settings.get("company_file") or ""))


def closed_for(row: ConnectionRow, time_zone: str, now: datetime) -> timedelta | None:
    """How long nothing may go to the system: its window is closed, or a person paused it. None when it may."""
    if row.paused_at is not None:
        return timedelta(0)
    return opens_in(row.window, time_zone, now) or None


def next_request(tx: Tx, connection_id: int, caller: Caller | None, now: datetime) -> Request | None:
    return store.next_waiting(tx, connection_id, clear_before=now - ledger.REMEMBERED, writes=_may_write(caller))


def waiting_count(tx: Tx, connection_id: int, caller: Caller | None, now: datetime) -> int:
    """How many requests may leave, as in `next_request`."""
    return store.waiting_count(tx, connection_id, clear_before=now - ledger.REMEMBERED, writes=_may_write(caller))


def _may_write(caller: Caller | None) -> bool:
    return caller is None or caller.seen_path is None


def is_open(ctx: Context, ticket: str) -> bool:
    """Whether the ticket is that of a session which has not ended."""
    with ctx.store.read() as tx:
        session = store.session_with(tx, _hash(ticket))
    return session is not None and session.state == "open"


def visit(ctx: Context, tx: Tx, ticket: str, now: datetime) -> Visit | None:
    found = store.called(tx, _hash(ticket))
    if found is None or found.session.state != "open":
        return None
    row = found.connection
    connection, source = ctx.opened(row, found.company), ctx.able(row.connector, CallingSource)
    return Visit(found.session, row, connection, found.caller, source, found.request, now)


def connection_failed(ctx: Context, ticket: str, hresult: str, message: str) -> None:
    """The caller could not open QuickBooks: keep why, for the connection's test, and end the session."""
    now = ctx.now()
    with ctx.store.begin() as tx:
        found = visit(ctx, tx, ticket, now)
        if found is None:
            return
        _, problem = found.source.read_refusal(hresult, message)
        companies.change_caller(tx, found.connection.id, last_problem=as_json(problem), last_seen_at=now)
        store.change_session(tx, found.session.id, last_error=problem.message)
        _end(ctx, tx, found.session, "closed", now)


def last_error(ctx: Context, ticket: str) -> str:
    """What went wrong in a session, short and for the eyes of the office."""
    with ctx.store.read() as tx:
        session = store.session_with(tx, _hash(ticket))
    if session is None:
        return "This session is not known. Press Update Selected again."
    return session.last_error or NOTHING


def close(ctx: Context, ticket: str) -> str:
    """The caller says good-bye; what it still held is recovered. Returns the line it shows as its status."""
    now = ctx.now()
    with ctx.store.begin() as tx:
        session = store.session_with(tx, _hash(ticket))
        if session is None:
            return "OK"
        if session.state == "open":
            companies.lock(tx, session.connection_id)
            _end(ctx, tx, session, "closed", now)
        return session.last_error or (f"Done, {count(session.turns, 'request')}." if session.turns else NOTHING)


def drop(ctx: Context, tx: Tx, connection_id: int) -> None:
    """End the sessions of a connection at once."""
    for session in store.open_sessions(tx, connection_id):
        _end(ctx, tx, session, "dropped", ctx.now())


def _end(ctx: Context, tx: Tx, session: Session, state: str, now: datetime) -> None:
    """End a session. A write whose answer is missing waits to be sent again as it was; iterators die with it."""
    store.change_session(tx, session.id, state=state, closed_at=now)
    for request in store.requests_of(tx, connection_id=session.connection_id, session_id=session.id, states=("out",)):
        if request.kind == "page" and request.attempt_id is not None:
            extracts.break_attempt(ctx, tx, request.attempt_id, LOST, now)
        elif request.kind in ("identity", vanished.KIND):
            store.change_request(tx, request.id, state="dropped", answered_at=now)
        else:
            store.change_request(tx, request.id, state="dropped", answered_at=now)
            again(tx, request)
    waiting = store.next_waiting(tx, session.connection_id, clear_before=now)
    while waiting is not None and waiting.urgent and waiting.attempt_id is not None:
        extracts.break_attempt(ctx, tx, waiting.attempt_id, LOST, now)
        waiting = store.next_waiting(tx, session.connection_id, clear_before=now)


def again(tx: Tx, request: Request) -> None:
    """Let the same bytes wait once more, after all else: what QuickBooks breaks down at keeps nothing from going."""
    store.add_request(
        tx,
        connection_id=request.connection_id,
        kind=request.kind,
        request=request.request,
        now=request.created_at,
        run_id=request.run_id,
        write_attempt_id=request.write_attempt_id,
    )


def end_silent(ctx: Context) -> None:
    """End the sessions that broke off without a word. Part of every tick."""
    now = ctx.now()
    with ctx.store.read() as tx:
        silent = [each for each in store.open_sessions(tx) if each.last_at < now - SESSION_SILENCE]
    for session in silent:
        with ctx.store.begin() as tx:
            companies.lock(tx, session.connection_id)
            # Read again under the lock: it may have spoken, or ended, since.
            if store.session_with(tx, session.ticket_hash) == session:
                _end(ctx, tx, session, "dropped", now)
