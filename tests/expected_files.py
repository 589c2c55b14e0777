"""What the files of a company must say, worked out from what the sandbox holds and from nothing of the product."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from routebooks.sandbox.company import SandboxCompany

Fields = Mapping[str, Any]
Row = tuple[str, ...]
#: a rejected record: the key that it stands under in the list, and why
Reason = tuple[str, str]

#: Windows-1252 knows these, ASCII and Latin-1 do not all: what is written in their place.
PLAIN = {"é": "e", "ü": "u", "Ø": "O", "ß": "ss", "½": "1/2", "€": "EUR", "“": '"', "’": "'", "–": "-", "™": "TM"}
PLAIN |= {"”": '"', "ä": "a", "Å": "A", "\N{NO-BREAK SPACE}": " ", "\N{SOFT HYPHEN}": ""}
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
_GOODS = ("ItemInventory", "ItemInventoryAssembly", "ItemNonInventory")
_NOT_SOLD = ("ItemSubtotal", "ItemPayment", "ItemSalesTax", "ItemSalesTaxGroup")
#: The kinds of sale: what stands in the file for them, and the sign of their amounts.
SALES = {"Invoice": ("IN", 1), "CreditMemo": ("CM", -1), "SalesReceipt": ("SR", 1)}
#: The units of the company by name: cases and bottles of one of each; the others nobody can tell.
UNITS = {"Case": (1, 0), "Case of 12": (1, 0), "Bottle": (0, 1)}


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How the company of a walk has its files written: the settings that a walk draws."""

    encoding: str = "cp1252"
    key_width: int | None = None
    name_width: int | None = None
    plain_unit: str = "unknown"
    #: the setting region_field names a field that there is none of: no region stands in detail.fil
    regions_unknown: bool = False

    def text(self, *texts: str | None, width: int | None = None) -> str:
        """The first text that is filled: in the file's characters, cut to its column's width, no blanks at its ends."""
        found = _CONTROLS.sub(" ", next((text for text in texts if text and text.strip()), "")).strip()
        return "".join(one if self._knows(one) else PLAIN[one] for one in found).strip()[:width].strip()

    def _knows(self, character: str) -> bool:
        return character.encode(self.encoding, "ignore") != b""


@dataclass
class File:
    """The rows of a whole file, who was set aside, and the id that each key stands for."""

    rows: list[Row] = field(default_factory=list)
    rejected: Counter[Reason] = field(default_factory=Counter)
    ids: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Record:
    key: str
    name: str
    id: str
    row: Row
    problems: tuple[str, ...] = ()


def customers(company: SandboxCompany, manner: Manner, cust_id: str) -> File:
    """customer.fil."""
    found = company.customers()
    paths, past_due, owed = full_names(found), _past_due(company), _owed(found)
    return _file(
        _Record(key, paths[one["ListID"]], one["ListID"], _customer(one, manner, (cust_id, key), paths, past_due, owed))
        for one in found
        for key in (manner.text(one.get("AccountNumber"), width=manner.key_width),)
    )


def _customer(
    one: Fields,
    manner: Manner,
    begin: Row,
    paths: Mapping[str, str],
    past_due: Mapping[str, Decimal],
    owed: Mapping[str, Decimal],
) -> Row:
    parent = paths[one["ParentRef"]["ListID"]] if "ParentRef" in one else None
    chain = custom(one, "Chain")
    ship = one.get("ShipAddress", {})
    columns = {
        **dict(enumerate(begin, start=1)),
        3: manner.text(one.get("CompanyName"), one["Name"], width=manner.name_width),
        4: manner.text(custom(one, "Category")),
        5: manner.text(name_of(one, "CustomerTypeRef")),
        6: manner.text(chain, parent),
        7: manner.text(custom(one, "Region")),
        8: yes_or_no(one),
        10: manner.text(name_of(one, "TermsRef")),
        11: "1",
        12: manner.text(name_of(one, "SalesRepRef")),
        13: manner.text(custom(one, "Team")),
        14: "1",
        37: places(owed[one["ListID"]], 2),
        38: places(past_due.get(one["ListID"], Decimal(0)), 2),
        39: places(one.get("CreditLimit"), 2),
        40: manner.text(one.get("Phone")),
        41: manner.text(ship.get("Addr1")),
        42: manner.text(ship.get("Addr2")),
    }
    return tuple(columns.get(position, "") for position in range(1, 43))


def _owed(found: Iterable[Fields]) -> dict[str, Decimal]:
    """What each customer owes, with all that stands below it."""
    by_id = {one["ListID"]: one for one in found}
    sums = dict.fromkeys(by_id, Decimal(0))
    for one in by_id.values():
        above: Fields | None = one
        while above:
            sums[above["ListID"]] += Decimal(one["Balance"])
            above = by_id[above["ParentRef"]["ListID"]] if "ParentRef" in above else None
    return sums


def _past_due(company: SandboxCompany) -> dict[str, Decimal]:
    """What is late of each customer's own invoices, by the day at the workstation."""
    sums: dict[str, Decimal] = {}
    for invoice in company.invoices():
        if date.fromisoformat(invoice["DueDate"]) < company.today() and invoice["IsPending"] == "false":
            customer = invoice["CustomerRef"]["ListID"]
            sums[customer] = sums.get(customer, Decimal(0)) + Decimal(invoice["BalanceRemaining"])
    return sums


def items(company: SandboxCompany, manner: Manner, cust_id: str) -> File:
    """item.fil: goods only."""
    found = company.items()
    paths = full_names(found)
    records = []
    for one in found:
        if one["kind"] in _GOODS:
            key = manner.text(one["Name"], width=manner.key_width)
            row, problems = _item(one, manner, cust_id, key)
            records.append(_Record(key, paths[one["ListID"]], one["ListID"], row, problems))
    return _file(records)


def _item(one: Fields, manner: Manner, cust_id: str, key: str) -> tuple[Row, tuple[str, ...]]:
    sold = one.get("SalesOrPurchase") or one.get("SalesAndPurchase") or one
    units, units_wrong = _whole_number(custom(one, "UnitsPerCase"))
    bottle, bottle_wrong = _price(custom(one, "BottlePrice"))
    row = (
        cust_id,
        key,
        manner.text(sold.get("SalesDesc", sold.get("Desc")), one["Name"]),
        manner.text(name_of(sold, "PrefVendorRef")),
        manner.text(custom(one, "Brand")),
        manner.text(custom(one, "ProductType")),
        yes_or_no(one),
        manner.text(custom(one, "Package")),
        units,
        manner.text(one.get("BarCodeValue")),
        manner.text(custom(one, "BottleUPC")),
        places(sold.get("SalesPrice", sold.get("Price")), 2),
        bottle,
        places(sold.get("PurchaseCost"), 2),
        places(one.get("QuantityOnHand"), 2),
        places(one.get("QuantityOnOrder"), 2),
    )
    return row, tuple(problem for problem in (units_wrong, bottle_wrong) if problem)


def _whole_number(text: str | None) -> tuple[str, str]:
    """What stands in the file for a text that has to be a whole number, or why it cannot."""
    given = (text or "").strip()
    if not given:
        return "", ""
    if not re.fullmatch(r"[+-]?\d+(\.0*)?", given, re.ASCII):
        return "", "map-not-a-whole-number"
    number = int(Decimal(given))
    return (str(number), "") if abs(number) < 2**63 else ("", "map-number-too-large")


def _price(text: str | None) -> tuple[str, str]:
    given = (text or "").strip()
    if not given:
        return "", ""
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", given, re.ASCII):
        return "", "map-not-a-number"
    return (places(given, 2), "") if abs(Decimal(given)) < 10**13 else ("", "map-number-too-large")


def codes(company: SandboxCompany, manner: Manner, cust_id: str, company_name: str) -> File:
    """detail.fil: what stands behind the codes of all customers and items, whatever is set aside of them."""
    found: dict[tuple[str, str], str | None] = {}

    def add(kind: int, code: str | None, means: str | None = None) -> None:
        if code and code.strip():
            place = (str(kind), code.strip())
            found[place] = found.get(place) or means

    add(10, cust_id, company_name)
    for rep in company.objects("SalesRep"):
        add(12, rep["Initial"], name_of(rep, "SalesRepEntityRef"))
    paths = full_names(company.customers())
    for one in company.customers():
        chain = custom(one, "Chain")
        parent = paths[one["ParentRef"]["ListID"]] if "ParentRef" in one else None
        add(11, custom(one, "Team"))
        add(30, custom(one, "Category"))
        add(32, chain if chain and chain.strip() else parent)
        add(34, None if manner.regions_unknown else custom(one, "Region"))
    for path in full_names(company.objects("CustomerType")).values():
        add(31, path)
    for code, means in (("Y", "Active"), ("N", "Inactive")):
        add(40, code, means)
    for terms in company.objects("StandardTerms", "DateDrivenTerms"):
        add(41, terms["Name"])
    vendors = {vendor["Name"]: vendor.get("CompanyName") for vendor in company.objects("Vendor")}
    for one in company.items():
        supplier = name_of(one.get("SalesAndPurchase", one), "PrefVendorRef")
        add(50, supplier, vendors.get(supplier or ""))
        add(51, custom(one, "Brand"))
        add(52, custom(one, "ProductType"))
    return _file(
        _Record(f"{kind} / {key}", "", "", (cust_id, kind, key, manner.text(means, code)))
        for (kind, code), means in found.items()
        for key in (manner.text(code),)
    )


def _file(records: Iterable[_Record]) -> File:
    """A record goes once, or it is set aside: without a key, with a key that another has, with a value that is none."""
    known = list(records)
    count = Counter(record.key for record in known)
    made = File()
    for record in known:
        double = ("key-double",) if record.key and count[record.key] > 1 else ()
        problems = (*double, *(() if record.key else ("key-blank",)), *record.problems)
        if problems:
            made.rejected[record.key or record.name, problems[0]] += 1
        else:
            made.rows.append(record.row)
            made.ids[record.key] = record.id
    return made


@dataclass(frozen=True)
class Sale:
    """What one sale must say: its rows, or why it may not go."""

    rows: tuple[Row, ...]
    wrong: frozenset[str]


def sales(company: SandboxCompany, manner: Manner, cust_id: str, deposit_item: str) -> dict[str, Sale]:
    """What must be told of each sale, by its TxnID."""
    keys = {one["ListID"]: manner.text(one.get("AccountNumber"), width=manner.key_width) for one in company.customers()}
    known = {one["ListID"]: one for one in company.items()}
    return {
        one["TxnID"]: _sale(one, kind, manner, (cust_id, keys[one["CustomerRef"]["ListID"]]), known, deposit_item)
        for kind in SALES
        for one in company.objects(kind)
    }


def _sale(
    one: Fields, kind: str, manner: Manner, buyer: tuple[str, str], known: Mapping[str, Fields], deposit_item: str
) -> Sale:
    code, sign = SALES[kind]
    number = manner.text(one.get("RefNumber"), one["TxnID"])
    day = date.fromisoformat(one["TxnDate"]).strftime("%m/%d/%Y")
    tail = (
        manner.text(name_of(one, "SalesRepRef")),
        manner.text(one.get("PONumber")),
        "V" if _is_void(one, kind) else "A",
    )
    rows: list[Row] = []
    wrong: set[str] = set()
    for place, line in enumerate(_lines(one, kind), start=1):
        told = _line(line, sign, manner, known, deposit_item)
        if isinstance(told, str):
            wrong.add(told)
        elif told is not None:
            rows.append((*buyer, number, day, code, str(place), *told, *tail))
    if rows and not wrong and not (buyer[1] and number):
        wrong.add("map-blank")
    return Sale(tuple(rows), frozenset(wrong))


def _lines(one: Fields, kind: str) -> list[Fields]:
    """The lines from the top of the paper to its foot; of a group its own line first, then its members."""
    lines: list[Fields] = []
    for entry in one.get("Lines", ()):
        for line in entry.values():
            lines += [line, *line.get(f"{kind}LineRet", ())]
    foot = (("DiscountLineRet", -1), ("SalesTaxLineRet", 0), ("ShippingLineRet", 1))
    return lines + [{**one[name], "foot": way} for name, way in foot if name in one]


def _line(line: Fields, sign: int, manner: Manner, known: Mapping[str, Fields], deposit_item: str) -> Row | str | None:
    """Item, cases, bottles, price, discount, deposit and amount of a line; why it cannot go; None: it is not told."""
    amount = sign * Decimal(line.get("Amount", "0"))
    if "foot" in line:
        if line["foot"] < 0 and "Amount" not in line:
            return "amount-unknown"
        amount = amount * line["foot"]
        discount = places(-amount, 2) if line["foot"] < 0 else ""
        return ("", "", "", "", discount, "", places(amount, 2)) if line["foot"] else None
    if "ItemGroupRef" in line:
        return None
    if "ItemRef" not in line:
        return "line-without-item" if amount else None
    item = known[line["ItemRef"]["ListID"]]
    if item["kind"] in _NOT_SOLD:
        return None
    counts = ("", "")
    if item["kind"] in _GOODS and "Quantity" in line:
        one = _measure(line.get("UnitOfMeasure"), item, manner)
        if one is None:
            return "unit-unknown"
        counts = (
            places(sign * Decimal(line["Quantity"]) * one[0], 5),
            places(sign * Decimal(line["Quantity"]) * one[1], 5),
        )
    return (
        manner.text(item["Name"], width=manner.key_width),
        *counts,
        places(line.get("Rate"), 2),
        places(-amount, 2) if item["kind"] == "ItemDiscount" else "",
        places(amount, 2) if item["Name"] == deposit_item else "",
        places(amount, 2),
    )


def _measure(unit: str | None, item: Fields, manner: Manner) -> tuple[int, int] | None:
    """The cases and bottles of one of a unit."""
    if unit == "Tray":
        # Twenty-four bottles are a case where the item says that a case holds so many.
        return (1, 0) if (custom(item, "UnitsPerCase") or "").strip() == "24" else (0, 24)
    if unit is None:
        return {"case": (1, 0), "bottle": (0, 1)}.get(manner.plain_unit)
    return UNITS.get(unit)


def _is_void(one: Fields, kind: str) -> bool:
    names = ("Subtotal", "SalesTaxTotal", "AppliedAmount", "BalanceRemaining", "TotalAmount", "CreditRemaining")
    amounts = [one.get(name, "0") for name in names]
    amounts += [line.get(name, "0") for line in _lines(one, kind) for name in ("Amount", "TotalAmount")]
    return str(one.get("Memo", "")).startswith("VOID:") and not any(map(Decimal, amounts))


def deleted(rows: Iterable[Row]) -> tuple[Row, ...]:
    """How a sale that is gone is told: its rows as last sent, with nothing left in them."""
    return tuple((*row[:7], *map(_emptied, row[7:13]), *row[13:15], "D") for row in rows)


def _emptied(value: str) -> str:
    return places(Decimal(0), len(value.partition(".")[2])) if value else ""


def full_names(records: Iterable[Fields]) -> dict[str, str]:
    """The names of all that stand above a record, then its own, by ListID."""
    by_id = {one["ListID"]: one for one in records}

    def path(one: Fields) -> str:
        above = f"{path(by_id[one['ParentRef']['ListID']])}:" if "ParentRef" in one else ""
        return f"{above}{one['Name']}"

    return {list_id: path(one) for list_id, one in by_id.items()}


def custom(record: Fields, name: str) -> str | None:
    """The value of a custom field."""
    exts = record.get("DataExtRet", ())
    return next((str(ext["DataExtValue"]) for ext in exts if ext["DataExtName"] == name), None)


def name_of(record: Fields, ref: str) -> str | None:
    """The name behind a reference."""
    return str(record[ref]["FullName"]) if ref in record else None


def yes_or_no(record: Fields) -> str:
    """Whether a record is active."""
    return {"true": "Y", "false": "N"}[record["IsActive"]]


def places(value: Decimal | str | None, digits: int) -> str:
    """A number with so many digits after the point, rounded half away from zero."""
    if value is None:
        return ""
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return f"{rounded or abs(rounded):f}"
