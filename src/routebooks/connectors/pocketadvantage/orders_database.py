"""The foreign database that orders come from: opened for one call, read only, its errors put into our words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, quote_plus

import sqlalchemy as sa
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.pool import NullPool

from routebooks.errors import ConfigError, RoutebooksError, TransientError

#: seconds that a database which does not answer is waited for, in the words of each driver that is told
_TIMEOUTS = {
    "psycopg": {"connect_timeout": 10},
    "pymysql": {"connect_timeout": 10},
    "pymssql": {"login_timeout": 10},
    "pysqlite": {"timeout": 10},
}
_NO_ENTRY = re.compile(
    r"authentication failed|password|access denied|login failed|(?:role|database) .*does not exist|unknown database"
    r"|cannot open database",
    re.IGNORECASE,
)
#: what drivers call an operational error although the statement is at fault
_STATEMENT = re.compile(r"syntax|unknown column|no such|ambiguous|does ?n[o']t exist|denied|readonly", re.IGNORECASE)
#: SQLite calls every error operational; these pass
_PASSES = re.compile(r"locked|busy|disk|unable to open", re.IGNORECASE)
_SECRET = re.compile(r"pass|pwd|secret|token|key|odbc_connect", re.IGNORECASE)


def address(url: str) -> sa.URL:
    """The address of a database as SQLAlchemy takes it. Raises ConfigError (orders-address), telling no part of it."""
    try:
        return sa.make_url(url.strip())
    except (ArgumentError, ValueError):
        raise ConfigError(
            "The address of the orders database cannot be read.",
            hint="Write it as postgresql://user:password@host:5432/database, or with another kind of database first.",
            code="orders-address",
        ) from None


@contextmanager
def opened(url: sa.URL, *, writing: bool = False) -> Iterator[sa.Connection]:
    """A connection for one call, in one transaction, undone unless `writing`.

    Raises ConfigError (orders-driver, orders-login, orders-sql) and TransientError (orders-away); no message has the
    password in it.
    """
    engine = _engine(url)
    try:
        with _connected(engine, url) as connection:
            try:
                if not writing:
                    _read_only(connection)
                yield connection
                if writing:
                    connection.commit()
            except SQLAlchemyError as error:
                raise _in_our_words(error, url) from None
    finally:
        engine.dispose()


def _engine(url: sa.URL) -> sa.Engine:
    try:
        driver = url.get_dialect().driver
        return sa.create_engine(url, poolclass=NullPool, connect_args=_TIMEOUTS.get(driver, {}), hide_parameters=True)
    except (NoSuchModuleError, ImportError) as error:
        raise ConfigError(
            f"There is no driver for databases of the kind {url.drivername}.",
            hint="Correct the beginning of the address, or install the driver beside Routebooks.",
            code="orders-driver",
            detail=_clean(str(error), url),
        ) from None
    except (SQLAlchemyError, ValueError, TypeError) as error:
        raise ConfigError(
            "The address of the orders database cannot be used.",
            hint="Compare it with SQLAlchemy's pages on database addresses.",
            code="orders-address",
            detail=_clean(str(error), url),
        ) from None


def _connected(engine: sa.Engine, url: sa.URL) -> sa.Connection:
    # SQLite would make a missing file, and we only read
    is_file = url.get_backend_name() == "sqlite" and url.database and "uri" not in url.query
    if is_file and not Path(str(url.database)).is_file():
        raise _away(f"there is no file {url.database}")
    try:
        return engine.connect()
    except (SQLAlchemyError, OSError, ValueError, TypeError) as error:
        detail = _raw(error)
        # an option that a driver does not know is a wrong program in its words
        wrong = isinstance(error, ProgrammingError) or not isinstance(error, DBAPIError | OSError)
        if wrong or _NO_ENTRY.search(detail):
            raise ConfigError(
                "The orders database does not let us in.",
                hint="Check user, password, database name and options in the address.",
                code="orders-login",
                detail=_clean(detail, url),
            ) from None
        raise _away(_clean(detail, url)) from None


def _read_only(connection: sa.Connection) -> None:
    # elsewhere the transaction that is never committed has to do
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
    elif connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")


def _in_our_words(error: SQLAlchemyError, url: sa.URL) -> RoutebooksError:
    detail = _raw(error)
    if isinstance(error, DBAPIError):
        operational = isinstance(error, OperationalError | InterfaceError)
        passes = _PASSES.search(detail) if url.get_backend_name() == "sqlite" else not _STATEMENT.search(detail)
        if error.connection_invalidated or (operational and passes):
            return _away(_clean(detail, url))
    return ConfigError(
        "The orders database does not take the statement.",
        hint="Correct the query or the write-back statement of the connection; the database says why in the detail.",
        code="orders-sql",
        detail=_clean(detail, url),
    )


def _away(detail: str) -> TransientError:
    return TransientError(
        "The orders database does not answer.",
        hint="See that it runs and can be reached from this computer; it is tried again by itself.",
        code="orders-away",
        detail=detail,
    )


def _raw(error: Exception) -> str:
    said = error.orig if isinstance(error, DBAPIError) and error.orig else error
    # PostgreSQL adds a piece of the statement, cut off anywhere: half a secret could not be recognised
    primary = getattr(getattr(said, "diag", None), "message_primary", None)
    return str(primary or said).strip()


def _forms(secret: str) -> tuple[str, ...]:
    # people, drivers and SQLAlchemy each let other signs stand when they write one in an address
    return secret, quote_plus(secret), *(quote(secret, safe=safe) for safe in ("", "/", " +"))


def _clean(text: str, url: sa.URL) -> str:
    """A text without the secrets of the address, as they are and as they are written in an address."""
    secrets = [str(url.password or "")]
    for name, values in url.query.items():
        if _SECRET.search(name):
            secrets += [values] if isinstance(values, str) else values
    for secret in sorted({form for each in secrets for form in _forms(each) if form}, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text
