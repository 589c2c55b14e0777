"""The page of the layouts: the columns of each file, position by position."""

from __future__ import annotations

from handbook import markdown
from handbook.streams import kind
from routebooks.connectors.pocketadvantage.layouts import shipped_layouts
from routebooks.records import Layout, TargetColumn

_INTRODUCTION = """
The columns of each file, as Routebooks has them at first. The 42 positions of `customer.fil` are published.
**assumed**: nobody publishes this, so it is our own assumption. Compare it with what Inventiv told you.

A layout of your own, in the form of those in `src/routebooks/connectors/pocketadvantage/layouts/`, takes the
place of ours: `routebooks connection set Harbor files "item_layout=$(cat item.yaml)"`. How values are written
(encoding, line ends, dates, decimals) are [settings of the connection](settings.md).
"""


def made() -> str:
    """The page."""
    return markdown.page("Layouts", _INTRODUCTION, *(_layout(layout) for layout in shipped_layouts().values()))


def _layout(layout: Layout) -> str:
    said = "The whole layout is **assumed**.\n\n" if layout.assumed else ""
    rows = [(str(column.position), column.name, kind(column), _marks(column)) for column in layout.columns]
    return f"## {layout.file}\n\n{said}{markdown.table(('position', 'column', 'kind', ''), rows)}"


def _marks(column: TargetColumn) -> str:
    marks = ["the key"] if column.key else ["must be filled"] if column.required else []
    marks += ["one a line"] if column.line else []
    marks += [f"written as {markdown.code(column.format)}"] if column.format else []
    marks += [f"a code of kind {column.detail}"] if column.detail else []
    marks += ["**assumed**"] if column.assumed else []
    return ", ".join(marks)
