"""Flows: the pre-built ones of a company, and the map that each of them uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from routebooks.connectors.base import (
    CallingSource,
    DocumentTarget,
    FileTarget,
    OrderSource,
    PulledSource,
    Source,
)
from routebooks.engine import extracts
from routebooks.engine.context import Context
from routebooks.errors import ConfigError
from routebooks.mapping.check import check_map
from routebooks.mapping.model import Map, load_map
from routebooks.mapping.templates import load_template
from routebooks.records import Stream, Target
from routebooks.store import alerts, audit, companies
from routebooks.store import flows as store
from routebooks.store.database import Tx
from routebooks.store.flows import Flow

DAY = 24 * 60

#: in place of the id of what is not in the database yet
_NEW = 0

#: in place of a flow's name: all flows of a company, or the files that belong together
ALL = "all"
NIGHT = "night"


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

    @property
    def roles(self) -> tuple[str, str]:
        """Which connections of a company it goes between."""
        return ("quickbooks", "files") if self.direction == "out" else ("orders", "quickbooks")

    def makes(self, flow: Flow) -> bool:
        """Whether a flow is of this template, whatever it is called."""
        return (flow.direction, flow.stream, flow.target) == (self.direction, self.stream, self.target)


#: QuickBooks to PocketAdvantage: all of them, every night (the seed's first process map), and orders back (its second)
TEMPLATES = (
    FlowTemplate("codes", "out", "codes", "detail", "codes"),
    FlowTemplate("items", "out", "items", "item", "items"),
    FlowTemplate("customers", "out", "customers_with_past_due", "customer", "customers"),
    FlowTemplate("invoices", "out", "transactions", "invoice", "invoices", incremental=True),
    FlowTemplate("orders", "back", "orders", "sales_orders", "orders", incremental=True),
)


def map_of(flow: Flow) -> Map:
    """The flow's own map, or the template it began with. Raises ConfigError."""
    return load_map(flow.map_text) if flow.map_text is not None else load_template(flow.map_name)


def add(tx: Tx, *, company_id: int, template: FlowTemplate, source: str, target: str, now: datetime) -> int:
    """A pre-built flow between two connections of a company; its id. Raises ConfigError for an unknown connection.

    Where the company had this flow before and removed it, it comes back with its map, its settings and its ledger, so
    that no order goes twice; all else begins at the start. Whether all fits together, `check_new` says before.
    """
    flow = _planned(tx, company_id, template, source, target, now)
    values = asdict(flow)
    if values.pop("id") == _NEW:
        return store.add_flow(tx, **values)
    store.forget(tx, flow.id)
    store.change_flow(tx, flow.id, **values)
    if template.direction == "back":
        store.rewind(tx, flow.source_id, now)
    return flow.id


def _planned(tx: Tx, company_id: int, template: FlowTemplate, source: str, target: str, now: datetime) -> Flow:
    """A pre-built flow as it will be: the removed one of before, or one that has no id yet."""
    before = next((flow for flow in store.removed_flows(tx, company_id) if template.makes(flow)), None)
    return replace(
        before or _new(company_id, template, now),
        name=template.name,
        source_id=_named(tx, company_id, source).id,
        target_id=_named(tx, company_id, target).id,
        enabled=True,
        removed_at=None,
    )


def _new(company_id: int, template: FlowTemplate, now: datetime) -> Flow:
    return Flow(
        id=_NEW,
        company_id=company_id,
        name=template.name,
        direction=template.direction,
        source_id=_NEW,
        target_id=_NEW,
        stream=template.stream,
        target=template.target,
        map_name=template.map_name,
        map_text=None,
        enabled=True,
        incremental=template.incremental,
        settings=dict(template.settings),
        schedule=None,
        late_after_minutes=4 * 60,
        expires_after_minutes=DAY,
        created_at=now,
    )


@dataclass(frozen=True)
class Added:
    """What became of the pre-built flows: new ones, those of before with their ledger, and those that were there."""

    new: list[str] = field(default_factory=list)
    back: list[str] = field(default_factory=list)
    kept: list[Flow] = field(default_factory=list)
    #: of those that were there, the ones that go between other connections than those named now
    elsewhere: list[Flow] = field(default_factory=list)


def check_new(ctx: Context, tx: Tx, company_id: int, roles: Mapping[str, str]) -> None:
    """That the flows which `add_all` would add fit their connections. Raises ConfigError, TransientError.

    Apart from the adding: what an orders query has is asked of its database, and who writes must not wait for that.
    """
    _check_roles(ctx, tx, company_id, {role: _named(tx, company_id, name) for role, name in roles.items()})
    there = store.flows_of(tx, company_id)
    for template in TEMPLATES:
        source, target = (roles.get(role) for role in template.roles)
        if source is not None and target is not None and not any(map(template.makes, there)):
            check(ctx, tx, _planned(tx, company_id, template, source, target, ctx.now()))


def add_all(ctx: Context, tx: Tx, company_id: int, roles: Mapping[str, str], actor: str) -> Added:
    """All pre-built flows of a company that it does not have. Raises ConfigError for a connection in the wrong role.

    `roles` are the names of connections for quickbooks, files and, for the way back, orders.
    """
    rows = {role: _named(tx, company_id, name) for role, name in roles.items()}
    _check_roles(ctx, tx, company_id, rows)
    there, removed = store.flows_of(tx, company_id), store.removed_flows(tx, company_id)
    added, now = Added(), ctx.now()
    for template in TEMPLATES:
        source, target = (rows.get(role) for role in template.roles)
        known = next((flow for flow in there if template.makes(flow)), None)
        if known is not None:
            added.kept.append(known)
        if source is None or target is None:
            continue
        if known is None:
            ends = {"source": source.name, "target": target.name}
            add(tx, company_id=company_id, template=template, **ends, now=now)
            audit.note(tx, company_id=company_id, actor=actor, action="add flow", subject=template.name, now=now)
            (added.back if any(map(template.makes, removed)) else added.new).append(template.name)
        elif (known.source_id, known.target_id) != (source.id, target.id):
            added.elsewhere.append(known)
    return added


#: what a connection has to be able to do in its role
_ROLES: Mapping[str, type[Any]] = {"quickbooks": Source, "files": FileTarget, "orders": OrderSource}


def _check_roles(ctx: Context, tx: Tx, company_id: int, rows: Mapping[str, companies.ConnectionRow]) -> None:
    for role, row in rows.items():
        kind = ctx.connector(row.connector)
        if isinstance(kind, _ROLES[role]):
            continue
        fit = [
            other.name
            for other in companies.connections_of(tx, company_id)
            if isinstance(ctx.connector(other.connector), _ROLES[role])
        ]
        raise ConfigError(
            f"{row.name} leads to {kind.title}; it cannot be --{role}.",
            hint=f"Did you mean --{role} {' or '.join(fit)}?"
            if fit
            else "`routebooks connection add` makes one that can.",
            code="connector-unfit",
        )


def rename(ctx: Context, tx: Tx, flow: Flow, name: str, actor: str) -> None:
    """Give a flow another name. Raises ConfigError for one that is taken, or that stands for several flows."""
    if name in (ALL, NIGHT):
        raise ConfigError(
            f"A flow cannot be called {name!r}.", hint="The word stands for several flows.", code="flow-name-reserved"
        )
    if store.flow_named(tx, flow.company_id, name) is not None:
        raise ConfigError(
            f"The company has a flow {name!r} already.",
            hint="`routebooks flow list` shows it; take another name.",
            code="flow-exists",
        )
    store.change_flow(tx, flow.id, name=name)
    alerts.forget(tx, flow.company_id, f"flow {flow.name}")
    audit.note(
        tx, company_id=flow.company_id, actor=actor, action="rename flow", subject=flow.name, now=ctx.now(), name=name
    )


def refuse_removed(flow: Flow) -> None:
    """Raises ConfigError for a flow that was removed."""
    if flow.removed_at is not None:
        raise ConfigError(
            f"The flow {flow.name} was removed.", hint="`routebooks flow add` brings it back.", code="flow-removed"
        )


def _named(tx: Tx, company_id: int, name: str) -> companies.ConnectionRow:
    row = companies.connection_named(tx, company_id, name)
    if row is None or row.removed_at is not None:
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
