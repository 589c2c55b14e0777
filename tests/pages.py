"""The pages of docs/, and what they tell to type."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"


def page(name: str) -> str:
    """The text of a page."""
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(text: str, title: str, kind: str = "") -> list[str]:
    """The blocks of a kind (commands have none) under a heading, up to the next one."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", _under(text, title), re.MULTILINE | re.DOTALL)
    return [block for each, block in found if each == kind]


def commands(text: str, title: str) -> list[str]:
    """The commands under a heading, one after the other."""
    return [line for block in blocks(text, title) for line in block.splitlines()]


def cells(text: str, title: str, column: int = 0) -> list[str]:
    """The words in code marks of a column of the tables under a heading."""
    rows = re.findall(r"^\| (.*) \|$", _under(text, title), re.MULTILINE)
    return [word for row in rows for word in re.findall("`([^`]*)`", row.split(" | ")[column])]


def _under(text: str, title: str) -> str:
    (found,) = re.findall(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL)
    return str(found)
