"""company: added, listed, changed."""

from __future__ import annotations

import pytest

from cli_program import Program

KEYS = {"id", "name", "cust_id", "time_zone", "created_at"}


def test_a_company_is_added_and_listed(program: Program) -> None:
    added = program.json("company", "add", "Dock & Co", "--cust-id", "12", "--time-zone", "Europe/Berlin")
    assert set(added) == KEYS
    assert added["created_at"] == "2026-03-02T06:00:00+00:00"
    assert [row["name"] for row in program.json("company", "list")] == ["Dock & Co", "Harbor"]
    assert program("company", "list").stdout.splitlines() == [
        "company    cust_id  time zone",
        "Dock & Co  12       Europe/Berlin",
        "Harbor     4711     UTC",
    ]
    assert ("command line", "add company", "Dock & Co") in program.audit()


def test_what_to_do_next_is_told_with_the_name_as_it_is_typed(program: Program) -> None:
    said = program("company", "add", "Dock & Co", "--cust-id", "12")
    assert '`routebooks connection add "Dock & Co" ...`' in said.stderr


def test_a_name_with_blanks_is_asked_for_in_quotation_marks(program: Program) -> None:
    said = program.refused("company", "add", "Lake", "side", "--cust-id", "12")
    assert 'A name with blanks is written in quotation marks: "Lake side"' in said


def test_a_name_is_taken_once(program: Program) -> None:
    assert "[company-exists]" in program.refused("company", "add", "Harbor", "--cust-id", "1")
    assert len(program.json("company", "list")) == 1


def test_a_cust_id_is_taken_once(program: Program) -> None:
    program("company", "add", "Dock", "--cust-id", "A12")
    for taken in ("A12", "a12"):
        said = program.refused("company", "add", "Other", "--cust-id", taken)
        assert "Dock has the cust_id 'A12' already" in said
        assert f"such as {taken}-trial" in said
        assert "[cust-id-exists]" in said
    assert "[cust-id-exists]" in program.refused("company", "set", "Harbor", "--cust-id", "A12")
    program("company", "set", "Dock", "--cust-id", "a12")


@pytest.mark.parametrize("name", ["", "  ", " x", "a\nb", "\x1b[2J"])
def test_a_name_can_be_typed_again(program: Program, name: str) -> None:
    assert "[text-unfit]" in program.refused("company", "add", name, "--cust-id", "1")
    assert "[text-unfit]" in program.refused("company", "add", "New", "--cust-id", name)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("New York", "Did you mean America/New_York?"),
        ("europe/berlin", "Did you mean Europe/Berlin?"),
        ("Europe/Berln", "Europe/Berlin"),
        ("zzzzzzzz", "Write it as Europe/Berlin"),
        ("../../etc/passwd", "Write it as Europe/Berlin"),
    ],
)
def test_a_zone_that_is_none_is_guessed(program: Program, typed: str, meant: str) -> None:
    said = program.refused("company", "add", "New", "--cust-id", "1", "--time-zone", typed)
    assert "[time-zone-unknown]" in said
    assert meant in said


def test_a_company_is_changed(program: Program) -> None:
    changed = program.json("company", "set", "Harbor", "--time-zone", "America/Chicago")
    assert (changed["cust_id"], changed["time_zone"]) == ("4711", "America/Chicago")
    assert program.json("company", "set", "Harbor", "--cust-id", "4712")["cust_id"] == "4712"
    assert program.audit()[-1] == ("command line", "change company", "Harbor")
    assert "[nothing-to-change]" in program.refused("company", "set", "Harbor")
    assert "[time-zone-unknown]" in program.refused("company", "set", "Harbor", "--time-zone", "Mars")


def test_an_unknown_company_is_guessed(program: Program) -> None:
    assert program.refused("company", "set", "harbour", "--cust-id", "1").splitlines() == [
        "There is no company 'harbour'. [company-unknown]",
        "  Did you mean 'Harbor'?",
    ]
    assert "There are: Harbor." in program.refused("connection", "list", "--company", "Zebra")
