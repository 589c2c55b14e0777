"""Alerts: a trouble is told once, told again when it becomes another, and told when it is well."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from routebooks.engine.context import Context, as_json
from routebooks.engine.health import Trouble, troubles
from routebooks.engine.words import count
from routebooks.errors import ConfigError, RoutebooksError
from routebooks.store import alerts as store
from routebooks.store import companies
from routebooks.store.alerts import AlertRow, Told

#: sends a message to an address: title, then body. Raises TransientError, ConfigError
Send = Callable[[str, str, str], None]

ADDRESS = "address"


@dataclass(frozen=True)
class News:
    """What an alert has not told yet, and what it will have told then."""

    begun: tuple[Trouble, ...]
    well: tuple[Told, ...]
    told: tuple[Told, ...]


def news(told: Sequence[Told], now: Sequence[Trouble]) -> News:
    """What to tell of what there is now. The same trouble again, or less of it, is no news."""
    before = {(each.company_id, each.subject): each for each in told}
    there = {(each.company_id, each.subject) for each in now}
    begun = []
    for each in now:
        known = before.get((each.company_id, each.subject))
        if known is None or known.kind != each.kind or known.amount < each.amount:
            begun.append(each)
    return News(
        begun=tuple(begun),
        well=tuple(each for key, each in before.items() if key not in there),
        told=tuple(Told(each.company_id, each.subject, each.kind, each.amount) for each in now),
    )


def message(found: News, names: Mapping[int, str]) -> tuple[str, str]:
    """Title and body of the message that tells the news."""
    both: tuple[Trouble | Told, ...] = (*found.begun, *found.well)
    concerned = list(dict.fromkeys(names[each.company_id] for each in both))
    where = concerned[0] if len(concerned) == 1 else f"{len(concerned)} companies"
    what = f"{count(len(found.begun), 'thing')} to look at" if found.begun else "well again"
    lines = []
    for name in concerned:
        lines.append(name)
        lines += [f"! {each.subject}: {each.needs}" for each in found.begun if names[each.company_id] == name]
        lines += [f"+ {each.subject}: well again" for each in found.well if names[each.company_id] == name]
    return f"Routebooks, {where}: {what}", "\n".join(lines)


def look(ctx: Context, send: Send) -> int:
    """Tell every alert its news; how many messages went out. One that cannot be sent is tried again the next time."""
    with ctx.store.read() as tx:
        rows = store.all_alerts(tx)
        if not rows:
            return 0
        everyone = companies.all_companies(tx)
        there = [trouble for company in everyone for trouble in troubles(ctx, tx, company)]
        names = {company.id: company.name for company in companies.all_companies(tx, removed=True)}
    return sum(_tell(ctx, send, row, there, names) for row in rows)


def _tell(ctx: Context, send: Send, row: AlertRow, there: Sequence[Trouble], names: Mapping[int, str]) -> bool:
    with ctx.store.read() as tx:
        told = store.told_by(tx, row.id)
    found = news(told, [each for each in there if row.company_id in (None, each.company_id)])
    problem = None
    if found.begun or found.well:
        try:
            send(_address(ctx, row), *message(found, names))
        except RoutebooksError as error:
            problem = as_json(error.problem)
    elif set(found.told) == set(told):
        return False
    with ctx.store.begin() as tx:
        if store.alert_named(tx, row.name) is not None:
            store.change_alert(tx, row.id, problem=problem)
            if problem is None:
                store.keep_told(tx, row.id, found.told, ctx.now())
    return problem is None and bool(found.begun or found.well)


def send_test(ctx: Context, send: Send, name: str) -> None:
    """Send a message that says it is a test. Raises ConfigError for an unknown alert, and what `send` raises."""
    with ctx.store.read() as tx:
        row = find(store.alert_named(tx, name), name)
    send(_address(ctx, row), "Routebooks: a test", f"The alert {row.name} works. Nothing is wrong.")
    with ctx.store.begin() as tx:
        store.change_alert(tx, row.id, problem=None)


def find(row: AlertRow | None, name: str) -> AlertRow:
    """The alert, if there is one. Raises ConfigError."""
    if row is None:
        raise ConfigError(
            f"There is no alert {name!r}.", hint="`routebooks alert list` shows them.", code="alert-unknown"
        )
    return row


def _address(ctx: Context, row: AlertRow) -> str:
    return ctx.vault.open(row.address)[ADDRESS]
