"""The company file: one SQLite database for everything, so that a kill or a backup takes all or none."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from routebooks.sandbox.shapes import Fields

_TABLES = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS object (
    number INTEGER PRIMARY KEY,
    family TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL,
    label TEXT NOT NULL, sought TEXT NOT NULL, active INTEGER NOT NULL, modified INTEGER NOT NULL,
    fields TEXT NOT NULL,
    UNIQUE (family, id)
);
CREATE INDEX IF NOT EXISTS object_sought ON object (family, sought);
CREATE INDEX IF NOT EXISTS object_id ON object (family, id COLLATE NOCASE);
CREATE TABLE IF NOT EXISTS deleted (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, label TEXT NOT NULL,
    created TEXT NOT NULL, deleted INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS message_set (id TEXT PRIMARY KEY, checksum TEXT NOT NULL, answers TEXT NOT NULL);
"""

_COLUMNS = "family, id, kind, label, active, modified, fields"


@dataclass(frozen=True)
class Stored:
    """An object as the file holds it. `label` is the name people know it by; `modified` seconds since 1970."""

    family: str
    id: str
    kind: str
    label: str
    active: bool
    modified: int
    fields: Fields


@dataclass(frozen=True)
class Deleted:
    """What the file remembers of an object that was deleted; `deleted` in seconds since 1970."""

    kind: str
    id: str
    label: str
    created: str
    deleted: int


class CompanyFile:
    """Tables and transactions of a company file; one lock lets several threads share it."""

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_TABLES)
        self._depth = 0

    def close(self) -> None:
        """Closes the file."""
        with self.lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; inside another one, a part that can fail alone."""
        with self.lock:
            point = f"point{self._depth}"
            self._db.execute(f"SAVEPOINT {point}" if self._depth else "BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._db.execute(f"ROLLBACK TO {point}" if self._depth > 1 else "ROLLBACK")
                raise
            else:
                self._db.execute(f"RELEASE {point}" if self._depth > 1 else "COMMIT")
            finally:
                self._depth -= 1

    def setting(self, name: str) -> str | None:
        """The value kept under a name, None when there is none."""
        with self.lock:
            row = self._db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_setting(self, name: str, value: str) -> None:
        """Keeps a value under a name."""
        with self.lock:
            self._db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))

    def next_number(self, counter: str, first: int = 1) -> int:
        """The next number of a counter; call it inside a transaction."""
        number = int(self.setting(f"counter {counter}") or first)
        self.set_setting(f"counter {counter}", str(number + 1))
        return number

    def put(self, stored: Stored) -> None:
        """Adds an object, or replaces the one with its family and id."""
        values = (
            stored.family, stored.id, stored.kind, stored.label, stored.label.casefold(), stored.active,
            stored.modified, json.dumps(stored.fields, ensure_ascii=False),
        )  # fmt: skip
        with self.lock:
            self._db.execute(
                "INSERT INTO object (family, id, kind, label, sought, active, modified, fields)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (family, id) DO UPDATE SET label = excluded.label,"
                " sought = excluded.sought, active = excluded.active, modified = excluded.modified,"
                " fields = excluded.fields",
                values,
            )

    def get(self, family: str, object_id: str) -> Stored | None:
        """The object with an id; the case of the id does not count."""
        return self._one("family = ? AND id = ? COLLATE NOCASE", (family, object_id))

    def named(self, family: str, label: str) -> Stored | None:
        """The first object of a family with a name; the case of the name does not count."""
        return self._one("family = ? AND sought = ?", (family, label.casefold()))

    def of_kinds(self, kinds: Sequence[str]) -> list[Stored]:
        """All objects of some kinds, in order of their creation."""
        marks = ", ".join("?" * len(kinds))
        return self._many(f"kind IN ({marks})", tuple(kinds))

    def below(self, stored: Stored) -> list[Stored]:
        """The objects of the same kind that stand anywhere below one (its jobs)."""
        # ";" is the character after ":", so this is every label that begins with "label:".
        start = f"{stored.label.casefold()}:"
        return self._many("kind = ? AND sought >= ? AND sought < ?", (stored.kind, start, f"{start[:-1]};"))

    def holding(self, text: str) -> list[Stored]:
        """The objects that hold a text somewhere in their fields."""
        return self._many("instr(fields, ?) > 0", (text,))

    def delete(self, stored: Stored, second: int) -> None:
        """Takes an object out and remembers that it was deleted, and when."""
        row = (stored.kind, stored.id, stored.label, stored.fields.get("TimeCreated", ""), second)
        with self.lock:
            self._db.execute("DELETE FROM object WHERE family = ? AND id = ?", (stored.family, stored.id))
            self._db.execute("INSERT INTO deleted (kind, id, label, created, deleted) VALUES (?, ?, ?, ?, ?)", row)

    def deleted(self, kinds: Sequence[str]) -> list[Deleted]:
        """What was deleted of some kinds, in order of its deletion."""
        marks = ", ".join("?" * len(kinds))
        ask = f"SELECT kind, id, label, created, deleted FROM deleted WHERE kind IN ({marks}) ORDER BY number"  # noqa: S608
        with self.lock:
            return [Deleted(*row) for row in self._db.execute(ask, tuple(kinds)).fetchall()]

    def _one(self, where: str, values: tuple[str, ...]) -> Stored | None:
        found = self._many(f"{where} LIMIT 1", values)
        return found[0] if found else None

    def _many(self, where: str, values: tuple[str, ...]) -> list[Stored]:
        ordered = where if where.endswith("LIMIT 1") else f"{where} ORDER BY number"
        with self.lock:
            rows = self._db.execute(f"SELECT {_COLUMNS} FROM object WHERE {ordered}", values).fetchall()  # noqa: S608
        return [
            Stored(family, object_id, kind, label, bool(active), modified, json.loads(fields))
            for family, object_id, kind, label, active, modified, fields in rows
        ]

    def message_set(self, set_id: str) -> tuple[str, str] | None:
        """Checksum and kept answers of a message set, None when the file knows none of this id."""
        with self.lock:
            row = self._db.execute("SELECT checksum, answers FROM message_set WHERE id = ?", (set_id,)).fetchone()
        return None if row is None else (str(row[0]), str(row[1]))

    def keep_message_set(self, set_id: str, checksum: str, answers: str) -> None:
        """Remembers a message set that was run."""
        with self.lock:
            self._db.execute("INSERT INTO message_set VALUES (?, ?, ?)", (set_id, checksum, answers))

    def clear_message_sets(self, set_id: str | None = None) -> bool:
        """Forgets one message set, or all; whether there was something to forget."""
        with self.lock:
            where = ("", ()) if set_id is None else (" WHERE id = ?", (set_id,))
            return self._db.execute(f"DELETE FROM message_set{where[0]}", where[1]).rowcount > 0  # noqa: S608

    def backup(self, path: Path) -> None:
        """Writes a copy of the whole file."""
        with self.lock, closing(sqlite3.connect(path)) as copy:
            self._db.backup(copy)

    def restore(self, path: Path) -> None:
        """Takes the whole content of a copy in place of what the file holds."""
        with self.lock, closing(sqlite3.connect(path)) as copy:
            copy.backup(self._db)
