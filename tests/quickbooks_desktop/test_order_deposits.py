"""Deposits of an order become lines of their own, or are left out and told."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from order_books import (
    GIN,
    KEG,
    line,
    look_up,
    order,
    prepared,
    written,
)
from routebooks.errors import RecordError
from routebooks.records import Document

Validate = Callable[[bytes], etree._Element]
POLICIES = ("unit", "two_lines", "base")


def lines_of(request: bytes) -> list[str]:
    """The lines of a sales order as they were written, less the item."""
    root = etree.fromstring(request)
    texts = []
    for each in root.iter("SalesOrderLineAdd", "SalesOrderLineGroupAdd"):
        for ref in each.findall("ItemRef"):
            each.remove(ref)
        texts.append(" ".join(f"{leaf.tag}={leaf.text}" for leaf in each))
    return texts


def refusal(document: Document, look: Any = look_up, **given: Any) -> tuple[str, str]:
    """Code and message of an order that has to wait; it always comes with a cure."""
    with pytest.raises(RecordError) as caught:
        prepared(document, look, **given)
    assert caught.value.problem.hint
    return caught.value.problem.code, caught.value.problem.message


def codes(document: Document, look: Any = look_up, **given: Any) -> list[str]:
    return [note.code for note in prepared(document, look, **given).notes]


BOTH = line(GIN, Cases="2", Bottles="3", CasePrice="120", BottlePrice="10.5")


@pytest.mark.parametrize(
    ("setting", "column"), [("Bottle deposit", "ItemRef.FullName"), ("80000003-1446676743", "ItemRef.ListID")]
)
def test_deposits_are_lines_of_their_own(setting: str, column: str, validated: Validate) -> None:
    document = order(
        {**BOTH, "Deposit": Decimal("2.70")},
        line(KEG, Bottles="1", BottlePrice="8", Deposit=Decimal("0.00")),
        line(KEG, Bottles="2", BottlePrice="8", Deposit=Decimal("0.10")),
    )
    found = prepared(document, deposit_item=setting, order_units="two_lines")
    validated(written(found))
    assert found.document.lines[2] == {column: setting, "Amount": Decimal("2.70")}
    assert found.document.lines[5] == {column: setting, "Amount": Decimal("0.10")}
    assert len(found.document.lines) == 6


def test_deposits_without_an_item_are_left_out_and_told() -> None:
    found = prepared(order(*[{**line(KEG, Bottles="1", BottlePrice="8"), "Deposit": Decimal("600.10")}] * 2))
    assert len(found.document.lines) == 2
    assert [(note.code, "1,200.20" in note.message) for note in found.notes] == [("deposit-left-out", True)]
    assert codes(order(line(KEG, Bottles="1", BottlePrice="8", Deposit=Decimal(0)))) == []
