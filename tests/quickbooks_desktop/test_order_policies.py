"""Orders by the policies of a connection: units, prices, deposits, numbers; golden bytes and what always holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from order_books import (
    CUSTOMER,
    DISCOUNT,
    GIN,
    JOB,
    KEG,
    PLAIN,
    RECORDS,
    SAMPLER,
    WINE,
    item,
    line,
    look_up,
    nothing,
    order,
    prepared,
    written,
)
from routebooks.connectors.base import Connection, Preparing
from routebooks.connectors.quickbooks_desktop.connector import QuickBooksDesktop
from routebooks.errors import ConfigError, RecordError
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


# Units, golden

BOTH = line(GIN, Cases="2", Bottles="3", CasePrice="120", BottlePrice="10.5")


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [
        # 240.00 and 31.50 are 271.50; a twenty-seventh of it has no end
        ("unit", ["Quantity=27 UnitOfMeasure=Bottle Amount=271.50"]),
        (
            "two_lines",
            ["Quantity=2 UnitOfMeasure=Case of 12 Rate=120", "Quantity=3 UnitOfMeasure=Bottle Rate=10.5"],
        ),
        ("base", ["Quantity=27 UnitOfMeasure=Bottle Amount=271.50"]),
    ],
)
def test_cases_and_bottles_of_one_item(policy: str, wanted: list[str], validated: Validate) -> None:
    request = written(prepared(order(BOTH), order_units=policy))
    validated(request)
    assert lines_of(request) == wanted


@pytest.mark.parametrize("policy", POLICIES)
def test_cases_alone_are_a_line_of_cases_or_the_same_in_bottles(policy: str, validated: Validate) -> None:
    request = written(prepared(order(line(Quantity="2", Unit="cases", Rate="120")), order_units=policy))
    validated(request)
    assert request == (
        b'<?xml version="1.0" encoding="utf-8"?><?qbxml version="13.0"?><QBXML>'
        b'<QBXMLMsgsRq onError="stopOnError" newMessageSetID="0123456789abcdefghijkl">'
        b'<SalesOrderAddRq requestID="sales_orders"><SalesOrderAdd>'
        b"<CustomerRef><ListID>10-1446676743</ListID></CustomerRef><Other>PA-17</Other>"
        b"<SalesOrderLineAdd><ItemRef><ListID>20-1446676743</ListID></ItemRef>"
        + (
            b"<Quantity>24</Quantity><UnitOfMeasure>Bottle</UnitOfMeasure><Rate>10</Rate>"
            if policy == "base"
            else b"<Quantity>2</Quantity><UnitOfMeasure>Case of 12</UnitOfMeasure><Rate>120</Rate>"
        )
        + b"</SalesOrderLineAdd></SalesOrderAdd></SalesOrderAddRq></QBXMLMsgsRq></QBXML>"
    )


@pytest.mark.parametrize(
    ("values", "item_id", "given_settings", "wanted"),
    [
        # named as in QuickBooks, by name or abbreviation, large or small
        ({"Quantity": "4", "Unit": " SIX "}, GIN, {}, ["Quantity=4 UnitOfMeasure=Six-pack"]),
        ({"Quantity": "4", "Unit": "case of 12"}, GIN, {}, ["Quantity=4 UnitOfMeasure=Case of 12"]),
        ({"Quantity": "4", "UnitOfMeasure": "Bottle"}, GIN, {}, ["Quantity=4 UnitOfMeasure=Bottle"]),
        ({"Quantity": "4", "Unit": "cs", "UnitOfMeasure": "cs"}, WINE, {}, ["Quantity=4 UnitOfMeasure=Case"]),
        # nought of the one says nothing beside some of the other; nought of both is nought
        ({"Cases": "0", "Bottles": "5", "Rate": "9"}, GIN, {}, ["Quantity=5 UnitOfMeasure=Bottle Rate=9"]),
        ({"Quantity": "5", "Cases": "0", "Unit": "btl"}, GIN, {}, ["Quantity=5 UnitOfMeasure=Bottle"]),
        ({"Cases": "0", "Bottles": "0", "CasePrice": "9"}, GIN, {}, ["Quantity=0 UnitOfMeasure=Case of 12 Rate=9"]),
        ({"Cases": "0", "CasePrice": "24"}, GIN, {"order_units": "base"}, ["Quantity=0 UnitOfMeasure=Bottle Rate=2"]),
        # 0.025 and 0.005 are 0.03 and 0.01 on two lines, so they are not 0.03 on one
        (
            {"Cases": "0.5", "Bottles": "4", "CasePrice": "0.05", "BottlePrice": "0.00125"},
            GIN,
            {},
            ["Quantity=10 UnitOfMeasure=Bottle Amount=0.04"],
        ),
        # the order's own total is its price
        (
            {"Cases": "1", "Bottles": "1", "Amount": "7"},
            GIN,
            {},
            ["Quantity=13 UnitOfMeasure=Bottle Amount=7.00"],
        ),
        ({"Cases": "1", "CasePrice": "7", "Amount": "7"}, GIN, {}, ["Quantity=1 UnitOfMeasure=Case of 12 Rate=7"]),
        # a price for one of Unit holds for what is counted otherwise, too
        (
            {"Cases": "1", "Bottles": "1", "Unit": "bottles", "Rate": "10"},
            GIN,
            {"order_units": "two_lines"},
            ["Quantity=1 UnitOfMeasure=Case of 12 Rate=120", "Quantity=1 UnitOfMeasure=Bottle Rate=10"],
        ),
        # a twelfth that QuickBooks keeps as 0.08333 is a twelfth
        (
            {"Quantity": "3", "Unit": "bottles", "Rate": "10.2"},
            WINE,
            {"order_units": "base"},
            ["Quantity=0.25 UnitOfMeasure=Case Rate=122.4"],
        ),
        ({"Cases": "1", "Bottles": "3"}, WINE, {}, ["Quantity=15 UnitOfMeasure=Bottle"]),
        # QuickBooks has no case for it, so it is written in bottles whatever the setting
        ({"Cases": "2", "CasePrice": "192"}, KEG, {}, ["Quantity=48 UnitOfMeasure=Bottle Rate=8"]),
        ({"Quantity": "2"}, KEG, {}, ["Quantity=2 UnitOfMeasure=Bottle"]),
        # without a set there is one unit, and the setting says which
        ({"Quantity": "2", "Rate": "3"}, PLAIN, {}, ["Quantity=2 Rate=3"]),
        ({"Quantity": "2", "Unit": "bottles"}, PLAIN, {"plain_unit": "bottle"}, ["Quantity=2"]),
        ({"Cases": "2"}, PLAIN, {"plain_unit": "bottle"}, ["Quantity=12"]),
        ({"Cases": "2", "Bottles": "3"}, PLAIN, {"plain_unit": "case"}, ["Quantity=2.5"]),
        (
            {"Cases": "2", "Bottles": "3", "CasePrice": "60", "BottlePrice": "11"},
            PLAIN,
            {"plain_unit": "case", "order_units": "two_lines"},
            ["Quantity=2 Rate=60", "Quantity=0.5 Rate=66"],
        ),
        # an item by its name
        ({"ItemRef.FullName": "Gin", "Cases": "2"}, "", {}, ["Quantity=2 UnitOfMeasure=Case of 12"]),
        # a group is counted, too
        ({"ItemRef.ListID": None, "ItemGroupRef.ListID": SAMPLER, "Quantity": "2"}, "", {}, None),
    ],
)
def test_a_count_in_every_form(
    values: Mapping[str, Any],
    item_id: str,
    given_settings: Mapping[str, Any],
    wanted: list[str] | None,
    validated: Validate,
) -> None:
    request = written(prepared(order(line(item_id, **values)), **given_settings))
    validated(request)
    assert lines_of(request) == (wanted or ["ItemGroupRef=None Quantity=2"])


@pytest.mark.parametrize(
    ("values", "item_id", "given_settings", "code", "words"),
    [
        (
            {"Quantity": "2", "Unit": "kegs"},
            GIN,
            {},
            "unit-unknown",
            "“kegs” of Gin, and QuickBooks keeps it by Bottle",
        ),
        ({"Quantity": "2", "Unit": "Case of 6"}, GIN, {}, "unit-unknown", "“Case of 6”"),
        ({"Quantity": "2"}, GIN, {}, "unit-unknown", "does not say of what"),
        ({"Cases": "2"}, PLAIN, {}, "unit-unknown", "has no units of measure in QuickBooks"),
        ({"Quantity": "2", "Unit": "cases"}, PLAIN, {}, "unit-unknown", "“cases” of Rum"),
        (
            {"Bottles": "2"},
            PLAIN,
            {"plain_unit": "case", "units_per_case_field": ""},
            "unit-unknown",
            "keeps it by case",
        ),
        ({"Cases": "2"}, GIN, {"case_units": "carton"}, "unit-unknown", "“cases”"),
        ({"Bottles": "1"}, PLAIN, {"plain_unit": "case"}, "unit-not-exact", "1 bottle of Rum"),
        ({"Cases": "1", "Bottles": "1"}, WINE, {"order_units": "base"}, "unit-not-exact", "1 Case and 1 Bottle"),
        ({"Quantity": "2", "Cases": "2", "Unit": "cs"}, WINE, {}, "quantity-unclear", "Quantity, and Cases"),
        ({"Quantity": "2", "Unit": "cs", "UnitOfMeasure": "btl"}, WINE, {}, "unit-unclear", "cs and btl"),
        ({"Cases": "1", "Bottles": "1", "Rate": "9"}, GIN, {}, "price-unclear", "Rate could be"),
        ({"Cases": "1", "Bottles": "1", "CasePrice": "9"}, GIN, {}, "price-unclear", "not for both"),
        ({"Cases": "1", "CasePrice": "9", "Rate": "8"}, GIN, {}, "price-unclear", "two prices for one Case of 12"),
        ({"Cases": "1", "Rate": "8", "PriceLevelRef.FullName": "Gold"}, GIN, {}, "price-unclear", "price level"),
        ({"Cases": "1", "Bottles": "-12", "CasePrice": "9", "BottlePrice": "1"}, GIN, {}, "price-unclear", "nothing"),
        (
            {"Cases": "1", "Amount": "9", "Rate": "8"},
            GIN,
            {},
            "amount-unclear",
            "Amount is 9.00, and its prices come to 8.00",
        ),
        ({"Cases": "1", "Amount": "9", "Rate": "0"}, GIN, {}, "amount-unclear", "come to 0.00"),
        (
            {"Cases": "1", "Bottles": "1", "Amount": "9"},
            GIN,
            {"order_units": "two_lines"},
            "amount-unclear",
            "without prices",
        ),
        (
            {"Cases": "1", "Bottles": "1", "TaxAmount": "9"},
            GIN,
            {"order_units": "two_lines"},
            "amount-unclear",
            "TaxAmount",
        ),
        ({"Cases": "many"}, GIN, {}, "qb-field-format", "Line 1: Cases"),
        ({"Cases": "1", "Deposit": Decimal("1.234")}, GIN, {}, "qb-field-format", "Line 1: Deposit"),
        ({"ItemRef.ListID": None, "Desc": "x", "Cases": "2"}, GIN, {}, "item-not-read", "it has no item"),
    ],
)
def test_what_is_not_clear_waits_with_its_cure(
    values: Mapping[str, Any], item_id: str, given_settings: Mapping[str, Any], code: str, words: str
) -> None:
    values = {name: value for name, value in values.items() if value != "many"} | (
        {"Cases": True} if values.get("Cases") == "many" else {}
    )
    found, message = refusal(order(line(item_id, **values)), **given_settings)
    assert (found, words in message, message.startswith("Line 1: ")) == (code, True, True), message


def units_are(set_name: str | None, **more: Any) -> Any:
    """A company whose Gin has another set."""

    def look(stream: str, key: str) -> Mapping[str, Any] | None:
        return item(GIN, "Gin", "1", set_name, **more) if stream == "items" else look_up(stream, key)

    return look


def test_a_word_that_could_mean_two_units_of_an_item_is_no_unit() -> None:
    code, message = refusal(order(line(Cases="1")), units_are("Two cases"))
    assert (code, "Case of 6 or Case-12" in message) == ("unit-unknown", True)
    assert (
        refusal(order(line(Bottles="1")), units_are("Two cases", **{"Custom.UnitsPerCase": "6"}))[0] == "unit-unknown"
    )
    found = prepared(order(line(Quantity="1", Unit="cs6")), units_are("Two cases"))
    assert found.document.lines[0]["UnitOfMeasure"] == "Case of 6"


@pytest.mark.parametrize(("per_case", "count", "name"), [("12", 1, "Carton"), ("24", 1, "Tray"), ("6", 6, "Bottle")])
def test_a_unit_of_as_many_bottles_as_a_case_holds_is_the_case(per_case: str, count: int, name: str) -> None:
    found = prepared(order(line(Cases="1")), units_are("By another name", **{"Custom.UnitsPerCase": per_case}))
    assert (found.document.lines[0]["Quantity"], found.document.lines[0]["UnitOfMeasure"]) == (count, name)
    named = prepared(
        order(line(Quantity="1", Unit=name)), units_are("By another name", **{"Custom.UnitsPerCase": per_case})
    )
    assert named.document.lines[0]["UnitOfMeasure"] == name


@pytest.mark.parametrize("set_name", ["Not read yet", "No base"])
def test_a_set_that_has_not_been_read_holds_the_order(set_name: str) -> None:
    assert refusal(order(line(Cases="1")), units_are(set_name))[0] == "units-not-read"


@pytest.mark.parametrize("text", ["0", "-6", "six", "6.5", "", None])
def test_a_number_of_bottles_that_is_none_is_not_used(text: str | None) -> None:
    look = units_are("Bottles only", **{"Custom.UnitsPerCase": text})
    assert refusal(order(line(Cases="1")), look)[0] == "unit-unknown"


def test_without_an_item_what_names_no_unit_is_written_as_it_is_and_the_rest_waits() -> None:
    plain = order(line(Quantity="3", Rate="9.5"))
    found = prepared(plain, nothing)
    assert (dict(found.document.lines[0]), [note.code for note in found.notes]) == (
        {"ItemRef.ListID": GIN, "Quantity": Decimal(3), "Rate": Decimal("9.5")},
        ["item-not-read", "customer-not-read"],
    )
    for values in ({"Quantity": "3", "Unit": "cs"}, {"Quantity": "3", "UnitOfMeasure": "Case"}, {"Bottles": "1"}):
        assert refusal(order(line(**values)), nothing)[0] == "item-not-read"


# Prices


def test_a_price_that_differs_is_noted_with_both_and_the_order_s_is_written() -> None:
    found = prepared(order(line(Cases="1", CasePrice="118")))
    assert [(note.code, note.message) for note in found.notes] == [
        (
            "price-differs",
            "Line 1: the order's price of Gin (Case of 12) is 118.00, that of QuickBooks is 120.00. The order's was "
            "written.",
        )
    ]
    assert found.document.lines[0]["Rate"] == 118


@pytest.mark.parametrize(
    ("item_id", "values", "tolerance", "noted"),
    [
        (GIN, {"Cases": "1", "CasePrice": "120"}, "0.00", False),
        (GIN, {"Cases": "1", "CasePrice": "119.99"}, "0.01", False),
        (GIN, {"Cases": "1", "CasePrice": "119.98"}, "0.01", True),
        (GIN, {"Quantity": "1", "Unit": "btl", "Rate": "10.00001"}, "0", True),
        # a seventh of a case: the list's cents and the exact part are the same price
        (WINE, {"Bottles": "1", "BottlePrice": "10"}, "0.00", False),
        (PLAIN, {"Quantity": "1", "Rate": "7"}, "0.00", False),
        (GIN, {"Quantity": "1", "Unit": "btl", "Amount": "7"}, "0.00", False),
    ],
)
def test_prices_are_compared_in_the_unit_of_the_order(
    item_id: str, values: Mapping[str, Any], tolerance: str, noted: bool
) -> None:
    found = codes(order(line(item_id, **values)), price_tolerance=tolerance)
    assert found == (["price-differs"] if noted else [])


def test_a_part_of_a_case_s_price_is_compared_to_the_cent() -> None:
    def look(stream: str, key: str) -> Mapping[str, Any] | None:
        return {**RECORDS["items"][WINE], "Price": Decimal("102.99000")} if stream == "items" else look_up(stream, key)

    assert codes(order(line(WINE, Bottles="1", BottlePrice="8.58")), look) == []
    assert codes(order(line(WINE, Bottles="1", BottlePrice="8.5825")), look) == []
    assert codes(order(line(WINE, Bottles="1", BottlePrice="8.59")), look) == ["price-differs"]


def test_a_line_without_a_price_is_priced_by_quickbooks_with_a_note() -> None:
    found = prepared(order(line(Cases="1", Bottles="1", BottlePrice="10")), order_units="two_lines")
    assert [("Rate" in each, each["Quantity"]) for each in found.document.lines] == [(False, 1), (True, 1)]
    assert [note.code for note in found.notes] == ["price-missing"]
    assert "Gin (Case of 12)" in found.notes[0].message
    for quiet in ({"PriceLevelRef.FullName": "Gold"}, {"RatePercent": Decimal(5)}, {"Amount": "3"}):
        assert codes(order(line(Cases="1", **quiet))) == []


def test_quickbooks_own_price_writes_none_and_says_nothing(validated: Validate) -> None:
    charge = {"ItemRef.FullName": "Fuel", "Rate": Decimal(4)}
    document = order(BOTH, line(Quantity="1", Unit="btl", Amount="7"), charge)
    found = prepared(document, order_price="quickbooks")
    request = written(found)
    validated(request)
    assert lines_of(request) == [
        "Quantity=27 UnitOfMeasure=Bottle",
        "Quantity=1 UnitOfMeasure=Bottle",
        "Rate=4",
    ]
    assert found.notes == ()


def test_a_line_that_is_not_counted_stays_as_it_is(validated: Validate) -> None:
    lines = ({"Desc": "Back door", "Unit": "cs"}, line(DISCOUNT), {"ItemRef.FullName": "Fuel", "Amount": Decimal(-5)})
    found = prepared(order(line(Cases="1", CasePrice="120"), *lines))
    validated(written(found))
    assert found.document.lines[1:] == ({"Desc": "Back door"}, dict(lines[1]), dict(lines[2]))
    assert found.notes == ()


def test_the_other_fields_of_a_line_stand_in_both_of_its_lines() -> None:
    more = {"Desc": "Gift", "Line.ClassRef.FullName": "East", "SalesTaxCodeRef.FullName": "Non", "Other1": "x"}
    found = prepared(order({**BOTH, **more}), order_units="two_lines")
    assert [{name: each[name] for name in more} for each in found.document.lines] == [more, more]


def test_a_percentage_stays_with_its_line() -> None:
    for percentage in (line(DISCOUNT), {"RatePercent": Decimal(-5), "Desc": "x"}):
        code, message = refusal(order(BOTH, percentage), order_units="two_lines")
        assert (code, message.startswith("Line 2: ")) == ("discount-unclear", True)
        deposit = {**line(Cases="1", CasePrice="120"), "Deposit": Decimal("1.20")}
        found = prepared(order(deposit, percentage, line(KEG, Bottles="1")), deposit_item="Deposit")
        names = [each.get("ItemRef.FullName") for each in found.document.lines]
        assert names == [None, None, "Deposit", None]
    for fixed in ("Amount", "Rate"):
        found = prepared(order(BOTH, {**line(DISCOUNT), fixed: Decimal(-5)}), order_units="two_lines")
        assert len(found.document.lines) == 3


# Numbers and references


@pytest.mark.parametrize(
    ("given_settings", "header", "number"),
    [
        ({}, {}, None),
        ({}, {"RefNumber": "7"}, "7"),
        ({"order_number": "order"}, {}, "PA-17"),
        ({"order_number": "order"}, {"RefNumber": "12345678901"}, "12345678901"),
        ({"order_number": "prefix", "order_number_prefix": "W"}, {}, "WPA-17"),
        ({"order_number": "prefix", "order_number_prefix": "W"}, {"RefNumber": "7"}, "W7"),
        ({"order_number": "order", "order_number_prefix": "W"}, {}, "PA-17"),
    ],
)
def test_the_number(
    given_settings: Mapping[str, Any], header: Mapping[str, Any], number: str | None, validated: Validate
) -> None:
    found = prepared(order(line(KEG, Bottles="1"), **header), **given_settings)
    assert validated(written(found)).findtext(".//RefNumber") == number


def test_a_number_that_is_too_long_waits_and_goes_under_quickbooks_own() -> None:
    assert (
        refusal(order(line(KEG, Bottles="1"), key="123456789012"), order_number="order")[0] == "order-number-too-long"
    )
    document = order(line(KEG, Bottles="1"), key="PA-20020244-99")
    for given_settings in ({"order_number": "order"}, {"order_number": "prefix", "order_number_prefix": "W"}):
        code, message = refusal(document, **given_settings)
        assert (code, "takes 11" in message) == ("order-number-too-long", True)
    assert b"<Other>PA-20020244-99</Other>" in written(prepared(document))


def test_the_settings_fill_what_the_map_leaves_blank(validated: Validate) -> None:
    given_settings = {
        "order_class": "Beer:Craft",
        "order_template": "Route order",
        "order_ship_method": "80000003-1446676743",
        "order_message": "Thank you",
        "order_tax": "Exempt",
    }
    request = written(prepared(order(line(KEG, Bottles="1")), **given_settings))
    root = validated(request)
    names = {ref.tag: ref[0].text for ref in root.findall(".//SalesOrderAdd/*") if ref.tag.endswith("Ref")}
    assert names == {
        "CustomerRef": CUSTOMER,
        "ClassRef": "Beer:Craft",
        "TemplateRef": "Route order",
        "ShipMethodRef": "80000003-1446676743",
        "ItemSalesTaxRef": "Exempt",
        "CustomerMsgRef": "Thank you",
    }
    own = {"ClassRef.ListID": "1-1", "CustomerMsgRef.FullName": "Hello", "ItemSalesTaxRef.FullName": "Local"}
    mapped = prepared(order(line(KEG, Bottles="1"), **own), **given_settings).document.header
    assert mapped.items() >= own.items()
    assert not {"ClassRef.FullName", "CustomerMsgRef.ListID"} & set(mapped)


def test_a_whole_order_is_these_bytes(validated: Validate) -> None:
    document = order(
        {**BOTH, "Deposit": Decimal("1.35")},
        customer=JOB,
        Key="PA-17",
        Memo="Back door",
        PONumber="P-1",
        **{"SalesRepRef.FullName": "EA"},
    )
    found = prepared(document, deposit_item="Deposit", order_units="two_lines", over_limit="note", order_number="order")
    request = written(found)
    validated(request)
    body = request.partition(b"<SalesOrderAdd>")[2].partition(b"</SalesOrderAdd>")[0]
    # the job's customer owes 1,700.00 of 2,000.00
    assert body == (
        b"<CustomerRef><ListID>11-1446676743</ListID></CustomerRef><RefNumber>PA-17</RefNumber><PONumber>P-1</PONumber>"
        b"<SalesRepRef><FullName>EA</FullName></SalesRepRef><Memo>Back door</Memo><Other>PA-17</Other>"
        b"<SalesOrderLineAdd><ItemRef><ListID>20-1446676743</ListID></ItemRef><Quantity>2</Quantity>"
        b"<UnitOfMeasure>Case of 12</UnitOfMeasure><Rate>120</Rate></SalesOrderLineAdd>"
        b"<SalesOrderLineAdd><ItemRef><ListID>20-1446676743</ListID></ItemRef><Quantity>3</Quantity>"
        b"<UnitOfMeasure>Bottle</UnitOfMeasure><Rate>10.5</Rate></SalesOrderLineAdd>"
        b"<SalesOrderLineAdd><ItemRef><FullName>Deposit</FullName></ItemRef><Amount>1.35</Amount></SalesOrderLineAdd>"
    )


def test_the_connector_prepares_by_its_settings(connection: Connection) -> None:
    quickbooks: Preparing = QuickBooksDesktop()
    assert isinstance(quickbooks, Preparing)
    base = replace(connection, settings={**connection.settings, "order_units": "base"})
    found = quickbooks.prepare(base, "sales_orders", order(line(Cases="1")), look_up)
    assert found.document.lines[0]["Quantity"] == 12
    with pytest.raises(ConfigError):
        quickbooks.prepare(base, "bills", order(line(Cases="1")), look_up)
