"""Text as QuickBooks can keep it: Windows-1252, where any other character would silently become a question mark.

A letter that is not in Windows-1252 goes out as its nearest (ő as o, ł as l, ⅓ as 1/3): the order is worth more than
the accent. Marks that nobody sees are left out, in notes pictures too. A character without anything near it (Greek,
Chinese) stays as it is, for the check to refuse by name: a question mark in QuickBooks would be an unnoticed loss.
"""

from __future__ import annotations

import unicodedata

# Letters and signs that Unicode does not take apart by itself.
_NEAREST = str.maketrans(
    {
        **{"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ħ": "h", "Ħ": "H", "ŧ": "t", "Ŧ": "T", "ı": "i", "ĸ": "k"},
        **{"‐": "-", "‑": "-", "‒": "–", "―": "—", "−": "-", "⁃": "-"},
        **{"′": "'", "‵": "'", "‛": "'", "‟": '"', "⁄": "/", "∕": "/", "∶": ":"},
    }
)


def storable(text: str) -> str:
    """The text in characters of Windows-1252 as far as there are near ones; the rest is left as it is."""
    text = unicodedata.normalize("NFC", text)
    return text if _fits(text) else "".join(char if _fits(char) else _nearest(char) for char in text)


def without_pictures(text: str) -> str:
    """The text of a note without emoji and other pictures: no order is worth stopping for one."""
    return "".join(char for char in text if _fits(char) or unicodedata.category(char) not in ("So", "Sk"))


def foreign(text: str) -> str:
    """The characters of a text that Windows-1252 does not have, each once, in order."""
    return "".join(dict.fromkeys(char for char in text if not _fits(char)))


def _fits(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _nearest(char: str) -> str:
    category = unicodedata.category(char)
    if category in ("Cc", "Cf", "Cs", "Mn", "Me"):
        return ""
    if category in ("Zl", "Zp"):
        return "\n"
    parts = unicodedata.normalize("NFKD", char.translate(_NEAREST)).translate(_NEAREST)
    near = "".join(part for part in parts if not unicodedata.combining(part))
    return near if near and _fits(near) else char
