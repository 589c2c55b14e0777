"""Applies a map to rows, batch by batch: the target's columns, and the records that are set aside with their cures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from routebooks.errors import ConfigError, Problem
from routebooks.mapping.check import check_map
from routebooks.mapping.compile import compile_map
from routebooks.mapping.database import inputs_of, opened
from routebooks.mapping.model import Map
from routebooks.mapping.problems import SHOWN, double_key
from routebooks.mapping.verdict import Found, sharing, value_problems, whole_documents
from routebooks.records import Field, Kind, Loss, Rejected, Target, told
from routebooks.rows import Rows, Scratch, Spool

#: gives a mapped table with its values as the target takes them, and what was lost by that
Fit: TypeAlias = Callable[[pa.Table], tuple[pa.Table, tuple[Loss, ...]]]


@dataclass(frozen=True)
class Mapped:
    """What a map made of rows."""

    #: the target's columns, in their order and types (those that the map does not fill are null), then those beside
    rows: Rows
    #: for each row the index of the source row it comes from (int64)
    source_rows: pa.Array[Any]
    rejected: tuple[Rejected, ...]
    #: the indices of the source rows that the map's filter left out (int64)
    left_out_rows: pa.Array[Any]
    #: what was lost when the values were fitted to the target
    notes: tuple[Problem, ...] = ()

    @property
    def table(self) -> pa.Table:
        """All rows at once."""
        return self.rows.table()

    @property
    def left_out(self) -> int:
        """How many rows the map's filter left out."""
        return len(self.left_out_rows)


def as_it_is(table: pa.Table) -> tuple[pa.Table, tuple[Loss, ...]]:
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
    """Map the rows of a table, as `map_rows` does; what comes of it fits into memory as well."""
    with Scratch() as scratch:
        mapped = map_rows(map, Rows.of_table(table), target, parameters, key_field=key_field, scratch=scratch, fit=fit)
        return replace(mapped, rows=Rows.of_table(mapped.table))


def map_rows(
    map: Map,
    rows: Rows,
    target: Target,
    parameters: Mapping[str, str],
    *,
    key_field: str,
    scratch: Scratch,
    fit: Fit = as_it_is,
    beside: Mapping[str, str] | None = None,
) -> Mapped:
    """Map rows, in their order, into a file of `scratch`.

    `parameters` are fields with one value for all rows; `key_field` is the source field that names a record; `beside`
    are columns that go along, and the source fields they are taken from. A row with a value that does not fit is
    rejected, and so are all rows that share a key. Where the target has lines, the rows with one `key_field` are one
    document: it goes whole, or is rejected whole and once. Keys are compared as `fit` leaves them. Raises ConfigError
    for a map that check_map finds fault with, and when there is no `key_field`.
    """
    mapper = _Mapper(map, rows.schema, target, parameters, key_field, fit, beside or {})
    spool = Spool(scratch, mapper.schema)
    with opened(mapper.compiled) as query:
        for batch in rows.batches(mapper.reads):
            spool.add(mapper.batch(batch, query))
    mapped, source_rows = spool.rows(), _joined(mapper.source_rows)
    keys = mapped.select([column.name for column in target.columns if column.key])
    found, groups, removed = mapper.found, [], set[int]()
    if not any(column.line for column in target.columns):
        groups = sharing(keys)
        removed = {*found, *(place for group in groups for place in group)}
    elif found:
        names = rows.table([key_field]).column(key_field).take(source_rows).to_pylist()
        found, removed = whole_documents([_text(name) for name in names], found)
    rejected = _rejected(rows, source_rows, keys, key_field, found, groups)
    if removed:
        stays = pa.array([place not in removed for place in range(mapped.count)], pa.bool_())
        mapped, source_rows = mapped.kept(stays), source_rows.filter(stays)
    return Mapped(mapped, source_rows, rejected, _joined(mapper.left_out), told(mapper.losses))


class _Mapper:
    """A map over the batches of its source, checked and compiled once; it keeps what it finds on its way."""

    def __init__(
        self,
        map: Map,
        source: pa.Schema,
        target: Target,
        parameters: Mapping[str, str],
        key_field: str,
        fit: Fit,
        beside: Mapping[str, str],
    ) -> None:
        fields = [field for field in schema_fields(source) if field.name not in parameters]
        if problems := check_map(map, fields, target, parameters.keys()):
            raise ConfigError.of(problems[0])
        if key_field not in source.names:
            raise ConfigError(f"There is no field {key_field} to name records by", code="map-unknown-field")
        self.compiled = compile_map(map, [*fields, *(Field(name=name) for name in parameters)], target)
        self._parameters, self._fit, self._beside = parameters, fit, beside
        read = [field.name for field in self.compiled.inputs if field.name not in parameters]
        self.reads = list(dict.fromkeys([key_field, *read, *beside.values()]))
        columns = [pa.field(column.name, column.arrow) for column in self.compiled.columns]
        self.schema = pa.schema([*columns, *(source.field(field).with_name(name) for name, field in beside.items())])
        self.found: Found = {}
        self.losses: list[Loss] = []
        self.source_rows: list[Any] = []
        self.left_out: list[Any] = []
        self._mapped = self._seen = 0

    def batch(self, table: pa.Table, query: Callable[[pa.Table], pa.Table]) -> pa.Table:
        """The mapped rows of the next batch, also those in which something was found."""
        columns: dict[str, Any] = {name: table.column(name) for name in self.reads}
        for name, value in self._parameters.items():
            columns[name] = pa.repeat(pa.scalar(value, pa.string()), table.num_rows)
        result = query(inputs_of(self.compiled, columns, table.num_rows))
        values, losses = self._fit(self._values(result))
        errors = {number: result.column(f"error{number}") for number in self.compiled.fallible}
        found = value_problems(self.compiled.columns, values, errors)
        self.found |= {self._mapped + place: problems for place, problems in found.items()}
        self.losses += [replace(loss, row=self._mapped + loss.row) for loss in losses]
        row = result.column("row").combine_chunks()
        self.source_rows.append(pc.add(row, pa.scalar(self._seen)))
        self.left_out.append(pc.add(_others(table.num_rows, row), pa.scalar(self._seen)))
        self._mapped += values.num_rows
        self._seen += table.num_rows
        for name, field in self._beside.items():
            values = values.append_column(name, table.column(field).take(row))
        return values

    def _values(self, result: pa.Table) -> pa.Table:
        columns = self.compiled.columns
        arrays = [result.column(f"value{number}").cast(column.arrow) for number, column in enumerate(columns)]
        return pa.table(arrays, names=[column.name for column in columns])


def _others(count: int, rows: pa.Array[Any]) -> pa.Array[Any]:
    """The indices below a count that are not among those given."""
    if len(rows) == count:
        return pa.array([], pa.int64())
    among = pc.is_in(pa.array(range(count), pa.int64()), value_set=rows)
    return pc.indices_nonzero(pc.invert(among)).cast(pa.int64())


def _joined(parts: Sequence[Any]) -> pa.Array[Any]:
    return pa.chunked_array(parts, pa.int64()).combine_chunks()


def schema_fields(schema: pa.Schema) -> list[Field]:
    """The fields of a table's columns. Raises ConfigError for a column of a type that no field has."""
    return [_field(column) for column in schema]


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


def _rejected(
    rows: Rows,
    source_rows: pa.Array[Any],
    keys: Rows,
    key_field: str,
    found: Found,
    groups: Iterable[Sequence[int]],
) -> tuple[Rejected, ...]:
    """The records in which something was found, and those that share a key, as they were read."""
    groups = list(groups)
    places = sorted({*found, *(place for group in groups for place in group)})
    records = rows.take([source_rows[place].as_py() for place in places]).to_pylist()
    names = {place: _text(record[key_field]) for place, record in zip(places, records, strict=True)}
    labels = _labels(keys, names)
    doubles = _double_keys(groups, names, labels)
    rejected = []
    for place, record in zip(places, records, strict=True):
        problems = [*doubles.get(place, ()), *found.get(place, ())]
        messages = "; ".join(dict.fromkeys(problem.message for problem in problems))
        values = {name: _json(value) for name, value in record.items() if value is not None}
        rejected.append(Rejected(labels[place], replace(problems[0], message=messages), values))
    return tuple(rejected)


def _labels(keys: Rows, names: Mapping[int, str]) -> dict[int, str]:
    """The mapped key of each row where it is whole, else the record's name in the source."""
    if not keys.schema.names:
        return dict(names)
    labels = {}
    for (place, name), parts in zip(names.items(), keys.take(list(names)).to_pylist(), strict=True):
        whole = None not in parts.values()
        labels[place] = " / ".join(map(_text, parts.values())) if whole else name
    return labels


def _double_keys(
    groups: Iterable[Sequence[int]], names: Mapping[int, str], labels: Mapping[int, str]
) -> dict[int, list[Problem]]:
    problems: dict[int, list[Problem]] = {}
    for group in groups:
        first = [names[place] for place in group[: SHOWN + 1]]
        for number, place in enumerate(group):
            others = [name for at, name in enumerate(first) if at != number][:SHOWN]
            problems[place] = [double_key(names[place], labels[place], others, len(group) - 1 - len(others))]
    return problems


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
