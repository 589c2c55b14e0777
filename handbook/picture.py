"""The picture of the process: what happens at each station, on the way out and on the way back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

_WIDTH, _HEIGHT = 1120, 440
#: the first station of a row, how wide each is, and how far the next one stands
_FIRST, _STATION, _STEP = 276, 134, 145
_INK, _SOFT, _PAPER, _LINE = "#1f2933", "#52606d", "#ffffff", "#9aa5b1"
_FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"


@dataclass(frozen=True)
class Station:
    """One box: its name, and what happens there, line by line."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Colours:
    """The fill and the edge of a box."""

    fill: str
    edge: str


_BOOKS, _OURS, _POCKET = Colours("#e3f2e1", "#3f8f3a"), Colours("#f5f7fa", _LINE), Colours("#e1effa", "#2f7ab8")
_OUT, _BACK, _CARE = Colours("#ffffff", "#2f7ab8"), Colours("#ffffff", "#3f8f3a"), Colours("#fff4d6", "#c58b00")

OUT = (
    Station("Read", ("page by page,", "once for all files")),
    Station("Map", ("fields to columns;", "bad records set aside")),
    Station("Make", ("whole and counted;", "held if too short")),
    Station("Put in place", ("size compared,", "then renamed")),
)
BACK = (
    Station("Read", ("by SQL, into the", "ledger first")),
    Station("Match", ("customer and items,", "by the keys sent out")),
    Station("Settle", ("price, cases and", "bottles, credit")),
    Station("Post", ("one order at a time,", "under its own id")),
)
TOLD = Station("Answer", ("kept first; then the orders database is told what became of each order",))
SET_ASIDE = Station("Set aside", ("what cannot go waits with its reason and its cure: routebooks rejected list",))
ALT = (
    "Out: QuickBooks Desktop gives customers, items and invoices through its Web Connector; Routebooks reads and maps "
    "them, makes files and puts them in place for PocketAdvantage. Back: orders are read from the orders database, "
    "matched, settled, and posted once as sales orders; then the database is told."
)


def made() -> str:
    """The picture as SVG, on a ground of its own, so that it can be read on any."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'role="img" aria-label={quoteattr(ALT)} font-family={quoteattr(_FONT)}>'
    )
    return "\n".join((head, *_parts(), "</svg>")) + "\n"


def _parts() -> Iterator[str]:
    yield "<!-- Made from the code by ./run docs. Change it there. -->"
    yield _marker("out", _OUT.edge)
    yield _marker("back", _BACK.edge)
    yield _box(1, 1, _WIDTH - 2, _HEIGHT - 2, Colours(_PAPER, "#cbd2d9"), 14)
    yield from _systems()
    for at, station in enumerate(OUT):
        yield from _station(station, _FIRST + at * _STEP, 74, _OUT)
    for at, station in enumerate(reversed(BACK)):
        yield from _station(station, _FIRST + at * _STEP, 204, _BACK)
    yield from _strip(TOLD, 312, _BACK)
    yield from _strip(SET_ASIDE, 366, _CARE)
    yield from _arrows()


def _systems() -> Iterator[str]:
    yield _box(265, 20, 590, 402, _OURS)
    yield _text(560, 46, "Routebooks", 17, bold=True)
    yield _box(20, 60, 170, 296, _BOOKS)
    yield from _said(105, 96, "QuickBooks Desktop", ("its Web Connector", "calls Routebooks"))
    yield from _said(105, 228, "Sales orders", ("Premier or Enterprise",))
    yield _box(930, 60, 170, 110, _POCKET)
    yield from _said(1015, 96, "PocketAdvantage", (".FIL files by FTP, FTPS,", "SFTP or in a folder"))
    yield _box(930, 190, 170, 166, _POCKET)
    yield from _said(1015, 228, "Orders database", ("PostgreSQL, MariaDB", "or SQLite"))


def _arrows() -> Iterator[str]:
    last = _FIRST + 3 * _STEP + _STATION
    yield _arrow(190, 113, _FIRST - 2, "out", "every night")
    yield _arrow(last, 113, 928, "out", "in order")
    yield _arrow(930, 243, last + 2, "back", "by schedule")
    yield _arrow(_FIRST, 243, 192, "back", "once")
    yield _arrow(190, 331, _FIRST - 2, "back", "answer")
    yield _arrow(last, 331, 928, "back", "told")
    for at in range(3):
        left, right = _FIRST + at * _STEP + _STATION, _FIRST + (at + 1) * _STEP
        yield _arrow(left, 113, right - 1, "out")
        yield _arrow(right, 243, left + 1, "back")


def _station(station: Station, x: int, y: int, colours: Colours) -> Iterator[str]:
    yield _box(x, y, _STATION, 78, colours, 8)
    yield from _said(x + _STATION // 2, y + 24, station.name, station.lines)


def _strip(station: Station, y: int, colours: Colours) -> Iterator[str]:
    yield _box(_FIRST, y, 3 * _STEP + _STATION, 38, colours, 8)
    yield _text(_FIRST + 12, y + 24, station.name, 13, bold=True, anchor="start")
    yield _text(_FIRST + 92, y + 24, station.lines[0], 11, anchor="start", colour=_SOFT)


def _said(x: int, y: int, name: str, lines: tuple[str, ...]) -> Iterator[str]:
    yield _text(x, y, name, 13, bold=True)
    for at, line in enumerate(lines):
        yield _text(x, y + 20 + at * 16, line, 11, colour=_SOFT)


def _box(x: int, y: int, width: int, height: int, colours: Colours, round_: int = 12) -> str:
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{round_}" '
        f'fill="{colours.fill}" stroke="{colours.edge}" stroke-width="1.5"/>'
    )


def _text(
    x: int, y: int, text: str, size: int, *, bold: bool = False, anchor: str = "middle", colour: str = _INK
) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" fill="{colour}"{weight}>{escape(text)}</text>'
    )


def _arrow(start: int, y: int, end: int, way: str, label: str = "") -> str:
    colour = _OUT.edge if way == "out" else _BACK.edge
    line = f'<path d="M{start} {y}H{end}" stroke="{colour}" stroke-width="2" fill="none" marker-end="url(#{way})"/>'
    gap = 227 if min(start, end) < _FIRST else 892
    return line + (_text(gap, y - 9, label, 11, colour=_SOFT) if label else "")


def _marker(name: str, colour: str) -> str:
    return (
        f'<defs><marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="5" markerHeight="5" '
        f'orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" fill="{colour}"/></marker></defs>'
    )
