"""Values in the words of a person: instants, spans, counts, names to type."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from routebooks.engine.words import count as count
from routebooks.engine.words import span as span


def instant(value: datetime | None, zone: str) -> str:
    """A moment on the company's clock; nothing for none."""
    return f"{value.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M %Z}" if value is not None else ""


def next_times(instants: Sequence[datetime], zone: str) -> str:
    """Coming moments on the company's clock, the day said once for those that share it."""
    local = [each.astimezone(ZoneInfo(zone)) for each in instants]
    days = groupby(local, key=lambda each: f"{each:%a %Y-%m-%d}")
    return "; ".join(f"{day} {', '.join(f'{each:%H:%M}' for each in times)}" for day, times in days)


def quoted(name: str) -> str:
    """A name as it is typed into a shell."""
    return f'"{name}"' if not name or set(name) - _BARE else name


_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./{}")
