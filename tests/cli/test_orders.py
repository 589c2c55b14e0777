"""order: the ledger as a person sees it."""

from __future__ import annotations

from typing import Any

import pytest

from cli_program import Program
from house import Books, House, record

KEYS = {
    *("company", "flow", "key", "state", "number", "external_id", "problem"),
    *("not_before", "stamp", "read_at", "posted_at", "told"),
}


def deliver(house: House) -> None:
    """Customers 1 and items 1, 2 went out, so that orders find them."""
    for name in ("customers", "items"):
        house.run(name)
        house.visit(Books({name: [record("1"), record("2")]}))
        house.tick()


def post(house: House, answer: Any = None) -> None:
    house.run("orders")
    books = Books()
    house.visit(lambda request: answer if answer and "write" in request else books(request))
    house.tick()


@pytest.fixture
def posted(program: Program) -> Program:
    """A posted order A-1, a held one A-2."""
    deliver(program.house)
    program.house.orders.put("A-1", "1", "1", "2")
    program.house.orders.put("A-2", "9", "1")
    post(program.house)
    return program


def test_orders_are_listed_and_chosen_by_state(posted: Program) -> None:
    listed = posted.json("order", "list")
    assert [(row["key"], row["state"], row["number"]) for row in listed] == [
        ("A-2", "held", None),
        ("A-1", "posted", "1"),
    ]
    assert set(listed[0]) == KEYS
    assert [row["key"] for row in posted.json("order", "list", "--company", "Harbor", "--state", "posted")] == ["A-1"]
    lines = posted("order", "list").stdout.splitlines()
    assert "never went out in a file" in lines[1]
    posted("order", "list", "--state", "nonsense", code=2)


def test_no_order_yet(program: Program) -> None:
    assert program("order", "list").stdout == "No order was read yet.\n"


def test_an_order_is_shown_with_its_attempts(posted: Program) -> None:
    shown = posted.json("order", "show", "Harbor", "A-1")
    assert set(shown) == KEYS | {"rows", "document", "attempts"}
    assert [row["item"] for row in shown["rows"]] == ["1", "2"]
    [attempt] = shown["attempts"]
    assert set(attempt) == {
        *("number", "run", "set_id", "state", "outcome"),
        *("first_out_at", "sendings", "answered_at", "problem"),
    }
    assert (attempt["number"], attempt["state"], attempt["outcome"]) == (1, "answered", "ok")
    said = posted("order", "show", "Harbor", "A-1").stdout
    assert "number in QuickBooks      1" in said
    assert attempt["set_id"] in said
    assert "Request of" not in said


def test_raw_shows_the_very_words(posted: Program) -> None:
    [attempt] = posted.json("order", "show", "Harbor", "A-1", "--raw")["attempts"]
    assert attempt["set_id"] in attempt["request"]
    assert '"outcome": "ok"' in attempt["answer"]
    said = posted("order", "show", "Harbor", "A-1", "--raw").stdout
    assert attempt["request"] in said
    assert "Answer of attempt 1" in said


def test_a_refused_order_is_tried_again_with_a_new_set_id(program: Program) -> None:
    house = program.house
    deliver(house)
    house.orders.put("A-1", "1", "1")
    post(house, {"outcome": "hold", "why": "The item is inactive."})
    shown = program.json("order", "show", "Harbor", "A-1")
    assert (shown["state"], shown["problem"]["message"]) == ("refused", "The item is inactive.")
    assert "The item is inactive." in program("order", "show", "Harbor", "A-1").stdout
    said = program.json("order", "retry", "Harbor", "A-1")
    assert said["state"] == "new"
    assert program.json("run", "show", str(said["run"]))["trigger"] == "person"
    house.tick()
    house.visit(Books())
    house.tick()
    again = program.json("order", "show", "Harbor", "A-1")
    assert again["state"] == "posted"
    assert len({attempt["set_id"] for attempt in again["attempts"]}) == 2
    assert ("command line", "retry order", "A-1") in program.audit()


def test_an_order_is_dropped_and_brought_back(posted: Program) -> None:
    house = posted.house
    assert [row["code"] for row in posted.json("rejected", "list")] == ["customer-not-linked"]
    house.orders.orders.clear()
    said = posted.json("order", "drop", "Harbor", "A-2")
    assert (set(said), said["state"], said["problem"]["code"]) == (KEYS, "dropped", "order-dropped")
    assert posted.json("rejected", "list") == []
    assert posted.audit()[-1] == ("command line", "drop order", "A-2")
    house.orders.put("A-2", "1", "1")
    post(house)
    assert [(told.key, told.status, told.message) for told in house.orders.told[-1:]] == [
        ("A-2", "dropped", "Order A-2 was dropped by a person.")
    ]
    assert posted.json("order", "list", "--state", "dropped")[0]["told"] == "dropped"
    assert "dropped" in posted("order", "drop", "Harbor", "A-2").stdout
    posted("order", "retry", "Harbor", "A-2")
    post(house)
    assert posted.json("order", "show", "Harbor", "A-2")["state"] == "posted"


def test_what_is_on_its_way_or_in_quickbooks_is_not_dropped(posted: Program) -> None:
    assert "[order-posted]" in posted.refused("order", "drop", "Harbor", "A-1")
    assert "[order-unknown]" in posted.refused("order", "drop", "Harbor", "A-9")
    house = posted.house
    house.orders.put("A-3", "1", "1")
    house.run("orders")
    house.visit(lambda request: None if "write" in request else Books()(request))
    assert "[order-sending]" in posted.refused("order", "drop", "Harbor", "A-3")
    post(house)
    house.orders.put("A-4", "1", "1")
    house.run("orders")
    house.visit(
        lambda request: (
            {"outcome": "unknown" if "write" in request else "retry"} if "ask" not in request else Books()(request)
        )
    )
    assert "[order-sending]" in posted.refused("order", "drop", "Harbor", "A-4")


def test_what_stands_in_quickbooks_is_not_tried_again(posted: Program) -> None:
    assert "[order-posted]" in posted.refused("order", "retry", "Harbor", "A-1")
    assert "[order-unknown]" in posted.refused("order", "retry", "Harbor", "A-9")
    assert "[order-unknown]" in posted.refused("order", "show", "Harbor", "A-9")
    said = posted("order", "retry", "Harbor", "A-2")
    assert "`routebooks run watch" in said.stderr
