"""What the demo shows at its end: flows, files, orders, rejected records, and what to try next."""

from __future__ import annotations

import os
from decimal import Decimal
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from routebooks.cli.output import heading, table
from routebooks.cli.params import PROGRAM
from routebooks.cli.words import quoted
from routebooks.connectors.base import FileTarget
from routebooks.demo import Demo
from routebooks.engine.context import Context
from routebooks.store import companies, deliveries, rejected, runs
from routebooks.store.database import Tx

#: records of each file that are shown
_LINES = 2


def collect(demo: Demo, *, kept: bool) -> dict[str, Any]:
    """Everything as plain data, as --json prints it. Of a demo whose folder is not kept no path is told."""
    program, home = os.environ.get("ROUTEBOOKS_PROGRAM", PROGRAM), str(demo.settings.home)
    look = f"--home {quoted(home)} rejected list" if kept else "demo --keep"
    with demo.ctx.store.read() as tx:
        return {
            "home": home if kept else None,
            "flows": [_flow(line) for line in reversed(runs.list_runs(tx))],
            "files": [_file(demo, tx, line, kept) for line in reversed(deliveries.list_deliveries(tx))],
            "orders": [_order(order) for order in demo.world.company.sales_orders()],
            "rejected": [_rejected(line) for line in reversed(rejected.list_rejected(tx))],
            "next": f"{program} {look}",
        }


def _flow(line: runs.RunLine) -> dict[str, Any]:
    run = line.run
    ended = run.finished_at or run.created_at
    return {
        "flow": line.flow,
        "state": run.state.value,
        "read": run.records_read,
        "written": run.records_written,
        "rejected": run.records_rejected,
        "left_out": run.records_left_out,
        "seconds": round((ended - run.created_at).total_seconds(), 1),
    }


def _file(demo: Demo, tx: Tx, line: deliveries.DeliveryLine, kept: bool) -> dict[str, Any]:
    found = line.delivery
    names, rows = _decoded(demo.ctx, tx, demo.company_id, found)
    folder, _, name = found.address.rpartition("/")
    first = [{column: value for column, value in zip(names, row, strict=True) if value != ""} for row in rows[:_LINES]]
    return {
        "name": name,
        "address": found.address,
        "path": str(demo.world.ftp_root / folder.rpartition("/")[2] / name) if kept else None,
        "records": found.records,
        "first": first,
    }


def _decoded(
    ctx: Context, tx: Tx, company_id: int, found: deliveries.Delivery
) -> tuple[tuple[str, ...], list[list[str]]]:
    row = companies.connection_named(tx, company_id, "files")
    if row is None:
        return (), []
    connection = ctx.connection(tx, row.id)
    files = ctx.able(connection.connector, FileTarget)
    return files.decode(connection, found.layout, ctx.artifacts.get(tx, found.artifact_id))


def _order(order: dict[str, Any]) -> dict[str, Any]:
    return {
        "number": order["RefNumber"],
        "order": order.get("Other", ""),
        "customer": order["CustomerRef"]["FullName"],
        "lines": len(order["Lines"]),
        "total": str(Decimal(order["TotalAmount"])),
    }


def _rejected(line: rejected.RejectedLine) -> dict[str, Any]:
    row = line.rejected
    return {"id": row.id, "flow": line.flow, "key": row.key, "reason": row.message, "cure": row.hint}


def shown(report: dict[str, Any]) -> list[RenderableType]:
    """The same for a person's eyes."""
    flows = ("flow", "state", "read", "written", "rejected", "left out", "seconds")
    parts: list[RenderableType] = [
        heading("Flows"),
        table(flows, [flow.values() for flow in report["flows"]], "No flow ran."),
    ]
    for file in report["files"]:
        parts.append(
            heading(
                f"{file['path'] or file['name']}: {file['records']} records, the first {len(file['first'])} by column"
            )
        )
        columns = list(dict.fromkeys(column for record in file["first"] for column in record))
        rows = [[column, *(record.get(column, "") for record in file["first"])] for column in columns]
        titles = ("column", *(f"record {number + 1}" for number in range(len(file["first"]))))
        parts.append(table(titles, rows, "No records.", wrap=titles[1:]))
    orders = ("number", "order", "customer", "lines", "total")
    rejected_columns = ("id", "flow", "key", "reason", "cure")
    parts += [
        heading("Sales orders that stand in QuickBooks now"),
        table(orders, [order.values() for order in report["orders"]], "No order was posted."),
        heading("Rejected records (the demo's data holds some on purpose)"),
        table(rejected_columns, [row.values() for row in report["rejected"]], "None.", wrap=rejected_columns[-2:]),
        heading("Try next"),
        Text(f"  {report['next']}"),
    ]
    return parts
