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
from routebooks.connectors.quickbooks_desktop.arrow import Mask, all_of, is_one_of, no, places, zeros_for_missing
from routebooks.connectors.quickbooks_desktop.streams import STREAMS
from routebooks.connectors.quickbooks_desktop.view_problems import customer_unknown, set_aside
from routebooks.records import Field, Kind, Rejected, Stream
from routebooks.rows import Rows

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


#: what is told of an overdue invoice whose customer is not there
_SHOWN = ["TxnID", "RefNumber", "TxnDate", "DueDate", "CustomerRef.ListID", "CustomerRef.FullName", "BalanceRemaining"]


def customers_with_past_due(customers: Rows, open_invoices: Rows, today: date) -> tuple[Rows, tuple[Rejected, ...]]:
    """The customers with PastDue behind their own fields; and the overdue invoices of customers that are not there."""
    overdue = open_invoices.matching(lambda batch: _is_overdue(batch, today), [*_SHOWN, "IsPending"])
    sums = overdue.group_by("CustomerRef.ListID").aggregate([("BalanceRemaining", "sum")])
    amounts, owing = sums["BalanceRemaining_sum"].cast(PAST_DUE.arrow), sums["CustomerRef.ListID"]
    # For each customer the place of its sum: those with one are few, so they are the ones that are looked up in.
    place = places(customers.table(["ListID"])["ListID"], owing)
    known = owing.take(pc.drop_null(pc.unique(place))).to_pylist()
    strange = overdue.filter(no(is_one_of(overdue["CustomerRef.ListID"], known))).select(_SHOWN)
    rejected = [set_aside(row["TxnID"], [customer_unknown("invoice", row)], row) for row in strange.to_pylist()]

    def with_past_due(batch: pa.Table, start: int) -> pa.Table:
        found = amounts.take(place.slice(start, batch.num_rows))
        return batch.add_column(len(_CUSTOMERS.fields), PAST_DUE.name, zeros_for_missing(found))

    return customers.each(with_past_due), tuple(rejected)


def _is_overdue(invoices: pa.Table, today: date) -> Mask:
    before: Any = pc.less(invoices["DueDate"], pa.scalar(today, pa.date32()))
    return all_of(pc.fill_null(before, False), no(is_one_of(invoices["IsPending"], [True])))
