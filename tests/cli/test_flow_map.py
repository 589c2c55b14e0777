"""flow map: which field fills which column, into a file and back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cli_program import Program
from house import Books, House, record
from routebooks.connectors.base import Connection
from routebooks.records import Stream
from toy import MAPS


def formulas(program: Program, flow: str = "customers") -> dict[str, str | None]:
    """What fills the columns of a flow."""
    return {each["name"]: each["formula"] for each in program.json("flow", "map", "Harbor", flow)["columns"]}


def test_it_shows_what_fills_each_column_and_what_stays_blank(program: Program) -> None:
    assert formulas(program) == {"Number": "=[Number]", "Name": "=[Name]", "Owed": "=[Balance]"}
    assert formulas(program, "items") == {"Number": "=[Number]", "Name": "=[Name]", "Owed": None}
    shown = program("flow", "map", "Harbor", "items")
    assert "=[Number]" in shown.stdout
    assert "1 column stays blank: Owed" in shown.stderr


def test_a_map_is_written_changed_and_taken_and_the_next_run_uses_it(program: Program, tmp_path: Path) -> None:
    house: House = program.house
    file = tmp_path / "map.yaml"
    program("flow", "map", "Harbor", "customers", "--out", str(file))
    assert file.read_text(encoding="utf-8") == MAPS["customers"]
    assert "[file-exists]" in program.refused("flow", "map", "Harbor", "customers", "--out", str(file))
    file.write_text(MAPS["customers"].replace("Name: =[Name]", "Name: =[Id]"), encoding="utf-8")
    view = program.json("flow", "map", "Harbor", "customers", "--file", str(file))
    assert {each["name"]: each["formula"] for each in view["columns"]}["Name"] == "=[Id]"
    assert ("command line", "set map", "customers") in program.audit()
    house.run("customers")
    house.visit(Books({"customers": [record("1", "Anna")]}))
    house.tick()
    assert house.file("list") == "1,id-1-Anna,0.00\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (MAPS["items"], "map-for-another-flow"),
        (MAPS["customers"].replace("[Name]", "[Nme]"), "map-unknown-field"),
        ("columns: [", "map-file"),
        ("", "map-file"),
        ("\udcff", "map-file"),
        ("#" * 300_000, "map-file"),
    ],
)
def test_a_map_that_does_not_fit_is_refused_and_nothing_is_changed(
    program: Program, tmp_path: Path, text: str, code: str
) -> None:
    file = tmp_path / "map.yaml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    before = formulas(program)
    assert f"[{code}]" in program.refused("flow", "map", "Harbor", "customers", "--file", str(file))
    assert formulas(program) == before


def test_a_file_that_is_not_there_and_options_that_exclude_each_other(program: Program, tmp_path: Path) -> None:
    missing = str(tmp_path / "none.yaml")
    assert "[map-file]" in program.refused("flow", "map", "Harbor", "customers", "--file", missing)
    assert "[options-clash]" in program.refused("flow", "map", "Harbor", "customers", "--file", missing, "--reset")


def test_nobody_who_writes_waits_while_an_orders_database_is_asked(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, file, asked = program.house, tmp_path / "map.yaml", []
    file.write_text(MAPS["orders"], encoding="utf-8")
    fields = house.orders.order_fields

    def ask(connection: Connection) -> Stream:
        # As another process writes, and without waiting.
        with closing(sqlite3.connect(house.ctx.store.engine.url.database or "", timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE")
        asked.append(connection.name)
        return fields(connection)

    monkeypatch.setattr(house.orders, "order_fields", ask)
    program("flow", "map", "Harbor", "orders")
    program("flow", "map", "Harbor", "orders", "--file", str(file))
    assert asked
    assert program.json("flow", "map", "Harbor", "orders")["own"]
