"""file: what was made and delivered, byte for byte."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from routebooks.cli import deliver, find, watch
from routebooks.cli.output import facts, heading, output, say, table
from routebooks.cli.params import Force, Json, Limit, OnlyCompany, examples
from routebooks.cli.state import ACTOR, CliState, state_of
from routebooks.cli.views import View, zones
from routebooks.cli.words import instant
from routebooks.connectors.base import FileTarget
from routebooks.engine import deliver as engine
from routebooks.errors import ConfigError
from routebooks.store import deliveries as store
from routebooks.store import flows
from routebooks.store.deliveries import DeliveryLine

app = typer.Typer()

DeliveryId = Annotated[int, typer.Argument(metavar="ID", help="Number of the file, from `routebooks file list`.")]


def _view(line: DeliveryLine) -> View:
    delivery = line.delivery
    return {
        "id": delivery.id,
        "company": line.company,
        "flow": line.flow,
        "run": delivery.run_id,
        "layout": delivery.layout,
        "address": delivery.address,
        "records": delivery.records,
        "state": delivery.state,
        "problem": delivery.problem,
        "made_at": delivery.made_at,
        "delivered_at": delivery.delivered_at,
    }


@app.command("list", epilog=examples("file list", "file list --company Harbor --json"))
def list_(ctx: typer.Context, company: OnlyCompany = None, limit: Limit = 50, as_json: Json = False) -> None:
    """List the files and where they lie, the newest first."""
    with state_of(ctx).context.store.read() as tx:
        company_id = find.company_id(tx, company)
        views = [_view(each) for each in store.list_deliveries(tx, company_id=company_id, limit=limit)]
        clocks = zones(tx)
    columns = ("file", "company", "flow", "run", "records", "state", "delivered", "address", "why it is held")
    rows = [_row(view, clocks[view["company"]]) for view in views]
    output(views, as_json, table(columns, rows, "No file yet.", wrap=columns[-2:]))


def _row(view: View, zone: str) -> tuple[object, ...]:
    which = view["id"], view["company"], view["flow"], view["run"]
    where = instant(view["delivered_at"], zone), view["address"], (view["problem"] or {}).get("message", "")
    return *which, view["records"], view["state"], *where


@app.command(epilog=examples("file get 7 --out customer.fil", "file get 7 > customer.fil"))
def get(
    ctx: typer.Context,
    delivery_id: DeliveryId,
    out: Annotated[Path | None, typer.Option(help="Where to write it; else standard output.")] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Get the exact bytes of a file as they were delivered."""
    if as_json and out is None:
        raise ConfigError(
            "Standard output cannot hold the file and JSON.", hint="Name a file with --out.", code="output-not-one"
        )
    context = state_of(ctx).context
    with context.store.read() as tx:
        line = find.delivery(tx, delivery_id)
        data = context.artifacts.get(tx, line.delivery.artifact_id)
    if out is None:
        stream = typer.get_binary_stream("stdout")
        stream.write(data)
        stream.flush()
        return
    deliver.write(out, data, force=force)
    view = _view(line) | {"file": str(out), "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    output(view, as_json, facts([("file", out), ("bytes", len(data)), ("records", line.delivery.records)]))


@app.command(epilog=examples("file release 7"))
def release(ctx: typer.Context, delivery_id: DeliveryId, as_json: Json = False) -> None:
    """Send a file that was held back. Look first whether what it holds is right."""
    state = state_of(ctx)
    with state.context.store.begin() as tx:
        run_id = engine.release(tx, delivery_id, ACTOR, state.context.now())
    _show_run(state, delivery_id, run_id, as_json)


@app.command(epilog=examples("file resend 7"))
def resend(ctx: typer.Context, delivery_id: DeliveryId, as_json: Json = False) -> None:
    """Send a file again, byte for byte as it was."""
    state = state_of(ctx)
    with state.context.store.begin() as tx:
        run_id = engine.resend(tx, delivery_id, ACTOR, state.context.now())
    _show_run(state, delivery_id, run_id, as_json)


def _show_run(state: CliState, delivery_id: int, run_id: int, as_json: bool) -> None:
    output({"file": delivery_id, "run": run_id}, as_json, facts([("file", delivery_id), ("goes with run", run_id)]))
    watch.say_who_works(state)
    say(f"To follow: `routebooks run watch {run_id}`.")


@app.command(epilog=examples("file show 7", "file show 7 --lines 1 --json"))
def show(
    ctx: typer.Context,
    delivery_id: DeliveryId,
    lines: Annotated[int, typer.Option(min=0, help="How many records to show.")] = 5,
    as_json: Json = False,
) -> None:
    """Show the first records of a file by the names of their columns."""
    context = state_of(ctx).context
    with context.store.read() as tx:
        line = find.delivery(tx, delivery_id)
        data = context.artifacts.get(tx, line.delivery.artifact_id)
        connection = context.connection(tx, flows.flow(tx, line.delivery.flow_id).target_id)
        zone = zones(tx)[line.company]
    names, rows = context.able(connection.connector, FileTarget).decode(connection, line.delivery.layout, data)
    first = rows[:lines]
    view = _view(line) | {"columns": names, "rows": [dict(zip(names, row, strict=False)) for row in first]}
    columns = ("column", *(str(number) for number in range(1, len(first) + 1)))
    cells = [(name, *(row[at] if at < len(row) else "" for row in first)) for at, name in enumerate(names)]
    times = [("delivered", instant(view["delivered_at"], zone))]
    shown = [(name, view[name]) for name in ("id", "company", "flow", "run", "address", "records", "state")]
    output(view, as_json, facts([*shown, *times]), heading("Records"), table(columns, cells, "", wrap=columns[1:]))
    if len(rows) > len(first) and not as_json:
        say(f"{len(rows) - len(first)} more; --lines shows as many as you like.")
