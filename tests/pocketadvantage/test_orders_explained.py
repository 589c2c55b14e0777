"""What a person wonders about when orders are read."""

from __future__ import annotations

import pytest

from orders_source import connection
from routebooks.connectors.base import Explaining
from routebooks.connectors.pocketadvantage.orders import PocketAdvantageOrders


@pytest.mark.parametrize(("minutes", "words"), [(1, "the last minute "), (2, "the last 2 minutes "), (0, "")])
def test_where_the_newest_orders_are_is_explained(minutes: int, words: str) -> None:
    orders = PocketAdvantageOrders()
    assert isinstance(orders, Explaining)
    explained = orders.explain(connection("sqlite://", settle_minutes=minutes))
    assert [words in each.message for each in explained] == ([True] if words else [])
