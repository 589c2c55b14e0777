"""company: the distributors."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any
from zoneinfo import available_timezones

import typer

from routebooks.cli import find, given
from routebooks.cli.output import output, say, table
from routebooks.cli.params import CompanyName, Json, examples
from routebooks.cli.state import ACTOR, state_of
from routebooks.cli.words import quoted
from routebooks.engine import companies as engine
from routebooks.errors import ConfigError
from routebooks.store import companies as store
from routebooks.store.companies import CompanyRow

app = typer.Typer()

_COLUMNS = ("company", "cust_id", "time zone")

CustId = Annotated[str, typer.Option("--cust-id", help="The id that PocketAdvantage knows the distributor by.")]
Zone = Annotated[
    str, typer.Option("--time-zone", help="The company's own clock, as Europe/Berlin: it decides when a night begins.")
]


def _view(row: CompanyRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "cust_id": row.cust_id,
        "time_zone": row.time_zone,
        "created_at": row.created_at,
    }


def _show(row: CompanyRow, as_json: bool) -> None:
    output(_view(row), as_json, table(_COLUMNS, [(row.name, row.cust_id, row.time_zone)], ""))


@app.command(epilog=examples("company add Harbor --cust-id 4711 --time-zone America/New_York"))
def add(ctx: typer.Context, name: CompanyName, cust_id: CustId, time_zone: Zone = "UTC", as_json: Json = False) -> None:
    """Add a company."""
    context = state_of(ctx).begin()
    values = {
        "name": given.word("The name of a company", name),
        "cust_id": given.word("The cust_id", cust_id),
        "time_zone": _zone(time_zone),
    }
    with context.store.begin() as tx:
        added = engine.add(context, tx, **values, actor=ACTOR)
        row = store.company(tx, added.id)
    _show(row, as_json)
    if added.back:
        say("A company of this cust_id was removed before. Its ledger is back: what was posted is not posted again.")
    say(f"Next: `routebooks connection add {quoted(name)} ...` for its QuickBooks and for its files.")


@app.command("list", epilog=examples("company list", "company list --json"))
def list_(ctx: typer.Context, as_json: Json = False) -> None:
    """List the companies."""
    with state_of(ctx).context.store.read() as tx:
        rows = store.all_companies(tx)
    shown = table(
        _COLUMNS,
        [(row.name, row.cust_id, row.time_zone) for row in rows],
        "No company yet: `routebooks company add` makes the first one.",
    )
    output([_view(row) for row in rows], as_json, shown)


@app.command("set", epilog=examples("company set Harbor --time-zone America/Chicago"))
def set_(
    ctx: typer.Context,
    name: CompanyName,
    cust_id: Annotated[str | None, typer.Option("--cust-id", help="A new cust_id.")] = None,
    time_zone: Annotated[str | None, typer.Option("--time-zone", help="A new time zone.")] = None,
    as_json: Json = False,
) -> None:
    """Change the cust_id or the time zone of a company."""
    context = state_of(ctx).context
    values = {}
    if cust_id is not None:
        values["cust_id"] = given.word("The cust_id", cust_id)
    if time_zone is not None:
        values["time_zone"] = _zone(time_zone)
    if not values:
        raise ConfigError("Nothing is to be changed.", hint="Give --cust-id or --time-zone.", code="nothing-to-change")
    with context.store.begin() as tx:
        row = find.company(tx, name)
        engine.change(context, tx, row, values, ACTOR)
        row = store.company(tx, row.id)
    _show(row, as_json)


def _zone(name: str) -> str:
    """A zone that is known. Raises ConfigError with those that come near it: `New York` means America/New_York."""
    zones = available_timezones()
    if name in zones:
        return name
    wanted = name.strip().replace(" ", "_").casefold()
    by_lower = {zone.casefold(): zone for zone in sorted(zones)}
    same = [zone for lower, zone in by_lower.items() if wanted in (lower, lower.rpartition("/")[2])]
    near = same or [by_lower[lower] for lower in get_close_matches(wanted, by_lower)]
    raise ConfigError(
        f"There is no time zone {name!r}.",
        hint=f"Did you mean {' or '.join(near)}?" if near else "Write it as Europe/Berlin or America/New_York.",
        code="time-zone-unknown",
    )
