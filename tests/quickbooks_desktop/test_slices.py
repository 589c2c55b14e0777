"""Slices: together they are the whole, and what changes while they are read is in one of them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routebooks.connectors.quickbooks_desktop.queries import QUERIES
from routebooks.connectors.quickbooks_desktop.slices import slices
from routebooks.connectors.quickbooks_desktop.streams import page_request
from routebooks.records import Extract

NOW = datetime(2026, 11, 24, 2, 0, 0, 123456, tzinfo=UTC)
BY_NAME = [name for name, query in QUERIES.items() if query.paged and query.by_name]
BY_TIME = [name for name, query in QUERIES.items() if query.paged and not query.by_name]
WHOLE = [name for name, query in QUERIES.items() if not query.paged]
SINCE = st.none() | st.integers(0, 6000 * 24).map(lambda hours: NOW - timedelta(hours=hours))


NAMES = st.text("0aAzZé&-", min_size=1, max_size=6) | st.text(min_size=1, max_size=8)


def holds(part: Extract, name: str, changed: datetime) -> bool:
    """Whether a record of this name, changed then, is in the part: both ends count (and of a time whole seconds)."""
    first, last = part.name_range or ("", "")
    whole = changed.replace(microsecond=0)
    since, until = (at and at.replace(microsecond=0) for at in (part.modified_since, part.modified_until))
    in_names = first <= name.casefold() and (not last or name.casefold() <= last)
    return in_names and (since is None or since <= whole) and (until is None or whole <= until)


def cut(whole: Extract, chance: random.Random, times: int, *, last: bool = True) -> list[Extract]:
    """The slices after some of them were cut again, in their order; `last`: the last one, too."""
    parts = [whole]
    for _ in range(times):
        at = chance.randrange(max(1, len(parts) - (not last)))
        parts[at : at + 1] = slices(parts[at], NOW)
    return parts


@pytest.mark.parametrize("stream", [*BY_NAME, *BY_TIME])
@settings(deadline=None, max_examples=60)
@given(chance=st.randoms(use_true_random=False), name=NAMES, age=st.floats(0, 2e8), since=SINCE)
def test_no_record_falls_between_two_slices(
    stream: str, chance: random.Random, name: str, age: float, since: datetime | None
) -> None:
    changed = NOW - timedelta(seconds=age)
    whole = Extract(stream, 100, since)
    parts = cut(whole, chance, 4)
    assert any(holds(part, name, changed) for part in parts) == holds(whole, name, changed)


@pytest.mark.parametrize("stream", [*BY_NAME, *BY_TIME])
@settings(deadline=None, max_examples=60)
@given(chance=st.randoms(use_true_random=False), new=NAMES, minutes=st.integers(0, 600))
def test_a_record_that_changes_while_slices_are_read_is_read_as_it_is_then(
    stream: str, chance: random.Random, new: str, minutes: int
) -> None:
    # Of so many changes that their slice is cut itself, those that come while that is read wait for the next night.
    parts = cut(Extract(stream, 100), chance, 4, last=False)
    changed_before = chance.randrange(len(parts))
    assert any(holds(part, new, NOW + timedelta(minutes=minutes)) for part in parts[changed_before:])


@pytest.mark.parametrize("stream", WHOLE)
def test_what_comes_in_one_piece_has_no_slices(stream: str) -> None:
    assert slices(Extract(stream, 100), NOW) == (Extract(stream, 100),)


@pytest.mark.parametrize("stream", [*BY_NAME, *BY_TIME])
def test_every_slice_can_be_asked_for(stream: str) -> None:
    asked = [page_request("13.0", part) for part in slices(Extract(stream, 100), NOW)]
    assert len(set(asked)) == len(asked) > 10
