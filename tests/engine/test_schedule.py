"""Schedules: due once, caught up once or left out, and neither doubled nor lost when the clocks change."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from routebooks.engine import schedule
from routebooks.errors import ConfigError

ZONES = st.sampled_from(sorted(available_timezones()))
FIRST_DAYS = st.dates(date(2020, 1, 1), date(2040, 11, 30))
TIMES = st.times().map(lambda each: each.strftime("%H:%M"))
WEEKDAYS = st.lists(st.sampled_from(schedule.DAYS), unique=True)
MISSED = st.sampled_from(("once", "skip"))

NEW_YORK = "America/New_York"


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Any]:
    days, missed = draw(WEEKDAYS), draw(MISSED)
    match draw(st.sampled_from(("at", "every", "between", "cron"))):
        case "at":
            return schedule.at(draw(TIMES), days, missed=missed)
        case "every":
            return schedule.every(draw(st.integers(5, 1440)), days=days, missed=missed)
        case "between":
            return schedule.every(draw(st.integers(5, 1440)), (draw(TIMES), draw(TIMES)), days, missed=missed)
        case _:
            minute, hour = draw(st.integers(0, 59)), draw(st.integers(0, 23))
            return schedule.cron(f"{minute} {hour} * * {draw(st.sampled_from(('*', '1-5', 'sun')))}", missed=missed)


def midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


def walk(plan: dict[str, Any], zone: str, start: datetime, end: datetime, step: timedelta) -> list[datetime]:
    """The due instants of an installation that looks every `step`."""
    last, now, found = start, start, []
    while now <= end:
        due = schedule.due(plan, zone, last, now)
        if due is not None:
            found.append(due)
            last = due
        now += step
    return found


# A look a minute is many looks: few days, for every kind of schedule.
@settings(deadline=None, max_examples=40)
@given(plans(), ZONES, FIRST_DAYS)
def test_a_server_that_looks_often_makes_each_upcoming_time_once(plan: dict[str, Any], zone: str, first: date) -> None:
    start = midnight(first, zone)
    end = start + timedelta(hours=26)
    told = schedule.upcoming(plan, zone, start, 400)
    assert told == sorted(set(told))
    wanted = [each for each in told if each <= end]
    assert walk(plan, zone, start, end, timedelta(minutes=1)) == wanted


def own_day(instant: datetime, zone: str, text: str) -> date:
    """The local day whose time it is: in Greenland the clocks have jumped over midnight, and 23:00 came at 0:00."""
    local = instant.astimezone(ZoneInfo(zone))
    before = (instant - timedelta(hours=3)).astimezone(ZoneInfo(zone)).utcoffset()
    assert before is not None
    return local.date() if local.strftime("%H:%M") == text else (instant + before).date()


@example("America/Godthab", "23:00", date(2024, 3, 1))
@example("America/Nuuk", "00:00", date(2020, 3, 1))
@settings(deadline=None, max_examples=200)
@given(ZONES, TIMES, FIRST_DAYS)
def test_every_local_day_has_its_night_once(zone: str, text: str, first: date) -> None:
    nights = schedule.upcoming(schedule.at(text), zone, midnight(first, zone) - timedelta(seconds=1), 30)
    days = [own_day(instant, zone, text) for instant in nights]
    assert days == [days[0] + timedelta(days=number) for number in range(30)]


@example("America/Godthab", 23, 0, date(2024, 3, 1))
@example("America/Nuuk", 0, 0, date(2020, 3, 1))
@settings(deadline=None, max_examples=200)
@given(ZONES, st.integers(0, 23), st.integers(0, 59), FIRST_DAYS)
def test_cron_and_a_nightly_time_agree_but_where_the_clocks_jump(zone: str, hour: int, minute: int, day: date) -> None:
    # Just before, for midnight itself may be the end of a gap.
    start, text = midnight(day, zone) - timedelta(seconds=1), f"{hour:02}:{minute:02}"
    nightly = schedule.upcoming(schedule.at(text), zone, start, 30)
    by_cron = schedule.upcoming(schedule.cron(f"{minute} {hour} * * *"), zone, start, 30)
    # cron makes up for a time that does not come at the very end of the gap, the nightly one by the gap's length later;
    # the longest gap is that of Casey, three hours
    assert all(abs(one - other) < timedelta(hours=3) for one, other in zip(nightly, by_cron, strict=True))
    assert len({own_day(each, zone, text) for each in by_cron}) == 30


@settings(deadline=None, max_examples=150)
@given(ZONES, st.integers(1, 1440), TIMES, TIMES, WEEKDAYS, FIRST_DAYS)
def test_steps_are_real_minutes_inside_their_window(
    zone: str, minutes: int, start: str, end: str, days: list[str], first: date
) -> None:
    plan = schedule.every(minutes, (start, end), days)
    found = schedule.upcoming(plan, zone, midnight(first, zone), 60)
    assert all(one < other for one, other in itertools.pairwise(found))
    chosen = plan.get("days", schedule.DAYS)
    for instant in found:
        local = instant.astimezone(ZoneInfo(zone))
        began = local if start < end or local.strftime("%H:%M") >= start else local - timedelta(days=1)
        moved = local.utcoffset() != (local - timedelta(days=1)).utcoffset()
        assert moved or schedule.DAYS[began.weekday()] in chosen
        if start < end and not moved:
            assert start <= local.strftime("%H:%M") <= end


@pytest.mark.parametrize(
    ("day", "text", "expected"),
    [
        ("2026-11-01", "01:30", "2026-11-01T05:30:00+00:00"),
        ("2026-03-08", "02:30", "2026-03-08T07:30:00+00:00"),
    ],
)
def test_a_time_that_comes_twice_or_not_at_all_runs_once(day: str, text: str, expected: str) -> None:
    start = midnight(date.fromisoformat(day), NEW_YORK)
    found = walk(schedule.at(text), NEW_YORK, start, start + timedelta(hours=20), timedelta(minutes=10))
    assert [instant.isoformat() for instant in found] == [expected]


def test_between_two_times_both_count() -> None:
    plan = schedule.every(60, ("06:00", "09:00"), ["fri"])
    told = schedule.upcoming(plan, NEW_YORK, datetime(2026, 11, 24, tzinfo=UTC), 5)
    local = [each.astimezone(ZoneInfo(NEW_YORK)).strftime("%a %d %H:%M") for each in told]
    assert local == ["Fri 27 06:00", "Fri 27 07:00", "Fri 27 08:00", "Fri 27 09:00", "Fri 04 06:00"]


def test_a_window_over_midnight_belongs_to_the_day_it_begins_on() -> None:
    plan = schedule.every(120, ("22:00", "03:00"), ["sat"])
    told = schedule.upcoming(plan, "UTC", datetime(2026, 11, 24, tzinfo=UTC), 4)
    assert [each.strftime("%a %H:%M") for each in told] == ["Sat 22:00", "Sun 00:00", "Sun 02:00", "Sat 22:00"]
    assert schedule.due(plan, "UTC", told[1], told[2] + timedelta(minutes=3)) == told[2]


def test_a_window_that_the_clocks_jump_over_still_has_its_first() -> None:
    plan = schedule.every(15, ("02:10", "02:50"))
    told = schedule.upcoming(plan, NEW_YORK, midnight(date(2026, 3, 8), NEW_YORK), 3)
    assert [each.astimezone(ZoneInfo(NEW_YORK)).strftime("%H:%M") for each in told] == ["03:10", "03:25", "03:40"]


def test_what_was_missed_is_caught_up_once() -> None:
    start = datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert schedule.due(schedule.at("02:00"), "UTC", start, start + timedelta(days=9)) == datetime(
        2026, 5, 10, 2, tzinfo=UTC
    )
    assert schedule.due(schedule.every(15), "UTC", start, start + timedelta(minutes=47)) == start + timedelta(
        minutes=45
    )


def test_what_was_missed_is_left_out_where_that_is_wanted() -> None:
    plan, night = schedule.at("02:00", missed="skip"), datetime(2026, 5, 2, 2, tzinfo=UTC)
    start = datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert schedule.due(plan, "UTC", start, night + schedule.GRACE) == night
    assert schedule.due(plan, "UTC", start, night + schedule.GRACE + timedelta(seconds=1)) is None


def test_nothing_is_due_before_its_time() -> None:
    start = datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert schedule.due(schedule.at("12:30"), "UTC", start, start + timedelta(minutes=29)) is None
    assert schedule.due(schedule.every(15), "UTC", start, start + timedelta(minutes=14)) is None


@pytest.mark.parametrize("text", ["25:00", "noon", "", "2", "02:00:30", "02:00+01:00", "24:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        schedule.at(text)


@pytest.mark.parametrize("text", ["", "* * * *", "* * * * * *", "0 0 30 2 *", "61 * * * *", "soon"])
def test_what_is_no_cron_expression_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="cron"):
        schedule.cron(text)


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (None, "by hand"),
        (schedule.at("02:00"), "every night at 02:00"),
        (schedule.at("02:00", ["Friday", "mon"]), "at 02:00 on Monday and Friday"),
        (schedule.at("02:00", missed="skip"), "every night at 02:00, left out when missed"),
        (schedule.every(15), "every 15 minutes"),
        (schedule.every(1, days=["sat", "sun"]), "every minute on Saturday and Sunday"),
        (
            schedule.every(30, ("06:00", "20:00"), ["mon", "tue", "wed", "thu", "fri"]),
            "every 30 minutes from 06:00 to 20:00 from Monday to Friday",
        ),
        (schedule.cron("30 2 * * 1-5"), "at 02:30 on Monday through Friday (cron 30 2 * * 1-5)"),
    ],
)
def test_words(plan: dict[str, Any] | None, expected: str) -> None:
    assert schedule.words(plan) == expected


def test_what_is_no_day_or_number_of_minutes_is_refused() -> None:
    with pytest.raises(ConfigError, match="day of the week"):
        schedule.at("02:00", ["xyz"])
    with pytest.raises(ConfigError):
        schedule.every(0)
