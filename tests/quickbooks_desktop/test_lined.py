"""Records with lines: one row a line in the order of the document, by hand-made answers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from reading import parse
from routebooks.connectors.quickbooks_desktop import streams
from routebooks.connectors.quickbooks_desktop.streams import STREAMS


def page(query: str, *records: str) -> bytes:
    body = "\n".join(records)
    return f'<QBXML><QBXMLMsgsRs><{query}Rs statusCode="0">{body}</{query}Rs></QBXMLMsgsRs></QBXML>'.encode()


def custom(name: str, value: str, owner: str = "0") -> str:
    return (
        f"<DataExtRet><OwnerID>{owner}</OwnerID><DataExtName>{name}</DataExtName><DataExtType>STR255TYPE</DataExtType>"
        f"<DataExtValue>{value}</DataExtValue></DataExtRet>"
    )


def item(number: int, more: str = "", tag: str = "InvoiceLineRet") -> str:
    ref = f"<ItemRef><ListID>i{number}</ListID><FullName>Item {number}</FullName></ItemRef>"
    return (
        f"<{tag}><TxnLineID>L{number}</TxnLineID>{ref}<Quantity>{number}</Quantity><Rate>2</Rate>"
        f"<Amount>{2 * number}.00</Amount>{more}</{tag}>"
    )


def invoice(key: str, inner: str = "", head: str = "") -> str:
    return f"<InvoiceRet><TxnID>{key}</TxnID><RefNumber>R{key}</RefNumber>{head}{inner}</InvoiceRet>"


def rows(table: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def test_all_kinds_of_line_in_the_order_of_the_document() -> None:
    group = (
        "<InvoiceLineGroupRet><TxnLineID>G</TxnLineID><ItemGroupRef><ListID>g</ListID><FullName>Set</FullName>"
        "</ItemGroupRef><Quantity>1</Quantity><IsPrintItemsInGroup>true</IsPrintItemsInGroup>"
        f"<TotalAmount>10.00</TotalAmount>{item(2)}<InvoiceLineRet><TxnLineID>N</TxnLineID><Desc>note</Desc>"
        f"</InvoiceLineRet>{item(3)}{custom('Shelf', 'G7')}</InvoiceLineGroupRet>"
    )
    lines = (
        item(1, custom("Shelf", "A1") + custom("Mark", "x", "{c762cd16-a12e-4256-a38e-d6a2d386fb75}"))
        + "<InvoiceLineRet><TxnLineID>D</TxnLineID><Desc>thank you</Desc></InvoiceLineRet>"
        + group
        + "<InvoiceLineRet><TxnLineID>S</TxnLineID><ItemRef><ListID>s</ListID></ItemRef><Amount>12.00</Amount>"
        + "</InvoiceLineRet>"
        + item(4)
        + "<DiscountLineRet><Amount>-1.00</Amount><IsTaxable>false</IsTaxable></DiscountLineRet>"
        + "<SalesTaxLineRet><RatePercent>7</RatePercent><AccountRef><FullName>Tax</FullName></AccountRef>"
        + "</SalesTaxLineRet><ShippingLineRet><Amount>5.00</Amount></ShippingLineRet>"
        + custom("Route", "North")
    )
    table = parse("invoices", [page("InvoiceQuery", invoice("1", lines, "<Memo>m</Memo>"))])
    assert rows(table, "LineNumber", "LineKind", "Line.TxnLineID") == [
        (1, "item", "L1"),
        (2, "description", "D"),
        (3, "group", "G"),
        (4, "component", "L2"),
        (5, "component", "N"),
        (6, "component", "L3"),
        (7, "subtotal", "S"),
        (8, "item", "L4"),
        (9, "discount", None),
        (10, "tax", None),
        (11, "shipping", None),
    ]
    assert set(rows(table, "TxnID", "RefNumber", "Memo", "Custom.Route")) == {("1", "R1", "m", "North")}
    assert table.column_names[-2:] == ["Custom.Route", "Line.Custom.Shelf"]
    assert table["Line.Custom.Shelf"].to_pylist() == ["A1", None, "G7"] + [None] * 8
    assert rows(table, "Line.ItemRef.FullName", "Line.Amount", "Line.TotalAmount")[2] == ("Set", None, Decimal("10.00"))
    assert [row[0] for row in rows(table.slice(8), "Line.Amount")] == [Decimal("-1.00"), None, Decimal("5.00")]
    assert rows(table.slice(9, 1), "Line.RatePercent", "Line.AccountRef.FullName") == [(Decimal(7), "Tax")]
    assert rows(table.slice(8, 1), "Line.IsTaxable") == [(False,)]


@pytest.mark.parametrize(
    ("inner", "kind"),
    [
        ("<ItemRef><FullName>a</FullName></ItemRef><Amount>5.00</Amount>", "subtotal"),
        ("<ItemRef><FullName>a</FullName></ItemRef><Quantity>1</Quantity><Amount>5.00</Amount>", "item"),
        ("<ItemRef><FullName>a</FullName></ItemRef><Rate>5</Rate><Amount>5.00</Amount>", "item"),
        ("<ItemRef><FullName>a</FullName></ItemRef><RatePercent>5</RatePercent><Amount>5.00</Amount>", "item"),
        ("<ItemRef><FullName>a</FullName></ItemRef>", "item"),
        ("<Desc>a</Desc><Amount>5.00</Amount>", "description"),
        ("", "description"),
    ],
)
def test_the_kind_of_a_line_is_told_by_its_shape(inner: str, kind: str) -> None:
    table = parse("invoices", [page("InvoiceQuery", invoice("1", f"<InvoiceLineRet>{inner}</InvoiceLineRet>"))])
    assert table["LineKind"].to_pylist() == [kind]


@pytest.mark.parametrize(
    ("stream", "name"), [("invoices", "Invoice"), ("credit_memos", "CreditMemo"), ("sales_receipts", "SalesReceipt")]
)
def test_the_three_transactions_are_read_alike(stream: str, name: str) -> None:
    line = f"{name}LineRet"
    group = f"<{name}LineGroupRet><TxnLineID>G</TxnLineID>{item(2, tag=line)}</{name}LineGroupRet>"
    record = f"<{name}Ret><TxnID>1</TxnID>{item(1, tag=line)}{group}<Subtotal>6.00</Subtotal></{name}Ret>"
    table = parse(stream, [page(f"{name}Query", record)])
    assert rows(table, "LineKind", "Line.TxnLineID", "Subtotal") == [
        (kind, line_id, Decimal("6.00")) for kind, line_id in (("item", "L1"), ("group", "G"), ("component", "L2"))
    ]


@pytest.mark.parametrize("stream", [name for name, shape in STREAMS.items() if shape.line])
def test_the_columns_are_the_fields_of_the_stream_even_without_records(stream: str) -> None:
    table = parse(stream, [])
    assert table.schema.equals(pa.schema([(field.name, field.arrow) for field in STREAMS[stream].fields]))
    assert table.num_rows == 0


def test_a_transaction_without_lines_is_one_row() -> None:
    table = parse("invoices", [page("InvoiceQuery", invoice("1"), invoice("2", item(1)), invoice("3"))])
    assert rows(table, "TxnID", "LineNumber", "LineKind", "Line.Amount") == [
        ("1", None, None, None),
        ("2", 1, "item", Decimal("2.00")),
        ("3", None, None, None),
    ]


@pytest.mark.parametrize("chunk", [1, 3, 10_000])
def test_of_a_transaction_seen_twice_only_the_last_sight_stays(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_CHUNK", chunk)
    pages = [
        page("InvoiceQuery", invoice("1", item(1) + item(2) + item(3)), invoice("2", item(4)), invoice("3")),
        # The same again at the seam of two pages, once with fewer lines, once with the first.
        page("InvoiceQuery", invoice("3", item(5)), invoice("1", item(6) + item(7)), invoice("4", item(8))),
    ]
    assert rows(parse("invoices", pages), "TxnID", "LineNumber", "Line.TxnLineID") == [
        ("2", 1, "L4"),
        ("3", 1, "L5"),
        ("1", 1, "L6"),
        ("1", 2, "L7"),
        ("4", 1, "L8"),
    ]


def test_lines_keep_to_their_records_beyond_one_block() -> None:
    invoices = [invoice(str(number), item(1) + item(2, custom("Late", "x") * (number > 600))) for number in range(700)]
    table = parse("invoices", [page("InvoiceQuery", *invoices[:550]), page("InvoiceQuery", *invoices[550:])])
    names = ("TxnID", "RefNumber", "LineNumber", "Line.TxnLineID", "Line.Custom.Late")
    assert rows(table, *names) == [
        (str(number), f"R{number}", line, f"L{line}", "x" if line == 2 and number > 600 else None)
        for number in range(700)
        for line in (1, 2)
    ]


VOIDED = "<Subtotal>0.00</Subtotal><BalanceRemaining>0.00</BalanceRemaining><Memo>VOID: typed twice</Memo>"
NOTHING = (
    "<InvoiceLineRet><ItemRef><ListID>i</ListID></ItemRef><Quantity>0</Quantity><Amount>0.00</Amount></InvoiceLineRet>"
)


@pytest.mark.parametrize(
    ("head", "lines", "void"),
    [
        (VOIDED, NOTHING + NOTHING, True),
        (VOIDED, "", True),
        ("<Memo>VOID:</Memo>", "<InvoiceLineRet><Desc>no amount</Desc></InvoiceLineRet>", True),
        (VOIDED.replace("VOID", "Void"), NOTHING, False),
        (VOIDED.replace("VOID", "see VOID"), NOTHING, False),
        (VOIDED.replace("<Subtotal>0.00", "<Subtotal>0.01"), NOTHING, False),
        (VOIDED.replace("<BalanceRemaining>0.00", "<BalanceRemaining>5.00"), NOTHING, False),
        (VOIDED, NOTHING + NOTHING.replace("<Amount>0.00", "<Amount>-3.00"), False),
        (VOIDED, "<InvoiceLineGroupRet><TotalAmount>3.00</TotalAmount></InvoiceLineGroupRet>", False),
        ("<Subtotal>0.00</Subtotal>", NOTHING, False),
    ],
)
def test_a_void_is_inferred_of_nothing_but_zeros_and_the_memo(head: str, lines: str, void: bool) -> None:
    others = invoice("2", item(1)), invoice("3", item(1), "<Memo>VOID: but it has an amount</Memo>")
    table = parse("invoices", [page("InvoiceQuery", others[0], invoice("1", lines, head), others[1])])
    assert set(rows(table, "TxnID", "IsVoidInferred")) == {("1", void), ("2", False), ("3", False)}


def test_a_value_of_a_record_that_cannot_be_read_counts_once_and_of_a_line_once_a_line() -> None:
    bad = invoice("1", item(1, "<ServiceDate>soon</ServiceDate>") * 2, "<TxnDate>later</TxnDate>")
    table = parse("invoices", [page("InvoiceQuery", bad)])
    assert table.schema.metadata == {b"unreadable": b'{"TxnDate": 1, "Line.ServiceDate": 2}'}


def unit(tag: str, name: str, short: str, ratio: str = "") -> str:
    ratio = f"<ConversionRatio>{ratio}</ConversionRatio>" if ratio else ""
    return f"<{tag}><Name>{name}</Name><Abbreviation>{short}</Abbreviation>{ratio}</{tag}>"


def test_a_set_of_units_is_one_row_a_unit() -> None:
    bottles = (
        "<UnitOfMeasureSetRet><ListID>1</ListID><Name>By the bottle</Name><IsActive>true</IsActive>"
        f"<UnitOfMeasureType>Count</UnitOfMeasureType>{unit('BaseUnit', 'bottle', 'btl')}"
        f"{unit('RelatedUnit', 'case', 'cs', '12')}{unit('RelatedUnit', 'half', 'hf', '0.5')}"
        "<DefaultUnit><UnitUsedFor>Sales</UnitUsedFor><Unit>case</Unit></DefaultUnit></UnitOfMeasureSetRet>"
    )
    plain = (
        f"<UnitOfMeasureSetRet><ListID>2</ListID><Name>Kegs</Name>{unit('BaseUnit', 'keg', 'kg')}</UnitOfMeasureSetRet>"
    )
    table = parse("units_of_measure", [page("UnitOfMeasureSetQuery", bottles, plain)])
    fields = ("LineKind", "Line.Name", "Line.Abbreviation", "Line.ConversionRatio")
    assert rows(table, "Name", "BaseUnit.Name", "LineNumber", *fields) == [
        ("By the bottle", "bottle", 1, "base", "bottle", "btl", Decimal(1)),
        ("By the bottle", "bottle", 2, "related", "case", "cs", Decimal(12)),
        ("By the bottle", "bottle", 3, "related", "half", "hf", Decimal("0.5")),
        ("Kegs", "keg", 1, "base", "keg", "kg", Decimal(1)),
    ]


def test_a_price_level_is_a_percentage_or_a_row_an_item() -> None:
    fixed = (
        "<PriceLevelRet><ListID>1</ListID><Name>Chains</Name><PriceLevelType>FixedPercentage</PriceLevelType>"
        "<PriceLevelFixedPercentage>-18.0%</PriceLevelFixedPercentage></PriceLevelRet>"
    )
    items = "".join(
        f"<PriceLevelPerItemRet><ItemRef><ListID>i{at}</ListID></ItemRef>{price}</PriceLevelPerItemRet>"
        for at, price in enumerate(
            ("<CustomPrice>9.5</CustomPrice>", "<CustomPricePercent>18.0%</CustomPricePercent>"), 1
        )
    )
    each = f"<PriceLevelRet><ListID>2</ListID><Name>Bars</Name>{items}</PriceLevelRet>"
    table = parse("price_levels", [page("PriceLevelQuery", fixed, each)])
    prices = ("Line.ItemRef.ListID", "Line.CustomPrice", "Line.CustomPricePercent")
    assert rows(table, "Name", "PriceLevelFixedPercentage", "LineNumber", *prices) == [
        ("Chains", Decimal(-18), None, None, None, None),
        ("Bars", None, 1, "i1", Decimal("9.5"), None),
        ("Bars", None, 2, "i2", None, Decimal(18)),
    ]
    assert not table.schema.metadata


def test_terms_of_both_kinds_meet_in_one_stream() -> None:
    records = (
        "<DateDrivenTermsRet><ListID>2</ListID><Name>10th</Name><DayOfMonthDue>10</DayOfMonthDue></DateDrivenTermsRet>",
        "<StandardTermsRet><ListID>1</ListID><Name>Net 30</Name><StdDueDays>30</StdDueDays></StandardTermsRet>",
    )
    table = parse("terms", [page("TermsQuery", *records)])
    assert rows(table, "Kind", "Name", "StdDueDays", "DayOfMonthDue") == [
        ("DateDrivenTerms", "10th", None, 10),
        ("StandardTerms", "Net 30", 30, None),
    ]
