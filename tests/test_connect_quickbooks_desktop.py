"""What docs/connect-quickbooks-desktop.md tells to type is typed here; its codes are those that the program names."""

from __future__ import annotations

import re
import shlex
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from handbook.made import ROOT
from pages import commands, page
from routebooks import app
from routebooks.webconnector import service

DOC = page("connect-quickbooks-desktop.md")


def types(*lines: str, code: int = 0) -> str:
    """Run commands of the page; what they showed."""
    shown = ""
    for line in lines:
        done = CliRunner().invoke(app.build(), shlex.split(line)[1:])
        assert done.exit_code == code, f"{line}\n{done.output}"
        shown += done.output
    return shown


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUTEBOOKS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (line,) = re.findall(r"`(routebooks company add [^`]*)`", DOC)
    types(line)


@pytest.mark.usefixtures("company")
def test_every_command() -> None:
    add, qwc, test, path, password = commands(DOC, "Set it up")
    assert re.search(r"^password +\S+$", types(add), re.MULTILINE)
    types(qwc)
    assert b"<QBWCXML>" in Path("harbor.qwc").read_bytes()
    assert "has not called" in types(test, code=1)
    types(path)
    assert r"C:\QuickBooks\Harbor.qbw" in types("routebooks connection show Harbor quickbooks")
    assert re.search(r"^password +\S+$", types(password), re.MULTILINE)
    types(*commands(DOC, "When QuickBooks may be used"))
    inline = re.findall(r"`(routebooks connection (?:pause|resume|window) [^`]*)`", DOC)
    assert len(inline) == 3
    types(*inline, "routebooks connection rebind Harbor quickbooks")


def test_every_code_of_the_web_connector_that_the_program_names_is_told() -> None:
    table = DOC.split("## Usual errors")[1].split("\n\n")
    told = set(re.findall(r"QBWC\d{4}", "\n".join(part for part in table if part.startswith("| code"))))
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    named = set(re.findall(r"QBWC\d{4}", sources))
    assert named
    assert named <= told


def test_wrong_passwords_wait_as_told() -> None:
    assert "After ten wrong ones it waits five minutes" in DOC
    assert (10, timedelta(minutes=5)) == (service.MAX_FAILURES, service.WAIT)
