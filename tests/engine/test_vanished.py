"""What QuickBooks loses is found and shown as vanished, and not posted again before a person says so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from house import Books, House, bring_in, open_codes, reread
from routebooks.engine import order_control
from routebooks.store.ledger import OrderState

DAY = timedelta(days=1)


@pytest.fixture
def books(linked: House) -> Books:
    """Books whose documents know when they were written."""
    return Books(clock=linked.clock)


def post(house: House, books: Books, *keys: str) -> None:
    for key in keys:
        house.orders.put(key, "1", "11")
    bring_in(house, books)
    assert {house.order(key).state for key in keys} == {OrderState.POSTED}


def lose(books: Books, key: str) -> dict[str, Any]:
    """A document is not there any more, nor what was remembered of it."""
    (slip,) = [each for each in books.written if each["key"] == key]
    books.written.remove(slip)
    books.remembered.pop(slip["set"], None)
    return slip


def next_day(house: House, books: Books) -> list[Any]:
    house.clock.on(days=1)
    return house.visit(books)


def asked(seen: list[Any]) -> int:
    return sum("standing" in each for each in seen)


def test_an_order_that_stands_no_more_is_shown_as_vanished_and_not_posted_again(linked: House, books: Books) -> None:
    post(linked, books, "A-1", "A-2")
    lose(books, "A-1")
    next_day(linked, books)
    assert linked.order("A-1").state is OrderState.VANISHED
    assert linked.order("A-2").state is OrderState.POSTED
    assert open_codes(linked) == ["order-vanished"]
    for _ in range(3):
        linked.clock.on(days=1)
        bring_in(linked, books)
    assert [each["key"] for each in books.written] == ["A-2"]
    assert open_codes(linked) == ["order-vanished"]
    assert ("A-1", "vanished") in {(each.key, each.status) for each in linked.orders.told}


def test_a_person_may_have_it_posted_again(linked: House, books: Books) -> None:
    post(linked, books, "A-1")
    first = lose(books, "A-1")
    next_day(linked, books)
    with linked.ctx.store.begin() as tx:
        order_control.retry(linked.ctx, tx, linked.order("A-1"), linked.clock())
    bring_in(linked, books)
    assert linked.order("A-1").state is OrderState.POSTED
    (again,) = books.written
    assert again["set"] != first["set"]
    assert linked.order("A-1").external_id == f"T-{again['set']}"
    next_day(linked, books)
    assert linked.order("A-1").state is OrderState.POSTED
    assert open_codes(linked) == []


def test_a_person_may_leave_it(linked: House, books: Books) -> None:
    post(linked, books, "A-1")
    lose(books, "A-1")
    next_day(linked, books)
    with linked.ctx.store.begin() as tx:
        order_control.drop(tx, linked.order("A-1"), linked.clock())
    next_day(linked, books)
    bring_in(linked, books)
    assert linked.order("A-1").state is OrderState.DROPPED
    assert (books.written, open_codes(linked)) == ([], [])


def test_what_is_back_is_posted_as_before(linked: House, books: Books) -> None:
    post(linked, books, "A-1")
    slip = lose(books, "A-1")
    next_day(linked, books)
    books.written.append(slip)
    next_day(linked, books)
    order = linked.order("A-1")
    assert (order.state, order.problem, open_codes(linked)) == (OrderState.POSTED, None, [])


def test_cancelled_and_reopened_it_waits_for_a_person_all_the_same(linked: House, books: Books) -> None:
    post(linked, books, "A-1")
    lose(books, "A-1")
    next_day(linked, books)
    reread(linked, cancelled=True)
    bring_in(linked, books)
    reread(linked, cancelled=False)
    bring_in(linked, books)
    assert linked.order("A-1").state is OrderState.VANISHED
    assert books.written == []


def test_a_caller_is_asked_once_a_day_and_only_where_something_was_posted(linked: House, books: Books) -> None:
    assert asked(next_day(linked, books)) == 0
    post(linked, books, "A-1")
    assert asked(next_day(linked, books)) == 1
    linked.clock.on(hours=1)
    assert asked(linked.visit(books)) == 0
    assert asked(next_day(linked, books)) == 1
    linked.clock.on(days=31)
    assert asked(linked.visit(books)) == 0


def test_an_answer_that_does_not_say_changes_nothing_and_is_shown(linked: House, books: Books) -> None:
    post(linked, books, "A-1")
    lose(books, "A-1")
    linked.clock.on(days=1)
    linked.visit(lambda request: {"error": "retry"} if "standing" in request else books(request))
    assert linked.order("A-1").state is OrderState.POSTED
    next_day(linked, books)
    assert linked.order("A-1").state is OrderState.VANISHED


@pytest.mark.parametrize("reply", [None, "busy", "bad"])
def test_a_question_without_an_answer_is_asked_again(linked: House, books: Books, reply: str | None) -> None:
    post(linked, books, "A-1")
    lose(books, "A-1")
    linked.clock.on(days=1)
    linked.visit(lambda request: reply if "standing" in request else books(request))
    assert linked.order("A-1").state is OrderState.POSTED
    next_day(linked, books)
    assert linked.order("A-1").state is OrderState.VANISHED


@pytest.mark.parametrize("reply", ["busy", "bad"])
def test_a_question_that_is_refused_breaks_off_one_session_a_day(linked: House, books: Books, reply: str) -> None:
    post(linked, books, "A-1")
    linked.clock.on(days=1)

    def refusing(request: dict[str, Any]) -> Any:
        return reply if "standing" in request else books(request)

    assert [asked(linked.visit(refusing)) for _ in range(3)] == [1, 0, 0]


def test_an_order_posted_while_the_question_waits_is_not_judged(linked: House, books: Books) -> None:
    post(linked, books, "A-1")
    linked.clock.on(days=1)
    linked.orders.put("A-2", "1", "11")
    linked.run("orders")
    linked.tick()

    def forgetful(request: dict[str, Any]) -> dict[str, Any]:
        answer = books(request)
        return {"ids": answer["ids"][:1]} if "ids" in answer else answer

    linked.visit(forgetful)
    assert {linked.order(key).state for key in ("A-1", "A-2")} == {OrderState.POSTED}


def test_what_was_to_be_looked_at_before_is_to_be_looked_at_when_it_is_back(linked: House, books: Books) -> None:
    post(linked, books, "A-1")
    reread(linked, rows=({**linked.orders.orders[0].rows[0], "quantity": "9"},))
    bring_in(linked, books)
    assert open_codes(linked) == ["order-changed-after-posting"]
    slip = lose(books, "A-1")
    next_day(linked, books)
    assert sorted(open_codes(linked)) == ["order-changed-after-posting", "order-vanished"]
    books.written.append(slip)
    next_day(linked, books)
    assert open_codes(linked) == ["order-changed-after-posting"]
