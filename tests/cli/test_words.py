"""Values in words."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routebooks.cli.words import count, instant, quoted, span


def test_an_instant_is_told_on_the_companys_clock() -> None:
    moment = datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
    assert instant(moment, "America/New_York") == "2026-03-08 03:30 EDT"
    assert instant(moment - timedelta(hours=1), "America/New_York") == "2026-03-08 01:30 EST"
    assert instant(moment, "Asia/Kolkata") == "2026-03-08 13:00 IST"
    assert instant(None, "UTC") == ""


@pytest.mark.parametrize(
    ("minutes", "told"),
    [
        (0, "less than a minute"),
        (1, "1 minute"),
        (119, "119 minutes"),
        (120, "2 hours"),
        (47 * 60 + 59, "47 hours"),
        (48 * 60, "2 days"),
    ],
)
def test_a_span_is_told_roughly(minutes: int, told: str) -> None:
    assert span(timedelta(minutes=minutes, seconds=30)) == told


def test_a_count_agrees_with_its_noun() -> None:
    assert [count(number, "run") for number in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]


@given(st.text(alphabet=st.characters(categories=["L", "N"], include_characters=" -_.&'()*?<>|;#~,")))
def test_a_quoted_name_is_one_word_again(name: str) -> None:
    assert shlex.split(quoted(name)) == [name]
