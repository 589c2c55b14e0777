"""Writers in line on SQLite: in turn, committed together, and what goes wrong with one of them or with all."""

from __future__ import annotations

import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from routebooks.errors import TransientError
from routebooks.store.database import Store
from routebooks.store.line import Line

PATIENCE = 30.0


class Wanted(Exception):
    """What a writer raises because the test wants it."""


class Crowd:
    """A line with a writer at its head, and threads that stand behind it one after the other."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "line.db"
        self.store = Store(f"sqlite:///{self.file}")
        self.line = Line(self.store.engine)
        self.commits = 0
        #: by number: what was raised to the writer, or whether its row was on disk when it came back
        self.ended: dict[int, BaseException | bool] = {}
        self._threads: list[threading.Thread] = []
        sa.event.listen(self.store.engine, "commit", self._count)
        with self.line.transaction() as tx:
            tx.exec_driver_sql("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
            tx.exec_driver_sql("CREATE TABLE row (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent (id))")
        self.commits = 0

    def _count(self, _: sa.Connection) -> None:
        self.commits += 1

    def on_disk(self) -> list[int]:
        """The rows in the order they were written, as another process sees them."""
        other = sqlite3.connect(self.file)
        try:
            return [number for (number,) in other.execute("SELECT id FROM row ORDER BY rowid")]
        finally:
            other.close()

    def write(self, number: int, then: Callable[[sa.Connection], object] = lambda _: None) -> None:
        """Write a row, then do what else is wanted; note what came of it."""
        try:
            with self.line.transaction() as tx:
                tx.exec_driver_sql("INSERT INTO row (id) VALUES (?)", (number,))
                then(tx)
            self.ended[number] = number in self.on_disk()
        except BaseException as error:
            self.ended[number] = error

    def behind(self, number: int, then: Callable[[sa.Connection], object] = lambda _: None) -> None:
        """One more writer, in a thread; it stands in the line when this returns."""
        before = self.line.behind
        self._threads.append(threading.Thread(target=self.write, args=(number, then)))
        self._threads[-1].start()
        self.wait_for(lambda: self.line.behind > before)

    def wait_for(self, reached: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not reached():
            assert time.monotonic() < end, "nothing moves"
            time.sleep(0.001)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Crowd]:
    made = Crowd(tmp_path)
    yield made
    made.store.close()


def fail(_: sa.Connection) -> None:
    raise Wanted


def test_those_behind_are_committed_together_and_nobody_comes_back_before(crowd: Crowd) -> None:
    def call_others(_: sa.Connection) -> None:
        for number in range(2, 6):
            crowd.behind(number)

    crowd.write(1, call_others)
    crowd.join()
    assert crowd.ended == dict.fromkeys(range(1, 6), True)
    assert crowd.commits == 1


def test_a_lone_writer_is_committed_at_once(crowd: Crowd) -> None:
    crowd.write(1)
    crowd.write(2)
    assert crowd.ended == {1: True, 2: True}
    assert crowd.commits == 2


def test_writers_go_in_the_order_they_came(crowd: Crowd) -> None:
    went: list[int] = []

    def call_others(_: sa.Connection) -> None:
        for number in range(40, 1, -1):
            crowd.behind(number, lambda _, number=number: went.append(number))  # type: ignore[misc]

    crowd.write(1, call_others)
    crowd.join()
    assert went == list(range(40, 1, -1))
    assert set(crowd.ended.values()) == {True}
    # Those in front do not wait for ever new ones behind.
    assert 1 < crowd.commits < 40


@pytest.mark.parametrize("failing", [1, 3, 5])
def test_one_that_raises_leaves_nothing_and_the_others_stay(crowd: Crowd, failing: int) -> None:
    def then(number: int) -> Callable[[sa.Connection], object]:
        return fail if number == failing else lambda _: None

    def call_others(tx: sa.Connection) -> None:
        for number in range(2, 6):
            crowd.behind(number, then(number))
        then(1)(tx)

    crowd.write(1, call_others)
    crowd.join()
    assert isinstance(crowd.ended.pop(failing), Wanted)
    assert set(crowd.ended.values()) == {True}
    assert crowd.on_disk() == [number for number in range(1, 6) if number != failing]


def test_a_commit_that_fails_is_told_to_all_of_them_and_the_next_one_works(crowd: Crowd) -> None:
    def owe(tx: sa.Connection) -> None:
        """A parent that is not there: looked for at the commit only."""
        tx.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        tx.exec_driver_sql("UPDATE row SET parent = 99 WHERE id = 2")

    def call_others(_: sa.Connection) -> None:
        crowd.behind(2, owe)
        crowd.behind(3)

    crowd.write(1, call_others)
    crowd.join()
    assert {number: type(ended) for number, ended in crowd.ended.items()} == dict.fromkeys(
        (1, 2, 3), sa.exc.IntegrityError
    )
    assert crowd.on_disk() == []
    crowd.write(4)
    assert crowd.ended[4] is True


def test_what_was_written_before_the_database_gave_up_is_not_taken_for_kept(crowd: Crowd) -> None:
    def give_up(tx: sa.Connection) -> None:
        """As SQLite does by itself when the disk is full."""
        tx.exec_driver_sql("ROLLBACK")
        raise Wanted

    def call_others(_: sa.Connection) -> None:
        crowd.behind(2, give_up)
        crowd.behind(3)

    crowd.write(1, call_others)
    crowd.join()
    lost = crowd.ended[1]
    assert isinstance(lost, TransientError)
    assert lost.problem.code == "transaction-lost"
    assert isinstance(crowd.ended[2], Wanted)
    assert crowd.ended[3] is True
    assert crowd.on_disk() == [3]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send a signal to a thread")
def test_one_that_is_interrupted_in_the_line_keeps_nobody(crowd: Crowd) -> None:
    main = threading.get_ident()
    # A shell that runs the tests in the background ignores Ctrl-C, and so does what it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)

    held = threading.Event()

    def interrupt(_: sa.Connection) -> None:
        held.set()
        crowd.wait_for(lambda: crowd.line.behind == 1)
        signal.pthread_kill(main, signal.SIGINT)
        crowd.wait_for(lambda: crowd.line.behind == 0)

    head = threading.Thread(target=crowd.write, args=(1, interrupt))
    head.start()
    assert held.wait(PATIENCE)
    crowd.write(2)
    head.join(PATIENCE)
    assert crowd.ended[1] is True
    assert isinstance(crowd.ended[2], KeyboardInterrupt)
    crowd.write(3)
    assert crowd.on_disk() == [1, 3]


def test_a_transaction_inside_of_another_one_is_refused_and_does_not_wait_for_itself(tmp_path: Path) -> None:
    line = Line(Store(f"sqlite:///{tmp_path / 'line.db'}").engine)
    ended: list[str] = []

    def nest() -> None:
        with line.transaction():
            with pytest.raises(RuntimeError), line.transaction():
                pass
            ended.append("inner")
        with line.transaction():
            ended.append("next")

    thread = threading.Thread(target=nest, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert ended == ["inner", "next"]
