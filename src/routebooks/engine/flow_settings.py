"""What can be set of a flow that makes files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from routebooks.connectors.base import Setting
from routebooks.engine import connections
from routebooks.errors import ConfigError
from routebooks.store import flows as store
from routebooks.store.database import Tx
from routebooks.store.flows import Flow

SETTINGS = (
    Setting(
        name="guard_percent",
        help="A whole file with less than this share of the last one's records is held until a person releases it.",
        default=70,
        minimum=0,
        maximum=100,
    ),
    Setting(
        name="start_date",
        help="An incremental flow begins with what changed since this day (2026-01-31); an orders flow takes no new "
        "order that was last changed before it. Empty: with everything.",
        default="",
    ),
    Setting(
        name="resend_days",
        help="An incremental flow sends what changed in so many last days every time, whether it was sent or not.",
        default=0,
        minimum=0,
        maximum=80,
    ),
    Setting(
        name="empty_night",
        help="What a night without changes does: leave the last file where it is, or send a file without records.",
        default="leave",
        choices=("leave", "send"),
    ),
)


def settings_of(flow: Flow) -> tuple[Setting, ...]:
    """The settings that say something about this flow: only files that are made whole are guarded."""
    if flow.direction == "back":
        names = {"start_date"}
    else:
        names = {"start_date", "resend_days", "empty_night"} if flow.incremental else {"guard_percent"}
    return tuple(setting for setting in SETTINGS if setting.name in names)


def change_settings(tx: Tx, flow: Flow, given: Mapping[str, str], zone: str) -> dict[str, Any]:
    """Set settings of a flow from what was typed; the others stay. Raises ConfigError."""
    declared = {setting.name: setting for setting in settings_of(flow)}
    changed = dict(flow.settings)
    for name, text in given.items():
        if name not in declared:
            raise ConfigError(
                f"The flow {flow.name} has no setting {name!r}.",
                hint=f"Its settings: {', '.join(declared)}.",
                code="setting-unknown",
            )
        changed[name] = _start(text, zone) if name == "start_date" else connections.typed(declared[name], text)
    store.change_flow(tx, flow.id, settings=changed)
    return changed


def _start(text: str, zone: str) -> str:
    """The first instant of a day of the company."""
    if not text:
        return ""
    try:
        return datetime.combine(date.fromisoformat(text), time.min, ZoneInfo(zone)).isoformat()
    except ValueError as error:
        raise ConfigError(
            f"{text!r} is not a day.", hint="Write it as 2026-01-31, or empty.", code="setting-not-a-day"
        ) from error
