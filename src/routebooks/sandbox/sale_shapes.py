"""What is returned of sales: sales orders, invoices, credit memos and sales receipts, with their lines in order."""

from __future__ import annotations

from collections.abc import Mapping

from routebooks.sandbox.parts import ADDRESS, BLOCK, DATA_EXT
from routebooks.sandbox.shapes import Group, shape

_KNOWN: dict[str, Group] = {
    "Address": ADDRESS,
    "Block": BLOCK,
    "DataExt": shape(DATA_EXT),
    "DiscountLine": shape("(Amount:amount | RatePercent:percent)? IsTaxable?:bool AccountRef?:ref159"),
    "SalesTaxLine": shape("(Amount:amount | RatePercent:percent)? AccountRef?:ref159"),
    "ShippingLine": shape("Amount:amount AccountRef?:ref159"),
    "LinkedTxn": shape(
        "TxnID:id TxnType:=ReceivePayment TxnDate:date RefNumber?:20 LinkType?:AMTTYPE/QUANTYPE Amount:amount"
    ),
}

_CORE = "TxnID?:id TimeCreated?:datetime TimeModified?:datetime EditSequence?:16 TxnNumber?:int"
_CUSTOMER = "CustomerRef?:ref209 ClassRef?:ref159"
_HEAD = """
    TemplateRef?:ref31 TxnDate?:date RefNumber?:11
    BillAddress?:Address BillAddressBlock?:Block ShipAddress?:Address ShipAddressBlock?:Block
"""
_TERMS = "PONumber?:25 TermsRef?:ref31 DueDate?:date SalesRepRef?:ref5 FOB?:13 ShipDate?:date ShipMethodRef?:ref15"
_TAX = "Subtotal?:amount ItemSalesTaxRef?:ref31 SalesTaxPercentage?:percent SalesTaxTotal?:amount"
_PRINT = """
    CustomerMsgRef?:ref101 IsToBePrinted?:bool IsToBeEmailed?:bool IsTaxIncluded?:bool CustomerSalesTaxCodeRef?:ref3
"""
_OTHER = "Other?:29 ExternalGUID?:guid"
_BELOW = "DiscountLineRet?:DiscountLine SalesTaxLineRet?:SalesTaxLine ShippingLineRet?:ShippingLine DataExtRet*:DataExt"


def _sale(kind: str, head: str, *, line: str, group: str = "ServiceDate?:date", below: str = _BELOW) -> Group:
    """A kind of sale; its lines and its group lines stand in one row, in the order of the paper."""
    known = dict(_KNOWN)
    unit = "Quantity?:quantity UnitOfMeasure?:31 OverrideUOMSetRef?:ref31"
    known["Line"] = shape(
        f"""
        TxnLineID:id ItemRef?:ref Desc?:4095 {unit} (Rate:price | RatePercent:percent)?
        ClassRef?:ref159 Amount?:amount TaxAmount?:amount {line} Other1?:29 Other2?:29 DataExtRet*:DataExt
        """,
        known,
    )
    known["LineGroup"] = shape(
        f"""
        TxnLineID:id ItemGroupRef:ref31 Desc?:4095 {unit} IsPrintItemsInGroup:bool TotalAmount:amount {group}
        {kind}LineRet*:Line DataExtRet*:DataExt
        """,
        known,
    )
    return shape(f"{head} ({kind}LineRet:Line | {kind}LineGroupRet:LineGroup)* {below}", known)


_SOLD = "ServiceDate?:date SalesTaxCodeRef?:ref3 IsTaxable?:bool"

#: Without amounts in foreign currencies, and without the data of credit cards.
SALES: Mapping[str, Group] = {
    "SalesOrder": _sale(
        "SalesOrder",
        f"{_CORE} {_CUSTOMER} {_HEAD} {_TERMS} {_TAX} TotalAmount?:amount IsManuallyClosed?:bool"
        f" IsFullyInvoiced?:bool Memo?:4095 {_PRINT} {_OTHER}",
        line="SalesTaxCodeRef?:ref3 Invoiced?:quantity IsManuallyClosed?:bool",
        group="",
        below="DataExtRet*:DataExt",
    ),
    "Invoice": _sale(
        "Invoice",
        f"{_CORE} {_CUSTOMER} ARAccountRef?:ref159 {_HEAD} IsPending?:bool IsFinanceCharge?:bool {_TERMS} {_TAX}"
        f" AppliedAmount?:amount BalanceRemaining?:amount Memo?:4095 IsPaid?:bool {_PRINT}"
        f" SuggestedDiscountAmount?:amount SuggestedDiscountDate?:date {_OTHER} LinkedTxn*:LinkedTxn",
        line=_SOLD,
    ),
    "CreditMemo": _sale(
        "CreditMemo",
        f"{_CORE} {_CUSTOMER} ARAccountRef?:ref159 {_HEAD} IsPending?:bool {_TERMS} {_TAX}"
        f" TotalAmount?:amount CreditRemaining?:amount Memo?:4095 {_PRINT} {_OTHER} LinkedTxn*:LinkedTxn",
        line=_SOLD,
    ),
    "SalesReceipt": _sale(
        "SalesReceipt",
        f"{_CORE} {_CUSTOMER} {_HEAD} IsPending?:bool CheckNumber?:25 PaymentMethodRef?:ref31 DueDate?:date"
        f" SalesRepRef?:ref5 ShipDate?:date ShipMethodRef?:ref15 FOB?:13 {_TAX} TotalAmount?:amount Memo?:4095"
        f" {_PRINT} DepositToAccountRef?:ref159 {_OTHER}",
        line=_SOLD,
    ),
}
