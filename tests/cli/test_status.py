"""status: one screen, and what needs a person first."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cli_program import Program
from house import Books, record, records
from routebooks.connectors.base import Check
from routebooks.store import workers
from routebooks.store.runs import State
from routebooks.webconnector.service import WebConnectorService


@pytest.fixture
def well(program: Program) -> Program:
    """A company whose Web Connector has called, and a server at work."""
    program.house.visit(Books())
    program.house.serve()
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
    well.house.end()
    with well.house.ctx.store.begin() as tx:
        for name, good_for in (("living", timedelta(hours=1)), ("silent", timedelta(hours=-1))):
            workers.add_worker(tx, name, host="mill", home=f"/srv/{name}", address="", key_mark="", good_for=good_for)
    lines = well("status", "--check", code=1).stdout.splitlines()
    shown = next(line.split() for line in lines if "/srv/living" in line)
    assert (shown[:4], shown[-1]) == (["server", "/srv/living", "mill", "seen"], "ago")
    assert [line for line in lines if line.startswith("!") and "/srv/silent" in line]
    assert lines[-1] == "1 thing to look at, marked with !."
    living, silent = sorted(well.json("status")["workers"], key=lambda each: str(each["id"]))
    assert set(living) == {"id", "host", "home", "started_at", "seen_at", "seconds_ago", "needs"}
    assert (living["needs"], "routebooks serve" in silent["needs"]) == ("", True)


def test_an_installation_with_a_company_and_no_server_is_marked(program: Program) -> None:
    program.house.visit(Books())
    said = program("status", "--check", code=1).stdout.splitlines()
    assert said[0] == "!  No server runs: start `routebooks serve`. Nothing is fetched or sent without it."
    assert said[-1] == "1 thing to look at, marked with !."
    assert (well := program.json("status"))["needs_a_person"]
    assert well["workers"] == []
    program.house.serve()
    program("status", "--check")


def test_a_place_for_files_that_fails_is_marked_until_a_file_lies_there(well: Program) -> None:
    house = well.house

    def files() -> tuple[str, str]:
        (found,) = (each for each in well.json("status")["companies"][0]["connections"] if each["name"] == "toy_files")
        return found["state"], found["needs"]

    house.files.fail = 1
    first = house.run("items")
    house.visit(Books({"items": records([1])}))
    house.tick()
    assert files() == ("failing", "The folder is away. Wait.")
    assert "!  connection  toy_files   failing  " in well("status", "--check", code=1).stdout
    assert house.state(first).waits_for == "another try: The folder is away."
    house.clock.on(minutes=1)
    house.tick()
    assert files() == ("ready", "")
    house.files.fail = 100
    second = house.run("items")
    house.visit(Books({"items": records([1])}))
    for _ in range(20):
        house.tick()
        house.clock.on(minutes=31)
    assert house.state(second).state is State.FAILED
    assert files() == ("failing", "The folder is away. Wait.")
    house.files.fail = 0
    house.run("items")
    house.visit(Books({"items": records([1])}))
    house.tick()
    assert files() == ("ready", "")


def test_a_test_that_failed_is_marked_until_a_run_goes_well(well: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    house = well.house
    closed = Check("log in", False, "The password is wrong.", "Enter it again.")
    monkeypatch.setattr(house.files, "check", lambda _: [Check("reach", True), closed], raising=False)
    well("connection", "test", "Harbor", "toy_files", code=1)
    company = well.json("status", "--check", code=1)["companies"][0]
    assert company["needs"] == ["toy_files: The password is wrong. Enter it again."]
    house.clock.on(minutes=1)
    house.run("items")
    house.visit(Books({"items": records([1])}))
    house.tick()
    found = next(each for each in well.json("status")["companies"][0]["connections"] if each["name"] == "toy_files")
    assert (found["state"], found["needs"]) == ("ready", "")
    assert found["test_problem"] == {
        "step": "log in",
        "message": "The password is wrong.",
        "hint": "Enter it again.",
    }


def test_an_orders_database_that_is_away_is_marked(well: Program) -> None:
    house = well.house
    house.orders.away = True
    house.run("orders")
    company = well.json("status", "--check", code=1)["companies"][0]
    assert company["needs"] == ["toy_orders: The orders database is away. Wait."]


def test_a_pause_and_a_window_are_what_a_run_waits_for(well: Program) -> None:
    house = well.house
    run_id = house.run("customers")
    well("connection", "pause", "Harbor", "toy_caller")
    kept = "the connection toy_caller, which is paused"
    assert well.json("run", "list")[0]["waits_for"] == kept
    assert kept in well("run", "list").stdout
    assert kept in well("run", "show", str(run_id)).stdout
    assert f"waits for {kept}" in well("status").stdout
    well("connection", "resume", "Harbor", "toy_caller")
    well("connection", "window", "Harbor", "toy_caller", "19:00-21:00")
    assert "the window of toy_caller, which opens at 19:00" in well("status").stdout
    house.clock.on(hours=5)
    needs = well.json("status", "--check", code=1)["companies"][0]["needs"]
    assert needs == [f"customers: Run {run_id} is late; it waits for the window of toy_caller, which opens at 19:00."]
    well("connection", "window", "Harbor", "toy_caller", "always")
    assert well.json("run", "list")[0]["waits_for"] == "Toy books"


def test_a_connector_that_is_silent_is_what_a_run_waits_for(well: Program) -> None:
    house = well.house
    house.clock.on(days=2)
    well("flow", "run", "Harbor", "customers")
    house.tick()
    assert well.json("run", "list")[0]["waits_for"] == (
        "the Web Connector of toy_caller, which has not called for 2 days"
    )
    connection = well.json("status", "--check", code=1)["companies"][0]["connections"][0]
    assert connection["state"] == "silent"


def test_a_flow_whose_time_passed_without_a_run_is_late(well: Program) -> None:
    house = well.house
    well("flow", "schedule", "Harbor", "orders", "--every", "15")
    assert well.json("flow", "late-after", "Harbor", "orders", "30")["late_after_minutes"] == 30
    assert well.audit()[-1] == ("command line", "set late after", "orders")
    house.clock.on(minutes=46)
    shown = well("status", "--check", code=1).stdout
    told = "It was due 31 minutes ago and did not begin: see that `routebooks serve` runs."
    assert [line.split()[:4] for line in shown.splitlines() if told in line] == [["!", "flow", "orders", "late"]]
    flow = next(each for each in well.json("status")["companies"][0]["flows"] if each["name"] == "orders")
    assert (flow["state"], flow["late"], flow["needs"]) == ("late", True, told)
    well("status", code=0)
    house.tick()
    well("status", "--check")
