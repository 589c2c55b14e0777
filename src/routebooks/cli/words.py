"""Values in the words of a person: instants, spans, counts, names to type."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo


def instant(value: datetime | None, zone: str) -> str:
    """A moment on the company's clock; nothing for none."""
    return f"{value.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M %Z}" if value is not None else ""


def next_times(instants: Sequence[datetime], zone: str) -> str:
    """Coming moments on the company's clock, the day said once for those that share it."""
    local = [each.astimezone(ZoneInfo(zone)) for each in instants]
    days = groupby(local, key=lambda each: f"{each:%a %Y-%m-%d}")
    return "; ".join(f"{day} {', '.join(f'{each:%H:%M}' for each in times)}" for day, times in days)


def span(value: timedelta) -> str:
    """About how long."""
    minutes = int(value.total_seconds() // 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 120:
        return count(minutes, "minute")
    hours = minutes // 60
    return count(hours, "hour") if hours < 48 else count(hours // 24, "day")


def count(number: int, noun: str) -> str:
    """A number with its noun: 1 file, 2 files."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def quoted(name: str) -> str:
    """A name as it is typed into a shell."""
    return f'"{name}"' if not name or set(name) - _BARE else name


_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./{}")
