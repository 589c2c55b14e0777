"""The command line over a house, as its tests call it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from typer.testing import CliRunner, Result

import house as houses
from routebooks import cli
from routebooks.engine.context import Context
from routebooks.settings import Settings
from routebooks.store.tables import audit

#: of the command that is being run: the surroundings, and what is done in place of a wait. The app is made only once
_now: list[tuple[Context, Callable[[], Any]]] = []


def _context(settings: Settings, *, begin: bool = True) -> Context:
    return _now[0][0]


APP = cli.build(_context, pause=lambda _: _now[0][1]())


def call(
    ctx: Context,
    *args: str,
    code: int = 0,
    stdin: str | None = None,
    paused: Callable[[], Any] = lambda: None,
) -> Result:
    """Run a command over some surroundings and check how it ends; `paused` is called in place of every wait."""
    _now[:] = [(ctx, paused)]
    result = CliRunner().invoke(APP, list(args), input=stdin)
    assert result.exit_code == code, f"{result.exit_code}\n{result.output}\n{result.exception!r}"
    assert "Traceback" not in result.output
    return result


@dataclass
class Program:
    """The program over a house; `paused` is called in place of every wait."""

    house: houses.House
    paused: Callable[[], Any] = field(default=lambda: None)

    def __call__(self, *args: str, code: int = 0, stdin: str | None = None) -> Result:
        """Run a command and check how it ends."""
        return call(self.house.ctx, *args, code=code, stdin=stdin, paused=self.paused)

    def json(self, *args: str, code: int = 0) -> Any:
        """What a command says with --json."""
        return json.loads(self(*args, "--json", code=code).stdout)

    def refused(self, *args: str, code: int = 2) -> str:
        """What a command says that is refused; standard output stays empty."""
        result = self(*args, code=code)
        assert result.stdout == ""
        return result.stderr

    def audit(self) -> list[tuple[str, str, str]]:
        """Who did what to what."""
        with self.house.ctx.store.read() as tx:
            return [(row.actor, row.action, row.subject) for row in tx.execute(audit.select().order_by(audit.c.id))]
