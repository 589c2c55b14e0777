"""connection: the .qwc file and the password."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from cli_program import Program
from house import MARK
from routebooks.store import companies


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_qwc_file_leads_here(program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUTEBOOKS_PORT", "8421")
    said = program.json("connection", "qwc", "Harbor", "toy_caller")
    assert said == {
        "file": "harbor-toy_caller.qwc",
        "url": "http://localhost:8421/webconnector",
        "user_name": program.house.user_name,
    }
    data = (tmp_path / "harbor-toy_caller.qwc").read_bytes()
    told = {str(element.tag): element.text for element in etree.fromstring(data).iter()}
    assert told["AppURL"] == "http://localhost:8421/webconnector"
    assert told["AppSupport"] == "http://localhost:8421/webconnector/support"
    assert told["UserName"] == program.house.user_name
    assert told["FileID"] == MARK
    assert told["RunEveryNMinutes"] == "15"
    assert program.house.password.encode() not in data


def test_a_file_that_leads_past_the_server_at_work_is_told(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ("connection", "qwc", "Harbor", "toy_caller", "--force")
    monkeypatch.setenv("ROUTEBOOKS_PORT", "8421")
    assert "server at work" not in program(*command).stderr
    program.house.serve()
    assert "The server at work is at http://127.0.0.1:8420, not at the address in the file." in program(*command).stderr
    monkeypatch.setenv("ROUTEBOOKS_PORT", "8420")
    assert "server at work" not in program(*command).stderr
    monkeypatch.setenv("ROUTEBOOKS_PUBLIC_URL", "https://books.example.com")
    assert "server at work" not in program(*command).stderr


def test_public_url_is_what_the_web_connector_calls(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUTEBOOKS_PUBLIC_URL", "https://books.example.com:8443/rb/")
    said = program.json("connection", "qwc", "Harbor", "toy_caller", "--every", "60", "--out", "a.qwc")
    assert said["url"] == "https://books.example.com:8443/rb/webconnector"
    assert b"<RunEveryNMinutes>60<" in Path("a.qwc").read_bytes()


def test_an_address_that_no_web_connector_takes_is_refused(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUTEBOOKS_PUBLIC_URL", "http://books.example.com")
    assert "https" in program.refused("connection", "qwc", "Harbor", "toy_caller", "--out", "a.qwc")
    assert not Path("a.qwc").exists()


def test_a_file_is_not_written_over_unless_forced(program: Program) -> None:
    Path("a.qwc").write_bytes(b"mine")
    command = ("connection", "qwc", "Harbor", "toy_caller", "--out", "a.qwc")
    assert "[file-exists]" in program.refused(*command)
    assert Path("a.qwc").read_bytes() == b"mine"
    program(*command, "--force")
    assert Path("a.qwc").read_bytes().startswith(b"<?xml")


def test_a_place_that_is_none_is_told(program: Program) -> None:
    said = program.refused("connection", "qwc", "Harbor", "toy_caller", "--out", "nowhere/a.qwc")
    assert "[file-unwritable]" in said


def test_only_callers_have_a_qwc_file_and_a_password(program: Program) -> None:
    for command in ("qwc", "password", "confirm", "rebind"):
        said = program.refused("connection", command, "Harbor", "toy_files")
        assert "[connection-not-called]" in said


def test_a_new_password_takes_the_place_of_the_old(program: Program) -> None:
    said = program.json("connection", "password", "Harbor", "toy_caller")
    assert set(said) == {"company", "name", "user_name", "password"}
    with program.house.ctx.store.read() as tx:
        caller = companies.caller(tx, program.house.books)
    assert caller is not None
    assert program.house.ctx.vault.matches(said["password"], caller.password_hash)
    assert not program.house.ctx.vault.matches(program.house.password, caller.password_hash)
    assert said["user_name"] == program.house.user_name
    shown = program("connection", "password", "Harbor", "toy_caller")
    assert shown.stdout.splitlines()[0] == f"user name  {program.house.user_name}"
    assert ("command line", "new password", "toy_caller") in program.audit()
