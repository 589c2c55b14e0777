"""Every command that a page or a message tells a person to type is there, with the options it is told with."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from cli_examples import parse, words_of
from routebooks import app

TREE = Path(__file__).resolve().parents[1]
ROOT = get_command(app.build())
PLACES = [TREE / "README.md", *sorted((TREE / "docs").glob("*.md")), *sorted((TREE / "src").rglob("*.py"))]


def named(text: str) -> set[str]:
    """The commands in backquotes, with any value in place of what is filled in."""
    joined = re.sub(r'"\s*\n\s*f?"', "", text) if '"""' in text else re.sub(r"\s*\n\s*", " ", text)
    found = re.findall(r"`routebooks ([^`\n]+)`", joined)
    # what stands in a block is what a person copies
    found += [" ".join(words_of(line)) for line in re.findall(r"^routebooks .*$", text, re.MULTILINE)]
    return {re.sub(r"\{[^{}]*\}", "1", command).replace(" ...", "") for command in found}


#: how the program is called, and no command
_NONE = {"WORDS", "--verbose"}

COMMANDS = sorted({command for place in PLACES for command in named(place.read_text(encoding="utf-8"))} - _NONE)


def test_there_are_many() -> None:
    assert len(COMMANDS) > 40
    assert "order retry" in COMMANDS


def fault(words: list[str]) -> str:
    """Why a command cannot be typed so; a message may leave to the reader what it is to be done with."""
    try:
        parse(ROOT, words)
    except typer.TyperException as error:
        return "" if str(error).startswith("Missing") else str(error)
    return ""


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_is_named_is_there(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "harbor.qwc").write_bytes(b"")
    assert fault(shlex.split(command)) == ""


def test_one_that_is_not_there_would_be_found() -> None:
    assert fault(["order", "again"])
    assert fault(["order", "list", "--nonsense"])
