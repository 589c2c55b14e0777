"""The .FIL codec: golden bytes, round trips, and what it refuses to write."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from file_bytes import encode
from routebooks import rows as batches
from routebooks.connectors.pocketadvantage.fil import Dialect, check_date_format, decode, fit
from routebooks.connectors.pocketadvantage.layouts import shipped_layouts
from routebooks.errors import ConfigError, FatalError
from routebooks.records import Kind, Layout, TargetColumn

LAYOUT = Layout(
    name="trial",
    file="trial.fil",
    columns=(
        TargetColumn(name="Id", key=True, required=True, position=1),
        TargetColumn(name="Text", position=2),
        TargetColumn(name="Amount", kind=Kind.DECIMAL, scale=5, format="money", position=3),
        TargetColumn(name="Quantity", kind=Kind.DECIMAL, scale=3, position=4),
        TargetColumn(name="Day", kind=Kind.DATE, position=5),
        TargetColumn(name="Active", kind=Kind.BOOLEAN, position=6),
        TargetColumn(name="Count", kind=Kind.INTEGER, position=7),
    ),
)
ENCODINGS = ("cp1252", "utf-8", "latin-1", "ascii")


def table(rows: list[dict[str, Any]], layout: Layout = LAYOUT) -> pa.Table:
    schema = pa.schema([(column.name, column.arrow) for column in layout.columns])
    return pa.Table.from_pylist(rows, schema=schema)


def fields(data: bytes) -> list[list[str]]:
    return decode(LAYOUT, Dialect(), data)[1]


def written(dialect: Dialect | None = None, **row: Any) -> dict[str, str]:
    """One record as its file has it, by column."""
    dialect = dialect or Dialect()
    names, rows = decode(LAYOUT, dialect, encode(LAYOUT, dialect, table([{"Id": "1", **row}])).data)
    return dict(zip(names, rows[0], strict=True))


def test_the_bytes_of_a_customer_file() -> None:
    customer = shipped_layouts()["customer"]
    rows = [
        {
            **{"Company ID": "77", "Customer ID": "C-1", "Trade Name": "Café Bar “Zum Löwen”", "CustTypeID": "ON"},
            **{"StatusID": True, "Credit Terms": "NET30", "Sales Pointer Type": 1, "Sales Representative Pointer": 1},
            **{"Current Balance": Decimal("1234.50"), "Past Due": Decimal("-0.05"), "Credit Limit": None},
            **{"Phone": "555-0100", "Ship to Street Address": "1 Main St\r\nRear\tdoor"},
        },
        {"Company ID": "77", "Customer ID": "C-2", "Trade Name": 'The "Red" Door', "Current Balance": Decimal(0)},
    ]
    made = encode(customer, Dialect(), table(rows, customer))
    first = (
        b"77\tC-1\tCaf\xe9 Bar \x93Zum L\xf6wen\x94\t\tON\t\t\tY\t\tNET30\t1\t\t\t1"
        + b"\t" * 23
        + b"1234.50\t-0.05\t\t555-0100\t1 Main St Rear door\t\r\n"
    )
    second = b'77\tC-2\tThe "Red" Door' + b"\t" * 34 + b"0.00" + b"\t" * 5 + b"\r\n"
    assert made.data == first + second
    assert (made.records, made.notes) == (2, ())


def rows_of(encoding: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    text = st.text(st.characters(codec=encoding, exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=30)
    row = st.fixed_dictionaries(
        {
            "Text": st.none() | text,
            "Amount": st.none() | st.decimals(-(10**11), 10**11, places=5),
            "Quantity": st.none() | st.decimals(-(10**11), 10**11, places=3),
            "Day": st.none() | st.dates(date(1000, 1, 1)),
            "Active": st.none() | st.booleans(),
            "Count": st.none() | st.integers(-(2**63), 2**63 - 1),
        }
    )
    numbered = st.lists(row, max_size=6)
    return numbered.map(lambda rows: [{"Id": f"K{place}", **row} for place, row in enumerate(rows)])


@st.composite
def dialects(draw: st.DrawFn, encoding: str) -> Dialect:
    return Dialect(
        encoding=encoding,
        line_end=draw(st.sampled_from(["\r\n", "\n"])),
        last_line_end=draw(st.booleans()),
        header=draw(st.booleans()),
        date_format=draw(st.sampled_from(["%m/%d/%Y", "%Y-%m-%d", "%Y%m%d"])),
        quoting=draw(st.sampled_from(["needed", "texts"])),
        money_decimals=draw(st.integers(0, 6)),
    )


def as_written(row: dict[str, Any], dialect: Dialect) -> list[str]:
    """What a file must say of a row, by Python's own means."""
    money = Decimal(1).scaleb(-dialect.money_decimals)
    told = [
        row["Id"],
        row["Text"],
        # adding zero makes -0.00 what it is: 0.00
        None if row["Amount"] is None else f"{row['Amount'].quantize(money, ROUND_HALF_UP) + 0:f}",
        None if row["Quantity"] is None else f"{row['Quantity'] + 0:f}",
        None if row["Day"] is None else row["Day"].strftime(dialect.date_format),
        None if row["Active"] is None else "NY"[row["Active"]],
        None if row["Count"] is None else str(row["Count"]),
    ]
    return ["" if value is None else value for value in told]


@pytest.mark.parametrize("encoding", ENCODINGS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_is_encoded_is_decoded_again(encoding: str, data: st.DataObject) -> None:
    rows = data.draw(rows_of(encoding))
    dialect = data.draw(dialects(encoding))
    made = encode(LAYOUT, dialect, table(rows))
    names, read = decode(LAYOUT, dialect, made.data)
    assert names == ("Id", "Text", "Amount", "Quantity", "Day", "Active", "Count")
    assert read == [as_written(row, dialect) for row in rows]
    assert (made.records, made.notes) == (len(rows), ())


@pytest.mark.parametrize("encoding", ENCODINGS)
@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_any_text_at_all_is_one_field_of_the_encoding(encoding: str, texts: list[str]) -> None:
    dialect = Dialect(encoding=encoding, line_end="\n")
    data = encode(LAYOUT, dialect, table([{"Id": str(place), "Text": text} for place, text in enumerate(texts)])).data
    lines = data.decode(encoding).removesuffix("\n").split("\n")
    assert [line.count("\t") for line in lines] == [6] * len(texts)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]", data.decode(encoding))
    if encoding == "utf-8":
        spaced = [re.sub("[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text) for text in texts]
        assert [line.split("\t")[1] for line in lines] == spaced


@pytest.mark.parametrize(
    ("amount", "digits", "expected"),
    [
        ("1.005", 2, "1.01"),
        ("-1.005", 2, "-1.01"),
        ("1.00499", 2, "1.00"),
        ("2.5", 0, "3"),
        ("-0.001", 2, "0.00"),
        ("9999999999999.99999", 2, "10000000000000.00"),
        ("7", 4, "7.0000"),
    ],
)
def test_money_has_the_connections_digits_rounded_half_away_from_zero(amount: str, digits: int, expected: str) -> None:
    assert written(Dialect(money_decimals=digits), Amount=Decimal(amount))["Amount"] == expected


@pytest.mark.parametrize(
    ("quantity", "expected"), [("12.500", "12.5"), ("12.000", "12"), ("100", "100"), ("-0.010", "-0.01"), ("0", "0")]
)
def test_decimals_can_go_without_trailing_zeros(quantity: str, expected: str) -> None:
    assert written(Dialect(trim_decimals=True), Quantity=Decimal(quantity))["Quantity"] == expected


def test_an_instant_is_told_in_the_time_zone_and_a_column_can_have_its_own_format() -> None:
    layout = Layout(
        name="when",
        file="when.fil",
        columns=(
            TargetColumn(name="Id", key=True, position=1),
            TargetColumn(name="At", kind=Kind.TIMESTAMP, position=2),
            TargetColumn(name="Day", kind=Kind.DATE, format="%y%j", position=3),
        ),
    )
    rows = [{"Id": "1", "At": datetime(2024, 3, 10, 3, 30, tzinfo=UTC), "Day": date(2024, 12, 31)}]
    made = encode(layout, Dialect(time_zone="America/New_York"), table(rows, layout))
    assert made.data == b"1\t03/09/2024 22:30:00\t24366\r\n"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_control_characters_and_line_ends_of_every_kind_become_one_space(encoding: str) -> None:
    text = "a\r\n\tb\u2028c\u2029d\x85e\x00\x1b\x7ff"
    assert written(Dialect(encoding=encoding), Text=text)["Text"] == "a b c d e f"


def test_quotes_are_left_alone_or_doubled_in_quotes() -> None:
    rows: list[dict[str, Any]] = [
        {"Id": "1", "Text": '12" pipe'},
        {"Id": "2", "Text": "plain"},
        {"Id": "3", "Text": None},
    ]
    lines = {
        quoting: [
            line.split(b"\t")[1] for line in encode(LAYOUT, Dialect(quoting=quoting), table(rows)).data.splitlines()
        ]
        for quoting in ("never", "needed", "texts")
    }
    assert lines == {
        "never": [b'12" pipe', b"plain", b""],
        "needed": [b'"12"" pipe"', b"plain", b""],
        "texts": [b'"12"" pipe"', b'"plain"', b""],
    }


def test_what_the_encoding_lacks_is_replaced_and_told_once_a_column() -> None:
    rows = [
        {"Id": "A", "Text": "Café"},
        {"Id": "B", "Text": "Łódź 日本"},
        {"Id": "C", "Text": "plain"},
        {"Id": "D", "Text": "≤5"},
        {"Id": "E", "Text": "Cafe\u0301"},
    ]
    made = encode(LAYOUT, Dialect(), table(rows))
    assert [row[1] for row in fields(made.data)] == ["Café", "Lódz ??", "plain", "?5", "Café"]
    (note,) = made.notes
    assert note.code == "text-replaced"
    assert note.message.startswith("'Text' has characters that cp1252 does not have")
    assert "in 2 records (first: B)" in note.message
    assert note.detail == "Łódź 日本 -> Lódz ??"
    assert encode(LAYOUT, Dialect(encoding="utf-8"), table(rows)).notes == ()


def narrow(width: int) -> Layout:
    columns = (
        TargetColumn(name="Id", key=True, max_length=width, position=1),
        TargetColumn(name="Text", max_length=width, position=2),
    )
    return Layout(name="narrow", file="narrow.fil", columns=columns)


def test_a_text_wider_than_its_column_is_cut_and_told() -> None:
    rows: list[dict[str, Any]] = [{"Id": "A", "Text": "abc"}, {"Id": "B", "Text": "äbcd"}, {"Id": "C", "Text": None}]
    made = encode(narrow(3), Dialect(encoding="utf-8"), table(rows, narrow(3)))
    assert made.data.decode() == "A\tabc\r\nB\täbc\r\nC\t\r\n"
    (note,) = made.notes
    assert (note.code, note.detail) == ("text-cut", "äbcd")
    assert note.message.startswith("'Text' takes 3 characters")
    assert "in 1 record (first: B)" in note.message


def test_a_key_that_is_cut_is_told_with_what_it_means() -> None:
    (note,) = encode(narrow(3), Dialect(), table([{"Id": "1234", "Text": ""}], narrow(3))).notes
    assert "orders come back" in note.hint


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (["1234", "1235"], "two records have the key '123'"),
        (["1", None], "no key"),
        (["1", " \t"], "no key"),
    ],
)
def test_keys_that_are_double_or_blank_as_written_stop_the_file(keys: list[str | None], says: str) -> None:
    rows = [{"Id": key, "Text": "x"} for key in keys]
    with pytest.raises(FatalError, match=says):
        encode(narrow(3), Dialect(), table(rows, narrow(3)))


def test_a_table_is_fitted_as_its_file_will_say_it() -> None:
    rows: list[dict[str, Any]] = [
        {"Id": "Ł1", "Text": "\ta b\n"},
        {"Id": "\N{NO-BREAK SPACE}1 345", "Text": "ab d"},
        {"Id": "\N{WORD JOINER}", "Text": "\x00"},
        {"Id": None, "Text": None},
    ]
    made, losses = fit(narrow(2), Dialect(), table(rows, narrow(2)))
    assert made.to_pylist() == [
        {"Id": "L1", "Text": "a"},
        {"Id": "1", "Text": "ab"},
        {"Id": None, "Text": None},
        {"Id": None, "Text": None},
    ]
    assert made.schema == table(rows, narrow(2)).schema
    assert [(loss.problem.code, "orders come back" in loss.problem.hint) for loss in losses] == [
        ("text-replaced", True),
        ("text-cut", True),
        ("text-cut", False),
    ]
    assert fit(narrow(2), Dialect(), made) == (made, ())


def test_two_key_columns_are_one_key() -> None:
    columns = (TargetColumn(name="Order", key=True, position=1), TargetColumn(name="Line", key=True, position=2))
    layout = Layout(name="lines", file="lines.fil", columns=columns)
    good = [{"Order": "1", "Line": "1"}, {"Order": "1", "Line": "2"}, {"Order": "2", "Line": "1"}]
    assert encode(layout, Dialect(), table(good, layout)).records == 3
    with pytest.raises(FatalError, match="two records"):
        encode(layout, Dialect(), table([*good, good[0]], layout))


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (pa.table({"Id": ["1"], "Stranger": ["x"]}), "Stranger"),
        (pa.table({"Text": ["1"]}), "nothing fills the column 'Id'"),
        (pa.table({"Id": ["1"], "Count": ["many"]}), "the column 'Count' is not integer"),
        (pa.table([["1"], ["2"]], names=["Id", "Id"]), "columns"),
    ],
)
def test_a_table_that_is_not_the_layouts_is_refused(made: pa.Table, says: str) -> None:
    with pytest.raises(FatalError, match=says) as caught:
        encode(LAYOUT, Dialect(), made)
    assert caught.value.problem.code == "fil-broken"


@pytest.mark.parametrize(
    ("dialect", "says"),
    [
        (Dialect(true_text="Y\tes"), "line 1 has 8 fields, the layout 7"),
        (Dialect(true_text="Y\r"), "line 1 has a line end inside"),
        (Dialect(true_text="Y\n"), "line 1 has a line end inside"),
        (Dialect(true_text="Y\n", line_end="\n"), "line 1 has 6 fields, the layout 7"),
        (Dialect(true_text="Y\tC\r\n2\t\t\t\t\tN"), "it has 2 lines where 1 belong"),
        (Dialect(true_text="✓"), "cannot be written in cp1252"),
    ],
)
def test_bytes_that_do_not_count_up_are_never_given_out(dialect: Dialect, says: str) -> None:
    with pytest.raises(FatalError, match=says):
        encode(LAYOUT, dialect, table([{"Id": "1", "Active": True}]))


def test_a_column_that_nothing_fills_stays_empty_and_chunks_do_not_matter() -> None:
    parts = [pa.table({"Id": ["1"], "Text": ["x"]}), pa.table({"Id": ["2"], "Text": ["y"]})]
    assert encode(LAYOUT, Dialect(), pa.concat_tables(parts)).data == b"1\tx\t\t\t\t\t\r\n2\ty\t\t\t\t\t\r\n"


@pytest.mark.parametrize("last_line_end", [True, False])
@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_what_is_checked_and_told_is_so_over_all_batches(
    size: int, last_line_end: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH", size)
    dialect = Dialect(header=True, last_line_end=last_line_end)
    rows = [{"Id": key, "Text": text} for key, text in (("1", "a"), ("2", "≤"), ("3", "b"), ("4", "≥"), ("5", ""))]
    made = encode(narrow(3), dialect, table(rows, narrow(3)))
    end = b"\r\n" if last_line_end else b""
    assert made.data == b"Id\tText\r\n1\ta\r\n2\t?\r\n3\tb\r\n4\t?\r\n5\t" + end
    assert [note.message.partition("replaced ")[2] for note in made.notes] == ["in 2 records (first: 2)."]
    with pytest.raises(FatalError, match="two records have the key '123'"):
        encode(narrow(3), dialect, table([{"Id": "1234"}, *rows, {"Id": "1239"}], narrow(3)))


def test_a_file_without_records_is_empty_or_a_header() -> None:
    assert encode(LAYOUT, Dialect(), table([])).data == b""
    header = encode(LAYOUT, Dialect(header=True, last_line_end=False), table([]))
    assert header.data == b"Id\tText\tAmount\tQuantity\tDay\tActive\tCount"
    assert header.records == 0


def test_a_file_is_shown_whatever_its_line_ends_and_fields() -> None:
    names, rows = decode(LAYOUT, Dialect(encoding="utf-8"), b"1\tx\r\n2\ty\tz\n3\t\xff")
    assert names[0] == "Id"
    assert rows == [["1", "x"], ["2", "y", "z"], ["3", "\N{REPLACEMENT CHARACTER}"]]


@pytest.mark.parametrize("pattern", ["", "mm/dd", "%Q", "%m/%d/%", "%m\t%d", "%c"])
def test_a_date_format_that_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigError, match="not a date format"):
        check_date_format(pattern)


def test_a_date_format_of_known_parts_is_taken() -> None:
    check_date_format("%d-%b-%y %H:%M:%S 100%%")
