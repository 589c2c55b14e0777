"""Every problem that a person can meet: its code, what it says, and what to do, as the source has them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import routebooks
from handbook.source import Function, Module, Place, arguments, assigned, called, calls, parameters, statements
from handbook.texts import OPEN, Source

_ERRORS = {"ConfigError": "config", "TransientError": "transient", "RecordError": "record", "FatalError": "fatal"}
_PROBLEM = "Problem"
#: the simulated world has its own words; status_codes.py has a table for its problems
_WITHOUT = ("routebooks.sandbox", "routebooks.connectors.quickbooks_desktop.status_codes")
#: says what an error is, and makes none
_ERRORS_HOME = "routebooks.errors"


@dataclass(frozen=True)
class Met:
    """A problem as one place of the source makes it."""

    module: str
    code: str
    messages: tuple[str, ...]
    hints: tuple[str, ...]


def problems() -> list[Met]:
    """All problems of our own; those of the status tables are not among them. Raises ValueError as `of` does."""
    return of(Source.of(Path(routebooks.__file__).parent, _WITHOUT))


def of(source: Source) -> list[Met]:
    """The problems that some source makes, in its order.

    Raises ValueError for one whose code cannot be told: a page made of the others would not be complete.
    """
    return [
        met for name, module in source.modules.items() if name != _ERRORS_HOME for met in _in_module(source, module)
    ]


def _in_module(source: Source, module: Module) -> Iterator[Met]:
    for call in calls(module.tree):
        name = called(call)
        if name == _PROBLEM or name in _ERRORS:
            yield from _met(source, call, Place(module, _function(module, call)))


def _function(module: Module, node: ast.AST) -> Function | None:
    while (above := module.above.get(node)) is not None:
        if isinstance(above, Function):
            return above
        node = above
    return None


def _met(source: Source, call: ast.Call, place: Place) -> Iterator[Met]:
    parts = _parts(source, call, place)
    if parts is None:
        return
    code, message, hint = parts
    for at in _readings(source, call, parts, place):
        codes = [text for text in source.texts(code, at) if OPEN not in text]
        if not codes:
            raise ValueError(f"{place.module.name}:{call.lineno}: nobody can tell the code {ast.unparse(code)}")
        messages, hints = (tuple(dict.fromkeys(map(_tidy, source.texts(each, at)))) for each in (message, hint))
        for each in codes:
            yield Met(place.module.name, each, messages, hints)


def _parts(source: Source, call: ast.Call, place: Place) -> tuple[ast.expr, ast.expr, ast.expr] | None:
    """Code, message and hint of a call; None for one that hands on a problem which was made before."""
    given = {each.arg: each.value for each in call.keywords if each.arg is not None}
    for spread in (each.value for each in call.keywords if each.arg is None):
        given = _spread(source, spread, place) | given
    names = ("code", "message", "hint") if called(call) == _PROBLEM else ("message",)
    given |= dict(zip(names, call.args, strict=False))
    code = given.get("code")
    hands_on = isinstance(code, ast.Attribute) and code.attr == "code"
    if "message" not in given or hands_on:
        return None
    code = code or ast.Constant(_ERRORS.get(called(call), ""))
    return code, given["message"], given.get("hint") or ast.Constant("")


def _spread(source: Source, expr: ast.expr, place: Place) -> dict[str, ast.expr]:
    """The parts that a function of ours gives as a dictionary."""
    found = source.function(expr, place) if isinstance(expr, ast.Call) else None
    returned = [node.value for node in ast.walk(found[1]) if isinstance(node, ast.Return)] if found else []
    dictionaries = [value for value in returned if isinstance(value, ast.Dict)]
    return {
        str(key.value): value
        for each in dictionaries
        for key, value in zip(each.keys, each.values, strict=True)
        if isinstance(key, ast.Constant)
    }


def _readings(
    source: Source, call: ast.Call, parts: tuple[ast.expr, ast.expr, ast.expr], place: Place
) -> Iterator[Place]:
    """The place with what its names stand for, where the problem is made in a function that is told what it is.

    Then there is one reading for each call of that function, or for each row of the table that the names are taken of.
    """
    function = place.function
    if function is None:
        yield place
        return
    code, message, hint = parts
    told = _names(code)
    for name, value in assigned(statements(function)):
        told |= _names(value) if name in told else set()
    told |= {each.id for each in (message, hint) if isinstance(each, ast.Name)}
    if rows := list(_rows(source, function, call, told, place)):
        yield from rows
    elif told & set(parameters(function)) and (sites := list(_sites(source, function, place))):
        yield from sites
    else:
        yield place


def _names(expr: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(expr) if isinstance(node, ast.Name)}


def _rows(source: Source, function: Function, call: ast.Call, told: set[str], place: Place) -> Iterator[Place]:
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=value) if node.lineno < call.lineno:
                known = [name.id for name in names if isinstance(name, ast.Name)]
                for row, at in source.values(value, place) if told & set(known) else ():
                    if isinstance(row, ast.Tuple):
                        bound = {name: (each, at) for name, each in zip(known, row.elts, strict=True)}
                        yield Place(place.module, function, bound)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in told:
                for each, at in source.values(value, place):
                    yield Place(place.module, function, {name: (each, at)})


def _sites(source: Source, function: Function, place: Place) -> Iterator[Place]:
    is_method = [arg.arg for arg in function.args.args][:1] == ["self"]
    for module in (place.module,) if function.name.startswith("_") else source.modules.values():
        for call in calls(module.tree):
            at = Place(module, _function(module, call))
            if called(call) == function.name and (is_method or source.function(call, at) == (place.module, function)):
                given = {name: (value, at) for name, value in arguments(function, call).items()}
                yield Place(place.module, function, given)


def _tidy(text: str) -> str:
    """A text with one sign for each gap."""
    return re.sub(rf"{OPEN}(\s*{OPEN})+", OPEN, text).strip()
