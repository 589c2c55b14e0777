"""Takes a sales order in: resolves what it refers to, works out its amounts, numbers it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, localcontext

from routebooks.sandbox import wire
from routebooks.sandbox.answers import Answer
from routebooks.sandbox.books import Books
from routebooks.sandbox.changes import data_ext, written
from routebooks.sandbox.company_file import Stored
from routebooks.sandbox.reader import Request
from routebooks.sandbox.shapes import LINES, Fields
from routebooks.sandbox.status import Refusal

_FIRST_REF_NUMBER = 1001
_LARGEST = Decimal(10) ** 13
_HUNDRED = Decimal(100)
_NEVER_ON_AN_ORDER = ("ItemGroup", "ItemPayment", "ItemFixedAsset", "ItemSalesTax", "ItemSalesTaxGroup")


@dataclass(frozen=True)
class _Line:
    """A line that has been worked out. A subtotal sums up the lines above it and adds nothing itself."""

    name: str
    fields: Fields
    amount: Decimal
    subtotal: bool = False


def add_sales_order(books: Books, request: Request) -> Answer:
    """Raises Refusal: 3000 and 3140 for references, 3210 for what is inactive or does not fit, 3040 for amounts."""
    with localcontext(prec=60):
        return _add(books, request)


def _add(books: Books, request: Request) -> Answer:
    wanted = _filled(request.fields["SalesOrderAdd"])
    customer = _active(books, "CustomerRef", wanted["CustomerRef"], "SalesOrder")
    second = books.now()
    lines = _lines(books, wanted.pop(LINES), second)
    total = _within(sum((line.amount for line in lines if not line.subtotal), Decimal(0)), "TotalAmount")
    header = _header(books, wanted, customer)
    txn_id = books.next_id("Txn", second)
    header |= {
        "TxnNumber": str(books.file.next_number("TxnNumber")),
        "RefNumber": wanted.get("RefNumber") or str(books.file.next_number("RefNumber", _FIRST_REF_NUMBER)),
        "Subtotal": total,
        "SalesTaxPercentage": Decimal(0),
        "SalesTaxTotal": Decimal(0),
        "TotalAmount": total,
        "IsFullyInvoiced": "false",
        LINES: [{line.name: line.fields} for line in lines],
    }
    order = books.insert("SalesOrder", txn_id, header["RefNumber"], header)
    _count_on_order(books, lines)
    return written(books, request, order)


def _header(books: Books, wanted: Fields, customer: Stored) -> Fields:
    """What stands above the lines: what was asked for, else what the customer says, else today."""
    plain = {name: value for name, value in wanted.items() if name != "ExchangeRate"}
    for name in [name for name in plain if name.endswith("Ref")]:
        plain[name] = {"ListID": _active(books, name, plain[name], "SalesOrder").id}
    from_customer = ("BillAddress", "ShipAddress", "TermsRef", "SalesRepRef")
    defaults = {name: customer.fields[name] for name in from_customer if name in customer.fields}
    today = books.today().isoformat()
    flags = dict.fromkeys(("IsManuallyClosed", "IsToBePrinted", "IsToBeEmailed"), "false")
    header: Fields = {"TxnDate": today, **flags, **defaults, **plain}
    header.setdefault("ShipDate", header["TxnDate"])
    header.setdefault("DueDate", _due(books, header))
    return header


def _due(books: Books, header: Fields) -> str:
    terms = books.file.get("Terms", header["TermsRef"]["ListID"]) if "TermsRef" in header else None
    days = int(terms.fields.get("StdDueDays", "0")) if terms else 0
    return (date.fromisoformat(header["TxnDate"]) + timedelta(days=days)).isoformat()


def _active(books: Books, name: str, ref: Fields, where: str) -> Stored:
    found = books.resolve(name, ref, where)
    if not found.active:
        raise Refusal(3210, f'The {name.removesuffix("Ref")} "{found.label}" in the {where} is inactive.')
    return found


def _lines(books: Books, wanted: Iterable[Mapping[str, Fields]], second: int) -> list[_Line]:
    done: list[_Line] = []
    for entry in wanted:
        for name, line in entry.items():
            if name == "SalesOrderLineGroupAdd":
                done.append(_group(books, _filled(line), second))
            else:
                done.append(_line(books, _filled(line), done, second))
    return done


def _line(books: Books, wanted: Fields, above: list[_Line], second: int) -> _Line:
    """One line. By memory: amounts are quantity times rate; an amount alone gives the rate; both must agree."""
    item = _active(books, "ItemRef", wanted["ItemRef"], "SalesOrder line") if "ItemRef" in wanted else None
    if item and item.kind in _NEVER_ON_AN_ORDER:
        raise Refusal(3210, f'The item "{item.label}" cannot stand in a line of a SalesOrder.')
    fields = _copied(books, wanted, second)
    if item:
        fields = {"ItemRef": {"ListID": item.id}, "Desc": _description(item), **fields}
    if item and item.kind == "ItemSubtotal":
        amount = sum((one.amount for one in _since_subtotal(above)), Decimal(0))
        return _Line("SalesOrderLineRet", fields | {"Amount": amount}, amount, subtotal=True)
    priced = _priced(item, wanted, above)
    return _Line("SalesOrderLineRet", fields | priced, priced.get("Amount", Decimal(0)))


def _copied(books: Books, wanted: Fields, second: int) -> Fields:
    fields: Fields = {"TxnLineID": books.next_id("Txn", second), "Invoiced": "0", "IsManuallyClosed": "false"}
    copied = ("Desc", "UnitOfMeasure", "IsManuallyClosed", "Other1", "Other2")
    fields |= {name: wanted[name] for name in copied if name in wanted}
    for name in wanted:
        if name.endswith("Ref") and name != "ItemRef":
            fields[name] = {"ListID": _active(books, name, wanted[name], "SalesOrder line").id}
    fields["DataExtRet"] = _data_exts(wanted)
    return fields


def _data_exts(wanted: Fields) -> list[Fields]:
    given = [one for one in wanted.get("DataExt", ()) if one["DataExtValue"]]
    return [data_ext(one["OwnerID"], one["DataExtName"], one["DataExtValue"]) for one in given]


def _group(books: Books, wanted: Fields, second: int) -> _Line:
    """A group item and, inside it, a line for each of its members."""
    group = _active(books, "ItemGroupRef", wanted["ItemGroupRef"], "SalesOrder line")
    count = wire.number(wanted.get("Quantity", "1"))
    line_id = books.next_id("Txn", second)
    inner: list[_Line] = []
    for member in group.fields.get("ItemGroupLine", ()):
        quantity = wire.quantity(count * wire.number(member.get("Quantity", "1")))
        inner.append(_line(books, {"ItemRef": member["ItemRef"], "Quantity": quantity}, inner, second))
    total = sum((line.amount for line in inner if not line.subtotal), Decimal(0))
    fields: Fields = {
        "TxnLineID": line_id,
        "ItemGroupRef": {"ListID": group.id},
        "Desc": wanted.get("Desc", group.fields.get("ItemDesc")),
        "Quantity": count,
        "UnitOfMeasure": wanted.get("UnitOfMeasure"),
        "IsPrintItemsInGroup": group.fields.get("IsPrintItemsInGroup", "false"),
        "TotalAmount": total,
        "SalesOrderLineRet": [line.fields for line in inner],
        "DataExtRet": _data_exts(wanted),
    }
    return _Line("SalesOrderLineGroupRet", fields, total)


def _priced(item: Stored | None, wanted: Fields, above: list[_Line]) -> Fields:
    """Quantity, rate and amount of a line. Raises Refusal 3210 when those given do not agree."""
    percent = _percent(item, wanted)
    if percent is not None:
        amount = _within((above[-1].amount if above else Decimal(0)) * percent / _HUNDRED, "Amount")
        return {"RatePercent": percent, "Amount": amount}
    count = wire.number(wanted.get("Quantity", "1"))
    given = wire.number(wanted["Amount"]) if "Amount" in wanted else None
    priced: Fields = {"Quantity": count} if "Quantity" in wanted else {}
    if given is not None and "Rate" not in wanted:
        return priced | ({"Rate": given / count} if count else {}) | {"Amount": given}
    if item is None and "Rate" not in wanted:
        return priced
    rate = wire.number(wanted["Rate"]) if "Rate" in wanted else _item_price(item)
    amount = _within(count * rate, "Amount")
    if given not in (None, amount):
        raise Refusal(3210, f'The amount "{given}" is not the quantity times the rate.')
    return priced | {"Rate": rate, "Amount": amount}


def _percent(item: Stored | None, wanted: Fields) -> Decimal | None:
    """The percentage of the line above that a line comes to, where it is one."""
    if "RatePercent" in wanted:
        return wire.number(wanted["RatePercent"])
    if item is None or "Rate" in wanted or "Amount" in wanted:
        return None
    if "DiscountRatePercent" in item.fields:
        return -wire.number(item.fields["DiscountRatePercent"])
    percent = _sales(item).get("PricePercent")
    return None if percent is None else wire.number(percent)


def _item_price(item: Stored | None) -> Decimal:
    if item and "DiscountRate" in item.fields:
        return -wire.number(item.fields["DiscountRate"])
    sales = _sales(item)
    return wire.number(sales.get("SalesPrice", sales.get("Price")))


def _description(item: Stored) -> str | None:
    sales = _sales(item)
    found = sales.get("SalesDesc", sales.get("Desc", sales.get("ItemDesc")))
    return None if found is None else str(found)


def _sales(item: Stored | None) -> Fields:
    """The part of an item that tells what it is sold as: inside it for services, the item itself for stock."""
    fields: Fields = item.fields if item else {}
    for name in ("SalesOrPurchase", "SalesAndPurchase"):
        if name in fields:
            inner: Fields = fields[name]
            return inner
    return fields


def _since_subtotal(above: list[_Line]) -> list[_Line]:
    starts = [at for at, line in enumerate(above, start=1) if line.subtotal]
    return above[starts[-1] if starts else 0 :]


def _within(amount: Decimal, field: str) -> Decimal:
    rounded = wire.cents(amount)
    if abs(rounded) >= _LARGEST:
        raise Refusal(3040, f'There was an error when converting the amount "{rounded:f}" in the field "{field}".')
    return rounded


def _count_on_order(books: Books, lines: list[_Line]) -> None:
    """Adds what was ordered to the items' QuantityOnSalesOrder, which leaves their modified time alone."""
    for line in lines:
        for fields in (line.fields, *line.fields.get("SalesOrderLineRet", ())):
            item = books.file.get("Item", fields["ItemRef"]["ListID"]) if "ItemRef" in fields else None
            if item and item.kind.startswith("ItemInventory") and "Quantity" in fields:
                before = wire.number(item.fields.get("QuantityOnSalesOrder"))
                after = before + wire.number(str(fields["Quantity"]))
                books.change(item, {"QuantityOnSalesOrder": after}, touch=False)


def _filled(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if value != ""}
