"""Requests for streams, pages, and what is read from them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from lxml import etree

from reading import parse
from routebooks.connectors.base import Outcome, Page
from routebooks.connectors.quickbooks_desktop import streams
from routebooks.connectors.quickbooks_desktop.fields import LIST_CORE, text
from routebooks.connectors.quickbooks_desktop.queries import Query
from routebooks.connectors.quickbooks_desktop.streams import page_request, read_page
from routebooks.errors import ConfigError, FatalError
from routebooks.records import Extract

HEAD = b'<?xml version="1.0" encoding="utf-8"?><?qbxml version="13.0"?><QBXML><QBXMLMsgsRq onError="stopOnError">'
TAIL = b"</QBXMLMsgsRq></QBXML>"
CUSTOMERS = Extract("customers", 250)
SINCE = datetime(2026, 1, 31, 23, 0, tzinfo=UTC)


def page(records: str, query: str = "CustomerQuery", code: int = 0, severity: str = "Info", **more: object) -> bytes:
    status = f'statusCode="{code}" statusSeverity="{severity}" statusMessage="said"'
    status += "".join(f' {name}="{value}"' for name, value in more.items())
    return (
        '<?xml version="1.0" ?>\n<QBXML>\n<QBXMLMsgsRs>\n'
        f'<{query}Rs requestID="customers" {status}>\n{records}\n</{query}Rs>\n</QBXMLMsgsRs>\n</QBXML>\n'
    ).encode()


def customer(key: str, **values: str) -> str:
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    return f"<CustomerRet>\n<ListID>{key}</ListID>\n{inner}</CustomerRet>\n"


# Requests


@pytest.mark.parametrize(
    ("extract", "iterator_id", "request_body"),
    [
        (
            CUSTOMERS,
            "",
            b'<CustomerQueryRq requestID="customers" iterator="Start"><MaxReturned>250</MaxReturned>'
            b"<ActiveStatus>All</ActiveStatus><OwnerID>0</OwnerID></CustomerQueryRq>",
        ),
        (
            CUSTOMERS,
            "{a-1}",
            b'<CustomerQueryRq requestID="customers" iterator="Continue" iteratorID="{a-1}">'
            b"<MaxReturned>250</MaxReturned><ActiveStatus>All</ActiveStatus><OwnerID>0</OwnerID></CustomerQueryRq>",
        ),
        (
            Extract("items", 100, SINCE, ("A", "Mé")),
            "",
            b'<ItemQueryRq requestID="items" iterator="Start"><MaxReturned>100</MaxReturned>'
            b"<ActiveStatus>All</ActiveStatus><FromModifiedDate>2026-01-31T23:00:00+00:00</FromModifiedDate>"
            b"<NameRangeFilter><FromName>A</FromName><ToName>M&#233;</ToName></NameRangeFilter>"
            b"<OwnerID>0</OwnerID></ItemQueryRq>",
        ),
        (
            Extract("customers", 0, None, ("", "M")),
            "",
            b'<CustomerQueryRq requestID="customers" iterator="Start"><MaxReturned>1</MaxReturned>'
            b"<ActiveStatus>All</ActiveStatus><NameRangeFilter><ToName>M</ToName></NameRangeFilter>"
            b"<OwnerID>0</OwnerID></CustomerQueryRq>",
        ),
    ],
)
def test_a_request_is_these_bytes(
    extract: Extract, iterator_id: str, request_body: bytes, validated: Callable[[bytes], etree._Element]
) -> None:
    request = page_request("13.0", extract, iterator_id)
    assert request == HEAD + request_body + TAIL
    validated(request)


def test_reading_a_page_raises_nothing_even_for_a_wrong_setting() -> None:
    answer = page(customer("1"), retCount=1, iteratorRemainingCount=1, iteratorID="{i}")
    read = read_page("x", CUSTOMERS, answer)
    assert read.outcome is Outcome.RETRY
    assert read.problem is not None
    assert read.problem.code == "qbxml-version"


def test_a_list_without_iterator_and_custom_fields_is_one_more_row(
    monkeypatch: pytest.MonkeyPatch, validated: Callable[[bytes], etree._Element]
) -> None:
    reps = Query(
        name="SalesRepQuery",
        records=("SalesRepRet",),
        fields=(*LIST_CORE, text("Initial", 5)),
        paged=False,
        custom_fields=False,
    )
    monkeypatch.setattr(streams, "QUERIES", {"reps": reps})
    request = page_request("13.0", Extract("reps", 250))
    assert request == (
        HEAD + b'<SalesRepQueryRq requestID="reps"><ActiveStatus>All</ActiveStatus></SalesRepQueryRq>' + TAIL
    )
    validated(request)


def test_an_unknown_stream_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="'bills'"):
        page_request("13.0", Extract("bills", 1))
    with pytest.raises(ConfigError, match="'bills'"):
        parse("bills", [])


# Pages


def test_a_page_with_more_behind_it_gives_the_next_request() -> None:
    answer = page(customer("1") + customer("2"), retCount=2, iteratorRemainingCount=5, iteratorID="{i}")
    assert read_page("13.0", CUSTOMERS, answer) == Page(
        Outcome.OK, 2, page_request("13.0", CUSTOMERS, "{i}"), remaining=5
    )


@pytest.mark.parametrize(
    "answer",
    [
        page(customer("1"), retCount=1, iteratorRemainingCount=0, iteratorID="{i}"),
        page(customer("1")),
    ],
)
def test_the_last_page_has_nothing_behind_it(answer: bytes) -> None:
    assert read_page("13.0", CUSTOMERS, answer) == Page(Outcome.OK, 1, remaining=0)


@pytest.mark.parametrize("severity", ["Info", "Warn"])
def test_no_match_is_success_without_records(severity: str) -> None:
    answer = page("", code=1, severity=severity, retCount=0, iteratorRemainingCount=0, iteratorID="{i}")
    assert read_page("13.0", CUSTOMERS, answer) == Page(Outcome.EMPTY, remaining=0)


def test_what_comes_without_an_iterator_counts_nothing_behind_it() -> None:
    answer = page("<SalesRepRet><ListID>1</ListID></SalesRepRet>", query="SalesRepQuery", retCount=1)
    assert read_page("13.0", Extract("sales_reps", 100), answer) == Page(Outcome.OK, 1)


def test_a_warning_is_partial_and_goes_on() -> None:
    answer = page(customer("1"), code=530, severity="Warn", retCount=1, iteratorRemainingCount=1, iteratorID="{i}")
    read = read_page("13.0", CUSTOMERS, answer)
    assert (read.outcome, read.records) == (Outcome.PARTIAL, 1)
    assert read.next_request == page_request("13.0", CUSTOMERS, "{i}")
    assert read.problem is not None
    assert read.problem.code == "qb-530"


@pytest.mark.parametrize(
    ("code", "outcome"), [(3391, Outcome.RETRY), (1000, Outcome.RETRY), (3260, Outcome.STOP), (3120, Outcome.HOLD)]
)
def test_an_error_is_told_by_the_table(code: int, outcome: Outcome) -> None:
    read = read_page("13.0", CUSTOMERS, page("", code=code, severity="Error"))
    assert (read.outcome, read.records, read.next_request, read.remaining) == (outcome, 0, None, None)
    assert read.problem is not None
    assert read.problem.code == f"qb-{code}"
    assert "said" in read.problem.message


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", "qb-broken-answer"),
        (page(customer("1"))[:-30], "qb-broken-answer"),
        (page("", query="ItemQuery"), "qb-wrong-answer"),
        (page(customer("1"), retCount=2), "qb-broken-page"),
        (page(customer("1") * 3, retCount=2), "qb-broken-page"),
        (page(customer("1"), retCount=1, iteratorRemainingCount=5), "qb-broken-page"),
        (page("", retCount=0, iteratorRemainingCount=5, iteratorID="{i}"), "qb-broken-page"),
        (page("", code=0).replace(b'statusCode="0"', b""), "qb-no-status"),
    ],
)
def test_a_page_that_is_not_whole_starts_the_extract_anew(answer: bytes, code: str) -> None:
    read = read_page("13.0", CUSTOMERS, answer)
    assert (read.outcome, read.next_request) == (Outcome.RETRY, None)
    assert read.problem is not None
    assert read.problem.code == code
    assert read.problem.hint


# Records


@pytest.mark.parametrize("stream", ["customers", "items"])
def test_the_columns_are_the_fields_of_the_stream_even_without_records(stream: str) -> None:
    table = parse(stream, [])
    expected = pa.schema([(field.name, field.arrow) for field in streams.STREAMS[stream].fields])
    assert table.schema.equals(expected)
    assert table.num_rows == 0
    assert len(set(table.column_names)) == len(table.column_names)


@pytest.mark.parametrize("chunk", [1, 2, 10_000])
def test_a_key_seen_twice_counts_once_over_all_pages(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_CHUNK", chunk)

    def pages() -> Iterator[bytes]:
        yield page(customer("1", Name="a") + customer("2", Name="b"))
        yield page("", code=1)
        yield page(customer("3", Name="c") + customer("1", Name="z"))

    assert parse("customers", pages()).select(["ListID", "Name"]).to_pylist() == [
        {"ListID": "2", "Name": "b"},
        {"ListID": "3", "Name": "c"},
        {"ListID": "1", "Name": "z"},
    ]


def test_custom_fields_of_later_pages_come_last_and_are_null_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_CHUNK", 1)
    extra = (
        "<DataExtRet><OwnerID>0</OwnerID><DataExtName>Licence no.</DataExtName><DataExtType>STR255TYPE</DataExtType>"
        "<DataExtValue>L&amp;1</DataExtValue></DataExtRet>"
    )
    second = customer("2").replace("</CustomerRet>", f"{extra}</CustomerRet>")
    table = parse("customers", [page(customer("1")), page(second)])
    assert table.column_names[-1] == "Custom.Licence no."
    assert table["Custom.Licence no."].to_pylist() == [None, "L&1"]


def test_values_that_cannot_be_read_are_counted_in_the_metadata() -> None:
    bad = customer("1", Balance="much", TimeModified="late") + customer("2", Balance="more")
    table = parse("customers", [page(bad)])
    assert table["Balance"].to_pylist() == [None, None]
    assert json.loads(table.schema.metadata[b"unreadable"]) == {"Balance": 2, "TimeModified": 1}
    assert not parse("customers", [page(customer("1", Balance="1.00"))]).schema.metadata


def test_a_card_number_is_read_nowhere() -> None:
    card = "<CreditCardInfo><CreditCardNumber>4111111111111111</CreditCardNumber></CreditCardInfo>"
    table = parse("customers", [page(customer("1").replace("</CustomerRet>", f"{card}</CustomerRet>"))])
    assert "4111111111111111" not in str(table.to_pylist())


def test_forbidden_characters_do_not_break_a_page() -> None:
    bad = page(customer("1", Name="a&#1;b\x02c"), retCount=1)
    assert read_page("13.0", CUSTOMERS, bad) == Page(Outcome.OK, 1, remaining=0)
    assert parse("customers", [bad])["Name"].to_pylist() == ["abc"]


@pytest.mark.parametrize("bad", [b"", page(customer("1"))[:-9], page("", query="ItemQuery")])
def test_a_page_that_is_no_answer_to_the_query_is_fatal(bad: bytes) -> None:
    with pytest.raises(FatalError):
        parse("customers", [page(customer("1")), bad])


def item(kind: str, inner: str) -> str:
    return f"<Item{kind}Ret><ListID>{kind}</ListID>{inner}</Item{kind}Ret>"


def account(tag: str, name: str) -> str:
    return f"<{tag}><ListID>9</ListID><FullName>{name}</FullName></{tag}>"


def items_of_all_shapes() -> list[str]:
    return [
        item(
            "Inventory",
            "<Name>n</Name><FullName>p:n</FullName><SalesDesc>d</SalesDesc><SalesPrice>1.5</SalesPrice>"
            + account("IncomeAccountRef", "Sales")
            + "<PurchaseDesc>pd</PurchaseDesc><PurchaseCost>0.75</PurchaseCost>"
            + account("PrefVendorRef", "Vendor")
            + "<ReorderPoint>6</ReorderPoint><QuantityOnHand>12</QuantityOnHand>",
        ),
        item("InventoryAssembly", "<Name>n</Name><FullName>n</FullName><BuildPoint>7</BuildPoint>"),
        item(
            "Service",
            "<Name>n</Name><FullName>n</FullName><SalesOrPurchase><Desc>d</Desc><Price>2</Price>"
            + account("AccountRef", "Sales")
            + "</SalesOrPurchase>",
        ),
        item("OtherCharge", "<SalesOrPurchase><PricePercent>10.0%</PricePercent></SalesOrPurchase>"),
        item(
            "NonInventory",
            "<SalesAndPurchase><SalesDesc>d</SalesDesc><SalesPrice>3</SalesPrice>"
            + account("IncomeAccountRef", "Sales")
            + "<PurchaseDesc>pd</PurchaseDesc><PurchaseCost>1</PurchaseCost>"
            + account("PrefVendorRef", "Vendor")
            + "</SalesAndPurchase>",
        ),
        item(
            "Discount",
            f"<ItemDesc>d</ItemDesc><DiscountRatePercent>5</DiscountRatePercent>{account('AccountRef', 'D')}",
        ),
        item("SalesTax", "<Name>n</Name><TaxRate>7</TaxRate>"),
        *(
            item(kind, "<Name>n</Name><ItemDesc>d</ItemDesc>")
            for kind in ("Subtotal", "Payment", "SalesTaxGroup", "Group")
        ),
        item("FixedAsset", "<Name>n</Name><PurchaseDesc>pd</PurchaseDesc>"),
    ]


def test_items_of_all_shapes_meet_in_the_same_fields() -> None:
    described = ("Inventory", "Service", "NonInventory", "Discount", "Subtotal", "Payment", "SalesTaxGroup", "Group")
    table = parse("items", [page("".join(items_of_all_shapes()), query="ItemQuery")])
    rows = {row["Kind"].removeprefix("Item"): row for row in table.to_pylist()}

    def column(name: str) -> dict[str, Any]:
        return {kind: row[name] for kind, row in rows.items() if row[name] is not None}

    assert list(rows) == [row["ListID"] for row in rows.values()]
    assert len(rows) == 12
    assert column("FullName") == {
        "Inventory": "p:n",
        **dict.fromkeys(("InventoryAssembly", "Service", "SalesTax", "Subtotal", "Payment"), "n"),
        **dict.fromkeys(("SalesTaxGroup", "Group", "FixedAsset"), "n"),
    }
    assert column("Description") == dict.fromkeys(described, "d")
    assert column("Price") == {"Inventory": Decimal("1.5"), "Service": Decimal(2), "NonInventory": Decimal(3)}
    assert column("PricePercent") == {"OtherCharge": Decimal(10)}
    assert column("PurchaseDescription") == dict.fromkeys(("Inventory", "NonInventory", "FixedAsset"), "pd")
    assert column("Cost") == {"Inventory": Decimal("0.75"), "NonInventory": Decimal(1)}
    assert column("PrefVendorRef.FullName") == dict.fromkeys(("Inventory", "NonInventory"), "Vendor")
    assert column("IncomeAccountRef.FullName") == {
        **dict.fromkeys(("Inventory", "Service", "NonInventory"), "Sales"),
        "Discount": "D",
    }
    assert column("ReorderPoint") == {"Inventory": Decimal(6), "InventoryAssembly": Decimal(7)}
    assert column("TaxRate") == {"SalesTax": Decimal(7)}
    assert column("DiscountRatePercent") == {"Discount": Decimal(5)}
