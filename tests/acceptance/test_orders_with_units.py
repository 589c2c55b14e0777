"""Orders of a real day in cases and bottles, by each policy: what QuickBooks holds is what was ordered, to the cent."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from installation import Installation, Make
from routebooks.sandbox import iowa, orders_db
from routebooks.store import flows
from routebooks.store.runs import State
from support import shared

CENT = Decimal("0.01")
POLICIES = ("unit", "two_lines", "base")
#: a company whose orders database keeps cases and bottles of an item in one row
BOTH_QUERY = """
SELECT o.order_no, MAX(o.customer_key) AS customer_key, MAX(o.order_date) AS order_date, MAX(o.ship_date) AS ship_date,
       MAX(o.po_number) AS po_number, MAX(o.rep) AS rep, MAX(o.note) AS note, MAX(o.updated_at) AS updated_at,
       MIN(l.line_no) AS line_no, l.item_key,
       MAX(CASE WHEN l.unit = 'case' THEN l.quantity END) AS cases,
       MAX(CASE WHEN l.unit = 'case' THEN l.price END) AS case_price,
       MAX(CASE WHEN l.unit = 'bottle' THEN l.quantity END) AS bottles,
       MAX(CASE WHEN l.unit = 'bottle' THEN l.price END) AS bottle_price
FROM orders o JOIN order_lines l ON l.order_no = o.order_no
WHERE o.updated_at >= :since AND o.updated_at <= :until
GROUP BY o.order_no, l.item_key ORDER BY 8, 1, 9"""


@dataclass(frozen=True)
class Wanted:
    """What a store wants of an item: cases of so many bottles, and bottles, each at its price."""

    item: str
    pack: int
    cases: int
    bottles: int
    case_price: Decimal
    bottle_price: Decimal


@dataclass(frozen=True)
class Held:
    """A line of a sales order."""

    item: str
    unit: str
    quantity: Decimal
    amount: Decimal


def chosen(rows: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """Of the five stores with the most kinds of cases, the first two rows of each kind."""
    by_store: dict[str, dict[str, list[dict[str, str]]]] = {}
    for row in rows:
        if row["state_bottle_retail"]:
            by_store.setdefault(row["store_number"], {}).setdefault(row["pack"], []).append(row)
    stores = sorted(by_store, key=lambda store: (-len(by_store[store]), store))[:5]
    found = [row for store in stores for bought in by_store[store].values() for row in bought[:2]]
    return list({(row["store_number"], row["item_number"]): row for row in found}.values())


def wanted(number: int, row: dict[str, str]) -> Wanted:
    """A row of the day as a rep would order it. Every third case has a price that does not come out for a bottle."""
    pack, bottle = int(row["pack"]), Decimal(row["state_bottle_retail"])
    # What was bought, and some bottles more: so that there are both.
    cases, bottles = divmod(int(row["bottles_sold"]) + number % 4, pack) if pack > 1 else (0, int(row["bottles_sold"]))
    price = bottle * pack
    return Wanted(
        row["item_number"], pack, cases, bottles, price if number % 3 else (price * 97 / 100).quantize(CENT), bottle
    )


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def ordered(wants: list[Wanted], *, names: bool) -> tuple[orders_db.OrderLine, ...]:
    """Lines in cases and lines in bottles; with `names`, some by the unit's name or abbreviation in QuickBooks."""

    def lines() -> Iterator[orders_db.OrderLine]:
        for number, want in enumerate(wants):
            words = ("case", f"Case of {want.pack}", f"cs{want.pack}"), ("bottle", "Bottle", "btl")
            case, bottle = (each[number % 3 if names else 0] for each in words)
            for count, unit, price in ((want.cases, case, want.case_price), (want.bottles, bottle, want.bottle_price)):
                if count:
                    yield orders_db.OrderLine(item_key=want.item, quantity=Decimal(count), unit=unit, price=price)

    return tuple(lines())


def expected(wants: list[Wanted], policy: str, *, both: bool) -> list[Held]:
    """The lines that QuickBooks is to hold; `both`: an order's line has cases and bottles at once."""
    found = []
    for want in wants:
        case = Held(want.item, f"Case of {want.pack}", Decimal(want.cases), cents(want.cases * want.case_price))
        bottle = Held(want.item, "Bottle", Decimal(want.bottles), cents(want.bottles * want.bottle_price))
        parts = [part for part in (case, bottle) if part.quantity]
        if policy == "base":
            parts = [
                Held(want.item, "Bottle", part.quantity * (want.pack if part is case else 1), part.amount)
                for part in parts
            ]
        if both and policy != "two_lines" and len(parts) == 2:
            all_bottles = Decimal(want.cases * want.pack + want.bottles)
            parts = [Held(want.item, "Bottle", all_bottles, case.amount + bottle.amount)]
        found += parts
    return found


def held(order: dict[str, Any]) -> list[Held]:
    """The lines that QuickBooks holds."""
    return [
        Held(line["ItemRef"]["FullName"], line["UnitOfMeasure"], Decimal(line["Quantity"]), Decimal(line["Amount"]))
        for line in order["lines"]
    ]


def run(installation: Installation, *names: str) -> list[int]:
    made = installation.ask(*names)
    installation.until_called_for(made)
    assert installation.connector().update().last_error == ""
    installation.until_ended(made)
    assert {(each.state, str(each.problem)) for each in map(installation.run, made)} == {(State.DONE, "None")}
    return made


@pytest.fixture
def day(tmp_path: Path) -> Path:
    """Some stores of the real day."""
    with shared("data", "iowa-wholesale-2012-01-31.csv").open(newline="", encoding="utf-8") as file:
        rows = chosen(csv.DictReader(file))
    with (tmp_path / "day.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return tmp_path / "day.csv"


def test_cases_and_bottles_stand_in_quickbooks_as_each_policy_says(installed: Make, day: Path) -> None:
    installation = installed(lambda company: iowa.load_day(company, day, units=True))
    company, url = installation.world.company, installation.world.orders_url
    run(installation, "items", "customers", "invoices")
    stores = stores_of(day)
    assert {want.pack for wants in stores.values() for want in wants} >= {1, 6, 12, 24, 48}
    for both in (False, True):
        if both:
            own_query(installation)
        for policy in POLICIES:
            installation.command("connection", "set", "Harbor", "quickbooks", f"order_units={policy}")
            keys = {f"{policy}-{both}-{store}": store for store in stores}
            take(url, {key: ordered(stores[store], names=not both) for key, store in keys.items()})
            (run_id,) = run(installation, "orders")
            assert installation.run(run_id).records_written == len(stores)
            posted = {order["Other"]: order for order in company.sales_orders()}
            for key, store in keys.items():
                order = posted[key]
                assert order["CustomerRef"]["FullName"].startswith(f"{store} ")
                lines = expected(stores[store], policy, both=both)
                assert held(order) == lines, f"{policy}, both {both}"
                assert Decimal(order["TotalAmount"]) == sum(line.amount for line in lines)
    assert len(company.sales_orders()) == 6 * len(stores)
    assert waiting(installation) == [], "another query and map change no order that was posted"


def test_a_unit_that_an_item_does_not_have_waits_and_is_written_when_it_has(installed: Make, day: Path) -> None:
    installation = installed(lambda company: iowa.load_day(company, day, units=True))
    company, url = installation.world.company, installation.world.orders_url
    run(installation, "items", "customers", "invoices")
    store, item = next(
        (store, want.item) for store, wants in stores_of(day).items() for want in wants if want.pack == 1
    )
    line = orders_db.OrderLine(item_key=item, quantity=Decimal(2), unit="case", price=Decimal("30.00"))
    take(url, {"A-1": (line,)}, store)
    run(installation, "orders")
    assert company.sales_orders() == []
    (said,) = waiting(installation)
    assert said["code"] == "unit-unknown"
    assert f"of {item}, and QuickBooks keeps it by Bottle." in said["message"]
    # The item is kept in cases of six from now on.
    company.update("ItemInventory", item, UnitOfMeasureSetRef="By the case of 6")
    run(installation, "items", "invoices")
    run(installation, "orders")
    (order,) = company.sales_orders()
    assert held(order) == [Held(item, "Case of 6", Decimal(2), Decimal("60.00"))]
    assert waiting(installation) == []


def waiting(installation: Installation) -> list[Any]:
    """The orders in the list of rejected records."""
    listed = json.loads(installation.command("rejected", "list", "--json").stdout)
    return [each for each in listed if each["stream"] == "orders"]


def stores_of(day: Path) -> dict[str, list[Wanted]]:
    with day.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    stores: dict[str, list[Wanted]] = {}
    for number, row in enumerate(rows):
        stores.setdefault(row["store_number"], []).append(wanted(number, row))
    return stores


def take(url: str, orders: dict[str, tuple[orders_db.OrderLine, ...]], store: str = "") -> None:
    """Orders come in, a while ago; the end of a key is its store."""
    orders_db.add_orders(
        url,
        [
            orders_db.Order(
                order_no=key, customer_key=store or key.rsplit("-", 1)[1], order_date=date(2012, 2, 1), lines=lines
            )
            for key, lines in orders.items()
        ],
        datetime(2026, 1, 1, tzinfo=UTC),
    )


def own_query(installation: Installation) -> None:
    """The company's own query and map: cases and bottles in columns of their own."""
    installation.command("connection", "set", "Harbor", "orders", f"query={BOTH_QUERY}")
    lines = {
        "  Quantity: =[quantity]": "  Quantity:",
        "  Unit: =[unit]": "  Unit:",
        "  Cases:": "  Cases: =[cases]",
        "  Bottles:": "  Bottles: =[bottles]",
        "  Rate: =[price]": "  Rate:",
        "  CasePrice:": "  CasePrice: =[case_price]",
        "  BottlePrice:": "  BottlePrice: =[bottle_price]",
    }
    template = (files("routebooks.mapping.templates") / "orders.yaml").read_text(encoding="utf-8")
    text = "\n".join(lines.get(line, line) for line in template.splitlines())
    with installation.ctx.store.begin() as tx:
        flows.change_flow(tx, installation.flows["orders"], map_text=text)
