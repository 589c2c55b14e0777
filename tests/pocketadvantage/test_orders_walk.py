"""A random walk of orders: each is seen in its last state, whatever the order of changes and readings."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders_source import NOW, ORDERS, connection
from routebooks.connectors.base import OrderCursor

HOUR = 60
STEPS = st.lists(
    st.tuples(st.just("write"), st.integers(0, 6), st.integers(1, 3), st.integers(0, HOUR))
    | st.tuples(st.just("half"), st.integers(0, 6), st.integers(2, 3), st.integers(0, HOUR))
    | st.tuples(st.just("void"), st.integers(0, 6), st.just(1), st.integers(0, HOUR))
    | st.tuples(st.just("pass"), st.integers(1, 200), st.just(0), st.just(0))
    | st.tuples(st.just("read"), st.just(0), st.just(0), st.just(0)),
    min_size=10,
    max_size=50,
)


class Walk:
    """Orders that come and change between readings, each up to an hour after its stamp, as a long transaction does."""

    def __init__(self, url: str, database: sqlite3.Connection) -> None:
        self.now, self.version = NOW, 0
        self.cursor: OrderCursor | None = None
        self.last: dict[str, tuple[str, int]] = {}
        self.seen: dict[str, tuple[str, int]] = {}
        self.taken: set[str] = set()
        self._database = database
        changed = {"overlap_minutes": HOUR, "settle_minutes": 5, "max_orders": 2, "line_count_column": "lines"}
        query = "SELECT * FROM t WHERE at >= :since AND at <= :until ORDER BY at, order_no"
        states = {"status_column": "state", "status_values": "open", "stamp_column": "at"}
        self._connection = connection(url, query=query, **changed, **states)

    def change(self, what: str, key: str, lines: int, late: int) -> None:
        """An order as it is from now on: whole, with a line missing, or void."""
        self.version += 1
        self.last[key] = (what, self.version)
        stamp = (self.now - timedelta(minutes=late)).strftime("%Y-%m-%d %H:%M:%S")
        rows = [(key, stamp, "void" if what == "void" else "open", lines, self.version)] * (lines - (what == "half"))
        with self._database:
            self._database.execute("DELETE FROM t WHERE order_no = ?", (key,))
            self._database.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", rows)

    def read(self) -> bool:
        """Whether the cursor moved: never back, and never to an instant that is no order's."""
        found, moved = ORDERS.read_orders(self._connection, self.cursor, self.now)
        for each in found:
            what = "void" if each.cancelled else "half" if each.problem else "write"
            self.seen[each.key] = (what, int(each.rows[0]["version"]))
            assert what != "write" or len(each.rows) == each.rows[0]["lines"]
        whole = [each for each in found if not each.cancelled and not each.problem]
        self.taken |= {each.key for each in whole}
        before, self.cursor = self.cursor, moved
        marks = [OrderCursor(each.stamp, each.key) for each in whole] + ([before] if before else [])
        assert moved == max(marks, key=lambda mark: (mark.stamp, mark.key), default=None)
        known = (before.stamp, before.key) if before else (datetime.min.replace(tzinfo=UTC), "")
        assert sum((each.stamp, each.key) > known for each in whole) <= 2
        return moved != before


@given(STEPS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_order_is_seen_in_its_last_state(tmp_path: Path, steps: list[tuple[str, int, int, int]]) -> None:
    file = tmp_path / "walk.db"
    file.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA synchronous = OFF")
        database.execute("CREATE TABLE t (order_no TEXT, at TEXT, state TEXT, lines INTEGER, version INTEGER)")
        walk = Walk(f"sqlite:///{file}", database)
        for what, number, lines, late in steps:
            if what == "pass":
                walk.now += timedelta(minutes=number)
            elif what == "read":
                walk.read()
            else:
                walk.change(what, f"{number}", lines, late)
        walk.now += timedelta(minutes=5)
        while walk.read():
            pass
    for key, state in walk.last.items():
        # one that was void before anybody read it needs no mention
        assert walk.seen.get(key) == state or (state[0] == "void" and key not in walk.taken)
