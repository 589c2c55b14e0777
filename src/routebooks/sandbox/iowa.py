"""A real day of wholesale liquor sales as a company: the stores of Iowa as customers, what they bought as items."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from routebooks.sandbox.company import SandboxCompany

Row = dict[str, str]


@dataclass(frozen=True)
class IowaSummary:
    """How many of each the day holds; `lines` is the rows of the file."""

    stores: int
    items: int
    vendors: int
    lines: int


def load_day(company: SandboxCompany, csv_path: Path) -> IowaSummary:
    """Fills a company from the public data of one day (columns as in the file's head); prices are a bottle's.

    The account number is the store's number, an item's name its item number. Raises Refusal when loaded twice.
    """
    with csv_path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    vendors = {row["vendor_name"]: row for row in rows}
    stores = {row["store_number"]: row for row in reversed(rows)}
    items = {row["item_number"]: row for row in reversed(rows)}
    with company.transaction():
        for name in vendors:
            company.add("Vendor", Name=name, CompanyName=name)
        for number in sorted(stores):
            company.add("Customer", **_store(stores[number]))
        for number in sorted(items):
            row = items[number]
            custom = {"Pack": row["pack"], "BottleML": row["bottle_volume_ml"], "Category": row["category_name"]}
            company.add("ItemInventory", **_item(row), custom={name: text for name, text in custom.items() if text})
    return IowaSummary(len(stores), len(items), len(vendors), len(rows))


def _store(row: Row) -> dict[str, Any]:
    address = {
        "Addr1": row["store_name"],
        "City": row["city"],
        "State": row["state"],
        "PostalCode": row["zip_code"],
    }
    # Two stores share one name, and QuickBooks wants names to differ: the number goes before it.
    return {
        "Name": f"{row['store_number']} {row['store_name']}"[:41].rstrip(),
        "CompanyName": row["store_name"],
        "AccountNumber": row["store_number"],
        "BillAddress": address,
        "ShipAddress": address,
    }


def _item(row: Row) -> dict[str, Any]:
    return {
        "Name": row["item_number"],
        "SalesDesc": row["item_description"],
        "SalesPrice": row["state_bottle_retail"] or None,
        "PurchaseDesc": row["item_description"],
        "PurchaseCost": row["state_bottle_cost"] or None,
        "PrefVendorRef": row["vendor_name"],
    }
