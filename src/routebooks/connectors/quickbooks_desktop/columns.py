"""Records of an answer straight into typed columns: no object a record, one Arrow table a few thousand of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal, DecimalException
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
from lxml import etree

from routebooks.records import PRECISION, Field, Kind

#: The place of a field that holds the name of the record's own element, less "Ret".
OWN_NAME = "."
#: Rows that are gathered as Python texts before they are packed into Arrow: few enough for the processor's cache.
_BLOCK = 512

#: Takes an element of the record that was added last.
Part: TypeAlias = Callable[[etree._Element], None]

_Column: TypeAlias = "list[str | None]"


@dataclass(frozen=True, kw_only=True)
class ListField(Field):
    """A field of a stream, and where its value stands in the record."""

    #: paths below the record, of which a record has one at most; empty: the field's own name, dots for levels
    at: tuple[str, ...] = ()
    #: the field whose value is taken where this one has none
    otherwise: str = ""


@dataclass(frozen=True)
class _Plan:
    """What is taken of the elements right below an element, by their names."""

    texts: dict[str, _Column]
    levels: dict[str, _Plan]
    parts: dict[str, Part]

    def fill(self, element: etree._Element, row: int) -> None:
        """Take the texts of an element into one row."""
        texts = self.texts
        for child in element:
            tag = child.tag
            if tag in texts:
                texts[tag][row] = child.text
                continue
            if tag in self.levels:
                self.levels[tag].fill(child, row)
            if tag in self.parts:
                self.parts[tag](child)


class Columns:
    """Columns that grow by records and are taken off as an Arrow table.

    `parts` are handed the elements of their name, beside what the fields take of them; `custom` begins the names of
    the columns of custom fields.
    """

    def __init__(
        self, fields: Sequence[ListField], parts: Mapping[str, Part] | None = None, custom: str = "Custom."
    ) -> None:
        self._fields = fields
        self._parts = parts or {}
        self._custom_prefix = custom
        #: how many values of a field could not be read and became null
        self.unreadable: Counter[str] = Counter()
        self._start()

    def _start(self) -> None:
        self.size = 0
        #: the place of the last record in its block
        self._row = -1
        self._blocks: list[pa.Table] = []
        self._columns: dict[str, _Column] = {field.name: [None] * _BLOCK for field in self._fields}
        self._plan = _Plan({}, {}, {"DataExtRet": self._custom_field, **self._parts})
        self._own_name: list[_Column] = []
        for field in self._fields:
            for path in field.at or (field.name.replace(".", "/"),):
                self._place(path, self._columns[field.name])

    def _place(self, path: str, column: _Column) -> None:
        if path == OWN_NAME:
            self._own_name.append(column)
            return
        *levels, last = path.split("/")
        plan = self._plan
        for level in levels:
            assert level not in plan.texts, f"{level} is a value and has values below it"
            plan = plan.levels.setdefault(level, _Plan({}, {}, {}))
        plan.texts[last] = column

    def add(self, record: etree._Element) -> None:
        """Take the values of one record; elements that no field asks for are passed over."""
        self.add_empty()
        for column in self._own_name:
            column[self._row] = record.tag.removesuffix("Ret")
        self._plan.fill(record, self._row)

    def add_empty(self) -> None:
        """Take a record without values."""
        if self._row + 1 == _BLOCK:
            self._pack()
        self._row += 1
        self.size += 1

    def _pack(self) -> None:
        rows = self._row + 1
        self._blocks.append(
            pa.table({name: pa.array(column[:rows], pa.string()) for name, column in self._columns.items()})
        )
        for column in self._columns.values():
            column[:] = [None] * _BLOCK
        self._row = -1

    def _custom_field(self, element: etree._Element) -> None:
        # OwnerID 0 marks what the user sees as a custom field; other owners are programs' private marks.
        name = element.findtext("DataExtName")
        if name and element.findtext("OwnerID", "0") in ("0", ""):
            column = self._columns.setdefault(f"{self._custom_prefix}{name}", [None] * _BLOCK)
            column[self._row] = element.findtext("DataExtValue") or None

    def take(self) -> pa.Table:
        """The records so far as a table: the fields in their order, then `Custom.<name>` as text. Starts anew."""
        self._pack()
        # A custom field may be in later blocks only.
        texts = pa.concat_tables(self._blocks, promote_options="default").combine_chunks()
        arrays: dict[str, Any] = dict(zip(texts.column_names, texts.columns, strict=True))
        for field in self._fields:
            arrays[field.name], bad = _typed(field, arrays[field.name])
            if bad:
                self.unreadable[field.name] += bad
        for field in self._fields:
            if field.otherwise:
                arrays[field.name] = pc.coalesce(arrays[field.name], arrays[field.otherwise])
        self._start()
        return pa.table(arrays)


def _typed(field: Field, texts: Any) -> tuple[Any, int]:
    """A column in its type, and how many values had to be given up. The whole column at once where it is clean."""
    if field.kind is Kind.TEXT:
        return texts, 0
    try:
        array = texts.cast(field.arrow)
        # Arrow takes years that Python has no dates for.
        if field.kind in (Kind.DATE, Kind.TIMESTAMP):
            pc.min_max(array).as_py()
        return array, 0
    except (pa.ArrowInvalid, OverflowError, ValueError):
        values = [None if text is None else _READERS[field.kind](text.strip(), field) for text in texts.to_pylist()]
        array = pa.array(values, field.arrow)
        return array, array.null_count - texts.null_count


def _boolean(text: str, _: Field) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(text.lower())


def _integer(text: str, _: Field) -> int | None:
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else None


def _decimal(text: str, field: Field) -> Decimal | None:
    # Percents can arrive with their sign (reference/quickbooks-desktop.md section 2).
    try:
        value = Decimal(text.removesuffix("%")).quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP)
    except DecimalException:
        return None
    return value if value.is_finite() and abs(value) < Decimal(10) ** (PRECISION - field.scale) else None


def _date(text: str, _: Field) -> date | None:
    match = re.fullmatch(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})", text)
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


_INSTANT = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})T(\d{1,2}):(\d{1,2}):(\d{1,2})(?:([+-])(\d{1,2}):(\d{1,2})|Z)")


def _timestamp(text: str, _: Field) -> datetime | None:
    # Without an offset nobody knows the instant: a guess could move a cursor past changes that were never read.
    match = _INSTANT.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    away = timedelta(hours=int(match[8] or 0), minutes=int(match[9] or 0))
    try:
        zone = timezone(-away if match[7] == "-" else away)
        return datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_READERS: dict[Kind, Callable[[str, Field], Any]] = {
    Kind.BOOLEAN: _boolean,
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.DATE: _date,
    Kind.TIMESTAMP: _timestamp,
}
