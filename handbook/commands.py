"""The page of the commands, from the program itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import typer

from handbook import markdown
from routebooks import app

_EXAMPLES = re.compile(r"Examples:\n((?:  .*\n?)*)")
#: what Typer writes beside a name and behind a text
_KIND = re.compile(r" <[a-z]+( range|\[str\])?>$")
_NOTE = re.compile(r" *\[(required|(default: (?P<default>.*?))?(; )?(x>=\d+)?)\]$")
_INTRODUCTION = """
Every command has `--help`, and `--json` where it shows something: then standard output holds JSON and nothing
else. What a person is told besides goes to standard error.
"""


def made() -> str:
    """The page."""
    # What Typer builds is not typed for readers like this one.
    program: Any = typer.main.get_command(app.build())
    top = program.context_class(program, info_name="routebooks")
    told = [_one(name, command, context) for name, command, context in _all(program, top)]
    general = f"## Before every command\n\n{_options(program, top)}"
    return markdown.page("Commands", _INTRODUCTION, general, _exit_codes(program.epilog), *told)


def _all(group: Any, context: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any, Any]]:
    """Every command below a group, with its whole name."""
    commands: Mapping[str, Any] = group.commands
    for name in sorted(commands):
        command = commands[name]
        inner = command.context_class(command, info_name=name, parent=context)
        if hasattr(command, "commands"):
            yield " ".join((*path, name)), command, inner
            yield from _all(command, inner, (*path, name))
        else:
            yield " ".join((*path, name)), command, inner


def _one(name: str, command: Any, context: Any) -> str:
    text = " ".join((command.help or "").split())
    if hasattr(command, "commands"):
        return f"## {name}\n\n{markdown.plain(text)}"
    level = "###" if " " in name else "##"
    usage = " ".join(piece.strip("{}") for piece in command.collect_usage_pieces(context))
    parts = [f"{level} {name}", f"`routebooks {name} {usage}`", markdown.plain(text), _options(command, context)]
    if found := _EXAMPLES.search(command.epilog or ""):
        lines = "\n".join(line.strip() for line in found[1].splitlines())
        parts.append(f"```\n{lines}\n```")
    return "\n\n".join(part for part in parts if part)


def _options(command: Any, context: Any) -> str:
    records = [parameter.get_help_record(context) for parameter in command.params]
    rows = [(markdown.code(_KIND.sub("", name)), _said(text)) for name, text in filter(None, records)]
    return markdown.table(("", "what it is"), rows) if rows else ""


def _said(text: str) -> str:
    note = _NOTE.search(text)
    default = note["default"] if note else None
    return markdown.plain(_NOTE.sub("", text).strip() + (f" Else {default}." if default else ""))


def _exit_codes(epilog: str) -> str:
    rows = re.findall(r"^  (\d+) +(.*)$", epilog, re.MULTILINE)
    return f"## Exit codes\n\n{markdown.table(('code', 'meaning'), rows)}"
