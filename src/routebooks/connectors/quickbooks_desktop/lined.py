"""Records with lines straight into typed columns: one row a line, the record's own fields repeated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pyarrow as pa
from lxml import etree

from routebooks.connectors.quickbooks_desktop.columns import Columns, ListField, Part
from routebooks.records import Field, Kind

#: Numbers the lines of a record from 1, in the order of the document; null in the one row of a record without lines.
NUMBER = Field(name="LineNumber", kind=Kind.INTEGER)
#: What sort of line it is.
KIND = Field(name="LineKind")

#: Makes what a record and its lines say together: gets the records, the lines, and for each line its record's place.
Finish: TypeAlias = Callable[[pa.Table, pa.Table, "pa.Array[Any]"], tuple[pa.Table, pa.Table]]


@dataclass(frozen=True, kw_only=True)
class Lines:
    """The lines of a record."""

    fields: tuple[ListField, ...]
    #: the elements that are lines, each with its LineKind
    elements: Mapping[str, str]
    #: the same for lines that lie inside a line
    inside: Mapping[str, str] = field(default_factory=dict)
    #: fields of the record that no element holds
    made: tuple[Field, ...] = ()
    finish: Finish = lambda records, lines, _: (records, lines)

    def all_fields(self, record: tuple[ListField, ...]) -> tuple[Field, ...]:
        """The fields of a row: the record's, those that are made, the line's number and kind, the line's."""
        return (*record, *self.made, NUMBER, KIND, *self.fields)


class LinedColumns:
    """Columns of records and of their lines that grow together and are taken off as one Arrow table."""

    def __init__(self, fields: tuple[ListField, ...], lines: Lines) -> None:
        self._shape = lines
        self._names = [each.name for each in lines.all_fields(fields)]
        self._records = Columns(fields, {tag: self._line(kind) for tag, kind in lines.elements.items()})
        self._lines = Columns(lines.fields, custom="Line.Custom.")
        self._start()

    def _start(self) -> None:
        self._of: list[int] = []
        self._numbers: list[int | None] = []
        self._kinds: list[str | None] = []

    @property
    def size(self) -> int:
        """The rows so far."""
        return len(self._of)

    @property
    def unreadable(self) -> Counter[str]:
        """How many values of a field could not be read: of a record's own field once a record."""
        return self._records.unreadable + self._lines.unreadable

    def add(self, record: etree._Element) -> None:
        """Take one record with its lines; one without any is one row all the same."""
        self._count = 0
        self._records.add(record)
        if not self._count:
            self._lines.add_empty()
            self._row(None, None)

    def _line(self, kind: str) -> Part:
        inside = self._shape.inside

        def take(element: etree._Element) -> None:
            self._take(element, kind)
            if inside:
                for below in element.iterchildren(*inside):
                    self._take(below, inside[below.tag])

        return take

    def _take(self, element: etree._Element, kind: str) -> None:
        self._lines.add(element)
        self._count += 1
        self._row(self._count, kind)

    def _row(self, number: int | None, kind: str | None) -> None:
        self._of.append(self._records.size - 1)
        self._numbers.append(number)
        self._kinds.append(kind)

    def take(self) -> pa.Table:
        """The rows so far: the fields in their order, then `Custom.<name>` and `Line.Custom.<name>`. Starts anew."""
        of = pa.array(self._of, pa.int64())
        numbers, kinds = pa.array(self._numbers, NUMBER.arrow), pa.array(self._kinds, KIND.arrow)
        lines = self._lines.take().append_column(NUMBER.name, numbers).append_column(KIND.name, kinds)
        records, lines = self._shape.finish(self._records.take(), lines, of)
        self._start()
        repeated = records.take(of)
        columns = dict(zip(repeated.column_names, repeated.columns, strict=True))
        columns |= dict(zip(lines.column_names, lines.columns, strict=True))
        return pa.table({name: columns[name] for name in dict.fromkeys((*self._names, *columns))})
