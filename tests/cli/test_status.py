"""status: one screen, and what needs a person first."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cli_program import Program
from house import Books, record
from routebooks.store import workers
from routebooks.webconnector.service import WebConnectorService


@pytest.fixture
def well(program: Program) -> Program:
    """A company whose Web Connector has called."""
    program.house.visit(Books())
    return program


def test_all_is_well(well: Program) -> None:
    said = well.json("status", "--check")
    assert said["needs_a_person"] is False
    [company] = said["companies"]
    assert set(company) == {"name", "cust_id", "time_zone", "connections", "flows", "rejected_open", "needs"}
    lines = well("status").stdout.splitlines()
    assert lines[0] == "Harbor (cust_id 4711)"
    assert lines[-1] == "Nothing needs a person."
    assert not [line for line in lines if line.startswith("!")]


def test_what_needs_a_person_is_marked_and_checked(well: Program) -> None:
    house = well.house
    house.run("customers")
    house.visit(Books({"customers": [record("1"), record("")]}))
    house.tick()
    said = well("status", "--check", code=1).stdout
    assert "!  rejected    records     1 open" in said
    assert "`routebooks rejected list --company Harbor`" in said
    well("status", code=0)
    assert well.json("status")["companies"][0]["needs"] == ["1 rejected record."]


def test_a_failed_flow_needs_a_person_until_it_runs_well(well: Program) -> None:
    house = well.house
    house.run("items")
    house.visit(lambda request: {"error": "hold"} if request["ask"] != "who" else Books()(request))
    assert well.json("status", "--check", code=1)["companies"][0]["needs"] == ["items: The toy said no."]
    house.run("items")
    house.visit(Books({"items": [record("1")]}))
    house.tick()
    well("status", "--check")


def test_companies_in_need_come_first(well: Program) -> None:
    well("company", "add", "Anchor", "--cust-id", "1")
    assert [company["name"] for company in well.json("status")["companies"]] == ["Anchor", "Harbor"]
    well("connection", "add", "Harbor", "second", "toy_caller")
    said = well.json("status")
    assert [company["name"] for company in said["companies"]] == ["Harbor", "Anchor"]
    assert said["companies"][0]["needs"] == [
        "second: Add its .qwc file to the Web Connector (`routebooks connection qwc`)."
    ]
    assert [company["name"] for company in well.json("status", "--company", "Anchor")["companies"]] == ["Anchor"]
    well("status", "--company", "Anchor", "--check")


def test_a_refused_and_a_paused_connection(well: Program) -> None:
    house = well.house
    well("connection", "pause", "Harbor", "toy_files")
    assert well.json("status")["companies"][0]["connections"][1]["state"] == "paused"
    well("status", "--check")
    house.run("items")
    house.visit(Books(name="Other"))
    assert "bound to 'Toy Company'" in well("status", "--check", code=1).stdout


def test_a_log_in_with_a_wrong_password_is_told(well: Program) -> None:
    house = well.house
    house.clock.on(minutes=1)
    WebConnectorService(house.ctx).authenticate(house.user_name, "guessed", "192.0.2.9")
    told = f"A log-in as {house.user_name} was refused less than a minute ago, for its password was wrong."
    assert told in well("status", "--check", code=1).stdout
    shown = well("connection", "show", "Harbor", "toy_caller").stdout
    assert told in shown
    assert "wrong password at" in shown
    assert "guessed" not in shown
    assert well.json("connection", "show", "Harbor", "toy_caller")["state"] == "shut out"


def test_the_server_is_shown_with_when_it_was_last_seen_and_a_silent_one_is_to_be_looked_at(well: Program) -> None:
    assert well.json("status")["workers"] == []
    with well.house.ctx.store.begin() as tx:
        for name, good_for in (("living", timedelta(hours=1)), ("silent", timedelta(hours=-1))):
            workers.add_worker(tx, name, host="mill", home=f"/srv/{name}", key_mark="", good_for=good_for)
    lines = well("status", "--check", code=1).stdout.splitlines()
    shown = next(line.split() for line in lines if "/srv/living" in line)
    assert (shown[:4], shown[-1]) == (["server", "/srv/living", "mill", "seen"], "ago")
    assert [line for line in lines if line.startswith("!") and "/srv/silent" in line]
    assert lines[-1] == "1 thing to look at, marked with !."
    living, silent = sorted(well.json("status")["workers"], key=lambda each: str(each["id"]))
    assert set(living) == {"id", "host", "home", "started_at", "seen_at", "seconds_ago", "needs"}
    assert (living["needs"], "routebooks serve" in silent["needs"]) == ("", True)
