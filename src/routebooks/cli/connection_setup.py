"""connection: what a Web Connector needs to call us: its .qwc file and its password."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from routebooks.cli import deliver, find
from routebooks.cli.connections import log_in
from routebooks.cli.output import facts, output, say
from routebooks.cli.params import CompanyName, ConnectionName, Force, Json, examples
from routebooks.cli.state import ACTOR, state_of
from routebooks.connectors.quickbooks_desktop.identity import OWNER_ID
from routebooks.connectors.quickbooks_desktop.qwc import qwc_file
from routebooks.engine import connections as engine
from routebooks.errors import ConfigError
from routebooks.settings import FILE_NAME, Settings
from routebooks.store import companies as store
from routebooks.store import workers
from routebooks.store.companies import Caller, CompanyRow

app = typer.Typer()


@app.command(
    epilog=examples("connection qwc Harbor quickbooks", "connection qwc Harbor quickbooks --out harbor.qwc --force")
)
def qwc(
    ctx: typer.Context,
    company: CompanyName,
    name: ConnectionName,
    out: Annotated[
        Path | None, typer.Option(help="The file to write; else named after company and connection.")
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Minutes between two calls of the Web Connector.")] = 15,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write the .qwc file for the Web Connector. It holds no password."""
    state = state_of(ctx)
    context = state.context
    with context.store.read() as tx:
        owner = find.company(tx, company)
        caller = store.caller(tx, find.connection(tx, owner, name).id)
        elsewhere = _elsewhere(state.settings, [each.address for each in workers.living(tx)])
    if caller is None:
        raise ConfigError(
            f"{name} is not a connection that a Web Connector calls.",
            hint="This is for QuickBooks Desktop connections.",
            code="connection-not-called",
        )
    url = f"{state.settings.public_url}/webconnector"
    path = out or Path(_file_name(owner.name, name))
    deliver.write(path, _qwc(owner, name, caller, url, every), force=force)
    data = {"file": str(path), "url": url, "user_name": caller.user_name}
    output(data, as_json, facts([("file", path), ("calls", url), ("user name", caller.user_name)]))
    if elsewhere:
        say(elsewhere)
    say("Next: see that `routebooks serve` runs (without it the Web Connector says QBWC1003), open the company file in")
    say("QuickBooks as Admin, add this file to the Web Connector, enter the password.")


def _qwc(owner: CompanyRow, name: str, caller: Caller, url: str, every: int) -> bytes:
    return qwc_file(
        connection_name=name,
        url=url,
        support_url=f"{url}/support",
        user_name=caller.user_name,
        owner_id=OWNER_ID,
        file_id=caller.file_id,
        app_name=f"Routebooks {owner.name}",
        # The user name is the connection's own for ever, so that the file added again takes the place of the first.
        unique_name=f"Routebooks {caller.user_name}",
        run_every_minutes=every,
    )


def _elsewhere(settings: Settings, at_work: Sequence[str]) -> str:
    """What to say when the file leads to a port of this computer at which none of the servers at work is."""
    called = urlsplit(settings.public_url)
    if not at_work or called.hostname != "localhost" or called.port in {urlsplit(each).port for each in at_work}:
        return ""
    return (
        f"The server at work is at {' and '.join(at_work)}, not at the address in the file. Write its port into "
        f"{settings.home / FILE_NAME} (such as `port = 8500`), then make the file again with --force."
    )


def _file_name(*names: str) -> str:
    plain = [re.sub(r"[^\w-]+", "-", name).strip("-").lower() for name in names]
    return f"{'-'.join(filter(None, plain)) or 'routebooks'}.qwc"


@app.command(epilog=examples("connection password Harbor quickbooks"))
def password(ctx: typer.Context, company: CompanyName, name: ConnectionName, as_json: Json = False) -> None:
    """Make a new password for the Web Connector. The old one is of no use from now on."""
    context = state_of(ctx).context
    with context.store.begin() as tx:
        row = find.connection(tx, find.company(tx, company), name)
        added = engine.new_password(context, tx, row, ACTOR)
    data = {"company": company, "name": name, "user_name": added.user_name, "password": added.password}
    output(data, as_json, facts(log_in(added)))
    say("It is shown this once. Enter it in the Web Connector, in the password column of this application.")
