"""Things by the names and numbers that a person types, with what they may have meant."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from routebooks.cli.words import quoted
from routebooks.engine.flows import ALL, NIGHT
from routebooks.errors import ConfigError
from routebooks.store import companies, deliveries, flows, ledger, rejected, runs
from routebooks.store.companies import CompanyRow, ConnectionRow
from routebooks.store.database import Tx
from routebooks.store.deliveries import DeliveryLine
from routebooks.store.flows import Flow
from routebooks.store.ledger import OrderLine
from routebooks.store.rejected import RejectedLine
from routebooks.store.runs import RunLine

_SHOWN = 10


def unknown(kind: str, name: str, known: Sequence[str], none_yet: str, where: str = "") -> ConfigError:
    """There is nothing of this name: what comes near it, else all there is, else how to begin."""
    return ConfigError(
        f"There is no {kind} {name!r}{where}.", hint=_meant(name, known) or none_yet, code=f"{kind}-unknown"
    )


def _meant(name: str, known: Sequence[str]) -> str:
    by_lower = {item.casefold(): item for item in known}
    near = [by_lower[item] for item in get_close_matches(name.casefold(), by_lower)]
    if near:
        return f"Did you mean {' or '.join(map(repr, near))}?"
    more = " and more" if len(known) > _SHOWN else ""
    return f"There are: {', '.join(known[:_SHOWN])}{more}." if known else ""


def flow_named(tx: Tx, company_id: int | None, name: str | None) -> None:
    """That there is a flow of this name, at this company or at any. Raises ConfigError."""
    known = list(dict.fromkeys(flow.name for flow in flows.flows_of(tx, company_id)))
    if name is not None and name not in known:
        raise unknown("flow", name, known, "`routebooks flow add` makes them.")


def company(tx: Tx, name: str) -> CompanyRow:
    """The company of this name. Raises ConfigError."""
    found = companies.company_named(tx, name)
    if found is None or found.removed_at is not None:
        known = [row.name for row in companies.all_companies(tx)]
        raise unknown("company", name, known, "`routebooks company add` makes the first one.")
    return found


def company_id(tx: Tx, name: str | None) -> int | None:
    """The id of a company, where one is named at all; also of a removed one, to see what it did. Raises ConfigError."""
    if name is None:
        return None
    found = companies.company_named(tx, name)
    return found.id if found is not None else company(tx, name).id


def connection(tx: Tx, of: CompanyRow, name: str) -> ConnectionRow:
    """The company's connection of this name. Raises ConfigError."""
    found = companies.connection_named(tx, of.id, name)
    if found is None or found.removed_at is not None:
        known = [row.name for row in companies.connections_of(tx, of.id)]
        hint = f"`routebooks connection add {quoted(of.name)} ...` makes one."
        raise unknown("connection", name, known, hint, f" at {of.name}")
    return found


def flow(tx: Tx, of: CompanyRow, name: str, *, also: Sequence[str] = ()) -> Flow:
    """The company's flow of this name; `also` are words that stand for several. Raises ConfigError."""
    found = flows.flow_named(tx, of.id, name)
    if found is None or found.removed_at is not None:
        known = [row.name for row in flows.flows_of(tx, of.id)]
        hint = f"`routebooks flow add {quoted(of.name)} ...` makes them."
        raise unknown("flow", name, [*known, *also] if known else [], hint, f" at {of.name}")
    return found


def chosen_flows(tx: Tx, of: CompanyRow, name: str) -> list[Flow]:
    """The flow of this name; all flows, or those that make files, for the words of it. Raises ConfigError."""
    if name not in (ALL, NIGHT):
        return [flow(tx, of, name, also=(NIGHT, ALL))]
    found = [each for each in flows.flows_of(tx, of.id) if name == ALL or each.direction == "out"]
    if not found:
        raise ConfigError(
            f"{of.name} has no flow of that kind.", hint="`routebooks flow add` makes them.", code="flow-unknown"
        )
    return found


def run(tx: Tx, run_id: int) -> RunLine:
    """The run of this number. Raises ConfigError."""
    found = runs.find_run(tx, run_id)
    if found is None:
        raise _number("run", run_id, "routebooks run list")
    return RunLine(found, companies.company(tx, found.company_id).name, flows.flow(tx, found.flow_id).name)


def rejected_record(tx: Tx, rejected_id: int) -> RejectedLine:
    """The rejected record of this number. Raises ConfigError."""
    found = rejected.list_rejected(tx, rejected.Chosen(rejected_id=rejected_id, state=None))
    if not found:
        raise _number("rejected record", rejected_id, "routebooks rejected list --all")
    return found[0]


def delivery(tx: Tx, delivery_id: int) -> DeliveryLine:
    """The delivery of this number. Raises ConfigError."""
    found = deliveries.find_delivery(tx, delivery_id)
    if found is None:
        raise _number("file", delivery_id, "routebooks file list")
    return found


def order(tx: Tx, of: CompanyRow, key: str) -> OrderLine:
    """The company's order of this key, the newest where two flows read the same key. Raises ConfigError."""
    found = ledger.list_orders(tx, company_id=of.id, key=key, limit=1)
    if not found:
        raise ConfigError(
            f"There is no order {key!r} at {of.name}.",
            hint=f"`routebooks order list --company {quoted(of.name)}` shows those that were read.",
            code="order-unknown",
        )
    return found[0]


def _number(kind: str, number: int, command: str) -> ConfigError:
    return ConfigError(
        f"There is no {kind} {number}.", hint=f"`{command}` shows them.", code=f"{kind.replace(' ', '-')}-unknown"
    )
