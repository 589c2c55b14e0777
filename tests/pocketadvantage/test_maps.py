"""The maps of the files: they fit what they read and what they fill, and set aside what must not go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from file_bytes import encode
from routebooks.connectors.pocketadvantage.fil import Dialect
from routebooks.connectors.pocketadvantage.layouts import shipped_layouts
from routebooks.connectors.quickbooks_desktop.streams import STREAMS
from routebooks.connectors.quickbooks_desktop.views import VIEWS
from routebooks.mapping.apply import Mapped, apply_map
from routebooks.mapping.check import check_map
from routebooks.mapping.templates import load_template
from routebooks.records import Stream

COMPANY = {"Company.CustId": "77", "Company.Name": "Harbor"}
SOURCES: Mapping[str, Stream] = {**STREAMS, **{name: view.stream for name, view in VIEWS.items()}}


def mapped(name: str, rows: list[dict[str, Any]]) -> Mapped:
    """What a map makes of rows of its source, as the engine applies it."""
    map = load_template(name)
    source = SOURCES[map.source]
    table = pa.Table.from_pylist(rows, schema=pa.schema([(field.name, field.arrow) for field in source.fields]))
    return apply_map(map, table, shipped_layouts()[map.target], COMPANY, key_field=source.label)


@pytest.mark.parametrize(
    ("name", "source", "target"),
    [
        ("customers", "customers_with_past_due", "customer"),
        ("items", "items", "item"),
        ("invoices", "transactions", "invoice"),
        ("codes", "codes", "detail"),
    ],
)
def test_a_map_fits_its_source_and_fills_every_column_of_its_file(name: str, source: str, target: str) -> None:
    map, layout = load_template(name), shipped_layouts()[target]
    assert (map.source, map.target) == (source, target)
    assert check_map(map, SOURCES[source].fields, layout, COMPANY) == []
    named = {column.name for column in layout.columns if not column.name.startswith("Blank")}
    assert {column.name for column in map.columns} == named


def test_past_due_goes_out_with_the_customer() -> None:
    made = mapped("customers", [{"ListID": "1", "AccountNumber": "A", "PastDue": Decimal("12.50")}])
    assert made.table["Past Due"].to_pylist() == [Decimal("12.50")]


def code(kind: str, code: str | None, description: str | None = None) -> dict[str, Any]:
    return {"Place": f"{kind}/{code}", "DetailKind": kind, "Code": code, "Description": description}


def test_a_code_may_stand_under_several_kinds_and_only_once_under_each() -> None:
    made = mapped("codes", [code("12", "JM", "José Mora"), code("31", "JM"), code("41", "COD"), code("41", "COD")])
    assert encode(shipped_layouts()["detail"], Dialect(), made.table).data == (
        b"77\t12\tJM\tJos\xe9 Mora\r\n77\t31\tJM\tJM\r\n"
    )
    assert [(each.key, each.problem.code) for each in made.rejected] == [("41 / COD", "key-double")] * 2


def test_a_code_that_is_blank_or_whose_kind_is_no_number_is_set_aside() -> None:
    made = mapped("codes", [code("12", None), code("rep", "JM"), code("12", "JM")])
    assert made.table["Code"].to_pylist() == ["JM"]
    assert [each.problem.code for each in made.rejected] == ["key-blank", "map-not-a-whole-number"]


def line(txn_id: str, number: str, place: int | None, **more: Any) -> dict[str, Any]:
    return {
        **{"TxnID": txn_id, "RefNumber": number, "Kind": "IN", "Status": "A", "TxnDate": date(2026, 3, 2)},
        **{"CustomerKey": "C-1", "LineNumber": place, "ItemKey": "AVEDIS-750", "Cases": Decimal(2)},
        **{"Bottles": Decimal(0), "UnitPrice": Decimal("9.5"), "Extended": Decimal("19.00"), "SalesRep": "JM"},
        **more,
    }


def test_invoices_of_two_lines_and_a_credit_memo() -> None:
    back = {"Cases": Decimal(-1), "Extended": Decimal("-9.50"), "Kind": "CM", "PONumber": "PO 9", "SalesRep": None}
    made = mapped("invoices", [line("a", "1001", 1), line("a", "1001", 2), line("b", "1002", 1, **back)])
    assert made.rejected == ()
    assert encode(shipped_layouts()["invoice"], Dialect(trim_decimals=True), made.table).data == (
        b"77\tC-1\t1001\t03/02/2026\tIN\t1\tAVEDIS-750\t2\t0\t9.5\t\t\t19\tJM\t\tA\r\n"
        b"77\tC-1\t1001\t03/02/2026\tIN\t2\tAVEDIS-750\t2\t0\t9.5\t\t\t19\tJM\t\tA\r\n"
        b"77\tC-1\t1002\t03/02/2026\tCM\t1\tAVEDIS-750\t-1\t0\t9.5\t\t\t-9.5\t\tPO 9\tA\r\n"
    )


def test_a_document_that_cannot_go_is_set_aside_whole_and_once() -> None:
    homeless = [line("b", "1002", place, CustomerKey=None) for place in (1, 2)]
    made = mapped("invoices", [line("a", "1001", 1), *homeless, line("c", "1003", 1), line("c", "1003", None)])
    assert made.table["Invoice Number"].to_pylist() == ["1001"]
    assert [(each.key, each.problem.code) for each in made.rejected] == [("b", "map-blank"), ("c", "map-blank")]


def test_two_documents_of_one_number_both_go_as_they_are() -> None:
    """QuickBooks allows it, and one that is deleted and entered again comes with the old one, marked as deleted."""
    made = mapped("invoices", [line("a", "1001", 1), line("b", "1001", 1), line("b", "1001", 2)])
    assert made.rejected == ()
    made_file = encode(shipped_layouts()["invoice"], Dialect(), made.table)
    assert (made_file.records, made_file.data.count(b"\t1001\t")) == (3, 3)
