"""Columns of typed values, and the last sight of a record."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from routebooks.connectors.quickbooks_desktop.columns import Columns
from routebooks.connectors.quickbooks_desktop.fields import day, flag, integer, moment, money, number, ref, text

FIELDS = (
    money("Money"),
    number("Number"),
    flag("Flag"),
    integer("Integer"),
    day("Day"),
    moment("Moment"),
    text("Text"),
)


def one(field: str, value: str, *others: str) -> tuple[Any, int]:
    """The value of a field as read, in a column together with others; and how many could not be read."""
    columns = Columns(FIELDS)
    for each in (value, *others):
        columns.add(etree.fromstring(f"<R><{field}>{each}</{field}></R>"))
    return columns.take()[field].to_pylist()[0], columns.unreadable[field]


@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        ("Money", "0.00", Decimal("0.00")),
        ("Money", "-12.5", Decimal("-12.50")),
        ("Money", "1234567890123.45", Decimal("1234567890123.45")),
        ("Money", "0.005", Decimal("0.01")),
        ("Money", "-0.005", Decimal("-0.01")),
        ("Money", " 7.00 ", Decimal("7.00")),
        ("Number", "18.0%", Decimal("18.00000")),
        ("Number", "3", Decimal("3.00000")),
        ("Number", "1.123456", Decimal("1.12346")),
        ("Flag", "true", True),
        ("Flag", "false", False),
        ("Flag", "1", True),
        ("Flag", " TRUE ", True),
        ("Integer", "42", 42),
        ("Integer", " -3", -3),
        ("Day", "2012-01-31", date(2012, 1, 31)),
        ("Day", "2012-1-3", date(2012, 1, 3)),
        ("Moment", "2015-11-04T14:39:03-08:00", datetime(2015, 11, 4, 22, 39, 3, tzinfo=UTC)),
        ("Moment", "2015-11-04T14:39:03+05:30", datetime(2015, 11, 4, 9, 9, 3, tzinfo=UTC)),
        ("Moment", "2015-1-4T1:2:3-8:00", datetime(2015, 1, 4, 9, 2, 3, tzinfo=UTC)),
        ("Moment", " 2015-11-04T14:39:03Z", datetime(2015, 11, 4, 14, 39, 3, tzinfo=UTC)),
        ("Text", " kept as it is ", " kept as it is "),
        ("Text", "", None),
        ("Money", "", None),
    ],
)
@pytest.mark.parametrize("company", [(), ("rubbish",)])
def test_a_value_is_read_alone_and_beside_a_bad_one(
    field: str, value: str, read: Any, company: tuple[str, ...]
) -> None:
    bad = 1 if company and field != "Text" else 0
    assert one(field, value, *company) == (read, bad)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Money", "12,50"),
        ("Money", "12345678901234567.00"),
        ("Money", "NaN"),
        ("Money", "Infinity"),
        ("Money", "%"),
        ("Number", "99999999999999.0"),
        ("Number", "1e400"),
        ("Flag", "yes"),
        ("Integer", "1.5"),
        ("Integer", "9" * 30),
        ("Day", "2012-02-30"),
        ("Day", "0000-00-00"),
        ("Day", "0000-01-01"),
        ("Day", "yesterday"),
        ("Moment", "2015-11-04T14:39:03"),
        ("Moment", "2015-11-04"),
        ("Moment", "2015-13-04T14:39:03-08:00"),
        ("Moment", "0001-01-01T00:00:00+14:00"),
        ("Moment", "9999-12-31T23:59:59-14:00"),
        ("Moment", "2015-11-04T14:39:03-99:00"),
    ],
)
def test_a_value_that_cannot_be_read_is_null_and_counted(field: str, value: str) -> None:
    assert one(field, value) == (None, 1)


def test_values_stand_where_their_path_says_and_unknown_elements_are_passed_over() -> None:
    fields = (*ref("ParentRef"), text("Deep", None, "A/B/C", "Other"), text("Name"), text("FullName", otherwise="Name"))
    columns = Columns(fields)
    columns.add(
        etree.fromstring(
            "<R><New><Name>no</Name></New><Name>n</Name><ParentRef><ListID>1</ListID><Else/><FullName>p</FullName>"
            "</ParentRef><A><X/><B><C>deep</C></B></A></R>"
        )
    )
    columns.add(etree.fromstring("<R><Other>flat</Other><FullName>f</FullName><!-- c --></R>"))
    table = columns.take()
    assert table.to_pylist() == [
        {"ParentRef.ListID": "1", "ParentRef.FullName": "p", "Deep": "deep", "Name": "n", "FullName": "n"},
        {"ParentRef.ListID": None, "ParentRef.FullName": None, "Deep": "flat", "Name": None, "FullName": "f"},
    ]


def custom(name: str, value: str, owner: str = "<OwnerID>0</OwnerID>") -> str:
    return (
        f"<DataExtRet>{owner}<DataExtName>{name}</DataExtName><DataExtType>STR255TYPE</DataExtType>"
        f"<DataExtValue>{value}</DataExtValue></DataExtRet>"
    )


def test_custom_fields_become_text_columns_and_private_marks_do_not() -> None:
    columns = Columns((text("Name"),))
    for row in (
        custom("Licence", "L-1") + custom("Route", "7", owner=""),
        custom("Route", "8") + custom("FileID", "x", "<OwnerID>{c762cd16-a12e-4256-a38e-d6a2d386fb75}</OwnerID>"),
        custom("Licence", ""),
    ):
        columns.add(etree.fromstring(f"<R>{row}</R>"))
    table = columns.take()
    assert table.column_names == ["Name", "Custom.Licence", "Custom.Route"]
    assert table["Custom.Licence"].to_pylist() == ["L-1", None, None]
    assert table["Custom.Route"].to_pylist() == ["7", "8", None]
    assert columns.take().column_names == ["Name"]


def test_more_records_than_one_block() -> None:
    columns = Columns((text("Name"),))
    for row in range(1500):
        columns.add(etree.fromstring(f"<R><Name>{row}</Name>{custom('Late', 'x') if row == 1300 else ''}</R>"))
    table = columns.take()
    assert table["Name"].to_pylist() == [str(row) for row in range(1500)]
    assert [row for row, value in enumerate(table["Custom.Late"].to_pylist()) if value] == [1300]
