"""The requests that the company understands, their order and limits (the reference, section 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from routebooks.sandbox.parts import ADDRESS, LIST_DEL_TYPES, TXN_DEL_TYPES
from routebooks.sandbox.shapes import Group, shape


@dataclass(frozen=True)
class RequestShape:
    """What stands inside a request of one name, and the attributes it may have besides requestID."""

    content: Group
    metadata: bool = False
    iterator: bool = False


_NAME_FILTER = shape("MatchCriterion:StartsWith/Contains/EndsWith Name")
_NAME_RANGE = shape("FromName? ToName?")
_BALANCE = shape("Operator:LessThan/LessThanEqual/Equal/GreaterThan/GreaterThanEqual Amount:amount")
_CURRENCY = shape("(ListID+:id | FullName+:64)")
_ENTITY = shape("(ListID+:id | FullName+ | ListIDWithChildren:id | FullNameWithChildren)")
_MODIFIED = shape("FromModifiedDate?:datetime ToModifiedDate?:datetime")
_TXN_DATE = shape("FromTxnDate?:date ToTxnDate?:date")
_REF_NUMBER = shape("MatchCriterion:StartsWith/Contains/EndsWith RefNumber")
_REF_NUMBER_RANGE = shape("FromRefNumber? ToRefNumber?")
_DELETED = shape("FromDeletedDate?:datetime ToDeletedDate?:datetime")

_FILTERS = {
    "NameFilter": _NAME_FILTER,
    "NameRangeFilter": _NAME_RANGE,
    "TotalBalanceFilter": _BALANCE,
    "CurrencyFilter": _CURRENCY,
    "ClassFilter": _ENTITY,
    "EntityFilter": _ENTITY,
    "ModifiedDateRangeFilter": _MODIFIED,
    "TxnDateRangeFilter": _TXN_DATE,
    "RefNumberFilter": _REF_NUMBER,
    "RefNumberRangeFilter": _REF_NUMBER_RANGE,
    "DeletedDateRangeFilter": _DELETED,
}

_LIST_FILTER = """
    MaxReturned?:count ActiveStatus?:ActiveOnly/InactiveOnly/All FromModifiedDate?:datetime ToModifiedDate?:datetime
    (NameFilter:NameFilter | NameRangeFilter:NameRangeFilter)?
"""
_ENTITY_FILTER = """
    TotalBalanceFilter?:TotalBalanceFilter CurrencyFilter?:CurrencyFilter ClassFilter?:ClassFilter
"""


def _list_query(more_filters: str = "", owner: bool = False) -> Group:
    """The shape of a query for a list: customers, items, terms."""
    owners = "OwnerID*:guid" if owner else ""
    return shape(
        f"(ListID+:id | FullName+ | {_LIST_FILTER} {more_filters})? IncludeRetElement*:50 {owners}",
        _FILTERS,
    )


def _query(more_filters: str = "", *, iterator: bool = False) -> RequestShape:
    return RequestShape(_list_query(more_filters, owner=iterator), metadata=True, iterator=iterator)


def _transaction_query(more_filters: str = "", *, links: bool = True) -> RequestShape:
    """The shape of a query for transactions.

    Without TxnDateRangeFilter's DateMacro (this company keeps no fiscal year to count by), without AccountFilter (nor
    accounts that amounts are posted to).
    """
    linked = "IncludeLinkedTxns?:bool" if links else ""
    content = shape(
        f"""
        (TxnID+:id | RefNumber+ | RefNumberCaseSensitive+ |
            MaxReturned?:count
            (ModifiedDateRangeFilter:ModifiedDateRangeFilter | TxnDateRangeFilter:TxnDateRangeFilter)?
            EntityFilter?:EntityFilter
            (RefNumberFilter:RefNumberFilter | RefNumberRangeFilter:RefNumberRangeFilter)?
            CurrencyFilter?:CurrencyFilter {more_filters}
        )?
        IncludeLineItems?:bool {linked} IncludeRetElement*:50 OwnerID*:guid
        """,
        _FILTERS,
    )
    return RequestShape(content, metadata=True, iterator=True)


def _deleted_query(name: str, types: str) -> RequestShape:
    """The shape of a query for what was deleted; it takes no iterator."""
    content = shape(
        f"{name}+:{types} DeletedDateRangeFilter?:DeletedDateRangeFilter IncludeRetElement*:50",
        _FILTERS,
    )
    return RequestShape(content, metadata=True)


_DATA_EXT = shape("OwnerID:guid DataExtName:31 DataExtValue")

_SALES_ORDER_LINE = shape(
    """
    ItemRef?:ref Desc?:4095 Quantity?:quantity UnitOfMeasure?:31
    (Rate:price | RatePercent:percent | PriceLevelRef:ref31)?
    ClassRef?:ref159 Amount?:amount TaxAmount?:amount OptionForPriceRuleConflict?:Zero/BasePrice
    InventorySiteRef?:ref31 InventorySiteLocationRef?:ref31 (SerialNumber?:4095 | LotNumber?:40)?
    SalesTaxCodeRef?:ref3 IsManuallyClosed?:bool Other1?:29 Other2?:29 DataExt*:DataExt
    """,
    {"DataExt": _DATA_EXT},
)

_SALES_ORDER_GROUP = shape(
    """
    ItemGroupRef:ref31 Desc? Quantity?:quantity UnitOfMeasure?:31
    InventorySiteRef?:ref31 InventorySiteLocationRef?:ref31 DataExt*:DataExt
    """,
    {"DataExt": _DATA_EXT},
)

_SALES_ORDER_ADD = shape(
    """
    CustomerRef:ref209 ClassRef?:ref159 TemplateRef?:ref31 TxnDate?:date RefNumber?:11
    BillAddress?:Address ShipAddress?:Address PONumber?:25 TermsRef?:ref31 DueDate?:date SalesRepRef?:ref5 FOB?:13
    ShipDate?:date ShipMethodRef?:ref15 ItemSalesTaxRef?:ref31 IsManuallyClosed?:bool Memo?:4095
    CustomerMsgRef?:ref101 IsToBePrinted?:bool IsToBeEmailed?:bool IsTaxIncluded?:bool
    CustomerSalesTaxCodeRef?:ref3 Other?:29 ExchangeRate?:float ExternalGUID?:guid
    (SalesOrderLineAdd:Line | SalesOrderLineGroupAdd:LineGroup)+
    """,
    {"Address": ADDRESS, "Line": _SALES_ORDER_LINE, "LineGroup": _SALES_ORDER_GROUP},
)

_CUSTOMER_FIELDS = """
    CompanyName?:41 Salutation?:15 FirstName?:25 MiddleName?:5 LastName?:25 Suffix? JobTitle?:41
    BillAddress?:Address ShipAddress?:Address PrintAs?:41
    Phone?:21 Mobile?:21 Pager?:21 AltPhone?:21 Fax?:21 Email?:1023 Cc?:1023 Contact?:41 AltContact?:41
    CustomerTypeRef?:ref159 TermsRef?:ref31 SalesRepRef?:ref5
"""
_CUSTOMER_REST = """
    SalesTaxCodeRef?:ref3 ResaleNumber?:15 AccountNumber?:99 CreditLimit?:amount
    JobStatus?:Awarded/Closed/InProgress/None/NotAwarded/Pending Notes?:4095
"""

_CUSTOMER_ADD = shape(
    f"Name:41 IsActive?:bool ParentRef?:ref {_CUSTOMER_FIELDS}"
    f" OpenBalance?:amount OpenBalanceDate?:date {_CUSTOMER_REST}",
    {"Address": ADDRESS},
)

_CUSTOMER_MOD = shape(
    f"ListID:id EditSequence:16 Name?:41 IsActive?:bool {_CUSTOMER_FIELDS} {_CUSTOMER_REST}",
    {"Address": ADDRESS},
)

_DATA_EXT_ADD = shape(
    """
    OwnerID:guid DataExtName:31
    (   ListDataExtType:Customer/Employee/Item/OtherName/Vendor ListObjRef:ref159
      | TxnDataExtType:CreditMemo/Invoice/SalesOrder/SalesReceipt TxnID:id
      | OtherDataExtType:=Company )
    DataExtValue
    """
)


REQUESTS: Mapping[str, RequestShape] = {
    "HostQueryRq": RequestShape(shape("IncludeRetElement*:50")),
    "CompanyQueryRq": RequestShape(shape("IncludeRetElement*:50 OwnerID*:guid")),
    "PreferencesQueryRq": RequestShape(shape("IncludeRetElement*:50")),
    "CustomerQueryRq": _query(_ENTITY_FILTER, iterator=True),
    "VendorQueryRq": _query(_ENTITY_FILTER, iterator=True),
    "ItemQueryRq": _query(iterator=True),
    "SalesRepQueryRq": _query(),
    "TermsQueryRq": _query(),
    "StandardTermsQueryRq": _query(),
    "DateDrivenTermsQueryRq": _query(),
    "CustomerTypeQueryRq": _query(),
    "UnitOfMeasureSetQueryRq": _query(),
    "PriceLevelQueryRq": _query("ItemRef?:ref CurrencyFilter?:CurrencyFilter"),
    "SalesOrderQueryRq": _transaction_query(),
    "InvoiceQueryRq": _transaction_query("PaidStatus?:All/PaidOnly/NotPaidOnly"),
    "CreditMemoQueryRq": _transaction_query(),
    "SalesReceiptQueryRq": _transaction_query(links=False),
    "TxnDeletedQueryRq": _deleted_query("TxnDelType", TXN_DEL_TYPES),
    "ListDeletedQueryRq": _deleted_query("ListDelType", LIST_DEL_TYPES),
    "SalesOrderAddRq": RequestShape(
        shape("SalesOrderAdd@defMacro:Order IncludeRetElement*:50", {"Order": _SALES_ORDER_ADD})
    ),
    "CustomerAddRq": RequestShape(shape("CustomerAdd:Customer IncludeRetElement*:50", {"Customer": _CUSTOMER_ADD})),
    "CustomerModRq": RequestShape(shape("CustomerMod:Customer IncludeRetElement*:50", {"Customer": _CUSTOMER_MOD})),
    "DataExtAddRq": RequestShape(shape("DataExtAdd:DataExt", {"DataExt": _DATA_EXT_ADD})),
}
