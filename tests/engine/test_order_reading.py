"""Orders as they are read: again, changed, cancelled, reopened, from before, and from elsewhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from house import Books, House, bring_in, open_codes, reread
from routebooks.connectors.base import OrderCursor, Setting
from routebooks.connectors.pocketadvantage.order_rows import BEGINNING
from routebooks.engine import connections, order_control, order_reading
from routebooks.errors import Problem
from routebooks.store import companies
from routebooks.store import flows as flow_store
from routebooks.store.ledger import OrderState
from routebooks.store.runs import State


@pytest.mark.parametrize(
    ("change", "code"),
    [({"cancelled": True}, "order-cancelled-after-posting"), ({"quantity": "9"}, "order-changed-after-posting")],
)
def test_what_happens_to_an_order_on_its_way_is_reported_with_the_answer(
    linked: House, change: dict[str, Any], code: str
) -> None:
    linked.orders.put("A-1", "1", "11")
    run_id = linked.run("orders")
    assert linked.order("A-1").state is OrderState.SENDING
    sent = linked.orders.orders.pop()
    now = replace(sent, cancelled=True) if "cancelled" in change else replace(sent, rows=({**sent.rows[0], **change},))
    linked.orders.orders.append(now)
    order_reading.read_orders(linked.ctx, run_id)
    linked.orders.orders.clear()
    assert open_codes(linked) == []
    books = Books()
    linked.visit(books)
    linked.tick()
    assert linked.state(run_id).state is State.DONE
    assert (linked.order("A-1").state, linked.order("A-1").later) == (OrderState.POSTED, None)
    assert open_codes(linked) == [code]
    assert [line["Quantity"] for line in books.written[0]["lines"]] == ["2"]


def test_an_order_cancelled_on_its_way_and_refused_is_not_tried_again(linked: House) -> None:
    linked.orders.put("A-1", "1", "11")
    run_id = linked.run("orders")
    linked.orders.orders = [replace(linked.orders.orders[0], cancelled=True)]
    order_reading.read_orders(linked.ctx, run_id)
    linked.orders.orders.clear()
    books = Books()
    linked.visit(lambda request: {"outcome": "stop"} if "write" in request else books(request))
    assert linked.state(run_id).state is State.FAILED
    bring_in(linked, books)
    assert books.written == []
    assert open_codes(linked) == []


def test_an_order_that_reads_again_as_it_went_out_is_no_change(linked: House) -> None:
    linked.orders.put("A-1", "1", "11")
    run_id = linked.run("orders")
    sent = linked.orders.orders[0]
    for item in (replace(sent, cancelled=True), sent):
        linked.orders.orders = [item]
        order_reading.read_orders(linked.ctx, run_id)
    linked.visit(Books())
    linked.tick()
    assert linked.order("A-1").state is OrderState.POSTED
    assert open_codes(linked) == []


def test_an_order_that_was_put_off_and_reopened_is_posted(linked: House) -> None:
    linked.orders.put("A-1", "9", "11")
    books = Books()
    bring_in(linked, books)
    assert open_codes(linked) == ["customer-not-linked"]
    reread(linked, cancelled=True)
    for _ in range(2):
        bring_in(linked, books)
        assert linked.order("A-1").state is OrderState.DROPPED
        assert open_codes(linked) == []
    assert [told.status for told in linked.orders.told] == ["held", "dropped"]
    reread(linked, cancelled=False, rows=({**linked.orders.orders[0].rows[0], "customer": "1"},))
    bring_in(linked, books)
    order = linked.order("A-1")
    assert (order.state, order.problem, order.told) == (OrderState.POSTED, None, "posted")
    assert [slip["write"]["Customer"] for slip in books.written] == ["id-1-"]


def begin_at(house: House, start_date: str) -> None:
    with house.ctx.store.begin() as tx:
        flow_store.change_flow(tx, house.flows["orders"], settings={"start_date": start_date})


def test_orders_of_before_the_start_date_are_not_taken(linked: House) -> None:
    for key in ("A-1", "A-2", "A-3"):
        linked.orders.put(key, "1", "11")
    first, second, third = (order.stamp for order in linked.orders.orders)
    begin_at(linked, second.isoformat())
    books = Books()
    for _ in range(2):
        bring_in(linked, books)
        assert [slip["key"] for slip in books.written] == ["A-2", "A-3"]
    begin_at(linked, (third + timedelta(days=1)).isoformat())
    bring_in(linked, books)
    begin_at(linked, first.isoformat())
    bring_in(linked, books)
    assert [slip["key"] for slip in books.written] == ["A-2", "A-3", "A-1"]


def test_without_a_start_date_any_more_all_orders_are_taken_and_cancellations_seen(linked: House) -> None:
    for key in ("A-1", "A-2"):
        linked.orders.put(key, "1", "11")
    begin_at(linked, linked.orders.orders[1].stamp.isoformat())
    books = Books()
    bring_in(linked, books)
    begin_at(linked, "")
    linked.orders.orders[1] = replace(linked.orders.orders[1], cancelled=True)
    bring_in(linked, books)
    assert [slip["key"] for slip in books.written] == ["A-2", "A-1"]
    assert open_codes(linked) == ["order-cancelled-after-posting"]


@pytest.mark.parametrize("known", [False, True], ids=["at first sight", "while it is held"])
def test_an_order_that_was_posted_elsewhere_waits_for_a_person(linked: House, known: bool) -> None:
    linked.orders.put("A-1", "9" if known else "1", "11")
    books = Books()
    if known:
        bring_in(linked, books)
        told = list(linked.orders.told)
        reread(linked, rows=({**linked.orders.orders[0].rows[0], "customer": "1"},))
    reread(linked, external_id="T-elsewhere")
    for _ in range(2):
        bring_in(linked, books)
        order = linked.order("A-1")
        assert (order.state, order.external_id) == (OrderState.REFUSED, "T-elsewhere")
        assert open_codes(linked) == ["order-posted-elsewhere"]
    assert books.written == []
    assert linked.orders.told == (told if known else [])
    with linked.ctx.store.begin() as tx:
        order_control.retry(linked.ctx, tx, order, linked.clock())
    bring_in(linked, books)
    order = linked.order("A-1")
    assert (order.state, order.external_id) == (OrderState.POSTED, f"T-{books.written[0]['set']}")
    assert open_codes(linked) == []
    reread(linked, external_id=order.external_id)
    bring_in(linked, books)
    assert (linked.order("A-1").state, len(books.written)) == (OrderState.POSTED, 1)


def correct(house: House, **given: str) -> None:
    """Change settings of the orders connection."""
    house.orders.settings = (
        Setting(name="url", help="Address.", default="", secret=True, read_anew=True),
        Setting(name="zone", help="Zone of stamps.", default="UTC", read_anew=True),
        Setting(name="room", help="Orders at once.", default="1"),
    )
    with house.ctx.store.begin() as tx:
        row = companies.connection(tx, house.flow("orders").source_id)
        connections.change(house.ctx, tx, row, given, "test")


@pytest.fixture
def overlooked(linked: House) -> tuple[House, Books]:
    """A-1 is posted; A-0 lies far behind the cursor."""
    linked.orders.put("A-1", "1", "11")
    books = Books()
    bring_in(linked, books)
    linked.orders.put("A-0", "1", "11")
    linked.orders.orders.reverse()
    reread(linked, stamp=linked.orders.orders[1].stamp - timedelta(hours=5))
    return linked, books


@pytest.mark.parametrize("given", [{"zone": "America/New_York"}, {"url": "elsewhere"}], ids=["zone", "secret"])
def test_a_corrected_connection_is_read_from_the_start(overlooked: tuple[House, Books], given: dict[str, str]) -> None:
    house, books = overlooked
    correct(house, zone="UTC", url="", room="2")
    bring_in(house, books)
    assert [slip["key"] for slip in books.written] == ["A-1"]
    correct(house, **given)
    bring_in(house, books)
    assert [slip["key"] for slip in books.written] == ["A-1", "A-0"]


def renamed(house: House) -> None:
    """Every order has another key from now on, as by another query."""
    house.orders.orders = [replace(order, key=f"NEW-{order.key}") for order in house.orders.orders]


def problem_of(house: House, books: Books) -> str:
    """The code of what the next run of the orders flow fails for; empty when it does not."""
    run_id = house.run("orders")
    house.tick()
    house.visit(books)
    house.tick()
    return (house.state(run_id).problem or {}).get("code", "")


@pytest.mark.parametrize("days", [0, 3], ids=["all within a day", "over days"])
def test_a_query_that_names_orders_otherwise_posts_none_of_them_again(linked: House, days: int) -> None:
    for key in ("A-1", "A-2"):
        linked.orders.put(key, "1", "11")
    reread(linked, stamp=linked.orders.orders[0].stamp - timedelta(days=days))
    books = Books()
    bring_in(linked, books)
    before = list(linked.orders.orders)
    correct(linked, zone="UTC", url="other columns", room="2")
    renamed(linked)
    for _ in range(2):
        assert problem_of(linked, books) == "orders-look-new"
    linked.orders.orders = before
    assert problem_of(linked, books) == ""
    assert [slip["key"] for slip in books.written] == ["A-1", "A-2"]


def test_a_query_that_brings_more_of_long_ago_waits_for_a_start_date(overlooked: tuple[House, Books]) -> None:
    house, books = overlooked
    reread(house, stamp=house.orders.orders[1].stamp - timedelta(days=9))
    correct(house, zone="UTC", url="more of them", room="2")
    assert problem_of(house, books) == "orders-look-new"
    begin_at(house, (house.orders.orders[0].stamp - timedelta(days=1)).isoformat())
    assert problem_of(house, books) == ""
    assert [slip["key"] for slip in books.written] == ["A-1", "A-0"]


def test_orders_of_after_the_change_are_taken_from_another_database(linked: House) -> None:
    linked.orders.put("A-1", "1", "11")
    books = Books()
    bring_in(linked, books)
    correct(linked, zone="UTC", url="moved", room="2")
    linked.clock.on(hours=1)
    linked.orders.put("B-1", "1", "11")
    linked.orders.orders = [replace(linked.orders.orders[1], stamp=linked.clock())]
    assert problem_of(linked, books) == ""
    assert [slip["key"] for slip in books.written] == ["A-1", "B-1"]


def test_what_is_read_anew_in_parts_is_looked_at_to_its_end(linked: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("A-1", "A-2", "A-3"):
        linked.orders.put(key, "1", "11")
    books = Books()
    bring_in(linked, books)
    correct(linked, zone="UTC", url="other columns", room="2")
    last = linked.orders.orders[2]
    linked.orders.orders[2] = replace(last, key="NEW-A-3", stamp=last.stamp - timedelta(seconds=30))
    read = linked.orders.read_orders

    def one_by_one(*arguments: Any) -> Any:
        found, _ = read(*arguments)
        cursor = arguments[1]
        part = [each for each in found if (each.stamp, each.key) > (cursor.stamp, cursor.key)][:1] or found
        return part, OrderCursor(part[-1].stamp, part[-1].key)

    monkeypatch.setattr(linked.orders, "read_orders", one_by_one)
    assert [problem_of(linked, books) for _ in range(3)] == ["", "", "orders-look-new"]
    assert len(books.written) == 3


def test_a_connection_that_is_corrected_while_it_is_read_is_read_again(
    overlooked: tuple[House, Books], monkeypatch: pytest.MonkeyPatch
) -> None:
    house, books = overlooked
    read = house.orders.read_orders

    def corrected_meanwhile(*arguments: Any) -> Any:
        found = read(*arguments)
        correct(house, zone="America/New_York")
        return found

    monkeypatch.setattr(house.orders, "read_orders", corrected_meanwhile)
    bring_in(house, books)
    monkeypatch.undo()
    bring_in(house, books)
    assert [slip["key"] for slip in books.written] == ["A-1", "A-0"]


@pytest.mark.parametrize("stamp", [BEGINNING, None], ids=["no stamp", "in between"])
def test_an_order_that_cannot_be_taken_keeps_no_other_from_being_read_anew(
    overlooked: tuple[House, Books], stamp: datetime | None
) -> None:
    house, books = overlooked
    problem = Problem("order-incomplete", "Order A-9 has 1 of 2 lines.")
    wrong = replace(house.orders.orders[1], key="A-9", problem=problem)
    house.orders.orders = [replace(wrong, stamp=stamp or wrong.stamp - timedelta(days=3)), house.orders.orders[1]]
    correct(house, zone="UTC", url="another password", room="2")
    assert problem_of(house, books) == ""
    assert open_codes(house) == ["order-incomplete"]
    assert [slip["key"] for slip in books.written] == ["A-1"]


def test_a_query_by_whose_keys_another_order_goes_posts_none_again(linked: House) -> None:
    for number in range(1, 5):
        linked.orders.put(str(number), "1", "11")
        order = linked.orders.orders[-1]
        linked.orders.orders[-1] = replace(order, rows=({**order.rows[0], "quantity": str(number)},))
    books = Books()
    bring_in(linked, books)
    correct(linked, zone="UTC", url="other columns", room="2")
    linked.orders.orders = [replace(order, key=str(int(order.key) + 2)) for order in linked.orders.orders]
    assert problem_of(linked, books) == "orders-look-new"
    assert [slip["key"] for slip in books.written] == ["1", "2", "3", "4"]


def test_an_old_order_that_our_write_back_gave_a_new_stamp_is_no_new_one(linked: House) -> None:
    linked.orders.put("A-1", "1", "11")
    books = Books()
    bring_in(linked, books)
    reread(linked, stamp=linked.clock())
    linked.clock.on(hours=1)
    correct(linked, zone="UTC", url="other columns", room="2")
    renamed(linked)
    assert problem_of(linked, books) == "orders-look-new"
    assert [slip["key"] for slip in books.written] == ["A-1"]
