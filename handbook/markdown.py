"""The little of Markdown that the made pages need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: stands at the top of every page that is made
MADE = "<!-- Made from the code by ./run docs. Change it there. -->"


def page(title: str, *parts: str) -> str:
    """A whole page; empty parts are left out."""
    return "\n\n".join([f"# {title}", MADE, *(part.strip("\n") for part in parts if part.strip())]) + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows under headings; a bar in a cell would end it."""
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(line.replace("|  |", "| |").replace("|  |", "| |") for line in lines)


def code(text: object) -> str:
    """A word as it is typed; nothing for nothing."""
    shown = str(text).replace("\n", " ").strip()
    if "`" in shown:
        return f"`` {shown} ``"
    return f"`{shown}`" if shown else ""


def plain(text: str) -> str:
    """A text whose signs mean nothing to Markdown."""
    parts = text.split("`")
    for at in range(0, len(parts), 2):
        parts[at] = parts[at].replace("\\", "\\\\").replace("*", "\\*").replace("<", "&lt;").replace("[", "\\[")
    return "`".join(parts)
