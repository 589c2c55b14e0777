"""rejected: the list, and one record whole."""

from __future__ import annotations

from cli_program import Program
from house import Books, House, record

KEYS = {
    *("id", "company", "flow", "run", "stream", "key", "code", "message", "hint"),
    *("state", "times", "first_at", "last_at", "resolved_at"),
}


def run(house: House, *numbers: str) -> None:
    house.run("customers")
    house.visit(Books({"customers": [record(number, f"Name {at}") for at, number in enumerate(numbers)]}))
    house.tick()


def test_open_records_are_listed_with_reason_and_cure(program: Program) -> None:
    assert program("rejected", "list").stdout == "No record waits for a person.\n"
    run(program.house, "1", "")
    listed = program.json("rejected", "list")
    assert [set(row) for row in listed] == [KEYS]
    assert (listed[0]["key"], listed[0]["code"], listed[0]["state"]) == ("Name 1", "key-blank", "open")
    assert listed[0]["hint"]
    lines = program("rejected", "list").stdout.splitlines()
    assert lines[1:4] == [
        "Harbor, customers: 1 record (key-blank)",
        f"why         {listed[0]['message']}",
        f"what to do  {listed[0]['hint']}",
    ]
    assert lines[5].split()[:4] == [str(listed[0]["id"]), "Name", "1", "open"]


def test_a_cure_that_many_share_is_told_once_and_nothing_is_left_out_in_silence(program: Program) -> None:
    run(program.house, *[""] * 12)
    hint = program.json("rejected", "list")[0]["hint"]
    said = program("rejected", "list").stdout
    assert "Harbor, customers: 12 records (key-blank)" in said
    assert said.count(hint) == 1
    assert [key for key in range(12) if f" Name {key} " in said] == list(range(2, 12))
    assert said.endswith("and 2 more: `routebooks rejected list --company Harbor --flow customers`\n")
    assert all(f" Name {key} " in program("rejected", "list", "--flow", "customers").stdout for key in range(12))
    few = program("rejected", "list", "--limit", "3")
    assert few.stderr == "9 more are not listed: `--limit 12` lists all.\n"
    assert len(program.json("rejected", "list", "--limit", "3")) == 3


def test_a_flow_can_be_looked_at_alone(program: Program) -> None:
    run(program.house, "1", "")
    assert program.json("rejected", "list", "--flow", "orders") == []
    assert len(program.json("rejected", "list", "--flow", "customers")) == 1
    assert "[flow-unknown]" in program.refused("rejected", "list", "--flow", "custmers")


def test_resolved_ones_are_listed_on_demand(program: Program) -> None:
    run(program.house, "1", "")
    run(program.house, "1", "2")
    assert program.json("rejected", "list") == []
    assert [row["state"] for row in program.json("rejected", "list", "--company", "Harbor", "--all")] == ["resolved"]


def test_a_record_is_shown_as_it_was_read(program: Program) -> None:
    run(program.house, "1", "")
    rejected_id = program.json("rejected", "list")[0]["id"]
    shown = program.json("rejected", "show", str(rejected_id))
    assert set(shown) == KEYS | {"detail", "record"}
    assert shown["record"]["Name"] == "Name 1"
    said = program("rejected", "show", str(rejected_id)).stdout
    assert "As it was read" in said
    assert "Name     Name 1" in said
    assert f"what to do  {shown['hint']}" in said
    assert "[rejected-record-unknown]" in program.refused("rejected", "show", "99")


def test_the_rows_of_an_order_are_a_table(program: Program) -> None:
    house = program.house
    house.orders.put("A-1", "unknown", "x", "y")
    house.run("orders")
    rejected_id = program.json("rejected", "list")[0]["id"]
    lines = program("rejected", "show", str(rejected_id)).stdout.splitlines()
    at = lines.index("order_no  customer  item  quantity")
    assert lines[at + 1 : at + 3] == ["A-1       unknown   x     2", "A-1       unknown   y     2"]


def test_a_person_ends_a_record_and_it_is_listed_anew_when_it_is_still_wrong(program: Program) -> None:
    run(program.house, "1", "")
    rejected_id = program.json("rejected", "list")[0]["id"]
    assert program.json("rejected", "resolve", str(rejected_id))["state"] == "resolved"
    assert program.audit()[-1] == ("command line", "resolve rejected record", "Name 1")
    assert program.json("rejected", "list") == []
    run(program.house, "1", "")
    assert [row["id"] for row in program.json("rejected", "list")] != [rejected_id]
