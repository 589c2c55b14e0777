"""Text as QuickBooks can keep it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routebooks.connectors.quickbooks_desktop.characters import foreign, storable, without_pictures


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Café Señor Straße – “x” €", "Café Señor Straße – “x” €"),
        ("Cafe\u0301", "Café"),
        ("Dvořák, Győr, Łódź", "Dvorák, Gyor, Lódz"),
        ("⅓ of 5\u2011pack, 12\u2033, \u22124", "1/3 of 5-pack, 12'', -4"),
        ("ﬁne №5 ①", "fine No5 1"),
        ("a\u200bb\ufeffc\u2060", "abc"),
        ("thin\u2009space", "thin space"),
        ("one\u2028two", "one\ntwo"),
        ("c1\x85", "c1"),
    ],
)
def test_a_text_becomes_its_nearest(text: str, kept: str) -> None:
    assert storable(text) == kept
    assert foreign(kept) == ""


@pytest.mark.parametrize(("text", "strangers"), [("Ωmega Ω", "Ω"), ("中文", "中文"), ("wine 🍷", "🍷")])
def test_what_has_nothing_near_it_stays_and_is_named(text: str, strangers: str) -> None:
    assert storable(text) == text
    assert foreign(storable(text)) == strangers


@settings(deadline=None, max_examples=200)
@given(st.text())
def test_what_is_stored_once_is_stored_the_same_again(text: str) -> None:
    once = storable(text)
    assert storable(once) == once


def test_pictures_are_left_out_of_notes_and_letters_are_not() -> None:
    assert without_pictures("Café ☕ open 🍷 7 κρασί ©") == "Café  open  7 κρασί ©"
