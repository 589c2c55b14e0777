"""A believable distributor for demo and tests: accounts, suppliers, items, orders, and bad data on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from routebooks.sandbox.company import SandboxCompany
from routebooks.sandbox.seed_data import (
    BRANDS,
    CHAINS,
    OFF_PREMISE,
    ON_PREMISE,
    PACKAGES,
    PLACES,
    REGIONS,
    REPS,
    SUPPLIERS,
    TERMS,
    UNIT_SETS,
    VARIETIES,
    VARIETIES_A_BRAND,
)
from routebooks.sandbox.seed_orders import OrderLineSeed, OrderSeed, orders_for
from routebooks.sandbox.seed_sales import add_sales

__all__ = ["OrderLineSeed", "OrderSeed", "SeedSummary", "orders_for", "seed"]

#: The account numbers of customers that are bad or telling on purpose.
SHARED_ACCOUNT = "10005"
OVER_LIMIT_ACCOUNTS = ("10012", "10078")
EXPIRED_ACCOUNT = "10021"

#: Item names: inactive ones, and one whose description holds a tab and a line end.
INACTIVE_ITEMS = ("10108", "10903", "11708")
BROKEN_TEXT_ITEM = "10102"

_INDEPENDENT_OFF, _INDEPENDENT_ON, _GOLF_CLUB = 54, 48, 7


@dataclass(frozen=True)
class SeedSummary:
    """How many objects the demo company has."""

    customers: int
    vendors: int
    sales_reps: int
    items: int
    stock_items: int
    brands: int


def seed(company: SandboxCompany) -> SeedSummary:
    """Fills an empty company; the same every time, but for the days, which are counted from the company's own."""
    with company.transaction():
        _add_lists(company)
        _add_customers(company)
        _add_bad_customers(company)
        _add_stock(company)
        _add_other_items(company)
        _add_price_levels(company)
        add_sales(company, OVER_LIMIT_ACCOUNTS)
    return SeedSummary(
        customers=len(company.customers()),
        vendors=len(company.objects("Vendor")),
        sales_reps=len(company.objects("SalesRep")),
        items=len(company.items()),
        stock_items=len(company.objects("ItemInventory")),
        brands=len(BRANDS),
    )


def _add_lists(company: SandboxCompany) -> None:
    for name in ("Sales", "Cost of Goods Sold", "Inventory Asset", "Delivery Income", "Vehicles"):
        company.add("Account", Name=name)
    for name in ("Accounts Receivable", "Undeposited Funds"):
        company.add("Account", Name=name)
    for name in ("Tax", "Non"):
        company.add("SalesTaxCode", Name=name, IsTaxable=name == "Tax")
    for name in ("Check", "Cash"):
        company.add("PaymentMethod", Name=name)
    for name, days in TERMS:
        company.add("StandardTerms", Name=name, StdDueDays=days)
    company.add("DateDrivenTerms", Name="10th of the month", DayOfMonthDue=10, DueNextMonthDays=5)
    for units, name in UNIT_SETS.items():
        company.add("UnitOfMeasureSet", Name=name, **_unit_set(units))
    for name in ("On Premise", "Off Premise"):
        company.add("CustomerType", Name=name)
    for initials, name, _team in REPS:
        company.add("OtherName", Name=name)
        company.add("SalesRep", Initial=initials, SalesRepEntityRef=name)
    for at, name in enumerate(SUPPLIERS):
        address = {"Addr1": name, "Addr2": f"{at + 1} Depot Street", "City": PLACES[at], "State": "CT"}
        company.add("Vendor", Name=name, CompanyName=name, VendorAddress=address, AccountNumber=f"V{at + 1:03d}")


def _unit_set(units: int) -> dict[str, Any]:
    """Cases, and the bottles in them: goods are counted and priced by the case, so that a bottle is a part of one.

    Intuit warns of it: the part is a rounded number, and twelve bottles are not quite a case.
    """
    bottle = {"Name": "Bottle", "Abbreviation": "btl", "ConversionRatio": Decimal(1) / units}
    return {
        "UnitOfMeasureType": "Count",
        "BaseUnit": {"Name": "Case", "Abbreviation": "cs"},
        "RelatedUnit": [bottle],
        "DefaultUnit": [{"UnitUsedFor": use, "Unit": "Case"} for use in ("Purchase", "Sales", "Shipping")],
    }


def _add_customers(company: SandboxCompany) -> None:
    at = 0
    for name, category, account, stores in CHAINS:
        company.add("Customer", Name=name, AccountNumber=account, **_customer(at, name, PLACES[at], "Off Premise"))
        for store in range(stores):
            place = PLACES[at % len(PLACES)]
            trade_name = f"{name} #{store + 1}"
            fields = _customer(at, trade_name, place, "Off Premise") | {"ParentRef": name}
            custom = _custom(company, at, category) | {"Chain": name}
            account_number = f"{int(account) + store + 1}"
            company.add("Customer", Name=f"#{store + 1} {place}", AccountNumber=account_number, **fields, custom=custom)
            at += 1
    for number, (name, place, category, premise) in enumerate(_independents(), start=10001):
        fields, custom = _customer(at, name, place, premise), _custom(company, at, category)
        fields |= _special(company, str(number), custom)
        company.add("Customer", Name=name, AccountNumber=str(number), **fields, custom=custom)
        at += 1


def _independents() -> Iterator[tuple[str, str, str, str]]:
    """Name, place, category and premise of every account that belongs to no chain."""
    for at in range(_INDEPENDENT_OFF):
        place, (what, category) = PLACES[at % len(PLACES)], OFF_PREMISE[at % len(OFF_PREMISE)]
        yield f"{place} {what}", place, category, "Off Premise"
    for at in range(_INDEPENDENT_ON):
        # 24 places, so that the second round gives each of them another kind of house.
        place, (what, category) = PLACES[at % 24], ON_PREMISE[at % len(ON_PREMISE)]
        if at == _GOLF_CLUB:
            what = category = "Golf Club"
        yield f"{place} {what}", place, category, "On Premise"


def _customer(at: int, name: str, place: str, premise: str) -> dict[str, Any]:
    address = {
        "Addr1": name,
        "Addr2": f"{at * 17 % 480 + 1} Main Street",
        "City": place,
        "State": "CT",
        "PostalCode": f"060{at % 90 + 10}",
    }
    return {
        "CompanyName": name,
        "BillAddress": address,
        "ShipAddress": address,
        "Phone": f"860-555-{at % 100 + 100:04d}",
        "Email": f"account{at + 1}@store.example",
        "CustomerTypeRef": premise,
        "TermsRef": TERMS[at % len(TERMS)][0],
        "SalesRepRef": REPS[at % len(REPS)][0],
        "CreditLimit": Decimal(2000 + at * 1337 % 37 * 500),
    }


def _custom(company: SandboxCompany, at: int, category: str) -> dict[str, str]:
    return {
        "Category": category,
        "Region": REGIONS[at % len(REGIONS)],
        "Team": REPS[at % len(REPS)][2],
        "License": f"LQ-{104000 + at * 7}",
        "LicenseExpires": f"{company.today().year + 1}-{at % 12 + 1:02d}-28",
    }


def _special(company: SandboxCompany, number: str, custom: dict[str, str]) -> dict[str, Any]:
    """What makes a few accounts worth a look: over the limit, a licence that ran out, a text that cannot be kept."""
    if number == EXPIRED_ACCOUNT:
        custom["LicenseExpires"] = (company.today() - timedelta(days=20)).isoformat()
    if number in OVER_LIMIT_ACCOUNTS:
        return {"CreditLimit": Decimal(2000)}
    # Windows-1252 knows the accent, not the mug.
    return {"Notes": "Terrasse à gauche \N{BEER MUG}"} if number == "10060" else {}


def _add_bad_customers(company: SandboxCompany) -> None:
    fields = _customer(1, "Fog Lane Market", "Fog Lane", "Off Premise")
    company.add("Customer", Name="Fog Lane Market", **fields)
    fields = _customer(2, "Twin Oaks Grill", "Twin Oaks", "On Premise")
    company.add("Customer", Name="Twin Oaks Grill", AccountNumber=SHARED_ACCOUNT, **fields)
    fields = _customer(3, "Shut Door Tavern", "Saltgrass", "On Premise")
    company.add("Customer", Name="Shut Door Tavern", AccountNumber="10900", IsActive=False, **fields)


def _add_stock(company: SandboxCompany) -> None:
    for at, (brand, supplier, sort) in enumerate(BRANDS):
        count = VARIETIES_A_BRAND[sort]
        varieties = [VARIETIES[sort][(at * count + step) % len(VARIETIES[sort])] for step in range(count)]
        number = 10001 + (at + 1) * 100
        for variety, product_type in varieties:
            for package, units, cheapest in PACKAGES[sort]:
                custom = {"Brand": brand, "ProductType": product_type, "Package": package, "UnitsPerCase": str(units)}
                price = Decimal(cheapest) + Decimal(number * 7 % 60) + Decimal("0.99")
                fields = _stock(number, f"{brand} {variety} {package}", price, SUPPLIERS[supplier])
                if units in UNIT_SETS:
                    fields["UnitOfMeasureSetRef"] = UNIT_SETS[units]
                custom |= {"BottlePrice": f"{price / units:.2f}", "BottleUPC": _upc(number * 10 + 1)}
                company.add("ItemInventory", **fields, custom=custom)
                number += 1


def _stock(number: int, description: str, price: Decimal, supplier: str) -> dict[str, Any]:
    name = str(number)
    if name == BROKEN_TEXT_ITEM:
        description = description.replace(" ", "\t", 1) + "\nsold by the case"
    return {
        "Name": name,
        "BarCodeValue": _upc(number * 10),
        "ManufacturerPartNumber": _upc(number * 10),
        "IsActive": name not in INACTIVE_ITEMS,
        "SalesTaxCodeRef": "Non",
        "SalesDesc": description,
        "SalesPrice": price,
        "IncomeAccountRef": "Sales",
        "PurchaseDesc": description,
        "PurchaseCost": price * 72 / 100,
        "COGSAccountRef": "Cost of Goods Sold",
        "PrefVendorRef": supplier,
        "AssetAccountRef": "Inventory Asset",
        "QuantityOnHand": Decimal(number * 13 % 240),
        "AverageCost": price * 72 / 100,
        "QuantityOnOrder": Decimal(number % 4 * 12),
        "QuantityOnSalesOrder": Decimal(0),
    }


def _upc(number: int) -> str:
    """A UPC-A with its check digit. Codes that begin with 4 are for a shop's own use: they are nobody's product."""
    digits = f"4{number:010d}"
    odd, even = sum(map(int, digits[::2])), sum(map(int, digits[1::2]))
    return f"{digits}{-(odd * 3 + even) % 10}"


def _add_other_items(company: SandboxCompany) -> None:
    delivery = {"Desc": "Delivery", "Price": Decimal(15), "AccountRef": "Delivery Income"}
    company.add("ItemService", Name="DELIVERY", SalesOrPurchase=delivery)
    display = {"SalesDesc": "Cardboard display", "SalesPrice": Decimal(0), "IncomeAccountRef": "Sales"}
    display |= {"PurchaseCost": Decimal("11.50"), "ExpenseAccountRef": "Cost of Goods Sold"}
    company.add("ItemNonInventory", Name="POS-DISPLAY", SalesAndPurchase=display)
    deposit = {"Desc": "Keg deposit", "Price": Decimal(30), "AccountRef": "Sales"}
    company.add("ItemOtherCharge", Name="KEG-DEPOSIT", SalesOrPurchase=deposit)
    company.add("ItemOtherCharge", Name="FUEL", SalesOrPurchase={"Desc": "Fuel", "PricePercent": Decimal("1.5")})
    company.add("ItemDiscount", Name="VOLUME-5", ItemDesc="Volume discount", DiscountRatePercent=Decimal(5))
    company.add("ItemSubtotal", Name="SUBTOTAL", ItemDesc="Subtotal")
    company.add("ItemPayment", Name="PAYMENT", ItemDesc="Payment on delivery")
    company.add("ItemSalesTax", Name="EXEMPT", ItemDesc="Exempt", TaxRate=Decimal(0))
    company.add("ItemSalesTaxGroup", Name="EXEMPT-ALL", ItemDesc="Exempt", ItemSalesTaxRef=["EXEMPT"])
    company.add("ItemFixedAsset", Name="TRUCK-1", AcquiredAs="New", PurchaseDesc="Box truck", PurchaseDate="2023-05-02")
    gift = [{"ItemInventoryRef": "10101", "Quantity": 1}, {"ItemInventoryRef": "10901", "Quantity": 1}]
    company.add("ItemInventoryAssembly", Name="GIFT-PACK", SalesDesc="Gift pack", ItemInventoryAssemblyLine=gift)
    sampler = [{"ItemRef": name, "Quantity": 1} for name in ("11701", "11801", "11901")]
    company.add("ItemGroup", Name="SAMPLER", ItemDesc="Beer sampler", IsPrintItemsInGroup=True, ItemGroupLine=sampler)


def _add_price_levels(company: SandboxCompany) -> None:
    company.add(
        "PriceLevel", Name="Chains", PriceLevelType="FixedPercentage", PriceLevelFixedPercentage=Decimal("-7.5")
    )
    prices = [{"ItemRef": "10101", "CustomPrice": Decimal("99.5")}, {"ItemRef": "10901", "CustomPricePercent": -10}]
    company.add("PriceLevel", Name="Spring offer", PriceLevelType="PerItem", PriceLevelPerItemRet=prices)
