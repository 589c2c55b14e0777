"""Compiles a map to DuckDB SQL: every column a value and, where it can fail, an error.

Identifiers are made here (c0, v0, value0, ...); a user's text stands in the SQL only as a quoted literal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from routebooks.errors import ConfigError
from routebooks.mapping.convert import CONVERSIONS, NOTHING, Term, as_text, constant, convert, convertible, filled, trim
from routebooks.mapping.expression import Call, Constant, Expression, FieldRef, field_names
from routebooks.mapping.model import Map, Only
from routebooks.mapping.problems import BLANK, BLANK_KEY, TOO_LONG, UNFIT, did_you_mean
from routebooks.records import Field, Kind, Layout, Target, TargetColumn

#: fields that each company names itself: one that a table lacks is blank, not a mistake
CUSTOM = "Custom."


@dataclass(frozen=True)
class Compiled:
    """A query over a table `source` (row, c0, c1, ...) that gives row, value0, value1, ..., and error<n> of some."""

    sql: str
    #: the field that each source column c0, c1, ... holds
    inputs: tuple[Field, ...]
    #: the target's columns: value<n> fills the n-th
    columns: tuple[TargetColumn, ...]
    #: the n of the columns that can fail; error<n> is a text `code:value`, or NULL
    fallible: tuple[int, ...]


def compile_map(map: Map, fields: Sequence[Field], target: Target) -> Compiled:
    """The query that fills the target's columns, in their order. Parameters are fields too; the unmapped are blank.

    Raises ConfigError (map-unknown-field, map-unknown-column, map-wrong-kind).
    """
    scope = Scope(fields)
    expressions = {column.name: column.expression for column in map.columns}
    for name in expressions.keys() - {column.name for column in target.columns}:
        raise ConfigError(f"{target.name} has no column {name}", code="map-unknown-column")
    read, fitted, judged, fallible = ["row"], ["row"], ["row"], []
    for index, column in enumerate(target.columns):
        term = scope.term(expressions.get(column.name, Constant(None)))
        if not convertible(term.kind, column.kind):
            raise ConfigError(wrong_kind(term, column), code="map-wrong-kind")
        read += [f"{term.value} AS v{index}", f"{term.error or 'NULL'} AS e{index}"]
        fitted += [f"{_fit(index, term, column)} AS value{index}", f"v{index}", f"e{index}"]
        judged.append(f"value{index}")
        if error := _error(index, term, column, None if isinstance(target, Layout) else column.max_length):
            judged.append(f"{error} AS error{index}")
            fallible.append(index)
    where = " AND ".join(_allowed(scope, only) for only in map.only) or "TRUE"
    # three levels, so that a value is computed once and has a name afterwards: the SQL grows no faster than the map
    inner = f"SELECT {', '.join(read)} FROM source WHERE {where}"  # noqa: S608
    sql = f"SELECT {', '.join(judged)} FROM (SELECT {', '.join(fitted)} FROM ({inner}))"  # noqa: S608
    return Compiled(sql, scope.inputs, target.columns, tuple(fallible))


class Scope:
    """The fields that expressions may read; it numbers those that they do read."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields = {field.name: field for field in fields}
        self._numbers: dict[str, int] = {}

    @property
    def inputs(self) -> tuple[Field, ...]:
        """The fields read so far, in order of their numbers."""
        return tuple(self._fields[name] for name in self._numbers)

    def unknown(self, expression: Expression) -> list[str]:
        """The names that are neither fields nor custom fields."""
        return [name for name in field_names(expression) if name not in self._fields and not name.startswith(CUSTOM)]

    def near(self, name: str) -> str:
        """A hint with the field of the nearest name; empty when none is near."""
        return did_you_mean(name, self._fields)

    def term(self, expression: Expression) -> Term:
        """The SQL of an expression. Raises ConfigError (map-unknown-field)."""
        match expression:
            case Constant(value):
                return constant(value)
            case FieldRef(name):
                return self._field(name)
            case Call(_, arguments):
                return first_filled([self.term(argument) for argument in arguments])

    def _field(self, name: str) -> Term:
        field = self._fields.get(name)
        if field is None and name.startswith(CUSTOM):
            return constant(None)
        if field is None:
            raise ConfigError(f"There is no field {name}", hint=self.near(name), code="map-unknown-field")
        column = f"c{self._numbers.setdefault(name, len(self._numbers))}"
        if field.kind is Kind.TEXT:
            return Term(Kind.TEXT, filled(column))
        return Term(field.kind, column, scale=field.scale if field.kind is Kind.DECIMAL else 0)


def first_filled(terms: Sequence[Term]) -> Term:
    """COALESCE: the first value that is there; what stands after it is never looked at, nor are its errors."""
    terms = [term for term in terms if term.value != NOTHING] or [constant(None)]
    if len(terms) == 1:
        return terms[0]
    kinds = {term.kind for term in terms}
    kind = kinds.pop() if len(kinds) == 1 else Kind.DECIMAL if kinds == {Kind.INTEGER, Kind.DECIMAL} else Kind.TEXT
    scale = max(term.scale for term in terms)
    values = [_widened(term, kind, scale) for term in terms]
    error = None
    if any(term.error for term in terms):
        cases = (
            f"WHEN {t.error or 'NULL'} IS NOT NULL THEN {t.error or 'NULL'} WHEN {t.value} IS NOT NULL THEN NULL"
            for t in terms
        )
        error = f"CASE {' '.join(cases)} END"
    return Term(kind, f"COALESCE({', '.join(values)})", error, scale)


def _widened(term: Term, kind: Kind, scale: int) -> str:
    if kind is Kind.DECIMAL:
        # 38 digits, so that the greatest scale among them never overflows here
        return f"CAST({term.value} AS DECIMAL(38, {scale}))"
    return as_text(term) if kind is Kind.TEXT else term.value


def wrong_kind(term: Term, column: TargetColumn) -> str:
    """What to tell of a map whose value can never stand in a column."""
    return f"{column.name} takes {column.kind.value} values, but the map gives {term.kind.value} values"


def _allowed(scope: Scope, only: Only) -> str:
    text = as_text(scope.term(FieldRef(only.field)))
    wanted = [as_text(constant(value)) for value in only.values]
    texts = ", ".join(value for value in wanted if value != NOTHING)
    tests = [f"{text} IN ({texts})"] if texts else []
    tests += [f"{text} IS NULL"] if NOTHING in wanted else []
    return f"({' OR '.join(tests)})"


def _fit(index: int, term: Term, column: TargetColumn) -> str:
    value = convert(replace(term, value=f"v{index}") if term.value != NOTHING else term, column)
    return trim(value) if (column.key or column.link) and column.kind is Kind.TEXT else value


def _error(index: int, term: Term, column: TargetColumn, max_length: int | None) -> str | None:
    value, given = f"value{index}", f"v{index}"
    cases = [f"WHEN e{index} IS NOT NULL THEN e{index}"] if term.error else []
    if (term.kind, column.kind) in CONVERSIONS and term.value != NOTHING:
        text = as_text(replace(term, value=given))
        cases.append(f"WHEN {value} IS NULL AND {given} IS NOT NULL THEN '{UNFIT}:' || {text}")
    if column.key or column.required:
        cases.append(f"WHEN {value} IS NULL THEN '{BLANK_KEY if column.key else BLANK}:'")
    # a link's value gives way to the system's own id: its limit is not this value's
    if max_length is not None and column.kind is Kind.TEXT and not column.link:
        cases.append(f"WHEN length({value}) > {max_length:d} THEN '{TOO_LONG}:' || {value}")
    return f"CASE {' '.join(cases)} END" if cases else None
