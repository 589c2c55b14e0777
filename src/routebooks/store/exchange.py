"""The exchange: requests that wait for a system that calls us, and the sessions in which it calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from routebooks.store import rows
from routebooks.store.companies import Caller, CompanyRow, ConnectionRow, lock
from routebooks.store.database import Tx, from_row
from routebooks.store.tables import callers, companies, connections, exchange, sessions


@dataclass(frozen=True)
class Session:
    """One visit of a calling system, from its log-in to its good-bye."""

    id: int
    connection_id: int
    ticket_hash: str
    state: str
    verified: bool
    address: str
    path: str | None
    turns: int
    last_error: str | None
    opened_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class Request:
    """One request in the exchange."""

    id: int
    connection_id: int
    run_id: int | None
    kind: str
    attempt_id: int | None
    write_attempt_id: int | None
    urgent: bool
    state: str
    request: bytes
    session_id: int | None
    created_at: datetime
    out_at: datetime | None


@dataclass(frozen=True)
class Called:
    """Whose ticket came with a call, and what its session has taken and not answered yet."""

    session: Session
    connection: ConnectionRow
    company: CompanyRow
    caller: Caller | None
    request: Request | None


def add_session(tx: Tx, *, connection_id: int, ticket_hash: str, address: str, now: datetime) -> int:
    """A new session; its id."""
    values = {
        "connection_id": connection_id,
        "ticket_hash": ticket_hash,
        "state": "open",
        "verified": False,
        "address": address,
        "opened_at": now,
        "last_at": now,
    }
    return rows.add(tx, sessions, values)


def session_with(tx: Tx, ticket_hash: str) -> Session | None:
    """The session of a ticket, if there is one."""
    return rows.find(tx, Session, sessions, ticket_hash=ticket_hash)


def called(tx: Tx, ticket_hash: str) -> Called | None:
    """Whose ticket it is, if there is one; the connection is locked to the end of the transaction."""
    if tx.dialect.name == "postgresql":
        # First the lock, then a look of its own: a log-in that held it may have ended the session.
        tx.execute(_LOCK, {"ticket_hash": ticket_hash})
    row = tx.execute(_CALLED, {"ticket_hash": ticket_hash}).one_or_none()
    return Called(*rows.parts(row, Session, ConnectionRow, CompanyRow, Caller, Request)) if row else None


def open_sessions(tx: Tx, connection_id: int | None = None) -> list[Session]:
    """The sessions that have not ended, of one connection or of all."""
    known: dict[str, Any] = {} if connection_id is None else {"connection_id": connection_id}
    return rows.every(tx, Session, sessions, state="open", **known)


def change_session(tx: Tx, session_id: int, **values: Any) -> None:
    """Set columns of a session."""
    rows.change(tx, sessions, session_id, values)


def add_request(
    tx: Tx,
    *,
    connection_id: int,
    kind: str,
    request: bytes,
    now: datetime,
    run_id: int | None = None,
    attempt_id: int | None = None,
    write_attempt_id: int | None = None,
    urgent: bool = False,
) -> int:
    """Put a request into the exchange; its id."""
    values = {
        "connection_id": connection_id,
        "run_id": run_id,
        "kind": kind,
        "attempt_id": attempt_id,
        "write_attempt_id": write_attempt_id,
        "urgent": urgent,
        "state": "waiting",
        "request": request,
        "created_at": now,
    }
    return rows.add(tx, exchange, values)


def request(tx: Tx, request_id: int) -> Request:
    """The request with this id."""
    return rows.get(tx, Request, exchange, request_id)


def change_request(tx: Tx, request_id: int, **values: Any) -> None:
    """Set columns of a request."""
    rows.change(tx, exchange, request_id, values)


def is_out(tx: Tx, request: Request) -> bool:
    """Whether a request is not answered yet; its connection is locked to the end of the transaction: so it stays."""
    lock(tx, request.connection_id)
    return tx.execute(_OUT, {"request_id": request.id}).one_or_none() is not None


def next_waiting(tx: Tx, connection_id: int, *, clear_before: datetime, writes: bool = True) -> Request | None:
    """The request whose turn it is: an open iterator first, then in order; without writes where those are held.

    A clearing has its turn only when it was made before `clear_before`.
    """
    given = {"for_connection": connection_id, "clear_before": clear_before}
    row = tx.execute(_NEXT if writes else _NEXT_READ, given).one_or_none()
    return from_row(Request, row) if row else None


def drop_all(tx: Tx, connection_id: int, now: datetime, *, kind: str | None = None) -> None:
    """Nothing goes to this connection any more; nothing of one kind, where one is given."""
    query = exchange.update().where(exchange.c.connection_id == connection_id, exchange.c.state.in_(("waiting", "out")))
    if kind is not None:
        query = query.where(exchange.c.kind == kind)
    tx.execute(query.values(state="dropped", answered_at=now))


def waiting_count(tx: Tx, connection_id: int, *, clear_before: datetime, writes: bool = True) -> int:
    """How many requests wait for this connection and may leave, as in `next_waiting`."""
    given = {"for_connection": connection_id, "clear_before": clear_before}
    return int(tx.execute(_COUNT if writes else _COUNT_READ, given).scalar_one())


_TICKET = sessions.c.ticket_hash == sa.bindparam("ticket_hash")
_LOCK = (
    sa.select(connections.c.id)
    .join(sessions, sessions.c.connection_id == connections.c.id)
    .where(_TICKET)
    .with_for_update(of=connections)
)
_CALLED = (
    sa.select(
        *rows.columns(Session, sessions),
        *rows.columns(ConnectionRow, connections),
        *rows.columns(CompanyRow, companies),
        *rows.columns(Caller, callers),
        *rows.columns(Request, exchange),
    )
    .select_from(sessions)
    .join(connections, connections.c.id == sessions.c.connection_id)
    .join(companies, companies.c.id == connections.c.company_id)
    .outerjoin(callers, callers.c.connection_id == connections.c.id)
    .outerjoin(
        exchange,
        # the connection, too: its open requests are few, those of all are many at the full hour
        sa.and_(
            exchange.c.connection_id == connections.c.id,
            exchange.c.state == "out",
            exchange.c.session_id == sessions.c.id,
        ),
    )
    .where(_TICKET)
)
_OUT = sa.select(exchange.c.id).where(exchange.c.id == sa.bindparam("request_id"), exchange.c.state == "out")
#: what waits for a connection and may leave. Asked several times a call, so built once
_DUE = (
    exchange.c.connection_id == sa.bindparam("for_connection"),
    exchange.c.state == "waiting",
    sa.or_(exchange.c.kind != "clear", exchange.c.created_at < sa.bindparam("clear_before")),
)
_NEXT = sa.select(exchange).where(*_DUE).order_by(exchange.c.urgent.desc(), exchange.c.id).limit(1)
_COUNT = sa.select(sa.func.count()).where(*_DUE)
_READS = exchange.c.kind.not_in(("write", "find", "clear", "standing"))
_NEXT_READ, _COUNT_READ = _NEXT.where(_READS), _COUNT.where(_READS)


def requests_of(tx: Tx, *, states: tuple[str, ...] = ("waiting", "out"), **known: int) -> list[Request]:
    """The requests in these states with these values (of a run, an attempt or a session), in order."""
    return [from_row(Request, row) for row in tx.execute(_requests(states, tuple(known)), known)]


@cache
def _requests(states: tuple[str, ...], columns: tuple[str, ...]) -> sa.Select[Any]:
    known = (exchange.c[name] == sa.bindparam(name) for name in columns)
    return sa.select(exchange).where(exchange.c.state.in_(states), *known).order_by(exchange.c.id)
