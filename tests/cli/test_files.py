"""file: listed, got byte for byte, shown by columns."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from cli_program import Program
from house import Books, record, records

DATA = b"1,Name 1,0.00\n2,\xc3\x84nne,0.00\n3,Name 3,0.00\n"
KEYS = {
    *("id", "company", "flow", "run", "layout", "address", "records"),
    *("state", "problem", "made_at", "delivered_at"),
}


@pytest.fixture
def delivered(program: Program) -> Program:
    house = program.house
    house.run("customers")
    house.visit(Books({"customers": [record("1"), record("2", "Änne"), record("3")]}))
    house.tick()
    return program


def test_files_are_listed(delivered: Program, tmp_path: Path) -> None:
    listed = delivered.json("file", "list", "--company", "Harbor")
    assert [set(row) for row in listed] == [KEYS]
    assert listed[0]["address"] == str(tmp_path / "drop" / "for-4711" / "list.txt")
    assert (listed[0]["records"], listed[0]["state"]) == (3, "delivered")
    assert delivered("file", "list").stdout.splitlines()[1].endswith("list.txt")


def test_no_file_yet(program: Program) -> None:
    assert program("file", "list").stdout == "No file yet.\n"
    assert "[file-unknown]" in program.refused("file", "get", "1")
    assert "[file-unknown]" in program.refused("file", "show", "1")


def test_the_bytes_are_those_that_were_delivered(delivered: Program, tmp_path: Path) -> None:
    file_id = str(delivered.json("file", "list")[0]["id"])
    assert delivered("file", "get", file_id).stdout_bytes == DATA
    assert (tmp_path / "drop" / "for-4711" / "list.txt").read_bytes() == DATA
    out = tmp_path / "got.txt"
    said = delivered.json("file", "get", file_id, "--out", str(out))
    assert out.read_bytes() == DATA
    assert (said["file"], said["size"], said["sha256"]) == (str(out), len(DATA), hashlib.sha256(DATA).hexdigest())
    out.write_bytes(b"mine")
    assert "[file-exists]" in delivered.refused("file", "get", file_id, "--out", str(out))
    assert out.read_bytes() == b"mine"
    assert "bytes    41" in delivered("file", "get", file_id, "--out", str(out), "--force").stdout


def test_bytes_and_json_do_not_go_together(delivered: Program) -> None:
    assert "[output-not-one]" in delivered.refused("file", "get", "1", "--json")


def test_damage_is_told(delivered: Program, tmp_path: Path) -> None:
    for kept in (tmp_path / "artifacts").rglob("file/*.z"):
        kept.write_bytes(b"x")
    assert "[artifact-damaged]" in delivered.refused("file", "get", "1", code=1)


def test_the_first_records_are_shown_by_column(delivered: Program) -> None:
    shown = delivered.json("file", "show", "1", "--lines", "2")
    assert set(shown) == KEYS | {"columns", "rows"}
    assert shown["columns"] == ["Number", "Name", "Owed"]
    assert shown["rows"][1] == {"Number": "2", "Name": "Änne", "Owed": "0.00"}
    said = delivered("file", "show", "1", "--lines", "2")
    assert said.stdout.splitlines()[-4:] == [
        "column  1       2",
        "Number  1       2",
        "Name    Name 1  Änne",
        "Owed    0.00    0.00",
    ]
    assert "1 more" in said.stderr
    assert "more" not in delivered("file", "show", "1").stderr
    assert delivered.json("file", "show", "1", "--lines", "0")["rows"] == []


def test_a_held_file_goes_when_somebody_says_so(program: Program, tmp_path: Path) -> None:
    house = program.house
    house.run("customers")
    house.visit(Books({"customers": []}))
    house.tick()
    held = program.json("file", "list")[0]
    assert (held["state"], held["problem"]["code"]) == ("held", "file-empty")
    assert held["problem"]["message"] in program("file", "list").stdout
    assert not (tmp_path / "drop").exists()
    flow = program.json("flow", "list")[0]
    assert (flow["state"], flow["needs"]) == ("held", f"{held['problem']['message']} {held['problem']['hint']}")
    assert "held. The file of customers has 0 records" in program("run", "watch", str(held["run"]), code=1).stderr
    said = program("file", "release", str(held["id"]))
    assert f"`routebooks run watch {held['run']}`" in said.stderr
    house.tick()
    assert program.json("file", "list")[0]["state"] == "delivered"
    assert program.audit()[-1][:2] == ("command line", "release file")
    assert "[file-not-held]" in program.refused("file", "release", str(held["id"]))


def test_a_file_is_sent_again_as_it_was(delivered: Program, tmp_path: Path) -> None:
    lying = tmp_path / "drop" / "for-4711" / "list.txt"
    lying.write_bytes(b"taken")
    said = delivered.json("file", "resend", "1")
    assert set(said) == {"file", "run"}
    delivered.house.tick()
    assert lying.read_bytes() == DATA
    assert delivered.json("run", "show", str(said["run"]))["state"] == "done"
    assert delivered.audit()[-1][:2] == ("command line", "resend file")
    assert "[file-unknown]" in delivered.refused("file", "resend", "99")


def test_the_newest_are_listed_first(delivered: Program) -> None:
    house = delivered.house
    house.run("items")
    house.visit(Books({"items": records([1])}))
    house.tick()
    assert [row["flow"] for row in delivered.json("file", "list")] == ["items", "customers"]
    assert [row["flow"] for row in delivered.json("file", "list", "--limit", "1")] == ["items"]
