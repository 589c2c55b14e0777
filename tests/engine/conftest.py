"""The house that the engine's tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import house as houses


@pytest.fixture
def house(tmp_path: Path) -> Iterator[houses.House]:
    """A company with toy connections, on SQLite in a file."""
    built = houses.build(f"sqlite:///{tmp_path / 'routebooks.db'}", tmp_path)
    yield built
    built.ctx.store.close()
