"""The source of Routebooks as it is written: its modules, functions and calls."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, eq=False)
class Module:
    """One file of source."""

    name: str
    tree: ast.Module

    @cached_property
    def constants(self) -> Mapping[str, ast.expr]:
        """What is assigned at the top of the file."""
        return dict(assigned(self.tree.body))

    @cached_property
    def imports(self) -> Mapping[str, str]:
        """Each imported name, and what it stands for with its whole path."""
        found = [node for node in ast.walk(self.tree) if isinstance(node, ast.ImportFrom)]
        return {alias.asname or alias.name: f"{node.module}.{alias.name}" for node in found for alias in node.names}

    @cached_property
    def functions(self) -> Mapping[str, Function]:
        """The functions and methods by name."""
        return {node.name: node for node in ast.walk(self.tree) if isinstance(node, Function)}

    @cached_property
    def above(self) -> Mapping[ast.AST, ast.AST]:
        """What each part stands in."""
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}


@dataclass(frozen=True, eq=False)
class Place:
    """Where an expression is read: in which function, and what some names stand for there."""

    module: Module
    function: Function | None = None
    bound: Mapping[str, tuple[ast.expr, Place]] = field(default_factory=dict)


def assigned(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """The names that get a value in these statements, each with it."""
    for node in body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value


def called(call: ast.Call) -> str:
    """The name of what is called, without what stands before its last dot."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def calls(within: ast.AST) -> list[ast.Call]:
    """The calls within a part, in the order of the text."""
    found = [node for node in ast.walk(within) if isinstance(node, ast.Call)]
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def parameters(function: Function) -> list[str]:
    """The names of the parameters, in order, without self."""
    names = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args)]
    return [*(names[1:] if names[:1] in (["self"], ["cls"]) else names), *(arg.arg for arg in function.args.kwonlyargs)]


def defaults(function: Function) -> dict[str, ast.expr]:
    """The parameters that may be left out, with what they are then."""
    named = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args)]
    given = function.args.defaults
    found = dict(zip(named[len(named) - len(given) :], given, strict=True))
    keyed = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    return found | {arg.arg: value for arg, value in keyed if value is not None}


def arguments(function: Function, call: ast.Call) -> dict[str, ast.expr]:
    """What a call gives for each parameter."""
    given = dict(zip(parameters(function), call.args, strict=False))
    return defaults(function) | given | {each.arg: each.value for each in call.keywords if each.arg is not None}


def statements(function: Function) -> list[ast.stmt]:
    """All statements of a function, those inside others too."""
    return [node for node in ast.walk(function) if isinstance(node, ast.stmt)]
