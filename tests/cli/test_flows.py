"""flow: the pre-built ones added, listed, shown."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cli_program import Program
from house import Books, House, record
from routebooks.connectors.base import Connection, OrderSource
from routebooks.connectors.registry import CONNECTORS
from routebooks.records import Stream

KEYS = {
    *("id", "company", "name", "from", "to", "enabled", "schedule", "schedule_in_words"),
    *("state", "late", "needs", "waits_for", "last_run", "last_good_run_at"),
}

ORDERS = """
CREATE TABLE orders (
    order_no, customer_key, order_date, ship_date, po_number, rep, note, status, line_count, updated_at
);
CREATE TABLE order_lines (order_no, line_no, item_key, quantity, unit, price);
"""


@pytest.fixture
def house(house: House) -> Iterator[House]:
    connectors: Any = house.ctx.connectors
    connectors |= CONNECTORS
    return house  # type: ignore[return-value]


def add_connections(program: Program) -> None:
    program("company", "add", "Dock", "--cust-id", "12", "--time-zone", "America/New_York")
    program("connection", "add", "Dock", "office", "quickbooks_desktop")
    program("connection", "add", "Dock", "files", "pocketadvantage", "drop=local", f"root={program.house.folder}")
    orders = program.house.folder.parent / "orders.db"
    with closing(sqlite3.connect(orders)) as database:
        database.executescript(ORDERS)
    program("connection", "add", "Dock", "pocket", "pocketadvantage_orders", f"url=sqlite:///{orders}")


OUT = ["codes", "items", "customers", "invoices"]


def test_the_pre_built_flows_are_added_each_once(program: Program) -> None:
    add_connections(program)
    command = ("flow", "add", "Dock", "--quickbooks", "office", "--files", "files")
    assert program.json(*command) == {"company": "Dock", "added": OUT, "brought_back": [], "kept": []}
    assert program.json(*command, "--orders", "pocket") == {
        **{"company": "Dock", "added": ["orders"], "brought_back": []},
        "kept": OUT,
    }
    listed = program.json("flow", "list", "--company", "Dock")
    assert [(row["name"], row["from"], row["to"]) for row in listed] == [
        *((name, "office", "files") for name in OUT),
        ("orders", "pocket", "office"),
    ]
    assert ("command line", "add flow", "orders") in program.audit()


def test_the_map_of_a_pre_built_flow_becomes_ones_own_and_ours_again(program: Program, tmp_path: Path) -> None:
    add_connections(program)
    program("flow", "add", "Dock", "--quickbooks", "office", "--files", "files")
    command = ("flow", "map", "Dock", "customers")
    ours = program.json(*command)
    assert not ours["own"]
    file = tmp_path / "map.yaml"
    file.write_text(ours["text"].replace("Customer ID: =[AccountNumber]", "Customer ID: =[Fax]"), encoding="utf-8")
    own = program.json(*command, "--file", str(file))
    assert own["own"]
    assert {"name": "Customer ID", "formula": "=[Fax]"} in own["columns"]
    assert program.json(*command, "--reset") == ours


def test_what_comes_next_names_the_night(program: Program) -> None:
    add_connections(program)
    said = program("flow", "add", "Dock", "--quickbooks", "office", "--files", "files").stderr
    assert "`routebooks flow schedule Dock night --at 02:00`" in said
    assert "`routebooks flow run Dock night`" in said
    said = program("flow", "add", "Dock", "--quickbooks", "office", "--files", "files", "--orders", "pocket").stderr
    assert "`routebooks flow schedule Dock orders --every 15`" in said


def test_flows_between_unfit_or_unknown_connections_are_not_added(program: Program) -> None:
    add_connections(program)
    assert "Did you mean 'office'?" in program.refused(
        "flow", "add", "Dock", "--quickbooks", "offce", "--files", "files"
    )
    assert "[connector-unfit]" in program.refused("flow", "add", "Dock", "--quickbooks", "office", "--files", "office")
    assert program.json("flow", "list", "--company", "Dock") == []
    assert program("flow", "list", "--company", "Dock").stdout.startswith("No flow yet")


def test_a_connection_in_the_wrong_role_is_named_with_the_one_that_fits(program: Program) -> None:
    add_connections(program)
    swapped = ("flow", "add", "Dock", "--quickbooks", "files", "--files", "office")
    for _ in range(2):
        said = program.refused(*swapped)
        assert "files leads to Inventiv PocketAdvantage, files; it cannot be --quickbooks. [connector-unfit]" in said
        assert "Did you mean --quickbooks office?" in said
        program("flow", "add", "Dock", "--quickbooks", "office", "--files", "files")
    said = program.refused("flow", "add", "Dock", "--quickbooks", "office", "--files", "files", "--orders", "office")
    assert "Did you mean --orders pocket?" in said


def test_nobody_who_writes_waits_while_an_orders_database_is_asked(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_connections(program)
    orders: Any = program.house.ctx.able("pocketadvantage_orders", OrderSource)
    fields, asked = orders.order_fields, []

    def ask(connection: Connection) -> Stream:
        # As another process writes, and without waiting.
        with closing(sqlite3.connect(program.house.ctx.store.engine.url.database or "", timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE")
        asked.append(connection.name)
        return fields(connection)  # type: ignore[no-any-return]

    monkeypatch.setattr(orders, "order_fields", ask)
    command = ("flow", "add", "Dock", "--quickbooks", "office", "--files", "files", "--orders", "pocket")
    assert program.json(*command)["added"] == [*OUT, "orders"]
    program("flow", "remove", "Dock", "orders", "--yes")
    assert program.json(*command)["brought_back"] == ["orders"]
    assert asked == ["pocket", "pocket"]


def test_a_flow_that_does_not_fit_its_orders_query_is_not_added(program: Program) -> None:
    add_connections(program)
    program("connection", "set", "Dock", "pocket", "query=SELECT order_no, updated_at FROM orders")
    command = ("flow", "add", "Dock", "--quickbooks", "office", "--files", "files", "--orders", "pocket")
    assert "[map-unknown-field]" in program.refused(*command)
    assert program.json("flow", "list", "--company", "Dock") == []


def test_flows_that_go_elsewhere_are_said_to(program: Program) -> None:
    add_connections(program)
    program("flow", "add", "Dock", "--quickbooks", "office", "--files", "files")
    program("connection", "add", "Dock", "other", "pocketadvantage", "drop=local", f"root={program.house.folder}")
    said = program("flow", "add", "Dock", "--quickbooks", "office", "--files", "other")
    assert "items goes from office to files already." in said.stderr
    program("flow", "remove", "Dock", "items", "--yes")
    program("flow", "rename", "Dock", "customers", "accounts")
    added = program.json("flow", "add", "Dock", "--quickbooks", "office", "--files", "other")
    assert added == {
        **{"company": "Dock", "added": [], "brought_back": ["items"]},
        "kept": ["codes", "accounts", "invoices"],
    }
    assert program.json("flow", "list", "--company", "Dock")[1]["to"] == "other"


def test_the_list_tells_how_each_flow_is_doing(program: Program) -> None:
    house = program.house
    never = program.json("flow", "list")[0]
    assert set(never) == KEYS
    assert (never["state"], never["last_run"], never["last_good_run_at"]) == ("never ran", None, None)
    run_id = house.run("customers")
    assert program.json("flow", "list")[0]["state"] == "waiting"
    house.visit(Books({"customers": [record("1")]}))
    house.tick()
    done = program.json("flow", "list")[0]
    assert (done["state"], done["last_run"]["id"], done["late"]) == ("done", run_id, False)
    assert done["last_good_run_at"] == "2026-03-02T06:00:00+00:00"
    lines = program("flow", "list").stdout.splitlines()
    assert lines[0].split()[:5] == ["company", "flow", "from", "->", "to"]
    assert "toy_caller -> toy_files" in lines[1]
    assert f"done       {run_id}    2026-03-02 06:00 UTC" in lines[1]


def test_a_run_that_takes_too_long_makes_its_flow_late(program: Program) -> None:
    run_id = program.house.run("customers")
    program.house.clock.on(minutes=61)
    late = program.json("flow", "list")[0]
    assert (late["state"], late["late"]) == ("late", True)
    assert (
        late["needs"] == f"Run {run_id} is late; it waits for the Web Connector of toy_caller, which has never called."
    )


def test_a_run_that_never_came_makes_its_flow_late(program: Program) -> None:
    program("flow", "schedule", "Harbor", "items", "--every", "30")
    program.house.clock.on(minutes=89)
    assert program.json("flow", "list")[1]["state"] == "never ran"
    program.house.clock.on(minutes=2)
    late = program.json("flow", "list")[1]
    assert late["late"]
    assert late["needs"] == "It was due 61 minutes ago and did not begin: see that `routebooks serve` runs."
    program("flow", "schedule", "Harbor", "items", "--at", "02:00")
    assert not program.json("flow", "list")[1]["late"]
    program.house.clock.on(hours=22)
    assert program.json("flow", "list")[1]["late"]
    program("flow", "off", "Harbor", "items")
    assert program.json("flow", "list")[1]["state"] == "off"
    # what passed while it was off was nobody's wish
    program("flow", "on", "Harbor", "items")
    assert program.json("flow", "list")[1]["state"] == "never ran"
    program.house.tick()
    assert not program.json("run", "list")


def test_a_flow_is_shown_whole(program: Program) -> None:
    house = program.house
    run_id = house.run("customers")
    house.visit(Books({"customers": [record("1")]}))
    house.tick()
    shown = program.json("flow", "show", "Harbor", "customers")
    assert set(shown) > KEYS
    assert (shown["direction"], shown["stream"], shown["target"], shown["own_map"]) == (
        "out",
        "customers",
        "list",
        True,
    )
    assert shown["cursor"] == {"modified": {"customers": "2026-01-01T00:00:00+00:00"}}
    assert [run["id"] for run in shown["last_runs"]] == [run_id]
    said = program("flow", "show", "Harbor", "customers").stdout
    assert "from            toy_caller (customers)" in said
    assert "come as far as  2026-01-01T00:00:00+00:00" in said
    assert "Did you mean 'customers'?" in program.refused("flow", "show", "Harbor", "custmers")
