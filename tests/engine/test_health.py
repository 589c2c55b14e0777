"""How connections and flows are doing, from rows alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from routebooks.engine import schedule
from routebooks.engine.health import Health, connection_health, flow_health, is_late, overdue
from routebooks.store.companies import Caller, ConnectionRow
from routebooks.store.flows import Flow
from routebooks.store.runs import Phase, Run, State

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
ROW = ConnectionRow(
    id=1,
    company_id=1,
    name="office",
    connector="toy",
    settings={},
    secrets="",
    window=None,
    paused_at=None,
    created_at=NOW,
)
CALLER = Caller(
    connection_id=1,
    user_name="rb",
    password_hash="",
    file_id="{}",
    bound_company="Harbor",
    bound_path="C:/a",
    bound_at=NOW,
    product="QuickBooks",
    seen_path=None,
    refused=None,
    last_problem=None,
    last_seen_at=NOW,
    silent_after_minutes=60,
)
SAID = {"code": "c", "message": "It is so.", "hint": "Do this."}


@pytest.mark.parametrize(
    ("change", "state", "needs"),
    [
        ({}, "ready", ""),
        ({"last_seen_at": None}, "not seen", ".qwc"),
        ({"last_seen_at": NOW - timedelta(minutes=61)}, "silent", "for 61 minutes"),
        ({"last_seen_at": NOW - timedelta(minutes=60)}, "ready", ""),
        ({"wrong_password_at": NOW - timedelta(minutes=1)}, "ready", ""),
        ({"wrong_password_at": NOW, "last_seen_at": NOW - timedelta(minutes=61)}, "shut out", "as rb was refused less"),
        ({"wrong_password_at": NOW - timedelta(minutes=5), "last_seen_at": None}, "shut out", "5 minutes ago"),
        ({"seen_path": "D:/a"}, "moved", "lies at D:/a now"),
        ({"refused": SAID}, "refused", "It is so. Do this."),
        ({"last_problem": SAID}, "in trouble", "It is so. Do this."),
        ({"last_problem": SAID, "refused": SAID, "seen_path": "D:/a"}, "refused", "It is so. Do this."),
    ],
)
def test_a_connection_is_as_its_caller_was_last_heard(change: dict[str, Any], state: str, needs: str) -> None:
    health = connection_health(ROW, replace(CALLER, **change), NOW)
    assert health.state == state
    assert needs in health.needs
    assert bool(health.needs) is (state != "ready")


def test_a_pause_is_somebodys_wish_and_needs_nobody() -> None:
    paused = replace(ROW, paused_at=NOW)
    assert connection_health(paused, CALLER, NOW + timedelta(days=9)).state == "paused"
    assert connection_health(paused, None, NOW).needs == ""
    assert connection_health(paused, replace(CALLER, refused=SAID), NOW).state == "refused"
    assert connection_health(ROW, None, NOW).state == "ready"


def test_a_connection_that_nothing_went_over_yet_is_not_called_ready() -> None:
    assert connection_health(ROW, None, NOW, used=False) == Health("not used")
    assert connection_health(ROW, None, NOW, SAID, used=False).state == "failing"
    assert connection_health(ROW, CALLER, NOW, used=False).state == "ready"


FLOW = Flow(
    id=1,
    company_id=1,
    name="customers",
    direction="out",
    source_id=1,
    target_id=2,
    stream="customers",
    target="customer",
    map_name="customers",
    map_text=None,
    enabled=True,
    incremental=False,
    settings={},
    schedule=None,
    late_after_minutes=240,
    expires_after_minutes=1440,
    created_at=NOW - timedelta(days=9),
)
RUN = Run(
    id=7,
    company_id=1,
    flow_id=1,
    trigger="schedule",
    phase=Phase.EXTRACT,
    state=State.WAITING,
    waits_for="QuickBooks",
    tries=0,
    not_before=NOW,
    late_after=NOW + timedelta(hours=4),
    expires_at=NOW + timedelta(days=1),
    night_id=1,
    created_at=NOW,
    started_at=None,
    finished_at=None,
    records_read=0,
    records_written=0,
    records_rejected=0,
    records_left_out=0,
    notes=[],
    problem=None,
    superseded_by=None,
)
DONE = replace(RUN, id=5, state=State.DONE)
FAILED = replace(RUN, id=6, state=State.FAILED, problem=SAID)


@pytest.mark.parametrize(
    ("recent", "state", "needs"),
    [
        ([], "never ran", ""),
        ([RUN], "waiting", ""),
        ([DONE], "done", ""),
        ([FAILED, DONE], "failed", "It is so. Do this."),
        ([DONE, FAILED], "done", ""),
        ([RUN, FAILED], "waiting", ""),
        ([replace(RUN, state=State.SUPERSEDED), DONE], "done", ""),
        ([replace(FAILED, state=State.EXPIRED)], "expired", "It is so. Do this."),
        ([replace(RUN, state=State.CANCELLED)], "cancelled", ""),
    ],
)
def test_a_flow_is_as_its_last_run_ended(recent: list[Run], state: str, needs: str) -> None:
    health = flow_health(FLOW, "UTC", recent, None, NOW)
    assert (health.state, health.needs) == (state, needs)


def test_a_run_is_late_after_its_time_and_only_while_it_lasts() -> None:
    assert not is_late(RUN, RUN.late_after)
    assert is_late(RUN, RUN.late_after + timedelta(seconds=1))
    assert not is_late(replace(RUN, state=State.DONE), RUN.late_after + timedelta(days=1))
    health = flow_health(FLOW, "UTC", [RUN], RUN, NOW + timedelta(hours=5))
    assert (health.state, health.needs) == ("late", "Run 7 is late; it waits for QuickBooks.")


def test_a_run_that_nobody_made_is_overdue() -> None:
    nightly = replace(FLOW, schedule={"kind": "at", "time": "01:00"})
    begun = datetime(2026, 3, 1, 1, tzinfo=UTC)
    last = replace(DONE, not_before=begun, created_at=begun)
    due = datetime(2026, 3, 2, 1, tzinfo=UTC)
    assert overdue(nightly, "UTC", [last], last, due + timedelta(hours=4)) is None
    assert overdue(nightly, "UTC", [last], last, due + timedelta(hours=4, minutes=1)) == due
    assert overdue(nightly, "UTC", [last], replace(last, not_before=due), NOW) is None
    again = replace(last, trigger="resend", created_at=due + timedelta(hours=1))
    assert overdue(nightly, "UTC", [again, last], last, NOW) == due
    assert overdue(replace(nightly, enabled=False), "UTC", [last], last, NOW) is None
    health = flow_health(nightly, "UTC", [last], last, NOW)
    assert health.state == "late"
    assert "due 5 hours ago" in health.needs
    assert flow_health(replace(nightly, enabled=False), "UTC", [last], last, NOW).state == "off"


def test_a_flow_of_many_turns_is_late_since_the_first_that_never_came() -> None:
    begun = datetime(2026, 3, 2, 1, tzinfo=UTC)
    often = replace(FLOW, schedule={"kind": "every", "minutes": 15})
    last = replace(DONE, not_before=begun, created_at=begun)
    assert overdue(often, "UTC", [last], last, begun + timedelta(hours=4, minutes=15)) is None
    assert overdue(often, "UTC", [last], last, NOW) == begun + timedelta(minutes=15)


def test_what_was_due_before_a_schedule_was_set_is_not_late() -> None:
    nightly = replace(FLOW, schedule=schedule.begin(schedule.at("01:00"), NOW - timedelta(minutes=1)))
    assert flow_health(nightly, "UTC", [], None, NOW).state == "never ran"
    assert flow_health(nightly, "UTC", [], None, NOW + timedelta(hours=24)).state == "late"


def test_a_turn_that_was_left_out_is_late_until_somebody_makes_up_for_it() -> None:
    skipping = replace(FLOW, schedule=schedule.at("01:00", missed="skip"))
    begun = datetime(2026, 3, 1, 1, tzinfo=UTC)
    last = replace(DONE, not_before=begun, created_at=begun)
    health = flow_health(skipping, "UTC", [last], last, NOW)
    assert health.state == "late"
    assert "was left out: `routebooks flow run`" in health.needs
    assert flow_health(skipping, "UTC", [replace(DONE, trigger="person"), last], last, NOW).state == "done"
