"""run: listed, shown, watched, cancelled."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import RenderableType

from routebooks.cli import find, watch
from routebooks.cli.output import facts, heading, output, table
from routebooks.cli.params import Json, Limit, OnlyCompany, OnlyFlow, examples
from routebooks.cli.rejected import by_reason, rejected_view
from routebooks.cli.state import ACTOR, state_of
from routebooks.cli.views import View, run_view, state_word, zones
from routebooks.cli.words import instant
from routebooks.connectors.base import Explaining
from routebooks.engine import extracts, left_out
from routebooks.engine import runs as engine
from routebooks.engine.context import Context
from routebooks.store import audit, deliveries, flows, ledger, rejected
from routebooks.store import runs as store
from routebooks.store.database import Tx
from routebooks.store.runs import Phase, Run, RunLine

app = typer.Typer()

RunId = Annotated[int, typer.Argument(metavar="ID", help="Number of the run.")]

_MANY = 100_000


@app.command("list", epilog=examples("run list", "run list --company Harbor --flow orders --limit 5 --json"))
def list_(
    ctx: typer.Context,
    company: OnlyCompany = None,
    flow: OnlyFlow = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List the runs, the newest first."""
    context = state_of(ctx).context
    with context.store.read() as tx:
        company_id = find.company_id(tx, company)
        find.flow_named(tx, company_id, flow)
        lines = store.list_runs(tx, company_id=company_id, flow_name=flow, limit=limit)
        views = [run_view(tx, line, context.now()) for line in lines]
        clocks = zones(tx)
    columns = ("run", "company", "flow", "state", "ended", "read", "written", "rejected", "waits for")
    rows = [_row(view, clocks[view["company"]]) for view in views]
    empty = "No run yet: `routebooks flow run` asks for one."
    output(views, as_json, table(columns, rows, empty, wrap=("waits for",)))


def _row(view: View, zone: str) -> tuple[object, ...]:
    return (
        view["id"],
        view["company"],
        view["flow"],
        state_word(view),
        instant(view["finished_at"], zone),
        view["records_read"],
        view["records_written"],
        view["records_rejected"],
        f"{view['waits_for']}, since {instant(view['waits_since'], zone)}" if view["waits_for"] else "",
    )


@app.command(epilog=examples("run show 12", "run show 12 --left-out", "run show 12 --json"))
def show(
    ctx: typer.Context,
    run_id: RunId,
    with_left_out: Annotated[
        bool, typer.Option("--left-out", help="Also the records that the map's filter, as it is now, leaves out.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show all that is known of a run. What went wrong and what was rejected come with their cures."""
    context = state_of(ctx).context
    with context.store.read() as tx:
        line = find.run(tx, run_id)
        view = run_view(tx, line, context.now()) | _more(context, tx, line)
        zone = zones(tx)[line.company]
    if with_left_out:
        found = left_out.records(context, run_id)
        view["left_out"] = [{"label": each.label, "values": dict(each.values)} for each in found]
    output(view, as_json, *_shown(view, zone))


def _more(context: Context, tx: Tx, line: RunLine) -> View:
    """What stands beside a run: extracts with their attempts, notes, file, orders, rejected records."""
    run = line.run
    delivery = deliveries.delivery_of_run(tx, run.id)
    listed = rejected.list_rejected(tx, rejected.Chosen(run_id=run.id, state=None), limit=_MANY)
    return {
        "notes": [*run.notes, *_explained(context, tx, run)],
        "extracts": [_extract(tx, extract) for extract in extracts.of_run(context, tx, run)],
        "delivery": {"id": delivery.id, "address": delivery.address, "state": delivery.state} if delivery else None,
        "orders": ledger.outcomes_of(tx, run.id),
        "rejected": [rejected_view(each) for each in listed],
    }


def _explained(context: Context, tx: Tx, run: Run) -> list[View]:
    """What a person should know of how the run's source reads, once it was read."""
    source = context.connection(tx, flows.flow(tx, run.flow_id).source_id)
    kind = context.connector(source.connector)
    if run.phase is Phase.PLAN or not isinstance(kind, Explaining):
        return []
    return [{"code": each.code, "message": each.message, "hint": each.hint} for each in kind.explain(source)]


def _extract(tx: Tx, extract: store.ExtractRow) -> View:
    return {
        "stream": extract.stream,
        "state": extract.state,
        "modified_since": extract.modified_since,
        "attempts": [_attempt(tx, attempt) for attempt in store.attempts_of(tx, extract.id)],
    }


def _attempt(tx: Tx, attempt: store.ExtractAttempt) -> View:
    pages = store.pages_of(tx, attempt.id)
    return {
        "number": attempt.number,
        "state": attempt.state,
        "page_size": attempt.page_size,
        "pages": len(pages),
        "records": sum(page.records for page in pages),
        "started_at": attempt.started_at,
        "ended_at": attempt.ended_at,
        "problem": attempt.problem,
    }


def _shown(view: View, zone: str) -> list[RenderableType]:
    shown = [facts(_facts(view, zone))]
    for extract in view["extracts"]:
        since = f", changed since {instant(extract['modified_since'], zone)}" if extract["modified_since"] else ""
        columns = ("attempt", "state", "page size", "pages", "records", "started", "ended", "why it ended")
        rows = [_attempt_row(attempt, zone) for attempt in extract["attempts"]]
        title = f"Extract of {extract['stream']} ({extract['state']}{since})"
        shown += [heading(title), table(columns, rows, "Not begun.", wrap=columns[-1:])]
    if view["notes"]:
        rows = [(note.get("message", ""), note.get("hint", "")) for note in view["notes"]]
        shown += [heading("Notes"), table(("note", "what to do"), rows, "", wrap=("note", "what to do"))]
    if view["rejected"]:
        shown += [heading("Rejected records"), *by_reason(view["rejected"], {view["company"]: zone})]
    if "left_out" in view:
        rows = [
            (each["label"], ", ".join(f"{name}: {value}" for name, value in each["values"].items()))
            for each in view["left_out"]
        ]
        shown += [heading("Left out by the map"), table(("record", "because of"), rows, "None.", wrap=("because of",))]
    return shown


def _attempt_row(attempt: View, zone: str) -> tuple[object, ...]:
    times = instant(attempt["started_at"], zone), instant(attempt["ended_at"], zone)
    counts = attempt["page_size"], attempt["pages"], attempt["records"]
    return attempt["number"], attempt["state"], *counts, *times, (attempt["problem"] or {}).get("message", "")


def _facts(view: View, zone: str) -> list[tuple[str, object]]:
    problem, delivery = view["problem"] or {}, view["delivery"]
    moments = ("waits_since", "not_before", "late_after", "expires_at", "created_at", "started_at", "finished_at")
    counts = ("records_read", "records_written", "records_rejected", "records_left_out")
    return [
        ("run", view["id"]),
        ("company", view["company"]),
        ("flow", view["flow"]),
        ("asked for by", view["trigger"]),
        ("state", f"late, {view['state']}" if view["late"] else view["state"]),
        ("phase", view["phase"]),
        ("waits for", view["waits_for"]),
        ("superseded by", view["superseded_by"]),
        ("what went wrong", problem.get("message")),
        ("what to do", problem.get("hint")),
        ("code", problem.get("code")),
        ("detail", problem.get("detail")),
        *((name.replace("_", " "), instant(view[name], zone)) for name in moments),
        *((name.replace("_", " "), view[name]) for name in counts),
        ("file", f"{delivery['id']} at {delivery['address']} ({delivery['state']})" if delivery else None),
        ("orders", ", ".join(f"{number} {state}" for state, number in view["orders"].items())),
    ]


@app.command("watch", epilog=examples("run watch 12"))
def watch_(ctx: typer.Context, run_id: RunId, as_json: Json = False) -> None:
    """Follow a run until it ends. Ends as it does: 0 done, 1 failed, 3 done with rejected records."""
    state = state_of(ctx)
    context = state.context
    with context.store.read() as tx:
        active = find.run(tx, run_id).run.active
    if active:
        watch.say_who_works(state)
    ended = watch.follow(context, [run_id], seconds=None, pause=state.pause)
    with context.store.read() as tx:
        views = [run_view(tx, find.run(tx, run.id), context.now()) for run in ended]
    counts = ("records_read", "records_written", "records_rejected")
    shown = [(name.replace("_", " "), views[0][name]) for name in ("state", *counts)]
    output(views[0], as_json, facts([("run", views[0]["id"]), *shown]))
    raise typer.Exit(watch.exit_code(ended))


@app.command(epilog=examples("run cancel 12"))
def cancel(ctx: typer.Context, run_id: RunId, as_json: Json = False) -> None:
    """End a run that is under way. One whose orders are on their way goes on."""
    context = state_of(ctx).context
    now = context.now()
    with context.store.begin() as tx:
        line = find.run(tx, run_id)
        run = engine.cancel(context, tx, run_id, now)
        audit.note(
            tx, company_id=run.company_id, actor=ACTOR, action="cancel run", subject=line.flow, now=now, run=run_id
        )
        view = run_view(tx, find.run(tx, run_id), now)
    output(view, as_json, facts([("run", run_id), ("flow", line.flow), ("state", run.state)]))
