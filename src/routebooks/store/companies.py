"""Companies, their connections, and the callers behind those connections whose systems call us."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from routebooks.store import rows
from routebooks.store.database import Tx, from_row
from routebooks.store.tables import callers, companies, connections


@dataclass(frozen=True)
class CompanyRow:
    """One distributor."""

    id: int
    name: str
    cust_id: str
    time_zone: str
    created_at: datetime
    removed_at: datetime | None = None


@dataclass(frozen=True)
class ConnectionRow:
    """A connection as stored; its secrets are sealed."""

    id: int
    company_id: int
    name: str
    connector: str
    settings: dict[str, Any]
    secrets: str
    window: dict[str, str] | None
    paused_at: datetime | None
    created_at: datetime
    removed_at: datetime | None = None
    tested_at: datetime | None = None
    test_problem: dict[str, str] | None = None


@dataclass(frozen=True)
class Caller:
    """Who calls us for a connection, which company file it is bound to, and what it last told."""

    connection_id: int
    user_name: str
    password_hash: str
    file_id: str
    bound_company: str | None
    bound_path: str | None
    bound_at: datetime | None
    seen_path: str | None
    product: str | None
    refused: dict[str, str] | None
    last_problem: dict[str, str] | None
    last_seen_at: datetime | None
    silent_after_minutes: int
    wrong_password_at: datetime | None = None
    shut_out_until: datetime | None = None
    away_from: datetime | None = None
    away_until: datetime | None = None
    standing_at: datetime | None = None


def add_company(tx: Tx, *, name: str, cust_id: str, time_zone: str, now: datetime) -> int:
    """A new company; its id."""
    values = {"name": name, "cust_id": cust_id, "time_zone": time_zone, "created_at": now}
    return rows.add(tx, companies, values)


def change_company(tx: Tx, company_id: int, **values: Any) -> None:
    """Set columns of a company."""
    rows.change(tx, companies, company_id, values)


def name_of_removed(name: str, row_id: int) -> str:
    """What a removed company, connection or flow is called, so that its name can be used anew."""
    return f"{name} (removed, {row_id})"


def all_companies(tx: Tx, *, removed: bool = False) -> list[CompanyRow]:
    """Every company, by name; with the removed ones where their history counts."""
    query = sa.select(companies).order_by(companies.c.name)
    if not removed:
        query = query.where(companies.c.removed_at.is_(None))
    return [from_row(CompanyRow, row) for row in tx.execute(query)]


def removed_company(tx: Tx, cust_id: str) -> CompanyRow | None:
    """The company of this cust_id that was removed last, if there is one."""
    query = sa.select(companies).where(companies.c.removed_at.is_not(None)).order_by(companies.c.removed_at.desc())
    rows = [from_row(CompanyRow, row) for row in tx.execute(query)]
    return next((row for row in rows if row.cust_id.casefold() == cust_id.casefold()), None)


def company(tx: Tx, company_id: int) -> CompanyRow:
    """The company with this id."""
    return rows.get(tx, CompanyRow, companies, company_id)


def company_named(tx: Tx, name: str) -> CompanyRow | None:
    """The company of this name, if there is one; a removed one has a name of its own."""
    return rows.find(tx, CompanyRow, companies, name=name)


def add_connection(
    tx: Tx, *, company_id: int, name: str, connector: str, settings: dict[str, Any], secrets: str, now: datetime
) -> int:
    """A new connection; its id."""
    values = {
        "company_id": company_id,
        "name": name,
        "connector": connector,
        "settings": settings,
        "secrets": secrets,
        "created_at": now,
    }
    return rows.add(tx, connections, values)


def change_connection(tx: Tx, connection_id: int, **values: Any) -> None:
    """Set columns of a connection."""
    rows.change(tx, connections, connection_id, values)


def connections_of(tx: Tx, company_id: int | None = None) -> list[ConnectionRow]:
    """The connections of a company, or of all, by name; without the removed ones."""
    query = sa.select(connections).order_by(connections.c.company_id, connections.c.name)
    query = query.where(connections.c.removed_at.is_(None))
    if company_id is not None:
        query = query.where(connections.c.company_id == company_id)
    return [from_row(ConnectionRow, row) for row in tx.execute(query)]


def connection(tx: Tx, connection_id: int, *, lock: bool = False) -> ConnectionRow:
    """The connection with this id; locked to the end of the transaction when asked, so that its work goes in order."""
    return rows.get(tx, ConnectionRow, connections, connection_id, lock=lock)


def lock(tx: Tx, connection_id: int) -> None:
    """Let nobody else work for a connection to the end of the transaction; on SQLite every writer is alone."""
    if tx.dialect.name == "postgresql":
        tx.execute(_LOCK, {"id": connection_id})


_LOCK = sa.select(connections.c.id).where(connections.c.id == sa.bindparam("id")).with_for_update()


def connection_named(tx: Tx, company_id: int, name: str) -> ConnectionRow | None:
    """The company's connection of this name, if there is one."""
    return rows.find(tx, ConnectionRow, connections, company_id=company_id, name=name)


def add_caller(
    tx: Tx, *, connection_id: int, user_name: str, password_hash: str, file_id: str, silent_after_minutes: int
) -> None:
    """Who may call for a connection."""
    tx.execute(
        callers.insert().values(
            connection_id=connection_id,
            user_name=user_name,
            password_hash=password_hash,
            file_id=file_id,
            silent_after_minutes=silent_after_minutes,
        )
    )


def remove_caller(tx: Tx, connection_id: int) -> None:
    """Nobody may call for a connection any more."""
    tx.execute(callers.delete().where(callers.c.connection_id == connection_id))


def change_caller(tx: Tx, connection_id: int, **values: Any) -> None:
    """Set columns of a caller."""
    rows.change(tx, callers, connection_id, values)


def caller(tx: Tx, connection_id: int) -> Caller | None:
    """The caller of a connection, if its system calls us."""
    return rows.find(tx, Caller, callers, connection_id=connection_id)


def caller_named(tx: Tx, user_name: str) -> Caller | None:
    """The caller with this user name, if there is one."""
    return rows.find(tx, Caller, callers, user_name=user_name)
