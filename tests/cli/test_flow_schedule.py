"""flow schedule: when flows run by themselves, in plain words and with the next times."""

from __future__ import annotations

from typing import Any

import pytest

from cli_program import Program


@pytest.mark.parametrize(
    ("typed", "kept", "words"),
    [
        (["--at", "02:00"], {"kind": "at", "time": "02:00", "missed": "once"}, "every night at 02:00"),
        (
            ["--every", "15", "--between", "06:00-20:00", "--days", "fri,mon", "--missed", "skip"],
            {"kind": "every", "minutes": 15, "from": "06:00", "to": "20:00", "days": ["mon", "fri"], "missed": "skip"},
            "every 15 minutes from 06:00 to 20:00 on Monday and Friday, left out when missed",
        ),
        (
            ["--cron", "0 3 * * *"],
            {"kind": "cron", "cron": "0 3 * * *", "missed": "once"},
            "at 03:00 every day (cron 0 3 * * *)",
        ),
        (["--never"], None, "by hand"),
    ],
)
def test_a_flow_is_scheduled(program: Program, typed: list[str], kept: dict[str, Any] | None, words: str) -> None:
    (said,) = program.json("flow", "schedule", "Harbor", "items", *typed)
    expected = kept and {**kept, "since": program.house.clock().isoformat()}
    assert (said["schedule"], said["schedule_in_words"]) == (expected, words)
    assert len(said["next"]) == (5 if kept else 0)
    assert program.house.flow("items").schedule == expected
    assert program.audit()[-1] == ("command line", "schedule flow", "items")


def test_a_night_is_scheduled_as_one_and_shown_without_a_change(program: Program) -> None:
    said = program.json("flow", "schedule", "Harbor", "night", "--at", "02:00")
    assert {each["schedule_in_words"] for each in said} == {"every night at 02:00"}
    assert all(program.house.flow(each["name"]).direction == "out" for each in said)
    before = len(program.audit())
    assert program.json("flow", "schedule", "Harbor", "night") == said
    assert len(program.audit()) == before


def test_the_next_times_are_told_on_the_company_s_clock(program: Program) -> None:
    shown = program("flow", "schedule", "Harbor", "items", "--at", "02:00").stdout
    (said,) = program.json("flow", "schedule", "Harbor", "items")
    assert shown.count("02:00") == 1 + len(said["next"]) == 6


def test_a_flow_that_is_off_has_no_next_time(program: Program) -> None:
    program("flow", "schedule", "Harbor", "items", "--at", "02:00")
    program("flow", "off", "Harbor", "items")
    (said,) = program.json("flow", "schedule", "Harbor", "items")
    assert (said["next"], said["schedule_in_words"]) == ([], "every night at 02:00 (the flow is off)")


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (["--at", "02:00", "--never"], "schedule-not-one"),
        (["--at", "02:00", "--every", "5"], "schedule-not-one"),
        (["--days", "mon"], "schedule-not-one"),
        (["--at", "tonight"], "time-unreadable"),
        (["--at", "02:00", "--between", "06:00-20:00"], "schedule-unfit"),
        (["--every", "0"], "minutes-out-of-range"),
        (["--every", "5", "--between", "6-20"], "window-unreadable"),
        (["--every", "5", "--between", "always"], "window-unreadable"),
        (["--every", "5", "--days", "someday"], "day-unreadable"),
        (["--cron", "soon"], "cron-unreadable"),
    ],
)
def test_a_schedule_that_is_none_is_refused(program: Program, typed: list[str], code: str) -> None:
    assert f"[{code}]" in program.refused("flow", "schedule", "Harbor", "items", *typed)
    assert program.house.flow("items").schedule is None
