"""status: the whole installation on one screen, what needs a person first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from routebooks.cli import find
from routebooks.cli.output import output, plain, table
from routebooks.cli.params import Json, OnlyCompany, examples
from routebooks.cli.problems import FAILED
from routebooks.cli.state import state_of
from routebooks.cli.views import View, connection_view, flow_view
from routebooks.cli.words import count, instant, quoted, span
from routebooks.engine.context import Context
from routebooks.store import companies, flows, rejected, workers
from routebooks.store.companies import CompanyRow
from routebooks.store.database import Tx
from routebooks.store.workers import WorkerRow

app = typer.Typer()

NO_SERVER = "No server runs: start `routebooks serve`. Nothing is fetched or sent without it."


@app.command(epilog=examples("status", "status --company Harbor", "status --check --json"))
def status(
    ctx: typer.Context,
    company: OnlyCompany = None,
    check: Annotated[
        bool, typer.Option("--check", help="End with 1 when something needs a person, else with 0.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show how every company is doing, what needs a person first.

    A flow is late when its time passed without a run, or its run has not ended (`flow late-after`). A Web Connector is
    silent when it has not called for long (`connection silent-after`). Ends with 0 whatever it shows; with --check it
    ends with 1 as soon as one thing is marked with !.
    """
    state = state_of(ctx)
    context = state.context
    with context.store.read() as tx:
        chosen = companies.all_companies(tx) if company is None else [find.company(tx, company)]
        open_records = rejected.count_open(tx)
        views = [_view(context, tx, row, open_records.get(row.id, 0)) for row in chosen]
        at_work = [_worker(each, workers.clock(tx)) for each in workers.all_workers(tx)]
    views.sort(key=lambda view: not view["needs"])
    nobody = NO_SERVER if views and not at_work else ""
    needs = sum(len(view["needs"]) for view in views) + sum(bool(each["needs"]) for each in at_work) + bool(nobody)
    last = f"{count(needs, 'thing')} to look at, marked with !." if needs else "Nothing needs a person."
    none_yet = f"No company yet in {state.settings.home}: `routebooks company add` makes the first one."
    shown: list[RenderableType] = [Text(f"!  {nobody}\n", style="bold")] if nobody else []
    shown += [part for view in views for part in _shown(view)]
    if at_work:
        shown += [table(("", "", "home", "on", "last"), map(_worker_row, at_work), "", wrap=("last",)), Text("")]
    shown.append(Text(last if views else none_yet))
    output({"needs_a_person": needs > 0, "companies": views, "workers": at_work}, as_json, *shown)
    if check and needs:
        raise typer.Exit(FAILED)


def _worker(row: WorkerRow, now: datetime) -> View:
    silent = row.good_until < now
    return {
        "id": row.id,
        "host": row.host,
        "home": row.home,
        "started_at": row.started_at,
        "seen_at": row.seen_at,
        "seconds_ago": max(0, round((now - row.seen_at).total_seconds())),
        "needs": "It is silent: start it again (`routebooks serve`), unless another one runs." if silent else "",
    }


def _worker_row(view: View) -> tuple[object, ...]:
    ago = timedelta(seconds=view["seconds_ago"])
    seen = f"seen {span(ago) if ago >= timedelta(minutes=1) else count(ago.seconds, 'second')} ago"
    return _mark(view), "server", view["home"], view["host"], f"{seen}. {view['needs']}" if view["needs"] else seen


def _view(ctx: Context, tx: Tx, row: CompanyRow, open_records: int) -> View:
    connections = [connection_view(tx, each, row, ctx.now()) for each in companies.connections_of(tx, row.id)]
    made = [flow_view(ctx, tx, each, row) for each in flows.flows_of(tx, row.id)]
    needs = [f"{each['name']}: {each['needs']}" for each in (*connections, *made) if each["needs"]]
    if open_records:
        needs.append(f"{count(open_records, 'rejected record')}.")
    return {
        "name": row.name,
        "cust_id": row.cust_id,
        "time_zone": row.time_zone,
        "connections": connections,
        "flows": made,
        "rejected_open": open_records,
        "needs": needs,
    }


def _shown(view: View) -> list[RenderableType]:
    title = f"{view['name']} (cust_id {view['cust_id']})"
    columns = ("", "", "", "state", "last", "more")
    return [Text(plain(title), style="bold"), table(columns, _rows(view), "", wrap=("more",)), Text("")]


def _rows(view: View) -> Iterator[tuple[object, ...]]:
    zone = view["time_zone"]
    for each in view["connections"]:
        seen = instant(each["last_seen_at"], zone)
        tested = f"tested {each['test_in_words']}" if each["test_in_words"] else ""
        last = f"seen {seen}" if seen else tested
        yield _mark(each), "connection", each["name"], each["state"], last, each["needs"]
    for each in view["flows"]:
        good = f"good run {instant(each['last_good_run_at'], zone)}" if each["last_good_run_at"] else "no good run yet"
        waits = f"waits for {each['waits_for']}" if each["waits_for"] else ""
        yield (
            _mark(each),
            "flow",
            each["name"],
            each["state"],
            good,
            each["needs"] or waits or each["schedule_in_words"],
        )
    number = view["rejected_open"]
    cure = f"`routebooks rejected list --company {quoted(view['name'])}` shows reasons and cures." if number else ""
    yield "!" if number else "", "rejected", "records", f"{number} open", "", cure


def _mark(view: View) -> str:
    return "!" if view["needs"] else ""
