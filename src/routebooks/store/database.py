"""The database itself: opening it, its transactions, its migrations."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.pool import ConnectionPoolEntry

from routebooks.errors import ConfigError, FatalError
from routebooks.store.line import Line

Tx = sa.Connection

#: connections to a file that are kept open
_CONNECTIONS = 32

MIGRATIONS = Path(__file__).parent / "migrations"


class Dataclass(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


D = TypeVar("D", bound=Dataclass)


def from_row(kind: type[D], row: sa.Row[Any]) -> D:
    """A dataclass filled from the columns of its name."""
    mapping = row._mapping
    return kind(**{name: mapping[name] for name in names(kind)})


@cache
def names(kind: type[Dataclass]) -> tuple[str, ...]:
    """The fields of a dataclass, in order."""
    return tuple(each.name for each in fields(kind))


class Store:
    """Our database: SQLite in a file of its own, or PostgreSQL."""

    def __init__(self, url: str, name: str = "") -> None:
        """Opens nothing yet. `name` is what this process is known by in PostgreSQL. Raises ConfigError."""
        self.engine, self.name = _engine(url, name), name
        #: looked at in every transaction that may write; what it raises keeps that from happening
        self.fence: Callable[[Tx], None] | None = None
        self._write = self.engine.begin if self.shared else Line(self.engine).transaction

    @property
    def shared(self) -> bool:
        """Whether other processes, of other machines too, may work on this database."""
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """A transaction that may write: committed at the end, rolled back when it raises. One a thread."""
        with self._write() as tx:
            if self.fence is not None:
                self.fence(tx)
            yield tx

    def check(self) -> None:
        """Raises what keeps this process from writing, if anything does: to be asked before what nobody can undo."""
        if self.fence is not None:
            with self.begin():
                pass

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A transaction that only reads; it waits for nobody."""
        with self.engine.connect() as tx:
            if not self.shared:
                tx.exec_driver_sql("BEGIN")
            yield tx

    def migrate(self) -> None:
        """Bring the tables up to this version. Raises ConfigError when the database is of a newer Routebooks."""
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        with self.begin() as tx:
            turn(tx, "migrate", wait=True)
            current = MigrationContext.configure(tx).get_current_revision()
            if current is not None and current not in known:
                raise ConfigError(
                    "The database was made by a newer Routebooks.",
                    hint="Install that version again, or restore a backup from before the update.",
                    code="database-newer",
                    detail=current,
                )
            config.attributes["connection"] = tx
            command.upgrade(config, "head")

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def turn(tx: Tx, work: str, *, wait: bool = False) -> bool:
    """Whether this transaction is the only one at the work of this name, to its end; `wait` waits until it is.

    On SQLite every transaction that may write is alone.
    """
    if tx.dialect.name != "postgresql":
        return True
    lock = sa.func.pg_advisory_xact_lock if wait else sa.func.pg_try_advisory_xact_lock
    return tx.execute(sa.select(lock(zlib.crc32(f"routebooks {work}".encode())))).scalar_one() is not False


def application_name(name: str) -> str:
    """What PostgreSQL calls the connections of the process of this name."""
    return f"routebooks {name}".strip()


def file_of(url: str) -> Path | None:
    """The file of a database of SQLite; None for another kind, or for an address that cannot be read."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        return None
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def is_damaged(error: sa.exc.DBAPIError) -> bool:
    """Whether an error says that a file of SQLite is damaged, or none at all."""
    code = getattr(error.orig, "sqlite_errorcode", 0)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _engine(url: str, name: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed)
        if parsed.get_backend_name() == "postgresql":
            given = {"application_name": application_name(name)}
            return sa.create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, connect_args=given)
    except sa.exc.ArgumentError as error:
        raise ConfigError("The database address cannot be read.", hint="Write sqlite:///folder/name.db.") from error
    raise ConfigError(
        f"Routebooks keeps its data in SQLite or PostgreSQL, not in {parsed.get_backend_name()}.",
        hint="Set database_url to sqlite:///… or postgresql://….",
        code="database-kind",
    )


def _sqlite(url: sa.URL) -> sa.Engine:
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    # As many stay open as there are threads at work: opening one takes longer than most calls.
    engine = sa.create_engine(
        url,
        connect_args={"timeout": 60, "check_same_thread": False},
        poolclass=sa.QueuePool,
        pool_size=_CONNECTIONS,
        max_overflow=-1,
    )

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _: ConnectionPoolEntry) -> None:
        # We say BEGIN ourselves: the driver's own would come too late to keep a reader that turns writer from failing.
        # Not in a listener of SQLAlchemy's: with one, every statement takes a tenth longer.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


#: the greatest number that a database takes for an id
_LAST_ID = 2**63 - 1


def is_id(number: int) -> bool:
    """Whether a number can be an id at all: a database that is asked for a greater one answers with an error."""
    return 0 < number <= _LAST_ID


def one(row: sa.Row[Any] | None, what: str) -> sa.Row[Any]:
    """The row, or FatalError: the code asked for something that must be there."""
    if row is None:
        raise FatalError(f"{what} is not in the database.", hint="It was removed while in use.", code="row-missing")
    return row
