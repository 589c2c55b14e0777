"""The transactions view: what was sold, line by line, in cases and bottles; credit memos with their sign.

Which lines go out: items (a group's components, not the group), discounts and shipping. Left out: descriptions,
subtotals, taxes and payments, for they sell nothing.

Cases and bottles, by this rule and never by a guess (design, truth 11): a line's unit of measure says which it is, by
the words of the connection's settings, or through its set, whose base unit it is so many of. A line without a unit
counts in what the setting plain_unit says; while that is unknown, its transaction waits in the rejected list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pyarrow as pa

from routebooks.connectors.base import Connection
from routebooks.connectors.quickbooks_desktop.order_settings import Policies, folded, policies_of
from routebooks.errors import Problem, RecordError
from routebooks.records import PRECISION, Field, Kind, Rejected

TRANSACTION_FIELDS: tuple[Field, ...] = (
    Field(name="TxnID", max_length=36),
    Field(name="RefNumber"),
    Field(name="Kind"),
    Field(name="Status"),
    Field(name="TxnDate", kind=Kind.DATE),
    Field(name="CustomerKey"),
    Field(name="CustomerRef.ListID"),
    Field(name="SalesRep"),
    Field(name="PONumber"),
    Field(name="LineNumber", kind=Kind.INTEGER),
    Field(name="ItemKey"),
    Field(name="ItemRef.ListID"),
    Field(name="Description"),
    Field(name="Cases", kind=Kind.DECIMAL),
    Field(name="Bottles", kind=Kind.DECIMAL),
    Field(name="UnitPrice", kind=Kind.DECIMAL),
    Field(name="Discount", kind=Kind.DECIMAL, scale=2),
    Field(name="Deposit", kind=Kind.DECIMAL, scale=2),
    Field(name="Extended", kind=Kind.DECIMAL, scale=2),
    Field(name="IsVoidInferred", kind=Kind.BOOLEAN),
    Field(name="TimeModified", kind=Kind.TIMESTAMP),
)

#: stream, kind in the file, sign of quantities and amounts
_STREAMS = (("invoices", "IN", 1), ("credit_memos", "CM", -1), ("sales_receipts", "SR", 1))
_LINES = ("item", "component", "subtotal", "discount", "shipping")
#: items that sell nothing
_NO_SALE = ("ItemSubtotal", "ItemPayment", "ItemSalesTax", "ItemSalesTaxGroup", "ItemGroup")
#: items that are counted in cases or bottles
_COUNTED = ("ItemInventory", "ItemInventoryAssembly", "ItemNonInventory")
_FIFTH = Decimal("0.00001")


@dataclass(frozen=True)
class _Units:
    """What the connection's settings and QuickBooks' unit sets say of units."""

    policies: Policies
    #: set name -> unit name or abbreviation -> how many base units one is
    ratios: Mapping[str, Mapping[str, Decimal]]
    #: set name -> name of its base unit
    bases: Mapping[str, str]


@dataclass
class _Lists:
    """The lists by ListID."""

    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    customers: dict[str, dict[str, Any]] = field(default_factory=dict)


def transactions(connection: Connection, tables: Mapping[str, pa.Table]) -> tuple[pa.Table, tuple[Rejected, ...]]:
    """The rows of the view, and the transactions whose units nobody knows: those stay out with all their lines."""
    units = _units(connection, tables["units_of_measure"])
    lists = _Lists(_by_id(tables["items"]), _by_id(tables["customers"]))
    deposit = units.policies.deposit_item
    rows: list[dict[str, Any]] = []
    rejected: list[Rejected] = []
    for stream, kind, sign in _STREAMS:
        for lines in _transactions(tables[stream]):
            try:
                rows += [made for line in lines if (made := _row(line, kind, sign, units, lists, deposit)) is not None]
            except RecordError as error:
                rejected.append(_rejected(lines[0], error.problem))
    schema = pa.schema([(each.name, each.arrow) for each in TRANSACTION_FIELDS])
    return pa.Table.from_pylist(rows, schema=schema), tuple(rejected)


def _transactions(table: pa.Table) -> Iterator[list[dict[str, Any]]]:
    """The rows of each transaction; they stand together."""
    group: list[dict[str, Any]] = []
    for row in table.to_pylist():
        if group and row["TxnID"] != group[0]["TxnID"]:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _by_id(table: pa.Table) -> dict[str, dict[str, Any]]:
    return {row["ListID"]: row for row in table.to_pylist()}


def _rejected(line: Mapping[str, Any], problem: Problem) -> Rejected:
    shown = ("TxnID", "RefNumber", "CustomerRef.FullName", "Memo")
    record = {name: line[name] for name in shown if line.get(name)}
    return Rejected(str(line["TxnID"]), problem, {**record, "TxnDate": str(line["TxnDate"])})


def _row(
    line: Mapping[str, Any], kind: str, sign: int, units: _Units, lists: _Lists, deposit: str
) -> dict[str, Any] | None:
    if line["LineKind"] not in _LINES:
        return None
    item = lists.items.get(line["Line.ItemRef.ListID"] or "", {})
    if item.get("Kind") in _NO_SALE or (line["LineKind"] == "subtotal" and not item):
        return None
    customer = lists.customers.get(line["CustomerRef.ListID"] or "", {})
    amount = sign * (line["Line.Amount"] or Decimal(0))
    is_discount = line["LineKind"] == "discount" or item.get("Kind") == "ItemDiscount"
    is_deposit = bool(deposit) and deposit in (item.get("FullName"), item.get("ListID"))
    cases, bottles = _counted(line, item, units) if item.get("Kind") in _COUNTED else (None, None)
    return {
        "TxnID": line["TxnID"],
        "RefNumber": line["RefNumber"] or line["TxnID"],
        "Kind": kind,
        "Status": "V" if line["IsVoidInferred"] else "A",
        "TxnDate": line["TxnDate"],
        "CustomerKey": customer.get("AccountNumber"),
        "CustomerRef.ListID": line["CustomerRef.ListID"],
        "SalesRep": line["SalesRepRef.FullName"],
        "PONumber": line.get("PONumber"),
        "LineNumber": line["LineNumber"],
        "ItemKey": item.get("Name") or _last(line["Line.ItemRef.FullName"]),
        "ItemRef.ListID": line["Line.ItemRef.ListID"],
        "Description": line["Line.Desc"],
        "Cases": None if cases is None else _fitting(sign * cases, line),
        "Bottles": None if bottles is None else _fitting(sign * bottles, line),
        "UnitPrice": line["Line.Rate"],
        "Discount": -amount if is_discount else None,
        "Deposit": amount if is_deposit else None,
        "Extended": amount,
        "IsVoidInferred": line["IsVoidInferred"],
        "TimeModified": line["TimeModified"],
    }


def _last(full_name: str | None) -> str | None:
    return full_name.rpartition(":")[2] if full_name else None


def _fitting(quantity: Decimal, line: Mapping[str, Any]) -> Decimal:
    rounded = quantity.quantize(_FIFTH, ROUND_HALF_UP)
    if len(rounded.as_tuple().digits) > PRECISION:
        raise RecordError(
            f"A quantity of transaction {line['RefNumber'] or line['TxnID']} is too large.",
            hint="Correct it in QuickBooks.",
            code="quantity-too-large",
            detail=str(quantity),
        )
    return rounded


def _counted(line: Mapping[str, Any], item: Mapping[str, Any], units: _Units) -> tuple[Decimal | None, Decimal | None]:
    """Cases and bottles of a line; the one that it is not sold in is nothing."""
    quantity = line["Line.Quantity"]
    if quantity is None:
        return None, None
    unit = line["Line.UnitOfMeasure"]
    sold_in, count = _sold_in(unit, quantity, item, units) if unit else (units.policies.plain_unit, quantity)
    if sold_in == "case":
        return count, Decimal(0)
    if sold_in == "bottle":
        return Decimal(0), count
    raise _unknown(line, item, unit)


def _sold_in(unit: str, quantity: Decimal, item: Mapping[str, Any], units: _Units) -> tuple[str, Decimal]:
    word = _word_of(unit, units)
    if word:
        return word, quantity
    name = item.get("UnitOfMeasureSetRef.FullName") or ""
    ratio = units.ratios.get(name, {}).get(folded(unit))
    base = _word_of(units.bases.get(name, ""), units)
    if ratio is None or not base:
        return "", quantity
    if (
        base == "bottle"
        and str(ratio.normalize()) == str(item.get(f"Custom.{units.policies.units_per_case_field}") or "").strip()
    ):
        return "case", quantity
    return base, quantity * ratio


def _word_of(unit: str, units: _Units) -> str:
    """case, bottle, or nothing when the word says neither."""
    if folded(unit) in units.policies.case_words:
        return "case"
    return "bottle" if folded(unit) in units.policies.bottle_words else ""


def _unknown(line: Mapping[str, Any], item: Mapping[str, Any], unit: str | None) -> RecordError:
    number, name = line["RefNumber"] or line["TxnID"], item.get("Name", "")
    if unit:
        return RecordError(
            f"Transaction {number} sells {name} by the {unit}, and nobody knows whether that is a case or a bottle.",
            hint="Add the word to case_units or bottle_units of the QuickBooks connection "
            "(`routebooks connection set`), or give the item a unit of measure set whose base unit is one of them.",
            code="unit-unknown",
            detail=unit,
        )
    return RecordError(
        f"Transaction {number} sells {name} without a unit of measure.",
        hint="Say what QuickBooks counts in: `routebooks connection set COMPANY NAME plain_unit=case` (or bottle).",
        code="unit-unknown",
    )


def _units(connection: Connection, sets: pa.Table) -> _Units:
    ratios: dict[str, dict[str, Decimal]] = {}
    bases: dict[str, str] = {}
    for row in sets.to_pylist():
        known = ratios.setdefault(row["Name"], {})
        bases[row["Name"]] = row["BaseUnit.Name"] or ""
        for name in (row["Line.Name"], row["Line.Abbreviation"]):
            if name and row["Line.ConversionRatio"] is not None:
                known[folded(name)] = row["Line.ConversionRatio"]
    return _Units(policies_of(connection.settings), ratios, bases)
