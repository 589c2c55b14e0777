"""The store on every database that it supports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from routebooks.store.database import Store


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A migrated, empty store."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'routebooks.db'}"
    else:
        url = request.getfixturevalue("fresh_postgres")
    opened = Store(url)
    opened.migrate()
    yield opened
    opened.close()
