"""What a command is given: the settings and the engine's surroundings, made when it first asks for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Protocol

import typer

from routebooks import settings
from routebooks.cli.output import say
from routebooks.engine.context import Context
from routebooks.settings import Settings

#: who the audit names for what was changed from here
ACTOR = "command line"


class MakeContext(Protocol):
    """Opens an installation; only with `begin` is one made where there is none. Raises ConfigError."""

    def __call__(self, settings: Settings, *, begin: bool = True) -> Context:
        """The engine's surroundings."""
        ...


class CliState:
    """One call of the program. Nothing is opened, not even the settings, before a command asks for it.

    `home` is what was given outright; else the settings know.
    """

    def __init__(
        self,
        make_context: MakeContext,
        *,
        home: str | None = None,
        verbose: bool = False,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._make_context, self.home = make_context, home
        self.verbose, self.pause = verbose, pause
        self._begins = False

    @cached_property
    def settings(self) -> Settings:
        """The settings of the installation. Raises ConfigError."""
        return settings.load(home=self.home) if self.home is not None else settings.load()

    @cached_property
    def context(self) -> Context:
        """The engine's surroundings. Raises ConfigError."""
        return self._make_context(self.settings, begin=self._begins)

    def begin(self) -> Context:
        """The same, for a command with which a new installation may begin. Raises ConfigError."""
        self._begins = True
        home = self.settings.home
        fresh = _is_blank(home)
        context = self.context
        if fresh:
            say(f"A new installation begins in {home}.")
        return context

    def close(self) -> None:
        """Give back what was opened."""
        if "context" in self.__dict__:
            self.context.store.close()


def _is_blank(folder: Path) -> bool:
    """Whether a folder holds nothing, or is not there."""
    try:
        return next(folder.iterdir(), None) is None
    except FileNotFoundError:
        return True
    except OSError:  # whoever uses it tells
        return False


def state_of(ctx: typer.Context) -> CliState:
    """The state of this call."""
    found = ctx.find_object(CliState)
    if found is None:
        raise TypeError("the command was called outside of the program")
    return found
