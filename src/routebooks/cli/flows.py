"""flow: added, listed, shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from routebooks.cli import find
from routebooks.cli.output import facts, heading, output, say, table
from routebooks.cli.params import CompanyName, FlowName, Json, OnlyCompany, examples
from routebooks.cli.state import ACTOR, state_of
from routebooks.cli.views import View, flow_view, run_view, state_word
from routebooks.cli.words import instant, quoted
from routebooks.engine import flows as engine
from routebooks.store import companies, runs
from routebooks.store import flows as store
from routebooks.store.database import Tx
from routebooks.store.flows import Flow

app = typer.Typer()

_LAST_RUNS = 5


@app.command(
    epilog=examples(
        "flow add Harbor --quickbooks quickbooks --files files",
        "flow add Harbor --quickbooks quickbooks --files files --orders orders",
    )
)
def add(
    ctx: typer.Context,
    company: CompanyName,
    quickbooks: Annotated[str, typer.Option(metavar="NAME", help="The connection to QuickBooks.")],
    files: Annotated[str, typer.Option(metavar="NAME", help="The connection that takes the files.")],
    orders: Annotated[
        str | None, typer.Option(metavar="NAME", help="The connection that orders are read from; adds the way back.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Add the pre-built flows of a company. Those that it has already stay as they are."""
    context = state_of(ctx).context
    roles = {"quickbooks": quickbooks, "files": files} | ({"orders": orders} if orders is not None else {})
    with context.store.read() as tx:
        owner = find.company(tx, company)
        for name in roles.values():
            find.connection(tx, owner, name)
        engine.check_new(context, tx, owner.id, roles)
    with context.store.begin() as tx:
        added = engine.add_all(context, tx, owner.id, roles, ACTOR)
        elsewhere = [_between(tx, flow) for flow in added.elsewhere]
    kept = [flow.name for flow in added.kept]
    data = {"company": owner.name, "added": added.new, "brought_back": added.back, "kept": kept}
    lists = {"added": added.new, "brought back": added.back, "there already": kept}
    output(data, as_json, facts([(word, ", ".join(names)) for word, names in lists.items()]))
    if added.back:
        say("What was removed before is back with its map, its settings and its ledger.")
    for line in elsewhere:
        say(f"{line} already. To have it elsewhere, remove it (`routebooks flow remove`) and add it again.")
    place = quoted(owner.name)
    say(f"Next: `routebooks flow schedule {place} night --at 02:00` or now: `routebooks flow run {place} night`.")
    if orders is not None:
        say(f"Orders come back by `routebooks flow schedule {place} orders --every 15`.")


def _between(tx: Tx, flow: Flow) -> str:
    source, target = (companies.connection(tx, each).name for each in (flow.source_id, flow.target_id))
    return f"{flow.name} goes from {source} to {target}"


@app.command("list", epilog=examples("flow list", "flow list --company Harbor --json"))
def list_(ctx: typer.Context, company: OnlyCompany = None, as_json: Json = False) -> None:
    """List the flows, their schedules and how the last run ended."""
    context = state_of(ctx).context
    with context.store.read() as tx:
        rows = store.flows_of(tx, find.company_id(tx, company))
        owners = {row.id: row for row in companies.all_companies(tx)}
        views = [flow_view(context, tx, row, owners[row.company_id]) for row in rows]
    zones = {row.name: row.time_zone for row in owners.values()}
    shown = table(
        ("company", "flow", "from -> to", "schedule", "state", "run", "last good run", "needs"),
        [_row(view, zones[view["company"]]) for view in views],
        "No flow yet: `routebooks flow add` makes them.",
        wrap=("needs",),
    )
    output(views, as_json, shown)


def _row(view: View, zone: str) -> tuple[object, ...]:
    return (
        view["company"],
        view["name"],
        f"{view['from']} -> {view['to']}",
        view["schedule_in_words"] + ("" if view["enabled"] else " (off)"),
        view["state"],
        view["last_run"]["id"] if view["last_run"] else None,
        instant(view["last_good_run_at"], zone) or "never",
        view["needs"],
    )


@app.command(epilog=examples("flow show Harbor customers"))
def show(ctx: typer.Context, company: CompanyName, flow: FlowName, as_json: Json = False) -> None:
    """Show a flow: what it reads and fills, and its last runs."""
    context = state_of(ctx).context
    with context.store.read() as tx:
        owner = find.company(tx, company)
        row = find.flow(tx, owner, flow)
        view = flow_view(context, tx, row, owner) | {
            "direction": row.direction,
            "stream": row.stream,
            "target": row.target,
            "map": row.map_name,
            "own_map": row.map_text is not None,
            "incremental": row.incremental,
            "late_after_minutes": row.late_after_minutes,
            "expires_after_minutes": row.expires_after_minutes,
            "cursor": store.cursor(tx, row.id),
        }
        lines = runs.list_runs(tx, flow_id=row.id, limit=_LAST_RUNS)
        view["last_runs"] = [run_view(tx, line, context.now()) for line in lines]
    last = [(r["id"], state_word(r), instant(r["created_at"], owner.time_zone), *_counts(r)) for r in view["last_runs"]]
    columns = ("run", "state", "made", "read", "written", "rejected")
    output(view, as_json, facts(_facts(view, owner.time_zone)), heading("Last runs"), table(columns, last, "None yet."))


def _counts(run: View) -> tuple[Any, ...]:
    return run["records_read"], run["records_written"], run["records_rejected"]


def _facts(view: View, zone: str) -> list[tuple[str, object]]:
    cursor = view["cursor"] or {}
    return [
        ("company", view["company"]),
        ("flow", view["name"]),
        ("from", f"{view['from']} ({view['stream']})"),
        ("to", f"{view['to']} ({view['target']})"),
        ("map", f"{view['map']} ({'its own' if view['own_map'] else 'as it comes'})"),
        ("on", view["enabled"]),
        ("schedule", view["schedule_in_words"]),
        ("state", view["state"]),
        ("needs", view["needs"]),
        ("last good run", instant(view["last_good_run_at"], zone) or "never"),
        ("reads", "what changed" if view["incremental"] else "everything"),
        ("come as far as", ", ".join(_reached(cursor))),
    ]


def _reached(cursor: Mapping[str, Any]) -> list[str]:
    """How far a flow has come: of orders the last stamp and key, else of each stream the last change."""
    modified = cursor.get("modified")
    if isinstance(modified, dict):
        return [f"{value} ({stream})" for stream, value in modified.items()]
    return [str(value) for value in cursor.values()]
