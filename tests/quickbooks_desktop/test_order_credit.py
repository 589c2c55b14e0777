"""Customers on hold and over their limit: posted, held, or posted with a note."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from order_books import CUSTOMER, GIN, GONE, HELD, JOB, KEG, customer, line, look_up, nothing, order, prepared, written
from routebooks.errors import RecordError
from routebooks.records import Document


def cases(count: str, price: str | None = "120", **header: Any) -> Document:
    """An order of gin; QuickBooks' own price of a case is 120."""
    prices = {} if price is None else {"CasePrice": price}
    return order(line(GIN, Cases=count, **prices), **header)


def test_an_order_up_to_the_limit_is_no_matter() -> None:
    found = prepared(order(line(GIN, Bottles="30", BottlePrice="10")), over_limit="hold")
    assert (found.notes, "Memo" in found.document.header) == ((), False)


@pytest.mark.parametrize(
    ("document", "given_settings"),
    [
        (order(line(GIN, Bottles="30", BottlePrice="10.01")), {"price_tolerance": "1"}),
        (cases("3"), {}),
        # the limit is that of the customer above the job
        (cases("3", customer=JOB), {}),
        # what QuickBooks prices counts at its price, a deposit counts, too
        (cases("3", None), {"order_price": "quickbooks"}),
        (
            order(line(GIN, Bottles="30", BottlePrice="10", Deposit=Decimal("0.01"))),
            {"deposit_item": "Deposit"},
        ),
    ],
)
def test_an_order_over_the_limit_is_noted_held_or_posted(document: Document, given_settings: Mapping[str, Any]) -> None:
    noted = prepared(document, over_limit="note", **given_settings)
    assert [note.code for note in noted.notes] == ["customer-over-limit"]
    assert noted.document.header["Memo"].startswith("Over credit limit: owes 1,700.00, this order 3")
    assert (
        b"<Memo>Over credit limit: owes 1,700.00" in written(noted) or document.header.get("price_differs", 1) is None
    )
    with pytest.raises(RecordError) as caught:
        prepared(document, over_limit="hold", **given_settings)
    assert caught.value.problem.code == "customer-over-limit"
    assert "Drift Harbor Inn is over the credit limit: owes 1,700.00" in caught.value.problem.message
    assert "limit 2,000.00" in caught.value.problem.message
    posted = prepared(document, over_limit="post", **given_settings)
    assert (posted.notes, "Memo" in posted.document.header) == ((), False)


def test_the_note_stands_below_the_order_s_own_memo_and_the_key_before_both() -> None:
    found = prepared(cases("3", Memo="Back door "), over_limit="note")
    assert found.document.header["Memo"].splitlines()[0] == "Back door"
    assert b"<Memo>PA-17 | Back door\nOver credit limit" in written(found, "Memo")


def test_a_memo_that_is_full_stays_as_it_is_and_the_note_is_told_all_the_same() -> None:
    found = prepared(cases("3", Memo="x" * 3990), over_limit="note")
    assert found.document.header["Memo"] == "x" * 3990
    assert [note.code for note in found.notes] == ["customer-over-limit"]


@pytest.mark.parametrize(
    ("customer_id", "given_settings", "words"),
    [
        (GONE, {}, "Shut Door is on hold: inactive in QuickBooks"),
        (HELD, {"credit_hold_field": "On Hold"}, "Gull Tavern is on hold: marked in QuickBooks"),
        (HELD, {"credit_hold_field": "custom.on hold"}, "Gull Tavern"),
        (HELD, {"credit_hold_field": "On Hold", "credit_hold_value": ""}, "Gull Tavern"),
    ],
)
def test_an_order_of_a_customer_on_hold_is_held_noted_or_posted(
    customer_id: str, given_settings: Mapping[str, Any], words: str
) -> None:
    document = cases("1", customer=customer_id)
    with pytest.raises(RecordError) as caught:
        prepared(document, **given_settings)
    assert caught.value.problem.code == "customer-on-hold"
    assert words in caught.value.problem.message
    assert "credit_hold" in caught.value.problem.hint
    noted = prepared(document, credit_hold="note", **given_settings)
    assert [note.code for note in noted.notes] == ["customer-on-hold"]
    assert noted.document.header["Memo"].startswith("On hold: ")
    assert prepared(document, credit_hold="post", **given_settings).notes == ()


@pytest.mark.parametrize(
    "given_settings",
    [{}, {"credit_hold_field": "Blocked"}, {"credit_hold_field": "On Hold", "credit_hold_value": "Stop"}],
)
def test_a_customer_without_the_mark_is_not_on_hold(given_settings: Mapping[str, Any]) -> None:
    assert prepared(cases("1", customer=HELD), **given_settings).notes == ()


def test_a_hold_on_a_customer_holds_its_jobs() -> None:
    def look(stream: str, key: str) -> Mapping[str, Any] | None:
        # a chain that ends in itself is broken data, and ends all the same
        if stream == "customers":
            return customer(
                key, key, **{"ParentRef.ListID": "1-1" if key == CUSTOMER else "2-2"}, IsActive=key != "2-2"
            )
        return look_up(stream, key)

    with pytest.raises(RecordError, match="2-2 is on hold"):
        prepared(cases("1"), look)
    assert prepared(cases("1"), look, credit_hold="post", over_limit="note").notes == ()


def test_both_notes_stand_in_the_memo() -> None:
    def look(stream: str, key: str) -> Mapping[str, Any] | None:
        if stream == "customers":
            return customer(key, "Inn", IsActive=False, CreditLimit=Decimal(0), TotalBalance=None)
        return look_up(stream, key)

    found = prepared(cases("1"), look, credit_hold="note", over_limit="note")
    assert found.document.header["Memo"].splitlines() == [
        "On hold: inactive in QuickBooks.",
        "Over credit limit: owes 0.00, this order 120.00, limit 0.00.",
    ]


@pytest.mark.parametrize(
    ("given_settings", "held", "noted"),
    [
        ({"over_limit": "hold"}, True, False),
        ({"over_limit": "note", "credit_hold_field": "On Hold"}, True, False),
        ({"over_limit": "note"}, False, True),
        ({"over_limit": "post", "credit_hold": "note"}, False, True),
        ({"over_limit": "post", "credit_hold": "post", "credit_hold_field": "On Hold"}, False, False),
    ],
)
def test_a_customer_who_has_not_been_read_is_held_only_where_a_hold_is_asked_for(
    given_settings: Mapping[str, Any], held: bool, noted: bool
) -> None:
    document = order(line(KEG, Quantity="1"))
    if held:
        with pytest.raises(RecordError) as caught:
            prepared(document, nothing, **given_settings)
        assert caught.value.problem.code == "customer-not-read"
        assert caught.value.problem.hint
        return
    found = prepared(document, nothing, **given_settings)
    assert ("customer-not-read" in [note.code for note in found.notes]) is noted
