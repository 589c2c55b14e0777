"""The strict check of what leaves."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from routebooks.connectors.quickbooks_desktop.elements import Element, Type, checked, write
from routebooks.errors import RecordError
from routebooks.records import Kind

SHORT = Element(path="PONumber", max_length=25)
NOTE = Element(path="Memo", max_length=4095)


def of(type_: Type) -> Element:
    return Element(path="Rate", type=type_)


@pytest.mark.parametrize(
    ("element", "value", "text"),
    [
        (of(Type.AMOUNT), Decimal("10.5"), "10.50"),
        (of(Type.AMOUNT), 7, "7.00"),
        (of(Type.AMOUNT), Decimal("-0"), "0.00"),
        (of(Type.AMOUNT), "9999999999999.99", "9999999999999.99"),
        (of(Type.AMOUNT), Decimal("1.500"), "1.50"),
        (of(Type.PRICE), Decimal("12.50000"), "12.5"),
        (of(Type.PRICE), Decimal("0.00001"), "0.00001"),
        (of(Type.QUANTITY), Decimal(100), "100"),
        (of(Type.QUANTITY), Decimal("1E+2"), "100"),
        (of(Type.QUANTITY), Decimal(-3), "-3"),
        (of(Type.PERCENT), Decimal("0.0"), "0"),
        (of(Type.FLOAT), Decimal("1.0825"), "1.0825"),
        (of(Type.BOOLEAN), True, "true"),
        (of(Type.BOOLEAN), False, "false"),
        (of(Type.BOOLEAN), "True", "true"),
        (of(Type.DATE), date(2012, 1, 31), "2012-01-31"),
        (of(Type.DATE), "2012-01-31", "2012-01-31"),
        (of(Type.GUID), "{C762CD16-a12e-4256-a38e-d6a2d386fb75}", "{C762CD16-a12e-4256-a38e-d6a2d386fb75}"),
        (Element(path="X", choices=("Zero", "BasePrice")), "Zero", "Zero"),
        (SHORT, "  PO 1   ", "  PO 1"),
        (SHORT, "x" * 25 + " " * 30, "x" * 25),
        (SHORT, "a\tb\r\nc\x00\x1f\x7f", "a b c"),
        (SHORT, 4711, "4711"),
        (SHORT, "Łódź", "Lódz"),
        (NOTE, "a\r\nb\rc\td", "a\nb\nc\td"),
        (SHORT, None, ""),
        (SHORT, "", ""),
        (SHORT, " \n", ""),
        (of(Type.AMOUNT), None, ""),
        (of(Type.DATE), "", ""),
    ],
)
def test_a_value_goes_out_as_quickbooks_takes_it(element: Element, value: Any, text: str) -> None:
    assert checked(element, value) == text


@pytest.mark.parametrize(
    ("element", "value", "code"),
    [
        (of(Type.AMOUNT), Decimal("10.505"), "qb-field-format"),
        (of(Type.AMOUNT), Decimal(10000000000000), "qb-field-format"),
        (of(Type.AMOUNT), 10.5, "qb-field-format"),
        (of(Type.AMOUNT), True, "qb-field-format"),
        (of(Type.AMOUNT), Decimal("NaN"), "qb-field-format"),
        (of(Type.AMOUNT), Decimal("Infinity"), "qb-field-format"),
        (of(Type.AMOUNT), "1e2", "qb-field-format"),
        (of(Type.PRICE), Decimal("0.000001"), "qb-field-format"),
        (of(Type.PRICE), Decimal("1E+40"), "qb-field-format"),
        (of(Type.QUANTITY), "12 cases", "qb-field-format"),
        (of(Type.BOOLEAN), 1, "qb-field-format"),
        (of(Type.BOOLEAN), "yes", "qb-field-format"),
        (of(Type.DATE), datetime(2012, 1, 31, tzinfo=UTC), "qb-field-format"),
        (of(Type.DATE), "2012-02-31", "qb-field-format"),
        (of(Type.DATE), "31.01.2012", "qb-field-format"),
        (of(Type.GUID), "c762cd16-a12e-4256-a38e-d6a2d386fb75", "qb-field-format"),
        (Element(path="X", choices=("Zero", "BasePrice")), "zero", "qb-field-format"),
        (SHORT, "x" * 26, "qb-field-too-long"),
        (SHORT, Decimal(1), "qb-field-format"),
        (SHORT, "🍷", "qb-field-characters"),
        (Element(path="X", required=True), "  ", "qb-field-missing"),
        (Element(path="X", required=True), None, "qb-field-missing"),
    ],
)
def test_a_breach_names_field_value_and_cure(element: Element, value: Any, code: str) -> None:
    with pytest.raises(RecordError) as caught:
        checked(element, value, "Line 3: ")
    problem = caught.value.problem
    assert problem.code == code
    assert problem.message.startswith(f"Line 3: {element.column} is ")
    assert code == "qb-field-missing" or str(value)[:10] in problem.message
    assert problem.hint


def test_a_long_value_is_shown_in_short_and_kept_in_the_detail() -> None:
    with pytest.raises(RecordError) as caught:
        checked(SHORT, "y" * 500)
    assert len(caught.value.problem.message) < 200
    assert "it has 500 characters, and QuickBooks takes 25" in caught.value.problem.message
    assert "y" * 500 in caught.value.problem.detail


def test_elements_are_written_in_the_order_of_the_table_whatever_the_order_of_the_values() -> None:
    elements = (
        Element(path="A"),
        Element(path="Ref.ListID"),
        Element(path="Ref.FullName"),
        Element(path="B"),
        Element(path="Other.Addr1"),
        Element(path="C", name="Line.C"),
    )
    values = {
        "Line.C": "c",
        "Other.Addr1": "<o>",
        "Ref.FullName": "f",
        "B": None,
        "Ref.ListID": "l",
        "A": "a",
        "C": "no",
    }
    assert write(elements, values) == (
        "<A>a</A><Ref><ListID>l</ListID><FullName>f</FullName></Ref><Other><Addr1>&lt;o&gt;</Addr1></Other><C>c</C>"
    )


def test_an_element_tells_a_map_what_it_takes() -> None:
    column = Element(path="Rate", type=Type.PRICE).target_column(7, line=True)
    assert (column.name, column.kind, column.scale, column.line, column.position) == ("Rate", Kind.DECIMAL, 5, True, 7)
    assert Element(path="Amount", type=Type.AMOUNT).target_column(1, line=True).scale == 2
    assert Element(path="TxnDate", type=Type.DATE).target_column(1, line=False).kind is Kind.DATE
    assert Element(path="IsPaid", type=Type.BOOLEAN).target_column(1, line=False).kind is Kind.BOOLEAN
    assert SHORT.target_column(1, line=False).max_length == 25
