"""The window of a connection, in the company's own time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from routebooks.engine.window import opens_in, parse_window
from routebooks.errors import ConfigError

NIGHT = {"from": "19:00", "to": "07:00"}


@pytest.mark.parametrize(
    ("local", "wait"),
    [("19:00", 0), ("23:59", 0), ("00:00", 0), ("06:59", 0), ("07:00", 12 * 60), ("18:59", 1), ("12:30", 6 * 60 + 30)],
)
def test_over_midnight(local: str, wait: int) -> None:
    now = datetime.fromisoformat(f"2026-06-10T{local}:00-04:00").astimezone(UTC)
    assert opens_in(NIGHT, "America/New_York", now) == timedelta(minutes=wait)


def test_within_a_day_and_always() -> None:
    now = datetime(2026, 6, 10, 12, tzinfo=UTC)
    assert opens_in({"from": "09:00", "to": "11:00"}, "UTC", now) == timedelta(hours=21)
    assert opens_in({"from": "11:00", "to": "13:00"}, "UTC", now) == timedelta(0)
    assert opens_in(None, "UTC", now) == timedelta(0)


def test_the_night_of_the_clock_change_is_an_hour_longer() -> None:
    before = datetime.fromisoformat("2026-11-01T00:30:00-04:00").astimezone(UTC)
    assert opens_in({"from": "03:00", "to": "05:00"}, "America/New_York", before) == timedelta(hours=3, minutes=30)


def test_reading_a_window() -> None:
    assert parse_window("19:00-07:00") == NIGHT
    assert parse_window("always") is None
    for wrong in ("evenings", "19:00-07:00-01:00", "19:00+05:00-07:00", "19:00:30-07:00", "24:00-07:00", ""):
        with pytest.raises(ConfigError):
            parse_window(wrong)
