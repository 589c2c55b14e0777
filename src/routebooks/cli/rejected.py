"""rejected: the records that were set aside, with reason and cure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from routebooks.cli import find
from routebooks.cli.output import facts, heading, output, record, say, table
from routebooks.cli.params import Json, Limit, OnlyCompany, OnlyFlow, examples
from routebooks.cli.state import ACTOR, state_of
from routebooks.cli.views import View, zones
from routebooks.cli.words import count, instant, quoted
from routebooks.store import audit
from routebooks.store import rejected as store
from routebooks.store.rejected import RejectedLine

app = typer.Typer()

#: so many records of one reason are listed where several flows stand in one list
_MOST = 10


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


def by_reason(views: Sequence[View], clocks: Mapping[str, str], most: int | None = None) -> list[RenderableType]:
    """Rejected records, those with one code and one cure together, so that the cure stands once.

    Of each group at most so many are shown. `clocks` are the time zones of the companies.
    """
    groups: dict[tuple[str, ...], list[View]] = {}
    for view in views:
        groups.setdefault(tuple(view[name] for name in ("company", "flow", "code", "hint")), []).append(view)
    return [part for group in groups.values() for part in _group(group, clocks, most)]


def _group(views: Sequence[View], clocks: Mapping[str, str], most: int | None) -> list[RenderableType]:
    first, shown = views[0], views[:most]
    why = first["message"] if all(view["message"] == first["message"] for view in views) else None
    columns = ["number", "record", "state", "times", "last seen", *(["why"] if why is None else [])]
    shown_rows = [_row(view, clocks[view["company"]])[: len(columns)] for view in shown]
    title = f"{first['company']}, {first['flow']}: {count(len(views), 'record')} ({first['code']})"
    parts = [heading(title), facts([("why", why), ("what to do", first["hint"])])]
    parts.append(table(columns, shown_rows, "", wrap=("why",)))
    if left := len(views) - len(shown):
        company, flow = quoted(first["company"]), quoted(first["flow"])
        parts.append(Text(f"and {left} more: `routebooks rejected list --company {company} --flow {flow}`"))
    return parts


def _row(view: View, zone: str) -> tuple[object, ...]:
    seen = instant(view["last_at"], zone)
    return view["id"], view["key"], view["state"], view["times"], seen, view["message"]


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


@app.command("list", epilog=examples("rejected list", "rejected list --company Harbor --flow orders --all --json"))
def list_(
    ctx: typer.Context,
    company: OnlyCompany = None,
    flow: OnlyFlow = None,
    all_: Annotated[bool, typer.Option("--all", help="Also those that are resolved.")] = False,
    limit: Limit = 200,
    as_json: Json = False,
) -> None:
    """List the records that wait for a person. Each has its reason and its cure.

    What has the same reason and the same cure stands together; all records of a long group are listed with --flow.
    """
    with state_of(ctx).context.store.read() as tx:
        company_id = find.company_id(tx, company)
        find.flow_named(tx, company_id, flow)
        chosen = store.Chosen(company_id=company_id, flow_name=flow, state=None if all_ else "open")
        views = [rejected_view(line) for line in store.list_rejected(tx, chosen, limit=limit)]
        left = store.count(tx, chosen) - len(views)
        clocks = zones(tx)
    shown = by_reason(views, clocks, None if flow else _MOST) or [Text("No record waits for a person.")]
    output(views, as_json, *shown)
    if left:
        say(f"{left} more are not listed: `--limit {limit + left}` lists all.")


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
