"""Flows, connections and companies taken out of use. Their ledger and history are kept, so that no order goes twice.

A removed row keeps its id and is called by a name that frees its own. What comes back (a flow between the same things,
a company with the same cust_id) is the row of before, with its ledger.
"""

from __future__ import annotations

from routebooks.engine import sessions
from routebooks.engine.context import Context
from routebooks.errors import ConfigError
from routebooks.store import alerts, audit, companies, exchange, flows, ledger, rejected, runs
from routebooks.store.companies import CompanyRow, ConnectionRow, name_of_removed
from routebooks.store.database import Tx
from routebooks.store.flows import Flow
from routebooks.store.ledger import OrderState
from routebooks.store.runs import State

_SHOWN = 5


def remove_flow(ctx: Context, tx: Tx, flow: Flow, actor: str) -> None:
    """Take a flow out of use. Raises ConfigError while a run of it is under way or an order of it may be."""
    _refuse_at_work(tx, [flow])
    now = ctx.now()
    for run in runs.held_runs(tx, flow.id):
        runs.change_run(tx, run.id, state=State.CANCELLED, finished_at=now, waits_for="")
    rejected.resolve_flow(tx, flow.id, now)
    flows.change_flow(
        tx, flow.id, name=name_of_removed(flow.name, flow.id), enabled=False, schedule=None, removed_at=now
    )
    alerts.forget(tx, flow.company_id, f"flow {flow.name}")
    audit.note(tx, company_id=flow.company_id, actor=actor, action="remove flow", subject=flow.name, now=now)


def remove_connection(ctx: Context, tx: Tx, row: ConnectionRow, actor: str) -> None:
    """Take a connection out of use; its secrets and log-in are gone. Raises ConfigError while a flow uses it."""
    users = [flow.name for flow in flows.flows_of(tx, row.company_id) if row.id in (flow.source_id, flow.target_id)]
    if users:
        raise ConfigError(
            f"{row.name} is used by {_listed(users)}.",
            hint="Remove these flows first (`routebooks flow remove`), or the whole company.",
            code="connection-in-use",
        )
    now = ctx.now()
    sessions.drop(ctx, tx, row.id)
    exchange.drop_all(tx, row.id, now)
    companies.remove_caller(tx, row.id)
    companies.change_connection(
        tx, row.id, name=name_of_removed(row.name, row.id), secrets=ctx.vault.seal({}), removed_at=now
    )
    alerts.forget(tx, row.company_id, f"connection {row.name}")
    audit.note(tx, company_id=row.company_id, actor=actor, action="remove connection", subject=row.name, now=now)


def remove_company(ctx: Context, tx: Tx, row: CompanyRow, actor: str) -> None:
    """Take a company out of use, with its flows, connections and alerts. Raises ConfigError while one is at work."""
    used = flows.flows_of(tx, row.id)
    _refuse_at_work(tx, used)
    for flow in used:
        remove_flow(ctx, tx, flow, actor)
    for connection in companies.connections_of(tx, row.id):
        remove_connection(ctx, tx, connection, actor)
    for alert in alerts.all_alerts(tx):
        if alert.company_id == row.id:
            alerts.remove_alert(tx, alert.id)
    alerts.forget(tx, row.id)
    now = ctx.now()
    companies.change_company(tx, row.id, name=name_of_removed(row.name, row.id), removed_at=now)
    audit.note(tx, company_id=row.id, actor=actor, action="remove company", subject=row.name, now=now)


def _refuse_at_work(tx: Tx, used: list[Flow]) -> None:
    """Raises ConfigError while a run of one of the flows is active, or QuickBooks may hold an order that we await."""
    active = [f"{run.id} ({flow.name})" for flow in used for run in runs.active_runs(tx, flow.id)]
    if active:
        raise ConfigError(
            f"A run is still under way: {_listed(active)}.",
            hint="Let it end, or end it with `routebooks run cancel`.",
            code="runs-active",
        )
    sending = [
        line.order.key
        for flow in used
        for line in ledger.list_orders(tx, flow_id=flow.id, states=[OrderState.SENDING], limit=_SHOWN + 1)
    ]
    if sending:
        raise ConfigError(
            f"An order is on its way, and only QuickBooks can tell what became of it: {_listed(sending)}.",
            hint="Let the Web Connector run until `routebooks order list --state sending` is empty.",
            code="orders-sending",
        )


def _listed(names: list[str]) -> str:
    more = " and more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
