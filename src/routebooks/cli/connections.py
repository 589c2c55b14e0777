"""connection: added, listed, shown, changed, tested."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from routebooks.cli import find, given
from routebooks.cli.output import facts, output, say, table
from routebooks.cli.params import CompanyName, ConnectionName, Json, OnlyCompany, examples
from routebooks.cli.problems import FAILED
from routebooks.cli.state import ACTOR, state_of
from routebooks.cli.views import connection_view
from routebooks.cli.words import instant, quoted
from routebooks.connectors.base import Check, Connector
from routebooks.engine import connections as engine
from routebooks.engine.connections import Added
from routebooks.store import companies as store
from routebooks.store.companies import CompanyRow

app = typer.Typer()

SecretStdin = Annotated[
    bool,
    typer.Option(
        "--secret-stdin", help="Read a secret setting from standard input; of several, the one given as NAME=-."
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME=VALUE", help="Settings; `routebooks connection settings` tells which there are."),
]


@app.command(
    epilog=examples(
        "connection add Harbor quickbooks quickbooks_desktop",
        "connection add Harbor files pocketadvantage host=ftp.example.com user=harbor --secret-stdin",
    )
)
def add(
    ctx: typer.Context,
    company: CompanyName,
    name: ConnectionName,
    connector: Annotated[str, typer.Argument(metavar="CONNECTOR", help="Which kind of system it is.")],
    settings: Settings = None,
    secret_stdin: SecretStdin = False,
    as_json: Json = False,
) -> None:
    """Add a connection to a company. A secret that is not given is asked for, unseen, when you sit at a terminal."""
    context = state_of(ctx).context
    kind = context.connector(connector)
    with context.store.read() as tx:
        find.company(tx, company)
    given.word("The name of a connection", name)
    typed = given.pairs(settings or [])
    if secret_stdin:
        typed = given.secret_from_stdin(kind, typed)
    else:
        given.no_dash(kind, typed)
    typed = given.asked_secrets(kind, typed)
    with context.store.begin() as tx:
        row = find.company(tx, company)
        added = engine.add(context, tx, company_id=row.id, name=name, connector=connector, given=typed, actor=ACTOR)
    _show_added(added, row, name, kind, as_json)


def _show_added(added: Added, company: CompanyRow, name: str, kind: Connector, as_json: bool) -> None:
    data = {"id": added.id, "company": company.name, "name": name, "connector": kind.name}
    place = f"{quoted(company.name)} {quoted(name)}"
    if added.password is None:
        output(data, as_json, facts([("added", f"{name} ({kind.title})")]))
        say(f"Next: `routebooks connection test {place}`.")
        return
    data |= {"user_name": added.user_name, "password": added.password}
    output(data, as_json, facts([("added", f"{name} ({kind.title})"), *log_in(added)]))
    say("The password is shown this once; the Web Connector asks for it.")
    say(f"Next: `routebooks connection qwc {place}`.")


def log_in(added: Added) -> list[tuple[str, object]]:
    """The log-in of a caller, as facts."""
    return [("user name", added.user_name), ("password", added.password)]


@app.command("list", epilog=examples("connection list", "connection list --company Harbor --json"))
def list_(ctx: typer.Context, company: OnlyCompany = None, as_json: Json = False) -> None:
    """List the connections and how they are doing."""
    context = state_of(ctx).context
    with context.store.read() as tx:
        rows = store.connections_of(tx, find.company_id(tx, company))
        owners = {row.id: row for row in store.all_companies(tx)}
        views = [connection_view(tx, row, owners[row.company_id], context.now()) for row in rows]
    zones = {row.name: row.time_zone for row in owners.values()}
    shown = table(
        ("company", "connection", "connector", "state", "seen", "window", "needs"),
        [
            (
                view["company"],
                view["name"],
                view["connector"],
                view["state"],
                instant(view["last_seen_at"], zones[view["company"]]),
                view["window"],
                view["needs"],
            )
            for view in views
        ],
        "No connection yet: `routebooks connection add` makes one.",
        wrap=("needs",),
    )
    output(views, as_json, shown)


@app.command(
    "set", epilog=examples("connection set Harbor files encoding=utf-8", "connection set Harbor files --secret-stdin")
)
def set_(
    ctx: typer.Context,
    company: CompanyName,
    name: ConnectionName,
    settings: Settings = None,
    secret_stdin: SecretStdin = False,
    as_json: Json = False,
) -> None:
    """Change settings of a connection. Those that are not named stay as they are."""
    context = state_of(ctx).context
    with context.store.read() as tx:
        row = find.connection(tx, find.company(tx, company), name)
    typed = given.pairs(settings or [])
    kind = context.connector(row.connector)
    if secret_stdin:
        typed = given.secret_from_stdin(kind, typed, row.settings)
    else:
        given.no_dash(kind, typed)
    if not typed:
        raise given.nothing()
    with context.store.begin() as tx:
        engine.change(context, tx, find.connection(tx, find.company(tx, company), name), typed, ACTOR)
    output(
        {"company": company, "name": name, "changed": sorted(typed)}, as_json, facts([("changed", ", ".join(typed))])
    )
    say(f"Next: `routebooks connection test {quoted(company)} {quoted(name)}`.")


@app.command("test", epilog=examples("connection test Harbor files"))
def try_(ctx: typer.Context, company: CompanyName, name: ConnectionName, as_json: Json = False) -> None:
    """Try a connection step by step; ends with 1 when a step fails. When none does, what waits for it goes on at once.

    `status` tells how the last test went; of QuickBooks it tells what its visits showed.
    """
    context = state_of(ctx).context
    with context.store.read() as tx:
        row = find.connection(tx, find.company(tx, company), name)
    checks = engine.test(context, row.id)
    views = [asdict(check) for check in checks]
    columns = ("step", "", "what it found", "what to do")
    output(views, as_json, table(columns, map(_check_row, checks), "There is nothing to try.", wrap=columns[2:]))
    for check in filter(lambda check: check.confirm, checks):
        say(f"Once confirmed: `routebooks connection set {quoted(company)} {quoted(name)} {check.confirm}`.")
    if not all(check.ok for check in checks):
        raise typer.Exit(FAILED)


def _check_row(check: Check) -> tuple[object, ...]:
    return check.name, "ok" if check.ok else "failed", check.message, check.hint
