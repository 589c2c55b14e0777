"""A code that stands in a file and not in detail.fil is a rejected code, with its cure. The file goes all the same."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from routebooks.engine.context import Context
from routebooks.errors import Problem
from routebooks.records import Layout, Rejected
from routebooks.rows import Rows, Scratch
from routebooks.store import deliveries, flows, rejected
from routebooks.store.database import Tx
from routebooks.store.flows import Flow
from routebooks.store.runs import Run

#: the layout that holds the codes, and its columns for the kind and the code
DETAIL, KIND, CODE = "detail", "Detail #", "Code"


def check(ctx: Context, tx: Tx, run: Run, flow: Flow, layout: Layout, rows: Rows, now: datetime) -> None:
    """List the codes of a file that detail.fil, as it was last delivered, does not explain."""
    coded = [column for column in layout.columns if column.detail]
    detail = next((each for each in flows.flows_of(tx, flow.company_id) if each.target == DETAIL), None)
    last = deliveries.last_delivered(tx, detail.id) if detail else None
    if not coded or detail is None or last is None or last.rows_id is None:
        return
    with Scratch() as scratch:
        known = Rows.of_parquet(ctx.artifacts.copy(tx, last.rows_id, scratch.file())).table([KIND, CODE])
    pairs = set(zip(map(str, known[KIND].to_pylist()), known[CODE].to_pylist(), strict=True))
    missing = [
        _missing(column.name, column.detail, code)
        for column in coded
        for code in sorted(_values(rows, column.name), key=str)
        if (column.detail, str(code)) not in pairs
    ]
    rejected.keep_rejected(
        tx, company_id=run.company_id, flow_id=flow.id, run_id=run.id, stream="codes", records=missing, now=now
    )
    rejected.resolve(tx, flow.id, "codes", now, not_in_run=run.id)


def _values(rows: Rows, column: str) -> set[Any]:
    found = {value for batch in rows.batches([column]) for value in batch[column].unique().to_pylist()}
    return found - {None, ""}


def _missing(column: str, kind: str, code: object) -> Rejected:
    return Rejected(
        f"{kind}/{code}",
        Problem(
            "code-unknown",
            f"{column} holds the code {code}, which detail.fil does not list under {kind}.",
            "Add the code where the detail flow reads it (a list in QuickBooks, or a custom field), or correct it.",
        ),
    )
