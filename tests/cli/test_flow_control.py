"""flow: on and off, and runs asked for by hand."""

from __future__ import annotations

from cli_program import Program
from house import Books, record
from routebooks.cli import watch
from routebooks.engine import extracts
from routebooks.store import flows
from routebooks.store.runs import State


def test_a_flow_is_switched_off_and_on(program: Program) -> None:
    assert program.json("flow", "off", "Harbor", "items")["enabled"] is False
    assert not program.house.flow("items").enabled
    assert "off" in program("flow", "list").stdout.splitlines()[2].split()
    assert program.json("flow", "on", "Harbor", "items")["enabled"] is True
    assert program.audit()[-2:] == [
        ("command line", "switch flow off", "items"),
        ("command line", "switch flow on", "items"),
    ]


def test_a_run_is_asked_for_and_the_server_does_it(program: Program) -> None:
    said = program("flow", "run", "Harbor", "customers")
    assert said.stdout.splitlines() == ["run  flow       state", "1    customers  waiting"]
    assert "No server runs." in said.stderr
    assert "`routebooks serve`" in said.stderr
    assert "`routebooks run watch 1`" in said.stderr
    assert program.audit()[-1] == ("command line", "run flow", "customers")


def test_where_a_server_runs_nothing_is_said(program: Program) -> None:
    program.house.serve()
    assert "No server" not in program("flow", "run", "Harbor", "customers").stderr
    program.house.end()
    assert "No server" in program("flow", "run", "Harbor", "customers").stderr


def test_all_runs_those_that_are_on(program: Program) -> None:
    program("flow", "off", "Harbor", "items")
    assert [run["flow"] for run in program.json("flow", "run", "Harbor", "all")] == ["customers", "orders"]
    for name in ("customers", "orders"):
        program("flow", "off", "Harbor", name)
    assert "[flow-none-on]" in program.refused("flow", "run", "Harbor", "all")
    assert "[flow-none-on]" in program.refused("flow", "run", "Harbor", "night")
    assert program.json("flow", "run", "Harbor", "items")[0]["flow"] == "items"


def test_the_night_runs_the_flows_that_make_files_and_are_on(program: Program) -> None:
    assert [run["flow"] for run in program.json("flow", "run", "Harbor", "night")] == ["customers", "items"]
    program("flow", "off", "Harbor", "items")
    assert [run["flow"] for run in program.json("flow", "run", "Harbor", "night")] == ["customers"]
    assert "Did you mean 'night'?" in program.refused("flow", "run", "Harbor", "nights")


def test_waiting_follows_the_run_to_its_end(program: Program) -> None:
    house = program.house
    books = Books({"customers": [record("1"), record("2")]}, page=1)
    steps = iter([house.tick, lambda: house.visit(books, turns=2, close=False), lambda: house.visit(books), house.tick])
    program.paused = lambda: next(steps)()
    said = program("flow", "run", "Harbor", "customers", "--wait", "60")
    assert said.stderr.splitlines()[1:] == [
        "Run 1, customers: waits for its turn",
        "Run 1, customers: waits for Toy books",
        "Run 1, customers: waits for Toy books, 1 page with 1 record so far",
        "Run 1, customers: ready (load)",
        "Run 1, customers: done, 2 read, 2 written",
    ]
    assert said.stdout.splitlines()[1] == "1    customers  done"


def test_the_pages_of_every_slice_that_was_read_count_as_read(program: Program) -> None:
    house = program.house
    books = Books({"customers": [record("1", "a"), record("2", "b"), record("3", "n")]}, page=1)
    run_id = house.run("customers")
    for _ in range(extracts.CUT_AFTER):
        house.visit(lambda request: books(request) if request["ask"] == "who" else None)
    house.visit(books, turns=4, close=False)
    said: list[str] = []
    watch.follow(house.ctx, [run_id], seconds=0, pause=lambda _: None, tell=said.append)
    assert said == ["Run 1, customers: waits for Toy books, 3 pages with 3 records so far"]


def test_waiting_ends_with_3_when_records_were_rejected(program: Program) -> None:
    house = program.house

    def work() -> None:
        house.tick()
        house.visit(Books({"customers": [record("1"), record("")]}))

    program.paused = work
    said = program.json("flow", "run", "Harbor", "customers", "--wait", "60", code=3)
    assert said == [{"id": 1, "flow": "customers", "state": "done", "records_rejected": 1}]


def test_waiting_ends_with_1_when_the_time_is_over_or_the_run_fails(program: Program) -> None:
    paused: list[int] = []
    program.paused = lambda: paused.append(1)
    said = program("flow", "run", "Harbor", "customers", "--wait", "2", code=1)
    assert len(paused) == 4
    assert "1 run not ended after 2 seconds" in said.stderr
    house = program.house

    def work() -> None:
        house.tick()
        house.visit(lambda request: {"error": "hold"} if request["ask"] != "who" else Books()(request))

    program.paused = work
    said = program("flow", "run", "Harbor", "items", "--wait", "60", code=1)
    assert "Run 2, items: failed. The toy said no.  [toy-error]" in said.stderr
    assert house.state(2).state is State.FAILED


def test_settings_of_a_flow(program: Program) -> None:
    def shown(flow: str) -> dict[str, object]:
        return {each["name"]: each["value"] for each in program.json("flow", "set", "Harbor", flow)}

    assert shown("items") == {"guard_percent": 70}
    assert shown("orders") == {"start_date": ""}
    program("flow", "set", "Harbor", "items", "guard_percent=50")
    program("flow", "set", "Harbor", "orders", "start_date=2026-01-31")
    assert program.house.flow("items").settings == {"guard_percent": 50}
    assert program.house.flow("orders").settings == {"start_date": "2026-01-31T00:00:00+00:00"}
    assert program.audit()[-1] == ("command line", "set flow", "orders")
    for flow, wrong in (
        *(("items", each) for each in ("guard_percent=200", "start_date=2026-01-31", "resend_days=1", "nothing=1")),
        *(("orders", each) for each in ("start_date=soon", "guard_percent=50", "empty_night=send")),
    ):
        program.refused("flow", "set", "Harbor", flow, wrong)


def test_a_flow_of_what_changed_has_settings_of_its_own(program: Program) -> None:
    with program.house.ctx.store.begin() as tx:
        flows.change_flow(tx, program.house.flows["items"], incremental=True)
    names = [each["name"] for each in program.json("flow", "set", "Harbor", "items")]
    assert names == ["start_date", "resend_days", "empty_night"]
    program("flow", "set", "Harbor", "items", "empty_night=send", "resend_days=2")
    for wrong in ("resend_days=x", "empty_night=maybe", "guard_percent=50"):
        program.refused("flow", "set", "Harbor", "items", wrong)
