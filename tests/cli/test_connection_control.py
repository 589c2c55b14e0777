"""connection: paused and resumed, its window, its company file."""

from __future__ import annotations

import pytest

from cli_program import Program
from house import Books, House
from routebooks.engine import exchange, sessions
from routebooks.store import companies


def visit_at(house: House, path: str) -> None:
    """A visit that answers who is there, with the company file at this place."""
    opening = sessions.open_session(house.ctx, house.books)
    exchange.hand_out(house.ctx, opening.ticket, path)
    body = b'{"mark": "{11111111-2222-4333-8444-555555555555}", "name": "Toy Company"}'
    exchange.take(house.ctx, opening.ticket, body, "", "")
    sessions.close(house.ctx, opening.ticket)


def test_a_pause_holds_until_it_is_resumed(program: Program) -> None:
    assert program.json("connection", "pause", "Harbor", "toy_files")["state"] == "paused"
    assert program.json("connection", "list")[1]["paused_at"] == "2026-03-02T06:00:00+00:00"
    assert program.json("connection", "resume", "Harbor", "toy_files")["state"] == "not used"
    assert program.audit()[-2:] == [("command line", "pause", "toy_files"), ("command line", "resume", "toy_files")]


def test_a_window_is_set_and_taken_away(program: Program) -> None:
    command = ("connection", "window", "Harbor", "toy_caller")
    assert program.json(*command, "19:00-07:00")["window"] == "19:00-07:00"
    with program.house.ctx.store.read() as tx:
        assert companies.connection(tx, program.house.books).window == {"from": "19:00", "to": "07:00"}
    assert "window   19:00-07:00" in program("connection", "show", "Harbor", "toy_caller").stdout.replace(
        "     ", "   "
    )
    assert program.json(*command, "always")["window"] == "always"
    assert program.audit()[-1] == ("command line", "set window", "toy_caller")


@pytest.mark.parametrize("typed", ["night", "19:00", "25:00-07:00", ""])
def test_a_window_that_is_none_is_refused(program: Program, typed: str) -> None:
    assert "[window-unreadable]" in program.refused("connection", "window", "Harbor", "toy_caller", typed)


def test_a_company_file_that_moved_is_confirmed(program: Program) -> None:
    house = program.house
    visit_at(house, "C:/books")
    assert "[path-not-moved]" in program.refused("connection", "confirm", "Harbor", "toy_caller")
    visit_at(house, "D:/books")
    listed = program.json("connection", "list")[0]
    assert listed["state"] == "moved"
    assert "D:/books" in listed["needs"]
    assert program.json("connection", "confirm", "Harbor", "toy_caller")["state"] == "ready"


def test_a_company_file_is_bound_anew(program: Program) -> None:
    house = program.house
    house.visit(Books())
    house.run("customers")
    house.visit(Books(name="Renamed"))
    assert program.json("connection", "list")[0]["state"] == "refused"
    said = program("connection", "rebind", "Harbor", "toy_caller")
    assert "right company file open" in said.stderr
    house.visit(Books(name="Renamed"))
    shown = program.json("connection", "show", "Harbor", "toy_caller")
    assert (shown["state"], shown["caller"]["bound_company"]) == ("ready", "Renamed")
