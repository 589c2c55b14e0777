"""flow: switched on and off, set, run."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from routebooks.cli import find, watch
from routebooks.cli.given import pairs
from routebooks.cli.output import facts, output, say, table
from routebooks.cli.params import WEEK, CompanyName, FlowName, Json, examples
from routebooks.cli.state import ACTOR, CliState, state_of
from routebooks.cli.views import flow_view
from routebooks.cli.words import count
from routebooks.engine import flow_settings
from routebooks.engine import runs as engine
from routebooks.engine import schedule as schedules
from routebooks.errors import ConfigError
from routebooks.store import audit, flows
from routebooks.store.companies import CompanyRow
from routebooks.store.database import Tx
from routebooks.store.flows import Flow
from routebooks.store.runs import Run

app = typer.Typer()


def _change(ctx: typer.Context, company: str, flow: str, as_json: bool, action: str, **values: Any) -> None:
    """Change a flow in one transaction and show how it is doing then."""
    context = state_of(ctx).context
    now = context.now()
    with context.store.begin() as tx:
        owner = find.company(tx, company)
        row = find.flow(tx, owner, flow)
        if values.get("enabled") and not row.enabled and row.schedule is not None:
            # What passed while it was off was not missed.
            values["schedule"] = schedules.begin(row.schedule, now)
        flows.change_flow(tx, row.id, **values)
        audit.note(tx, company_id=owner.id, actor=ACTOR, action=action, subject=flow, now=now, **values)
        row = flows.flow(tx, row.id)
        view = flow_view(context, tx, row, owner) | {"late_after_minutes": row.late_after_minutes}
    shown = [("company", view["company"]), ("flow", view["name"]), ("on", view["enabled"])]
    shown += [("schedule", view["schedule_in_words"]), ("late after", count(row.late_after_minutes, "minute"))]
    output(view, as_json, facts([*shown, ("state", view["state"])]))


@app.command(epilog=examples("flow on Harbor items"))
def on(ctx: typer.Context, company: CompanyName, flow: FlowName, as_json: Json = False) -> None:
    """Let a flow run by its schedule. What would have been due while it was off is not caught up."""
    _change(ctx, company, flow, as_json, "switch flow on", enabled=True)


@app.command(epilog=examples("flow off Harbor items"))
def off(ctx: typer.Context, company: CompanyName, flow: FlowName, as_json: Json = False) -> None:
    """Stop a flow's schedule; it can still be run by hand."""
    _change(ctx, company, flow, as_json, "switch flow off", enabled=False)


@app.command(epilog=examples("flow late-after Harbor orders 60"))
def late_after(
    ctx: typer.Context,
    company: CompanyName,
    flow: FlowName,
    minutes: Annotated[int, typer.Argument(min=1, max=WEEK, help="Minutes after its time; 240 at first.")],
    as_json: Json = False,
) -> None:
    """Set after how long a flow is late.

    `status` and alerts tell when a run has not ended so long after its time, or never came. What is under way already
    keeps its time.
    """
    _change(ctx, company, flow, as_json, "set late after", late_after_minutes=minutes)


@app.command(
    "set",
    epilog=examples(
        "flow set Harbor customers",
        "flow set Harbor customers guard_percent=50",
        "flow set Harbor orders start_date=2026-01-31",
    ),
)
def set_(
    ctx: typer.Context,
    company: CompanyName,
    flow: FlowName,
    settings: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=VALUE...", help="Settings; without any, those there are.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Set how a flow makes its files, or where it begins. Without a setting, show those there are."""
    context = state_of(ctx).context
    given = pairs(settings or [])
    with context.store.begin() as tx:
        owner = find.company(tx, company)
        row = find.flow(tx, owner, flow)
        kept = flow_settings.change_settings(tx, row, given, owner.time_zone) if given else dict(row.settings)
        if given:
            audit.note(
                tx,
                company_id=owner.id,
                actor=ACTOR,
                action="set flow",
                subject=flow,
                now=context.now(),
                settings=sorted(given),
            )
    view = [
        {"name": each.name, "value": kept.get(each.name, each.default), "default": each.default, "help": each.help}
        for each in flow_settings.settings_of(row)
    ]
    rows = [(each["name"], each["value"], each["default"], each["help"]) for each in view]
    output(view, as_json, table(("setting", "value", "default", "what it is"), rows, "", wrap=("what it is",)))


@app.command(epilog=examples("flow run Harbor customers", "flow run Harbor night", "flow run Harbor all --wait 600"))
def run(
    ctx: typer.Context,
    company: CompanyName,
    flow: Annotated[
        str,
        typer.Argument(
            metavar="FLOW", help="Name of the flow; night stands for all that make files, all for all, if they are on."
        ),
    ],
    wait: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0, help="Wait until it ends, at most so long.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a flow now. The server does the work; with --wait the program ends as the run does: 0, 1 or 3."""
    state = state_of(ctx)
    context = state.context
    with context.store.begin() as tx:
        owner = find.company(tx, company)
        run_ids = _ask(state, tx, owner, _chosen(tx, owner, flow))
    watch.say_who_works(state)
    ended = watch.follow(context, run_ids, seconds=wait or 0, pause=state.pause, tell=say if wait else lambda _: None)
    _show(state, ended, as_json)
    if wait is None:
        say(f"To follow: {', '.join(f'`routebooks run watch {run_id}`' for run_id in run_ids)}.")
        return
    if still := [run for run in ended if run.active]:
        say(f"{count(len(still), 'run')} not ended after {wait:g} seconds; `routebooks run list` shows why.")
    raise typer.Exit(watch.exit_code(ended))


def _ask(state: CliState, tx: Tx, owner: CompanyRow, wanted: list[Flow]) -> list[int]:
    now = state.context.now()
    run_ids = engine.create(state.context, tx, wanted, "person", now)
    for flow, run_id in zip(wanted, run_ids, strict=True):
        audit.note(tx, company_id=owner.id, actor=ACTOR, action="run flow", subject=flow.name, now=now, run=run_id)
    return run_ids


def _chosen(tx: Tx, owner: CompanyRow, name: str) -> list[Flow]:
    """The flow of this name, or of several by one word those that are on. Raises ConfigError."""
    found = find.chosen_flows(tx, owner, name)
    chosen = [flow for flow in found if flow.enabled or flow.name == name]
    if not chosen:
        raise ConfigError(
            f"{owner.name} has no flow of that kind that is on.",
            hint="`routebooks flow list` shows them; name one to run it all the same.",
            code="flow-none-on",
        )
    return chosen


def _show(state: CliState, found: list[Run], as_json: bool) -> None:
    with state.context.store.read() as tx:
        names = {run.id: flows.flow(tx, run.flow_id).name for run in found}
    views = [{"id": r.id, "flow": names[r.id], "state": r.state, "records_rejected": r.records_rejected} for r in found]
    output(views, as_json, table(("run", "flow", "state"), [(v["id"], v["flow"], v["state"]) for v in views], ""))
