"""The expression tree of a map's column: what a formula or a constant of the map file means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from routebooks.records import PRECISION

Value: TypeAlias = str | int | Decimal | bool | None

#: the functions that there are, with the smallest number of arguments each takes
FUNCTIONS = {"COALESCE": 1}

#: what a map or formula may not hold: control characters (but for tab and line ends), halves of surrogate pairs
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Constant:
    """A value that is the same for every record. A blank text is the same as None: nothing there."""

    value: Value


@dataclass(frozen=True)
class FieldRef:
    """The value of a field of the record, or of a parameter of the company."""

    name: str


@dataclass(frozen=True)
class Call:
    """A function of other expressions, by its name in capitals."""

    function: str
    arguments: tuple[Expression, ...]


Expression: TypeAlias = Constant | FieldRef | Call


def exact_number(text: str) -> int | Decimal:
    """The number that a plain run of digits with at most one point means. Raises ValueError above 18 digits."""
    number = Decimal(text)
    whole, _, fraction = text.lstrip("-").partition(".")
    if len((whole + fraction).lstrip("0")) > PRECISION or len(fraction) > PRECISION:
        raise ValueError(f"{text} has more than {PRECISION} digits")
    return number if "." in text else int(number)


def is_blank(expression: Expression) -> bool:
    """Whether an expression is a constant without a value."""
    return isinstance(expression, Constant) and (expression.value is None or not str(expression.value).strip())


def field_names(expression: Expression) -> Iterator[str]:
    """The names of the fields that an expression reads, in order, repeats included."""
    match expression:
        case FieldRef(name):
            yield name
        case Call(_, arguments):
            for argument in arguments:
                yield from field_names(argument)


def format_formula(expression: Expression) -> str:
    """The formula of an expression, with its equals sign; parsing it gives the expression back."""
    return f"={_format(expression)}"


def _format(expression: Expression) -> str:
    match expression:
        case FieldRef(name):
            return f"[{name.replace(']', ']]')}]"
        case Call(function, arguments):
            return f"{function}({', '.join(_format(argument) for argument in arguments)})"
        case Constant(value):
            return _format_constant(value)


def _format_constant(value: Value) -> str:
    match value:
        case None:
            return '""'
        case bool():
            return "TRUE" if value else "FALSE"
        case str():
            return '"' + value.replace('"', '""') + '"'
        case _:
            return format(value, "f") if isinstance(value, Decimal) else str(value)
