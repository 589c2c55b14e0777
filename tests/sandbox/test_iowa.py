"""A real day of wholesale sales as a company."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from routebooks.sandbox.iowa import IowaSummary, load_day
from routebooks.sandbox.status import Refusal
from sandbox_support import Office, values
from support import shared

_HEAD = (
    "date,store_number,store_name,city,state,zip_code,item_number,category_name,vendor_name,item_description,pack,"
    "bottle_volume_ml,state_bottle_cost,state_bottle_retail,bottles_sold,sale_dollars\n"
)


@pytest.fixture(scope="module")
def day() -> Path:
    return shared("data", "iowa-wholesale-2012-01-31.csv")


@pytest.fixture(scope="module")
def office(day: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = Office(
        tmp_path_factory.mktemp("iowa") / "company.sqlite", company_name="Iowa Wholesale", zone="America/Chicago"
    )
    assert load_day(made.company, day) == IowaSummary(stores=224, items=1175, vendors=54, lines=9510)
    yield made
    made.company.close()


@pytest.fixture(scope="module")
def rows(day: Path) -> list[dict[str, str]]:
    with day.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_store_is_a_customer(office: Office, rows: list[dict[str, str]]) -> None:
    customers = {one["AccountNumber"]: one for one in office.company.customers()}
    assert set(customers) == {row["store_number"] for row in rows}
    for row in rows:
        found = customers[row["store_number"]]
        assert found["CompanyName"] == row["store_name"]
        address = found["ShipAddress"]
        assert [address["City"], address["State"], address["PostalCode"]] == [
            row["city"],
            row["state"],
            row["zip_code"],
        ]
    names = [one["CompanyName"] for one in customers.values()]
    assert (len(set(names)), len({one["FullName"] for one in customers.values()})) == (223, 224)


def test_every_item_is_a_stock_item(office: Office, rows: list[dict[str, str]]) -> None:
    items = {one["Name"]: one for one in office.company.items()}
    assert set(items) == {row["item_number"] for row in rows}
    for row in rows:
        found = items[row["item_number"]]
        custom = {ext["DataExtName"]: ext["DataExtValue"] for ext in found["DataExtRet"]}
        assert (found["SalesDesc"], custom["Pack"]) == (row["item_description"], row["pack"])
        if row["state_bottle_retail"]:
            assert Decimal(found["SalesPrice"]) == Decimal(row["state_bottle_retail"])
            assert Decimal(found["PurchaseCost"]) == Decimal(row["state_bottle_cost"])
        assert found["PrefVendorRef"]["FullName"] == row["vendor_name"]


def test_a_page_of_the_day_is_valid_qbxml(office: Office) -> None:
    inner = "<MaxReturned>500</MaxReturned><ActiveStatus>All</ActiveStatus><OwnerID>0</OwnerID>"
    page = office.ask(f'<ItemQueryRq iterator="Start">{inner}</ItemQueryRq>')
    assert (len(page), page.get("iteratorRemainingCount")) == (500, "675")
    customers = office.ask(f"<CustomerQueryRq>{inner}</CustomerQueryRq>")
    assert len(values(customers, "CustomerRet/AccountNumber")) == 224


def test_the_first_row_of_a_store_and_of_an_item_counts(tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    path.write_bytes(
        (
            _HEAD
            + "2012-01-31,7,Corner,AMES,IA,50010,100,,Maker,Gin,12,750,4.00,6.00,1,6.00\n"
            + "2012-01-31,7,Corner Two,AMES,IA,50010,100,GIN,Maker,Gin 2,6,750,5.00,7.50,1,7.50\n"
        ).encode()
    )
    office = Office(tmp_path / "company.sqlite")
    assert load_day(office.company, path) == IowaSummary(1, 1, 1, 2)
    assert office.company.customers()[0]["Name"] == "7 Corner"
    item = office.company.items()[0]
    assert (item["SalesPrice"], [ext["DataExtName"] for ext in item["DataExtRet"]]) == ("6.00", ["Pack", "BottleML"])
    with pytest.raises(Refusal, match="3100"):
        load_day(office.company, path)
    assert len(office.company.items()) == 1
    office.company.close()
