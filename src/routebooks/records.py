"""What flows through the house: fields, streams, targets and layouts, and the records that are set aside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import pyarrow as pa

from routebooks.errors import Problem

#: Digits of every exact decimal: qbXML amounts have 13+2 of them, prices and quantities 10+5. Eighteen fit 64 bits.
PRECISION = 18


class Kind(StrEnum):
    """The type of a field's values."""

    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    #: exact, of a fixed scale; never a floating point number
    DECIMAL = "decimal"
    DATE = "date"
    #: an instant, aware, kept in UTC
    TIMESTAMP = "timestamp"


@dataclass(frozen=True, kw_only=True)
class Field:
    """One named, typed column of a stream."""

    name: str
    kind: Kind = Kind.TEXT
    #: digits after the point of a decimal
    scale: int = 5
    #: the greatest length of a text, where one is known
    max_length: int | None = None

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type of the column."""
        match self.kind:
            case Kind.TEXT:
                return pa.string()
            case Kind.BOOLEAN:
                return pa.bool_()
            case Kind.INTEGER:
                return pa.int64()
            case Kind.DECIMAL:
                return pa.decimal128(PRECISION, self.scale)
            case Kind.DATE:
                return pa.date32()
            case Kind.TIMESTAMP:
                return pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One kind of object of a connection: its fields, and which of them name it and tell when it changed."""

    name: str
    fields: tuple[Field, ...]
    #: the field that identifies a record in its system (ListID, TxnID)
    key: str
    #: the field that a person knows the record by (FullName)
    label: str
    #: the field with the instant of the last change; None where the system keeps none
    modified: str | None = None
    #: the field that numbers the lines of a record with lines: it is one row a line, its own fields repeated
    line: str | None = None


@dataclass(frozen=True, kw_only=True)
class TargetColumn(Field):
    """One column that a map fills, with the limits it is checked against."""

    #: a value must be there
    required: bool = False
    #: part of the key under which the target knows the record: never blank, never twice in a file
    key: bool = False
    #: one value a line of a document, not one a document
    line: bool = False
    #: holds a key as we delivered it; the engine replaces it by the system's own id through the links of this stream
    link: str | None = None
    #: decimals with more digits than the scale are rounded (half away from zero)
    position: int = 0
    #: our own assumption, nowhere published
    assumed: bool = False
    #: the kind of codes in detail.fil that this column's values belong to
    detail: str = ""
    #: how a value is written in a file, where not as the rest: a date's strftime pattern, or "money" for a decimal
    format: str = ""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a map must fill."""

    name: str
    columns: tuple[TargetColumn, ...]


@dataclass(frozen=True, kw_only=True)
class Layout(Target):
    """The columns of a .FIL file, in order of position."""

    file: str
    assumed: bool = False


@dataclass(frozen=True)
class Rejected:
    """A record set aside: which one, as it was read, and why."""

    key: str
    problem: Problem
    record: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Loss:
    """What a column loses on its way into a target, in how many records, and the first of them."""

    #: its message goes on with the number of the records
    problem: Problem
    records: int
    #: the place of the first, and what a person knows it by; empty: by its place
    row: int
    label: str = ""


def told(losses: Iterable[Loss]) -> tuple[Problem, ...]:
    """One note a kind of loss, with the number of all records that it is of and the first of them."""
    kinds: dict[tuple[str, str], list[Loss]] = {}
    for loss in losses:
        kinds.setdefault((loss.problem.code, loss.problem.message), []).append(loss)
    return tuple(_note(same[0], sum(loss.records for loss in same)) for same in kinds.values())


def _note(first: Loss, count: int) -> Problem:
    records = "1 record" if count == 1 else f"{count} records"
    label = first.label or f"row {first.row + 1}"
    return replace(first.problem, message=f"{first.problem.message} in {records} (first: {label}).")


@dataclass(frozen=True)
class Extract:
    """What an extract asks for: a whole stream, or what changed since an instant, in pages."""

    stream: str
    page_size: int
    modified_since: datetime | None = None
    #: from and to name, both inclusive: a slow extract is cut into slices
    name_range: tuple[str, str] | None = None
    modified_until: datetime | None = None
    #: only what stands below this name (the jobs of a customer)
    below: str = ""
    #: of the last pass over slices, which reads what changed meanwhile: when they were cut
    cut_at: datetime | None = None


@dataclass(frozen=True)
class Document:
    """A record with lines on its way into a system (a sales order), by the target's column names."""

    key: str
    header: Mapping[str, Any]
    lines: tuple[Mapping[str, Any], ...]
