"""The line of those who write to a file of SQLite: one after the other, and one wait for the disk for many of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock, get_ident
from typing import Any

import sqlalchemy as sa

from routebooks.errors import TransientError

#: those behind wait for the commit no longer than so many others take
_MOST = 16


class _Group:
    """Transactions that are committed together: savepoints of one transaction of the database."""

    def __init__(self, engine: sa.Engine) -> None:
        self.size = 0
        self.error: Exception | None = None
        self._ended = Event()
        self.tx = engine.connect()
        try:
            self.tx.exec_driver_sql("BEGIN IMMEDIATE")
        except BaseException:
            self.tx.close()
            raise

    @property
    def is_whole(self) -> bool:
        """Whether the transaction still stands: a disk that is full, or broken, lets SQLite end it by itself."""
        return bool(self._driver.in_transaction)

    @property
    def _driver(self) -> Any:
        return self.tx.connection.dbapi_connection

    def _say(self, statement: str) -> None:
        # To the driver itself: SQLAlchemy's savepoints cost thirty times as much, and every call makes one.
        self._driver.execute(statement).close()

    @contextmanager
    def part(self) -> Iterator[sa.Connection]:
        """One transaction; what raises leaves nothing of its own, and the others as they are."""
        self.size += 1
        self._say("SAVEPOINT part")
        try:
            yield self.tx
            self._say("RELEASE part")
        except BaseException:
            if self.is_whole:
                self._say("ROLLBACK TO part")
                self._say("RELEASE part")
            raise

    def end(self) -> None:
        """Commit, and let all of them go on: what went wrong is raised to each of them in `wait`."""
        self.error = _lost()  # as long as nothing else is known: Ctrl-C may end this, too
        try:
            if self.is_whole:
                self.tx.commit()
                self.error = None
        except Exception as error:
            self.error = error
        finally:
            if self.error is not None:
                # Whatever is left of the transaction goes with its connection.
                self.tx.invalidate()
            self.tx.close()
            self._ended.set()

    def wait(self) -> None:
        """Until it is on disk. Raises why it is not."""
        self._ended.wait()
        if self.error is not None:
            raise self.error


class Line:
    """Lets threads write one after the other, in the order they came. None returns before its part is committed.

    SQLite has one writer at a time, and who waits for it by its means sleeps and tries again: the unlucky wait for
    seconds. And each commit waits for the disk: with others behind, it is left to the last of them. So nobody may, in
    a transaction, wait for another thread that writes.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._taken = False
        #: the thread whose transaction goes on
        self._holder: int | None = None
        self._behind: deque[Lock] = deque()
        self._group: _Group | None = None

    @property
    def behind(self) -> int:
        """How many wait for their turn."""
        return len(self._behind)

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """A transaction that writes: on disk at the end, nothing of it left when it raises. One a thread."""
        if self._holder == get_ident():
            raise RuntimeError("A transaction inside of another one would wait for itself.")
        self._stand()
        try:
            self._holder = get_ident()
            group = self._group = self._group or _Group(self._engine)
            with group.part() as tx:
                yield tx
        finally:
            self._holder = None
            self._leave()
        group.wait()

    def _stand(self) -> None:
        with self._lock:
            if not self._taken:
                self._taken = True
                return
            gate = Lock()
            gate.acquire()
            self._behind.append(gate)
        try:
            gate.acquire()
        except BaseException:
            # Ctrl-C, while standing here. It may have been this one's turn already.
            with self._lock:
                was_called = gate not in self._behind
                if not was_called:
                    self._behind.remove(gate)
            if was_called:
                self._leave()
            raise

    def _leave(self) -> None:
        group = self._group
        with self._lock:
            if self._behind and (group is None or (group.size < _MOST and group.is_whole)):
                self._behind.popleft().release()
                return
        try:
            self._group = None
            if group is not None:
                group.end()
        finally:
            with self._lock:
                if self._behind:
                    self._behind.popleft().release()
                else:
                    self._taken = False


def _lost() -> TransientError:
    return TransientError(
        "The database gave up what was to be written.",
        hint="See that its disk has room and is sound, then try again.",
        code="transaction-lost",
    )
