"""run: listed, shown, watched, cancelled."""

from __future__ import annotations

import pytest

from cli_program import Program
from house import Books, House, record
from routebooks.store import flows
from routebooks.store.runs import State
from toy import MAPS

KEYS = {
    *("id", "company", "flow", "trigger", "state", "phase", "late", "waits_for", "waits_since"),
    *("not_before", "late_after", "expires_at", "created_at", "started_at", "finished_at"),
    *("records_read", "records_written", "records_rejected", "records_left_out", "problem", "superseded_by"),
}


def with_rejected(house: House) -> int:
    """A run that is done, with a record rejected."""
    run_id = house.run("customers")
    house.visit(Books({"customers": [record("1"), record("", "no number")]}))
    house.tick()
    return run_id


def test_runs_are_listed_newest_first_and_chosen(program: Program) -> None:
    house = program.house
    first, second, third = with_rejected(house), house.run("items"), house.run("customers")
    assert [run["id"] for run in program.json("run", "list")] == [third, second, first]
    assert [run["id"] for run in program.json("run", "list", "--flow", "customers")] == [third, first]
    assert [run["id"] for run in program.json("run", "list", "--company", "Harbor", "--limit", "1")] == [third]
    assert set(program.json("run", "list")[0]) == KEYS
    assert "Did you mean 'items'?" in program.refused("run", "list", "--flow", "item")
    assert "[company-unknown]" in program.refused("run", "list", "--company", "Port")


@pytest.mark.parametrize("number", ["99", str(2**63), "9" * 40, "0"])
def test_a_number_that_no_run_has_is_said_so(program: Program, number: str) -> None:
    for command in ("show", "watch", "cancel"):
        said = program.refused("run", command, number)
        assert f"There is no run {number}. [run-unknown]" in said
        assert "`routebooks run list`" in said
    assert "[file-unknown]" in program.refused("file", "show", number)
    assert "[file-unknown]" in program.refused("file", "release", number)
    assert "[rejected-record-unknown]" in program.refused("rejected", "show", number)


def test_no_run_yet(program: Program) -> None:
    assert program.json("run", "list") == []
    assert program("run", "list").stdout.startswith("No run yet")


def test_a_waiting_run_says_for_what_and_since_when(program: Program) -> None:
    house = program.house
    run_id = house.run("customers")
    waiting = program.json("run", "list")[0]
    assert waiting["waits_for"] == "the Web Connector of toy_caller, which has never called"
    assert waiting["waits_since"] == "2026-03-02T06:00:00+00:00"
    house.clock.on(minutes=5)
    house.visit(Books({"customers": [record("1"), record("2")]}, page=1), turns=2, close=False)
    house.clock.on(minutes=2)
    assert program.json("run", "show", str(run_id))["waits_since"] == "2026-03-02T06:05:00+00:00"
    assert "Toy books, since 2026-03-02 06:05 UTC" in program("run", "list").stdout
    house.clock.on(hours=1)
    late = program.json("run", "list")[0]
    assert (late["state"], late["late"]) == ("waiting", True)
    assert program("run", "list").stdout.splitlines()[1].split()[:4] == [str(run_id), "Harbor", "customers", "late"]
    assert "state             late, waiting" in program("run", "show", str(run_id)).stdout


def test_a_run_that_waits_for_its_turn_says_so(program: Program) -> None:
    program("flow", "run", "Harbor", "customers")
    program.house.clock.on(minutes=3)
    waiting = program.json("run", "list")[0]
    assert (waiting["waits_for"], waiting["waits_since"]) == ("its turn", "2026-03-02T06:00:00+00:00")


def test_show_tells_all_there_is(program: Program) -> None:
    house = program.house
    books = Books({"customers": [record(str(number)) for number in range(4)] + [record("", "no number")]}, page=2)
    run_id = house.run("customers")
    house.visit(lambda request: books(request) if len(books.seen) < 3 else None)
    house.visit(books)
    house.tick()
    shown = program.json("run", "show", str(run_id))
    assert set(shown) == KEYS | {"notes", "extracts", "delivery", "orders", "rejected"}
    assert [(a["number"], a["state"], a["pages"], a["records"]) for a in shown["extracts"][0]["attempts"]] == [
        (1, "broken", 2, 4),
        (2, "complete", 3, 5),
    ]
    assert shown["extracts"][0]["attempts"][0]["problem"]["code"] == "session-broken"
    assert [(r["key"], r["code"]) for r in shown["rejected"]] == [("no number", "key-blank")]
    assert shown["delivery"]["state"] == "delivered"
    said = program("run", "show", str(run_id)).stdout
    assert "Extract" in said
    assert "The Web Connector broke off" in said
    assert "Rejected records" in said
    assert "records rejected  1" in said


def test_show_tells_what_went_wrong_and_the_cure(program: Program) -> None:
    house = program.house
    house.files.fail = 100
    run_id = house.run("customers")
    house.visit(Books({"customers": [record("1")]}))
    house.tick()
    again = program.json("run", "list")[0]
    assert again["waits_for"] == "another try: The folder is away."
    assert again["waits_since"] == "2026-03-02T06:00:00+00:00"
    said = program("run", "show", str(run_id)).stdout
    assert "what went wrong   The folder is away." in said
    assert "what to do        Wait." in said


def test_an_unknown_run_is_told(program: Program) -> None:
    for verb in ("show", "watch", "cancel"):
        assert "There is no run 99. [run-unknown]" in program.refused("run", verb, "99")


def test_watch_ends_as_the_run_did(program: Program) -> None:
    house = program.house
    done = house.run("items")
    house.visit(Books({"items": [record("1")]}))
    house.tick()
    assert program.json("run", "watch", str(done))["state"] == "done"
    said = program("run", "watch", str(with_rejected(house)), code=3)
    assert "rejected  1" in said.stdout
    assert "No server" not in said.stderr, "the run has ended: nobody has to do anything"
    failed = house.run("items")
    house.visit(lambda request: {"error": "hold"} if request["ask"] != "who" else Books()(request))
    said = program("run", "watch", str(failed), code=1)
    assert "failed. The toy said no." in said.stderr
    cancelled = house.run("items")
    program("run", "cancel", str(cancelled))
    program("run", "watch", str(cancelled), code=1)


def test_watch_goes_over_to_the_run_that_took_the_place(program: Program) -> None:
    house = program.house
    first = house.run("customers")

    def work() -> None:
        house.run("customers")
        house.visit(Books({"customers": [record("1")]}))
        house.tick()

    program.paused = work
    said = program.json("run", "watch", str(first))
    assert said["id"] > first
    assert house.state(first).state is State.SUPERSEDED


def test_ctrl_c_while_watching_leaves_the_run_alone(program: Program) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    run_id = program.house.run("customers")
    program.paused = interrupt
    said = program("run", "watch", str(run_id), code=130)
    assert said.stdout == ""
    assert program.house.state(run_id).state is State.WAITING


def test_a_run_is_cancelled_once(program: Program) -> None:
    run_id = program.house.run("customers")
    assert program.json("run", "cancel", str(run_id))["state"] == "cancelled"
    assert "[run-ended]" in program.refused("run", "cancel", str(run_id))
    assert program.audit()[-1] == ("command line", "cancel run", "customers")


def test_what_the_filter_left_out_is_listed_with_what_it_looked_at(program: Program) -> None:
    house = program.house
    filtered = "\nonly:\n  Name: [Keep]\n"
    with house.ctx.store.begin() as tx:
        flows.change_flow(tx, house.flows["items"], map_text=MAPS["items"] + filtered)
    run_id = house.run("items")
    house.visit(Books({"items": [record("1", "Keep"), record("2", "Leave"), record("3", "Away")]}))
    house.tick()
    shown = program.json("run", "show", str(run_id), "--left-out")
    assert shown["records_left_out"] == 2
    assert shown["left_out"] == [
        {"label": "Leave", "values": {"Name": "Leave"}},
        {"label": "Away", "values": {"Name": "Away"}},
    ]
    lines = program("run", "show", str(run_id), "--left-out").stdout.splitlines()
    assert lines[-4:] == ["Left out by the map", "record  because of", "Leave   Name: Leave", "Away    Name: Away"]
    assert "left_out" not in program.json("run", "show", str(run_id))


def test_nothing_left_out_and_nothing_of_an_order(program: Program) -> None:
    run_id = with_rejected(program.house)
    assert program.json("run", "show", str(run_id), "--left-out")["left_out"] == []
    orders = program.house.run("orders")
    assert "[left-out-of-orders]" in program.refused("run", "show", str(orders), "--left-out")
    waiting = program.house.run("customers")
    assert "[snapshot-missing]" in program.refused("run", "show", str(waiting), "--left-out", code=1)


def test_how_a_source_reads_is_explained_where_a_person_wonders(program: Program) -> None:
    orders = program.house.run("orders")
    assert program.json("run", "show", str(orders))["notes"] == [
        {"code": "toy-slow", "message": "The toy is slow.", "hint": "Wait."}
    ]
    assert "The toy is slow.  Wait." in program("run", "show", str(orders)).stdout
