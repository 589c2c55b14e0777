"""The connector that docs/add-a-connector.md shows is this one, and it carries orders into the books."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path

import pytest

import csv_orders
from cli_program import call
from csv_orders import CsvOrders
from house import Books, House, bring_in, build, records
from pages import blocks, cells, page
from routebooks.connectors import base
from routebooks.connectors.registry import CONNECTORS
from routebooks.store import companies
from routebooks.store.ledger import OrderState
from routebooks.store.tables import flows

DOC = page("add-a-connector.md")
HEAD = "order_no,customer,item,quantity,updated_at\n"
ORDERS = """\
B-2,1,1,3,2026-03-01T10:00:00+00:00
A-1,2,1,1,2026-03-01T11:00:00+00:00
A-1,2,2,5,2026-03-01T11:00:00+00:00
"""


def test_the_page_shows_the_example_whole() -> None:
    assert blocks(DOC, "An example", "python") == [inspect.getsource(csv_orders)]
    assert isinstance(CsvOrders(), base.Connector)
    assert isinstance(CsvOrders(), base.OrderSource)


def test_the_page_names_every_protocol_and_who_it_is() -> None:
    declared = {name for name, found in vars(base).items() if getattr(found, "_is_protocol", False)} - {"Protocol"}
    assert set(cells(DOC, "What it can be")) == declared
    rows = [line for line in DOC.splitlines() if line.startswith("| `")]
    for name in declared - {"Connector", "Source"}:
        able = [kind.name for kind in CONNECTORS.values() if isinstance(kind, getattr(base, name))]
        (row,) = [row for row in rows if row.startswith(f"| `{name}` |")]
        assert [kind for kind in CONNECTORS if f"`{kind}`" in row] == able


@pytest.fixture
def house(tmp_path: Path) -> House:
    """The house of the tests with the example in it, as the source of its orders."""
    made = build(tmp_path)
    connectors = {**made.ctx.connectors, CsvOrders.name: CsvOrders()}
    made.ctx = replace(made.ctx, connectors=connectors)
    (tmp_path / "orders.csv").write_text(HEAD + ORDERS, encoding="utf-8")
    call(made.ctx, "connection", "add", "Harbor", "csv", "csv_orders", f"file={tmp_path / 'orders.csv'}")
    with made.ctx.store.begin() as tx:
        row = companies.connection_named(tx, made.company_id, "csv")
        assert row is not None
        tx.execute(flows.update().where(flows.c.id == made.flows["orders"]).values(source_id=row.id))
    return made


def test_its_orders_are_posted_once(house: House, tmp_path: Path) -> None:
    books = Books({"customers": records([1, 2]), "items": records([1, 2])})
    for name in ("customers", "items"):
        house.run(name)
        house.visit(books)
        house.tick()
    for _ in range(2):
        bring_in(house, books)
    assert [(slip["key"], len(slip["lines"])) for slip in books.written] == [("B-2", 1), ("A-1", 2)]
    assert house.order("A-1").state is OrderState.POSTED
    more = "C-3,1,2,1,2026-03-02T09:00:00+00:00\n"
    (tmp_path / "orders.csv").write_text(HEAD + ORDERS + more, encoding="utf-8")
    bring_in(house, books)
    assert [slip["key"] for slip in books.written] == ["B-2", "A-1", "C-3"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe", "is no CSV file"),
        (b"order_no,quantity\n", "has no column updated_at"),
    ],
)
def test_its_test_says_what_is_wrong(house: House, tmp_path: Path, text: bytes | None, words: str) -> None:
    assert "3 lines." in call(house.ctx, "connection", "test", "Harbor", "csv").stdout
    file = tmp_path / "orders.csv"
    if text is None:
        file.unlink()
    else:
        file.write_bytes(text)
    assert words in call(house.ctx, "connection", "test", "Harbor", "csv", code=1).stdout


def test_a_line_without_a_time_zone_stops_the_run_with_a_cure(house: House, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(f"{HEAD}A-1,1,1,1,2026-03-01T10:00:00\n", encoding="utf-8")
    problem = house.state(house.run("orders")).problem
    assert problem is not None
    assert problem["code"] == "csv-line"
