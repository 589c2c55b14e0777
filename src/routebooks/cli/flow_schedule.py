"""flow schedule: when flows run by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from routebooks.cli import find
from routebooks.cli.output import output, table
from routebooks.cli.params import CompanyName, Json, examples
from routebooks.cli.state import ACTOR, state_of
from routebooks.cli.views import View
from routebooks.cli.words import next_times
from routebooks.engine import schedule as schedules
from routebooks.engine.window import parse_window
from routebooks.errors import ConfigError
from routebooks.store import audit, flows
from routebooks.store.flows import Flow

app = typer.Typer()


class Missed(StrEnum):
    """What becomes of a run that was missed."""

    ONCE = "once"
    SKIP = "skip"


@app.command(
    epilog=examples(
        "flow schedule Harbor night --at 02:00",
        "flow schedule Harbor orders --every 15 --between 06:00-20:00 --days mon,tue,wed,thu,fri",
        "flow schedule Harbor orders --cron '*/20 5-21 * * 1-6' --missed skip",
        "flow schedule Harbor items --never",
        "flow schedule Harbor items",
    )
)
def schedule(
    ctx: typer.Context,
    company: CompanyName,
    flow: Annotated[
        str, typer.Argument(metavar="FLOW", help="Name of the flow; night stands for all that make files, all for all.")
    ],
    at: Annotated[str | None, typer.Option(metavar="HH:MM", help="At this time of the company.")] = None,
    every: Annotated[int | None, typer.Option(metavar="MINUTES", help="Every so many minutes.")] = None,
    between: Annotated[
        str | None, typer.Option(metavar="HH:MM-HH:MM", help="With --every: only from one time to the other.")
    ] = None,
    days: Annotated[
        str | None, typer.Option(metavar="DAYS", help="With --at or --every: only on these days, as mon,tue,fri.")
    ] = None,
    cron: Annotated[
        str | None, typer.Option(metavar="FIELDS", help="By five cron fields, in the company's time.")
    ] = None,
    never: Annotated[bool, typer.Option("--never", help="Only by hand.")] = False,
    missed: Annotated[
        Missed,
        typer.Option(help="What was missed while the server or the Web Connector was away: run it once, or skip it."),
    ] = Missed.ONCE,
    as_json: Json = False,
) -> None:
    """Set when a flow runs by itself, and show its next times. Without an option, only show."""
    context = state_of(ctx).context
    now = context.now()
    made = _schedule(at, every, between, days, cron, never, missed)
    with context.store.begin() as tx:
        owner = find.company(tx, company)
        chosen = find.chosen_flows(tx, owner, flow)
        if made is not _AS_IT_IS:
            kept = schedules.begin(made, now) if made is not None else None
            for each in chosen:
                flows.change_flow(tx, each.id, schedule=kept)
                audit.note(
                    tx,
                    company_id=owner.id,
                    actor=ACTOR,
                    action="schedule flow",
                    subject=each.name,
                    now=now,
                    schedule=kept,
                )
        views = [_view(flows.flow(tx, each.id), owner.time_zone, now) for each in chosen]
    wide = ("next times",)
    rows = [
        (each["name"], each["schedule_in_words"], next_times(each["next"], owner.time_zone) or "none") for each in views
    ]
    output(views, as_json, table(("flow", "schedule", *wide), rows, "", wrap=wide))


def _view(flow: Flow, zone: str, now: datetime) -> View:
    """A flow's schedule and its next five times; none while it is off."""
    runs_itself = flow.enabled and flow.schedule is not None
    return {
        "name": flow.name,
        "enabled": flow.enabled,
        "schedule": flow.schedule,
        "schedule_in_words": schedules.words(flow.schedule) + ("" if flow.enabled else " (the flow is off)"),
        "next": schedules.upcoming(flow.schedule, zone, now) if runs_itself and flow.schedule else [],
    }


#: no schedule was given: it stays
_AS_IT_IS: Mapping[str, Any] = {}


def _schedule(
    at: str | None,
    every: int | None,
    between: str | None,
    days: str | None,
    cron: str | None,
    never: bool,
    missed: Missed,
) -> Mapping[str, Any] | None:
    """The schedule that the options say; None: by hand. Raises ConfigError for options that do not go together."""
    given = (at is not None) + (every is not None) + (cron is not None) + never
    if given > 1 or (given == 0 and (between or days)):
        raise ConfigError(
            "A flow has one schedule.", hint="Give one of --at, --every, --cron and --never.", code="schedule-not-one"
        )
    if (between and every is None) or (days and at is None and every is None):
        raise ConfigError(
            "--between goes with --every, and --days with --at or --every.",
            hint="Leave it out, or say it with --cron.",
            code="schedule-unfit",
        )
    wanted = days.split(",") if days else ()
    if at is not None:
        return schedules.at(at, wanted, missed=missed)
    if every is not None:
        return schedules.every(every, _pair(between) if between else None, wanted, missed=missed)
    if cron is not None:
        return schedules.cron(cron, missed=missed)
    return None if never else _AS_IT_IS


def _pair(between: str) -> tuple[str, str]:
    window = parse_window(between)
    if window is None:
        raise ConfigError(f"{between!r} is not two times.", hint="Write it as 06:00-20:00.", code="window-unreadable")
    return window["from"], window["to"]
