"""Any order by any policies: the money and the bottles stay, the key is never lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lxml import etree

from order_books import (
    CUSTOMER,
    GIN,
    HELD,
    JOB,
    KEG,
    PLAIN,
    WINE,
    look_up,
    nothing,
    order,
    prepared,
    written,
)
from routebooks.connectors.base import Prepared
from routebooks.connectors.quickbooks_desktop.order_keys import KEY_FIELDS, carries
from routebooks.connectors.quickbooks_desktop.order_settings import ORDER_SETTINGS
from routebooks.errors import RecordError
from routebooks.records import Document

Validate = Callable[[bytes], etree._Element]
POLICIES = ("unit", "two_lines", "base")


# What always holds

numbers = st.decimals(0, 500, places=0) | st.decimals(-20, 500, places=2)
prices = st.decimals(0, 300, places=2) | st.decimals(0, 300, places=5)


@st.composite
def counted(draw: st.DrawFn) -> dict[str, Any]:
    """A line with a count in some form and a price in some form; many are clear."""
    values: dict[str, Any] = {"ItemRef.ListID": draw(st.sampled_from([GIN, WINE, KEG, PLAIN]))}
    if draw(st.booleans()):
        values |= {"Cases": draw(st.none() | numbers), "Bottles": draw(numbers)}
        values |= {"CasePrice": draw(prices), "BottlePrice": draw(prices)}
    else:
        values |= {"Quantity": draw(numbers), "Unit": draw(st.sampled_from(["cases", "cs", "btl", "bottle", ""]))}
        values |= {"Rate": draw(prices)}
    return values


def money(document: Document) -> Decimal:
    """What QuickBooks makes of the lines: amounts, or quantity times rate to the cent."""
    return sum((_amount(each) for each in document.lines), Decimal(0))


def _amount(each: Mapping[str, Any]) -> Decimal:
    if "Amount" in each:
        return Decimal(each["Amount"])
    product: Decimal = each["Quantity"] * each["Rate"]
    return product.quantize(Decimal("0.01"), ROUND_HALF_UP)


#: bottles in one of a unit; what has no units is set to count in bottles
BOTTLES = {
    (GIN, "Bottle"): 1,
    (GIN, "Case of 12"): 12,
    (GIN, "Six-pack"): 6,
    (WINE, "Case"): 12,
    (WINE, "Bottle"): 1,
    (KEG, "Bottle"): 1,
    (PLAIN, None): 1,
}


def bottles(document: Document) -> Decimal:
    return sum(
        (each["Quantity"] * BOTTLES[each["ItemRef.ListID"], each.get("UnitOfMeasure")] for each in document.lines),
        Decimal(0),
    )


@settings(deadline=None, max_examples=200)
@given(st.lists(counted(), min_size=1, max_size=4))
def test_money_and_bottles_are_the_same_by_every_policy(lines: list[dict[str, Any]]) -> None:
    outcomes = {}
    for policy in POLICIES:
        try:
            outcomes[policy] = prepared(order(*lines), order_units=policy, plain_unit="bottle").document
        except RecordError:
            continue
    assume(outcomes)
    assert len({money(document) for document in outcomes.values()}) == 1
    assert len({bottles(document) for document in outcomes.values()}) == 1


texts = st.sampled_from(["", "Back door", "Café", "a | b", "x" * 4090])
HEADERS = ("Memo", "RefNumber", "PONumber", "ClassRef.FullName")
COLUMNS = ("Desc", "Quantity", "UnitOfMeasure", "Unit", "Rate", "Amount", "Cases", "Bottles", "CasePrice", "Deposit")


@st.composite
def anyhow(draw: st.DrawFn) -> Document:
    """An order of which each part may make no sense, and mostly does."""
    header = {name: draw(st.none() | texts) for name in draw(st.sets(st.sampled_from(HEADERS), max_size=2))}
    odd = draw(st.sampled_from([(), (), *[(name,) for name in COLUMNS]]))
    lines = [draw(counted()) | {name: draw(st.none() | numbers | texts) for name in odd} for _ in range(2)]
    key = draw(st.sampled_from(["PA-17", "PA-17", "PA-20020244-99", "é"]))
    return order(*lines, key=key, customer=draw(st.sampled_from([CUSTOMER, JOB, HELD])), **header)


chosen = st.fixed_dictionaries(
    {setting.name: st.sampled_from(setting.choices) for setting in ORDER_SETTINGS if setting.choices}
    | {
        "deposit_item": st.sampled_from(["", "Deposit"]),
        "order_number_prefix": st.sampled_from(["", "W-"]),
        "credit_hold_field": st.sampled_from(["", "On Hold"]),
    }
)


@settings(deadline=None, max_examples=250)
@given(anyhow(), chosen, st.sampled_from(sorted(KEY_FIELDS)), st.sampled_from([look_up] * 4 + [nothing]))
def test_any_order_is_written_with_its_key_or_waits_with_a_cure(
    schema: etree.XMLSchema, document: Document, given_settings: dict[str, Any], key_field: str, look: Any
) -> None:
    try:
        found = prepared(document, look, **given_settings)
        request = written(found, key_field)
    except RecordError as error:
        problem = error.problem
    else:
        judge(request, found, document, key_field, schema)
        return
    assert problem.message
    assert problem.hint


def judge(request: bytes, found: Prepared, document: Document, key_field: str, schema: etree.XMLSchema) -> None:
    """The schema takes it, the key is in it, and nothing of our own words is left."""
    root = etree.fromstring(request)
    assert schema.validate(root), schema.error_log
    assert found.document.key == document.key
    assert carries(key_field, root.findtext(f".//SalesOrderAdd/{key_field}") or "", document.key)
    assert all(note.code and note.message and note.hint for note in found.notes)
    own = {"Cases", "Bottles", "Unit", "CasePrice", "BottlePrice", "Deposit"}
    assert not own & {column for each in found.document.lines for column in each}
