"""The house of the engine's tests, and the program on top of it."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
import typer.testing
from typer.main import get_command

import house as houses
from cli_program import Program


@pytest.fixture
def house(tmp_path: Path) -> Iterator[houses.House]:
    """A company with toy connections, on SQLite in a file."""
    built = houses.build(tmp_path)
    yield built
    built.ctx.store.close()


#: made from the signatures of all commands, which takes longer than most commands do
_made = functools.cache(get_command)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Nothing of this machine's own settings; no server of anybody's; logging as it was found."""
    for name in list(os.environ):
        if name.startswith("ROUTEBOOKS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ROUTEBOOKS_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    # Port 1 is the port multiplexer's; nothing listens there.
    monkeypatch.setenv("ROUTEBOOKS_PORT", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(typer.testing, "_get_command", _made)
    yield
    structlog.reset_defaults()


@pytest.fixture
def program(house: houses.House) -> Program:
    """The program over the house."""
    return Program(house)
