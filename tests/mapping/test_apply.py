"""Maps over tables: what goes on, what is set aside, and with which words."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from routebooks.errors import ConfigError, Problem
from routebooks.mapping.apply import Fit, Mapped, apply_map, as_it_is, schema_fields
from routebooks.mapping.check import check_map
from routebooks.mapping.expression import Call, Constant, Expression, FieldRef
from routebooks.mapping.model import Column, Map, Only
from routebooks.records import Field, Kind, Loss, Target, TargetColumn

KEYED = Target(
    name="t",
    columns=(
        TargetColumn(name="Company"),
        TargetColumn(name="Key", key=True),
        TargetColumn(name="Amount", kind=Kind.DECIMAL, scale=2),
        TargetColumn(name="Unfilled", kind=Kind.TIMESTAMP),
        TargetColumn(name="Name", max_length=6),
    ),
)
COLUMNS = {
    "Company": FieldRef("Company.CustId"),
    "Key": FieldRef("Number"),
    "Amount": FieldRef("Amount"),
    "Name": FieldRef("Name"),
}


def applied(
    rows: dict[str, list[Any]],
    target: Target = KEYED,
    columns: dict[str, Any] = COLUMNS,
    only: tuple[Only, ...] = (),
    key_field: str = "Name",
    fit: Fit = as_it_is,
) -> Mapped:
    any_map = Map("m", "s", target.name, tuple(Column(*each) for each in columns.items()), only)
    table = pa.table({name: pa.array(values, pa.string()) for name, values in rows.items()})
    parameters = {"Company.CustId": "77", "Company.Name": "Harbor"}
    return apply_map(any_map, table, target, parameters, key_field=key_field, fit=fit)


def rejected(mapped: Mapped) -> list[tuple[str, str]]:
    return [(each.key, each.problem.code) for each in mapped.rejected]


def test_rows_in_their_order_with_the_types_of_the_target() -> None:
    mapped = applied({"Number": ["2", " 1 ", "3"], "Amount": ["1.005", None, "-1.005"], "Name": ["b", "a", ""]})
    assert mapped.table.schema == pa.schema([(column.name, column.arrow) for column in KEYED.columns])
    assert mapped.table.to_pydict() == {
        "Company": ["77"] * 3,
        "Key": ["2", "1", "3"],
        "Amount": [Decimal("1.01"), None, Decimal("-1.01")],
        "Unfilled": [None] * 3,
        "Name": ["b", "a", None],
    }
    assert mapped.source_rows.to_pylist() == [0, 1, 2]
    assert mapped.source_rows.type == pa.int64()
    assert (mapped.rejected, mapped.left_out) == ((), 0)


def test_a_bad_row_is_set_aside_with_all_that_is_wrong_and_the_others_go_on() -> None:
    mapped = applied({"Number": ["1", "2", "3"], "Amount": ["1", "12x", "3"], "Name": ["a", "Harbor Wine", "c"]})
    assert mapped.table["Key"].to_pylist() == ["1", "3"]
    assert mapped.source_rows.to_pylist() == [0, 2]
    (bad,) = mapped.rejected
    assert bad.key == "2"
    assert bad.problem.code == "map-not-a-number"
    assert bad.problem.message == (
        "Amount: “12x” is not a number; Name: “Harbor Wine” has 11 characters, at most 6 fit"
    )
    assert bad.problem.hint.startswith("Write digits with a point")
    assert bad.record == {"Number": "2", "Amount": "12x", "Name": "Harbor Wine"}


def test_a_blank_key_is_set_aside_under_its_name_in_the_source() -> None:
    mapped = applied({"Number": ["1", " \t", None], "Amount": [None] * 3, "Name": ["a", "b", "c"]})
    assert mapped.table["Key"].to_pylist() == ["1"]
    assert rejected(mapped) == [("b", "key-blank"), ("c", "key-blank")]
    assert mapped.rejected[1].record == {"Name": "c"}


def test_all_records_of_a_double_key_are_set_aside_and_named() -> None:
    mapped = applied(
        {"Number": ["1042", "7", "1042 ", "1042", "01042"], "Amount": ["1", "2", "x", "4", "5"], "Name": list("abcde")}
    )
    assert mapped.table["Key"].to_pylist() == ["7", "01042"]
    assert rejected(mapped) == [("1042", "key-double")] * 3
    assert [each.problem.message for each in mapped.rejected] == [
        "a shares the key 1042 with c, d",
        "c shares the key 1042 with a, d; Amount: “x” is not a number",
        "d shares the key 1042 with a, c",
    ]


def test_keys_are_judged_as_the_target_takes_them() -> None:
    def fit(table: pa.Table) -> tuple[pa.Table, tuple[Loss, ...]]:
        keys = [str(key).strip("*") or None for key in table["Key"].to_pylist()]
        return table.set_column(1, "Key", pa.array(keys, pa.string())), (Loss(Problem("lost", "Stars went"), 3, 1),)

    mapped = applied({"Number": ["1", "1*", "**", "2*"], "Amount": [None] * 4, "Name": list("abcd")}, fit=fit)
    assert (mapped.table["Key"].to_pylist(), [note.code for note in mapped.notes]) == (["2"], ["lost"])
    assert rejected(mapped) == [("1", "key-double")] * 2 + [("c", "key-blank")]


def test_of_many_records_with_one_key_some_are_named() -> None:
    mapped = applied({"Number": ["1"] * 9, "Amount": [None] * 9, "Name": list("abcdefghi")})
    assert mapped.table.num_rows == 0
    assert mapped.rejected[0].problem.message == "a shares the key 1 with b, c, d, e, f and 3 more"
    assert mapped.rejected[8].problem.message == "i shares the key 1 with a, b, c, d, e and 3 more"


def test_keys_are_compared_exactly() -> None:
    mapped = applied({"Number": ["a", "A", "é", "e\u0301"], "Amount": [None] * 4, "Name": list("abcd")})
    assert mapped.rejected == ()


def test_a_key_of_two_columns_is_double_only_as_a_whole() -> None:
    target = Target(name="t", columns=(TargetColumn(name="A", key=True), TargetColumn(name="B", key=True)))
    mapped = applied(
        {"Number": ["1", "1", "1", None, None], "Name": ["x", "y", "x", "z", "z"]},
        target,
        {"A": FieldRef("Number"), "B": FieldRef("Name")},
    )
    assert mapped.table.to_pylist() == [{"A": "1", "B": "y"}]
    assert rejected(mapped) == [("1 / x", "key-double")] * 2 + [("z", "key-blank")] * 2


def test_the_filter_leaves_out_silently_but_counted() -> None:
    rows: dict[str, list[Any]] = {
        "Number": list("12345"),
        "Amount": ["1", "x", "3", "x", "5"],
        "Name": ["in", "out", "in", None, "In"],
    }
    mapped = applied(rows, only=(Only("Name", ("in",)),))
    assert mapped.table["Key"].to_pylist() == ["1", "3"]
    assert mapped.source_rows.to_pylist() == [0, 2]
    assert (mapped.rejected, mapped.left_out) == ((), 3)
    assert applied(rows, only=(Only("Name", ("in", None)),)).left_out == 2
    assert applied(rows, only=(Only("Custom.Any", ("in",)),)).left_out == 5
    assert applied(rows, only=(Only("Custom.Any", (None,)), Only("Number", (1, Decimal("3.0"))))).left_out == 3


def test_a_left_out_record_shares_no_key() -> None:
    mapped = applied({"Number": ["1", "1"], "Amount": [None] * 2, "Name": ["a", "b"]}, only=(Only("Name", ("a",)),))
    assert mapped.table.num_rows == 1


def test_every_filter_must_let_a_row_through_by_its_text() -> None:
    table = pa.table({"On": pa.array([True, False, None]), "Count": pa.array([1, 1, 2]), "Name": ["a", "b", "c"]})
    any_map = Map("m", "s", "t", (Column("Key", FieldRef("Name")),), (Only("On", (True,)), Only("Count", (1,))))
    mapped = apply_map(any_map, table, KEYED, {}, key_field="Name")
    assert mapped.table["Key"].to_pylist() == ["a"]


LINES = Target(
    name="t",
    columns=(
        TargetColumn(name="Key", key=True, required=True),
        TargetColumn(name="Quantity", kind=Kind.DECIMAL, scale=5, line=True, required=True),
    ),
)


def test_a_document_goes_whole_or_is_set_aside_whole_and_once() -> None:
    mapped = applied(
        {"order": ["A", "B", "A", "C", "B", "B"], "quantity": ["1", "x", "2", "3", None, "4"]},
        LINES,
        {"Key": FieldRef("order"), "Quantity": FieldRef("quantity")},
        key_field="order",
    )
    assert mapped.table.to_pylist() == [
        {"Key": "A", "Quantity": Decimal("1.00000")},
        {"Key": "A", "Quantity": Decimal("2.00000")},
        {"Key": "C", "Quantity": Decimal("3.00000")},
    ]
    assert mapped.source_rows.to_pylist() == [0, 2, 3]
    (bad,) = mapped.rejected
    assert (bad.key, bad.problem.code) == ("B", "map-not-a-number")
    assert bad.problem.message == "Quantity: “x” is not a number; Quantity is blank, but must be filled"
    assert bad.record == {"order": "B", "quantity": "x"}


def test_a_document_is_shown_by_the_first_of_its_rows_that_is_wrong() -> None:
    target = Target(name="t", columns=(*LINES.columns, TargetColumn(name="Rate", kind=Kind.DECIMAL, line=True)))
    mapped = applied(
        {"order": ["A", "A", "A"], "quantity": ["1", "2", "x"], "rate": ["1", "y", "z"]},
        target,
        {"Key": FieldRef("order"), "Quantity": FieldRef("quantity"), "Rate": FieldRef("rate")},
        key_field="order",
    )
    (bad,) = mapped.rejected
    assert bad.record == {"order": "A", "quantity": "2", "rate": "y"}
    assert [part[:9] for part in bad.problem.message.split("; ")] == ["Rate: “y”", "Quantity:", "Rate: “z”"]


def test_a_document_without_a_key_is_set_aside() -> None:
    mapped = applied(
        {"order": ["A", None, None], "quantity": ["1", "2", "3"]},
        LINES,
        {"Key": FieldRef("order"), "Quantity": FieldRef("quantity")},
        key_field="order",
    )
    assert mapped.source_rows.to_pylist() == [0]
    assert rejected(mapped) == [("", "key-blank")]


def test_the_record_is_plain_json() -> None:
    table = pa.table(
        {
            "Name": ["a"],
            "Balance": pa.array([Decimal("1.50")], pa.decimal128(18, 2)),
            "Day": pa.array([date(2026, 1, 2)], pa.date32()),
            "At": pa.array([datetime(2026, 1, 2, 3, 4, tzinfo=UTC)], pa.timestamp("us", "UTC")),
            "On": pa.array([True]),
            "Count": pa.array([7], pa.int32()),
            "None": pa.array([None], pa.null()),
        }
    )
    any_map = Map("m", "s", "t", (Column("Key", FieldRef("None")),))
    (bad,) = apply_map(any_map, table, KEYED, {}, key_field="Name").rejected
    assert json.loads(json.dumps(bad.record)) == {
        "Name": "a",
        "Balance": "1.50",
        "Day": "2026-01-02",
        "At": "2026-01-02T03:04:00+00:00",
        "On": True,
        "Count": 7,
    }


def test_instants_are_utc_whatever_their_zone() -> None:
    at = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    target = Target(name="t", columns=(TargetColumn(name="At", kind=Kind.TIMESTAMP), TargetColumn(name="Text")))
    columns = (Column("At", FieldRef("At")), Column("Text", FieldRef("At")))
    table = pa.table({"At": pa.array([at], pa.timestamp("s", "America/New_York"))})
    mapped = apply_map(Map("m", "s", "t", columns), table, target, {}, key_field="At")
    assert mapped.table.to_pylist() == [{"At": at, "Text": "2026-01-02T03:04:00Z"}]


def test_tables_in_chunks_and_empty_ones() -> None:
    piece = pa.table({"Number": ["1", "2"], "Amount": ["1", "x"], "Name": ["a", "b"]})
    table = pa.concat_tables([piece.slice(0, 0), piece, piece.slice(0, 0), piece.slice(1, 1)])
    any_map = Map("m", "s", "t", (Column("Key", FieldRef("Name")), Column("Amount", FieldRef("Amount"))))
    mapped = apply_map(any_map, table, KEYED, {}, key_field="Name")
    assert mapped.source_rows.to_pylist() == [0]
    assert len(mapped.rejected) == 2
    empty = apply_map(any_map, piece.slice(0, 0), KEYED, {}, key_field="Name")
    assert (empty.table.num_rows, empty.rejected, empty.left_out) == (0, (), 0)
    assert empty.table.schema == mapped.table.schema


def test_the_order_holds_over_many_rows() -> None:
    count = 30_000
    table = pa.table({"Name": [f"n{number}" for number in range(count)]})
    any_map = Map("m", "s", "t", (Column("Key", Call("COALESCE", (FieldRef("Custom.X"), FieldRef("Name")))),))
    mapped = apply_map(any_map, table, KEYED, {}, key_field="Name")
    assert mapped.source_rows.to_pylist() == list(range(count))
    assert mapped.table["Key"].to_pylist() == table["Name"].to_pylist()


def test_parameters_stand_before_fields_of_the_same_name() -> None:
    mapped = applied(
        {"Company.CustId": ["row's own"], "Name": ["a"]},
        columns={**COLUMNS, "Key": FieldRef("Name"), "Amount": Constant(1)},
    )
    assert mapped.table["Company"].to_pylist() == ["77"]


@pytest.mark.parametrize(
    ("columns", "key_field", "code"),
    [
        ({"Key": FieldRef("Nmae")}, "Name", "map-unknown-field"),
        ({}, "Name", "map-required-column"),
        ({"Key": FieldRef("Name")}, "ListID", "map-unknown-field"),
    ],
)
def test_a_map_with_a_fault_does_not_begin(columns: dict[str, Any], key_field: str, code: str) -> None:
    with pytest.raises(ConfigError) as caught:
        applied({"Name": ["a"]}, columns=columns, key_field=key_field)
    assert caught.value.problem.code == code


def test_fields_of_a_table() -> None:
    fields = (
        Field(name="a"),
        Field(name="b", kind=Kind.BOOLEAN),
        Field(name="c", kind=Kind.INTEGER),
        Field(name="d", kind=Kind.DECIMAL, scale=3),
        Field(name="e", kind=Kind.DATE),
        Field(name="f", kind=Kind.TIMESTAMP),
    )
    table = pa.schema([(field.name, field.arrow) for field in fields]).empty_table()
    assert schema_fields(table.schema) == list(fields)
    with pytest.raises(ConfigError, match="holds double values"):
        schema_fields(pa.table({"x": [1.5]}).schema)


def test_a_value_that_fits_no_column_is_a_rejected_record_whatever_its_kind() -> None:
    fields = {
        "Name": pa.array(list("abcdef")),
        "Text": pa.array(["9999999999999999.995", "1", "1", "1", None, "9999999999999999.994"]),
        "Integer": pa.array([1, 10**16, 1, 1, None, -(10**16) + 1], pa.int64()),
        "Decimal": pa.array([*map(Decimal, ["1", "1", "1.5", "1"]), None, Decimal(-(10**12))], pa.decimal128(18, 5)),
        "Day": pa.array(["2026-01-31"] * 3 + ["2026-02-31", " ", "2024-02-29"]),
    }
    kinds = {"Text": Kind.DECIMAL, "Integer": Kind.DECIMAL, "Decimal": Kind.INTEGER, "Day": Kind.DATE}
    target = Target(name="t", columns=tuple(TargetColumn(name=n, kind=k, scale=2) for n, k in kinds.items()))
    any_map = Map("m", "s", "t", tuple(Column(name, FieldRef(name)) for name in kinds))
    mapped = apply_map(any_map, pa.table(fields), target, {}, key_field="Name")
    assert [(each.key, each.problem.message) for each in mapped.rejected] == [
        ("a", "Text: 9999999999999999.995 has too many digits"),
        ("b", "Integer: 10000000000000000 has too many digits"),
        ("c", "Decimal: “1.5” is not a whole number"),
        ("d", "Day: “2026-02-31” is not a date"),
    ]
    assert all(each.problem.hint and each.record["Name"] == each.key for each in mapped.rejected)
    assert mapped.table.to_pylist() == [
        dict.fromkeys(kinds),
        {
            "Text": Decimal("9999999999999999.99"),
            "Integer": Decimal(-(10**16) + 1),
            "Decimal": -(10**12),
            "Day": date(2024, 2, 29),
        },
    ]


def test_what_does_not_fit_behind_the_value_that_is_taken_rejects_nothing() -> None:
    table = pa.table({"Name": list("abc"), "First": ["1.005", " ", "bad"], "Second": ["bad", "2", "3"]})
    any_map = Map("m", "s", "t", (Column("N", Call("COALESCE", (FieldRef("First"), FieldRef("Second")))),))
    target = Target(name="t", columns=(TargetColumn(name="N", kind=Kind.DECIMAL, scale=2),))
    mapped = apply_map(any_map, table, target, {}, key_field="Name")
    assert mapped.table["N"].to_pylist() == [Decimal("1.01"), Decimal("2.00")]
    assert [(each.key, each.problem.code) for each in mapped.rejected] == [("c", "map-not-a-number")]


HOSTILE = (
    "'; DROP TABLE source; --",
    '"',
    "]",
    "[x]",
    "a\0b",
    "c0",
    "row",
    "source",
    "value0",
    "SELECT 1",
    "'||version()||'",
    "{0}%s?$1:x",
    "\\'",
    "(SELECT max(row) FROM source)",
    "Kreuzberger Straße, 酒",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_and_values_mean_nothing_but_themselves(name: str) -> None:
    """Wherever a name or a value of somebody else can stand."""
    target = Target(name=name, columns=(TargetColumn(name=name, key=True), TargetColumn(name=f"{name}2")))
    columns = (Column(name, FieldRef(name)), Column(f"{name}2", Call("COALESCE", (FieldRef("P"), Constant(name)))))
    table = pa.table({name: ["left out", *HOSTILE, "left out"], "P": [None] * (len(HOSTILE) + 2)})
    any_map = Map(name, name, name, columns, (Only(name, HOSTILE),))
    mapped = apply_map(any_map, table, target, {f"{name}3": name}, key_field=name)
    assert mapped.table.to_pydict() == {name: list(HOSTILE), f"{name}2": [name] * len(HOSTILE)}
    assert (mapped.left_out, mapped.rejected) == (2, ())
    doubled = apply_map(any_map, pa.concat_tables([table, table]), target, {name: name}, key_field="P")
    assert {each.key for each in doubled.rejected} == {name}


NUMERALS = ["1", " 2.5 ", "-0.05", "x", "1e3", "99999999999999999", "0.05"]
VALUES = st.sampled_from(["", " ", "\t", "a", "b ", "ab c", *NUMERALS]) | st.none()
DECIMALS = st.none() | st.decimals(-1000, 1000, places=2, allow_nan=False, allow_infinity=False)
ROWS = st.lists(st.tuples(VALUES, VALUES, DECIMALS, st.none() | st.integers(-(10**17), 10**17)), max_size=15)
LEAVES: st.SearchStrategy[Expression] = st.sampled_from(["A", "B", "D", "I", "P", "Custom.None"]).map(FieldRef)
LEAVES |= st.sampled_from([None, " ", "k", "7", 7, Decimal("0.05"), Decimal("1.50")]).map(Constant)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, min_size=1, max_size=3).map(lambda each: Call("COALESCE", tuple(each))),
    max_leaves=5,
)
MODEL = Target(
    name="t",
    columns=(
        TargetColumn(name="Key", key=True),
        TargetColumn(name="Must", required=True, max_length=3),
        TargetColumn(name="Amount", kind=Kind.DECIMAL, scale=1),
        TargetColumn(name="Count", kind=Kind.INTEGER),
    ),
)


def model_kind(expression: Expression) -> Kind | None:
    """The kind of an expression's values; None when it is blank for every record."""
    match expression:
        case FieldRef(name):
            return {"D": Kind.DECIMAL, "I": Kind.INTEGER, "Custom.None": None}.get(name, Kind.TEXT)
        case Constant(value):
            blank = value is None or not str(value).strip()
            return None if blank else {Decimal: Kind.DECIMAL, int: Kind.INTEGER, str: Kind.TEXT}[type(value)]
        case Call(_, arguments):
            kinds = {kind for kind in map(model_kind, arguments) if kind}
            if len(kinds) < 2:
                return next(iter(kinds), None)
            return Kind.DECIMAL if kinds == {Kind.DECIMAL, Kind.INTEGER} else Kind.TEXT


def model_value(expression: Expression, record: dict[str, Any]) -> Any:
    match expression:
        case FieldRef(name):
            value = record.get(name)
        case Constant(value):
            pass
        case Call(_, arguments):
            values = (model_value(argument, record) for argument in arguments)
            value = next((each for each in values if each is not None), None)
            if model_kind(expression) is Kind.TEXT:
                return model_text(value)
    return None if value is None or not str(value).strip() else value


def model_text(value: Any) -> str | None:
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return None if value is None else str(value)


def model_cell(column: TargetColumn, expression: Expression, record: dict[str, Any]) -> tuple[Any, str | None]:
    """The value of a column, and the code of what is wrong with it."""
    value = model_value(expression, record)
    if value is not None and column.kind is Kind.TEXT:
        value = model_text(value)
        value = value.strip() if column.key and value else value
    if value is None:
        return None, {"Key": "key-blank", "Must": "map-blank"}.get(column.name)
    if column.kind is Kind.TEXT:
        return value, "map-text-too-long" if column.max_length and len(value) > column.max_length else None
    text = str(value).strip()
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
        return None, "map-not-a-number" if column.kind is Kind.DECIMAL else "map-not-a-whole-number"
    if column.kind is Kind.INTEGER:
        whole = Decimal(text) == int(Decimal(text))
        return (int(Decimal(text)), None) if whole else (None, "map-not-a-whole-number")
    number = Decimal(text).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return (number, None) if abs(number) < 10**17 else (None, "map-number-too-large")


@given(
    ROWS, st.tuples(EXPRESSIONS, EXPRESSIONS, EXPRESSIONS, EXPRESSIONS), st.sampled_from([(), ("", "a", "ab c", "x")])
)
@settings(max_examples=20, deadline=None)
def test_maps_do_what_a_person_would(
    rows: list[tuple[Any, ...]], expressions: tuple[Expression, ...], only: tuple[str, ...]
) -> None:
    columns = [Column(column.name, each) for column, each in zip(MODEL.columns, expressions, strict=True)]
    any_map = Map("m", "s", "t", tuple(columns), (Only("A", only),) if only else ())
    kinds = {"A": pa.string(), "B": pa.string(), "D": pa.decimal128(18, 2), "I": pa.int64()}
    table = pa.table({name: pa.array([row[at] for row in rows], kind) for at, (name, kind) in enumerate(kinds.items())})
    assume(not check_map(any_map, schema_fields(table.schema), MODEL, {"P"}))
    mapped = apply_map(any_map, table, MODEL, {"P": "par"}, key_field="A")

    records = [{**dict(zip(kinds, row, strict=True)), "P": "par"} for row in rows]
    inside = [at for at, record in enumerate(records) if not only or is_let_through(record["A"], only)]
    cells = {
        at: [model_cell(c, e, records[at]) for c, e in zip(MODEL.columns, expressions, strict=True)] for at in inside
    }
    keys = Counter(values[0][0] for values in cells.values())
    codes = {
        at: [
            *(["key-double"] if values[0][0] is not None and keys[values[0][0]] > 1 else []),
            *(code for _, code in values if code),
        ]
        for at, values in cells.items()
    }
    good = [at for at in inside if not codes[at]]
    assert mapped.source_rows.to_pylist() == good
    assert [tuple(row.values()) for row in mapped.table.to_pylist()] == [
        tuple(value for value, _ in cells[at]) for at in good
    ]
    assert [each.problem.code for each in mapped.rejected] == [codes[at][0] for at in inside if codes[at]]
    assert mapped.left_out == len(rows) - len(inside)


def is_let_through(text: str | None, only: tuple[str, ...]) -> bool:
    blank = text is None or not text.strip()
    return "" in only if blank else text in only
