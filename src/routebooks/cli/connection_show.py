"""connection: one of them shown whole, and what settings there are."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import RenderableType

from routebooks.cli import find
from routebooks.cli.output import facts, heading, output, table
from routebooks.cli.params import CompanyName, ConnectionName, Json, examples
from routebooks.cli.state import state_of
from routebooks.cli.views import View, connection_view
from routebooks.cli.words import instant
from routebooks.connectors.base import Connector, Setting
from routebooks.engine.connections import bounds
from routebooks.store import companies as store
from routebooks.store.companies import Caller, ConnectionRow

app = typer.Typer()


@app.command(epilog=examples("connection show Harbor files"))
def show(ctx: typer.Context, company: CompanyName, name: ConnectionName, as_json: Json = False) -> None:
    """Show a connection, its settings and who calls. What we assume is marked; secrets are not shown."""
    context = state_of(ctx).context
    with context.store.read() as tx:
        owner = find.company(tx, company)
        row = find.connection(tx, owner, name)
        view = connection_view(tx, row, owner, context.now())
        caller = store.caller(tx, row.id)
    settings = _settings(context.connector(row.connector), row, context.vault.open(row.secrets))
    view |= {"settings": settings, "caller": _caller(caller) if caller else None}
    output(view, as_json, *_shown(view, owner.time_zone))


def _settings(kind: Connector, row: ConnectionRow, secrets: dict[str, str]) -> list[View]:
    return [
        {
            "name": setting.name,
            "value": None if setting.secret else row.settings.get(setting.name, setting.default),
            "given": setting.name in (secrets if setting.secret else row.settings),
            "secret": setting.secret,
            # What a person has set is no assumption of ours any more.
            "assumed": setting.assumed and setting.name not in row.settings,
        }
        for setting in kind.settings
    ]


def _caller(caller: Caller) -> View:
    return {
        "user_name": caller.user_name,
        "wrong_password_at": caller.wrong_password_at,
        "shut_out_until": caller.shut_out_until,
        "file_id": caller.file_id,
        "bound_company": caller.bound_company,
        "bound_path": caller.bound_path,
        "bound_at": caller.bound_at,
        "product": caller.product,
        "seen_path": caller.seen_path,
        "refused": caller.refused,
        "last_problem": caller.last_problem,
        "silent_after_minutes": caller.silent_after_minutes,
    }


def _shown(view: View, zone: str) -> list[RenderableType]:
    names = ("company", "name", "connector", "state", "needs", "window")
    seen = [(name.replace("_", " "), instant(view[name], zone)) for name in ("paused_at", "last_seen_at")]
    known = [*((name, view[name]) for name in names), *seen, ("tested", view["test_in_words"])]
    shown = [facts(known), heading("Settings")]
    shown.append(table(("setting", "value", ""), map(_setting_row, view["settings"]), "None.", wrap=("value",)))
    if view["caller"]:
        pairs = [(name.replace("_", " "), _caller_value(value, zone)) for name, value in view["caller"].items()]
        shown += [heading("Web Connector"), facts(pairs)]
    return shown


def _setting_row(setting: View) -> tuple[object, ...]:
    if setting["secret"]:
        return setting["name"], "(set)" if setting["given"] else "(not set)", "(secret)"
    return setting["name"], setting["value"], "(assumed)" if setting["assumed"] else ""


def _caller_value(value: Any, zone: str) -> object:
    if isinstance(value, dict):
        return f"{value['message']} {value['hint']}".strip()
    return instant(value, zone) if hasattr(value, "astimezone") else value


@app.command(epilog=examples("connection settings", "connection settings pocketadvantage"))
def settings(
    ctx: typer.Context,
    connector: Annotated[
        str | None, typer.Argument(metavar="CONNECTOR", help="The connector; none lists them.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the settings of a connector. Without a name it lists the connectors."""
    context = state_of(ctx).context
    if connector is None:
        kinds = [{"name": name, "title": kind.title} for name, kind in sorted(context.connectors.items())]
        rows = [(kind["name"], kind["title"]) for kind in kinds]
        output(kinds, as_json, table(("connector", "system"), rows, "There is no connector."))
        return
    declared = context.connector(connector).settings
    views = [
        {
            "name": setting.name,
            "help": setting.help,
            "default": setting.default,
            "required": setting.default is None,
            "choices": list(setting.choices),
            "minimum": setting.minimum,
            "maximum": setting.maximum,
            "secret": setting.secret,
            "assumed": setting.assumed,
        }
        for setting in declared
    ]
    columns = ("setting", "default", "", "help")
    output(
        views, as_json, table(columns, map(_declared_row, declared), "It has no settings.", wrap=("default", "help"))
    )


def _declared_row(setting: Setting) -> tuple[object, ...]:
    marks = {"required": setting.default is None, "secret": setting.secret, "assumed": setting.assumed}
    words = ", ".join(word for word, is_so in marks.items() if is_so)
    choices = f" One of: {', '.join(setting.choices)}." if setting.choices else ""
    fits = f" A number {bounds(setting)}." if bounds(setting) else ""
    return setting.name, setting.default, f"({words})" if words else "", setting.help + choices + fits
