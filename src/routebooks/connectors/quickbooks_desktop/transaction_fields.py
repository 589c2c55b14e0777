"""The fields of invoices, credit memos and sales receipts, and of their lines.

LinkedTxn, the billing address and the data of credit cards are not read.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from routebooks.connectors.quickbooks_desktop.arrow import (
    Column,
    all_of,
    any_of,
    begins_with,
    is_filled,
    is_missing,
    is_not_zero,
    is_one_of,
    no,
    pick,
)
from routebooks.connectors.quickbooks_desktop.columns import ListField
from routebooks.connectors.quickbooks_desktop.fields import (
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
from routebooks.records import Field, Kind

_CORE = (
    text("TxnID", 36),
    moment("TimeCreated"),
    moment("TimeModified"),
    text("EditSequence", 16),
    integer("TxnNumber"),
    *ref("CustomerRef", 209),
    *ref("ClassRef", 159),
)
_WHO_AND_WHEN = (
    *ref("TemplateRef", 31),
    day("TxnDate"),
    text("RefNumber", 11),
    *address("ShipAddress"),
    flag("IsPending"),
    day("DueDate"),
    *ref("SalesRepRef", 5),
    text("FOB", 13),
    day("ShipDate"),
    *ref("ShipMethodRef", 15),
)
_MONEY = (money("Subtotal"), *ref("ItemSalesTaxRef", 31), number("SalesTaxPercentage"), money("SalesTaxTotal"))
_REST = (
    *ref("CurrencyRef", 64),
    number("ExchangeRate"),
    text("Memo", 4095),
    *ref("CustomerMsgRef", 101),
    flag("IsTaxIncluded"),
    *ref("CustomerSalesTaxCodeRef", 3),
    text("Other", 29),
)
_ON_ACCOUNT = (*ref("ARAccountRef", 159), text("PONumber", 25), *ref("TermsRef", 31))

INVOICES: tuple[ListField, ...] = (
    *_CORE,
    *_ON_ACCOUNT,
    *_WHO_AND_WHEN,
    flag("IsFinanceCharge"),
    *_MONEY,
    money("AppliedAmount"),
    money("BalanceRemaining"),
    flag("IsPaid"),
    *_REST,
)
CREDIT_MEMOS: tuple[ListField, ...] = (
    *_CORE,
    *_ON_ACCOUNT,
    *_WHO_AND_WHEN,
    *_MONEY,
    money("TotalAmount"),
    money("CreditRemaining"),
    *_REST,
)
SALES_RECEIPTS: tuple[ListField, ...] = (
    *_CORE,
    *_WHO_AND_WHEN,
    text("CheckNumber", 25),
    *ref("PaymentMethodRef", 31),
    *_MONEY,
    money("TotalAmount"),
    *ref("DepositToAccountRef", 159),
    *_REST,
)

#: What tells whether an invoice is overdue. These elements, and no others, are asked for.
OPEN_INVOICES: tuple[ListField, ...] = (
    text("TxnID", 36),
    moment("TimeModified"),
    *ref("CustomerRef", 209),
    day("TxnDate"),
    text("RefNumber", 11),
    flag("IsPending"),
    day("DueDate"),
    money("BalanceRemaining"),
)

#: What QuickBooks remembers of a deleted transaction. It forgets after 90 days.
DELETED_TRANSACTIONS: tuple[ListField, ...] = (
    text("TxnDelType"),
    text("TxnID", 36),
    moment("TimeCreated"),
    moment("TimeDeleted"),
    text("RefNumber"),
)

#: A group is an item, too; what it comes to is not an Amount, since its components carry the amounts.
LINE_FIELDS: tuple[ListField, ...] = (
    text("Line.TxnLineID", 36, "TxnLineID"),
    *ref("Line.ItemRef", None, "ItemRef", "ItemGroupRef"),
    text("Line.Desc", 4095, "Desc"),
    number("Line.Quantity", "Quantity"),
    text("Line.UnitOfMeasure", 31, "UnitOfMeasure"),
    *ref("Line.OverrideUOMSetRef", 31, "OverrideUOMSetRef"),
    number("Line.Rate", "Rate"),
    number("Line.RatePercent", "RatePercent"),
    *ref("Line.ClassRef", 159, "ClassRef"),
    money("Line.Amount", "Amount"),
    money("Line.TotalAmount", "TotalAmount"),
    money("Line.TaxAmount", "TaxAmount"),
    *ref("Line.InventorySiteRef", 31, "InventorySiteRef"),
    text("Line.SerialNumber", 4095, "SerialNumber"),
    text("Line.LotNumber", 40, "LotNumber"),
    day("Line.ServiceDate", "ServiceDate"),
    *ref("Line.SalesTaxCodeRef", 3, "SalesTaxCodeRef"),
    flag("Line.IsTaxable", "IsTaxable"),
    text("Line.Other1", 29, "Other1"),
    text("Line.Other2", 29, "Other2"),
    *ref("Line.AccountRef", 159, "AccountRef"),
)

#: Inferred: QuickBooks marks no void. It sets all amounts to zero and puts `VOID:` before the memo; a person who types
#: such a memo on a transaction over nothing is taken for one who voided it.
IS_VOID_INFERRED = Field(name="IsVoidInferred", kind=Kind.BOOLEAN)

_AMOUNTS = ("Subtotal", "SalesTaxTotal", "AppliedAmount", "BalanceRemaining", "TotalAmount", "CreditRemaining")


def lines_of(transaction: str) -> Lines:
    """The lines of "Invoice", "CreditMemo" or "SalesReceipt": with a group's own line before its components."""
    line = f"{transaction}LineRet"
    return Lines(
        fields=LINE_FIELDS,
        elements={
            line: "item",
            f"{transaction}LineGroupRet": "group",
            "DiscountLineRet": "discount",
            "SalesTaxLineRet": "tax",
            "ShippingLineRet": "shipping",
        },
        inside={line: "component"},
        made=(IS_VOID_INFERRED,),
        finish=_finish,
    )


def _finish(records: pa.Table, lines: pa.Table, of: pa.Array[Any]) -> tuple[pa.Table, pa.Table]:
    records = records.append_column(IS_VOID_INFERRED.name, _void(records, lines, of))
    return records, lines.set_column(lines.column_names.index(KIND.name), KIND.name, _kinds(lines))


def _kinds(lines: pa.Table) -> Column:
    """An item line without an item is a description; one with an amount but neither quantity nor rate a subtotal.

    The shape is all that a line shows (reference/quickbooks-desktop.md, Ret order and limits); an item that was sold
    by its amount alone has it, too. Whoever needs to be sure asks the item what it is.
    """

    item = is_one_of(lines[KIND.name], ["item"])
    described = all_of(item, is_missing(lines["Line.ItemRef.ListID"], lines["Line.ItemRef.FullName"]))
    unpriced = is_missing(lines["Line.Quantity"], lines["Line.Rate"], lines["Line.RatePercent"])
    subtotal = all_of(item, unpriced, is_filled(lines["Line.Amount"]))
    return pick(described, "description", pick(subtotal, "subtotal", lines[KIND.name]))


def _void(records: pa.Table, lines: pa.Table, of: pa.Array[Any]) -> Column:
    void = begins_with(records["Memo"], "VOID:")
    if not pc.any(void).as_py():
        return void
    worth = any_of(is_not_zero(lines["Line.Amount"]), is_not_zero(lines["Line.TotalAmount"]))
    valued = is_one_of(pa.array(range(records.num_rows), of.type), of.filter(worth).to_pylist())
    amounts = [is_not_zero(records[name]) for name in _AMOUNTS if name in records.column_names]
    return all_of(void, no(any_of(valued, *amounts)))
