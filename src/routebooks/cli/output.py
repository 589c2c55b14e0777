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
#: a table of rows as they were read is not made wider without need
_MANY_COLUMNS = 6
#: a column of sentences never gets narrower
_READABLE = 12
_GAP = 2


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
    console = _console()
    if on_screen():
        # A table that the terminal is too narrow for runs over its edge; nothing of it is cut off.
        needed = Measurement.get(console, console.options.update(width=_PIPE_WIDTH), item).minimum
        (_console(needed) if needed > console.width else console).print(item)
        return
    with console.capture() as capture:
        console.print(item)
    for line in capture.get().splitlines():
        typer.echo(line.rstrip())


def on_screen() -> bool:
    """Whether a person reads along, on a screen of some width."""
    return sys.stdout.isatty()


def _console(width: int | None = None) -> Console:
    """Where to print: so wide, as wide as the screen, or wide enough for a pipe."""
    if width is None and not on_screen():
        width = _PIPE_WIDTH
    # A terminal that is called dumb is taken for one of 80 columns, unless a height is given with the width.
    height = None if width is None else 25
    return Console(markup=False, emoji=False, highlight=False, width=width, height=height)


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
    """Rows under headings; a sentence when there are none. Columns in `wrap` hold sentences and wrap first."""
    cells = [[cell(value) for value in row] for row in rows]
    if not cells:
        return Text(empty)
    made = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    filled = [[title, *(row[at] for row in cells)] for at, title in enumerate(columns)]
    for title, width in zip(columns, _widths(filled, [title in wrap for title in columns]), strict=True):
        made.add_column(title, overflow="fold", width=width)
    for row in cells:
        made.add_row(*row)
    return made


def _widths(columns: Sequence[Sequence[str]], sentences: Sequence[bool]) -> list[int]:
    """How wide columns of these texts are: the widest gives way first, sentences further than to their longest word."""
    widths = [max(map(cell_len, texts)) for texts in columns]
    words = [max((cell_len(word) for text in texts for word in text.split()), default=0) for texts in columns]
    floors = [
        min(width, _READABLE) if wraps else word for width, word, wraps in zip(widths, words, sentences, strict=True)
    ]
    room = _console().width - _GAP * (len(columns) - 1)
    while sum(widths) > room and (give := [at for at, width in enumerate(widths) if width > floors[at]]):
        widths[max(give, key=widths.__getitem__)] -= 1
    return widths


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
            shown += [heading(str(name)), *_rows(item)]
        elif isinstance(item, dict | list):
            shown += [heading(str(name)), Text(json.dumps(item, indent=2, default=_jsonable, ensure_ascii=False))]
    return shown


def _rows(rows: Sequence[dict[str, Any]]) -> list[RenderableType]:
    """Rows as a table; of many columns, those that are the same in every row are said once, before it."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    same = [column for column in columns if all(row.get(column) == rows[0].get(column) for row in rows)]
    if len(columns) <= _MANY_COLUMNS or not same:
        same = []
    shown: list[RenderableType] = [facts([(column, rows[0].get(column)) for column in same])] if same else []
    if own := [column for column in columns if column not in same]:
        shown.append(table(own, [[row.get(column) for column in own] for row in rows], ""))
    return shown
