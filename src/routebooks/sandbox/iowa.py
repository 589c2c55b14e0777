"""A real day of wholesale liquor sales as a company: the stores of Iowa, what they bought, an invoice for each."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from routebooks.sandbox.company import SandboxCompany

Row = dict[str, str]


@dataclass(frozen=True)
class IowaSummary:
    """How many of each the day holds; `lines` is the rows of the file, each a line of its store's invoice."""

    stores: int
    items: int
    vendors: int
    lines: int


def load_day(company: SandboxCompany, csv_path: Path, *, units: bool = False) -> IowaSummary:
    """Fills a company from the public data of one day (columns as in the file's head); prices are a bottle's.

    The account number is the store's number, an item's name its item number. A store has one invoice of the day, with
    its lines in the order of the file; what the file leaves empty stays so. With `units` the items are kept in bottles
    and in cases of as many as the file says. Raises Refusal when loaded twice.
    """
    with csv_path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    vendors = {row["vendor_name"]: row for row in rows}
    stores: dict[str, list[Row]] = {}
    for row in rows:
        stores.setdefault(row["store_number"], []).append(row)
    items = {row["item_number"]: row for row in reversed(rows)}
    with company.transaction():
        for name in vendors:
            company.add("Vendor", Name=name, CompanyName=name)
        for pack in sorted({row["pack"] for row in items.values()}, key=int) if units else ():
            company.add("UnitOfMeasureSet", **_unit_set(pack))
        for number in sorted(items):
            row = items[number]
            custom = {"Pack": row["pack"], "BottleML": row["bottle_volume_ml"], "Category": row["category_name"]}
            fields = _item(row) | ({"UnitOfMeasureSetRef": _set_name(row["pack"])} if units else {})
            company.add("ItemInventory", **fields, custom={name: text for name, text in custom.items() if text})
        for number in sorted(stores):
            bought = stores[number]
            customer = company.add("Customer", **_store(bought[0]))
            day = date.fromisoformat(bought[0]["date"])
            company.add_invoice(customer, [_line(row) for row in bought], date=day)
    return IowaSummary(len(stores), len(items), len(vendors), len(rows))


def _line(row: Row) -> dict[str, Any]:
    """A row as it stands: the amount is the file's own, and where it has none there is none."""
    return {
        "ItemRef": row["item_number"],
        "Desc": row["item_description"],
        "Quantity": row["bottles_sold"],
        "Rate": row["state_bottle_retail"] or None,
        "Amount": row["sale_dollars"] or None,
    }


def _set_name(pack: str) -> str:
    return f"By the case of {pack}"


def _unit_set(pack: str) -> dict[str, Any]:
    """Bottles, and a case of them where a case holds more than one."""
    case = {"Name": f"Case of {pack}", "Abbreviation": f"cs{pack}", "ConversionRatio": pack}
    return {
        "Name": _set_name(pack),
        "UnitOfMeasureType": "Count",
        "BaseUnit": {"Name": "Bottle", "Abbreviation": "btl"},
        "RelatedUnit": [case] if pack != "1" else [],
        "DefaultUnit": [{"UnitUsedFor": use, "Unit": "Bottle"} for use in ("Purchase", "Sales", "Shipping")],
    }


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
