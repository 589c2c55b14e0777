"""The layouts that come with the product, and what a user's own may be."""

from __future__ import annotations

import re

import pytest

from routebooks.connectors.pocketadvantage.layouts import load_layout, shipped_layouts
from routebooks.errors import ConfigError
from routebooks.records import Kind, TargetColumn
from support import shared

OWN = """
name: detail
file: detail.fil
assumed: true
columns:
  - {position: 2, name: Code, key: true, width: 10}
  - {position: 1, name: Kind, kind: integer, key: true}
  - {position: 3, name: Since, kind: date, format: "%Y%m%d", required: true, assumed: true}
  - {position: 4, name: Rate, kind: decimal, scale: 4}
  - {position: 5, name: Limit, kind: decimal, format: money}
  - {position: 6, name: Rep, detail: 12}
"""


def test_the_customer_layout_is_the_published_one() -> None:
    page = shared("reference", "pocketadvantage.md").read_text(encoding="utf-8")
    section = page[page.index("### 1.2") : page.index("### 1.3")]
    published = dict(re.findall(r"^\| (\d+) \| *\d* *\| ([^|(*]+?) \|", section, re.MULTILINE))
    assert len(published) == 19
    columns = shipped_layouts()["customer"].columns
    assert [column.position for column in columns] == list(range(1, 43))
    assert {str(column.position): column.name for column in columns if not column.name.startswith("Blank")} == published
    assert all(column.name in (f"Blank {column.position}", published.get(str(column.position))) for column in columns)
    kinds = dict(re.findall(r"^\| (\d+) \| (\d+) \|", section, re.MULTILINE))
    assert kinds.pop("8") == "40"  # StatusID: a yes or no, whose code is the connection's own
    assert {str(column.position): column.detail for column in columns if column.detail} == kinds


def test_the_customer_layout_says_what_is_assumed() -> None:
    layout = shipped_layouts()["customer"]
    assert (layout.file, layout.assumed) == ("customer.fil", False)
    assert [column.name for column in layout.columns if column.key] == ["Customer ID"]
    assert [(c.position, c.kind) for c in layout.columns if c.assumed] == [
        (8, Kind.BOOLEAN),
        (11, Kind.INTEGER),
        (14, Kind.INTEGER),
        (37, Kind.DECIMAL),
        (38, Kind.DECIMAL),
        (39, Kind.DECIMAL),
    ]


def test_the_item_layout_is_assumed_throughout() -> None:
    layout = shipped_layouts()["item"]
    assert (layout.file, layout.assumed) == ("item.fil", True)
    assert all(column.assumed for column in layout.columns)
    assert [column.name for column in layout.columns if column.key] == ["Item ID"]
    assert [column.name for column in layout.columns if column.format == "money"] == [
        "Front-Line Case Price",
        "Bottle Price",
        "Case Cost",
    ]


def test_the_invoice_layout_is_assumed_throughout_and_one_row_a_line() -> None:
    layout = shipped_layouts()["invoice"]
    assert (layout.file, layout.assumed) == ("invoice.fil", True)
    assert all(column.assumed for column in layout.columns)
    assert [column.name for column in layout.columns] == [
        *("Company ID", "Customer ID", "Invoice Number", "Invoice Date", "Invoice Type"),
        *("Line Number", "Item ID", "Cases", "Bottles", "Unit Price", "Discount", "Deposit", "Extended"),
        *("Sales Rep", "PO Number", "Status"),
    ]
    assert [column.position for column in layout.columns if column.line] == list(range(6, 14))
    assert not any(column.key for column in layout.columns)
    assert {column.name: column.detail for column in layout.columns if column.detail} == {
        "Company ID": "10",
        "Sales Rep": "12",
    }


def test_the_detail_layout_is_keyed_by_kind_and_code() -> None:
    layout = shipped_layouts()["detail"]
    assert (layout.file, layout.assumed) == ("detail.fil", True)
    assert [(column.name, column.key, column.assumed) for column in layout.columns] == [
        ("Company ID", False, True),
        ("Detail #", True, True),
        ("Code", True, True),
        ("Description", False, True),
    ]


def test_an_own_layout_is_read_in_order_of_position() -> None:
    layout = load_layout(OWN)
    assert (layout.name, layout.file, layout.assumed) == ("detail", "detail.fil", True)
    assert layout.columns == (
        TargetColumn(name="Kind", kind=Kind.INTEGER, scale=2, key=True, required=True, position=1),
        TargetColumn(name="Code", scale=2, max_length=10, key=True, required=True, position=2),
        TargetColumn(name="Since", kind=Kind.DATE, scale=2, format="%Y%m%d", required=True, assumed=True, position=3),
        TargetColumn(name="Rate", kind=Kind.DECIMAL, scale=4, position=4),
        TargetColumn(name="Limit", kind=Kind.DECIMAL, scale=2, format="money", position=5),
        TargetColumn(name="Rep", scale=2, detail="12", position=6),
    )


def test_an_own_layout_of_lines_has_no_key() -> None:
    lines = OWN.replace("key: true", "line: true")
    assert [column.name for column in load_layout(lines).columns if column.line] == ["Kind", "Code"]
    with pytest.raises(ConfigError, match="it has a key and columns of lines"):
        load_layout(OWN.replace("name: Rep", "name: Rep, line: true"))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("position: 4", "position: 6", "without a gap"),
        ("position: 4", "position: 3", "without a gap"),
        ("name: Rate", "name: Code", "two columns have the name 'Code'"),
        ("key: true", "key: false", "no column is the key"),
        ("width: 10", "width: ten", "column 1: 'width' must be a whole number"),
        ("width: 10", "width: true", "column 1: 'width' must be a whole number"),
        ("width: 10", "width: 0", "column 1: only a text has a width"),
        ("kind: integer", "kind: number", "column 2 has the kind 'number'"),
        ("kind: integer", "kind: integer, width: 3", "column 2: only a text has a width"),
        ("kind: integer", "kind: integer, format: '%Y'", "column 2: a format is a date's"),
        ("scale: 4", "scale: 7", "column 4: only a decimal has a scale"),
        ("width: 10", "scale: 2", "column 1: only a decimal has a scale"),
        ("format: money", "format: '0.00'", "column 5: a format is a date's"),
        ('"%Y%m%d"', "yyyymmdd", "not a date format"),
        ("detail: 12", "detail: 0", "column 6: only a text or a whole number is a code"),
        ("detail: 12", "detail: 12, kind: boolean", "column 6: only a text or a whole number is a code"),
        ("detail: 12", "detail: rep", "column 6: 'detail' must be a whole number"),
        ("detail: 12", "line: 1", "column 6: 'line' must be true or false"),
        ("name: Kind", "name: ''", "column 2 has no name"),
        ("name: Kind, ", "", "column 2 has no 'name'"),
        ("name: Kind", "nmae: Kind", "column 2 has no 'name'"),
        ("width: 10", "widht: 10", "column 1 has 'widht', which means nothing here"),
        ("file: detail.fil", "file: ../detail.fil", "'file' is not the name of a file"),
        ("name: detail", "name: 7", "the layout: 'name' must be a text"),
        ("assumed: true\n", "assumed: [\n", "it is not YAML"),
        ("assumed: true\n", "assumed: 2024-13-45\n", "it is not YAML"),
    ],
)
def test_a_layout_that_cannot_be_used_says_where_it_is_wrong(old: str, new: str, says: str) -> None:
    assert old in OWN
    with pytest.raises(ConfigError, match=re.escape(says)):
        load_layout(OWN.replace(old, new))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the layout is not a list"),
        ("- a", "the layout is not a list"),
        ("name: x\nfile: x.fil\ncolumns: []", "the positions"),
        ("name: x\nfile: x.fil\ncolumns: [a]", "column 1 is not a list"),
        ("name: x\nfile: x.fil", "the layout has no 'columns'"),
        ("[" * 1100, "it is not YAML"),
        ("!!python/object/apply:os.getcwd []", "it is not YAML"),
    ],
)
def test_a_text_that_is_no_layout_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_layout(text)
