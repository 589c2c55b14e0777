"""Checks a map against the fields it reads and the target it fills, before any record is at hand."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from routebooks.errors import Problem
from routebooks.mapping.compile import Scope, compile_map, wrong_kind
from routebooks.mapping.convert import convertible
from routebooks.mapping.database import inputs_of, run
from routebooks.mapping.expression import Constant, Expression, FieldRef, is_blank
from routebooks.mapping.model import Column, Map
from routebooks.mapping.problems import did_you_mean, value_problem
from routebooks.records import Field, Target, TargetColumn


def check_map(map: Map, fields: Sequence[Field], target: Target, parameters: Collection[str]) -> list[Problem]:
    """What is wrong with a map, in the order of its lines; empty when it can run.

    A field `Custom.<name>` that is not among the fields is a blank text: each company has custom fields of its own.
    """
    scope = Scope([*fields, *(Field(name=name) for name in parameters)])
    columns = {column.name: column for column in target.columns}
    problems: list[Problem] = []
    if map.target != target.name:
        problems.append(Problem("map-wrong-target", f"The map fills {map.target}, not {target.name}"))
    for only in map.only:
        problems += _unknown_fields(scope, f"The filter on {only.field}", FieldRef(only.field))
    sound: list[Column] = []
    for column in map.columns:
        found = list(_column_problems(scope, column, columns))
        problems += found
        sound += [] if found else [column]
    return [*problems, *_constant_problems(map, sound, target), *_unfilled(map, target)]


def _unknown_fields(scope: Scope, where: str, expression: Expression) -> Iterator[Problem]:
    for name in scope.unknown(expression):
        yield Problem("map-unknown-field", f"{where}: there is no field {name}", scope.near(name))


def _column_problems(scope: Scope, column: Column, columns: Mapping[str, TargetColumn]) -> Iterator[Problem]:
    where = f"Line {column.line}, {column.name}" if column.line else column.name
    wanted = columns.get(column.name)
    if wanted is None:
        yield Problem(
            "map-unknown-column", f"{where}: the target has no such column", did_you_mean(column.name, columns)
        )
    unknown = list(_unknown_fields(scope, where, column.expression))
    yield from unknown
    if wanted is None or unknown:
        return
    term = scope.term(column.expression)
    if not convertible(term.kind, wanted.kind):
        yield Problem("map-wrong-kind", wrong_kind(term, wanted), f"Give {column.name} another field.")


def _constant_problems(map: Map, sound: Sequence[Column], target: Target) -> Iterator[Problem]:
    # the constants go through the very query that records go through: one set of rules
    constants = {
        each.name: each for each in sound if isinstance(each.expression, Constant) and not is_blank(each.expression)
    }
    if not constants:
        return
    part = replace(target, columns=tuple(column for column in target.columns if column.name in constants))
    compiled = compile_map(replace(map, columns=tuple(constants.values()), only=()), (), part)
    result = run(compiled, inputs_of(compiled, {}, 1))
    for index in compiled.fallible:
        error = result.column(f"error{index}")[0].as_py()
        if error is not None:
            yield value_problem(compiled.columns[index], error)


def _unfilled(map: Map, target: Target) -> Iterator[Problem]:
    filled = {column.name for column in map.columns if not is_blank(column.expression)}
    for column in target.columns:
        if (column.required or column.key) and column.name not in filled:
            hint = f"Add a line “{column.name}:” under columns."
            yield Problem("map-required-column", f"{column.name} must be filled, but the map does not fill it", hint)
