"""The .FIL format: a mapped table to the bytes of a file and back. Pure: no I/O, no clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import IO, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from routebooks.connectors.base import Encoded
from routebooks.connectors.pocketadvantage.texts import fit as fit_texts
from routebooks.connectors.pocketadvantage.texts import transliterate
from routebooks.errors import ConfigError, FatalError
from routebooks.records import Kind, Layout, Loss, TargetColumn, told
from routebooks.rows import Hashes, Rows

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


def encode(layout: Layout, dialect: Dialect, rows: Rows, file: IO[bytes]) -> Encoded:
    """Write rows as the bytes of their file: one line a record, fields in order of position with a TAB between them.

    The rows have the layout's columns by name; one that is neither key nor required may be absent and stays empty.
    A text longer than the width that its layout gives is cut, and characters that the encoding does not have are
    replaced by the nearest ones; both are told in the notes, one a column. Decimals are rounded half away from zero to
    the digits written. The bytes are decoded again and counted before they are written.
    Raises FatalError: the columns, the keys (blank, double) or the counts are not right; the file is no good then.
    """
    _typed(layout, rows.schema.empty_table())
    keys = Hashes()
    losses: list[Loss] = []
    done = 0
    file.write(_head(layout, dialect, rows.count))
    for table in rows.batches():
        texts, lost = _texts(layout, dialect, table)
        losses += [replace(loss, row=loss.row + done) for loss in lost]
        keys.add(_keys(layout, texts))
        done += table.num_rows
        data = _bytes(layout, dialect, texts, table.num_rows)
        file.write(data.removesuffix(_last_end(dialect)) if done == rows.count else data)
    if done != rows.count:
        raise _broken(layout, f"it has {done} records where {rows.count} belong")
    _check_keys(layout, dialect, rows, keys.repeated())
    return Encoded(done, told(losses))


def _texts(layout: Layout, dialect: Dialect, table: pa.Table) -> tuple[list[Any], list[Loss]]:
    """The columns of a batch as they are written, and what was lost by that."""
    columns = _typed(layout, table)
    label = _labels(layout, columns)
    texts: list[Any] = []
    losses: list[Loss] = []
    for column, values in zip(layout.columns, columns, strict=True):
        written = _written(column, values, dialect)
        if column.kind is Kind.TEXT:
            written, lost = fit_texts(column, written, dialect.encoding, label)
            losses += lost
        texts.append(written)
    return texts, losses


def fit(layout: Layout, dialect: Dialect, table: pa.Table) -> tuple[pa.Table, tuple[Loss, ...]]:
    """The table with its texts as `encode` will write them, no blanks at their ends; and what was lost.

    Two keys that differ may be one by it, and a key may be nothing (null): whoever judges records looks at these.
    """
    label = _labels(layout, _typed(layout, table))
    losses: list[Loss] = []
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
            losses += replaced + cut
    return table, tuple(losses)


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
    """What a person knows a row by: its key; nothing in a layout without one."""
    keys = [values for column, values in zip(layout.columns, columns, strict=True) if column.key]
    return lambda row: " ".join(str(values[row].as_py()) for values in keys)


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


def _keys(layout: Layout, texts: Sequence[Any]) -> list[str]:
    """The keys of a batch as they are written; none of a layout without. Raises FatalError where one is blank."""
    keys = [written for column, written in zip(layout.columns, texts, strict=True) if column.key]
    for written in keys:
        if pc.any(pc.equal(pc.utf8_trim_whitespace(pc.fill_null(written, "")), _text(""))).as_py():
            raise _broken(layout, "a record has no key")
    return pc.binary_join_element_wise(*keys, _text("\t")).to_pylist() if keys else []


def _check_keys(layout: Layout, dialect: Dialect, rows: Rows, repeated: Collection[int]) -> None:
    """Blank and double keys are set aside before; one that became so by cutting or replacing must not go out."""
    seen: set[str] = set()
    for table in rows.batches() if repeated else ():
        for key in _keys(layout, _texts(layout, dialect, table)[0]):
            if key in seen:
                raise _broken(layout, f"two records have the key {key!r} as it is written")
            # Of other keys there is one only.
            seen.update({key} if hash(key) in repeated else ())


def _quoted(texts: Any, quoting: str) -> Any:
    if quoting == "never":
        return texts
    whole = pc.binary_join_element_wise(_text(""), pc.replace_substring(texts, '"', '""'), _text(""), _text('"'))
    return whole if quoting == "texts" else pc.if_else(pc.match_substring(texts, '"'), whole, texts)


def _unquoted(value: str) -> str:
    return value[1:-1].replace('""', '"') if len(value) > 1 and value[0] == value[-1] == '"' else value


def _head(layout: Layout, dialect: Dialect, records: int) -> bytes:
    """The line with the names of the columns, where there is one."""
    if not dialect.header:
        return b""
    names = (transliterate(column.name, dialect.encoding) for column in layout.columns)
    line = ("\t".join(names) + dialect.line_end).encode(dialect.encoding)
    _verify(layout, dialect, line, 1)
    return line if records else line.removesuffix(_last_end(dialect))


def _last_end(dialect: Dialect) -> bytes:
    """What the end of the file must not have."""
    return b"" if dialect.last_line_end else dialect.line_end.encode()


def _bytes(layout: Layout, dialect: Dialect, texts: Sequence[Any], records: int) -> bytes:
    """The joined lines, encoded and verified. Joining the line end to the last field makes the lines one buffer."""
    quoted = [
        _quoted(written, dialect.quoting) if column.kind is Kind.TEXT else written
        for column, written in zip(layout.columns, texts, strict=True)
    ]
    ended = _joined(quoted[-1], _text(""), by=dialect.line_end)
    data = _encoded(layout, _joined(*quoted[:-1], ended, by="\t"), dialect.encoding)
    _verify(layout, dialect, data, records)
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
    lines = data.split(end)
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
