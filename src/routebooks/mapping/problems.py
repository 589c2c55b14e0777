"""The words for what can be wrong with a map, and with a value that a map has made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from routebooks.errors import Problem
from routebooks.records import Kind, TargetColumn

#: a value did not convert to its column's kind; the kind and the value say what to tell
UNFIT = "unfit"
BLANK = "map-blank"
BLANK_KEY = "key-blank"
TOO_LONG = "map-text-too-long"

#: how many of the records that share a key are named to a person
SHOWN = 5

_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)\s*")
_UNFIT = {
    Kind.BOOLEAN: ("map-not-a-yes-or-no", "is not true or false", "Write true or false."),
    Kind.INTEGER: ("map-not-a-whole-number", "is not a whole number", "Write digits only."),
    Kind.DECIMAL: ("map-not-a-number", "is not a number", "Write digits with a point and no other signs, as 1234.50."),
    Kind.DATE: ("map-not-a-date", "is not a date", "Write dates as 2026-11-24."),
    Kind.TIMESTAMP: (
        "map-not-an-instant",
        "is not an instant",
        "Write date, time and offset, as 2026-11-24T18:30:00-05:00.",
    ),
}


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """A hint with the nearest of the words; empty when none is near."""
    known = {each.casefold(): each for each in words}
    near = get_close_matches(word.casefold(), known, n=1)
    return f"Did you mean {known[near[0]]}?" if near else ""


def shorten(text: str, limit: int = 60) -> str:
    """A value as it is shown in a message: not longer than the limit."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def value_problem(column: TargetColumn, error: str) -> Problem:
    """What to tell of a value that cannot stand in a column; the error is `code:value` as compiled maps give it."""
    code, _, text = error.partition(":")
    cure = "Correct it where the record is kept, or change the map of this column (`routebooks flow map`)."
    if code in (BLANK, BLANK_KEY):
        hint = f"Fill the field that the map reads for {column.name}: `routebooks flow map` shows it and changes it."
        return Problem(code, f"{column.name} is blank, but must be filled", hint)
    if code == TOO_LONG:
        message = f"{column.name}: “{shorten(text)}” has {len(text)} characters, at most {column.max_length} fit"
        hint = f"Shorten it where the record is kept, or change the map of {column.name} (`routebooks flow map`)."
        return Problem(code, message, hint)
    if _NUMBER.fullmatch(text) and column.kind in (Kind.INTEGER, Kind.DECIMAL) and not _has_fraction(column, text):
        return Problem("map-number-too-large", f"{column.name}: {shorten(text)} has too many digits", cure)
    code, words, how = _UNFIT[column.kind]
    return Problem(code, f"{column.name}: “{shorten(text)}” {words}", f"{how} {cure}")


def double_key(name: str, key: str, others: Sequence[str], more: int) -> Problem:
    """What to tell of a record that shares its key with others: some by their names in the source, and more."""
    shown = ", ".join(others) + (f" and {more} more" if more else "")
    message = f"{name} shares the key {key} with {shown}"
    return Problem("key-double", message, "Give each of them a key of its own; until then none of them is sent.")


def _has_fraction(column: TargetColumn, text: str) -> bool:
    return column.kind is Kind.INTEGER and bool(text.partition(".")[2].strip().strip("0"))
