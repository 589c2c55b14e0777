"""Sales in the books: sales orders, invoices, credit memos and sales receipts are added and changed alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any

from routebooks.sandbox import wire
from routebooks.sandbox.books import Books
from routebooks.sandbox.changes import data_ext, with_data_ext
from routebooks.sandbox.company_file import Stored
from routebooks.sandbox.journal import follow
from routebooks.sandbox.lines import Form, Line, data_exts, work_out
from routebooks.sandbox.objects import KINDS
from routebooks.sandbox.shapes import LINES, Fields
from routebooks.sandbox.totals import due, money_of

_FIRST_REF_NUMBER = 1001
_RECEIVABLE = "Accounts Receivable"
_FROM_CUSTOMER = ("BillAddress", "ShipAddress", "TermsRef", "SalesRepRef", "ItemSalesTaxRef")
_FLAGS = ("IsManuallyClosed", "IsPending", "IsFinanceCharge", "IsToBePrinted", "IsToBeEmailed")
#: What a line of a sale is asked for again by, when the sale is changed.
_KEPT = (
    "TxnLineID", "ItemRef", "ItemGroupRef", "Desc", "Quantity", "UnitOfMeasure", "Rate", "RatePercent", "ClassRef",
    "Amount", "ServiceDate", "SalesTaxCodeRef", "IsManuallyClosed", "Other1", "Other2",
)  # fmt: skip


def form(books: Books, kind: str, customer: Stored, *, asked: bool = False) -> Form:
    """The paper for a sale to a customer."""
    level = customer.fields.get("PriceLevelRef")
    return Form(books, kind, books.file.get("PriceLevel", level["ListID"]) if level else None, asked)


def add(form: Form, customer: Stored, wanted: Fields, lines: Iterable[Fields]) -> Stored:
    """Adds a sale. Raises Refusal 3000, 3140, 3210, 3040 as `work_out`, and 3210 for less than nothing in all."""
    books, second = form.books, form.books.now()
    with localcontext(prec=60):
        worked = work_out(form, lines)
        header = _header(form, wanted, customer)
        txn_id = books.next_id("Txn", second)
        header["TxnNumber"] = str(books.file.next_number("TxnNumber"))
        if header.get("RefNumber") is None:
            series = "RefNumber" if form.kind == "SalesOrder" else f"{form.kind} RefNumber"
            header["RefNumber"] = str(books.file.next_number(series, _FIRST_REF_NUMBER))
        if form.kind == "SalesOrder":
            header["IsFullyInvoiced"] = "false"
        header |= money_of(books, form.kind, header, worked)
        header[LINES] = [{line.name: line.fields} for line in worked]
        stored = books.insert(form.kind, txn_id, header["RefNumber"], header)
        follow(books, None, stored)
    return stored


def _header(form: Form, wanted: Fields, customer: Stored) -> Fields:
    """What stands above the lines: what was asked for, else what the customer says, else today."""
    books = form.books
    has = {element.name for element in KINDS[form.kind].ret.elements()}
    plain = _resolved(form, {name: value for name, value in wanted.items() if name not in ("DataExt", "ExchangeRate")})
    defaults = {name: customer.fields[name] for name in _FROM_CUSTOMER if name in customer.fields}
    account = books.file.named("Account", _RECEIVABLE)
    if account:
        defaults["ARAccountRef"] = {"ListID": account.id}
    defaults |= dict.fromkeys(_FLAGS, "false") | {"TxnDate": books.today().isoformat()}
    header: Fields = {name: value for name, value in defaults.items() if name in has}
    header |= {**plain, "CustomerRef": {"ListID": customer.id}, "DataExtRet": data_exts(wanted)}
    header.setdefault("ShipDate", header["TxnDate"])
    header.setdefault("DueDate", due(books, header))
    return header


def _resolved(form: Form, values: Mapping[str, Any]) -> Fields:
    """The values with every reference turned into the id alone."""
    made: Fields = {}
    for name, value in values.items():
        if isinstance(value, dict):
            value = {"ListID": form.find(name, value).id} if name.endswith("Ref") else _resolved(form, value)
        made[name] = value
    return made


def update(books: Books, stored: Stored, values: Fields, lines: Sequence[Fields] | None) -> Stored:
    """Changes fields of a sale, and its lines where some are given: all that it shall have from now on.

    A line with the TxnLineID of a present one keeps what is not said anew. Raises Refusal as `add`.
    """
    ref = values.get("CustomerRef") or stored.fields["CustomerRef"]
    paper = form(books, stored.kind, books.resolve("CustomerRef", ref, stored.kind))
    present = {line.fields["TxnLineID"]: line for line in lines_of(books, stored)}
    with localcontext(prec=60):
        changed = _resolved(paper, {name: value for name, value in values.items() if name != "DataExt"})
        exts = stored.fields.get("DataExtRet", [])
        for one in values.get("DataExt", ()):
            exts = with_data_ext(exts, data_ext(one["OwnerID"], one["DataExtName"], one["DataExtValue"]))
        worked = work_out(paper, present.values() if lines is None else [_again(present, line) for line in lines])
        header = {**stored.fields, **changed, "DataExtRet": exts}
        if "DueDate" not in changed and {"TxnDate", "TermsRef"} & changed.keys():
            changed["DueDate"] = due(books, header)
        applied = Decimal(0) - wire.number(stored.fields.get("AppliedAmount"))
        changed |= money_of(books, stored.kind, header, worked, applied)
        changed |= {"DataExtRet": exts, LINES: [{line.name: line.fields} for line in worked]}
        after = books.change(stored, changed)
        follow(books, stored, after)
    return after


def lines_of(books: Books, stored: Stored) -> list[Line]:
    """The lines of a sale as they stand."""
    found = []
    for entry in stored.fields.get(LINES, ()):
        for name, fields in entry.items():
            item = books.file.get("Item", fields["ItemRef"]["ListID"]) if "ItemRef" in fields else None
            amount = wire.number(fields.get("TotalAmount", fields.get("Amount")))
            found.append(Line(name, fields, amount, subtotal=item is not None and item.kind == "ItemSubtotal"))
    return found


def _again(present: Mapping[str, Line], wanted: Fields) -> Fields | Line:
    """A line that is asked for; what a present one has and it does not say is added."""
    line = present.get(wanted.get("TxnLineID") or "")
    if line is None or ("ItemGroupRef" in line.fields and len(wanted) == 1):
        return line or wanted
    kept: Fields = {name: line.fields[name] for name in _KEPT if name in line.fields}
    if "RatePercent" in kept:
        kept.pop("Amount", None)
    elif "ItemGroupRef" not in kept:
        kept = {"Rate": None, "Amount": None, **kept}
    if {"ItemRef", "UnitOfMeasure"} & wanted.keys():
        kept.pop("Rate", None)
    if {"ItemRef", "UnitOfMeasure", "Quantity", "Rate", "RatePercent"} & wanted.keys():
        kept.pop("Amount", None)
    if "ItemRef" in wanted:
        kept = {name: kept[name] for name in ("TxnLineID", "Quantity", "Other1", "Other2") if name in kept}
    return {**kept, "DataExt": line.fields.get("DataExtRet", []), **wanted}
