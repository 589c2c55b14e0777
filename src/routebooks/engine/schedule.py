"""When a flow is due: a pure function of its schedule, its company's zone, its last run, and now."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from routebooks.engine.window import TIME
from routebooks.errors import ConfigError

MAX_MINUTES = 24 * 60


def at(text: str) -> dict[str, Any]:
    """Every night at a local time (`02:00`). Raises ConfigError."""
    if re.fullmatch(TIME, text) is None:
        raise ConfigError(f"{text!r} is not a time of day.", hint="Write it as 02:00.", code="time-unreadable")
    return {"kind": "at", "time": text}


def every(minutes: int) -> dict[str, Any]:
    """Every so many minutes. Raises ConfigError."""
    if not 1 <= minutes <= MAX_MINUTES:
        raise ConfigError(
            "A flow runs every 1 to 1440 minutes.", hint="Give a number between.", code="minutes-out-of-range"
        )
    return {"kind": "every", "minutes": minutes}


def begin(schedule: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The schedule as it is kept: what lies before its setting is not caught up."""
    return {**schedule, "since": now.isoformat()}


def since(schedule: Mapping[str, Any]) -> datetime | None:
    """When the schedule was set."""
    return datetime.fromisoformat(schedule["since"]) if "since" in schedule else None


def due(schedule: Mapping[str, Any], zone: str, last: datetime, now: datetime) -> datetime | None:
    """The instant for which a run is due now, or None. What was missed while we were away is caught up once.

    `last` is the due instant of the newest scheduled run (or the flow's making).
    """
    if schedule["kind"] == "every":
        step = timedelta(minutes=schedule["minutes"])
        passed = (now - last) // step
        return last + passed * step if passed >= 1 else None
    newest = _last_night(time.fromisoformat(schedule["time"]), ZoneInfo(zone), now)
    return newest if newest > last else None


def _last_night(at_time: time, zone: ZoneInfo, now: datetime) -> datetime:
    """The newest instant not after now at which the clock on the wall passed this time; once a local day."""
    today = now.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):
        instant = _on(day, at_time, zone)
        if instant <= now:
            return instant
    return _on(today - timedelta(days=2), at_time, zone)


def _on(day: date, at_time: time, zone: ZoneInfo) -> datetime:
    # fold=0: of a time that comes twice the first; one that does not come at all is moved on by the gap's length.
    return datetime.combine(day, at_time, tzinfo=zone).astimezone(UTC)


def words(schedule: Mapping[str, Any] | None) -> str:
    """The schedule in plain words."""
    if schedule is None:
        return "by hand"
    if schedule["kind"] == "every":
        return f"every {schedule['minutes']} minutes"
    return f"every night at {schedule['time']}"
