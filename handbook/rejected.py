"""The page of what to do about a rejected record, and about every other problem: each code with its cure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import takewhile

from handbook import markdown
from handbook.problems import Met, problems
from handbook.texts import OPEN
from routebooks.connectors.base import Outcome
from routebooks.connectors.quickbooks_desktop import status_codes
from routebooks.connectors.quickbooks_desktop.hresults import UNSEEN
from routebooks.connectors.quickbooks_desktop.status_table import OTHER, Status

_BOOKS = "routebooks.connectors.quickbooks_desktop"
_POCKET = "routebooks.connectors.pocketadvantage"
#: where each problem is told: title, a sentence, and the parts of the source; the first that fits counts
_PARTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "Values and keys",
        "A value does not fit its column, or a key is missing or double. The others of the file go on.",
        ("routebooks.mapping.problems", "routebooks.engine.codes", "routebooks.engine.changes", f"{_POCKET}.texts"),
    ),
    (
        "Customers, items and invoices",
        "A record of QuickBooks says too little for a file.",
        (f"{_BOOKS}.view_problems", f"{_BOOKS}.view_p", f"{_BOOKS}.view_t", f"{_BOOKS}.view_q", f"{_BOOKS}.view_c"),
    ),
    (
        "Orders",
        "An order waits, or was written with a note. The others go on.",
        (
            "routebooks.engine.documents",
            "routebooks.engine.order",
            f"{_BOOKS}.order_credit",
            f"{_BOOKS}.order_elements",
            f"{_BOOKS}.order_keys",
            f"{_BOOKS}.order_parts",
            f"{_BOOKS}.order_policies",
            f"{_BOOKS}.order_prices",
            f"{_BOOKS}.order_units",
            f"{_BOOKS}.elements",
            f"{_BOOKS}.exact",
            f"{_BOOKS}.lined",
            f"{_BOOKS}.sales_orders",
            f"{_POCKET}.order_rows",
        ),
    ),
    ("Maps", "A map cannot be used as it is. `flow set` and the run say which line.", ("routebooks.mapping",)),
    (
        "QuickBooks and the Web Connector",
        "Nothing comes from QuickBooks, or nothing is written: `connection test` and the Web Connector say why.",
        (_BOOKS, "routebooks.webconnector", *(f"routebooks.engine.{name}" for name in ("identity", "sess", "exch"))),
    ),
    (
        "PocketAdvantage: files and their place",
        "A file cannot be made or put in place. What may pass is tried again; `connection test` finds what fails.",
        ("routebooks.connectors.filedrop", f"{_POCKET}.f", f"{_POCKET}.l"),
    ),
    (
        "PocketAdvantage: the orders database",
        "Orders cannot be read. [Its page](connect-orders-database.md) says more.",
        (_POCKET,),
    ),
    (
        "Flows, runs, files and alerts",
        "Said by a command, or by a run of itself.",
        ("routebooks.engine", "routebooks.rows"),
    ),
    ("Commands, settings and the server", "Said by a command; nothing was changed then.", ("routebooks",)),
)

_THEN = {
    Outcome.OK: "taken",
    Outcome.EMPTY: "nothing to take",
    Outcome.PARTIAL: "taken, with a warning",
    Outcome.RETRY: "tried again by itself",
    Outcome.HOLD: "waits for a person",
    Outcome.STOP: "the connection's work stops",
    Outcome.UNKNOWN: "looked for before it is written again",
}

_INTRODUCTION = """
A record that cannot go is set aside, and the others go on. It stands in one list until a person or a later
success ends it. Each has a reason, a cure, and a code; the codes stand below.

## What to do

1. `routebooks rejected list` shows what waits: which record, why, and what to do.
2. `routebooks rejected show 3` shows one of them (its number stands in the list) as it was read.
3. Mend it where it is kept: in QuickBooks, in PocketAdvantage, or in a setting. The cure says which.
4. Nothing more is needed. The next run tries it again, and takes it off the list when it goes.

Sooner than the next run: `routebooks flow run Harbor customers` for a file, `routebooks order retry Harbor
PA-1001` for an order. An order that is **refused** (QuickBooks said no) goes only when `order retry` asks for
it; one that is **held** goes by itself. `routebooks order show Harbor PA-1001 --raw` shows every request and
answer. An order that is not wanted any more is ended with `routebooks order drop Harbor PA-1001`, any other
record with `routebooks rejected resolve 3`.

The signs … stand for what is known only when it happens: a name, a number, the words of another system.
"""

_QUICKBOOKS = """
The code is `qb-` and QuickBooks' own number, such as `qb-3140`. The reason adds QuickBooks' own words. A number
that has no row of its own is taken as its range says. *By memory*: what the number means was not found in
Intuit's reference or in recorded traffic.
"""

_CONNECTOR = "The Web Connector hands these in when QuickBooks gave no answer at all. The code is `qb-` and the number."


def made() -> str:
    """The page."""
    ours = [f"## {title}\n\n{said}\n\n{_ours(found)}" for title, said, found in _parted(problems())]
    statuses = [row for row in status_codes.table() if not row.code.startswith("0x")]
    refusals = [row for row in status_codes.table() if row.code.startswith("0x")]
    return markdown.page(
        "When a record is rejected",
        _INTRODUCTION,
        f"## What QuickBooks answers\n{_QUICKBOOKS}\n{_theirs([*statuses, OTHER])}",
        f"## What the Web Connector hands in\n\n{_CONNECTOR}\n\n{_theirs([*refusals, UNSEEN])}",
        *ours,
    )


def _parted(found: Iterable[Met]) -> list[tuple[str, str, list[Met]]]:
    parts: dict[str, list[Met]] = {title: [] for title, _, _ in _PARTS}
    for met in found:
        title = next(title for title, _, homes in _PARTS if met.module.startswith(homes))
        parts[title].append(met)
    return [(title, said, parts[title]) for title, said, _ in _PARTS]


def _theirs(rows: Sequence[Status]) -> str:
    columns = ("number", "what happened", "what to do", "then")
    return markdown.table(
        columns,
        [
            (
                markdown.code(row.code),
                markdown.plain(row.message) + ("" if row.proved else " *By memory.*"),
                markdown.plain(row.cure),
                _THEN[row.outcome],
            )
            for row in rows
        ],
    )


def _ours(found: Sequence[Met]) -> str:
    rows: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for met in found:
        rows.setdefault((met.code, met.hints), []).extend(met.messages)
    return markdown.table(
        ("code", "what it says", "what to do"),
        [
            (markdown.code(code), _lines(_short(messages)), _lines(hints))
            for (code, hints), messages in sorted(rows.items(), key=lambda row: row[0][0])
        ],
    )


def _lines(texts: Sequence[str]) -> str:
    return "<br>".join(markdown.plain(_alone(text)) for text in dict.fromkeys(texts) if text)


def _alone(text: str) -> str:
    return "(its own words)" if text == OPEN else re.sub(rf"^{OPEN}(?=\w)", f"{OPEN} ", text)


def _short(messages: Sequence[str]) -> Sequence[str]:
    """The messages; of many that begin alike, only what they share."""
    each = list(dict.fromkeys(messages))
    start = _shared([message.split() for message in each])
    end = _shared([message.split()[::-1] for message in each])
    if len(each) < 3 or len(start) < 2:
        return each
    return [" ".join([*start, OPEN, *end[::-1]])]


def _shared(texts: Sequence[Sequence[str]]) -> list[str]:
    """The words that all begin with."""
    return [words[0] for words in takewhile(lambda words: len(set(words)) == 1, zip(*texts, strict=False))]
