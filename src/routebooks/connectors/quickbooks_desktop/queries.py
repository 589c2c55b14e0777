"""What is asked of QuickBooks Desktop for each stream, and which elements its records are: one row a stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from routebooks.connectors.quickbooks_desktop import list_fields, qbxml, transaction_fields
from routebooks.connectors.quickbooks_desktop.columns import ListField
from routebooks.connectors.quickbooks_desktop.lined import NUMBER, Lines
from routebooks.records import Stream


@dataclass(frozen=True, kw_only=True)
class Query:
    """How to ask for a stream, which elements its records are, and which fields it has."""

    #: its name less the "Rq"
    name: str
    records: tuple[str, ...]
    fields: tuple[ListField, ...]
    #: the lines of a record, where it has any: then it is one row a line
    lines: Lines | None = None
    key: str = "ListID"
    #: the field that a person knows a record by
    label: str = "FullName"
    modified: str = "TimeModified"
    #: the query takes an iterator; SalesRepQuery does not, and then the answer is whole
    paged: bool = True
    #: the query takes an OwnerID, which is what brings custom fields
    custom_fields: bool = True
    #: what is always asked for, before the filter by time and behind it. Without ActiveStatus All the inactive records
    #: would be missing.
    before: str = "<ActiveStatus>All</ActiveStatus>"
    after: str = ""
    #: the instant that is filtered by, and the element around the filter; lists have none
    time: str = "Modified"
    time_filter: str = ""
    #: can be cut into slices by name
    by_name: bool = True

    @property
    def response(self) -> str:
        """The name of the response element."""
        return f"{self.name}Rs"

    @property
    def nested(self) -> bool:
        """Whether its records stand below one another (customers and jobs), and are named by the whole way down."""
        return any(field.name == "ParentRef.ListID" for field in self.fields)

    def stream(self, name: str) -> Stream:
        """What the others know of it."""
        fields = self.lines.all_fields(self.fields) if self.lines else self.fields
        line = NUMBER.name if self.lines else None
        return Stream(name=name, fields=fields, key=self.key, label=self.label, modified=self.modified, line=line)


def _small(query: str, record: str, fields: tuple[ListField, ...], label: str, lines: Lines | None = None) -> Query:
    """A list that comes whole in one answer."""
    return Query(
        name=query, records=(record,), fields=fields, lines=lines, label=label, paged=False, custom_fields=False
    )


def _transactions(name: str, fields: tuple[ListField, ...]) -> Query:
    """Transactions with their lines."""
    return Query(
        name=f"{name}Query",
        records=(f"{name}Ret",),
        fields=fields,
        lines=transaction_fields.lines_of(name),
        key="TxnID",
        label="RefNumber",
        before="",
        after="<IncludeLineItems>true</IncludeLineItems>",
        time_filter="ModifiedDateRangeFilter",
        by_name=False,
    )


def _deleted(what: str, kinds: tuple[str, ...], fields: tuple[ListField, ...], key: str, label: str) -> Query:
    """What was deleted of these kinds, as far back as QuickBooks remembers."""
    return Query(
        name=f"{what}DeletedQuery",
        records=(f"{what}DeletedRet",),
        fields=fields,
        key=key,
        label=label,
        modified="TimeDeleted",
        paged=False,
        custom_fields=False,
        before="".join(qbxml.leaf(f"{what}DelType", kind) for kind in kinds),
        time="Deleted",
        time_filter="DeletedDateRangeFilter",
        by_name=False,
    )


QUERIES: Mapping[str, Query] = {
    "customers": Query(name="CustomerQuery", records=("CustomerRet",), fields=list_fields.CUSTOMERS),
    "items": Query(
        name="ItemQuery",
        records=tuple(f"{kind}Ret" for kind in list_fields.ITEM_KINDS),
        fields=list_fields.ITEMS,
    ),
    "vendors": Query(name="VendorQuery", records=("VendorRet",), fields=list_fields.VENDORS, label="Name"),
    "sales_reps": _small("SalesRepQuery", "SalesRepRet", list_fields.SALES_REPS, "Initial"),
    "terms": Query(
        name="TermsQuery",
        records=("StandardTermsRet", "DateDrivenTermsRet"),
        fields=list_fields.TERMS,
        label="Name",
        paged=False,
        custom_fields=False,
    ),
    "customer_types": _small("CustomerTypeQuery", "CustomerTypeRet", list_fields.CUSTOMER_TYPES, "FullName"),
    "units_of_measure": _small(
        "UnitOfMeasureSetQuery", "UnitOfMeasureSetRet", list_fields.UNIT_SETS, "Name", list_fields.UNITS
    ),
    "price_levels": _small(
        "PriceLevelQuery", "PriceLevelRet", list_fields.PRICE_LEVELS, "Name", list_fields.LEVEL_PRICES
    ),
    "invoices": _transactions("Invoice", transaction_fields.INVOICES),
    "credit_memos": _transactions("CreditMemo", transaction_fields.CREDIT_MEMOS),
    "sales_receipts": _transactions("SalesReceipt", transaction_fields.SALES_RECEIPTS),
    "open_invoices": Query(
        name="InvoiceQuery",
        records=("InvoiceRet",),
        fields=transaction_fields.OPEN_INVOICES,
        key="TxnID",
        label="RefNumber",
        custom_fields=False,
        before="",
        after="<PaidStatus>NotPaidOnly</PaidStatus><IncludeLineItems>false</IncludeLineItems>"
        + "".join(
            qbxml.leaf("IncludeRetElement", name)
            for name in dict.fromkeys(field.name.partition(".")[0] for field in transaction_fields.OPEN_INVOICES)
        ),
        time_filter="ModifiedDateRangeFilter",
        by_name=False,
    ),
    "deleted_transactions": _deleted(
        "Txn",
        ("Invoice", "CreditMemo", "SalesReceipt"),
        transaction_fields.DELETED_TRANSACTIONS,
        "TxnID",
        "RefNumber",
    ),
    "deleted_items_and_customers": _deleted(
        "List", ("Customer", *list_fields.ITEM_KINDS), list_fields.DELETED_FROM_LISTS, "ListID", "FullName"
    ),
}
