"""What an element of qbXML may hold, in which order and how often: a small notation, and reading by it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from lxml import etree

#: An element's children by name: texts, nested fields, or a list where a name may repeat. A repeated choice (the lines
#: of a transaction, which keep their order across kinds) stands under LINES as a list of one-entry fields.
Fields = dict[str, Any]

LINES = "Lines"

_NUMBER = r"([+-]?\d{1,10}(\.\d{1,5})?)?"

# The types of qbXML as they stand in the reference, section 2, "Types".
_PATTERNS = {
    "text": r"[\s\S]*",
    "id": r"[\s\S]{0,36}",
    "bool": r"(true|false|1|0)?",
    "date": r"(\d{4}-\d\d-\d\d)?",
    "datetime": r"(\d{4}-\d{1,2}-\d{1,2}(T\d{1,2}(:\d{1,2}(:\d{1,2}([+-]\d{1,2}:\d{1,2})?)?)?)?)?",
    "amount": r"([+-]?\d{1,13}(\.\d\d)?)?",
    "price": _NUMBER,
    "quantity": _NUMBER,
    "percent": _NUMBER,
    "float": r"([+-]?(\d+(\.\d*)?|\.\d+))?",
    "int": r"[+-]?\d+",
    "count": r"\+?0*[1-9]\d*",
    "guid": r"0|\{[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}",
}
_TYPES = {name: re.compile(pattern, re.ASCII) for name, pattern in _PATTERNS.items()}


class ShapeError(ValueError):
    """Something does not have the shape it must have."""


@dataclass(frozen=True)
class Leaf:
    """A text of one of qbXML's types, at most `limit` characters long or one of `values`."""

    kind: str = "text"
    limit: int | None = None
    values: tuple[str, ...] = ()

    def check(self, text: str) -> None:
        """Raises ShapeError when the text is not of the type."""
        if not _TYPES[self.kind].fullmatch(text):
            raise ShapeError(f"{text!r} is not of type {self.kind}")
        if self.limit is not None and len(text) > self.limit:
            raise ShapeError(f"{text!r} is longer than {self.limit} characters")
        if self.values and text not in self.values:
            raise ShapeError(f"{text!r} is none of {', '.join(self.values)}")
        if self.kind == "date" and text:
            try:
                date.fromisoformat(text)
            except ValueError as error:
                raise ShapeError(f"{text!r} is not a day of the calendar") from error


@dataclass(frozen=True)
class Element:
    """A named child, how often it may stand there, and what it holds."""

    name: str
    content: Leaf | Group
    least: int = 1
    most: int | None = 1
    attribute: str = ""


@dataclass(frozen=True)
class Group:
    """Parts one after the other, or (a choice) one of them."""

    parts: tuple[Element | Group, ...]
    choice: bool = False
    least: int = 1
    most: int | None = 1

    def elements(self) -> Iterator[Element]:
        """Every element that may stand in the group, choices laid open."""
        for part in self.parts:
            if isinstance(part, Element):
                yield part
            else:
                yield from part.elements()


_OCCURRENCE: Mapping[str, tuple[int, int | None]] = {"": (1, 1), "?": (0, 1), "*": (0, None), "+": (1, None)}

_TOKEN = re.compile(
    r"\s*(?:(?P<open>\()|(?P<close>\))(?P<times>[?*+]?)|(?P<bar>\|)"
    r"|(?P<name>\w+)(?P<occurs>[?*+]|\{\d+\})?(?:@(?P<attribute>\w+))?(?::(?P<type>=?[\w/]+))?)"
)


def shape(notation: str, known: Mapping[str, Group] | None = None) -> Group:
    """The group that a notation describes.

    `Name:41` a text of at most 41 characters; `IsActive?:bool` optional; `ListID+:id` once or more; `OwnerID*:guid`;
    `ShipTo{50}:Address` up to fifty, of a known shape; `TermsRef:ref31` a reference; `Status:Open/Closed` an
    enumeration (of one: `Kind:=Company`); `( A | B C )?` a choice; `SalesOrderAdd@defMacro:Order` with an attribute.
    """
    return _group(_TOKEN.finditer(notation.strip()), known or {})


def _group(tokens: Iterator[re.Match[str]], known: Mapping[str, Group]) -> Group:
    alternatives: list[list[Element | Group]] = [[]]
    times = ""
    for token in tokens:
        if token["open"]:
            alternatives[-1].append(_group(tokens, known))
        elif token["bar"]:
            alternatives.append([])
        elif token["close"]:
            times = token["times"]
            break
        else:
            alternatives[-1].append(_element(token, known))
    least, most = _OCCURRENCE[times]
    if len(alternatives) == 1:
        return Group(tuple(alternatives[0]), least=least, most=most)
    parts = tuple(parts[0] if len(parts) == 1 else Group(tuple(parts)) for parts in alternatives)
    return Group(parts, choice=True, least=least, most=most)


def _element(token: re.Match[str], known: Mapping[str, Group]) -> Element:
    occurs = token["occurs"] or ""
    least, most = (0, int(occurs[1:-1])) if occurs.startswith("{") else _OCCURRENCE[occurs]
    return Element(token["name"], _content(token["type"] or "text", known), least, most, token["attribute"] or "")


def _content(name: str, known: Mapping[str, Group]) -> Leaf | Group:
    if name.isdigit():
        return Leaf(limit=int(name))
    if "/" in name or name.startswith("="):
        return Leaf(values=tuple(name.removeprefix("=").split("/")))
    if name.startswith("ref"):
        limit = int(name[3:]) if name[3:] else None
        return Group((Element("ListID", Leaf("id"), 0), Element("FullName", Leaf(limit=limit), 0)))
    return Leaf(name) if name in _TYPES else known[name]


def read(content: Leaf | Group, node: etree._Element) -> Any:
    """What an element holds, by its shape: a text or Fields. Raises ShapeError with the first thing that is wrong."""
    children = list(node)
    if isinstance(content, Leaf):
        if children:
            raise ShapeError(f"{node.tag} holds a text, not elements")
        content.check(node.text or "")
        return node.text or ""
    if any((text or "").strip() for text in (node.text, *(child.tail for child in children))):
        raise ShapeError(f"{node.tag} holds elements, not text")
    fields: Fields = {}
    at = _take(content, children, 0, fields)
    if at < len(children):
        raise ShapeError(f"{children[at].tag} does not belong there in {node.tag}")
    return fields


def _take(part: Element | Group, children: list[etree._Element], at: int, fields: Fields) -> int:
    if isinstance(part, Element):
        return _take_element(part, children, at, fields)
    if not part.choice:
        for inner in part.parts:
            at = _take(inner, children, at, fields)
        return at
    rounds = 0
    while part.most is None or rounds < part.most:
        tag = children[at].tag if at < len(children) else None
        chosen = next((inner for inner in part.parts if tag in _first(inner)), None)
        if chosen is None:
            break
        taken: Fields = {}
        at = _take(chosen, children, at, taken)
        if part.most is None:
            fields.setdefault(LINES, []).append(taken)
        else:
            fields.update(taken)
        rounds += 1
    if rounds < part.least and not any(_optional(inner) for inner in part.parts):
        raise ShapeError(f"one of {', '.join(sorted(_first(part)))} is missing")
    return at


def _take_element(part: Element, children: list[etree._Element], at: int, fields: Fields) -> int:
    start = at
    found: list[Any] = []
    once_more = part.most != 1
    while at < len(children) and children[at].tag == part.name and (once_more or at == start):
        node = children[at]
        if set(map(str, node.attrib)) - {part.attribute}:
            raise ShapeError(f"{part.name} has an attribute it may not have")
        found.append(read(part.content, node))
        at += 1
    if len(found) < part.least or (part.most is not None and len(found) > part.most):
        raise ShapeError(f"{part.name} stands there {len(found)} times")
    if found:
        fields[part.name] = found if once_more else found[0]
    return at


def _first(part: Element | Group) -> frozenset[str]:
    """The names that a part can begin with."""
    if isinstance(part, Element):
        return frozenset((part.name,))
    names: frozenset[str] = frozenset()
    for inner in part.parts:
        names |= _first(inner)
        if not part.choice and not _optional(inner):
            break
    return names


def _optional(part: Element | Group) -> bool:
    if isinstance(part, Element) or part.least == 0:
        return part.least == 0
    return (any if part.choice else all)(map(_optional, part.parts))
