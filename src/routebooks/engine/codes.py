"""A code that stands in a file and not in detail.fil is a rejected code, with its cure. The file goes all the same."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from routebooks.engine.context import Context
from routebooks.engine.files import from_parquet
from routebooks.errors import Problem
from routebooks.records import Layout, Rejected
from routebooks.store import deliveries, flows, rejected
from routebooks.store.database import Tx
from routebooks.store.flows import Flow
from routebooks.store.runs import Run

#: the layout that holds the codes, and its columns for the kind and the code
DETAIL, KIND, CODE = "detail", "Detail #", "Code"


def check(ctx: Context, tx: Tx, run: Run, flow: Flow, layout: Layout, rows: pa.Table, now: datetime) -> None:
    """List the codes of a file that detail.fil, as it was last delivered, does not explain."""
    coded = [column for column in layout.columns if column.detail]
    detail = next((each for each in flows.flows_of(tx, flow.company_id) if each.target == DETAIL), None)
    last = deliveries.last_delivered(tx, detail.id) if detail else None
    if not coded or detail is None or last is None or last.rows_id is None:
        return
    known = from_parquet(ctx.artifacts.get(tx, last.rows_id))
    pairs = set(zip(map(str, known[KIND].to_pylist()), known[CODE].to_pylist(), strict=True))
    missing = [
        _missing(column.name, column.detail, code)
        for column in coded
        for code in sorted({value for value in rows[column.name].to_pylist() if value not in (None, "")}, key=str)
        if (column.detail, str(code)) not in pairs
    ]
    rejected.keep_rejected(
        tx, company_id=run.company_id, flow_id=flow.id, run_id=run.id, stream="codes", records=missing, now=now
    )
    rejected.resolve(tx, flow.id, "codes", now, not_in_run=run.id)


def _missing(column: str, kind: str, code: object) -> Rejected:
    return Rejected(
        f"{kind}/{code}",
        Problem(
            "code-unknown",
            f"{column} holds the code {code}, which detail.fil does not list under {kind}.",
            "Add the code where the detail flow reads it (a list in QuickBooks, or a custom field), or correct it.",
        ),
    )
