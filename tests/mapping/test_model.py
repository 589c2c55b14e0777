"""The map file: what it means, where it is wrong, and its round trip."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routebooks.errors import ConfigError
from routebooks.mapping.expression import Call, Constant, Expression, FieldRef
from routebooks.mapping.model import Column, Map, Only, dump_map, load_map

MAP = """\
name: customers
source: customers            # stream
target: customer
only:
  Kind: [ItemInventory, 007, 7, true, null]
columns:
  Company ID: =[Company.CustId]
  Trade Name: =COALESCE([CompanyName], [Name])
  Sales Pointer Type: "1"
  Whole: 12
  Price: 1.50
  Yes: True
  Nothing:
  Country: No
  Time: 12:30
  Day: 2026-11-24
  Code: 007
  Long: >-
    =COALESCE([A],
    [B])
  Note: 'it''s'
"""


def wrong(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_map(text)
    return caught.value


def test_meaning() -> None:
    loaded = load_map(MAP)
    assert (loaded.name, loaded.source, loaded.target) == ("customers", "customers", "customer")
    assert loaded.only == (Only("Kind", ("ItemInventory", "007", 7, True, None)),)
    assert {column.name: column.expression for column in loaded.columns} == {
        "Company ID": FieldRef("Company.CustId"),
        "Trade Name": Call("COALESCE", (FieldRef("CompanyName"), FieldRef("Name"))),
        "Sales Pointer Type": Constant("1"),
        "Whole": Constant(12),
        "Price": Constant(Decimal("1.50")),
        "Yes": Constant(True),
        "Nothing": Constant(None),
        "Country": Constant("No"),
        "Time": Constant("12:30"),
        "Day": Constant("2026-11-24"),
        "Code": Constant("007"),
        "Long": Call("COALESCE", (FieldRef("A"), FieldRef("B"))),
        "Note": Constant("it's"),
    }
    price = loaded.columns[4].expression
    assert isinstance(price, Constant)
    assert isinstance(price.value, Decimal)
    assert [column.line for column in loaded.columns][:3] == [7, 8, 9]


def test_round_trip_of_the_example() -> None:
    assert load_map(dump_map(load_map(MAP))) == load_map(MAP)


HEAD = "name: a\nsource: b\ntarget: c\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The map is empty"),
        ("- a", "Line 1, column 1: the map must be lines"),
        (HEAD + "columns: {A: b}\ncolums: 1\n", "Line 5, column 9: a map has no part “colums”"),
        (HEAD, "The map has no “columns”"),
        (HEAD + "columns: {}\n", "Line 4, column 10: the map fills no column"),
        (HEAD + "columns:\n  A: x\n  B: y\n  A: z\n", "Line 7, column 3: “A” stands here a second time"),
        (HEAD + "name: d\ncolumns: {A: b}\n", "Line 4, column 1: “name” stands here a second time"),
        (HEAD + "columns:\n  A: [x]\n", "Line 5, column 6: one value must stand here"),
        (HEAD + "columns:\n  A: !!python/name:os.system x\n", "Line 5, column 6: values of the kind"),
        (HEAD + "columns:\n  A: 1234567890123456789\n", "is not a number of at most 18 digits"),
        (HEAD + "columns:\n  A: !!int soon\n", "soon is not a number"),
        (HEAD + 'columns:\n  A: "\\0"\n', "a control character"),
        (HEAD + "columns:\n  A: b\n C: d\n", "Line 6, column 2:"),
        (HEAD + "columns: {A: b}\nonly: {Kind: Open}\n", "Line 5, column 14: a list of allowed values"),
        (HEAD + "columns: {A: b}\nonly: {Kind: []}\n", "a list of allowed values"),
        (HEAD + "columns: {A: b}\n---\nname: x\n", "but found another document"),
        ("name: [a]\nsource: b\ntarget: c\ncolumns: {A: b}\n", "“name” must be one word or text"),
        ("name:\nsource: b\ntarget: c\ncolumns: {A: b}\n", "“name” must be one word or text"),
        ("? [a]\n: b\n", "a name must stand here"),
        ("[" * 3000, "The map is not a readable text"),
        ("name: \x01", "The map is not a readable text"),
        (HEAD + "columns:\n  A: =[B\n", "Line 5, column 7: a field name that is not closed"),
        (HEAD + 'columns:\n  A: "=COALESCE([B] [C])"\n', "Line 5, column 21: expected a closing parenthesis"),
        (HEAD + "columns:\n  A: |\n    =COALESCE([B]\n    [C])\n", "Line 5, column 6, character 15 of the formula"),
        (HEAD + "columns:\n  A: =COALESCE([B],\n    [C]\n", "Line 5, column 6, character 19 of the formula"),
    ],
)
def test_where_it_is_wrong(text: str, words: str) -> None:
    error = wrong(text)
    assert words in error.problem.message
    assert error.problem.code in ("map-file", "map-formula")


def test_hints() -> None:
    assert wrong(HEAD + "columns: {A: b}\ncolums: 1\n").problem.hint == "Did you mean columns?"


def test_a_deep_alias_does_no_harm() -> None:
    bomb = "a: &a [x,x]\n" + "".join(
        f"{b}: &{b} [*{a},*{a}]\n" for a, b in zip("abcdefghij", "bcdefghijk", strict=True)
    )
    assert "a map has no part “a”" in wrong(bomb).problem.message


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=10).filter(
    lambda text: text.strip()
)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=15)
DECIMALS = st.decimals(min_value=-(10**12), max_value=10**12, places=5, allow_nan=False)
VALUES = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | DECIMALS | TEXTS
VALUES |= st.sampled_from(
    ["yes", "No", "~", "null", "1", "1.0", "007", "1e3", "0x1", "12:30", "=", "=x", "=[A]", "#", "- a"]
)
EXPRESSIONS: st.SearchStrategy[Expression] = st.builds(Constant, VALUES) | st.builds(FieldRef, NAMES)
EXPRESSIONS |= st.lists(EXPRESSIONS.filter(lambda e: e != Constant(None)), min_size=1, max_size=3).map(
    lambda a: Call("COALESCE", tuple(a))
)
ONLY = st.lists(st.builds(Only, NAMES, st.lists(VALUES, min_size=1, max_size=3).map(tuple)), max_size=2)
COLUMNS = st.lists(st.builds(Column, NAMES, EXPRESSIONS), min_size=1, max_size=5, unique_by=lambda column: column.name)


@given(
    st.builds(Map, NAMES, NAMES, NAMES, COLUMNS.map(tuple), ONLY.map(lambda o: tuple({x.field: x for x in o}.values())))
)
@settings(max_examples=150, deadline=None)
def test_round_trip(any_map: Map) -> None:
    again = load_map(dump_map(any_map))
    assert again == any_map
    assert [type(c.expression.value) for c in again.columns if isinstance(c.expression, Constant)] == [
        type(c.expression.value) for c in any_map.columns if isinstance(c.expression, Constant)
    ]
