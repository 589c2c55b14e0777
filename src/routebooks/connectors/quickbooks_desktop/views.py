"""Views: named sources made of the snapshots of several streams."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from routebooks.connectors.base import Connection, Setting, View
from routebooks.connectors.quickbooks_desktop.sales_lines import TRANSACTION_FIELDS, transactions
from routebooks.connectors.quickbooks_desktop.streams import STREAMS
from routebooks.errors import ConfigError
from routebooks.records import Field, Kind, Rejected, Stream

PAST_DUE = Field(name="PastDue", kind=Kind.DECIMAL, scale=2)
CODE_FIELDS = (Field(name="Place"), Field(name="DetailKind"), Field(name="Code"), Field(name="Description"))

#: Codes and their kinds, as published for Apprise's Inventiv export (reference/pocketadvantage.md section 1.3).
COMPANY, TEAM, REP, CATEGORY, TYPE, CHAIN, REGION, STATUS, TERMS = (
    "10",
    "11",
    "12",
    "30",
    "31",
    "32",
    "34",
    "40",
    "41",
)

VIEW_SETTINGS: tuple[Setting, ...] = (
    *(
        Setting(
            name=f"{what.lower()}_field",
            help=f"The custom field of customers that holds the {what.lower()}, exactly as QuickBooks calls it.",
            default=what,
        )
        for what in ("Category", "Chain", "Region", "Team")
    ),
    Setting(
        name="status_codes",
        help="The codes of a customer's status in detail.fil, each with what it means, with commas between them.",
        default="Y=Active, N=Inactive",
        assumed=True,
    ),
    *(
        Setting(
            name=f"detail_{what}",
            help=f"The kind (Detail #) of {words} codes in detail.fil; nobody publishes it. Empty: they are left out.",
            default="",
            assumed=True,
        )
        for what, words in (("supplier", "supplier"), ("brand", "brand"), ("product_type", "product type"))
    ),
)

_SALES = ("invoices", "credit_memos", "sales_receipts", "deleted_transactions")

VIEWS: Mapping[str, View] = {
    "customers_with_past_due": View(
        stream=Stream(
            name="customers_with_past_due",
            fields=(*STREAMS["customers"].fields, PAST_DUE),
            key="ListID",
            label="FullName",
            modified="TimeModified",
        ),
        needs=("customers", "open_invoices"),
    ),
    "transactions": View(
        stream=Stream(
            name="transactions",
            fields=TRANSACTION_FIELDS,
            key="TxnID",
            label="RefNumber",
            modified="TimeModified",
            line="LineNumber",
        ),
        needs=(*_SALES, "items", "customers", "units_of_measure"),
        changes=_SALES,
        deletions="deleted_transactions",
        deletions_label="RefNumber",
    ),
    "codes": View(
        stream=Stream(name="codes", fields=CODE_FIELDS, key="Place", label="Place"),
        needs=("customers", "items", "sales_reps", "terms", "customer_types"),
    ),
}


def view(
    connection: Connection, name: str, tables: Mapping[str, pa.Table], today: date
) -> tuple[pa.Table, tuple[Rejected, ...]]:
    """A view by its name. Raises ConfigError when there is none of it."""
    match name:
        case "customers_with_past_due":
            return customers_with_past_due(tables["customers"], tables["open_invoices"], today), ()
        case "transactions":
            return transactions(connection, tables)
        case "codes":
            return codes(connection, tables), ()
    raise ConfigError(f"QuickBooks Desktop has no view {name!r}.", hint=f"Use one of {', '.join(VIEWS)}.")


def customers_with_past_due(customers: pa.Table, open_invoices: pa.Table, today: date) -> pa.Table:
    """The customers with what is overdue of their own invoices: due before today, nothing for those who owe nothing.

    A job has its own; what its jobs owe is not added to the customer above, as Balance does not (TotalBalance does).
    """
    late: Any = pc.less(open_invoices["DueDate"], pa.scalar(today, pa.date32()))
    overdue = pc.fill_null(late, False)
    sums = open_invoices.filter(overdue).group_by("CustomerRef.ListID").aggregate([("BalanceRemaining", "sum")])
    places = pc.index_in(customers["ListID"], value_set=sums["CustomerRef.ListID"].combine_chunks())
    found = pc.take(sums["BalanceRemaining_sum"], places).cast(PAST_DUE.arrow)
    column: Any = pc.fill_null(found, pa.scalar(Decimal("0.00"), PAST_DUE.arrow))
    place = customers.column_names.index(STREAMS["customers"].fields[-1].name) + 1
    return customers.add_column(place, pa.field(PAST_DUE.name, PAST_DUE.arrow), column)


def codes(connection: Connection, tables: Mapping[str, pa.Table]) -> pa.Table:
    """Every code that the other files can hold, with its kind and what it means; complete, whatever filters apply."""
    settings, customers = connection.settings, tables["customers"]
    found: dict[tuple[str, str], str] = {(COMPANY, connection.company.cust_id): connection.company.name}

    def put(kind: str, code: Any, description: Any = None) -> None:
        if kind and code not in (None, ""):
            found[kind, str(code)] = found.get((kind, str(code))) or str(description or "")

    for row in tables["sales_reps"].to_pylist():
        put(REP, row["Initial"], row["SalesRepEntityRef.FullName"])
    for row in tables["terms"].to_pylist():
        put(TERMS, row["Name"])
    for row in tables["customer_types"].to_pylist():
        put(TYPE, row["FullName"] or row["Name"])
    for text in str(settings["status_codes"]).split(","):
        code, _, description = text.partition("=")
        put(STATUS, code.strip(), description.strip())
    custom = ((TEAM, "team_field"), (CATEGORY, "category_field"), (CHAIN, "chain_field"), (REGION, "region_field"))
    sources = [(kind, f"Custom.{settings[setting]}") for kind, setting in custom]
    sources += [(TYPE, "CustomerTypeRef.FullName"), (TERMS, "TermsRef.FullName"), (REP, "SalesRepRef.FullName")]
    sources.append((CHAIN, "ParentRef.FullName"))
    for kind, column in sources:
        for code in _distinct(customers, column):
            put(kind, code)
    items = (("detail_supplier", "PrefVendorRef.FullName"), ("detail_brand", "Custom.Brand"))
    for setting, column in (*items, ("detail_product_type", "Custom.ProductType")):
        for code in _distinct(tables["items"], column):
            put(str(settings[setting]), code)
    rows = [
        {"Place": f"{kind}/{code}", "DetailKind": kind, "Code": code, "Description": description or None}
        for (kind, code), description in sorted(found.items())
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema([(field.name, field.arrow) for field in CODE_FIELDS]))


def _distinct(table: pa.Table, column: str) -> list[Any]:
    if column not in table.column_names:
        return []
    return sorted(value for value in pc.unique(table[column]).to_pylist() if value not in (None, ""))
