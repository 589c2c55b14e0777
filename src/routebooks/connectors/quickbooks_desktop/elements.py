"""The strict check of what leaves: each element's type, length and characters, and the order of the schema.

A breach is a RecordError that names the field, the value and the cure. The types are those of
reference/quickbooks-desktop.md section 2; the check is ours and knows nothing of Intuit's schema files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, DecimalException
from enum import StrEnum
from itertools import groupby
from typing import Any

from routebooks.connectors.quickbooks_desktop.characters import foreign, storable, without_pictures
from routebooks.connectors.quickbooks_desktop.qbxml import leaf
from routebooks.errors import RecordError
from routebooks.records import Kind, TargetColumn


class Type(StrEnum):
    """The types of qbXML that we send."""

    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"
    AMOUNT = "amount"
    PRICE = "price"
    QUANTITY = "quantity"
    PERCENT = "percent"
    FLOAT = "number"
    GUID = "guid"


#: Digits before the point, and after it.
_DIGITS: Mapping[Type, tuple[int, int]] = {
    Type.AMOUNT: (13, 2),
    Type.PRICE: (10, 5),
    Type.QUANTITY: (10, 5),
    Type.PERCENT: (10, 5),
    Type.FLOAT: (13, 5),
}
_GUID = re.compile(r"\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}")
#: Texts of this length are notes and descriptions, which take line breaks; all others are single lines.
_NOTE = 4095
_FIX = "Correct the value at its source or in the map."


@dataclass(frozen=True, kw_only=True)
class Element:
    """One element that we can send: where it stands, and what QuickBooks takes in it."""

    #: the element, or with one dot the element below it
    path: str
    type: Type = Type.TEXT
    max_length: int | None = None
    choices: tuple[str, ...] = ()
    required: bool = False
    link: str | None = None
    #: the target column, where it is not the path
    name: str = ""

    @property
    def column(self) -> str:
        """The name of the target column that fills it."""
        return self.name or self.path

    def target_column(self, position: int, *, line: bool) -> TargetColumn:
        """The column that a map fills for this element."""
        kinds = {Type.BOOLEAN: Kind.BOOLEAN, Type.DATE: Kind.DATE}
        return TargetColumn(
            name=self.column,
            kind=Kind.DECIMAL if self.type in _DIGITS else kinds.get(self.type, Kind.TEXT),
            scale=_DIGITS.get(self.type, (0, 5))[1],
            max_length=self.max_length,
            required=self.required,
            line=line,
            link=self.link,
            position=position,
        )


def write(elements: Iterable[Element], values: Mapping[str, Any], where: str = "") -> str:
    """The filled elements as XML, in the order of `elements`. Raises RecordError, naming `where` before the field."""
    texts = ((element, checked(element, values.get(element.column), where)) for element in elements)
    filled = [(*element.path.rpartition(".")[::2], text) for element, text in texts if text]
    xml = ""
    for parent, leaves in groupby(filled, key=lambda each: each[0]):
        inner = "".join(leaf(tag, text) for _, tag, text in leaves)
        xml += f"<{parent}>{inner}</{parent}>" if parent else inner
    return xml


def checked(element: Element, value: Any, where: str = "") -> str:
    """The value as QuickBooks takes it; '' when there is none. Raises RecordError."""
    if value is None or value == "":
        text = ""
    elif element.type in _DIGITS:
        text = _decimal(element, value, where)
    elif element.type is Type.BOOLEAN:
        text = _boolean(element, value, where)
    elif element.type is Type.DATE:
        text = _date(element, value, where)
    else:
        text = _text(element, value, where)
    if element.required and not text:
        raise RecordError(
            f"{where}{element.column} is empty, and QuickBooks needs it.", hint=_FIX, code="qb-field-missing"
        )
    return text


def refused(element: Element, value: Any, where: str, rule: str, *, hint: str = _FIX, code: str) -> RecordError:
    """The error that says which field holds which value, and which rule that breaks."""
    shown = str(value)
    shown = f"{shown[:60]}…" if len(shown) > 60 else shown
    return RecordError(
        f"{where}{element.column} is “{shown}”: {rule}.", hint=hint, code=code, detail=repr(value)[:2000]
    )


def _decimal(element: Element, value: Any, where: str) -> str:
    before, after = _DIGITS[element.type]
    number = _exact(value, before, after)
    if number is None:
        rule = f"QuickBooks takes a {element.type} of at most {before} digits before the point and {after} after it"
        raise refused(element, value, where, rule, code="qb-field-format")
    return f"{number:f}" if element.type is Type.AMOUNT else f"{number.normalize():f}"


def _exact(value: Any, before: int, after: int) -> Decimal | None:
    """The number with exactly `after` digits behind the point; None where it does not fit without loss."""
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?", value):
        value = Decimal(value)
    # A floating point number is not what it seems to be, so none is taken.
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    try:
        number = Decimal(value).quantize(Decimal(1).scaleb(-after))
    except DecimalException:
        return None
    fits = number == value and abs(number) < Decimal(10) ** before
    # Minus nought is nought.
    return (number or abs(number)) if fits else None


def _boolean(element: Element, value: Any, where: str) -> str:
    text = str(value).lower() if isinstance(value, bool | str) else ""
    if text not in ("true", "false"):
        raise refused(element, value, where, "QuickBooks takes true or false", code="qb-field-format")
    return text


def _date(element: Element, value: Any, where: str) -> str:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            pass
    # An instant is a date only together with a time zone, and that is the map's to say.
    if isinstance(value, datetime) or not isinstance(value, date):
        raise refused(element, value, where, "QuickBooks takes a date (year-month-day)", code="qb-field-format")
    return value.isoformat()


def _text(element: Element, value: Any, where: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise refused(element, value, where, "QuickBooks takes a text", code="qb-field-format")
    text = storable(re.sub(r"\r\n?", "\n", str(value)))
    is_note = (element.max_length or _NOTE) >= _NOTE
    text = without_pictures(text) if is_note else re.sub(r"[\t\n]+", " ", text)
    # Blanks at the end come from columns of fixed width; they say nothing and would count as length.
    text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", text).rstrip()
    if strangers := foreign(text):
        raise refused(
            element,
            value,
            where,
            f"QuickBooks cannot keep “{strangers[:20]}”",
            hint="Replace it at its source.",
            code="qb-field-characters",
        )
    if element.max_length is not None and len(text) > element.max_length:
        raise refused(
            element,
            value,
            where,
            f"it has {len(text)} characters, and QuickBooks takes {element.max_length}",
            hint="Shorten it at its source.",
            code="qb-field-too-long",
        )
    return _form(element, text, where)


def _form(element: Element, text: str, where: str) -> str:
    if not text or (element.type is not Type.GUID and not element.choices):
        return text
    if element.choices and text not in element.choices:
        raise refused(element, text, where, f"QuickBooks takes {' or '.join(element.choices)}", code="qb-field-format")
    if element.type is Type.GUID and not _GUID.fullmatch(text):
        raise refused(
            element, text, where, "QuickBooks takes a GUID in braces, {8-4-4-4-12 hex digits}", code="qb-field-format"
        )
    return text
