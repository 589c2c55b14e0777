"""The foreign database that orders come from: opened for one call, read only, its errors put into our words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
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

from routebooks.errors import AGAIN, ConfigError, RoutebooksError, TransientError

#: The driver that each kind is opened with. MySQL's dialect takes MariaDB as well; MariaDB's does not take MySQL.
_DRIVERS = {
    "postgres": "postgresql",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mariadb+pymysql": "mysql+pymysql",
    "mssql": "mssql+pymssql",
}
_TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MariaDB or MySQL", "mssql": "SQL Server"}
_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
#: this computer's own names
_HERE = ("localhost", "127.0.0.1", "::1")
#: drivers that do not come along, and what installs them
_OPTIONAL = {"mssql+pymssql": "Install it: pip install 'routebooks[sqlserver]', or pymssql into the .venv of a clone."}
#: seconds that a database which does not answer is waited for, in the words of each driver that is told
_TIMEOUTS: Mapping[str, Mapping[str, Any]] = {
    # a broken network is noticed by the system; a long statement ends by `_limited`
    "psycopg": {"connect_timeout": 10, "tcp_user_timeout": 120_000},
    # its connect_timeout ends when the port is open: a server that then says nothing is for the other two
    "pymysql": {"connect_timeout": 10, "read_timeout": 120, "write_timeout": 120},
    "pymssql": {"login_timeout": 10, "timeout": 120},
    "pysqlite": {"timeout": 10},
}
#: how long a statement on PostgreSQL may take, as PostgreSQL writes it
_LONGEST = "2min"
_NO_ENTRY = re.compile(
    r"authentication failed|password|access denied|login failed|(?:role|database) .*does not exist|unknown database"
    r"|cannot open database|certificate verify failed",
    re.IGNORECASE,
)
#: what drivers call an operational error although the statement is at fault
_STATEMENT = re.compile(r"syntax|unknown column|no such|ambiguous|does ?n[o']t exist|denied|readonly", re.IGNORECASE)
#: SQLite calls every error operational; these pass
_PASSES = re.compile(r"locked|busy|disk|unable to open", re.IGNORECASE)
#: MariaDB's and MySQL's numbers of what passes by itself (the MariaDB error code reference): no room, shutting down, a
#: broken network, too many connections, locks, interrupted, killed, too slow; from 2000 on they are the driver's own
_MYSQL_PASSES = frozenset(
    (1021, 1037, 1040, 1041, 1053, 1077, 1079, *range(1152, 1162), 1184, 1189, 1190, 1203, 1205, 1213)
).union((1226, 1317, 1637, 1927, 1969, 3024, 3168))
#: the driver cannot prove who we are in the way that the server asks for
_MYSQL_NO_WAY_IN = 2059
_SECRET = re.compile(r"pass|pwd|secret|token|key|odbc_connect", re.IGNORECASE)
#: as many signs at the beginning of a secret begin to give it away
_TELLING = 4


def address(url: str) -> sa.URL:
    """The address of a database as SQLAlchemy takes it. Raises ConfigError (orders-address), telling no part of it."""
    try:
        made = sa.make_url(url.strip())
    except (ArgumentError, ValueError):
        raise ConfigError(
            "The address of the orders database cannot be read.",
            hint="Write it as postgresql://user:password@host:5432/database, or with another kind of database first; "
            "a file of SQLite as sqlite:///folder/name.db.",
            code="orders-address",
        ) from None
    return made.set(drivername=_DRIVERS.get(made.drivername, made.drivername))


def judge(text: str) -> None:
    """Look at an address as far as that goes without a call. Raises ConfigError (orders-address, orders-driver)."""
    _engine(address(text)).dispose()


def place(text: str) -> str:
    """Which database an address names, and as whom: the same for two ways of writing it; the password is left out.

    Another user may find other tables, or other rows. Names are not looked up: an address is compared without a call.
    """
    try:
        url = address(text)
    except ConfigError:
        return text
    kind, options = url.get_backend_name(), sorted(url.normalized_query.items())
    if kind == "sqlite" and url.database and not options:
        return f"{kind} {Path(url.database).resolve()}"
    host = (url.host or "").lower().rstrip(".")
    server = "" if host in _HERE else host, url.port or _PORTS.get(kind)
    shown = [(name, values) for name, values in options if not _SECRET.search(name)]
    return repr((kind, server, url.username, url.database, shown))


def title(url: sa.URL) -> str:
    """The kind of database in the words of its maker."""
    return _TITLES.get(url.get_backend_name(), url.get_backend_name())


def is_tried(url: sa.URL) -> bool:
    """Whether our tests run on this kind of database for real."""
    return url.get_backend_name() in {"sqlite", "postgresql", "mysql"}


@contextmanager
def opened(url: sa.URL, *, writing: bool = False) -> Iterator[sa.Connection]:
    """A connection for one call, in one transaction, undone unless `writing`.

    Raises ConfigError (orders-driver, orders-login, orders-sql) and TransientError (orders-away, orders-file-missing);
    no message has the password in it.
    """
    engine = _engine(url)
    try:
        with _connected(engine, url) as connection:
            try:
                _limited(connection)
                if not writing:
                    _read_only(connection)
                yield connection
                if writing:
                    connection.commit()
            except SQLAlchemyError as error:
                raise _in_our_words(error, url) from None
    finally:
        engine.dispose()


def cleaned(text: str, url: sa.URL) -> str:
    """A text without the secrets of the address, as they are and as they are written in an address."""
    secrets = [str(url.password or "")]
    for name, values in url.query.items():
        if _SECRET.search(name):
            secrets += [values] if isinstance(values, str) else values
    forms = sorted({form for each in secrets for form in _forms(each) if form}, key=len, reverse=True)
    for secret in forms:
        text = text.replace(secret, "***")
    for secret in forms:
        # MariaDB quotes a piece of the statement and cuts it off anywhere
        for end in range(len(secret) - 1, _TELLING - 1, -1):
            text = re.sub(re.escape(secret[:end]) + r"(?=(?:\.\.\.)?['\"`])", "***", text)
    return text


def _engine(url: sa.URL) -> sa.Engine:
    try:
        engine = sa.create_engine(url, poolclass=NullPool, connect_args=_arguments(url), hide_parameters=True)
        sa.event.listen(engine, "handle_error", _leave_unread)
        return engine
    except (NoSuchModuleError, ImportError) as error:
        message = f"There is no driver for databases of the kind {url.drivername}."
        hint = "Correct the beginning of the address, or install the driver beside Routebooks."
        if url.drivername in _OPTIONAL:
            message, hint = f"The driver for {title(url)} is not installed.", _OPTIONAL[url.drivername]
        raise ConfigError(message, hint=hint, code="orders-driver", detail=cleaned(str(error), url)) from None
    except (SQLAlchemyError, ValueError, TypeError) as error:
        raise ConfigError(
            "The address of the orders database cannot be used.",
            hint="Compare it with SQLAlchemy's pages on database addresses.",
            code="orders-address",
            detail=cleaned(str(error), url),
        ) from None


def _arguments(url: sa.URL) -> Mapping[str, Any]:
    """What the driver is told besides the address; the address has the last word."""
    driver = url.get_dialect().driver
    timeouts = {name: seconds for name, seconds in _TIMEOUTS.get(driver, {}).items() if name not in url.query}
    # it would send a text as Latin-1; who made the user mostly typed UTF-8
    return timeouts | ({"password": url.password.encode()} if driver == "pymysql" and url.password else {})


def _leave_unread(context: sa.engine.ExceptionContext) -> None:
    # PyMySQL reads the rest of the rows before it lets go of them, even of a connection that is lost, and fails then
    # where nobody can catch it (its issue 1032)
    rows: Any = getattr(getattr(context.execution_context, "cursor", None), "_result", None)
    if context.is_disconnect and hasattr(rows, "unbuffered_active"):
        rows.unbuffered_active = False


def _connected(engine: sa.Engine, url: sa.URL) -> sa.Connection:
    # SQLite would make a missing file, and we only read
    is_file = url.get_backend_name() == "sqlite" and url.database and "uri" not in url.query
    if is_file and not Path(str(url.database)).is_file():
        raise TransientError(
            f"There is no file {url.database}, which the address of the orders database names.",
            hint=f"{AGAIN} If it stays so, put the file there, or correct the address.",
            code="orders-file-missing",
        )
    try:
        return engine.connect()
    except (SQLAlchemyError, OSError, ValueError, TypeError, RuntimeError) as error:
        detail = _raw(error)
        # an option that a driver does not know is a wrong program in its words
        wrong = isinstance(error, ProgrammingError) or not isinstance(error, DBAPIError | OSError)
        number = _mysql_number(error, url)
        if wrong or _NO_ENTRY.search(detail) or (number is not None and not _mysql_passes(number)):
            raise ConfigError(
                "The orders database does not let us in.",
                hint="Check user, password, database name and options in the address.",
                code="orders-login",
                detail=cleaned(detail, url),
            ) from None
        raise _away(cleaned(detail, url)) from None


def _limited(connection: sa.Connection) -> None:
    # not as an option of the address, like _TIMEOUTS: a pooler between may refuse that. What is set elsewhere wins
    if connection.dialect.name == "postgresql":
        unset = "current_setting('statement_timeout') = '0'"
        connection.exec_driver_sql(f"SELECT set_config('statement_timeout', '{_LONGEST}', true) WHERE {unset}")


def _read_only(connection: sa.Connection) -> None:
    # elsewhere the transaction that is never committed has to do
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
    elif connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
    elif connection.dialect.name == "mysql":
        # there a statement can end a transaction; the next one is read only, too
        connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")


def _in_our_words(error: SQLAlchemyError, url: sa.URL) -> RoutebooksError:
    detail = _raw(error)
    if isinstance(error, DBAPIError) and (error.connection_invalidated or _passes(error, detail, url)):
        return _away(cleaned(detail, url))
    return ConfigError(
        "The orders database does not take the statement.",
        hint="Correct the query or the write-back statement of the connection; the database says why in the detail.",
        code="orders-sql",
        detail=cleaned(detail, url),
    )


def _passes(error: DBAPIError, detail: str, url: sa.URL) -> bool:
    """Whether the error can pass without anybody changing the statement."""
    number = _mysql_number(error, url)
    if number is not None:
        return _mysql_passes(number)
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    if url.get_backend_name() == "sqlite":
        return _PASSES.search(detail) is not None
    return not _STATEMENT.search(detail)


def _mysql_number(error: Exception, url: sa.URL) -> int | None:
    number = _numbered(error)[0] if url.get_backend_name() == "mysql" else None
    return number if isinstance(number, int) else None


def _mysql_passes(number: int) -> bool:
    # 0 is what the driver says of a connection that it has closed
    return number in _MYSQL_PASSES or number == 0 or (2000 <= number < 3000 and number != _MYSQL_NO_WAY_IN)


def _away(detail: str) -> TransientError:
    return TransientError(
        "The orders database does not answer.",
        hint=f"{AGAIN} If it stays so, see that it runs and can be reached from this computer.",
        code="orders-away",
        detail=detail,
    )


def _raw(error: Exception) -> str:
    number, said = _numbered(error)
    # PostgreSQL adds a piece of the statement, cut off anywhere: half a secret could not be recognised
    primary = getattr(getattr(said, "diag", None), "message_primary", None)
    words = str(primary or said).strip()
    return words if number is None else f"{number}: {words}"


def _numbered(error: Exception) -> tuple[int | None, Any]:
    """The number of an error and its words, of drivers that keep them apart; else None and the driver's error."""
    said = error.orig if isinstance(error, DBAPIError) and error.orig else error
    match said.args:
        case ((int(number), str() | bytes() as words),) | (int(number), str() | bytes() as words) if not isinstance(
            said, OSError
        ):
            return number, words if isinstance(words, str) else words.decode(errors="replace")
        case _:
            return None, said


def _forms(secret: str) -> tuple[str, ...]:
    # people, drivers and SQLAlchemy each let other signs stand when they write one in an address
    return secret, quote_plus(secret), *(quote(secret, safe=safe) for safe in ("", "/", " +"))
