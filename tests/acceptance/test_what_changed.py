"""Nights of a company whose bookkeeper corrects, changes and deletes: each change is told once, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nights import Nights, NightServer

#: Longer than QuickBooks remembers what was deleted.
LONG = 24 * 95


@pytest.fixture
def at(nights_at: NightServer, tmp_path: Path) -> Iterator[Nights]:
    """The company, with a customer and a service."""
    at = Nights(nights_at, tmp_path)
    at.books.add("Account", Name="Accounts Receivable")
    at.books.add("Customer", Name="Known", AccountNumber="100")
    at.books.add("ItemService", Name="Tasting", SalesOrPurchase={"Price": 10})
    yield at
    at.close()


def sold(at: Nights, customer: str = "Known", number: str = "1") -> str:
    """A new invoice of one line."""
    return at.books.add_invoice(customer, [{"ItemRef": "Tasting", "Quantity": 1}], ref_number=number)


def told(at: Nights) -> list[tuple[str, str, str, str]]:
    """Customer, number, amount and status of the rows of invoice.fil."""
    return sorted((row[1], row[2], row[12], row[15]) for row in at.rows("invoices").elements())


def aside(at: Nights) -> dict[str, str]:
    """Why each transaction is set aside, by its id."""
    found = at.rejected("invoices", "transactions")
    assert found.total() == len({key for key, _ in found})
    return dict(iter(found))


def change(at: Nights, invoice: str, *lines: dict[str, Any]) -> None:
    """Other lines in place of the first."""
    at.clock.on(minutes=5)
    at.books.update_transaction(invoice, lines=list(lines))


def test_an_invoice_goes_the_night_after_its_customer_has_a_number(at: Nights) -> None:
    at.books.add("Customer", Name="New")
    waits = sold(at, "New")
    for number in "234":
        # By then the invoice lies long behind what the night asks for.
        sold(at, number=number)
        at.night("invoices")
        assert aside(at) == {waits: "map-blank"}
        assert told(at) == [("100", number, "10.00", "A")]
    at.books.update("Customer", "New", AccountNumber="200")
    at.night("invoices")
    assert aside(at) == {}
    assert told(at) == [("200", "1", "10.00", "A")]


@pytest.mark.parametrize("later", [24, LONG])
def test_an_invoice_that_was_set_aside_and_deleted_does_not_come_back(at: Nights, later: int) -> None:
    at.books.add("Customer", Name="New")
    sold(at)
    gone = sold(at, "New", "2")
    at.night("invoices")
    at.clock.on(minutes=5)
    at.books.delete(gone)
    at.books.update("Customer", "New", AccountNumber="200")
    at.night("invoices", hours=later)
    assert aside(at) == ({gone: "deleted-never-delivered"} if later == 24 else {})
    for number in "34":
        at.books.delete(sold(at, number=number))
        at.night("invoices")
        assert told(at) == [("100", "1", "10.00", "A")]
        assert aside(at).get(gone) in (None, "deleted-never-delivered")


def test_an_invoice_that_lost_its_lines_is_told_with_nothing_left(at: Nights) -> None:
    emptied, _ = sold(at), sold(at, number="2")
    at.night("invoices")
    change(at, emptied, {"Desc": "Thank you"})
    at.night("invoices")
    assert told(at) == [("100", "1", "0.00", "D")]
    before = at.file("invoices")
    assert at.night("invoices")["invoices"].records_written == 0
    assert at.file("invoices") == before


@pytest.mark.parametrize("later", [24, LONG])
def test_an_invoice_that_is_set_aside_after_it_went_is_not_told_as_deleted(at: Nights, later: int) -> None:
    spoilt = sold(at)
    at.night("invoices")
    change(at, spoilt, {"Desc": "What is this?", "Amount": 5})
    sold(at, number="2")
    at.night("invoices", hours=later)
    assert told(at) == [("100", "2", "10.00", "A")]
    assert aside(at) == {spoilt: "line-without-item"}


def test_an_invoice_stands_in_the_rejected_list_for_what_is_wrong_now(at: Nights) -> None:
    at.books.add("Customer", Name="New")
    wrong = sold(at, "New")
    at.night("invoices")
    assert aside(at) == {wrong: "map-blank"}
    change(at, wrong, {"Desc": "What is this?", "Amount": 5})
    at.night("invoices")
    assert aside(at) == {wrong: "line-without-item"}
    change(at, wrong, {"Desc": "Thank you"})
    at.night("invoices")
    assert aside(at) == {}
