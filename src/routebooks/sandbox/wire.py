"""Values as QuickBooks writes them: amounts with two decimals, quantities without padding, Windows-1252 text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone, tzinfo
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from routebooks.sandbox.shapes import LINES, Fields, Group, Leaf, ShapeError

# What XML 1.0 forbids, of the characters that Windows-1252 knows.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")

_MOMENT = re.compile(r"^([\d-]+)(?:T([\d:]+))?(?:([+-])([\d:]+))?$")

CENT = Decimal("0.01")
_FIVE_PLACES = Decimal("0.00001")


def text(value: str) -> str:
    """A text as the company file can hold it: what Windows-1252 cannot say becomes `?`, control characters go."""
    return _CONTROLS.sub("", value.encode("cp1252", "replace").decode("cp1252"))


def cents(value: Decimal) -> Decimal:
    """Rounded to cents, half away from zero."""
    with localcontext(prec=60):
        return value.quantize(CENT, ROUND_HALF_UP)


def five_places(value: Decimal) -> Decimal:
    """Rounded to the five places of a price, half away from zero."""
    with localcontext(prec=60):
        return value.quantize(_FIVE_PLACES, ROUND_HALF_UP)


def amount(value: Decimal) -> str:
    """`0.00`."""
    return f"{cents(value):f}"


def price(value: Decimal) -> str:
    """At least two decimals, at most five."""
    with localcontext(prec=60):
        whole, _, rest = f"{value.quantize(_FIVE_PLACES, ROUND_HALF_UP):f}".partition(".")
    return f"{whole}.{rest.rstrip('0'):0<2}"


def quantity(value: Decimal) -> str:
    """Without padding: `12`, `0.5`."""
    with localcontext(prec=60):
        plain = f"{value.quantize(_FIVE_PLACES, ROUND_HALF_UP):f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def percent_sign(value: str) -> str:
    """A percentage as PriceLevelRet may show it, against the schema: `18.0%`."""
    whole, _, rest = value.partition(".")
    return f"{whole}.{rest.rstrip('0') or '0'}%"


def moment(written: str, zone: tzinfo, *, end: bool = False) -> datetime:
    """The moment that a DATETIMETYPE says: in the zone when it has no offset; a day alone is its start or its end.

    Raises ValueError and OverflowError for what the calendar does not have.
    """
    day, clock, sign, offset = _MOMENT.findall(written)[0]
    hour, minute, second = map(int, f"{clock or ('23:59:59' if end else '0')}:0:0".split(":")[:3])
    year, month, day_of_month = map(int, day.split("-"))
    if sign:
        hours, minutes = map(int, offset.split(":"))
        zone = timezone(timedelta(hours=hours, minutes=minutes) * (-1 if sign == "-" else 1))
    return datetime(year, month, day_of_month, hour, minute, second, tzinfo=zone)


def number(value: str | None) -> Decimal:
    """The number that a text says; an empty one says nought."""
    return Decimal(value or "0")


_DECIMALS = {"amount": amount, "price": price, "quantity": quantity, "percent": price}


def leaf(content: Leaf, value: object) -> str:
    """A value as the text of an element. Raises ShapeError when the element cannot hold it."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal) and content.kind in _DECIMALS:
        value = _DECIMALS[content.kind](value)
    written = text(str(value).lower() if isinstance(value, bool) else str(value))
    content.check(written)
    if content.kind == "bool":
        return "true" if written in ("true", "1") else "false"
    return _DECIMALS[content.kind](number(written)) if content.kind in _DECIMALS else written


def given(values: Mapping[str, Any]) -> Fields:
    """Values of Python as a request would bring them: texts, references as fields, None for what is to stay empty."""
    return {name: _given(name, value) for name, value in values.items()}


def _given(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return given(value)
    if isinstance(value, list | tuple):
        return [_given(name, one) for one in value]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float | Decimal):
        return f"{Decimal(str(value)):f}"
    if isinstance(value, date):
        return value.isoformat()
    return {"FullName": value} if isinstance(value, str) and name.endswith("Ref") else value


def fields(shape: Group, values: Mapping[str, Any]) -> Fields:
    """Values of Python as the fields of a shape. Raises ShapeError for a name or a value that it does not have."""
    known = {element.name: element for element in shape.elements()}
    made: Fields = {}
    for name, value in values.items():
        # QuickBooks writes no empty elements.
        if value is None or value == "":
            continue
        if name == LINES:
            made[LINES] = [fields(shape, line) for line in value]
            continue
        if name not in known:
            raise ShapeError(f"there is no {name}")
        content = known[name].content
        many = value if isinstance(value, list | tuple) else [value]
        if not many:
            continue
        done = [fields(content, one) if isinstance(content, Group) else leaf(content, one) for one in many]
        made[name] = done if known[name].most != 1 else done[0]
    return made
