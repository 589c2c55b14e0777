"""All that is made from the code, by its place in the repository."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from handbook import commands, layouts, picture, rejected, settings, streams

ROOT = Path(__file__).resolve().parents[1]


def made() -> Mapping[str, str]:
    """The texts by file name."""
    return {
        "docs/process.svg": picture.made(),
        "docs/reference/commands.md": commands.made(),
        "docs/reference/layouts.md": layouts.made(),
        "docs/reference/settings.md": settings.made(),
        "docs/reference/streams.md": streams.made(),
        "docs/when-a-record-is-rejected.md": rejected.made(),
    }
