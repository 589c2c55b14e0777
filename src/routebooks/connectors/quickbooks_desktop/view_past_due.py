"""The view customers_with_past_due: each customer with the sum of its open invoices that are overdue.

An open invoice is overdue when its due day is before today. It counts for the customer that it was written to: of a
job for the job, not for the customer above it. A customer without any has 0.00. A pending invoice is owed by nobody
yet, and one without a due day cannot be late.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from routebooks.connectors.base import View
from routebooks.connectors.quickbooks_desktop.arrow import all_of, is_filled, is_one_of, no, places, zeros_for_missing
from routebooks.connectors.quickbooks_desktop.streams import STREAMS
from routebooks.connectors.quickbooks_desktop.view_problems import customer_unknown, set_aside
from routebooks.records import Field, Kind, Rejected, Stream

PAST_DUE = Field(name="PastDue", kind=Kind.DECIMAL, scale=2)

_CUSTOMERS = STREAMS["customers"]
CUSTOMERS_WITH_PAST_DUE = View(
    Stream(
        name="customers_with_past_due",
        fields=(*_CUSTOMERS.fields, PAST_DUE),
        key=_CUSTOMERS.key,
        label=_CUSTOMERS.label,
        modified=_CUSTOMERS.modified,
    ),
    needs=("customers", "open_invoices"),
)


def customers_with_past_due(
    customers: pa.Table, open_invoices: pa.Table, today: date
) -> tuple[pa.Table, tuple[Rejected, ...]]:
    """The customers with PastDue behind their own fields; and the overdue invoices of customers that are not there."""
    before: Any = pc.less(open_invoices["DueDate"], pa.scalar(today, pa.date32()))
    overdue = open_invoices.filter(
        all_of(pc.fill_null(before, False), no(is_one_of(open_invoices["IsPending"], [True])))
    )
    known = is_filled(places(overdue["CustomerRef.ListID"], customers["ListID"]))
    strange = overdue.filter(no(known)).select(
        ["TxnID", "RefNumber", "TxnDate", "DueDate", "CustomerRef.ListID", "CustomerRef.FullName", "BalanceRemaining"]
    )
    rejected = [set_aside(row["TxnID"], [customer_unknown("invoice", row)], row) for row in strange.to_pylist()]
    sums = overdue.filter(known).group_by("CustomerRef.ListID").aggregate([("BalanceRemaining", "sum")])
    found = sums["BalanceRemaining_sum"].take(places(customers["ListID"], sums["CustomerRef.ListID"]))
    place = len(_CUSTOMERS.fields)
    return customers.add_column(place, PAST_DUE.name, zeros_for_missing(found.cast(PAST_DUE.arrow))), tuple(rejected)
