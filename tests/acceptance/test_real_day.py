"""A real wholesale day: its stores and items go out through SOAP in pages to files on FTP, and orders come back."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from installation import Installation, Make
from routebooks.connectors.pocketadvantage.layouts import shipped_layouts
from routebooks.sandbox import iowa, orders_db
from routebooks.sandbox.second_night import second_night
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
    day = day_of(path)
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
        extracts = run_store.extracts_of(tx, installation.run(made[0]).night_id)
        attempts = {stream: run_store.attempts_of(tx, extract.id) for stream, extract in extracts.items()}
        pages = {stream: len(run_store.pages_of(tx, tries[0].id)) for stream, tries in attempts.items()}
    assert pages["customers"] == 3
    assert pages["items"] == 12

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


def day_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def invoices(installation: Installation) -> list[dict[str, str]]:
    """The lines of invoice.fil by column."""
    names = [column.name for column in shipped_layouts()["invoice"].columns]
    return [dict(zip(names, row, strict=True)) for row in rows(installation.file("invoice.fil"))]


def night(installation: Installation) -> None:
    made = installation.ask("codes", "items", "customers", "invoices")
    installation.until_called_for(made)
    assert installation.connector().update().last_error == ""
    installation.until_ended(made)
    assert [(run.state, run.problem) for run in map(installation.run, made)] == [(State.DONE, None)] * 4


def test_the_whole_day_and_a_second_night(installed: Make) -> None:
    path = shared("data", "iowa-wholesale-2012-01-31.csv")
    day = day_of(path)
    installation = installed(lambda company: iowa.load_day(company, path), quickbooks={"plain_unit": "bottle"})
    night(installation)
    lines = invoices(installation)
    assert len(day) == 9510
    assert Counter(
        (line["Customer ID"], line["Item ID"], line["Bottles"], line["Extended"]) for line in lines
    ) == Counter(
        (
            row["store_number"],
            row["item_number"],
            f"{Decimal(row['bottles_sold']):.5f}",
            f"{Decimal(row['sale_dollars'] or 0):.2f}",
        )
        for row in day
    )
    assert sum(Decimal(line["Bottles"]) for line in lines) == 81_120
    assert sum(Decimal(line["Extended"]) for line in lines) == Decimal("1039951.09")
    order = [line for line in lines if line["Customer ID"] == day[0]["store_number"]]
    assert [line["Line Number"] for line in order] == [str(number + 1) for number in range(len(order))]
    detail = {(row[1], row[2]) for row in rows(installation.file("detail.fil"))}
    assert ("10", "4711") in detail

    company = installation.world.company
    happened = second_night(company)
    numbers = {invoice["TxnID"]: invoice["RefNumber"] for invoice in company.invoices()}
    night(installation)
    lines = invoices(installation)
    by_number: dict[tuple[str, str], list[dict[str, str]]] = {}
    for line in lines:
        by_number.setdefault((line["Invoice Type"], line["Status"]), []).append(line)
    assert set(by_number) == {("IN", "A"), ("IN", "V"), ("IN", "D"), ("CM", "A")}
    assert {line["Invoice Number"] for line in by_number["IN", "A"]} == {numbers[happened.changed]}
    assert {line["Invoice Number"] for line in by_number["IN", "V"]} == {numbers[happened.voided]}
    assert all(Decimal(line["Extended"]) == 0 for line in by_number["IN", "V"] + by_number["IN", "D"])
    assert happened.deleted not in numbers
    assert len({line["Invoice Number"] for line in by_number["IN", "D"]}) == 1
    (credit,) = by_number["CM", "A"]
    assert Decimal(credit["Bottles"]) == -1
    assert Decimal(credit["Extended"]) < 0
    assert numbers[happened.paid] not in {line["Invoice Number"] for line in lines}

    before = installation.file("invoice.fil")
    night(installation)
    assert installation.file("invoice.fil") == before, "a quiet night leaves the file"


def test_orders_of_500_lines_over_many_stores_come_back(installed: Make, tmp_path: Path) -> None:
    day = [row for row in day_of(shared("data", "iowa-wholesale-2012-01-31.csv")) if row["state_bottle_retail"]][:500]
    path = tmp_path / "morning.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(day[0]))
        writer.writeheader()
        writer.writerows(day)
    installation = installed(lambda company: iowa.load_day(company, path), quickbooks={"plain_unit": "bottle"})
    go_out(installation)
    stores: dict[str, list[dict[str, str]]] = {}
    for row in day:
        stores.setdefault(row["store_number"], []).append(row)
    taken = [
        orders_db.Order(
            order_no=f"S-{store}",
            customer_key=store,
            order_date=date(2012, 2, 1),
            lines=tuple(
                orders_db.OrderLine(
                    item_key=row["item_number"],
                    quantity=Decimal(row["bottles_sold"]),
                    price=Decimal(row["state_bottle_retail"]),
                )
                for row in bought
            ),
        )
        for store, bought in stores.items()
    ]
    orders_db.add_orders(installation.world.orders_url, taken, datetime(2026, 1, 1, tzinfo=UTC))
    made = installation.ask("orders")
    installation.until_called_for(made)
    installation.connector().update()
    installation.until_ended(made)
    posted = {order["Other"]: order for order in installation.world.company.sales_orders()}
    assert len(stores) > 20
    assert len(posted) == len(stores)
    for store, bought in stores.items():
        found = posted[f"S-{store}"]
        assert found["CustomerRef"]["FullName"].startswith(f"{store} ")
        assert [
            (line["SalesOrderLineRet"]["ItemRef"]["FullName"], Decimal(line["SalesOrderLineRet"]["Amount"]))
            for line in found["Lines"]
        ] == [
            (
                row["item_number"],
                (Decimal(row["bottles_sold"]) * Decimal(row["state_bottle_retail"])).quantize(Decimal("0.01")),
            )
            for row in bought
        ]
