"""Any transactions, written by a generator of its own: what was written is what is read, line by line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reading import parse
from routebooks.connectors.quickbooks_desktop import streams

#: What a row should hold: the fields that are filled.
Row: TypeAlias = dict[str, Any]

TEXTS = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_categories=["Cc"]), min_size=1, max_size=8
)
MONEY = st.decimals(-9999, 9999, places=2)
NUMBERS = st.decimals(-9999, 9999, places=5)
CUSTOM = st.dictionaries(st.sampled_from(["Route", "Shelf"]), TEXTS, max_size=2)
SAMPLES: dict[str, tuple[str, str]] = {
    # What of a line is drawn, and the element that it stands in.
    "Line.TxnLineID": ("TxnLineID", "text"),
    "Line.Desc": ("Desc", "text"),
    "Line.Quantity": ("Quantity", "number"),
    "Line.UnitOfMeasure": ("UnitOfMeasure", "text"),
    "Line.Rate": ("Rate", "number"),
    "Line.Amount": ("Amount", "money"),
    "Line.Other1": ("Other1", "text"),
}
HEADER = {"RefNumber": "text", "PONumber": "text", "Memo": "text", "Subtotal": "money", "TxnDate": "date"}
STRATEGIES: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "money": MONEY,
    "number": NUMBERS,
    "date": st.dates(date(1990, 1, 1), date(2090, 1, 1)),
}


def put(parent: Element, path: str, value: Any) -> None:
    for level in path.split("/"):
        parent = SubElement(parent, level)
    parent.text = str(value)


def put_custom(parent: Element, values: dict[str, str], prefix: str, row: Row) -> None:
    for name, value in values.items():
        ext = SubElement(parent, "DataExtRet")
        for tag, inner in (
            ("OwnerID", "0"),
            ("DataExtName", name),
            ("DataExtType", "STR255TYPE"),
            ("DataExtValue", value),
        ):
            put(ext, tag, inner)
        row[f"{prefix}{name}"] = value


@st.composite
def lines(draw: st.DrawFn, tag: str) -> tuple[Element, Row]:
    element, row = Element(tag), Row()
    ref = draw(st.none() | TEXTS)
    if ref is not None:
        put(element, "ItemRef/ListID", ref)
        row["Line.ItemRef.ListID"] = ref
    for field, (path, kind) in SAMPLES.items():
        if draw(st.booleans()):
            row[field] = draw(STRATEGIES[kind])
            put(element, path, row[field])
    put_custom(element, draw(CUSTOM), "Line.Custom.", row)
    if ref is None:
        row["LineKind"] = "description"
    else:
        bare = "Line.Amount" in row and not {"Line.Quantity", "Line.Rate"} & row.keys()
        row["LineKind"] = "subtotal" if bare else "item"
    return element, row


@st.composite
def groups(draw: st.DrawFn) -> tuple[Element, list[Row]]:
    element, total = Element("InvoiceLineGroupRet"), draw(MONEY)
    put(element, "ItemGroupRef/ListID", "group")
    put(element, "TotalAmount", total)
    rows: list[Row] = [{"LineKind": "group", "Line.ItemRef.ListID": "group", "Line.TotalAmount": total}]
    for inner, row in draw(st.lists(lines("InvoiceLineRet"), max_size=3)):
        element.append(inner)
        rows.append(row | {"LineKind": "component"})
    put_custom(element, draw(CUSTOM), "Line.Custom.", rows[0])
    return element, rows


@st.composite
def invoices(draw: st.DrawFn) -> tuple[Element, list[Row]]:
    element, head = Element("InvoiceRet"), Row()
    # Few keys, so that some come twice, on one page and on two.
    head["TxnID"] = draw(st.sampled_from("ABCD"))
    put(element, "TxnID", head["TxnID"])
    for name, kind in HEADER.items():
        if draw(st.booleans()):
            head[name] = draw(STRATEGIES[kind])
            put(element, name, head[name])
    rows: list[Row] = []
    for is_group in draw(st.lists(st.booleans(), max_size=4)):
        inner, found = draw(groups()) if is_group else draw(lines("InvoiceLineRet").map(lambda one: (one[0], [one[1]])))
        element.append(inner)
        rows += found
    if (amount := draw(st.none() | MONEY)) is not None:
        put(element, "DiscountLineRet/Amount", amount)
        rows.append({"LineKind": "discount", "Line.Amount": amount})
    put_custom(element, draw(CUSTOM), "Custom.", head)
    head["IsVoidInferred"] = False
    numbered = [{**head, **row, "LineNumber": number} for number, row in enumerate(rows, start=1)]
    return element, numbered or [head]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(invoices(), max_size=4), max_size=3), st.sampled_from([1, 4, 10_000]))
def test_any_invoices_are_read_as_they_were_written(pages: list[list[tuple[Element, list[Row]]]], chunk: int) -> None:
    written, expected = [], dict[str, list[Row]]()
    for records in pages:
        root = Element("QBXML")
        response = SubElement(SubElement(root, "QBXMLMsgsRs"), "InvoiceQueryRs", statusCode="0")
        for element, rows in records:
            response.append(element)
            expected.pop(rows[0]["TxnID"], None)
            expected[rows[0]["TxnID"]] = rows
        written.append(ElementTree.tostring(root, encoding="utf-8"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "_CHUNK", chunk)
        table = parse("invoices", written)
    filled = [{name: value for name, value in row.items() if value is not None} for row in table.to_pylist()]
    assert filled == [row for rows in expected.values() for row in rows]
    assert not table.schema.metadata
    amounts = [row["Line.Amount"] for rows in expected.values() for row in rows if "Line.Amount" in row]
    assert sum(value for value in table["Line.Amount"].to_pylist() if value is not None) == sum(amounts, Decimal(0))
