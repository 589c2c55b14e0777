"""rename and remove: what a person types, and what is asked once more."""

from __future__ import annotations

import pytest

from cli_program import Program
from house import Books, records
from routebooks.cli import given


def test_things_are_renamed_and_go_on(program: Program) -> None:
    program.house.run("items")
    assert program.json("company", "rename", "Harbor", "Harbor & Sons") == {
        **{"kind": "company", "name": "Harbor & Sons", "before": "Harbor"}
    }
    program("connection", "rename", "Harbor & Sons", "toy_caller", "office")
    program("flow", "rename", "Harbor & Sons", "items", "goods")
    assert [(row["name"], row["from"]) for row in program.json("flow", "list")][1] == ("goods", "office")
    program.house.visit(Books({"items": records([1])}))
    program.house.tick()
    assert [(run["company"], run["flow"], run["state"]) for run in program.json("run", "list")] == [
        ("Harbor & Sons", "goods", "done")
    ]
    assert [line for line in program.audit() if "rename" in line[1]] == [
        ("command line", "rename company", "Harbor"),
        ("command line", "rename connection", "toy_caller"),
        ("command line", "rename flow", "items"),
    ]


@pytest.mark.parametrize("new", ["all", "night"])
def test_a_flow_is_not_called_as_several_are(program: Program, new: str) -> None:
    assert "[flow-name-reserved]" in program.refused("flow", "rename", "Harbor", "items", new)


def test_a_name_that_is_taken_or_unfit_is_refused(program: Program) -> None:
    program("company", "add", "Dock", "--cust-id", "1")
    assert "[company-exists]" in program.refused("company", "rename", "Harbor", "Dock")
    assert "[connection-exists]" in program.refused("connection", "rename", "Harbor", "toy_caller", "toy_files")
    assert "[flow-exists]" in program.refused("flow", "rename", "Harbor", "items", "customers")
    for command in (("company",), ("connection", "Harbor"), ("flow", "Harbor")):
        noun, *owner = command
        name = {"company": "Harbor", "connection": "toy_files", "flow": "items"}[noun]
        assert "[text-unfit]" in program.refused(noun, "rename", *owner, name, " x")


def test_nothing_is_removed_that_nobody_confirmed(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    removing = (("company", "remove", "Harbor"), ("flow", "remove", "Harbor", "items"))
    for command in removing:
        assert "--yes" in program.refused(*command)
    monkeypatch.setattr(given, "at_terminal", lambda: True)
    for command in removing:
        said = program(*command, code=2, stdin="no\n")
        assert "nothing was removed" in said.stderr
        assert said.stdout == ""
    assert len(program.json("flow", "list")) == 3


def test_a_typed_name_confirms(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "at_terminal", lambda: True)
    said = program("company", "remove", "Harbor", stdin="Harbor\n")
    assert "Type Harbor to remove it" in said.stderr
    assert said.stdout == "removed  Harbor\n"
    assert program.json("company", "list") == []
    assert [action for _, action, _ in program.audit()][-7:] == [
        *["remove flow"] * 3,
        *["remove connection"] * 3,
        "remove company",
    ]


def test_what_a_removed_company_did_can_still_be_seen(program: Program) -> None:
    house = program.house
    house.run("items")
    house.visit(Books({"items": records([1])}))
    house.tick()
    program("company", "remove", "Harbor", "--yes")
    gone = f"Harbor (removed, {house.company_id})"
    assert [row["company"] for row in program.json("run", "list", "--company", gone)] == [gone]
    assert gone in program("file", "list").stdout
    assert "No company yet" in program("status").stdout
    assert "[company-unknown]" in program.refused("connection", "list", "--company", "Harbor")
    assert "[company-unknown]" in program.refused("company", "set", gone, "--cust-id", "1")
    assert "[flow-removed]" in program.refused("file", "resend", "1")
    said = program("company", "add", "Harbor", "--cust-id", "4711")
    assert "Its ledger is back" in said.stderr


def test_a_connection_goes_when_no_flow_uses_it(program: Program) -> None:
    said = program.refused("connection", "remove", "Harbor", "toy_orders", "--yes")
    assert "toy_orders is used by orders. [connection-in-use]" in said
    assert (
        "`routebooks flow add Harbor ...` brings it back."
        in program("flow", "remove", "Harbor", "orders", "--yes").stderr
    )
    program("connection", "remove", "Harbor", "toy_orders", "--yes")
    assert [row["name"] for row in program.json("connection", "list")] == ["toy_caller", "toy_files"]
    assert "[connection-unknown]" in program.refused("connection", "show", "Harbor", "toy_orders")
    program("connection", "add", "Harbor", "toy_orders", "toy_orders")
