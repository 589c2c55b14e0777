"""order: the ledger, order by order."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from routebooks.cli import find, watch
from routebooks.cli.output import facts, heading, output, plain, record, say, table
from routebooks.cli.params import CompanyName, Json, Limit, OnlyCompany, examples
from routebooks.cli.state import ACTOR, state_of
from routebooks.cli.views import View, zones
from routebooks.cli.words import instant
from routebooks.engine import order_control as engine
from routebooks.engine.context import Context
from routebooks.store import audit, runs
from routebooks.store import ledger as store
from routebooks.store.database import Tx
from routebooks.store.ledger import OrderLine, OrderState, WriteAttempt

app = typer.Typer()

Key = Annotated[str, typer.Argument(metavar="KEY", help="The order's own number.")]


def _view(line: OrderLine) -> View:
    order = line.order
    return {
        "company": line.company,
        "flow": line.flow,
        "key": order.key,
        "state": order.state,
        "number": order.number or None,
        "external_id": order.external_id or None,
        "problem": order.problem,
        "not_before": order.not_before,
        "stamp": order.stamp,
        "read_at": order.read_at,
        "posted_at": order.posted_at,
        "told": order.told,
    }


@app.command("list", epilog=examples("order list", "order list --company Harbor --state refused --json"))
def list_(
    ctx: typer.Context,
    company: OnlyCompany = None,
    state: Annotated[OrderState | None, typer.Option("--state", help="Only orders that stand so.")] = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List the orders, those read last first."""
    with state_of(ctx).context.store.read() as tx:
        company_id = find.company_id(tx, company)
        states = None if state is None else [state]
        views = [_view(each) for each in store.list_orders(tx, company_id=company_id, states=states, limit=limit)]
        clocks = zones(tx)
    columns = ("company", "order", "state", "number in QuickBooks", "read", "posted", "what is wrong")
    rows = [_row(view, clocks[view["company"]]) for view in views]
    output(views, as_json, table(columns, rows, "No order was read yet.", wrap=columns[-1:]))


def _row(view: View, zone: str) -> tuple[object, ...]:
    times = instant(view["read_at"], zone), instant(view["posted_at"], zone)
    problem = (view["problem"] or {}).get("message", "")
    return view["company"], view["key"], view["state"], view["number"], *times, problem


@app.command(epilog=examples("order show Harbor A-1001", "order show Harbor A-1001 --raw"))
def show(
    ctx: typer.Context,
    company: CompanyName,
    key: Key,
    raw: Annotated[bool, typer.Option("--raw", help="Also each request and answer, word for word.")] = False,
    as_json: Json = False,
) -> None:
    """Show an order, each attempt to write it, and the answers."""
    context = state_of(ctx).context
    with context.store.read() as tx:
        owner = find.company(tx, company)
        line = find.order(tx, owner, key)
        attempts = [_attempt(context, tx, each, raw) for each in store.write_attempts_of(tx, line.order.id)]
    view = _view(line) | {"rows": line.order.source, "document": line.order.document, "attempts": attempts}
    output(view, as_json, *_shown(view, owner.time_zone))


def _attempt(context: Context, tx: Tx, attempt: WriteAttempt, raw: bool) -> View:
    view = {
        "number": attempt.number,
        "run": attempt.run_id,
        "set_id": attempt.set_id,
        "state": attempt.state,
        "outcome": attempt.outcome,
        "first_out_at": attempt.first_out_at,
        "sendings": attempt.sendings,
        "answered_at": attempt.answered_at,
        "problem": attempt.problem,
    }
    if raw:
        answer = context.artifacts.get(tx, attempt.answer_id) if attempt.answer_id is not None else b""
        view |= {"request": _text(attempt.request), "answer": _text(answer)}
    return view


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _shown(view: View, zone: str) -> list[RenderableType]:
    columns = (
        "attempt",
        "run",
        "set id",
        "state",
        "outcome",
        "first handed out",
        "times",
        "answered",
        "what QuickBooks said",
    )
    rows = [_attempt_row(attempt, zone) for attempt in view["attempts"]]
    shown = [
        facts(_facts(view, zone)),
        *record({"Rows as read": view["rows"]}),
        heading("Attempts"),
        table(columns, rows, "None yet.", wrap=columns[-1:]),
    ]
    for attempt in view["attempts"]:
        for part in ("request", "answer"):
            if attempt.get(part):
                title = f"{part.capitalize()} of attempt {attempt['number']}"
                shown += [heading(title), Text("\n".join(map(plain, attempt[part].splitlines())))]
    return shown


def _attempt_row(attempt: View, zone: str) -> tuple[object, ...]:
    times = instant(attempt["first_out_at"], zone), attempt["sendings"], instant(attempt["answered_at"], zone)
    facts_of = attempt["number"], attempt["run"], attempt["set_id"], attempt["state"], attempt["outcome"]
    return *facts_of, *times, (attempt["problem"] or {}).get("message", "")


def _facts(view: View, zone: str) -> list[tuple[str, object]]:
    problem = view["problem"] or {}
    return [
        ("order", view["key"]),
        ("company", view["company"]),
        ("flow", view["flow"]),
        ("state", view["state"]),
        ("number in QuickBooks", view["number"]),
        ("id in QuickBooks", view["external_id"]),
        ("what is wrong", problem.get("message")),
        ("what to do", problem.get("hint")),
        ("code", problem.get("code")),
        ("detail", problem.get("detail")),
        *((name.replace("_", " "), instant(view[name], zone)) for name in ("stamp", "read_at", "posted_at")),
        ("next try", instant(view["not_before"], zone)),
        ("told the orders database", view["told"]),
    ]


@app.command(epilog=examples("order drop Harbor A-1001", "order drop Harbor A-1001 --json"))
def drop(ctx: typer.Context, company: CompanyName, key: Key, as_json: Json = False) -> None:
    """End an order that is not to be posted any more.

    Such as one that was deleted in PocketAdvantage while it was held. What is on its way or stands in QuickBooks is
    left alone; `order retry` brings a dropped order back.
    """
    context = state_of(ctx).context
    now = context.now()
    with context.store.begin() as tx:
        owner = find.company(tx, company)
        line = find.order(tx, owner, key)
        engine.drop(tx, line.order, now)
        audit.note(tx, company_id=owner.id, actor=ACTOR, action="drop order", subject=key, now=now)
        view = _view(find.order(tx, owner, key))
    output(view, as_json, facts([("order", key), ("state", view["state"])]))
    say("Its next run tells the orders database, if the connection has a statement for it.")


@app.command(epilog=examples("order retry Harbor A-1001"))
def retry(ctx: typer.Context, company: CompanyName, key: Key, as_json: Json = False) -> None:
    """Ask for another try of an order, also of a dropped one. Mend first what it was refused or held for.

    What was corrected in the orders database is read when it has stood there for settle_minutes (2, unless set).
    """
    state = state_of(ctx)
    context = state.context
    now = context.now()
    with context.store.begin() as tx:
        owner = find.company(tx, company)
        line = find.order(tx, owner, key)
        engine.retry(context, tx, line.order, now)
        audit.note(tx, company_id=owner.id, actor=ACTOR, action="retry order", subject=key, now=now)
        run = runs.last_run(tx, line.order.flow_id)
        view = _view(find.order(tx, owner, key)) | {"run": run.id if run else None}
    output(view, as_json, facts([("order", key), ("state", view["state"]), ("goes with run", view["run"])]))
    watch.say_who_works(state)
    say("If it was corrected in the orders database just now, and is refused as before: ask again in two minutes.")
    say(f"`routebooks run watch {view['run']}` follows it.")
