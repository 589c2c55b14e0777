"""The fields of the lists of QuickBooks: customers, items, vendors and what stands behind their codes.

A field is named by its path in qbXML with dots for levels (`BillAddress.City`), so that a name in a map is a name in
QuickBooks' own reference.
"""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa

from routebooks.connectors.quickbooks_desktop.arrow import is_one_of, pick
from routebooks.connectors.quickbooks_desktop.columns import OWN_NAME, ListField
from routebooks.connectors.quickbooks_desktop.fields import (
    LIST_CORE,
    address,
    day,
    flag,
    integer,
    moment,
    money,
    number,
    ref,
    text,
)
from routebooks.connectors.quickbooks_desktop.lined import KIND, Lines

#: Customers and their jobs (CustomerRet). A job is a customer below another: ParentRef says which.
# CreditCardInfo is left out on purpose: what is never read cannot leak.
CUSTOMERS: tuple[ListField, ...] = (
    *LIST_CORE,
    text("Name", 41),
    text("FullName", 209),
    flag("IsActive"),
    *ref("ClassRef", 159),
    *ref("ParentRef", 209),
    integer("Sublevel"),
    text("CompanyName", 41),
    text("Salutation", 15),
    text("FirstName", 25),
    text("MiddleName", 5),
    text("LastName", 25),
    text("JobTitle", 41),
    *address("BillAddress"),
    *address("ShipAddress"),
    text("PrintAs", 41),
    text("Phone", 21),
    text("Mobile", 21),
    text("Pager", 21),
    text("AltPhone", 21),
    text("Fax", 21),
    text("Email", 1023),
    text("Cc", 1023),
    text("Contact", 41),
    text("AltContact", 41),
    *ref("CustomerTypeRef", 159),
    *ref("TermsRef", 31),
    *ref("SalesRepRef", 5),  # the FullName of a sales rep is the initials
    money("Balance"),
    money("TotalBalance"),  # with the jobs below
    *ref("SalesTaxCodeRef", 3),
    *ref("ItemSalesTaxRef", 31),
    text("ResaleNumber", 15),
    text("AccountNumber", 99),
    money("CreditLimit"),
    *ref("PreferredPaymentMethodRef", 31),
    text("JobStatus"),
    day("JobStartDate"),
    day("JobProjectedEndDate"),
    day("JobEndDate"),
    text("JobDesc", 99),
    *ref("JobTypeRef", 159),
    text("Notes", 4095),
    text("PreferredDeliveryMethod"),
    *ref("PriceLevelRef", 31),
    text("TaxRegistrationNumber", 30),
    *ref("CurrencyRef", 64),
)

#: Items of all twelve kinds in one stream. The kinds differ in shape; one name brings together what means the same:
#: `SalesOrPurchase` stands in items that are only sold or only bought, `SalesAndPurchase` in those that are both.
ITEMS: tuple[ListField, ...] = (
    text("Kind", None, OWN_NAME),  # ItemInventory, ItemService, ItemGroup ...
    *LIST_CORE,
    text("Name", 31),
    text("FullName", 159, otherwise="Name"),  # six kinds have no levels and thus no FullName
    flag("IsActive"),
    *ref("ClassRef", 159),
    *ref("ParentRef", 159),
    integer("Sublevel"),
    text("BarCodeValue", 50),
    text("ManufacturerPartNumber", 31),
    *ref("UnitOfMeasureSetRef", 31),
    text("Description", 4095, "SalesDesc", "SalesOrPurchase/Desc", "SalesAndPurchase/SalesDesc", "ItemDesc"),
    number("Price", "SalesPrice", "SalesOrPurchase/Price", "SalesAndPurchase/SalesPrice"),
    number("PricePercent", "SalesOrPurchase/PricePercent"),
    text("PurchaseDescription", 4095, "PurchaseDesc", "SalesAndPurchase/PurchaseDesc"),
    number("Cost", "PurchaseCost", "SalesAndPurchase/PurchaseCost"),
    *ref("PrefVendorRef", 41, "PrefVendorRef", "SalesAndPurchase/PrefVendorRef"),
    # The account of an item that is only bought is an expense account; AccountRef alone is a discount's.
    *ref(
        "IncomeAccountRef",
        159,
        "IncomeAccountRef",
        "SalesOrPurchase/AccountRef",
        "SalesAndPurchase/IncomeAccountRef",
        "AccountRef",
    ),
    *ref("COGSAccountRef", 159),
    *ref("AssetAccountRef", 159),
    number("QuantityOnHand"),
    number("AverageCost"),
    number("QuantityOnOrder"),
    number("QuantityOnSalesOrder"),
    number("ReorderPoint", "ReorderPoint", "BuildPoint"),  # an assembly is built, not ordered
    *ref("SalesTaxCodeRef", 3),
    number("DiscountRate"),
    number("DiscountRatePercent"),
    number("TaxRate"),
)

#: Suppliers and everybody else who is paid (VendorRet): without levels, so the name is the whole name.
# VendorTaxIdent is left out on purpose: it is a person's or a firm's tax number.
VENDORS: tuple[ListField, ...] = (
    *LIST_CORE,
    text("Name", 41),
    flag("IsActive"),
    *ref("ClassRef", 159),
    text("CompanyName", 41),
    text("Salutation", 15),
    text("FirstName", 25),
    text("MiddleName", 5),
    text("LastName", 25),
    text("JobTitle", 41),
    *address("VendorAddress"),
    text("Phone", 21),
    text("AltPhone", 21),
    text("Fax", 21),
    text("Email", 1023),
    text("Contact", 41),
    text("AltContact", 41),
    text("NameOnCheck", 41),
    text("AccountNumber", 99),
    text("Notes", 4095),
    *ref("VendorTypeRef", 159),
    *ref("TermsRef", 31),
    money("CreditLimit"),
    money("Balance"),
    *ref("CurrencyRef", 64),
)

#: A sales rep is initials, and the employee, vendor or other name behind them.
SALES_REPS: tuple[ListField, ...] = (
    *LIST_CORE,
    text("Initial", 5),
    flag("IsActive"),
    *ref("SalesRepEntityRef", 41),
)

#: Terms of both kinds: a number of days (StandardTerms), or a day of the month (DateDrivenTerms).
TERMS: tuple[ListField, ...] = (
    text("Kind", None, OWN_NAME),
    *LIST_CORE,
    text("Name", 31),
    flag("IsActive"),
    integer("StdDueDays"),
    integer("StdDiscountDays"),
    integer("DayOfMonthDue"),
    integer("DueNextMonthDays"),
    integer("DiscountDayOfMonth"),
    number("DiscountPct"),
)

CUSTOMER_TYPES: tuple[ListField, ...] = (
    *LIST_CORE,
    text("Name", 31),
    text("FullName", 159),
    flag("IsActive"),
    *ref("ParentRef"),
    integer("Sublevel"),
)

#: A set of units of measure; its lines are its units.
UNIT_SETS: tuple[ListField, ...] = (
    *LIST_CORE,
    text("Name", 31),
    flag("IsActive"),
    text("UnitOfMeasureType"),
    text("BaseUnit.Name", 31),
    text("BaseUnit.Abbreviation", 31),
)


def _base_is_one(records: pa.Table, lines: pa.Table, _: object) -> tuple[pa.Table, pa.Table]:
    """The base unit carries no ratio: it is one of itself."""
    name = "Line.ConversionRatio"
    ratios = pick(is_one_of(lines[KIND.name], ["base"]), pa.scalar(Decimal(1), lines[name].type), lines[name])
    return records, lines.set_column(lines.column_names.index(name), name, ratios)


#: ConversionRatio says how many base units one unit is.
UNITS = Lines(
    fields=(
        text("Line.Name", 31, "Name"),
        text("Line.Abbreviation", 31, "Abbreviation"),
        number("Line.ConversionRatio", "ConversionRatio"),
    ),
    elements={"BaseUnit": "base", "RelatedUnit": "related"},
    finish=_base_is_one,
)

#: A price level is a percentage for all items, or has a line for each item it knows.
PRICE_LEVELS: tuple[ListField, ...] = (
    *LIST_CORE,
    text("Name", 31),
    flag("IsActive"),
    text("PriceLevelType"),
    number("PriceLevelFixedPercentage"),
    *ref("CurrencyRef", 64),
)
LEVEL_PRICES = Lines(
    fields=(
        *ref("Line.ItemRef", None, "ItemRef"),
        number("Line.CustomPrice", "CustomPrice"),
        number("Line.CustomPricePercent", "CustomPricePercent"),
    ),
    elements={"PriceLevelPerItemRet": "item"},
)

#: What QuickBooks remembers of a deleted customer or item. It forgets after 90 days.
DELETED_FROM_LISTS: tuple[ListField, ...] = (
    text("ListDelType"),
    text("ListID", 36),
    moment("TimeCreated"),
    moment("TimeDeleted"),
    text("FullName"),
)

#: The kinds of item, as they are named in records and in what was deleted.
ITEM_KINDS = (
    *("ItemService", "ItemNonInventory", "ItemOtherCharge", "ItemInventory", "ItemInventoryAssembly"),
    *("ItemFixedAsset", "ItemSubtotal", "ItemDiscount", "ItemPayment", "ItemSalesTax", "ItemSalesTaxGroup"),
    "ItemGroup",
)
