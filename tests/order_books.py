"""A few records of a company, as the last snapshots hold them, and what comes of an order among them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from routebooks.connectors.base import Prepared
from routebooks.connectors.quickbooks_desktop.order_policies import prepare
from routebooks.connectors.quickbooks_desktop.order_settings import policies_of
from routebooks.connectors.quickbooks_desktop.sales_orders import add_request
from routebooks.records import Document

Record = Mapping[str, Any]

CUSTOMER, JOB, HELD, GONE = "10-1446676743", "11-1446676743", "12-1446676743", "13-1446676743"
GIN, WINE, KEG, PLAIN, SAMPLER, DISCOUNT = (f"{number}0-1446676743" for number in range(2, 8))
SET_ID = "0123456789abcdefghijkl"


def unit(name: str, short: str, ratio: str, base: bool = False) -> Record:
    return {
        "Name": name,
        "Abbreviation": short,
        "ConversionRatio": Decimal(ratio),
        "LineKind": "base" if base else "related",
    }


def item(list_id: str, name: str, price: str | None = None, units: str | None = None, **more: Any) -> Record:
    return {
        "ListID": list_id,
        "FullName": name,
        "Kind": "ItemInventory",
        "Price": None if price is None else Decimal(price),
        "UnitOfMeasureSetRef.FullName": units,
        **more,
    }


def customer(list_id: str, name: str, **more: Any) -> Record:
    return {
        "ListID": list_id,
        "FullName": name,
        "IsActive": True,
        "TotalBalance": Decimal("0.00"),
        "CreditLimit": None,
        "ParentRef.ListID": None,
        "Custom.On Hold": None,
    } | more


RECORDS: Mapping[str, Mapping[str, Record]] = {
    "customers": {
        CUSTOMER: customer(
            CUSTOMER, "Drift Harbor Inn", CreditLimit=Decimal("2000.00"), TotalBalance=Decimal("1700.00")
        ),
        JOB: customer(JOB, "Drift Harbor Inn:Bar", **{"ParentRef.ListID": CUSTOMER}),
        HELD: customer(HELD, "Gull Tavern", **{"Custom.On Hold": "YES "}),
        GONE: customer(GONE, "Shut Door", IsActive=False),
    },
    "items": {
        # counted and priced by the bottle
        GIN: item(GIN, "Gin", "10.00000", "By the bottle"),
        # counted and priced by the case, of which a bottle is a rounded part
        WINE: item(WINE, "Wine", "120.00000", "By the case"),
        # counted in one unit only; a case is known by the custom field
        KEG: item(KEG, "Cider", "8.00000", "Bottles only", **{"Custom.UnitsPerCase": "24"}),
        # without a set
        PLAIN: item(PLAIN, "Rum", None, None, **{"Custom.UnitsPerCase": "6"}),
        SAMPLER: item(SAMPLER, "Sampler", Kind="ItemGroup"),
        DISCOUNT: item(DISCOUNT, "Five off", Kind="ItemDiscount", DiscountRatePercent=Decimal("5.00000")),
    },
    "units_of_measure": {
        "By the bottle": {
            "Name": "By the bottle",
            "lines": [
                unit("Bottle", "btl", "1", base=True),
                unit("Case of 12", "cs12", "12"),
                unit("Six-pack", "six", "6"),
            ],
        },
        "By the case": {
            "Name": "By the case",
            "lines": [unit("Case", "cs", "1", base=True), unit("Bottle", "btl", "0.08333")],
        },
        "Bottles only": {"Name": "Bottles only", "lines": [unit("Bottle", "btl", "1", base=True)]},
        "Two cases": {
            "Name": "Two cases",
            "lines": [unit("Each", "ea", "1", base=True), unit("Case of 6", "cs6", "6"), unit("Case-12", "cs12", "12")],
        },
        "By another name": {
            "Name": "By another name",
            "lines": [unit("Bottle", "btl", "1", base=True), unit("Carton", "ctn", "12"), unit("Tray", "try", "24")],
        },
        "No base": {"Name": "No base", "lines": [unit("Case", "cs", "12")]},
    },
}


def look_up(stream: str, key: str) -> Record | None:
    """The last snapshots of everything, by id or name."""
    records = RECORDS[stream]
    return records.get(key) or next((each for each in records.values() if each.get("FullName") == key), None)


def nothing(stream: str, key: str) -> Record | None:
    """A company of which nothing has been read yet."""
    return None


def order(*lines: Record, key: str = "PA-17", customer: str = CUSTOMER, **header: Any) -> Document:
    return Document(key, {"CustomerRef.ListID": customer, **header}, lines)


def line(item: str = GIN, **values: Any) -> Record:
    numbers = {
        name: Decimal(value) if isinstance(value, str) and name in NUMBERS else value for name, value in values.items()
    }
    return {"ItemRef.ListID": item, **numbers}


NUMBERS = ("Quantity", "Cases", "Bottles", "Rate", "CasePrice", "BottlePrice", "Amount", "TaxAmount", "Deposit")


def prepared(document: Document, look: Any = look_up, /, **settings: Any) -> Prepared:
    """The order by these settings; the credit of the customer is no matter unless they say so."""
    return prepare(document, policies_of({"over_limit": "post", **settings}), look)


def written(found: Prepared, key_field: str = "Other") -> bytes:
    return add_request("13.0", key_field, found.document, SET_ID)
