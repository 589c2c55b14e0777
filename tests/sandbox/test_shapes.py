"""The notation of shapes, and reading by it."""

from __future__ import annotations

import pytest
from lxml import etree

from routebooks.sandbox.shapes import LINES, Element, Group, Leaf, ShapeError, read, shape


def _read(notation: str, xml: str) -> object:
    return read(shape(notation), etree.fromstring(f"<R>{xml}</R>"))


def test_notation_says_names_types_and_occurrence() -> None:
    made = shape("Name:41 IsActive?:bool Note*:9 Owner+ Ship{50} Kind:=One Way?:Up/Down")
    assert made.parts == (
        Element("Name", Leaf(limit=41)),
        Element("IsActive", Leaf("bool"), 0),
        Element("Note", Leaf(limit=9), 0, None),
        Element("Owner", Leaf(), 1, None),
        Element("Ship", Leaf(), 0, 50),
        Element("Kind", Leaf(values=("One",))),
        Element("Way", Leaf(values=("Up", "Down")), 0),
    )


def test_notation_says_references_known_shapes_and_attributes() -> None:
    inner = shape("City:31")
    made = shape("Terms:ref31 Place?:Place Order@defMacro:Place", {"Place": inner})
    terms, place, order = made.parts
    assert isinstance(terms, Element)
    assert terms.content == Group((Element("ListID", Leaf("id"), 0), Element("FullName", Leaf(limit=31), 0)))
    assert place == Element("Place", inner, 0)
    assert order == Element("Order", inner, attribute="defMacro")


def test_a_choice_is_read_as_the_alternative_that_stands_there() -> None:
    notation = "(ListID+:id | FullName+ | Max?:count (From | To)?)? Include*"
    assert _read(notation, "<ListID>1</ListID><ListID>2</ListID>") == {"ListID": ["1", "2"]}
    assert _read(notation, "<Max>3</Max><To>b</To><Include>x</Include>") == {"Max": "3", "To": "b", "Include": ["x"]}
    assert _read(notation, "") == {}


def test_a_repeated_choice_keeps_its_order() -> None:
    assert _read("(A | B)+", "<B>1</B><A>2</A><B>3</B>") == {LINES: [{"B": "1"}, {"A": "2"}, {"B": "3"}]}


@pytest.mark.parametrize(
    ("notation", "xml"),
    [
        ("A B", "<B/><A/>"),
        ("A B", "<A/>"),
        ("A", "<A/><A/>"),
        ("A{2}", "<A/><A/><A/>"),
        ("A?", "<A/><C/>"),
        ("A", "<A x='1'/>"),
        ("A", "words<A/>"),
        ("A", "<A/>words"),
        ("A", "<A><B/></A>"),
        ("(A | B)", ""),
        ("(A | B)", "<A/><B/>"),
        ("(A | B)+", ""),
        ("(A+ | B)?", "<A/><B/>"),
    ],
)
def test_what_has_another_shape_is_refused(notation: str, xml: str) -> None:
    with pytest.raises(ShapeError):
        _read(notation, xml)


_GOOD = [
    ("bool", "true"), ("bool", "0"), ("bool", ""), ("date", "2024-02-29"), ("date", ""), ("amount", "10"),
    ("amount", "-10.50"), ("amount", "1234567890123.99"), ("price", "0.12345"), ("quantity", "+1"), ("percent", "7.5"),
    ("datetime", "2024-1-2"), ("datetime", "2024-01-02T03:04:05-08:00"), ("guid", "0"), ("count", "12"),
    ("guid", "{57F3B9B6-86F1-4FCC-B1FF-966DE1813D20}"), ("id", "x" * 36), ("3", "abc"), ("3", ""), ("float", "1.5"),
]  # fmt: skip
_BAD = [
    ("bool", "yes"), ("bool", "True"), ("date", "2023-02-29"), ("date", "2024-1-2"), ("amount", "10.5"),
    ("amount", "10.500"), ("amount", "1,000.00"), ("amount", "12345678901234"), ("price", "0.123456"),
    ("quantity", "1e3"), ("quantity", "12345678901"), ("datetime", "2024-01-02T03:04:05Z"),
    ("datetime", "2024-01-02T03:04:05.123"), ("datetime", "2024-01-02T03:04-08:00"), ("count", "0"), ("count", ""),
    ("guid", "57F3B9B6-86F1-4FCC-B1FF-966DE1813D20"), ("guid", "{57F3B9B6-86F1-4FCC-B1FF-966DE1813D2G}"), ("guid", ""),
    ("id", "x" * 37), ("3", "abcd"), ("float", "1e5"), ("Up/Down", "up"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), _GOOD)
def test_texts_of_a_type_are_taken(kind: str, text: str) -> None:
    assert _read(f"A:{kind}", f"<A>{text}</A>") == {"A": text}


@pytest.mark.parametrize(("kind", "text"), _BAD)
def test_texts_of_no_type_are_refused(kind: str, text: str) -> None:
    with pytest.raises(ShapeError):
        _read(f"A:{kind}", f"<A>{text}</A>")
