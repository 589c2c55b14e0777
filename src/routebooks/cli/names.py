"""rename and remove: of companies, connections and flows."""

from __future__ import annotations

from typing import Annotated

import typer

from routebooks.cli import find, given
from routebooks.cli.output import facts, output, say
from routebooks.cli.params import CompanyName, ConnectionName, FlowName, Json, examples
from routebooks.cli.state import ACTOR, state_of
from routebooks.cli.words import quoted
from routebooks.engine import companies, connections, flows, removal

company_app = typer.Typer()
connection_app = typer.Typer()
flow_app = typer.Typer()

NewName = Annotated[str, typer.Argument(metavar="NEW", help="The new name.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for the name once more.")]


def _renamed(kind: str, name: str, new: str, as_json: bool) -> None:
    output({"kind": kind, "name": new, "before": name}, as_json, facts([(kind, new), ("before", name)]))


def _removed(kind: str, name: str, as_json: bool) -> None:
    output({"kind": kind, "name": name, "removed": True}, as_json, facts([("removed", name)]))


@company_app.command("rename", epilog=examples('company rename Harbor "Harbor Wines"'))
def rename_company(ctx: typer.Context, name: CompanyName, new: NewName, as_json: Json = False) -> None:
    """Give a company another name. Its files and orders go on as before."""
    context = state_of(ctx).context
    given.word("The name of a company", new)
    with context.store.begin() as tx:
        companies.rename(context, tx, find.company(tx, name), new, ACTOR)
    _renamed("company", name, new, as_json)


@company_app.command("remove", epilog=examples("company remove Harbor", "company remove Harbor --yes"))
def remove_company(ctx: typer.Context, name: CompanyName, yes: Yes = False, as_json: Json = False) -> None:
    """Take a company out of use, with its flows, connections and alerts.

    Its passwords are forgotten. Its runs, files and ledger are kept and can still be listed; a company that is added
    with its cust_id has that ledger again, so that no order is posted twice. Nothing is deleted at QuickBooks or at
    the place of the files.
    """
    context = state_of(ctx).context
    with context.store.read() as tx:
        find.company(tx, name)
    given.confirmed(name, yes)
    with context.store.begin() as tx:
        removal.remove_company(context, tx, find.company(tx, name), ACTOR)
    _removed("company", name, as_json)


@connection_app.command("rename", epilog=examples("connection rename Harbor office quickbooks"))
def rename_connection(
    ctx: typer.Context, company: CompanyName, name: ConnectionName, new: NewName, as_json: Json = False
) -> None:
    """Give a connection another name. Its flows and its Web Connector go on as before."""
    context = state_of(ctx).context
    given.word("The name of a connection", new)
    with context.store.begin() as tx:
        row = find.connection(tx, find.company(tx, company), name)
        connections.rename(context, tx, row, new, ACTOR)
    _renamed("connection", name, new, as_json)


@connection_app.command(
    "remove", epilog=examples("connection remove Harbor files", "connection remove Harbor files --yes")
)
def remove_connection(
    ctx: typer.Context, company: CompanyName, name: ConnectionName, yes: Yes = False, as_json: Json = False
) -> None:
    """Take a connection out of use that no flow uses any more.

    Its passwords are forgotten, and its Web Connector is let in no more. What was read and written is kept.
    """
    context = state_of(ctx).context
    with context.store.read() as tx:
        find.connection(tx, find.company(tx, company), name)
    given.confirmed(name, yes)
    with context.store.begin() as tx:
        removal.remove_connection(context, tx, find.connection(tx, find.company(tx, company), name), ACTOR)
    _removed("connection", name, as_json)


@flow_app.command("rename", epilog=examples("flow rename Harbor customers accounts"))
def rename_flow(ctx: typer.Context, company: CompanyName, flow: FlowName, new: NewName, as_json: Json = False) -> None:
    """Give a flow another name. What it has done and its schedule stay."""
    context = state_of(ctx).context
    given.word("The name of a flow", new)
    with context.store.begin() as tx:
        flows.rename(context, tx, find.flow(tx, find.company(tx, company), flow), new, ACTOR)
    _renamed("flow", flow, new, as_json)


@flow_app.command("remove", epilog=examples("flow remove Harbor invoices", "flow remove Harbor orders --yes"))
def remove_flow(
    ctx: typer.Context, company: CompanyName, flow: FlowName, yes: Yes = False, as_json: Json = False
) -> None:
    """Take a flow out of use.

    Its rejected records leave the list, and a file of it that is held is not sent. Its runs, files and ledger are kept
    and can still be listed; `flow add` brings it back with its map, its settings and its ledger, so that no order is
    posted twice.
    """
    context = state_of(ctx).context
    with context.store.read() as tx:
        find.flow(tx, find.company(tx, company), flow)
    given.confirmed(flow, yes)
    with context.store.begin() as tx:
        removal.remove_flow(context, tx, find.flow(tx, find.company(tx, company), flow), ACTOR)
    _removed("flow", flow, as_json)
    say(f"`routebooks flow add {quoted(company)} ...` brings it back.")
