"""rejected: the records that were set aside, with reason and cure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import RenderableType

from routebooks.cli import find
from routebooks.cli.output import facts, heading, output, record, table
from routebooks.cli.params import Json, Limit, OnlyCompany, examples
from routebooks.cli.state import ACTOR, state_of
from routebooks.cli.views import View, zones
from routebooks.cli.words import instant
from routebooks.store import audit
from routebooks.store import rejected as store
from routebooks.store.rejected import RejectedLine

app = typer.Typer()


def rejected_view(line: RejectedLine) -> View:
    """A rejected record without what was read."""
    row = line.rejected
    return {
        "id": row.id,
        "company": line.company,
        "flow": line.flow,
        "run": row.run_id,
        "stream": row.stream,
        "key": row.key,
        "code": row.code,
        "message": row.message,
        "hint": row.hint,
        "state": row.state,
        "times": row.times,
        "first_at": row.first_at,
        "last_at": row.last_at,
        "resolved_at": row.resolved_at,
    }


def reason_table(views: Sequence[View]) -> RenderableType:
    """Rejected records of one run: which, why, and what to do."""
    rows = [(view["id"], view["key"], view["message"], view["hint"], view["state"]) for view in views]
    return table(("number", "record", "why", "what to do", "state"), rows, "None.", wrap=("why", "what to do"))


@app.command(epilog=examples("rejected resolve 3"))
def resolve(
    ctx: typer.Context,
    rejected_id: Annotated[int, typer.Argument(metavar="ID", help="Number of the rejected record.")],
    as_json: Json = False,
) -> None:
    """Say that a record is dealt with. If it is still wrong at the next run, it is listed anew."""
    context = state_of(ctx).context
    now = context.now()
    with context.store.begin() as tx:
        line = find.rejected_record(tx, rejected_id)
        store.resolve_one(tx, rejected_id, now)
        audit.note(
            tx,
            company_id=line.rejected.company_id,
            actor=ACTOR,
            action="resolve rejected record",
            subject=line.rejected.key,
            now=now,
        )
        view = rejected_view(find.rejected_record(tx, rejected_id))
    output(view, as_json, facts([("number", rejected_id), ("record", view["key"]), ("state", view["state"])]))


@app.command("list", epilog=examples("rejected list", "rejected list --company Harbor --all --json"))
def list_(
    ctx: typer.Context,
    company: OnlyCompany = None,
    all_: Annotated[bool, typer.Option("--all", help="Also those that are resolved.")] = False,
    limit: Limit = 200,
    as_json: Json = False,
) -> None:
    """List the records that wait for a person. Each has its reason and its cure."""
    with state_of(ctx).context.store.read() as tx:
        company_id, state = find.company_id(tx, company), None if all_ else "open"
        lines = store.list_rejected(tx, company_id=company_id, state=state, limit=limit)
        views = [rejected_view(line) for line in lines]
        clocks = zones(tx)
    columns = ("number", "company", "flow", "record", *(("state",) if all_ else ()), "times", "last seen")
    columns = (*columns, "why", "what to do")
    rows = [_row(view, clocks[view["company"]], with_state=all_) for view in views]
    output(views, as_json, table(columns, rows, "No record waits for a person.", wrap=columns[-2:]))


def _row(view: View, zone: str, *, with_state: bool) -> tuple[object, ...]:
    which = view["id"], view["company"], view["flow"], view["key"], *((view["state"],) if with_state else ())
    return *which, view["times"], instant(view["last_at"], zone), view["message"], view["hint"]


@app.command(epilog=examples("rejected show 3"))
def show(
    ctx: typer.Context,
    rejected_id: Annotated[int, typer.Argument(metavar="ID", help="Number of the rejected record.")],
    as_json: Json = False,
) -> None:
    """Show a rejected record, its reason and its cure."""
    with state_of(ctx).context.store.read() as tx:
        line = find.rejected_record(tx, rejected_id)
        zone = zones(tx)[line.company]
    view = rejected_view(line) | {"detail": line.rejected.detail, "record": line.rejected.record}
    names = ("id", "company", "flow", "run", "stream", "key", "state")
    moments = ("first_at", "last_at", "resolved_at")
    pairs: list[tuple[str, object]] = [
        *((name, view[name]) for name in names),
        ("why", view["message"]),
        ("what to do", view["hint"]),
        ("code", view["code"]),
        ("detail", view["detail"]),
        ("times", view["times"]),
        *((name.removesuffix("_at"), instant(view[name], zone)) for name in moments),
    ]
    output(view, as_json, facts(pairs), heading("As it was read"), *record(view["record"]))
