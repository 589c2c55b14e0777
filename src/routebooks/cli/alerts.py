"""alert: who is told when something needs a person."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from routebooks.cli import find, given
from routebooks.cli.output import output, say, table
from routebooks.cli.params import Json, OnlyCompany, examples
from routebooks.cli.state import ACTOR, state_of
from routebooks.cli.views import View
from routebooks.engine import alerts as engine
from routebooks.engine import notify
from routebooks.errors import ConfigError
from routebooks.store import alerts as store
from routebooks.store import audit, companies
from routebooks.store.alerts import AlertRow
from routebooks.store.database import Tx

app = typer.Typer()

AlertName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the alert.")]


@app.command(
    epilog=examples(
        "alert add office",
        "alert add office mailtos://user:password@example.com?to=office@example.com",
        "alert add chat --company Harbor slack://TokenA/TokenB/TokenC/",
    )
)
def add(
    ctx: typer.Context,
    name: AlertName,
    address: Annotated[
        str | None,
        typer.Argument(
            metavar="ADDRESS",
            help="Where messages go, as Apprise writes it; asked for unseen, or read from standard input, without it.",
        ),
    ] = None,
    company: OnlyCompany = None,
    as_json: Json = False,
) -> None:
    """Name who is told when something needs a person.

    Each trouble is told once, and again when it is well.
    """
    context = state_of(ctx).context
    given.word("The name of an alert", name)
    address = address or _asked()
    kind = notify.kind_of(address)
    sealed = context.vault.seal({engine.ADDRESS: address})
    with context.store.begin() as tx:
        if store.alert_named(tx, name) is not None:
            raise ConfigError(
                f"There is an alert {name!r} already.",
                hint="Remove it first, or use another name.",
                code="alert-exists",
            )
        company_id = find.company(tx, company).id if company else None
        store.add_alert(tx, name=name, company_id=company_id, kind=kind, address=sealed, now=context.now())
        audit.note(
            tx, company_id=company_id, actor=ACTOR, action="add alert", subject=name, now=context.now(), kind=kind
        )
        view = _view(tx, engine.find(store.alert_named(tx, name), name))
    _show([view], view, as_json)
    say(f"Next: `routebooks alert test {name}`.")


def _asked() -> str:
    if given.at_terminal():
        return str(typer.prompt("Address", hide_input=True, err=True))
    return sys.stdin.readline().strip()


@app.command("list", epilog=examples("alert list", "alert list --json"))
def list_(ctx: typer.Context, as_json: Json = False) -> None:
    """List the alerts, and why the last message of one was not sent."""
    with state_of(ctx).context.store.read() as tx:
        views = [_view(tx, row) for row in store.all_alerts(tx)]
    _show(views, views, as_json)


@app.command("test", epilog=examples("alert test office"))
def test_message(ctx: typer.Context, name: AlertName, as_json: Json = False) -> None:
    """Send a test message now."""
    context = state_of(ctx).context
    engine.send_test(context, notify.send, name)
    with context.store.read() as tx:
        view = _view(tx, engine.find(store.alert_named(tx, name), name))
    _show([view], view, as_json)
    say("The message was sent.")


@app.command(epilog=examples("alert remove office"))
def remove(ctx: typer.Context, name: AlertName, as_json: Json = False) -> None:
    """Take an alert away."""
    context = state_of(ctx).context
    with context.store.begin() as tx:
        row = engine.find(store.alert_named(tx, name), name)
        view = _view(tx, row)
        store.remove_alert(tx, row.id)
        audit.note(tx, company_id=row.company_id, actor=ACTOR, action="remove alert", subject=name, now=context.now())
    _show([view], view, as_json)
    say(f"{name} tells nobody any more.")


def _view(tx: Tx, row: AlertRow) -> View:
    return {
        "name": row.name,
        "company": companies.company(tx, row.company_id).name if row.company_id else None,
        "kind": row.kind,
        "problem": row.problem,
    }


def _show(views: list[View], data: object, as_json: bool) -> None:
    rows = [
        (each["name"], each["company"] or "all", each["kind"], (each["problem"] or {}).get("message", ""))
        for each in views
    ]
    none_yet = "Nobody is told yet: `routebooks alert add` names somebody."
    output(data, as_json, table(("alert", "company", "kind", "last problem"), rows, none_yet))
