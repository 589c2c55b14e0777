"""The streams of QuickBooks Desktop: which fields they have, what is asked for, what an answer says.

A stream of a list is one row of STREAMS and one table of fields. A field is named by its path in qbXML with dots for
levels (`BillAddress.City`), so that a name in a map is a name in QuickBooks' own reference. Everything else is general.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from routebooks.connectors.base import Outcome, Page
from routebooks.connectors.quickbooks_desktop import qbxml, status_codes
from routebooks.connectors.quickbooks_desktop.columns import OWN_NAME, Columns, ListField, latest
from routebooks.connectors.quickbooks_desktop.fields import (
    LIST_CORE,
    address,
    day,
    flag,
    integer,
    money,
    number,
    ref,
    text,
)
from routebooks.errors import ConfigError, Problem, RoutebooksError
from routebooks.records import Extract, Stream

#: Customers and their jobs (CustomerRet). A job is a customer below another: ParentRef says which.
# CreditCardInfo is left out on purpose: what is never read cannot leak.
CUSTOMERS: tuple[ListField, ...] = (
    *LIST_CORE,
    text("Name", 41),
    text("FullName", 209),
    flag("IsActive"),
    *ref("ClassRef", 159),
    *ref("ParentRef", 209),
    integer("Sublevel"),
    text("CompanyName", 41),
    text("Salutation", 15),
    text("FirstName", 25),
    text("MiddleName", 5),
    text("LastName", 25),
    text("JobTitle", 41),
    *address("BillAddress"),
    *address("ShipAddress"),
    text("PrintAs", 41),
    text("Phone", 21),
    text("Mobile", 21),
    text("Pager", 21),
    text("AltPhone", 21),
    text("Fax", 21),
    text("Email", 1023),
    text("Cc", 1023),
    text("Contact", 41),
    text("AltContact", 41),
    *ref("CustomerTypeRef", 159),
    *ref("TermsRef", 31),
    *ref("SalesRepRef", 5),  # the FullName of a sales rep is the initials
    money("Balance"),
    money("TotalBalance"),  # with the jobs below
    *ref("SalesTaxCodeRef", 3),
    *ref("ItemSalesTaxRef", 31),
    text("ResaleNumber", 15),
    text("AccountNumber", 99),
    money("CreditLimit"),
    *ref("PreferredPaymentMethodRef", 31),
    text("JobStatus"),
    day("JobStartDate"),
    day("JobProjectedEndDate"),
    day("JobEndDate"),
    text("JobDesc", 99),
    *ref("JobTypeRef", 159),
    text("Notes", 4095),
    text("PreferredDeliveryMethod"),
    *ref("PriceLevelRef", 31),
    text("TaxRegistrationNumber", 30),
    *ref("CurrencyRef", 64),
)

#: Items of all twelve kinds in one stream. The kinds differ in shape; one name brings together what means the same:
#: `SalesOrPurchase` stands in items that are only sold or only bought, `SalesAndPurchase` in those that are both.
ITEMS: tuple[ListField, ...] = (
    text("Kind", None, OWN_NAME),  # ItemInventory, ItemService, ItemGroup ...
    *LIST_CORE,
    text("Name", 31),
    text("FullName", 159, otherwise="Name"),  # six kinds have no levels and thus no FullName
    flag("IsActive"),
    *ref("ClassRef", 159),
    *ref("ParentRef", 159),
    integer("Sublevel"),
    text("BarCodeValue", 50),
    text("ManufacturerPartNumber", 31),
    *ref("UnitOfMeasureSetRef", 31),
    text("Description", 4095, "SalesDesc", "SalesOrPurchase/Desc", "SalesAndPurchase/SalesDesc", "ItemDesc"),
    number("Price", "SalesPrice", "SalesOrPurchase/Price", "SalesAndPurchase/SalesPrice"),
    number("PricePercent", "SalesOrPurchase/PricePercent"),
    text("PurchaseDescription", 4095, "PurchaseDesc", "SalesAndPurchase/PurchaseDesc"),
    number("Cost", "PurchaseCost", "SalesAndPurchase/PurchaseCost"),
    *ref("PrefVendorRef", 41, "PrefVendorRef", "SalesAndPurchase/PrefVendorRef"),
    # The account of an item that is only bought is an expense account; AccountRef alone is a discount's.
    *ref(
        "IncomeAccountRef",
        159,
        "IncomeAccountRef",
        "SalesOrPurchase/AccountRef",
        "SalesAndPurchase/IncomeAccountRef",
        "AccountRef",
    ),
    *ref("COGSAccountRef", 159),
    *ref("AssetAccountRef", 159),
    number("QuantityOnHand"),
    number("AverageCost"),
    number("QuantityOnOrder"),
    number("QuantityOnSalesOrder"),
    number("ReorderPoint", "ReorderPoint", "BuildPoint"),  # an assembly is built, not ordered
    *ref("SalesTaxCodeRef", 3),
    number("DiscountRate"),
    number("DiscountRatePercent"),
    number("TaxRate"),
)

_ITEM_KINDS = (
    *("Service", "NonInventory", "OtherCharge", "Inventory", "InventoryAssembly", "FixedAsset"),
    *("Subtotal", "Discount", "Payment", "SalesTax", "SalesTaxGroup", "Group"),
)


@dataclass(frozen=True, kw_only=True)
class ListStream:
    """A list of QuickBooks: how to ask for it, and which elements its records are."""

    query: str
    records: tuple[str, ...]
    fields: tuple[ListField, ...]
    #: the field that a person knows a record by
    label: str = "FullName"
    #: the query takes an iterator; SalesRepQuery does not, and then the answer is whole
    paged: bool = True
    #: the query takes an OwnerID, which is what brings custom fields
    custom_fields: bool = True

    @property
    def response(self) -> str:
        """The name of the response element."""
        return f"{self.query}Rs"


LISTS: Mapping[str, ListStream] = {
    "customers": ListStream(query="CustomerQuery", records=("CustomerRet",), fields=CUSTOMERS),
    "items": ListStream(query="ItemQuery", records=tuple(f"Item{kind}Ret" for kind in _ITEM_KINDS), fields=ITEMS),
}

STREAMS: Mapping[str, Stream] = {
    name: Stream(name=name, fields=source.fields, key="ListID", label=source.label, modified="TimeModified")
    for name, source in LISTS.items()
}

#: Records in one chunk of the table; fewer only in the last, more only when a single page has more.
_CHUNK = 10_000


def source_of(stream: str) -> ListStream:
    """The row of a stream. Raises ConfigError when there is none of this name."""
    if stream not in LISTS:
        raise ConfigError(
            f"QuickBooks Desktop has no stream {stream!r}.", hint=f"Use one of {', '.join(LISTS)}.", code="no-stream"
        )
    return LISTS[stream]


def page_request(version: str, extract: Extract, iterator_id: str = "") -> bytes:
    """The request for the first page, or with the iteratorID of an answer for the next; the filters are the same.

    Elements in the order of the schema (reference/quickbooks-desktop.md, Query request order). Without ActiveStatus
    All the inactive records would be missing.
    """
    source = source_of(extract.stream)
    paging = qbxml.attribute("iterator", "Continue" if iterator_id else "Start") if source.paged else ""
    paging += qbxml.attribute("iteratorID", iterator_id) if iterator_id else ""
    body = qbxml.leaf("MaxReturned", str(max(1, extract.page_size))) if source.paged else ""
    body += "<ActiveStatus>All</ActiveStatus>"
    if extract.modified_since:
        body += qbxml.leaf("FromModifiedDate", qbxml.instant(extract.modified_since))
    if extract.name_range and any(extract.name_range):
        names = zip(("FromName", "ToName"), extract.name_range, strict=True)
        body += f"<NameRangeFilter>{''.join(qbxml.leaf(tag, name) for tag, name in names if name)}</NameRangeFilter>"
    if source.custom_fields:
        body += "<OwnerID>0</OwnerID>"
    query = f'<{source.query}Rq requestID="{extract.stream}"{paging}>{body}</{source.query}Rq>'
    return qbxml.request(version, query)


def read_page(version: str, extract: Extract, answer: bytes) -> Page:
    """What an answer says of itself, checked to be whole. A broken page is RETRY: the extract starts anew."""
    try:
        source = source_of(extract.stream)
        head = qbxml.read_head(answer, source.response, source.records)
        outcome, problem = status_codes.problem(head.status, head.severity, head.message)
        if outcome not in (Outcome.OK, Outcome.PARTIAL):
            return Page(outcome, problem=None if outcome is Outcome.EMPTY else problem)
        if (broken := _incomplete(head)) is not None:
            return Page(Outcome.RETRY, problem=broken)
        more = page_request(version, extract, head.iterator_id) if head.remaining else None
        return Page(outcome, head.found, more, problem if outcome is Outcome.PARTIAL else None)
    except RoutebooksError as error:
        return Page(Outcome.RETRY, problem=error.problem)


def _incomplete(head: qbxml.Head) -> Problem | None:
    """Why a page cannot be the whole truth, if it cannot."""
    if head.announced is not None and head.announced != head.found:
        reason = f"it announces {head.announced} records and holds {head.found}"
    elif head.remaining and not head.iterator_id:
        reason = f"{head.remaining} records remain and it does not say how to go on"
    elif head.remaining and not head.found:
        reason = f"it holds no record although {head.remaining} remain"
    else:
        return None
    return Problem("qb-broken-page", f"A page of QuickBooks is not whole: {reason}.", "The extract starts anew.")


def parse(stream: str, pages: Iterable[bytes]) -> pa.Table:
    """The records of all pages: each key once, in order of first sight, as seen last; custom fields at the end.

    Values that cannot be read are null; how many of which field stands in the table's metadata under `unreadable`
    (JSON). Raises FatalError when a page is not an answer to this stream's query.
    """
    source = source_of(stream)
    columns = Columns(source.fields)
    chunks: list[pa.Table] = []
    for page in pages:
        qbxml.read(page, source.response, source.records, columns.add)
        if columns.size >= _CHUNK:
            chunks.append(columns.take())
    chunks.append(columns.take())
    table = latest(pa.concat_tables(chunks, promote_options="default"), STREAMS[stream].key)
    if columns.unreadable:
        table = table.replace_schema_metadata({"unreadable": json.dumps(columns.unreadable)})
    return table
