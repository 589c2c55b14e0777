"""Any records, written by ElementTree from Python values that know nothing of the field tables, are read back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from typing import Any
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from reading import parse
from routebooks.connectors.base import Outcome, Page
from routebooks.connectors.quickbooks_desktop import streams
from routebooks.connectors.quickbooks_desktop.streams import page_request, read_page
from routebooks.records import Extract, Kind

ZONES = st.integers(-14 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
VALUES: dict[Kind, st.SearchStrategy[tuple[str, Any]]] = {
    Kind.TEXT: st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cc"]), min_size=1)
    .filter(lambda value: value.strip() != "")
    .map(lambda value: (value, value)),
    Kind.BOOLEAN: st.booleans().map(lambda value: ("true" if value else "false", value)),
    Kind.INTEGER: st.integers(0, 99).map(lambda value: (str(value), value)),
    Kind.DATE: st.dates(date(1900, 1, 1), date(2100, 1, 1)).map(lambda value: (value.isoformat(), value)),
    Kind.TIMESTAMP: st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=ZONES).map(  # noqa: DTZ001
        lambda value: (value.isoformat(timespec="seconds"), value.replace(microsecond=0))
    ),
}


def decimals(scale: int) -> st.SearchStrategy[tuple[str, Any]]:
    numbers = st.decimals(-9_999_999, 9_999_999, allow_nan=False, allow_infinity=False, places=scale)
    return numbers.map(lambda value: (str(value), value))


@st.composite
def records(draw: st.DrawFn, tags: dict[str, dict[str, str]], kinds: dict[str, tuple[Kind, int]]) -> Any:
    """A record of one of the tags as an element, and what its fields should be; `tags` name path -> field."""
    tag = draw(st.sampled_from(sorted(tags)))
    element = ElementTree.Element(tag)
    expected: dict[str, Any] = {}
    for path, field in tags[tag].items():
        kind, scale = kinds[field]
        if draw(st.booleans()):
            values = decimals(scale) if kind is Kind.DECIMAL else VALUES[kind]
            # Few keys, so that some come twice.
            values = st.sampled_from([("1-1", "1-1"), ("2-2", "2-2"), ("3-3", "3-3")]) if path == "ListID" else values
            written, expected[field] = draw(values)
            parent = element
            for level in path.split("/")[:-1]:
                below = parent.find(level)
                parent = ElementTree.SubElement(parent, level) if below is None else below
            ElementTree.SubElement(parent, path.split("/")[-1]).text = written
        elif draw(st.booleans()):
            ElementTree.SubElement(element, "NobodyKnows").text = "x"
    return element, expected


CUSTOMER_FIELDS = (
    *("ListID", "TimeCreated", "TimeModified", "EditSequence", "Name", "FullName", "IsActive", "Sublevel"),
    *("ParentRef.ListID", "ParentRef.FullName", "CompanyName", "BillAddress.Addr1", "BillAddress.Addr5"),
    *("BillAddress.PostalCode", "ShipAddress.City", "Phone", "Email", "Contact", "CustomerTypeRef.FullName"),
    *("TermsRef.FullName", "SalesRepRef.FullName", "Balance", "TotalBalance", "AccountNumber", "CreditLimit"),
    *("JobStatus", "JobStartDate", "Notes", "PriceLevelRef.FullName"),
)
CUSTOMER_PATHS = {field.replace(".", "/"): field for field in CUSTOMER_FIELDS}
ITEM_CORE = {path: path for path in ("ListID", "TimeCreated", "TimeModified", "EditSequence", "Name", "IsActive")}
ITEM_PATHS = {
    "ItemInventoryRet": ITEM_CORE
    | {"FullName": "FullName", "SalesDesc": "Description", "SalesPrice": "Price", "PurchaseCost": "Cost"}
    | {"QuantityOnHand": "QuantityOnHand", "AverageCost": "AverageCost", "ReorderPoint": "ReorderPoint"}
    | {"PrefVendorRef/ListID": "PrefVendorRef.ListID", "UnitOfMeasureSetRef/FullName": "UnitOfMeasureSetRef.FullName"},
    "ItemServiceRet": ITEM_CORE
    | {"FullName": "FullName", "SalesOrPurchase/Desc": "Description", "SalesOrPurchase/Price": "Price"}
    | {"SalesOrPurchase/AccountRef/FullName": "IncomeAccountRef.FullName", "ParentRef/FullName": "ParentRef.FullName"},
    "ItemNonInventoryRet": ITEM_CORE
    | {"SalesAndPurchase/SalesDesc": "Description", "SalesAndPurchase/PurchaseDesc": "PurchaseDescription"}
    | {"SalesAndPurchase/SalesPrice": "Price", "SalesAndPurchase/PrefVendorRef/FullName": "PrefVendorRef.FullName"},
    "ItemGroupRet": ITEM_CORE | {"ItemDesc": "Description", "BarCodeValue": "BarCodeValue"},
}


def compare(stream: str, query: str, drawn: list[tuple[ElementTree.Element, dict[str, Any]]]) -> None:
    root = ElementTree.Element("QBXML")
    response = ElementTree.SubElement(ElementTree.SubElement(root, "QBXMLMsgsRs"), f"{query}Rs")
    response.attrib |= {"statusCode": "0", "statusSeverity": "Info", "retCount": str(len(drawn))}
    latest: dict[Any, dict[str, Any]] = {}
    for number, (element, expected) in enumerate(drawn):
        response.append(element)
        if stream == "items":
            expected["Kind"] = element.tag[:-3]
            expected.setdefault("FullName", expected.get("Name"))
        key = expected.get("ListID", number)
        latest.pop(key, None)
        latest[key] = expected
    answer: bytes = ElementTree.tostring(root, encoding="utf-8")
    assert read_page("13.0", Extract(stream, 100), answer) == Page(Outcome.OK, len(drawn), remaining=0)
    rows = parse(stream, [answer]).to_pylist()
    filled = [{name: value for name, value in row.items() if value is not None} for row in rows]
    assert filled == [
        {name: value for name, value in expected.items() if value is not None} for expected in latest.values()
    ]


def kinds_of(stream: str) -> dict[str, tuple[Kind, int]]:
    return {field.name: (field.kind, field.scale) for field in streams.STREAMS[stream].fields}


@settings(deadline=None, max_examples=40)
@given(st.lists(records({"CustomerRet": CUSTOMER_PATHS}, kinds_of("customers")), max_size=6))
def test_any_customers_are_read_as_they_were_written(drawn: list[tuple[ElementTree.Element, dict[str, Any]]]) -> None:
    compare("customers", "CustomerQuery", drawn)


@settings(deadline=None, max_examples=40)
@given(st.lists(records(ITEM_PATHS, kinds_of("items")), max_size=6))
def test_any_items_are_read_as_they_were_written(drawn: list[tuple[ElementTree.Element, dict[str, Any]]]) -> None:
    compare("items", "ItemQuery", drawn)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(["customers", "items", "vendors", "sales_reps"]),
    st.integers(1, 5000),
    st.none() | st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=ZONES),  # noqa: DTZ001
    st.none() | st.tuples(st.text(), st.text()),
    st.sampled_from(["", "{a0-1}"]),
)
def test_any_extract_gives_a_request_that_the_schema_takes(
    schema: etree.XMLSchema,
    stream: str,
    size: int,
    since: datetime | None,
    names: tuple[str, str] | None,
    iterator_id: str,
) -> None:
    extract = replace(Extract(stream, size), modified_since=since, name_range=names)
    assert schema.validate(etree.fromstring(page_request("13.0", extract, iterator_id))), schema.error_log
