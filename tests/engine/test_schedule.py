"""Schedules: due once, caught up once, and neither doubled nor lost when the clocks change."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routebooks.engine import schedule
from routebooks.errors import ConfigError

ZONES = ("UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu")


def walk(plan: dict[str, object], zone: str, start: datetime, end: datetime, step: timedelta) -> list[datetime]:
    """The due instants of an installation that looks every `step`."""
    last, now, found = start, start, []
    while now <= end:
        due = schedule.due(plan, zone, last, now)
        if due is not None:
            found.append(due)
            last = due
        now += step
    return found


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(ZONES),
    st.integers(0, 23),
    st.integers(0, 59),
    st.dates(date(2020, 1, 1), date(2040, 12, 1)),
)
def test_every_local_day_has_its_night_once(zone: str, hour: int, minute: int, first: date) -> None:
    plan = schedule.at(f"{hour:02}:{minute:02}")
    start = datetime.combine(first, datetime.min.time(), UTC)
    found = walk(plan, zone, start, start + timedelta(days=20), timedelta(minutes=30))
    days = [instant.astimezone(ZoneInfo(zone)).date() for instant in found]
    assert len(days) == len(set(days))
    assert all(later - earlier == timedelta(days=1) for earlier, later in itertools.pairwise(days))
    assert len(days) in (20, 19, 21)


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2026-11-01", "2026-11-01T05:30:00+00:00"), ("2026-03-08", "2026-03-08T07:30:00+00:00")],
)
def test_a_time_that_comes_twice_or_not_at_all_runs_once(day: str, expected: str) -> None:
    plan = schedule.at("01:30" if day.startswith("2026-11") else "02:30")
    start = datetime.fromisoformat(f"{day}T00:00:00-04:00").astimezone(UTC)
    found = walk(plan, "America/New_York", start, start + timedelta(hours=20), timedelta(minutes=10))
    assert [instant.isoformat() for instant in found] == [expected]


def test_what_was_missed_is_caught_up_once() -> None:
    start = datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert schedule.due(schedule.at("02:00"), "UTC", start, start + timedelta(days=9)) == datetime(
        2026, 5, 10, 2, tzinfo=UTC
    )
    assert schedule.due(schedule.every(15), "UTC", start, start + timedelta(minutes=47)) == start + timedelta(
        minutes=45
    )


def test_nothing_is_due_before_its_time() -> None:
    start = datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert schedule.due(schedule.at("12:30"), "UTC", start, start + timedelta(minutes=29)) is None
    assert schedule.due(schedule.every(15), "UTC", start, start + timedelta(minutes=14)) is None


@pytest.mark.parametrize("text", ["25:00", "noon", "", "2", "02:00:30", "02:00+01:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        schedule.at(text)


def test_words() -> None:
    assert schedule.words(schedule.at("02:00")) == "every night at 02:00"
    assert schedule.words(schedule.every(15)) == "every 15 minutes"
    assert schedule.words(None) == "by hand"
    with pytest.raises(ConfigError):
        schedule.every(0)
