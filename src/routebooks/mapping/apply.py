"""Applies a map to a table: the target's columns, and the records that are set aside with their cures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from routebooks.errors import ConfigError, Problem
from routebooks.mapping.check import check_map
from routebooks.mapping.compile import Compiled, compile_map
from routebooks.mapping.database import inputs_of, run
from routebooks.mapping.model import Map
from routebooks.mapping.problems import BLANK, BLANK_KEY, SHOWN, double_key, value_problem
from routebooks.records import Field, Kind, Rejected, Target

#: what is wrong with mapped rows, by their position
_Found: TypeAlias = dict[int, list[Problem]]
#: gives a mapped table with its values as the target takes them, and what was lost by that
Fit: TypeAlias = Callable[[pa.Table], tuple[pa.Table, tuple[Problem, ...]]]


@dataclass(frozen=True)
class Mapped:
    """What a map made of a table."""

    #: the target's columns, in their order and types; columns that the map does not fill are null
    table: pa.Table
    #: for each row of the table the index of the source row it comes from (int64)
    source_rows: pa.Array[Any]
    rejected: tuple[Rejected, ...]
    #: the indices of the source rows that the map's filter left out (int64)
    left_out_rows: pa.Array[Any]
    #: what was lost when the values were fitted to the target
    notes: tuple[Problem, ...] = ()

    @property
    def left_out(self) -> int:
        """How many rows the map's filter left out."""
        return len(self.left_out_rows)


def as_it_is(table: pa.Table) -> tuple[pa.Table, tuple[Problem, ...]]:
    """The fit for a target that takes every value."""
    return table, ()


def apply_map(
    map: Map,
    table: pa.Table,
    target: Target,
    parameters: Mapping[str, str],
    *,
    key_field: str,
    fit: Fit = as_it_is,
) -> Mapped:
    """Map the rows of a table, in their order.

    `parameters` are fields with one value for all rows; `key_field` is the source field that names a record. A row with
    a value that does not fit is rejected, and so are all rows that share a key. Where the target has lines, the rows
    with one `key_field` are one document: it goes whole, or is rejected whole and once. Keys are compared as
    `fit` leaves them. Raises ConfigError for a map that check_map finds fault with, and when there is no `key_field`.
    """
    fields = [field for field in table_fields(table) if field.name not in parameters]
    if problems := check_map(map, fields, target, parameters.keys()):
        raise ConfigError.of(problems[0])
    if key_field not in table.column_names:
        raise ConfigError(f"There is no field {key_field} to name records by", code="map-unknown-field")
    compiled = compile_map(map, [*fields, *(Field(name=name) for name in parameters)], target)
    columns: dict[str, pa.ChunkedArray[Any] | pa.Array[Any]] = {
        name: pa.repeat(pa.scalar(value, pa.string()), table.num_rows) for name, value in parameters.items()
    }
    columns |= {field.name: table.column(field.name) for field in fields}
    result = run(compiled, inputs_of(compiled, columns, table.num_rows))
    fitted, notes = fit(_target_table(compiled, result))
    for number, values in enumerate(fitted.columns):
        result = result.set_column(result.column_names.index(f"value{number}"), f"value{number}", values)

    named = _Named(compiled, result, table.column(key_field))
    found = _value_problems(compiled, result)
    if any(column.line for column in target.columns):
        found, removed = _whole_documents(named.all_names(), found)
    else:
        for at, problem in _double_keys(named).items():
            found[at] = [problem, *found.get(at, [])]
        removed = set(found)
    kept = result
    if removed:
        kept = result.filter(pa.array([at not in removed for at in range(result.num_rows)], pa.bool_()))
    return Mapped(
        table=_target_table(compiled, kept),
        source_rows=kept.column("row").combine_chunks(),
        rejected=_rejected(named, table, found),
        left_out_rows=_others(table.num_rows, result.column("row")),
        notes=notes,
    )


def _others(count: int, rows: pa.ChunkedArray[Any]) -> pa.Array[Any]:
    """The indices below a count that are not among those given."""
    if len(rows) == count:
        return pa.array([], pa.int64())
    among = pc.is_in(pa.array(range(count), pa.int64()), value_set=rows.combine_chunks())
    return pc.indices_nonzero(pc.invert(among)).cast(pa.int64())


def table_fields(table: pa.Table) -> list[Field]:
    """The fields of a table's columns. Raises ConfigError for a column of a type that no field has."""
    return [_field(column) for column in table.schema]


def _field(column: pa.Field[Any]) -> Field:
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind):
        return Field(name=column.name)
    if pa.types.is_boolean(kind):
        return Field(name=column.name, kind=Kind.BOOLEAN)
    if pa.types.is_integer(kind):
        return Field(name=column.name, kind=Kind.INTEGER)
    if pa.types.is_decimal128(kind):
        return Field(name=column.name, kind=Kind.DECIMAL, scale=kind.scale)
    if pa.types.is_date32(kind):
        return Field(name=column.name, kind=Kind.DATE)
    if pa.types.is_timestamp(kind):
        return Field(name=column.name, kind=Kind.TIMESTAMP)
    raise ConfigError(f"The field {column.name} holds {kind} values, which maps do not know", code="map-field-kind")


class _Named:
    """The mapped rows by their position, with the names and keys of their records."""

    def __init__(self, compiled: Compiled, result: pa.Table, names: pa.ChunkedArray[Any]) -> None:
        keys = [f"value{number}" for number, column in enumerate(compiled.columns) if column.key]
        self.keys = result.select(keys)
        self.source_rows = result.column("row")
        self._names = names

    def all_names(self) -> list[str]:
        """For each row, the value of the source field that names its record."""
        return [_text(value) for value in self._names.take(self.source_rows).to_pylist()]

    def name(self, at: int) -> str:
        """The value of the source field that names the record of one row."""
        return _text(self._names[self.source_row(at)].as_py())

    def label(self, at: int) -> str:
        """The mapped key of a row where it is whole, else the record's name in the source."""
        parts = [column[at].as_py() for column in self.keys.columns]
        return " / ".join(_text(part) for part in parts) if parts and None not in parts else self.name(at)

    def source_row(self, at: int) -> int:
        """The index of the source row of a mapped row."""
        return int(self.source_rows[at].as_py())


def _value_problems(compiled: Compiled, result: pa.Table) -> _Found:
    errors = {number: result.column(f"error{number}") for number in compiled.fallible}
    found: _Found = {}
    if errors:
        bad = pc.indices_nonzero(pc.is_valid(pc.coalesce(*errors.values())))
        positions: list[Any] = bad.to_pylist()
        for number, column in errors.items():
            for at, error in zip(positions, column.take(bad).to_pylist(), strict=True):
                if error is not None:
                    found.setdefault(at, []).append(value_problem(compiled.columns[number], error))
    for number, target in enumerate(compiled.columns):
        if target.key or target.required:
            blank: list[Any] = pc.indices_nonzero(pc.is_null(result.column(f"value{number}"))).to_pylist()
            # Of these nothing was left when they were fitted.
            for at in set(blank).difference(found):
                found[at] = [value_problem(target, f"{BLANK_KEY if target.key else BLANK}:")]
    return found


def _double_keys(named: _Named) -> dict[int, Problem]:
    if not named.keys.column_names:
        return {}
    counted = named.keys.append_column("rows", pa.repeat(pa.scalar(1), named.keys.num_rows))
    counted = counted.group_by(named.keys.column_names, use_threads=False).aggregate([("rows", "sum")])
    doubled = counted.filter(pc.field("rows_sum") > 1).select(named.keys.column_names)
    wanted = {key for key in _rows_of(doubled) if None not in key}
    shared: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for at, key in enumerate(_rows_of(named.keys) if wanted else ()):
        if key in wanted:
            shared[key].append(at)
    problems: dict[int, Problem] = {}
    for group in shared.values():
        first = [named.name(at) for at in group[: SHOWN + 1]]
        for place, at in enumerate(group):
            others = [name for number, name in enumerate(first) if number != place][:SHOWN]
            problems[at] = double_key(named.name(at), named.label(at), others, len(group) - 1 - len(others))
    return problems


def _rows_of(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.to_pylist() for column in table.columns), strict=True)


def _whole_documents(names: Sequence[str], found: _Found) -> tuple[_Found, set[int]]:
    first: dict[str, int] = {}
    merged: _Found = {}
    for at in sorted(found):
        merged.setdefault(first.setdefault(names[at], at), []).extend(found[at])
    return merged, {at for at, name in enumerate(names) if name in first}


def _rejected(named: _Named, table: pa.Table, found: _Found) -> tuple[Rejected, ...]:
    positions = sorted(found)
    records = table.take(pa.array([named.source_row(at) for at in positions], pa.int64())).to_pylist()
    rejected = []
    for at, record in zip(positions, records, strict=True):
        values = {name: _json(value) for name, value in record.items() if value is not None}
        messages = "; ".join(dict.fromkeys(problem.message for problem in found[at]))
        rejected.append(Rejected(named.label(at), replace(found[at][0], message=messages), values))
    return tuple(rejected)


def _target_table(compiled: Compiled, result: pa.Table) -> pa.Table:
    schema = pa.schema([pa.field(column.name, column.arrow) for column in compiled.columns])
    arrays = [result.column(f"value{number}").cast(column.arrow) for number, column in enumerate(compiled.columns)]
    return pa.table(arrays, schema=schema)


def _json(value: Any) -> Any:
    match value:
        case Decimal():
            return format(value, "f")
        case datetime() | date():
            return value.isoformat()
        case _:
            return value


def _text(value: Any) -> str:
    return "" if value is None else str(_json(value))
