"""Which texts an expression of the source can be: through constants, conditions, tables and functions of ours."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path

from handbook.source import Function, Module, Place, arguments, assigned, parameters, statements

#: what is known only when it happens
OPEN = "…"
#: a text with more readings than this is told with a gap in it
_READINGS = 4
_DEPTH = 24


class Source:
    """All modules, and the reading of texts in them."""

    def __init__(self, modules: Mapping[str, Module]) -> None:
        self.modules = modules

    @classmethod
    def of(cls, root: Path, without: tuple[str, ...]) -> Source:
        """The package in a folder, less some of its parts."""
        modules = {}
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root.parent).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            if not name.startswith(without):
                modules[name] = Module(name, ast.parse(path.read_text(encoding="utf-8")))
        return cls(modules)

    def texts(self, expr: ast.expr, place: Place, depth: int = 0) -> tuple[str, ...]:
        """The texts that an expression can be, each once, with OPEN for what nobody can tell beforehand."""
        if depth > _DEPTH:
            return (OPEN,)
        return tuple(dict.fromkeys(self._read(expr, place, depth + 1)))

    def _read(self, expr: ast.expr, place: Place, depth: int) -> tuple[str, ...]:
        match expr:
            case ast.Constant(value=value):
                return ("" if value is None else str(value),)
            case ast.JoinedStr(values=parts):
                told = [part.value if isinstance(part, ast.FormattedValue) else part for part in parts]
                return _together([self.texts(part, place, depth) for part in told])
            case ast.BinOp(left=left, op=ast.Add(), right=right) if not isinstance(getattr(right, "value", ""), int):
                return _together([self.texts(left, place, depth), self.texts(right, place, depth)])
            case ast.IfExp(body=body, orelse=orelse):
                return self.texts(body, place, depth) + self.texts(orelse, place, depth)
            case ast.BoolOp(values=values):
                return tuple(text for value in values for text in self.texts(value, place, depth))
            case ast.Name():
                return self._name(expr, place, depth)
            case ast.Attribute():
                return self._attribute(expr, place, depth)
            case ast.Subscript():
                return self._looked_up(expr, place, depth)
            case ast.Call():
                return self._call(expr, place, depth)
        return (OPEN,)

    def _name(self, expr: ast.Name, place: Place, depth: int) -> tuple[str, ...]:
        if expr.id in place.bound:
            value, at = place.bound[expr.id]
            return self.texts(value, at, depth)
        if place.function is not None:
            if compared := self._compared(expr, place, depth):
                return compared
            if values := _last_values(expr, place.function, place.module):
                return tuple(text for value in values for text in self.texts(value, place, depth))
            if expr.id in parameters(place.function):
                return (OPEN,)
        return self._global(expr.id, place, depth)

    def _compared(self, name: ast.Name, place: Place, depth: int) -> tuple[str, ...]:
        """What a name is known to be under `if name == ...` or `if name in (...)`."""
        node: ast.AST = name
        while (above := place.module.above.get(node)) is not None and node is not place.function:
            match above:
                case ast.If(test=ast.Compare(left=ast.Name(id=id), ops=[ast.Eq() | ast.In()], comparators=[known])) if (
                    id == name.id and node in above.body
                ):
                    each = known.elts if isinstance(known, ast.Tuple) else [known]
                    return tuple(text for value in each for text in self.texts(value, place, depth))
            node = above
        return ()

    def _global(self, name: str, place: Place, depth: int) -> tuple[str, ...]:
        if (found := self.constant(name, place.module)) is None:
            return (OPEN,)
        return self.texts(found[0], found[1], depth)

    def constant(self, name: str, module: Module) -> tuple[ast.expr, Place] | None:
        """A constant by its name in a module, wherever it was imported from."""
        if name in module.constants:
            return module.constants[name], Place(module)
        home, _, inner = module.imports.get(name, "").rpartition(".")
        return self.constant(inner, self.modules[home]) if home in self.modules else None

    def _attribute(self, expr: ast.Attribute, place: Place, depth: int) -> tuple[str, ...]:
        if isinstance(expr.value, ast.Name):
            home = self.modules.get(place.module.imports.get(expr.value.id, ""))
            if home is not None:
                return self._global(expr.attr, Place(home), depth)
        return (OPEN,)

    def _looked_up(self, expr: ast.Subscript, place: Place, depth: int) -> tuple[str, ...]:
        return tuple(text for value, at in self.values(expr, place) for text in self.texts(value, at, depth)) or (OPEN,)

    def values(self, expr: ast.expr, place: Place) -> list[tuple[ast.expr, Place]]:
        """The values of the table that an expression looks up in: `TABLE[...]` or `{...}.get(...)`."""
        match expr:
            case ast.Subscript(value=ast.Name(id=name), slice=key):
                found = self.constant(name, place.module)
                table, at = found if found is not None else (None, place)
                wanted = self.texts(key, place)
            case ast.Call(func=ast.Attribute(value=ast.Dict() as table, attr="get")):
                at, wanted = place, (OPEN,)
            case _:
                return []
        if not isinstance(table, ast.Dict):
            return []
        rows = [
            (self.texts(key, at) if key else (OPEN,), value)
            for key, value in zip(table.keys, table.values, strict=True)
        ]
        return [(value, at) for names, value in rows if OPEN in wanted or set(names) & {*wanted, OPEN}]

    def _call(self, expr: ast.Call, place: Place, depth: int) -> tuple[str, ...]:
        match expr.func:
            case ast.Attribute(value=text, attr="replace") if len(expr.args) == 2:
                (old, *_), (new, *_) = (self.texts(arg, place, depth) for arg in expr.args)
                return tuple(each.replace(old, new) for each in self.texts(text, place, depth))
        if found := self.values(expr, place):
            return tuple(text for value, at in found for text in self.texts(value, at, depth))
        function = self.function(expr, place)
        if function is None:
            return (OPEN,)
        home, body = function
        inside = Place(home, body, {name: (value, place) for name, value in arguments(body, expr).items()})
        returned = tuple(self._returned(body.body, inside, depth))
        return tuple(text for value in returned for text in self.texts(value, inside, depth)) or (OPEN,)

    def function(self, call: ast.Call, place: Place) -> tuple[Module, Function] | None:
        """The function of ours that is called, where it can be told."""
        imports = place.module.imports
        match call.func:
            case ast.Name(id=name) if name in imports:
                home, _, name = imports[name].rpartition(".")
            case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="self"), attr=name):
                home = place.module.name
            case ast.Attribute(value=ast.Name(id=alias), attr=name):
                home = imports.get(alias, "")
            case _:
                return None
        found = self.modules.get(home)
        return (found, found.functions[name]) if found is not None and name in found.functions else None

    def _returned(self, body: list[ast.stmt], place: Place, depth: int) -> Iterator[ast.expr]:
        """What a function gives back; of an `if` that can be decided, only the one side."""
        for node in body:
            match node:
                case ast.Return(value=ast.expr() as value):
                    yield value
                    return
                case ast.If(test=ast.Compare(left=left, ops=[ast.Eq()], comparators=[right])):
                    one, other = self.texts(left, place, depth), self.texts(right, place, depth)
                    decided = len(one) == len(other) == 1 and OPEN not in one + other
                    if not decided or one == other:
                        yield from self._returned(node.body, place, depth)
                    if decided and one == other:
                        return
                    yield from self._returned(node.orelse, place, depth)
                case ast.If():
                    yield from self._returned(node.body, place, depth)
                    yield from self._returned(node.orelse, place, depth)


def _last_values(name: ast.Name, function: Function, module: Module) -> list[ast.expr]:
    """What a variable can hold where it is used: of its assignments, the last that is sure, and those after it."""
    around: set[ast.AST] = set()
    node: ast.AST | None = name
    while node is not None and node is not function:
        around.add(node)
        node = module.above.get(node)
    values: list[ast.expr] = []
    for statement in sorted(statements(function), key=lambda each: each.lineno):
        for found, value in assigned([statement]) if node is function and statement.lineno < name.lineno else ():
            if found == name.id:
                sure = any(each in around for each in _beside(statement, module.above[statement]))
                values = [value] if sure else [*values, value]
    return values


def _beside(statement: ast.stmt, above: ast.AST) -> list[ast.stmt]:
    """The statements of the same block."""
    blocks = [block for _, block in ast.iter_fields(above) if isinstance(block, list)]
    return next((block for block in blocks if statement in block), [])


def _together(parts: list[tuple[str, ...]]) -> tuple[str, ...]:
    told = [(OPEN,) if OPEN in readings or len(readings) > _READINGS else readings for readings in parts]
    made = ["".join(chosen) for chosen in product(*told)]
    if len(made) <= _READINGS:
        return tuple(made)
    return ("".join(readings[0] if len(readings) == 1 else OPEN for readings in told),)
