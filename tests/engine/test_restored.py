"""A backup of Routebooks is restored: QuickBooks knows more than it does, and gets no order twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from house import Books, House, bring_in, look_again, reread, who
from routebooks.engine import ledger
from routebooks.store.ledger import OrderState

DAY = timedelta(days=1)
#: how long after the backup it is restored; QuickBooks forgets a week after its answer
LATER = [timedelta(hours=1), 3 * DAY, 6 * DAY, 8 * DAY, 40 * DAY]


@pytest.fixture
def backup(linked: House, tmp_path: Path) -> Callable[[], Callable[[], None]]:
    """Makes a backup of the database; what it returns restores it."""
    file = tmp_path / "routebooks.db"

    def make() -> Callable[[], None]:
        linked.ctx.store.close()
        kept = file.read_bytes()

        def restore() -> None:
            linked.ctx.store.close()
            file.write_bytes(kept)

        return restore

    return make


def nights(house: House, books: Books, span: timedelta) -> None:
    """Time passes, and the connector calls often enough not to count as away."""
    end = house.clock() + span
    while house.clock() < end:
        house.clock.time = min(end, house.clock() + 5 * DAY)
        bring_in(house, books)


def settle(house: House, books: Books) -> None:
    """What comes after a restore, until nothing changes any more."""
    for _ in range(3):
        bring_in(house, books)
        house.clock.on(minutes=6)
        look_again(house)
        house.visit(books)


@pytest.mark.parametrize("later", LATER)
@pytest.mark.parametrize("stage", ["unread", "held", "waiting", "out", "answered"])
def test_an_order_that_was_posted_after_the_backup_is_not_posted_again(
    linked: House, backup: Callable[[], Callable[[], None]], later: timedelta, stage: str
) -> None:
    books = Books(clock=linked.clock)
    if stage == "unread":
        restore = backup()
        linked.orders.put("A-1", "1", "11")
    else:
        linked.orders.put("A-1", "1", "11")
        if stage == "held":
            linked.orders.put("A-0", "9", "11")
        linked.run("orders")
        linked.tick()
        if stage == "out":
            linked.visit(lambda request: None if "write" in request else books(request))
        elif stage == "answered":
            linked.visit(books)
        restore = backup()
    settle(linked, books)
    assert linked.order("A-1").state is OrderState.POSTED
    nights(linked, books, later)
    restore()
    settle(linked, books)
    linked.clock.on(days=1)
    linked.visit(books)
    assert linked.order("A-1").state is OrderState.POSTED
    assert [slip["key"] for slip in books.written] == ["A-1"]
    assert linked.order("A-1").state is OrderState.POSTED
    assert linked.order("A-1").external_id == f"T-{books.written[0]['set']}"


@pytest.mark.parametrize("later", LATER)
def test_also_where_its_rows_read_otherwise_by_now(
    linked: House, backup: Callable[[], Callable[[], None]], later: timedelta
) -> None:
    books, restore = Books(), backup()
    linked.orders.put("A-1", "1", "11")
    settle(linked, books)
    nights(linked, books, later)
    restore()
    reread(linked, stamp=linked.clock())
    settle(linked, books)
    assert len(books.written) == 1


def test_an_order_that_was_not_posted_is_posted_after_a_long_absence(
    linked: House, backup: Callable[[], Callable[[], None]]
) -> None:
    books = Books(clock=linked.clock)
    linked.orders.put("A-1", "1", "11")
    linked.run("orders")
    linked.tick()
    linked.clock.on(days=20)
    linked.orders.put("A-2", "2", "12")
    settle(linked, books)
    assert [slip["key"] for slip in books.written] == ["A-1", "A-2"]
    assert {"A-1", "A-2"} <= {request["find"] for request in books.seen if "find" in request}
    books.seen.clear()
    linked.clock.on(days=1)
    nights(linked, books, 20 * DAY)
    linked.orders.put("A-3", "3", "13")
    settle(linked, books)
    assert len(books.written) == 3
    assert not any("find" in request for request in books.seen)


def test_a_set_id_is_cleared_a_week_after_the_answer(linked: House) -> None:
    books = Books(clock=linked.clock)
    linked.orders.put("A-1", "1", "11")
    bring_in(linked, books)
    nights(linked, books, ledger.REMEMBERED)
    assert not any("forget" in request for request in books.seen)
    nights(linked, books, DAY)
    assert {"forget": books.written[0]["set"]} in books.seen


def test_a_visit_has_no_work_while_set_ids_are_only_remembered(linked: House) -> None:
    books = Books(clock=linked.clock)
    linked.orders.put("A-1", "1", "11")
    bring_in(linked, books)
    assert linked.visit(who) == []


def test_a_set_id_is_made_of_the_order_and_its_attempt_alone() -> None:
    made = {
        ledger.set_id_of(file, flow, key, number)
        for file in "ab"
        for flow in (1, 2)
        for key in "xy"
        for number in (1, 2)
    }
    assert len(made) == 16
    assert {len(each) for each in made} == {ledger.SET_ID_LENGTH}
    assert ledger.set_id_of("a", 1, "x", 1) == ledger.set_id_of("a", 1, "x", 1)
