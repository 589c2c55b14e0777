"""Reads a formula into an expression tree, and tells where and why one cannot be read."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from routebooks.errors import ConfigError
from routebooks.mapping.expression import FUNCTIONS, UNPRINTABLE, Call, Constant, Expression, FieldRef, exact_number
from routebooks.mapping.problems import did_you_mean

#: longest formula in characters, and deepest nesting of parentheses: both far above what a person writes
MAX_LENGTH = 8_000
MAX_DEPTH = 32

_FRIENDLY = {
    "FIELD": "a field such as [Name]",
    "TEXT": 'a text in quotation marks such as "A"',
    "NUMBER": "a number",
    "TRUTH": "TRUE or FALSE",
    "NAME": "a function such as COALESCE",
    "LPAR": "an opening parenthesis",
    "RPAR": "a closing parenthesis",
    "COMMA": "a comma",
    "EQUAL": "an equals sign",
    "$END": "the end of the formula",
}
_UNCLOSED = {
    '"': 'a text that is not closed: add " at its end',
    "[": "a field name that is not closed: add ] at its end",
}

#: tells a person where in the formula, counted in characters from 0, something stands
Place = Callable[[int], str]


def in_formula(offset: int) -> str:
    """The place by the number of the character in the formula."""
    return f"character {offset + 1}"


def parse_formula(text: str, place: Place = in_formula) -> Expression:
    """The expression of a formula, which begins with an equals sign.

    Raises ConfigError (code map-formula) that says where, what was expected there and what was found.
    """
    if bad := UNPRINTABLE.search(text):
        raise _mistake(f"{place(bad.start())}: a control character cannot stand in a formula")
    if len(text) > MAX_LENGTH or _depth(text) > MAX_DEPTH:
        raise _mistake(f"{place(0)}: the formula is too long or nested too deep", "Split it over several columns.")
    try:
        tree = _parser().parse(text)
        return _Builder(place).transform(tree)
    except VisitError as error:
        raise error.orig_exc from None
    except UnexpectedInput as error:
        raise _mistake(f"{place(_offset(error, text))}: {_explain(error, text)}") from None


@cache
def _parser() -> Lark:
    grammar = files("routebooks.mapping").joinpath("formula.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", maybe_placeholders=False)


def _mistake(
    message: str, hint: str = 'Write a formula like =[Name] or =COALESCE([CompanyName], "none").'
) -> ConfigError:
    return ConfigError(message, hint=hint, code="map-formula")


def _depth(text: str) -> int:
    deepest = depth = 0
    for sign in re.sub(r'"[^"]*"|\[[^\]]*\]', "", text):
        depth += (sign == "(") - (sign == ")")
        deepest = max(deepest, depth)
    return deepest


def _offset(error: UnexpectedInput, text: str) -> int:
    at_end = isinstance(error, UnexpectedToken) and error.token.type == "$END"
    return len(text) if at_end else (error.pos_in_stream or 0)


def _explain(error: UnexpectedInput, text: str) -> str:
    if isinstance(error, UnexpectedCharacters):
        sign = text[_offset(error, text)]
        if sign in _UNCLOSED:
            return _UNCLOSED[sign]
        found, names = f"“{sign}”", set(error.allowed)
    elif isinstance(error, UnexpectedToken):
        found = "the end of the formula" if error.token.type == "$END" else f"“{error.token}”"
        names = set(error.accepts or error.expected)
    else:
        found, names = "something else", set()
    if names & {"RPAR", "COMMA"} and _depth(text[: _offset(error, text)]) == 0:
        # The parser merges its states: outside of all parentheses only the end can follow.
        names = {"$END"}
    expected = [words for name, words in _FRIENDLY.items() if name in names]
    return f"expected {' or '.join(expected)}, found {found}" if expected else f"{found} is not expected here"


class _Builder(Transformer[Token, Expression]):
    """Turns the parse tree into the expression tree, from the leaves up."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._place = place

    @v_args(inline=True)
    def start(self, expression: Expression) -> Expression:
        return expression

    @v_args(inline=True)
    def field(self, token: Token) -> Expression:
        return FieldRef(token[1:-1].replace("]]", "]"))

    @v_args(inline=True)
    def constant(self, token: Token) -> Expression:
        match token.type:
            case "TEXT":
                return Constant(token[1:-1].replace('""', '"'))
            case "TRUTH":
                return Constant(token.upper() == "TRUE")
        try:
            return Constant(exact_number(str(token)))
        except ValueError as error:
            raise self._refuse(token, str(error), "Put a long code into quotation marks.") from None

    @v_args(inline=True)
    def call(self, name: Token, *arguments: Expression) -> Expression:
        function = name.upper()
        if function not in FUNCTIONS:
            raise self._refuse(name, f"there is no function {name}", did_you_mean(function, FUNCTIONS))
        if len(arguments) < FUNCTIONS[function]:
            raise self._refuse(name, f"{function} needs at least {FUNCTIONS[function]} value in its parentheses")
        return Call(function, arguments)

    def _refuse(self, token: Token, message: str, hint: str = "") -> ConfigError:
        return _mistake(f"{self._place(token.start_pos or 0)}: {message}", hint)
