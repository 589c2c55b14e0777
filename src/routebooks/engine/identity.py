"""Which company file answers: nothing is written before it is the bound one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from routebooks.connectors.base import CallingSource, Connection, Identity
from routebooks.engine.context import as_json
from routebooks.errors import Problem, RoutebooksError
from routebooks.store import audit, companies, exchange
from routebooks.store.companies import Caller
from routebooks.store.database import Tx
from routebooks.store.exchange import Session


def read(
    connection: Connection, source: CallingSource, session: Session, answer: bytes, now: datetime
) -> Callable[[Tx], bool]:
    """Read the answer to the identity query; the function returned binds, verifies or refuses, in a transaction."""
    try:
        found = source.read_identity(connection, answer)
    except RoutebooksError as error:
        unreadable = error.problem
        return lambda tx: _refuse(tx, connection, session, unreadable)
    return lambda tx: _decide(tx, connection, session, found, now)


def _decide(tx: Tx, connection: Connection, session: Session, found: Identity, now: datetime) -> bool:
    caller = companies.caller(tx, connection.id)
    if caller is None:
        return False
    problem = judge(caller, found)
    if problem is not None:
        return _refuse(tx, connection, session, problem)
    path = session.path or ""
    if caller.bound_at is None:
        companies.change_caller(
            tx, connection.id, bound_company=found.company_name, bound_path=path, bound_at=now, seen_path=None
        )
        audit.note(
            tx,
            company_id=connection.company.id,
            actor="web connector",
            action="bind",
            subject=connection.name,
            now=now,
            company_file=found.company_name,
            path=path,
        )
    else:
        moved = path != caller.bound_path
        companies.change_caller(tx, connection.id, seen_path=path if moved else None)
    companies.change_caller(tx, connection.id, refused=None, last_problem=None, product=found.product or None)
    exchange.change_session(tx, session.id, verified=True)
    return True


def judge(caller: Caller, found: Identity) -> Problem | None:
    """Why this company file is not the one the connection is for; None when it is."""
    if not found.file_id:
        return Problem(
            "company-unmarked",
            f"The company file {found.company_name!r} does not carry the mark of this connection.",
            "In the Web Connector remove the application, then add its .qwc file again with this company file open.",
        )
    if found.file_id.strip("{}").lower() != caller.file_id.strip("{}").lower():
        return Problem(
            "company-other-mark",
            f"The company file {found.company_name!r} belongs to another connection.",
            "Open the right company file, or add this connection's own .qwc file with this company file open.",
            found.file_id,
        )
    if caller.bound_at is not None and found.company_name != caller.bound_company:
        return Problem(
            "company-other-name",
            f"QuickBooks answers as {found.company_name!r}, but this connection is bound to {caller.bound_company!r}.",
            "Open the right company file. If the company was renamed, run `routebooks connection rebind`.",
        )
    return None


def _refuse(tx: Tx, connection: Connection, session: Session, problem: Problem) -> bool:
    companies.change_caller(tx, connection.id, refused=as_json(problem), last_problem=as_json(problem))
    exchange.change_session(tx, session.id, last_error=problem.message)
    return False
