"""The kinds of object that the company keeps: the order of what is returned of each, and the list it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from routebooks.sandbox.parts import ADDRESS, BLOCK, DATA_EXT, LIST_DEL_TYPES, TXN_DEL_TYPES
from routebooks.sandbox.sale_shapes import SALES
from routebooks.sandbox.shapes import Group, shape

_KNOWN: dict[str, Group] = {"Address": ADDRESS, "Block": BLOCK, "DataExt": shape(DATA_EXT)}

_CORE = "ListID?:id TimeCreated?:datetime TimeModified?:datetime EditSequence?:16"
_ITEM = f"{_CORE} Name?:31 FullName?:159 BarCodeValue?:50 IsActive?:bool ClassRef?:ref159 ParentRef?:ref Sublevel?:int"
_FLAT_ITEM = f"{_CORE} Name?:31 BarCodeValue?:50 IsActive?:bool"
_END = "ExternalGUID?:guid DataExtRet*:DataExt"
_TAX = "IsTaxIncluded?:bool SalesTaxCodeRef?:ref3"

_KNOWN["SalesOrPurchase"] = shape("Desc?:4095 (Price:price | PricePercent:percent)? AccountRef?:ref159")
_KNOWN["SalesAndPurchase"] = shape(
    "SalesDesc?:4095 SalesPrice?:price IncomeAccountRef?:ref159 PurchaseDesc?:4095 PurchaseCost?:price"
    " PurchaseTaxCodeRef?:ref3 ExpenseAccountRef?:ref159 PrefVendorRef?:ref41"
)
_KNOWN["AssemblyLine"] = shape("ItemInventoryRef:ref159 Quantity?:quantity")
_KNOWN["GroupLine"] = shape("ItemRef?:ref Quantity?:quantity UnitOfMeasure?:31")

_PRICE = "(SalesOrPurchase:SalesOrPurchase | SalesAndPurchase:SalesAndPurchase)?"
_STOCK = f"""
    {_ITEM} ManufacturerPartNumber?:31 UnitOfMeasureSetRef?:ref31 {_TAX}
    SalesDesc?:4095 SalesPrice?:price IncomeAccountRef?:ref159 PurchaseDesc?:4095 PurchaseCost?:price
    PurchaseTaxCodeRef?:ref3 COGSAccountRef?:ref159 PrefVendorRef?:ref41 AssetAccountRef?:ref159
"""
_ON_HAND = (
    "Max?:quantity QuantityOnHand?:quantity AverageCost?:price QuantityOnOrder?:quantity QuantityOnSalesOrder?:quantity"
)

_COMMUNICATION = """
    Phone?:21 Mobile?:21 Pager?:21 AltPhone?:21 Fax?:21 Email?:1023 Cc?:1023 Contact?:41 AltContact?:41
"""
_PERSON = "CompanyName?:41 Salutation?:15 FirstName?:25 MiddleName?:5 LastName?:25 Suffix? JobTitle?:41"

# Without CreditCardInfo and VendorTaxIdent: personal data, which an application only sees when it was allowed to.
_CUSTOMER = f"""
    {_CORE} Name?:41 FullName?:209 IsActive?:bool ClassRef?:ref159 ParentRef?:ref Sublevel?:int {_PERSON}
    BillAddress?:Address BillAddressBlock?:Block ShipAddress?:Address ShipAddressBlock?:Block PrintAs?:41
    {_COMMUNICATION} CustomerTypeRef?:ref159 TermsRef?:ref31 SalesRepRef?:ref5
    Balance?:amount TotalBalance?:amount SalesTaxCodeRef?:ref3 ItemSalesTaxRef?:ref31
    ResaleNumber?:15 AccountNumber?:99 CreditLimit?:amount
    JobStatus?:Awarded/Closed/InProgress/None/NotAwarded/Pending Notes?:4095
    PreferredDeliveryMethod?:None/Email/Fax/Mail PriceLevelRef?:ref31 {_END}
"""
_VENDOR = f"""
    {_CORE} Name?:41 IsActive?:bool ClassRef?:ref159 IsTaxAgency?:bool {_PERSON}
    VendorAddress?:Address VendorAddressBlock?:Block ShipAddress?:Address {_COMMUNICATION}
    NameOnCheck?:41 AccountNumber?:99 Notes?:4095 VendorTypeRef?:ref159 TermsRef?:ref31 CreditLimit?:amount
    IsVendorEligibleFor1099?:bool Balance?:amount {_END}
"""

_KNOWN["BaseUnit"] = shape("Name:31 Abbreviation:31")
_KNOWN["RelatedUnit"] = shape("Name:31 Abbreviation:31 ConversionRatio:price")
_KNOWN["DefaultUnit"] = shape("UnitUsedFor:Purchase/Sales/Shipping Unit:31")
_KNOWN["PerItem"] = shape("ItemRef:ref (CustomPrice:price | CustomPricePercent:percent)")

_KNOWN["Accounting"] = shape(
    "IsUsingAccountNumbers:bool IsRequiringAccounts:bool IsUsingClassTracking:bool IsUsingAuditTrail:bool"
    " IsAssigningJournalEntryNumbers:bool"
)
_KNOWN["Currency"] = shape("IsMultiCurrencyOn?:bool")
_KNOWN["Sales"] = shape("IsTrackingReimbursedExpensesAsIncome:bool IsAutoApplyingPayments:bool")
_KNOWN["Rights"] = shape("IsAutomaticLoginAllowed:bool IsPersonalDataAccessAllowed:bool")


@dataclass(frozen=True)
class Kind:
    """One kind of object. Ids count up inside its family; the names of a family's lists are unique in it."""

    family: str
    ret: Group
    #: the element that people know the object by
    label: str = "Name"
    #: may stand below another of its kind: FullName, ParentRef and Sublevel tell where
    nested: bool = False
    transaction: bool = False

    @property
    def id_name(self) -> str:
        """The element that holds the id."""
        return "TxnID" if self.transaction else "ListID"


def _kind(family: str, notation: str, label: str = "Name", *, transaction: bool = False) -> Kind:
    return Kind(family, shape(notation, _KNOWN), label, "ParentRef" in notation, transaction)


_NAMED = f"{_CORE} Name?:101 IsActive?:bool"

# Customers, vendors, employees and other names share one list of names (status 3100 of the reference).
KINDS: Mapping[str, Kind] = {
    "Customer": _kind("Entity", _CUSTOMER),
    "Vendor": _kind("Entity", _VENDOR),
    "Employee": _kind("Entity", _NAMED),
    "OtherName": _kind("Entity", _NAMED),
    "ItemService": _kind("Item", f"{_ITEM} UnitOfMeasureSetRef?:ref31 {_TAX} {_PRICE} {_END}"),
    "ItemNonInventory": _kind(
        "Item", f"{_ITEM} ManufacturerPartNumber?:31 UnitOfMeasureSetRef?:ref31 {_TAX} {_PRICE} {_END}"
    ),
    "ItemOtherCharge": _kind("Item", f"{_ITEM} {_TAX} {_PRICE} {_END}"),
    "ItemInventory": _kind("Item", f"{_STOCK} ReorderPoint?:quantity {_ON_HAND} {_END}"),
    "ItemInventoryAssembly": _kind(
        "Item",
        f"{_STOCK} BuildPoint?:quantity {_ON_HAND} ExternalGUID?:guid"
        " ItemInventoryAssemblyLine*:AssemblyLine DataExtRet*:DataExt",
    ),
    "ItemFixedAsset": _kind(
        "Item",
        f"{_FLAT_ITEM} AcquiredAs?:New/Old PurchaseDesc?:50 PurchaseDate?:date PurchaseCost?:price"
        f" AssetAccountRef?:ref159 AssetDesc?:50 {_END}",
    ),
    "ItemSubtotal": _kind("Item", f"{_FLAT_ITEM} ItemDesc? {_END}"),
    "ItemDiscount": _kind(
        "Item",
        f"{_ITEM} ItemDesc?:4095 SalesTaxCodeRef?:ref3 (DiscountRate:price | DiscountRatePercent:percent)?"
        f" AccountRef?:ref159 {_END}",
    ),
    "ItemPayment": _kind("Item", f"{_FLAT_ITEM} ItemDesc?:4095 {_END}"),
    "ItemSalesTax": _kind("Item", f"{_FLAT_ITEM} ItemDesc?:4095 TaxRate?:percent TaxVendorRef?:ref41 {_END}"),
    "ItemSalesTaxGroup": _kind(
        "Item", f"{_FLAT_ITEM} ItemDesc?:4095 ExternalGUID?:guid ItemSalesTaxRef*:ref31 DataExtRet*:DataExt"
    ),
    "ItemGroup": _kind(
        "Item",
        f"{_FLAT_ITEM} ItemDesc?:4095 UnitOfMeasureSetRef?:ref31 IsPrintItemsInGroup?:bool ExternalGUID?:guid"
        " ItemGroupLine*:GroupLine DataExtRet*:DataExt",
    ),
    "SalesRep": _kind("SalesRep", f"{_CORE} Initial?:5 IsActive?:bool SalesRepEntityRef?:ref41", "Initial"),
    "StandardTerms": _kind(
        "Terms", f"{_CORE} Name?:31 IsActive?:bool StdDueDays?:int StdDiscountDays?:int DiscountPct?:percent"
    ),
    "DateDrivenTerms": _kind(
        "Terms",
        f"{_CORE} Name?:31 IsActive?:bool DayOfMonthDue?:int DueNextMonthDays?:int DiscountDayOfMonth?:int"
        " DiscountPct?:percent",
    ),
    "UnitOfMeasureSet": _kind(
        "UnitOfMeasureSet",
        f"{_CORE} Name?:31 IsActive?:bool UnitOfMeasureType?:Area/Count/Length/Other/Time/Volume/Weight"
        " BaseUnit?:BaseUnit RelatedUnit*:RelatedUnit DefaultUnit*:DefaultUnit",
    ),
    "PriceLevel": _kind(
        "PriceLevel",
        f"{_CORE} Name?:31 IsActive?:bool PriceLevelType?:FixedPercentage/PerItem"
        " (PriceLevelFixedPercentage:percent | PriceLevelPerItemRet+:PerItem)?",
    ),
    "CustomerType": _kind(
        "CustomerType", f"{_CORE} Name?:31 FullName?:159 IsActive?:bool ParentRef?:ref Sublevel?:int"
    ),
    "Account": _kind("Account", _NAMED),
    "PaymentMethod": _kind("PaymentMethod", f"{_CORE} Name?:31 IsActive?:bool"),
    "SalesTaxCode": _kind("SalesTaxCode", f"{_CORE} Name?:3 IsActive?:bool IsTaxable?:bool Desc?:31"),
    "Template": _kind("Template", _NAMED),
    "ShipMethod": _kind("ShipMethod", _NAMED),
    **{name: Kind("Txn", ret, "RefNumber", transaction=True) for name, ret in SALES.items()},
    "TxnDeleted": _kind(
        "TxnDeleted",
        f"TxnDelType?:{TXN_DEL_TYPES} TxnID?:id TimeCreated?:datetime TimeDeleted?:datetime RefNumber?",
    ),
    "ListDeleted": _kind(
        "ListDeleted",
        f"ListDelType?:{LIST_DEL_TYPES} ListID?:id TimeCreated?:datetime TimeDeleted?:datetime FullName?",
    ),
    "Company": _kind(
        "Company",
        "IsSampleCompany?:bool CompanyName?:59 LegalCompanyName?:59 Address?:Address AddressBlock?:Block"
        " LegalAddress?:Address Phone?:51 Email?:1023 FirstMonthFiscalYear?:=January FirstMonthIncomeTaxYear?:=January"
        " CompanyType?:255 DataExtRet*:DataExt",
        "CompanyName",
    ),
    "DataExt": _kind("DataExt", DATA_EXT),
    "Host": _kind(
        "Host",
        "ProductName?:255 MajorVersion?:5 MinorVersion?:5 Country?:2 SupportedQBXMLVersion*:10 IsAutomaticLogin?:bool"
        " QBFileMode?:MultiUser/SingleUser",
    ),
    "Preferences": _kind(
        "Preferences",
        "AccountingPreferences?:Accounting MultiCurrencyPreferences?:Currency SalesAndCustomersPreferences?:Sales"
        " CurrentAppAccessRights?:Rights",
    ),
}

ITEMS = tuple(name for name in KINDS if name.startswith("Item"))

#: The kinds that a reference of this name may point to.
REFERENCES: Mapping[str, tuple[str, ...]] = {
    "CustomerRef": ("Customer",),
    "CustomerTypeRef": ("CustomerType",),
    "TermsRef": ("StandardTerms", "DateDrivenTerms"),
    "PriceLevelRef": ("PriceLevel",),
    "UnitOfMeasureSetRef": ("UnitOfMeasureSet",),
    "OverrideUOMSetRef": ("UnitOfMeasureSet",),
    "PaymentMethodRef": ("PaymentMethod",),
    "SalesRepRef": ("SalesRep",),
    "SalesRepEntityRef": ("Employee", "Vendor", "OtherName"),
    "ItemRef": ITEMS,
    "ItemInventoryRef": ("ItemInventory", "ItemInventoryAssembly"),
    "ItemGroupRef": ("ItemGroup",),
    "ItemSalesTaxRef": ("ItemSalesTax", "ItemSalesTaxGroup"),
    "PrefVendorRef": ("Vendor",),
    "TaxVendorRef": ("Vendor",),
    "AccountRef": ("Account",),
    "ARAccountRef": ("Account",),
    "DepositToAccountRef": ("Account",),
    "IncomeAccountRef": ("Account",),
    "COGSAccountRef": ("Account",),
    "AssetAccountRef": ("Account",),
    "ExpenseAccountRef": ("Account",),
    "SalesTaxCodeRef": ("SalesTaxCode",),
    "PurchaseTaxCodeRef": ("SalesTaxCode",),
    "CustomerSalesTaxCodeRef": ("SalesTaxCode",),
    "TemplateRef": ("Template",),
    "ShipMethodRef": ("ShipMethod",),
}
