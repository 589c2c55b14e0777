"""The .FIL format: a mapped table to the bytes of a file and back. Pure: no I/O, no clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from routebooks.connectors.base import Encoded
from routebooks.connectors.pocketadvantage.texts import fit as fit_texts
from routebooks.connectors.pocketadvantage.texts import transliterate
from routebooks.errors import ConfigError, FatalError, Problem
from routebooks.records import Kind, Layout, TargetColumn

_TRAILING_ZEROS = r"\.0+$|(\.\d*?[1-9])0+$"
_DATE_PARTS = frozenset("YmdyjHMSbB%")
MONEY = "money"


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How the files of one connection are written; Inventiv publishes none of it (pocketadvantage.md, section 3)."""

    encoding: str = "cp1252"
    line_end: str = "\r\n"
    last_line_end: bool = True
    header: bool = False
    #: a strftime pattern; an instant has " %H:%M:%S" after it and is told in the time zone
    date_format: str = "%m/%d/%Y"
    time_zone: str = "UTC"
    #: write 12.5 in place of 12.50
    trim_decimals: bool = False
    #: digits after the point of the columns whose format is "money"
    money_decimals: int = 2
    #: double quotes around texts: "never", "needed" (the text has one in it) or "texts" (around every one)
    quoting: str = "never"
    true_text: str = "Y"
    false_text: str = "N"


def check_date_format(pattern: str) -> None:
    """Raise ConfigError unless the strftime pattern uses only the parts that mean the same everywhere."""
    parts = re.findall(r"%(.?)", pattern)
    if not parts or not set(parts) <= _DATE_PARTS or re.search(r"[\t\r\n]", pattern):
        raise ConfigError(
            f"'{pattern}' is not a date format.",
            hint="Build it of %Y or %y (year), %m or %b (month), %d (day), %H %M %S (time), such as %m/%d/%Y.",
            code="date-format",
        )


def encode(layout: Layout, dialect: Dialect, table: pa.Table) -> Encoded:
    """The table as the bytes of its file: one line a record, fields in order of position with a TAB between them.

    The table has the layout's columns by name; one that is neither key nor required may be absent and stays empty.
    A text longer than the width that its layout gives is cut, and characters that the encoding does not have are
    replaced by the nearest ones; both are told in the notes, one a column. Decimals are rounded half away from zero to
    the digits written. The bytes are decoded again and counted.
    Raises FatalError: the columns, the keys (blank, double) or the counts are not right.
    """
    columns = _typed(layout, table)
    label = _labels(layout, columns)
    texts: list[Any] = []
    notes: list[Problem] = []
    for column, values in zip(layout.columns, columns, strict=True):
        written = _written(column, values, dialect)
        if column.kind is Kind.TEXT:
            written, changed = fit_texts(column, written, dialect.encoding, label)
            notes += changed
        texts.append(written)
    _check_keys(layout, texts)
    for place, column in enumerate(layout.columns):
        if column.kind is Kind.TEXT:
            texts[place] = _quoted(texts[place], dialect.quoting)
    return Encoded(_bytes(layout, dialect, texts, table.num_rows), table.num_rows, tuple(notes))


def fit(layout: Layout, dialect: Dialect, table: pa.Table) -> tuple[pa.Table, tuple[Problem, ...]]:
    """The table with its texts as `encode` will write them, no blanks at their ends; and the notes on what was lost.

    Two keys that differ may be one by it, and a key may be nothing (null): whoever judges records looks at these.
    """
    label = _labels(layout, _typed(layout, table))
    notes: list[Problem] = []
    for column in layout.columns:
        if column.kind is Kind.TEXT and column.name in table.column_names:
            place = table.column_names.index(column.name)
            texts: Any = table.column(place).cast(pa.large_string()).combine_chunks()
            # Each step may bare a blank that was inside; it takes no room in the column.
            texts, replaced = fit_texts(replace(column, max_length=None), texts, dialect.encoding, label)
            texts, cut = fit_texts(column, pc.utf8_trim_whitespace(texts), dialect.encoding, label)
            texts = pc.utf8_trim_whitespace(texts)
            texts = pc.if_else(pc.equal(texts, _text("")), pa.scalar(None, texts.type), texts)
            table = table.set_column(place, table.schema.field(place), texts.cast(column.arrow))
            notes += replaced + cut
    return table, tuple(notes)


def decode(layout: Layout, dialect: Dialect, data: bytes) -> tuple[tuple[str, ...], list[list[str]]]:
    """The layout's names and the rows of a file, for showing. Lenient: either line end, any number of fields."""
    lines = data.decode(dialect.encoding, errors="replace").replace("\r\n", "\n").split("\n")
    if lines[-1] == "":
        lines.pop()
    rows = [line.split("\t") for line in lines[1 if dialect.header else 0 :]]
    if dialect.quoting != "never":
        rows = [[_unquoted(value) for value in row] for row in rows]
    return tuple(column.name for column in layout.columns), rows


def _typed(layout: Layout, table: pa.Table) -> list[Any]:
    """One array a column of the layout, of the column's own type; texts with 64-bit offsets, decimals with room."""
    strangers = set(table.column_names) - {column.name for column in layout.columns}
    if strangers or len(set(table.column_names)) != table.num_columns:
        raise _broken(layout, f"the table has columns that the layout does not: {sorted(strangers)}")
    arrays: list[Any] = []
    for column in layout.columns:
        kind = _wide(column)
        if column.name not in table.column_names:
            if column.key or column.required:
                raise _broken(layout, f"nothing fills the column '{column.name}'")
            arrays.append(pa.nulls(table.num_rows, kind))
            continue
        try:
            arrays.append(table.column(column.name).cast(kind).combine_chunks())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise _broken(layout, f"the column '{column.name}' is not {column.kind}", str(error)) from error
    return arrays


def _wide(column: TargetColumn) -> Any:
    match column.kind:
        case Kind.TEXT:
            return pa.large_string()
        case Kind.DECIMAL:
            return pa.decimal128(38, column.scale)
        case _:
            return column.arrow


def _labels(layout: Layout, columns: Sequence[Any]) -> Callable[[int], str]:
    """What a person knows a row by: its key."""
    keys = [values for column, values in zip(layout.columns, columns, strict=True) if column.key]
    return lambda row: " ".join(str(values[row].as_py()) for values in keys) or f"row {row + 1}"


def _written(column: TargetColumn, values: Any, dialect: Dialect) -> Any:
    """The values as texts; nothing stays nothing."""
    match column.kind:
        case Kind.BOOLEAN:
            return pc.if_else(values, _text(dialect.true_text), _text(dialect.false_text))
        case Kind.DECIMAL:
            digits = dialect.money_decimals if column.format == MONEY else column.scale
            rounded = pc.round(values, ndigits=digits, round_mode="half_towards_infinity")
            written = rounded.cast(pa.decimal128(38, digits)).cast(pa.large_string())
            return pc.replace_substring_regex(written, _TRAILING_ZEROS, r"\1") if dialect.trim_decimals else written
        case Kind.DATE | Kind.TIMESTAMP:
            return _dates(column, values, dialect)
        case _:
            return values.cast(pa.large_string())


def _dates(column: TargetColumn, values: Any, dialect: Dialect) -> Any:
    """Dates and instants by their pattern: each distinct one is written once, for a file holds few of them."""
    distinct = values.dictionary_encode()
    if column.kind is Kind.DATE:
        pattern = column.format or dialect.date_format
        written = [value.strftime(pattern) for value in distinct.dictionary.to_pylist()]
    else:
        zone = ZoneInfo(dialect.time_zone)
        pattern = column.format or f"{dialect.date_format} %H:%M:%S"
        written = [value.astimezone(zone).strftime(pattern) for value in distinct.dictionary.to_pylist()]
    return pa.array(written, pa.large_string()).take(distinct.indices)


def _check_keys(layout: Layout, texts: Sequence[Any]) -> None:
    """Blank and double keys are set aside before; one that became so by cutting or replacing must not go out."""
    keys = [written for column, written in zip(layout.columns, texts, strict=True) if column.key]
    for written in keys:
        if pc.any(pc.equal(pc.utf8_trim_whitespace(pc.fill_null(written, "")), _text(""))).as_py():
            raise _broken(layout, "a record has no key")
    if keys:
        counted = pc.binary_join_element_wise(*keys, _text("\t")).value_counts()
        double = counted.filter(pc.greater(counted.field("counts"), pa.scalar(1)))
        if len(double):
            raise _broken(layout, f"two records have the key {double[0]['values'].as_py()!r} as it is written")


def _quoted(texts: Any, quoting: str) -> Any:
    if quoting == "never":
        return texts
    whole = pc.binary_join_element_wise(_text(""), pc.replace_substring(texts, '"', '""'), _text(""), _text('"'))
    return whole if quoting == "texts" else pc.if_else(pc.match_substring(texts, '"'), whole, texts)


def _unquoted(value: str) -> str:
    return value[1:-1].replace('""', '"') if len(value) > 1 and value[0] == value[-1] == '"' else value


def _bytes(layout: Layout, dialect: Dialect, texts: Sequence[Any], records: int) -> bytes:
    """The joined lines, encoded and verified. Joining the line end to the last field makes the lines one buffer."""
    head = body = b""
    if dialect.header:
        names = (transliterate(column.name, dialect.encoding) for column in layout.columns)
        head = ("\t".join(names) + dialect.line_end).encode(dialect.encoding)
    if records:
        ended = _joined(texts[-1], _text(""), by=dialect.line_end)
        body = _encoded(layout, _joined(*texts[:-1], ended, by="\t"), dialect.encoding)
    data = head + body if head else body
    if not dialect.last_line_end:
        data = data.removesuffix(dialect.line_end.encode())
    _verify(layout, dialect, data, records + dialect.header)
    return data


def _encoded(layout: Layout, lines: Any, encoding: str) -> bytes:
    """The lines end to end. They are UTF-8 in Arrow: only those beyond ASCII cost an encoding of their own."""
    raw = lines.cast(pa.large_binary())
    odd = pc.invert(pc.string_is_ascii(lines))
    if encoding != "utf-8" and pc.any(odd).as_py():
        try:
            written = [line.encode(encoding) for line in lines.filter(odd).to_pylist()]
        except UnicodeEncodeError as error:
            raise _broken(layout, f"a value cannot be written in {encoding}", str(error)) from error
        raw = pc.replace_with_mask(raw, odd, pa.array(written, pa.large_binary()))
    buffer: pa.Buffer = raw.buffers()[2]
    return buffer.slice(0, pc.sum(pc.binary_length(raw)).as_py()).to_pybytes()


def _verify(layout: Layout, dialect: Dialect, data: bytes, expected: int) -> None:
    """Read the bytes again: as many lines as expected, each with the layout's number of fields and one line end."""
    end = dialect.line_end.encode()
    # ASCII says the same in every encoding that there is to choose.
    if not data.isascii():
        data.decode(dialect.encoding)
    lines = (data if dialect.last_line_end else data + end).split(end) if data else [b""]
    if lines.pop():
        raise _broken(layout, "its last line has no end")
    for number, line in enumerate(lines, 1):
        if b"\n" in line or b"\r" in line:
            raise _broken(layout, f"line {number} has a line end inside")
        fields = line.count(b"\t") + 1
        if fields != len(layout.columns):
            raise _broken(layout, f"line {number} has {fields} fields, the layout {len(layout.columns)}")
    if len(lines) != expected:
        raise _broken(layout, f"it has {len(lines)} lines where {expected} belong")


def _joined(*texts: Any, by: str) -> Any:
    return pc.binary_join_element_wise(*texts, _text(by), null_handling="replace", null_replacement="")


def _text(value: str) -> Any:
    return pa.scalar(value, pa.large_string())


def _broken(layout: Layout, why: str, detail: str = "") -> FatalError:
    return FatalError(
        f"The file '{layout.file}' was not written: {why}.",
        hint="Nothing was sent. Look at the map and the layout of this file, then run it again.",
        code="fil-broken",
        detail=detail,
    )
