"""Transliteration: the nearest characters that an encoding has."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routebooks.connectors.pocketadvantage.texts import transliterate


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        ("“It’s” – fine…", "ascii", '"It\'s" - fine...'),
        ("“It’s” – fine…", "cp1252", "“It’s” – fine…"),
        ("ﬁne ﬂour, Œuvre, Straße, Ørsted", "ascii", "fine flour, OEuvre, Strasse, Orsted"),
        ("Château Pétrus ½ bbl", "ascii", "Chateau Petrus 1/2 bbl"),
        ("Château Pétrus ½ bbl", "latin-1", "Château Pétrus ½ bbl"),
        ("cafe\u0301", "cp1252", "café"),
        ("Dvořák Łódź", "cp1252", "Dvorák Lódz"),
        ("12\u00a0pack\u200b™", "ascii", "12 packTM"),
        ("5 € 日本 한", "latin-1", "5 EUR ?? ?"),
        ("5 € 日本", "utf-8", "5 € 日本"),
    ],
)
def test_the_nearest_characters_are_taken(text: str, encoding: str, expected: str) -> None:
    assert transliterate(text, encoding) == expected


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=20), encoding=st.sampled_from(["cp1252", "latin-1", "ascii"]))
def test_the_outcome_can_always_be_encoded(text: str, encoding: str) -> None:
    said = transliterate(text, encoding)
    assert transliterate(said, encoding) == said
    assert said.encode(encoding).decode(encoding) == said
