"""Formulas: what they mean, how they are written again, and what is said of a wrong one."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routebooks.errors import ConfigError
from routebooks.mapping.expression import Call, Constant, Expression, FieldRef, field_names, format_formula
from routebooks.mapping.parse import MAX_DEPTH, MAX_LENGTH, parse_formula

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
NUMBERS = st.integers(-(10**18) + 1, 10**18 - 1) | st.decimals(
    min_value=-(10**12), max_value=10**12, places=5, allow_nan=False
)
LEAVES: st.SearchStrategy[Expression] = st.builds(FieldRef, TEXTS.filter(bool)) | st.builds(
    Constant, TEXTS | st.booleans() | NUMBERS
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, min_size=1, max_size=4).map(lambda a: Call("COALESCE", tuple(a))),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("formula", "meaning"),
    [
        ("=[Name]", FieldRef("Name")),
        ("= [ShipAddress.Addr1] ", FieldRef("ShipAddress.Addr1")),
        ("=[Custom.a]]b]", FieldRef("Custom.a]b")),
        ('="He said ""yes"""', Constant('He said "yes"')),
        ('=""', Constant("")),
        ("=12", Constant(12)),
        ("=-1.50", Constant(Decimal("-1.50"))),
        ("=true", Constant(True)),
        ("=COALESCE([A], [B])", Call("COALESCE", (FieldRef("A"), FieldRef("B")))),
        ('=coalesce(\n  [A],\n\t"x"\n)', Call("COALESCE", (FieldRef("A"), Constant("x")))),
        ("=COALESCE(COALESCE([A]),FALSE)", Call("COALESCE", (Call("COALESCE", (FieldRef("A"),)), Constant(False)))),
    ],
)
def test_meaning(formula: str, meaning: Expression) -> None:
    assert parse_formula(formula) == meaning


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("=", "character 2: expected a field such as"),
        ("=COALESCE([A] [B])", "character 15: expected a closing parenthesis or a comma, found “[B]”"),
        ("=COALESCE([A], [B]", "character 19: expected a closing parenthesis or a comma, found the end of the formula"),
        ("=[A]]", "character 5: expected the end of the formula, found “]”"),
        ('=COALESCE("a, [B])', "character 11: a text that is not closed"),
        ("=[A] + [B]", "character 6: expected the end of the formula, found “+”"),
        ("=[]", "character 2: a field name that is not closed"),
        ("=COALESC([A])", "character 2: there is no function COALESC"),
        ("=COALESCE()", "character 2: COALESCE needs at least 1"),
        ("=TRUE([A])", "there is no function TRUE"),
        ("=Name", "expected an opening parenthesis"),
        ("=12345678901234567890", "has more than 18 digits"),
        ('="a\x00"', "character 4: a control character"),
    ],
)
def test_what_is_wrong(formula: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_formula(formula)
    assert words in caught.value.problem.message
    assert caught.value.problem.code == "map-formula"


def test_a_near_function_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_formula("=COALESC([A])")
    assert caught.value.problem.hint == "Did you mean COALESCE?"


def test_the_place_is_the_caller_s() -> None:
    with pytest.raises(ConfigError, match=r"^there 3: a field name that is not closed"):
        parse_formula("=[A", lambda offset: f"there {offset + 2}")


@pytest.mark.parametrize(
    "formula",
    ["=" + "COALESCE(" * (MAX_DEPTH + 1) + "[A]" + ")" * (MAX_DEPTH + 1), "=" + " " * MAX_LENGTH + "[A]"],
)
def test_what_nobody_writes_is_refused(formula: str) -> None:
    with pytest.raises(ConfigError, match="too long or nested too deep"):
        parse_formula(formula)


def test_parentheses_in_texts_and_names_do_not_nest() -> None:
    many = "(" * (MAX_DEPTH + 1)
    assert parse_formula(f'=COALESCE([{many}], "{many}")') == Call("COALESCE", (FieldRef(many), Constant(many)))


@given(EXPRESSIONS)
@settings(max_examples=100, deadline=None)
def test_written_and_read_again(expression: Expression) -> None:
    assert parse_formula(format_formula(expression)) == expression


@given(st.text(max_size=30))
@settings(max_examples=150, deadline=None)
def test_any_text_is_a_formula_or_a_config_error(text: str) -> None:
    with contextlib.suppress(ConfigError):
        assert parse_formula("=" + text) is not None


def test_field_names_in_order() -> None:
    assert list(field_names(parse_formula('=COALESCE([B], "x", COALESCE([A], [B]))'))) == ["B", "A", "B"]
