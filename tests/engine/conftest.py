"""The house that the engine's tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import house as houses


@pytest.fixture
def house(tmp_path: Path) -> Iterator[houses.House]:
    """A company with toy connections, on SQLite in a file."""
    built = houses.build(tmp_path)
    yield built
    built.ctx.store.close()


@pytest.fixture
def linked(house: houses.House) -> houses.House:
    """The house after a first night: customers 1-3 and items 11-13 are delivered and linked."""
    books = houses.Books({"customers": houses.records(range(1, 4)), "items": houses.records(range(11, 14))})
    house.run("customers")
    house.run("items")
    house.visit(books)
    house.tick()
    return house
