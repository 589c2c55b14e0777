"""When a flow is due: a pure function of its schedule, its company's zone, its last run, and now.

A schedule is kept as JSON: `kind` (at, every, cron) and its own, `missed` (once, skip), `since` (when it was set).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from routebooks.engine.window import TIME
from routebooks.errors import ConfigError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAX_MINUTES = 24 * 60
#: what began later than this after its time was missed; a schedule that skips leaves it then
GRACE = timedelta(minutes=10)
#: how far back the newest time of a weekly schedule can lie, with a day for a window over midnight
_BACK = 9
_WHOLE_DAY = ("00:00", "24:00")


def at(text: str, days: Sequence[str] = (), *, missed: str = "once") -> dict[str, Any]:
    """At a local time (`02:00`) of these weekdays; of all without any. Raises ConfigError."""
    return {"kind": "at", "time": _time(text), **_days(days), "missed": missed}


def every(
    minutes: int, between: tuple[str, str] | None = None, days: Sequence[str] = (), *, missed: str = "once"
) -> dict[str, Any]:
    """Every so many minutes between two local times, both included; from midnight to midnight without them.

    A pair of times like 22:00 and 04:00 runs over midnight and belongs to the day it begins on. Raises ConfigError.
    """
    if not 1 <= minutes <= MAX_MINUTES:
        raise ConfigError(
            "A flow runs every 1 to 1440 minutes.", hint="Give a number between.", code="minutes-out-of-range"
        )
    window = {"from": _time(between[0]), "to": _time(between[1])} if between else {}
    return {"kind": "every", "minutes": minutes, **window, **_days(days), "missed": missed}


def cron(expression: str, *, missed: str = "once") -> dict[str, Any]:
    """By five cron fields, in the company's time. Raises ConfigError for what is none, or never comes."""
    try:
        if len(expression.split()) != 5:
            raise CronSimError("it has not five fields")
        next(CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration) as error:
        raise ConfigError(
            f"{expression!r} is no cron expression: {str(error) or 'it never comes'}.",
            hint="Five fields: minute, hour, day of month, month, day of week; for instance `30 2 * * 1-5`.",
            code="cron-unreadable",
        ) from error
    return {"kind": "cron", "cron": expression, "missed": missed}


def _time(text: str) -> str:
    if re.fullmatch(TIME, text) is None:
        raise ConfigError(f"{text!r} is not a time of day.", hint="Write it as 02:00.", code="time-unreadable")
    return text


def _days(days: Sequence[str]) -> dict[str, Any]:
    chosen = [day.strip().lower()[:3] for day in days]
    if unknown := [day for day, short in zip(days, chosen, strict=True) if short not in DAYS]:
        raise ConfigError(
            f"{unknown[0]!r} is not a day of the week.", hint="Write days as mon,tue,fri.", code="day-unreadable"
        )
    return {"days": sorted(set(chosen), key=DAYS.index)} if chosen and set(chosen) != set(DAYS) else {}


def begin(schedule: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The schedule as it is kept: what lies before its setting is not caught up."""
    return {**schedule, "since": now.isoformat()}


def settled(schedule: Mapping[str, Any], made_at: datetime, last: datetime | None) -> datetime:
    """Up to when nothing is missing: the due instant of the newest scheduled run, or when the schedule was set.

    A schedule that does not say when it was set counts from `made_at`, when its flow was made.
    """
    since = datetime.fromisoformat(schedule["since"]) if "since" in schedule else made_at
    return max(since, last) if last is not None else since


def skips(schedule: Mapping[str, Any] | None) -> bool:
    """Whether what was missed is left out instead of caught up."""
    return schedule is not None and schedule.get("missed") == "skip"


def due(schedule: Mapping[str, Any], zone: str, last: datetime, now: datetime) -> datetime | None:
    """The instant for which a run is due now, or None. Of several that were missed only the newest is caught up.

    `last` is up to when nothing is missing (`settled`).
    """
    newest = _newest(schedule, ZoneInfo(zone), now)
    if newest is None or newest <= last or (skips(schedule) and now - newest > GRACE):
        return None
    return newest


def upcoming(schedule: Mapping[str, Any], zone: str, now: datetime, count: int = 5) -> list[datetime]:
    """The next instants after now, in UTC."""
    return list(islice(_after(schedule, ZoneInfo(zone), now), count))


def _newest(schedule: Mapping[str, Any], zone: ZoneInfo, now: datetime) -> datetime | None:
    if schedule["kind"] == "cron":
        # It looks for what lies before, and a time of this very minute counts.
        backwards = CronSim(schedule["cron"], now.astimezone(zone) + timedelta(minutes=1), reverse=True)
        return next((each for each in map(_utc, islice(backwards, 3)) if each <= now), None)
    today = now.astimezone(zone).date()
    for back in range(-1, _BACK):
        found = [each for each in _on(schedule, today - timedelta(days=back), zone) if each <= now]
        if found:
            return found[-1]
    return None


def _after(schedule: Mapping[str, Any], zone: ZoneInfo, now: datetime) -> Iterator[datetime]:
    if schedule["kind"] == "cron":
        yield from (each for each in map(_utc, CronSim(schedule["cron"], now.astimezone(zone))) if each > now)
        return
    last, day = now, now.astimezone(zone).date() - timedelta(days=1)
    while True:
        for each in _on(schedule, day, zone):
            if each > last:
                yield each
                last = each
        day += timedelta(days=1)


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC)


def _on(schedule: Mapping[str, Any], day: date, zone: ZoneInfo) -> list[datetime]:
    """The instants that belong to a local day, in order. Counted in real minutes: a day may have 23 or 25 hours."""
    if DAYS[day.weekday()] not in schedule.get("days", DAYS):
        return []
    if schedule["kind"] == "at":
        return [_instant(day, schedule["time"], zone)]
    start, end = (schedule.get(name, whole) for name, whole in zip(("from", "to"), _WHOLE_DAY, strict=True))
    first = _instant(day, start, zone)
    last = _instant(day if start < end else day + timedelta(days=1), end, zone)
    if start == end or end == _WHOLE_DAY[1]:
        last -= timedelta(minutes=1)  # its end is the beginning of the next
    step = timedelta(minutes=schedule["minutes"])
    # When the clocks go forward the end may come before the beginning; that day still has its first.
    return [first + number * step for number in range(max(0, (last - first) // step) + 1)]


def _instant(day: date, text: str, zone: ZoneInfo) -> datetime:
    if text == _WHOLE_DAY[1]:
        day, text = day + timedelta(days=1), _WHOLE_DAY[0]
    # fold=0: of a time that comes twice the first; one that does not come at all is moved on by the gap's length.
    return _utc(datetime.combine(day, time.fromisoformat(text), tzinfo=zone))


def words(schedule: Mapping[str, Any] | None) -> str:
    """The schedule in plain words."""
    if schedule is None:
        return "by hand"
    left_out = ", left out when missed" if skips(schedule) else ""
    if schedule["kind"] == "cron":
        told = CronSim(schedule["cron"], datetime(2026, 1, 1, tzinfo=UTC)).explain()
        return f"{told[:1].lower()}{told[1:]} (cron {schedule['cron']}){left_out}"
    days = _days_in_words(schedule.get("days", DAYS))
    if schedule["kind"] == "at":
        return f"every night at {schedule['time']}{left_out}" if not days else f"at {schedule['time']}{days}{left_out}"
    between = f" from {schedule['from']} to {schedule['to']}" if "from" in schedule else ""
    minutes = "minute" if schedule["minutes"] == 1 else f"{schedule['minutes']} minutes"
    return f"every {minutes}{between}{days}{left_out}"


def _days_in_words(days: Sequence[str]) -> str:
    match tuple(days):
        case found if found == DAYS:
            return ""
        case ("mon", "tue", "wed", "thu", "fri"):
            return " from Monday to Friday"
        case ("sat", "sun"):
            return " on Saturday and Sunday"
        case found:
            names = {day: date(2024, 1, 1 + number).strftime("%A") for number, day in enumerate(DAYS)}
            *most, last = (names[day] for day in found)
            return f" on {', '.join(most)} and {last}" if most else f" on {last}"
