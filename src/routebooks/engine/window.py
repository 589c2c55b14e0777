"""When a connection may be used: its window in the company's own time, and its pause."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from routebooks.errors import ConfigError

#: hours and minutes; seconds and offsets would be taken and not shown
TIME = r"((?:[01]\d|2[0-3]):[0-5]\d)"


def parse_window(text: str) -> dict[str, str] | None:
    """`19:00-07:00` as a window; `always` as none. Raises ConfigError."""
    if text == "always":
        return None
    found = re.fullmatch(rf"{TIME}\s*-\s*{TIME}", text.strip())
    if found is None:
        raise ConfigError(
            f"{text!r} is not a window.", hint="Write it as 19:00-07:00, or always.", code="window-unreadable"
        )
    return {"from": found[1], "to": found[2]}


def opens_in(window: Mapping[str, str] | None, zone: str, now: datetime) -> timedelta:
    """How long until the window opens; nothing when it is open. A window may run over midnight."""
    if window is None:
        return timedelta(0)
    start, end = time.fromisoformat(window["from"]), time.fromisoformat(window["to"])
    local = now.astimezone(ZoneInfo(zone))
    inside = start <= local.time() < end if start < end else local.time() >= start or local.time() < end
    if inside or start == end:
        return timedelta(0)
    opening = local.replace(hour=start.hour, minute=start.minute, second=0, microsecond=0)
    if opening <= local:
        opening += timedelta(days=1)
    # Compared as instants: the day may have 23 or 25 hours.
    return opening.astimezone(now.tzinfo) - now
