"""invoice.fil and detail.fil: golden bytes, round trips, and a night without records."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from file_bytes import encode
from routebooks.connectors.pocketadvantage.fil import MONEY, Dialect, decode
from routebooks.connectors.pocketadvantage.layouts import shipped_layouts
from routebooks.errors import FatalError
from routebooks.records import Kind, Layout, TargetColumn

INVOICE, DETAIL = shipped_layouts()["invoice"], shipped_layouts()["detail"]


def table(layout: Layout, rows: list[dict[str, Any]]) -> pa.Table:
    schema = pa.schema([(column.name, column.arrow) for column in layout.columns])
    return pa.Table.from_pylist(rows, schema=schema)


def test_the_bytes_of_an_invoice_of_two_lines() -> None:
    invoice = {
        **{"Company ID": "77", "Customer ID": "C-1", "Invoice Number": "10234", "Invoice Date": date(2026, 3, 2)},
        **{"Invoice Type": "IN", "Sales Rep": "JM", "PO Number": "PO 9", "Status": "A"},
    }
    rows = [
        {
            **invoice,
            **{"Line Number": 1, "Item ID": "AVEDIS-750", "Cases": Decimal(2), "Bottles": Decimal("0.5")},
            **{"Unit Price": Decimal("119.98765"), "Discount": Decimal("-4.50"), "Deposit": Decimal("1.2")},
            **{"Extended": Decimal("239.97")},
        },
        {**invoice, "Line Number": 3, "Item ID": "Crémant", "Bottles": Decimal(-7)},
    ]
    made = encode(INVOICE, Dialect(), table(INVOICE, rows))
    assert made.data == (
        b"77\tC-1\t10234\t03/02/2026\tIN\t1\tAVEDIS-750\t2.00000\t0.50000\t119.99\t-4.50\t1.20\t239.97\tJM\tPO 9\tA\r\n"
        b"77\tC-1\t10234\t03/02/2026\tIN\t3\tCr\xe9mant\t\t-7.00000\t\t\t\t\tJM\tPO 9\tA\r\n"
    )
    assert (made.records, made.notes) == (2, ())


def test_the_bytes_of_a_detail_file() -> None:
    rows = [
        {"Company ID": "77", "Detail #": 12, "Code": "JM", "Description": "José Mora"},
        {"Company ID": "77", "Detail #": 31, "Code": "JM", "Description": None},
        {"Company ID": "77", "Detail #": 41, "Code": "Net 30", "Description": "Net 30"},
    ]
    made = encode(DETAIL, Dialect(), table(DETAIL, rows))
    assert made.data == b"77\t12\tJM\tJos\xe9 Mora\r\n77\t31\tJM\t\r\n77\t41\tNet 30\tNet 30\r\n"
    with pytest.raises(FatalError, match="two records have the key"):
        encode(DETAIL, Dialect(), table(DETAIL, [rows[0], {**rows[0], "Description": "Julia Maas"}]))


def values(column: TargetColumn) -> st.SearchStrategy[Any]:
    match column.kind:
        case Kind.TEXT:
            return st.text(st.characters(codec="cp1252", exclude_categories=["Cc"]), max_size=12)
        case Kind.DECIMAL:
            return st.decimals(-(10**9), 10**9, places=column.scale)
        case Kind.INTEGER:
            return st.integers(0, 10**6)
        case Kind.DATE:
            return st.dates(date(1000, 1, 1))
        case Kind.BOOLEAN:
            return st.booleans()
    raise AssertionError(column.kind)


def rows_of(layout: Layout) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Rows of a layout; every column that is not needed may be blank, the keys differ."""
    row = st.fixed_dictionaries(
        {column.name: values(column) if column.required else st.none() | values(column) for column in layout.columns}
    )
    keys = [column for column in layout.columns if column.key]

    def keyed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        own = [{key.name: place if key.kind is Kind.INTEGER else f"K{place}" for key in keys} for place in range(9)]
        return [{**row, **own[place]} for place, row in enumerate(rows)]

    return st.lists(row, max_size=5).map(keyed)


def as_written(column: TargetColumn, value: Any, trimmed: bool) -> str:
    """What a file must say of a value, by Python's own means."""
    match value:
        case None:
            return ""
        case bool():
            return "NY"[value]
        case date():
            return f"{value.month:02}/{value.day:02}/{value.year:04}"
        case Decimal():
            digits = 2 if column.format == MONEY else column.scale
            # adding zero makes -0.00 what it is: 0.00
            written = f"{value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP) + 0:f}"
            return written.rstrip("0").rstrip(".") if trimmed and "." in written else written
        case _:
            return str(value)


@pytest.mark.parametrize("layout", shipped_layouts().values(), ids=lambda layout: layout.name)
@settings(max_examples=40, deadline=None)
@given(data=st.data(), trimmed=st.booleans(), header=st.booleans())
def test_what_is_encoded_is_decoded_again(layout: Layout, data: st.DataObject, trimmed: bool, header: bool) -> None:
    rows = data.draw(rows_of(layout))
    # a text that is itself in quotes comes back as it was only where quotes are doubled
    dialect = Dialect(quoting="texts", trim_decimals=trimmed, header=header)
    made = encode(layout, dialect, table(layout, rows))
    names, read = decode(layout, dialect, made.data)
    assert names == tuple(column.name for column in layout.columns)
    assert read == [[as_written(column, row[column.name], trimmed) for column in layout.columns] for row in rows]
    assert made.records == len(rows)


@pytest.mark.parametrize("last_line_end", [True, False])
@pytest.mark.parametrize("layout", [INVOICE, DETAIL], ids=lambda layout: layout.name)
def test_a_night_without_records_is_an_empty_file_or_a_header(layout: Layout, last_line_end: bool) -> None:
    whole = table(layout, [])
    nothing = (whole, pa.concat_tables([whole, whole]), whole.schema.empty_table())
    header = "\t".join(column.name for column in layout.columns).encode() + (b"\r\n" if last_line_end else b"")
    for empty in nothing:
        assert encode(layout, Dialect(last_line_end=last_line_end), empty).data == b""
        made = encode(layout, Dialect(header=True, last_line_end=last_line_end), empty)
        assert (made.data, made.records) == (header, 0)
        assert decode(layout, Dialect(header=True), made.data)[1] == []
