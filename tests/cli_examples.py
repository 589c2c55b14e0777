"""The commands of a program and the examples in their help, and whether what was typed parses."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from typer.core import TyperGroup

Path = tuple[str, ...]


def commands(command: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every command that does something, by its path."""
    if isinstance(command, TyperGroup):
        for name, child in command.commands.items():
            yield from commands(child, (*path, name))
    else:
        yield path, command


def examples_of(command: Any) -> list[str]:
    """The examples in the help of a command, as they are typed."""
    return [line.strip() for line in (command.epilog or "").splitlines() if line.startswith("  routebooks ")]


def words_of(example: str) -> list[str]:
    """What the shell hands to the program: without its name, and without what is redirected."""
    return shlex.split(example.partition(" > ")[0].partition(" < ")[0])[1:]


def parse(root: Any, words: list[str]) -> Path:
    """Parse what was typed, without doing it; the path of the command that it names. Raises TyperException."""
    command: Any = root
    context: Any = root.make_context("routebooks", list(words))
    path: Path = ()
    while isinstance(command, TyperGroup):
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        path = (*path, str(name))
        context = command.make_context(name, rest, parent=context)
    return path
