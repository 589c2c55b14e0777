"""The layouts of the .FIL files, kept as data: those that come with the product, and a user's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import yaml

from routebooks.connectors.pocketadvantage.fil import MONEY, check_date_format
from routebooks.errors import ConfigError
from routebooks.records import Kind, Layout, TargetColumn

_LAYOUT = {"name": str, "file": str, "assumed": bool, "columns": list}
_COLUMN = {
    **{"position": int, "name": str, "kind": str, "width": int, "scale": int},
    **{"format": str, "key": bool, "line": bool, "required": bool, "assumed": bool, "detail": int},
}
#: the columns that the engine knows by name (engine/codes.py)
_READ = {"detail": ("Detail #", "Code")}
_WORDS = {str: "a text", int: "a whole number", bool: "true or false", list: "a list"}


@cache
def shipped_layouts() -> Mapping[str, Layout]:
    """The layouts that come with the product, by name."""
    names = ("customer", "item", "invoice", "detail")
    texts = (files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8") for name in names)
    return MappingProxyType({layout.name: layout for layout in map(load_layout, texts)})


@lru_cache(maxsize=1024)
def own_layout(name: str, text: str) -> Layout:
    """A user's layout in place of the shipped one of this name. Raises ConfigError."""
    # A run asks for it a dozen times, and reading YAML takes longer than writing a file of a thousand records.
    try:
        layout = load_layout(text)
    except ConfigError as error:
        said = error.problem
        raise ConfigError(
            f"{name}_layout: {said.message}", hint=said.hint, code=said.code, detail=said.detail
        ) from error
    if layout.name != name:
        raise _wrong(f"it is set for {name} and has the name '{layout.name}'")
    columns = {column.name for column in layout.columns}
    if missing := [column for column in _READ.get(name, ()) if column not in columns]:
        raise _wrong(f"{name} has no column '{missing[0]}', by which codes are looked up")
    return layout


def load_layout(text: str) -> Layout:
    """A layout from its YAML text: name, file, assumed, and columns with the keys of _COLUMN.

    Positions go from 1 without a gap, in any order of lines; names differ. At least one column is the key, or the
    columns of a line are marked: a document with lines has no key in its file, it is known by its system's own id.
    Raises ConfigError with the line or position that is wrong.
    """
    try:
        read = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _wrong("it is not YAML", detail=str(error)) from error
    top = _checked(read, _LAYOUT, ("name", "file", "columns"), "the layout")
    if not re.fullmatch(r"[^/\\\x00-\x1f]+", top["file"]):
        raise _wrong("'file' is not the name of a file")
    columns = sorted((_column(entry, line) for line, entry in enumerate(top["columns"], 1)), key=lambda c: c.position)
    if not columns or [column.position for column in columns] != list(range(1, len(columns) + 1)):
        raise _wrong("the positions do not go from 1 on without a gap or a double")
    names = [column.name for column in columns]
    if double := next((name for name in names if names.count(name) > 1), None):
        raise _wrong(f"two columns have the name '{double}'")
    keyed, lined = (any(getattr(column, mark) for column in columns) for mark in ("key", "line"))
    if not keyed and not lined:
        raise _wrong("no column is the key, so that records could go out twice")
    if keyed and lined:
        raise _wrong("it has a key and columns of lines, but a key cannot stand on every line of a document")
    return Layout(name=top["name"], file=top["file"], assumed=top.get("assumed", False), columns=tuple(columns))


def _column(entry: Any, line: int) -> TargetColumn:
    where = f"column {line}"
    read = _checked(entry, _COLUMN, ("position", "name"), where)
    if not read["name"].strip() or re.search(r"[\x00-\x1f]", read["name"]):
        raise _wrong(f"{where} has no name that can be printed")
    if read.get("kind", Kind.TEXT) not in set(Kind):
        raise _wrong(f"{where} has the kind '{read['kind']}'; there are {', '.join(Kind)}")
    kind = Kind(read.get("kind", Kind.TEXT))
    _check_fit(kind, read, where)
    key = read.get("key", False)
    return TargetColumn(
        name=read["name"],
        kind=kind,
        scale=read.get("scale", 2),
        max_length=read.get("width"),
        required=key or read.get("required", False),
        key=key,
        line=read.get("line", False),
        position=read["position"],
        assumed=read.get("assumed", False),
        detail=str(read.get("detail", "")),
        format=read.get("format", ""),
    )


def _check_fit(kind: Kind, read: Mapping[str, Any], where: str) -> None:
    """A width is a text's, a scale a decimal's, a detail kind a code's, a format a date's, instant's or decimal's."""
    if "width" in read and (kind is not Kind.TEXT or read["width"] < 1):
        raise _wrong(f"{where}: only a text has a width, of at least 1")
    if "scale" in read and (kind is not Kind.DECIMAL or not 0 <= read["scale"] <= 6):
        raise _wrong(f"{where}: only a decimal has a scale, from 0 to 6")
    if "detail" in read and (kind not in (Kind.TEXT, Kind.INTEGER) or read["detail"] < 1):
        raise _wrong(f"{where}: only a text or a whole number is a code of a detail kind, which is at least 1")
    if "format" not in read:
        return
    if kind in (Kind.DATE, Kind.TIMESTAMP):
        check_date_format(read["format"])
    elif kind is not Kind.DECIMAL or read["format"] != MONEY:
        raise _wrong(f"{where}: a format is a date's pattern, or '{MONEY}' for a decimal")


def _checked(read: Any, fields: Mapping[str, type], needed: tuple[str, ...], where: str) -> dict[str, Any]:
    """The mapping, when it has the needed fields, no others than these, each of its type (true is no number)."""
    if not isinstance(read, dict):
        raise _wrong(f"{where} is not a list of names with values")
    if missing := [name for name in needed if name not in read]:
        raise _wrong(f"{where} has no '{missing[0]}'")
    for name, value in read.items():
        if name not in fields:
            raise _wrong(f"{where} has '{name}', which means nothing here; there are {', '.join(fields)}")
        if type(value) is not fields[name]:
            raise _wrong(f"{where}: '{name}' must be {_WORDS[fields[name]]}", detail=repr(value))
    return read


def _wrong(why: str, detail: str = "") -> ConfigError:
    return ConfigError(
        f"The layout cannot be used: {why}.",
        hint="Correct the layout file and load it again; the layouts that come with Routebooks show the form.",
        code="layout-wrong",
        detail=detail,
    )
