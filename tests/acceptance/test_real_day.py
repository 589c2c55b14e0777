"""A real wholesale day: its stores and items go out through SOAP in pages to files on FTP, and orders come back."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal

from installation import Installation, Make
from routebooks.sandbox import iowa, orders_db
from routebooks.store import runs as run_store
from routebooks.store.runs import State
from support import shared


def rows(data: bytes) -> list[list[str]]:
    """The fields of every line, by our own means."""
    assert data.endswith(b"\r\n")
    return [line.split("\t") for line in data.decode("cp1252").split("\r\n")[:-1]]


def go_out(installation: Installation) -> list[int]:
    made = installation.ask("customers", "items")
    installation.until_called_for(made)
    update = installation.connector().update()
    assert update.last_error == ""
    installation.until_ended(made)
    return made


def test_every_store_and_item_goes_out_once_and_an_order_for_any_comes_back(installed: Make) -> None:
    path = shared("data", "iowa-wholesale-2012-01-31.csv")
    with path.open(newline="", encoding="utf-8") as file:
        day = list(csv.DictReader(file))
    installation = installed(lambda company: iowa.load_day(company, path), quickbooks={"page_size": "100"})
    made = go_out(installation)
    assert [(run.state, run.records_rejected) for run in map(installation.run, made)] == [(State.DONE, 0)] * 2

    customers, items = rows(installation.file("customer.fil")), rows(installation.file("item.fil"))
    assert len({row["store_number"] for row in day}) == 224
    assert len({row["item_number"] for row in day}) == 1175
    assert Counter(row[1] for row in customers) == Counter({row["store_number"] for row in day})
    assert Counter(row[1] for row in items) == Counter({row["item_number"] for row in day})
    assert {len(row) for row in customers} == {42}
    names = {row["store_number"]: row["store_name"] for row in day}
    assert all(row[2] == names[row[1]] for row in customers)
    descriptions = {row["item_number"]: row["item_description"] for row in reversed(day)}
    assert all(row[2] == descriptions[row[1]] for row in items)
    with installation.ctx.store.read() as tx:
        extracts = run_store.extracts_of(tx, installation.run(made[0]).night_id).values()
        attempts = [run_store.attempts_of(tx, extract.id) for extract in extracts]
        assert [len(run_store.pages_of(tx, tries[0].id)) for tries in attempts] == [3, 12]

    orders = orders_of(day[:: len(day) // 40])
    orders_db.add_orders(installation.world.orders_url, orders, datetime(2026, 1, 1, tzinfo=UTC))
    back = installation.ask("orders")
    installation.until_called_for(back)
    installation.connector().update()
    installation.until_ended(back)
    posted = {order["Other"]: order for order in installation.world.company.sales_orders()}
    assert sorted(posted) == sorted(order.order_no for order in orders)
    for order in orders:
        stands = posted[order.order_no]
        assert stands["CustomerRef"]["FullName"].startswith(f"{order.customer_key} ")
        lines = [line["SalesOrderLineRet"] for line in stands["Lines"]]
        assert [line["ItemRef"]["FullName"] for line in lines] == [line.item_key for line in order.lines]
        assert [Decimal(line["Quantity"]) for line in lines] == [line.quantity for line in order.lines]


def orders_of(sales: list[dict[str, str]]) -> list[orders_db.Order]:
    """An order for each of some sales of the day."""
    return [
        orders_db.Order(
            order_no=f"IA-{number}",
            customer_key=sale["store_number"],
            order_date=date(2012, 1, 31),
            lines=(
                orders_db.OrderLine(
                    item_key=sale["item_number"],
                    quantity=Decimal(sale["bottles_sold"]),
                    price=Decimal(sale["state_bottle_retail"] or "0"),
                ),
            ),
        )
        for number, sale in enumerate(sales)
    ]
