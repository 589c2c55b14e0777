"""Standard output: tables and facts for people, JSON for programs. All else goes to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any

import typer
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

#: wide enough that nothing is cut or wrapped where no terminal reads along
_PIPE_WIDTH = 100_000
#: a column of sentences never gets narrower
_READABLE = 24


def output(data: Any, as_json: bool, *shown: RenderableType) -> None:
    """The answer of a command: its data as JSON, or what shows them to a person."""
    if as_json:
        typer.echo(json.dumps(data, indent=2, default=_jsonable))
        return
    for item in shown:
        _print(item)


def _jsonable(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _print(item: RenderableType) -> None:
    terminal = sys.stdout.isatty()
    console = _console(None if terminal else _PIPE_WIDTH)
    if terminal:
        # A table that the terminal is too narrow for runs over its edge; nothing of it is cut off.
        needed = Measurement.get(console, console.options.update(width=_PIPE_WIDTH), item).minimum
        (_console(needed) if needed > console.width else console).print(item)
        return
    with console.capture() as capture:
        console.print(item)
    for line in capture.get().splitlines():
        typer.echo(line.rstrip())


def _console(width: int | None) -> Console:
    return Console(markup=False, emoji=False, highlight=False, width=width)


def say(text: str) -> None:
    """A line on standard error."""
    typer.echo(plain(text), err=True)


def plain(text: str) -> str:
    """A text without control characters, which could steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def cell(value: object) -> str:
    """A value as a table shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return plain(str(value))


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str, *, wrap: Collection[str] = ()
) -> RenderableType:
    """Rows under headings; a sentence when there are none. Only the columns in `wrap` give way to a narrow terminal."""
    cells = [[cell(value) for value in row] for row in rows]
    if not cells:
        return Text(empty)
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for at, column in enumerate(columns):
        width = max(cell_len(text) for text in (column, *(row[at] for row in cells)))
        least = min(width, _READABLE) if column in wrap else width
        made.add_column(column, overflow="fold", no_wrap=column not in wrap, min_width=least)
    for row in cells:
        made.add_row(*row)
    return made


def facts(pairs: Iterable[tuple[str, object]]) -> RenderableType:
    """Names and values, one a line; those without a value are left out."""
    made = Table.grid(padding=(0, 2, 0, 0))
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in pairs:
        if shown := cell(value):
            made.add_row(name, shown)
    return made


def heading(text: str) -> RenderableType:
    """A title with a blank line before it."""
    return Text(f"\n{plain(text)}", style="bold")


def record(value: Any) -> list[RenderableType]:
    """A record as it was read: its plain values as facts, its lists of rows as tables."""
    if not isinstance(value, dict):
        return [Text(cell(value))]
    flat = [(str(name), item) for name, item in value.items() if not isinstance(item, dict | list)]
    shown = [facts(flat)] if flat else []
    for name, item in value.items():
        if isinstance(item, list) and item and all(isinstance(row, dict) for row in item):
            columns = list(dict.fromkeys(key for row in item for key in row))
            rows = [[row.get(column) for column in columns] for row in item]
            shown += [heading(str(name)), table(columns, rows, "")]
        elif isinstance(item, dict | list):
            shown += [heading(str(name)), Text(json.dumps(item, indent=2, default=_jsonable, ensure_ascii=False))]
    return shown
