"""The database itself: opening it, its transactions, its migrations."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.pool import ConnectionPoolEntry

from routebooks.errors import ConfigError, FatalError

Tx = sa.Connection

MIGRATIONS = Path(__file__).parent / "migrations"


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


D = TypeVar("D", bound=_Dataclass)


def from_row(kind: type[D], row: sa.Row[Any]) -> D:
    """A dataclass filled from the columns of its name."""
    mapping = row._mapping
    return kind(**{f.name: mapping[f.name] for f in fields(kind)})


class Store:
    """Our database: SQLite in a file of its own, or PostgreSQL."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """A transaction that may write: committed at the end, rolled back when it raises."""
        with self.engine.begin() as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A transaction that only reads; it waits for nobody."""
        with self.engine.connect().execution_options(routebooks_read=True) as tx:
            yield tx

    def migrate(self) -> None:
        """Bring the tables up to this version. Raises ConfigError when the database is of a newer Routebooks."""
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        with self.begin() as tx:
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


def _engine(url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed)
        if parsed.get_backend_name() == "postgresql":
            return sa.create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
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
    engine = sa.create_engine(url, connect_args={"timeout": 60, "check_same_thread": False})

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _: ConnectionPoolEntry) -> None:
        # We say BEGIN ourselves: the driver's own would come too late to keep a reader that turns writer from failing.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        reads = connection.get_execution_options().get("routebooks_read")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def one(row: sa.Row[Any] | None, what: str) -> sa.Row[Any]:
    """The row, or FatalError: the code asked for something that must be there."""
    if row is None:
        raise FatalError(f"{what} is not in the database.", hint="It was removed while in use.", code="row-missing")
    return row
