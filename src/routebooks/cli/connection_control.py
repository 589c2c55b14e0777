"""connection: when it may be used, and which company file it is bound to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from routebooks.cli import find
from routebooks.cli.output import facts, output, say
from routebooks.cli.params import WEEK, CompanyName, ConnectionName, Json, examples
from routebooks.cli.state import ACTOR, state_of
from routebooks.cli.views import connection_view
from routebooks.cli.views import window as window_text
from routebooks.engine import connections as engine
from routebooks.engine.context import Context
from routebooks.engine.window import parse_window
from routebooks.store import audit
from routebooks.store import companies as store
from routebooks.store.companies import ConnectionRow
from routebooks.store.database import Tx

app = typer.Typer()

Change = Callable[[Context, Tx, ConnectionRow], None]


def _change(ctx: typer.Context, company: str, name: str, as_json: bool, change: Change) -> None:
    """Change a connection in one transaction and show how it is doing then."""
    context = state_of(ctx).context
    with context.store.begin() as tx:
        owner = find.company(tx, company)
        row = find.connection(tx, owner, name)
        change(context, tx, row)
        view = connection_view(tx, store.connection(tx, row.id), owner, context.now())
    shown = ("company", "name", "state", "window", "needs")
    output(view, as_json, facts([(key, view[key]) for key in shown]))


@app.command(epilog=examples("connection pause Harbor quickbooks"))
def pause(ctx: typer.Context, company: CompanyName, name: ConnectionName, as_json: Json = False) -> None:
    """Stop all traffic with a system. Pages that are under way come in; then runs wait."""
    _change(ctx, company, name, as_json, lambda c, tx, row: engine.pause(c, tx, row, ACTOR, paused=True))


@app.command(epilog=examples("connection resume Harbor quickbooks"))
def resume(ctx: typer.Context, company: CompanyName, name: ConnectionName, as_json: Json = False) -> None:
    """Allow traffic again after a pause."""
    _change(ctx, company, name, as_json, lambda c, tx, row: engine.pause(c, tx, row, ACTOR, paused=False))


@app.command(
    epilog=examples("connection window Harbor quickbooks 19:00-07:00", "connection window Harbor quickbooks always")
)
def window(
    ctx: typer.Context,
    company: CompanyName,
    name: ConnectionName,
    times: Annotated[str, typer.Argument(metavar="WINDOW", help="From and to on the company's clock, or always.")],
    as_json: Json = False,
) -> None:
    """Set the hours in which a system may be used. By day the office has QuickBooks for itself."""
    opened = parse_window(times)

    def change(context: Context, tx: Tx, row: ConnectionRow) -> None:
        store.change_connection(tx, row.id, window=opened)
        now, shown = context.now(), window_text(store.connection(tx, row.id))
        audit.note(
            tx, company_id=row.company_id, actor=ACTOR, action="set window", subject=row.name, now=now, window=shown
        )

    _change(ctx, company, name, as_json, change)


@app.command(epilog=examples("connection silent-after Harbor quickbooks 120"))
def silent_after(
    ctx: typer.Context,
    company: CompanyName,
    name: ConnectionName,
    minutes: Annotated[int, typer.Argument(min=1, max=WEEK, help="Minutes without a call; 1440 at first.")],
    as_json: Json = False,
) -> None:
    """Set after how long a Web Connector is silent.

    `status` and alerts tell when it has not called for so long.
    """
    _change(ctx, company, name, as_json, lambda c, tx, row: engine.silent_after(c, tx, row, ACTOR, minutes))


@app.command(epilog=examples("connection confirm Harbor quickbooks"))
def confirm(ctx: typer.Context, company: CompanyName, name: ConnectionName, as_json: Json = False) -> None:
    """Confirm that the company file was moved. Orders go again, to where it was seen last."""
    _change(ctx, company, name, as_json, lambda c, tx, row: engine.confirm(c, tx, row, ACTOR))


@app.command(epilog=examples("connection rebind Harbor quickbooks"))
def rebind(ctx: typer.Context, company: CompanyName, name: ConnectionName, as_json: Json = False) -> None:
    """Forget which company file the connection is bound to. The next visit binds it anew."""
    _change(ctx, company, name, as_json, lambda c, tx, row: engine.rebind(c, tx, row, ACTOR))
    say("Have the right company file open at the next visit of the Web Connector.")
