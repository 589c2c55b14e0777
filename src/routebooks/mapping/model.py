"""A map: named target columns, each from a field, a constant or a formula; read from and written to YAML."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NoReturn

import yaml

from routebooks.errors import ConfigError
from routebooks.mapping.expression import (
    UNPRINTABLE,
    Constant,
    Expression,
    Value,
    exact_number,
    field_names,
    format_formula,
)
from routebooks.mapping.parse import parse_formula
from routebooks.mapping.problems import did_you_mean

_KEYS = ("name", "source", "target", "only", "columns")


@dataclass(frozen=True)
class Column:
    """One target column and the expression that fills it; `line` of the map file, for messages."""

    name: str
    expression: Expression
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Only:
    """A filter: the record goes on only when the field's text is one of the values."""

    field: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Map:
    """What fills a target from a source (a stream or view)."""

    name: str
    source: str
    target: str
    columns: tuple[Column, ...]
    only: tuple[Only, ...] = ()

    @property
    def fields(self) -> frozenset[str]:
        """The fields that it reads."""
        read = (name for column in self.columns for name in field_names(column.expression))
        return frozenset(read) | {only.field for only in self.only}


def load_map(text: str) -> Map:
    """The map of a YAML text. Raises ConfigError (map-file, map-formula) with line, column and what was expected."""
    entries = {key.value: node for key, node in _pairs(_compose(text), "the map")}
    for key in entries:
        if key not in _KEYS:
            _refuse(entries[key], f"a map has no part “{key}”", did_you_mean(key, _KEYS))
    for key in ("name", "source", "target", "columns"):
        if key not in entries:
            raise ConfigError(f"The map has no “{key}”", hint=f"Add a line “{key}:”.", code="map-file")
    columns = tuple(
        Column(key.value, _expression(node, text), key.start_mark.line + 1)
        for key, node in _pairs(entries["columns"], "columns")
    )
    if not columns:
        _refuse(entries["columns"], "the map fills no column", "Write lines like “Trade Name: =[Name]” under columns.")
    only = _pairs(entries["only"], "only") if "only" in entries else []
    return Map(
        name=_word(entries["name"], "name"),
        source=_word(entries["source"], "source"),
        target=_word(entries["target"], "target"),
        columns=columns,
        only=tuple(Only(key.value, _values(node)) for key, node in only),
    )


def dump_map(map: Map) -> str:
    """The YAML text of a map; loading it gives an equal map. Comments of a file it was loaded from are not kept."""
    data: dict[str, Any] = {"name": map.name, "source": map.source, "target": map.target}
    if map.only:
        data["only"] = {only.field: list(only.values) for only in map.only}
    data["columns"] = {column.name: _plain(column.expression) for column in map.columns}
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**30)


def _plain(expression: Expression) -> Value:
    if isinstance(expression, Constant) and not str(expression.value).startswith("="):
        return expression.value
    return format_formula(expression)


class _Loader(yaml.SafeLoader):
    """Reads scalars as a person does: No, 007 and 12:30 are texts, a number is plain digits, true and false are set."""

    yaml_implicit_resolvers: Any = {}  # noqa: RUF012


_TAG = "tag:yaml.org,2002:"
for _tag, _pattern, _first in (
    ("null", r"(?:~|null|Null|NULL|)", ["~", "n", "N", ""]),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)", list("tTfF")),
    ("int", r"-?(?:0|[1-9][0-9]*)", list("-0123456789")),
    ("float", r"-?(?:0|[1-9][0-9]*)\.[0-9]+", list("-0123456789")),
):
    _Loader.add_implicit_resolver(_TAG + _tag, re.compile(rf"^{_pattern}$"), _first)


class _Dumper(yaml.SafeDumper):
    """Writes exact decimals as plain numbers."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _represent_decimal(dumper: yaml.SafeDumper, number: Decimal) -> yaml.Node:
    digits = format(number, "f")
    return dumper.represent_scalar(_TAG + ("float" if "." in digits else "int"), digits)


_Dumper.add_representer(Decimal, _represent_decimal)


def _refuse(node: yaml.Node, message: str, hint: str = "") -> NoReturn:
    raise ConfigError(f"{_at(node.start_mark)}: {message}", hint=hint, code="map-file")


def _at(mark: yaml.Mark) -> str:
    return f"Line {mark.line + 1}, column {mark.column + 1}"


def _compose(text: str) -> yaml.Node:
    hint = "Write it as YAML: a name, a colon, a blank and a value on each line."
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        where = _at(error.problem_mark) if error.problem_mark else "The map"
        raise ConfigError(f"{where}: {error.problem}", hint=hint, code="map-file", detail=str(error)) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError("The map is not a readable text", hint=hint, code="map-file", detail=str(error)) from None
    if node is None:
        raise ConfigError("The map is empty", hint=hint, code="map-file")
    return node


def _pairs(node: yaml.Node, part: str) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode):
        _refuse(node, f"{part} must be lines of a name, a colon and a value")
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode) or not key.value.strip():
            _refuse(key, "a name must stand here")
        if key.value in seen:
            _refuse(key, f"“{key.value}” stands here a second time", "Keep one of the two lines.")
        seen.add(key.value)
    return list(node.value)


def _word(node: yaml.Node, part: str) -> str:
    if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
        _refuse(node, f"“{part}” must be one word or text")
    return str(node.value)


def _values(node: yaml.Node) -> tuple[Value, ...]:
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        _refuse(node, "a list of allowed values must stand here", "Write a list such as [Open, Hold].")
    return tuple(_scalar(value) for value in node.value)


def _scalar(node: yaml.Node) -> Value:
    if not isinstance(node, yaml.ScalarNode):
        _refuse(node, "one value must stand here: a formula, a text, a number, true, false or null")
    text = node.value
    if UNPRINTABLE.search(text):
        _refuse(node, "a control character cannot stand in a map")
    match node.tag.removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return bool(text.lower() == "true")
        case "str":
            return str(text)
        case "int" | "float":
            try:
                return exact_number(text)
            except (ValueError, ArithmeticError):
                _refuse(node, f"{text} is not a number of at most 18 digits", "Put a code into quotation marks.")
    _refuse(node, f"values of the kind {node.tag} cannot stand in a map")


def _expression(node: yaml.Node, text: str) -> Expression:
    value = _scalar(node)
    if not isinstance(value, str) or not value.startswith("="):
        return Constant(value)
    start = node.start_mark.index + (1 if isinstance(node, yaml.ScalarNode) and node.style in ('"', "'") else 0)
    written_so = text.startswith(value, start)

    def place(offset: int) -> str:
        if not written_so:
            return f"{_at(node.start_mark)}, character {offset + 1} of the formula"
        before = text[: start + offset]
        return f"Line {before.count(chr(10)) + 1}, column {len(before) - (before.rfind(chr(10)) + 1) + 1}"

    return parse_formula(value, place)
