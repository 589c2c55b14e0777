"""The demo company: what it must hold to be believed, and what is bad in it on purpose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from routebooks.sandbox.objects import ITEMS
from routebooks.sandbox.seed import (
    BROKEN_TEXT_ITEM,
    EXPIRED_ACCOUNT,
    INACTIVE_ITEMS,
    OVER_LIMIT_ACCOUNTS,
    SHARED_ACCOUNT,
    SeedSummary,
    orders_for,
    seed,
)
from routebooks.sandbox.seed_data import BRANDS
from routebooks.sandbox.seed_orders import UNKNOWN_ACCOUNT, UNKNOWN_ITEM, OrderSeed
from routebooks.sandbox.shapes import Fields
from sandbox_support import Office, line, order, values


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = Office(tmp_path_factory.mktemp("seed") / "company.sqlite")
    assert seed(made.company) == SeedSummary(125, 8, 6, 192, 180, 25)
    yield made
    made.company.close()


def _custom(one: Fields) -> dict[str, str]:
    return {ext["DataExtName"]: ext["DataExtValue"] for ext in one.get("DataExtRet", [])}


def _account(office: Office, number: str) -> Fields:
    return next(one for one in office.company.customers() if one.get("AccountNumber") == number)


def _accounts(office: Office) -> list[Fields]:
    """The 120 good ones: not the chains' head offices, not the bad ones at the end."""
    return [one for one in office.company.customers() if "Category" in _custom(one)]


def test_it_is_the_same_every_time(office: Office, tmp_path: Path) -> None:
    other = Office(tmp_path / "other.sqlite")
    seed(other.company)
    assert other.company.customers() == office.company.customers()
    assert other.company.items() == office.company.items()
    assert orders_for(other.company) == orders_for(office.company)
    other.company.close()


@pytest.mark.parametrize("name", ["Customer", "Vendor", "Item"])
def test_all_of_it_is_valid_qbxml(office: Office, name: str) -> None:
    inner = "<ActiveStatus>All</ActiveStatus><OwnerID>0</OwnerID>"
    answer = office.ask(f"<{name}QueryRq>{inner}</{name}QueryRq>")
    assert len(answer) == {"Customer": 125, "Vendor": 8, "Item": 192}[name]


def test_six_tenths_of_the_accounts_are_off_premise(office: Office) -> None:
    accounts = _accounts(office)
    kinds = Counter(one["CustomerTypeRef"]["FullName"] for one in accounts)
    assert kinds == {"Off Premise": 72, "On Premise": 48}
    assert {_custom(one)["Category"] for one in accounts} == {
        "Liquor Store", "Grocery", "Convenience", "Bar", "Restaurant", "Hotel", "Golf Club",
    }  # fmt: skip


def test_every_account_has_what_a_rep_needs(office: Office) -> None:
    accounts = _accounts(office)
    assert len({one["AccountNumber"] for one in accounts}) == 120
    for one in accounts:
        assert {"CompanyName", "BillAddress", "ShipAddress", "Phone", "TermsRef", "SalesRepRef", "CreditLimit"} <= set(
            one
        )
        assert {"Region", "Team", "License", "LicenseExpires"} <= set(_custom(one))
    assert {one["TermsRef"]["FullName"] for one in accounts} == {"COD", "Net 15", "Net 30"}
    reps = {(one["SalesRepRef"]["FullName"], _custom(one)["Team"]) for one in accounts}
    assert len(reps) == 6
    assert {team for _, team in reps} == {"East", "West"}


def test_two_chains_have_their_stores_below_them(office: Office) -> None:
    stores = [one for one in office.company.customers() if "ParentRef" in one]
    assert Counter(one["ParentRef"]["FullName"] for one in stores) == {
        "Larkspur Markets": 10,
        "Copper Kettle Liquors": 8,
    }
    assert all(_custom(one)["Chain"] == one["ParentRef"]["FullName"] for one in stores)
    for head in ("20000", "30000"):
        chain = _account(office, head)
        below = [Decimal(one["Balance"]) for one in stores if one["ParentRef"]["ListID"] == chain["ListID"]]
        assert Decimal(chain["TotalBalance"]) == Decimal(chain["Balance"]) + sum(below)


def test_a_few_accounts_are_worth_a_look(office: Office) -> None:
    over = [one["AccountNumber"] for one in _accounts(office) if Decimal(one["Balance"]) > Decimal(one["CreditLimit"])]
    assert tuple(over) == OVER_LIMIT_ACCOUNTS
    today = office.company.today().isoformat()
    expired = [one["AccountNumber"] for one in _accounts(office) if _custom(one)["LicenseExpires"] < today]
    assert expired == [EXPIRED_ACCOUNT]
    assert _account(office, "10060")["Notes"] == "Terrasse à gauche ?"


def test_customers_are_bad_on_purpose(office: Office) -> None:
    customers = office.company.customers()
    assert [one["Name"] for one in customers if "AccountNumber" not in one] == ["Fog Lane Market"]
    numbers = Counter(one.get("AccountNumber") for one in customers)
    assert [number for number, count in numbers.items() if count > 1] == [SHARED_ACCOUNT]
    assert [one["Name"] for one in customers if one["IsActive"] == "false"] == ["Shut Door Tavern"]
    assert any("&" in one["Name"] for one in customers)
    assert any("é" in one["Name"] for one in customers)


def test_all_kinds_of_item_are_there(office: Office) -> None:
    items = office.company.items()
    assert {one["kind"] for one in items} == set(ITEMS)
    assert len(ITEMS) == 12


def test_stock_says_what_it_is_and_costs(office: Office) -> None:
    stock = office.company.objects("ItemInventory")
    assert {_custom(one)["Brand"] for one in stock} == {brand for brand, _, _ in BRANDS}
    assert {_custom(one)["Package"] for one in stock} >= {"12x750 ml", "24x12 oz", "4x6x12 oz", "1/2 bbl", "1/6 bbl"}
    for one in stock:
        custom, price = _custom(one), Decimal(one["SalesPrice"])
        assert Decimal(one["PurchaseCost"]) < price
        assert abs(Decimal(custom["BottlePrice"]) * int(custom["UnitsPerCase"]) - price) < Decimal("0.13")
        assert custom["ProductType"]
    assert len({one["PrefVendorRef"]["FullName"] for one in stock}) == 8


def test_codes_are_sound_and_nobody_s(office: Office) -> None:
    codes = []
    for one in office.company.objects("ItemInventory"):
        assert one["BarCodeValue"] == one["ManufacturerPartNumber"]
        codes += [one["BarCodeValue"], _custom(one)["BottleUPC"]]
    assert len(set(codes)) == 360
    for code in codes:
        assert len(code) == 12
        assert code.startswith("4")
        weighted = sum(int(digit) * (3, 1)[at % 2] for at, digit in enumerate(code))
        assert weighted % 10 == 0


def test_items_are_bad_on_purpose(office: Office) -> None:
    items = {one["Name"]: one for one in office.company.items()}
    assert tuple(name for name, one in items.items() if one["IsActive"] == "false") == INACTIVE_ITEMS
    assert items[BROKEN_TEXT_ITEM]["SalesDesc"] == "Wild\tThistle Cabernet 6x1.5 L\nsold by the case"
    raw = office.ask(f"<ItemQueryRq><FullName>{BROKEN_TEXT_ITEM}</FullName></ItemQueryRq>")
    assert values(raw, ".//SalesDesc") == [items[BROKEN_TEXT_ITEM]["SalesDesc"]]


def _sent(one: OrderSeed, customers: dict[str, str]) -> str:
    header = f"<TxnDate>{one.order_date}</TxnDate><RefNumber>{one.order_no}</RefNumber>"
    lines = [line(row.item_key, row.quantity, f"<Rate>{row.price}</Rate>") for row in one.lines]
    name = customers.get(one.customer_key, one.customer_key).replace("&", "&amp;")
    return order(*lines, customer=name, header=header)


def test_a_dozen_orders_can_be_taken_three_cannot_and_one_has_a_long_number(tmp_path: Path) -> None:
    office = Office(tmp_path / "company.sqlite")
    seed(office.company)
    orders = orders_for(office.company)
    customers = {str(one.get("AccountNumber")): str(one["FullName"]) for one in office.company.customers()}
    good, bad = orders[:12], orders[12:]
    assert [office.status(_sent(one, customers)) for one in good] == [0] * 12
    totals = [sum(row.quantity * row.price for row in one.lines) for one in good]
    assert [Decimal(one["TotalAmount"]) for one in office.company.sales_orders()] == totals
    assert [office.status(_sent(one, customers)) for one in bad[:3]] == [3140, 3140, 3210]
    assert [len(one.order_no) for one in bad] == [8, 8, 8, 14]
    assert office.status(_sent(replace(bad[3], order_no=""), customers)) == 0
    office.company.close()


def test_orders_look_as_if_reps_had_sent_them(office: Office) -> None:
    orders = orders_for(office.company)
    assert len({one.order_no for one in orders}) == len(orders) == 16
    assert all(len(one.order_no) <= 11 for one in orders[:15])
    assert len({one.customer_key for one in orders}) == 16
    assert len({one.lines for one in orders}) == 16
    assert len({one.rep for one in orders[:12]}) == 6
    assert {len(one.lines) for one in orders[:12]} == {1, 2, 3, 4, 5}
    assert all(one.order_date == office.company.today() < one.ship_date for one in orders)
    assert {bool(one.po_number) for one in orders} == {True, False}
    assert orders[12].customer_key == UNKNOWN_ACCOUNT
    assert UNKNOWN_ITEM in [row.item_key for row in orders[13].lines]
    assert orders[14].lines[0].item_key in INACTIVE_ITEMS
