"""A company of strange names for walks: every kind of record, and what a bookkeeper may do to it between two nights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from expected_files import SALES, full_names
from routebooks.sandbox.company import SandboxCompany
from routebooks.sandbox.shapes import ShapeError
from routebooks.sandbox.status import Refusal

#: QuickBooks keeps Windows-1252: of an emoji, of Polish and of Japanese a question mark is left.
_LETTERS = "ab1 &'\"<>,;#/\\-%éüØß½€“’–™\N{NO-BREAK SPACE}\N{SOFT HYPHEN}\N{BEER MUG}ł日"
NAME, ITEM_NAME = 41, 31
#: The item that carries deposits, by the setting of the connection; it keeps its name.
DEPOSIT_ITEM = "Keg & Deposit"
#: The item that stands in the first sale, so that both stay.
_FIRST_ITEM = "Ale–½ “Øl” & Co"


def texts(limit: int, letters: str = f"{_LETTERS}:\t\n\r") -> st.SearchStrategy[str]:
    """Texts as a person may type them, some as long as the field; a colon, a tab and line ends among them."""
    short = st.text(letters, max_size=min(limit, 6))
    return short | st.text(letters, min_size=1, max_size=3).map(lambda text: (text * limit)[:limit])


def names(limit: int) -> st.SearchStrategy[str]:
    """Names of a list: QuickBooks takes no colon, since a colon stands between the levels of a full name."""
    return texts(limit, _LETTERS).filter(lambda name: bool(name.strip("\N{SOFT HYPHEN} \N{NO-BREAK SPACE}")))


PICKS = st.integers(0, 30)
_MONEY = st.sampled_from(["0", "0.01", "10", "12.5", "99999999.99"]).map(Decimal) | st.decimals(0, 500, places=2)
_PRICES = _MONEY | st.sampled_from(["0.00499", "0.005", "12.345", "19.99999"]).map(Decimal)
_COUNTS = st.sampled_from(["0", "1", "12", "0.5", "-2", "2.00001", "0.33333", "9999999999"]).map(Decimal)
_ACCOUNTS = st.sampled_from(["100", " 100", "1 00", "1\t00", "Ø1", "O1", "12345678", "12345679", " ", ""]) | texts(9)


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


_CODES = ["Øst", "Ost", " Øst ", "Øst\t1", "A&B", " "]
CUSTOMERS = _some(
    AccountNumber=_ACCOUNTS,
    CompanyName=texts(NAME),
    Phone=texts(21),
    ShipAddress=_some(Addr1=texts(41), Addr2=texts(41), City=texts(31), Note=texts(41)),
    Notes=texts(80),
    CreditLimit=_MONEY,
    CustomerTypeRef=st.sampled_from(["On & Off", "On & Off:Bär “½”"]),
    TermsRef=st.sampled_from(["2% – 10, Net 30", "10th & “last”"]),
    SalesRepRef=st.sampled_from(["Ø&", "b'"]),
    IsActive=st.booleans(),
    custom=_some(**{name: st.sampled_from(_CODES) for name in ("Category", "Region", "Team")}, Chain=texts(9)),
)
_STOCK = _some(
    SalesDesc=texts(60),
    SalesPrice=_PRICES,
    PurchaseCost=_PRICES,
    PrefVendorRef=st.sampled_from(["Śmith & Sons", "O’Hara"]),
    BarCodeValue=texts(12),
    QuantityOnHand=_COUNTS,
    QuantityOnOrder=_COUNTS,
    UnitOfMeasureSetRef=st.sampled_from(["By the case", "By the bottle", "By the pallet"]),
)
_BOTH = _some(SalesDesc=texts(30), SalesPrice=_PRICES, PurchaseCost=_PRICES, PrefVendorRef=st.just("O’Hara"))
_ONE = _some(Desc=texts(30), Price=_PRICES)
_PLAIN = st.fixed_dictionaries({"SalesOrPurchase": _ONE}) | st.fixed_dictionaries({"SalesAndPurchase": _BOTH})
_PERCENT = st.just({"SalesOrPurchase": {"Desc": "Fuel", "PricePercent": Decimal("1.5")}})
_DESC = _some(ItemDesc=texts(30))
#: The twelve kinds of item, and what else than a name each has.
ITEMS: Mapping[str, st.SearchStrategy[dict[str, Any]]] = {
    "ItemInventory": _STOCK,
    "ItemInventoryAssembly": _STOCK,
    "ItemNonInventory": _PLAIN,
    "ItemService": _PLAIN,
    "ItemOtherCharge": _PLAIN | _PERCENT,
    "ItemDiscount": _DESC.map(lambda fields: {**fields, "DiscountRatePercent": Decimal(5)}),
    "ItemFixedAsset": st.just({"AcquiredAs": "New", "PurchaseDate": "2023-05-02"}),
    "ItemSubtotal": _DESC,
    "ItemPayment": _DESC,
    "ItemSalesTax": _DESC.map(lambda fields: {**fields, "TaxRate": Decimal("6.35")}),
    "ItemSalesTaxGroup": st.just({"ItemSalesTaxRef": ["Tax é"]}),
    "ItemGroup": st.just({"ItemGroupLine": [{"ItemRef": _FIRST_ITEM, "Quantity": 2}]}),
}
NESTED = (
    "ItemInventory",
    "ItemInventoryAssembly",
    "ItemNonInventory",
    "ItemService",
    "ItemOtherCharge",
    "ItemDiscount",
)
NEW_ITEMS = st.sampled_from(sorted(ITEMS)).flatmap(lambda kind: st.tuples(st.just(kind), ITEMS[kind]))
ITEM_CUSTOM = _some(
    UnitsPerCase=st.sampled_from(["12", "24", " 24 ", "12.0", "dozen", "²", "9" * 20, "1.5", " "]),
    BottlePrice=st.sampled_from(["1.5", ".5", "12.", "1e5", "$3", "9" * 14, "-0.001"]),
    Brand=st.sampled_from(_CODES),
    Package=texts(12),
    BottleUPC=texts(12),
)
LINES = st.lists(
    st.fixed_dictionaries(
        {"item": PICKS, "unit": PICKS},
        optional={
            "Quantity": _COUNTS,
            "Rate": _PRICES,
            "Amount": st.decimals(-20, 500, places=2),
            "Desc": texts(40),
            "no item": st.just(True),
        },
    ),
    min_size=1,
    max_size=4,
)
HEADS = _some(
    RefNumber=st.sampled_from(["", " ", "7", "Nr. 7 – Ø\t"]) | texts(11),
    PONumber=texts(25),
    Memo=texts(60) | st.just("VOID: by hand"),
    DiscountLineRet=st.sampled_from([{"Amount": 1}, {"RatePercent": 5}]),
    ShippingLineRet=st.just({"Amount": "2.50"}),
    SalesTaxLineRet=st.just({"Amount": "0.30"}),
)


@contextmanager
def tried() -> Iterator[None]:
    """What QuickBooks refuses (a name that is taken, a customer in use, less than nothing) is not done."""
    try:
        yield
    except (Refusal, ShapeError):
        pass


def fill(company: SandboxCompany) -> None:
    """What is there on the first night: five levels of 41 characters, an inactive parent, all kinds of item, a sale."""
    with company.transaction():
        _add_lists(company)
        parent: Any = None
        for level in range(5):
            name = f"{level}&“é” O'Neil {'Ø' * 41}"[:NAME]
            fields = {"AccountNumber": f"A:{level}", "TermsRef": "10th & “last”", "ParentRef": parent}
            parent = company.add("Customer", Name=name, IsActive=level != 1, **fields)
        longest = max(full_names(company.customers()).values(), key=len)
        assert len(longest) == 209
        company.add("ItemInventory", Name=_FIRST_ITEM, SalesPrice=12, UnitOfMeasureSetRef="By the case")
        company.add("ItemSalesTax", Name="Tax é", TaxRate=Decimal("6.35"))
        company.add("ItemOtherCharge", Name=DEPOSIT_ITEM, SalesOrPurchase={"Desc": "Deposit", "Price": 30})
        for kind in ITEMS:
            if kind not in ("ItemInventory", "ItemSalesTaxGroup", "ItemGroup"):
                company.add(kind, Name=f"{kind} ½")
        company.add("ItemSalesTaxGroup", Name="Taxes", ItemSalesTaxRef=["Tax é"])
        company.add("ItemGroup", Name="Set of two", ItemGroupLine=[{"ItemRef": _FIRST_ITEM, "Quantity": 2}])
        company.add_invoice(longest, [{"ItemRef": _FIRST_ITEM, "Quantity": 3}, {"ItemGroupRef": "Set of two"}])


def _add_lists(company: SandboxCompany) -> None:
    company.add("Account", Name="Accounts Receivable")
    company.add("CustomerType", Name="On & Off")
    company.add("CustomerType", Name="Bär “½”", ParentRef="On & Off")
    company.add("StandardTerms", Name="2% – 10, Net 30", StdDueDays=30)
    company.add("DateDrivenTerms", Name="10th & “last”", DayOfMonthDue=10)
    for initials, name in (("Ø&", "Øystein “&” Å"), ("b'", "b'O")):
        company.add("OtherName", Name=name)
        company.add("SalesRep", Initial=initials, SalesRepEntityRef=name)
    company.add("Vendor", Name="Śmith & Sons", CompanyName=" ")
    company.add("Vendor", Name="O’Hara", CompanyName="O’Hara\tLtd.")
    sets: dict[str, tuple[str, list[tuple[str, Decimal]]]] = {
        "By the case": ("Case", [("Bottle", Decimal(1) / 12)]),
        "By the bottle": ("Bottle", [("Case of 12", Decimal(12)), ("Tray", Decimal(24))]),
        "By the pallet": ("Pallet", [("Layer", Decimal("0.2"))]),
    }
    for name, (base, related) in sets.items():
        company.add(
            "UnitOfMeasureSet",
            Name=name,
            UnitOfMeasureType="Count",
            BaseUnit={"Name": base, "Abbreviation": base},
            RelatedUnit=[{"Name": unit, "Abbreviation": unit, "ConversionRatio": ratio} for unit, ratio in related],
        )


def lines_of(company: SandboxCompany, wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Lines as the sandbox takes them: an item in place of its number, one of its units, a group, or words alone."""
    items, lines = company.items(), list[dict[str, Any]]()
    sets = {one["ListID"]: one for one in company.objects("UnitOfMeasureSet")}
    for one in wanted:
        item = items[one["item"] % len(items)]
        given = {name: one[name] for name in ("Quantity", "Rate", "Amount", "Desc") if name in one}
        if "no item" in one:
            lines.append({"Desc": "words"} | {name: given[name] for name in ("Amount", "Desc") if name in given})
        elif item["kind"] == "ItemGroup":
            lines.append({"ItemGroupRef": {"ListID": item["ListID"]}} | _only(given, "Quantity"))
        elif item["kind"] == "ItemSubtotal":
            lines.append({"ItemRef": {"ListID": item["ListID"]}})
        else:
            if "Rate" in given:
                given.pop("Amount", None)
            ref = item.get("UnitOfMeasureSetRef")
            if ref and "Quantity" in given:
                unit_set = sets[ref["ListID"]]
                units = [unit["Name"] for unit in (unit_set["BaseUnit"], *unit_set["RelatedUnit"])]
                given["UnitOfMeasure"] = units[one["unit"] % len(units)]
            lines.append({"ItemRef": {"ListID": item["ListID"]}, **given})
    return lines


def _only(given: Mapping[str, Any], *wanted: str) -> dict[str, Any]:
    return {name: given[name] for name in wanted if name in given}


def all_sales(company: SandboxCompany) -> list[dict[str, Any]]:
    """All sales, in order of their making, each with its kind."""
    return company.objects(*SALES)
