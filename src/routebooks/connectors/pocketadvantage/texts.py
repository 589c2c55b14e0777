"""Texts made fit for a file: no control characters, in its encoding, no longer than the column."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from routebooks.errors import Problem
from routebooks.records import Loss, TargetColumn

#: what would end a field or a line, and every other character that does not print; a run of them becomes one space
_CONTROLS = r"[\x00-\x1f\x7f-\x{9f}\x{2028}\x{2029}]+"

#: where Unicode's own decomposition says nothing; quotes, dashes, signs, and letters with a stroke or a bar
_NEAREST = {
    **dict.fromkeys("‘’‚‛′ʹʻʼ‹›`´", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−⁃", "-"),
    **dict.fromkeys("•·●▪", "*"),
    **{"⁄": "/", "∕": "/", "×": "x", "÷": "/", "°": "deg", "€": "EUR", "£": "GBP", "¢": "c", "©": "(c)", "®": "(R)"},
    **{"Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "ß": "ss", "ẞ": "SS", "Þ": "Th", "þ": "th", "ı": "i"},
    **{"Ø": "O", "ø": "o", "Ð": "D", "ð": "d", "Đ": "D", "đ": "d", "Ł": "L", "ł": "l", "Ħ": "H", "ħ": "h", "Ŧ": "T"},
    **{"ŧ": "t", "¡": "!", "¿": "?", "º": "o", "ª": "a"},
}


def fit(column: TargetColumn, texts: Any, encoding: str, label: Callable[[int], str]) -> tuple[Any, list[Loss]]:
    """An array of texts as a file takes them, and each kind of loss: in how many records, and the first's label.

    Control characters become a space. What the encoding does not have is replaced, and what is longer than the column's
    width is cut: these two are told.
    """
    # Nearly always there is none, and this says so twenty times faster than the expression.
    if not pc.all(pc.ascii_is_printable(texts), min_count=0).as_py():
        texts = pc.replace_substring_regex(texts, _CONTROLS, " ")
    texts, replaced = _in_encoding(column, texts, encoding, label)
    texts, cut = _in_width(column, texts, label)
    return texts, replaced + cut


def _in_encoding(
    column: TargetColumn, texts: Any, encoding: str, label: Callable[[int], str]
) -> tuple[Any, list[Loss]]:
    odd = pc.fill_null(pc.invert(pc.string_is_ascii(texts)), False)
    if encoding == "utf-8" or not pc.any(odd).as_py():
        return texts, []
    rows = pc.indices_nonzero(odd)
    before = texts.take(rows).to_pylist()
    after = [transliterate(text, encoding) for text in before]
    changed = [place for place, text in enumerate(after) if text != before[place]]
    if not changed:
        return texts, []
    texts = pc.replace_with_mask(texts, odd, pa.array(after, pa.large_string()))
    # composing alone changes the bytes, not the text
    lost = [place for place in changed if after[place] != unicodedata.normalize("NFC", before[place])]
    if not lost:
        return texts, []
    first = lost[0]
    message = f"'{column.name}' has characters that {encoding} does not have; they were replaced"
    hint = "Correct the text in QuickBooks, or set the encoding to utf-8 if PocketAdvantage reads it." + _of_key(column)
    problem = Problem("text-replaced", message, hint, f"{before[first]} -> {after[first]}")
    row = rows[first].as_py()
    return texts, [Loss(problem, len(lost), row, label(row))]


def _in_width(column: TargetColumn, texts: Any, label: Callable[[int], str]) -> tuple[Any, list[Loss]]:
    if column.max_length is None:
        return texts, []
    rows = pc.indices_nonzero(pc.greater(pc.utf8_length(texts), pa.scalar(column.max_length)))
    if not len(rows):
        return texts, []
    first = rows[0].as_py()
    message = f"'{column.name}' takes {column.max_length} characters; the rest was cut off"
    hint = "Shorten the text in QuickBooks or in the map, or change the column's width in the layout." + _of_key(column)
    cut = pc.utf8_slice_codeunits(texts, 0, column.max_length)
    problem = Problem("text-cut", message, hint, texts[first].as_py())
    return cut, [Loss(problem, len(rows), first, label(first))]


def _of_key(column: TargetColumn) -> str:
    return " This is the key: orders come back with it as the file has it." if column.key else ""


def transliterate(text: str, encoding: str) -> str:
    """The text in characters that the encoding has: composed, else the nearest ones, else "?".

    A text that the encoding can say comes back as it is; invisible marks that it cannot say are left out.
    """
    if _can_say(text, encoding):
        return text
    return "".join(_nearest(character, encoding) for character in unicodedata.normalize("NFC", text))


def _can_say(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=4096)
def _nearest(character: str, encoding: str) -> str:
    """One character in the encoding. The table goes first: it knows better than a compatibility decomposition."""
    if _can_say(character, encoding):
        return character
    if character in _NEAREST and _can_say(_NEAREST[character], encoding):
        return _NEAREST[character]
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return ""
    pieces = unicodedata.normalize("NFKD", character)
    if pieces == character:
        return "?"
    said = "".join(_nearest(piece, encoding) for piece in pieces)
    return said if said.strip("?") else "?"
