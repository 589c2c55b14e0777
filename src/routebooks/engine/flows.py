"""Flows: the pre-built ones of a company, and the map that each of them uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from routebooks.connectors.base import (
    CallingSource,
    DocumentTarget,
    FileTarget,
    OrderSource,
    PulledSource,
    Setting,
    Source,
)
from routebooks.engine import connections, extracts
from routebooks.engine.context import Context
from routebooks.errors import ConfigError
from routebooks.mapping.check import check_map
from routebooks.mapping.model import Map, load_map
from routebooks.mapping.templates import load_template
from routebooks.records import Stream, Target
from routebooks.store import companies
from routebooks.store import flows as store
from routebooks.store.database import Tx
from routebooks.store.flows import Flow

DAY = 24 * 60


@dataclass(frozen=True)
class FlowTemplate:
    """A flow that comes with the product."""

    name: str
    direction: str
    stream: str
    target: str
    map_name: str
    incremental: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)


#: QuickBooks to PocketAdvantage: all of them, every night (the seed's first process map), and orders back (its second)
TEMPLATES = (
    FlowTemplate("codes", "out", "codes", "detail", "codes"),
    FlowTemplate("items", "out", "items", "item", "items"),
    FlowTemplate("customers", "out", "customers_with_past_due", "customer", "customers"),
    FlowTemplate("invoices", "out", "transactions", "invoice", "invoices", incremental=True),
    FlowTemplate("orders", "back", "orders", "sales_orders", "orders", incremental=True),
)


#: what can be set of a flow that makes files
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


def change_settings(tx: Tx, flow: Flow, given: Mapping[str, str], zone: str) -> dict[str, Any]:
    """Set settings of a flow from what was typed; the others stay. Raises ConfigError."""
    declared = {setting.name: setting for setting in SETTINGS}
    changed = dict(flow.settings)
    for name, text in given.items():
        if name not in declared:
            raise ConfigError(
                f"A flow has no setting {name!r}.", hint=f"Its settings: {', '.join(declared)}.", code="setting-unknown"
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


def map_of(flow: Flow) -> Map:
    """The flow's own map, or the template it began with. Raises ConfigError."""
    return load_map(flow.map_text) if flow.map_text is not None else load_template(flow.map_name)


def add(
    ctx: Context, tx: Tx, *, company_id: int, template: FlowTemplate, source: str, target: str, now: datetime
) -> int:
    """A pre-built flow between two connections of a company; its id. Raises ConfigError when they do not fit it."""
    source_row, target_row = (_named(tx, company_id, name) for name in (source, target))
    flow_id = store.add_flow(
        tx,
        company_id=company_id,
        name=template.name,
        direction=template.direction,
        source_id=source_row.id,
        target_id=target_row.id,
        stream=template.stream,
        target=template.target,
        map_name=template.map_name,
        enabled=True,
        incremental=template.incremental,
        settings=dict(template.settings),
        schedule=None,
        late_after_minutes=4 * 60,
        expires_after_minutes=DAY,
        created_at=now,
    )
    check(ctx, tx, store.flow(tx, flow_id))
    return flow_id


def _named(tx: Tx, company_id: int, name: str) -> companies.ConnectionRow:
    row = companies.connection_named(tx, company_id, name)
    if row is None:
        raise ConfigError(
            f"The company has no connection {name!r}.",
            hint="`routebooks connection list` shows them; `routebooks connection add` makes one.",
            code="connection-unknown",
        )
    return row


def check(ctx: Context, tx: Tx, flow: Flow) -> None:
    """That both sides can do what the flow asks and that its map fits them. Raises ConfigError."""
    stream, target = sides(ctx, tx, flow)
    problems = check_map(map_of(flow), stream.fields, target, ("Company.CustId", "Company.Name"))
    if problems:
        first = problems[0]
        raise ConfigError(first.message, hint=first.hint, code=first.code, detail=f"{len(problems)} in the map")


def sides(ctx: Context, tx: Tx, flow: Flow) -> tuple[Stream, Target]:
    """What the flow reads and what it fills. Raises ConfigError when a connection cannot be that side."""
    source = ctx.connection(tx, flow.source_id)
    target = ctx.connection(tx, flow.target_id)
    if flow.direction == "back":
        order_source = ctx.able(source.connector, OrderSource)
        documents = ctx.able(target.connector, DocumentTarget)
        return order_source.order_fields(source), documents.targets()[flow.target]
    connector = ctx.connector(source.connector)
    if not isinstance(connector, CallingSource | PulledSource):
        ctx.able(source.connector, PulledSource)
    stream = extracts.stream_of(ctx.able(source.connector, Source), flow.stream)
    return stream, ctx.able(target.connector, FileTarget).layouts(target)[flow.target]
