"""Connections: made from what a person typed, tested, paused, and bound to a company file."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from routebooks.connectors.base import CallingSource, Check, Connector, Preparing, Setting
from routebooks.engine import one_reader
from routebooks.engine.context import Context
from routebooks.engine.window import opens_in
from routebooks.engine.words import span
from routebooks.errors import AGAIN, ConfigError, Problem
from routebooks.store import alerts, audit, flows, ledger, workers
from routebooks.store import companies as store
from routebooks.store import runs as run_store
from routebooks.store.companies import Caller, ConnectionRow
from routebooks.store.database import Tx
from routebooks.store.runs import State

SILENT_AFTER_MINUTES = 24 * 60
#: the code of a flow whose system takes no documents of its kind
NO_DOCUMENTS = "no-sales-orders"


@dataclass(frozen=True)
class Added:
    """A new connection; for a system that calls us also its log-in, whose password is shown this once."""

    id: int
    user_name: str | None = None
    password: str | None = None


def add(
    ctx: Context, tx: Tx, *, company_id: int, name: str, connector: str, given: Mapping[str, str], actor: str
) -> Added:
    """A connection from what was typed. Raises ConfigError for a name that is taken and settings that do not fit."""
    kind = ctx.connector(connector)
    _check_name(tx, company_id, name)
    settings, secrets = _sort(kind, given)
    one_reader.check(ctx, tx, kind, {**settings, **secrets})
    now = ctx.now()
    connection_id = store.add_connection(
        tx,
        company_id=company_id,
        name=name,
        connector=connector,
        settings=settings,
        secrets=ctx.vault.seal(secrets),
        now=now,
    )
    audit.note(tx, company_id=company_id, actor=actor, action="add connection", subject=name, now=now)
    if not isinstance(kind, CallingSource):
        return Added(connection_id)
    # A user name of its own for every connection: shared ones have mixed two companies' invoices (reference).
    user_name, password = f"rb-{ctx.new_id(8)}", ctx.new_id(22)
    store.add_caller(
        tx,
        connection_id=connection_id,
        user_name=user_name,
        password_hash=ctx.vault.hash(password),
        file_id=f"{{{uuid.uuid4()}}}",
        silent_after_minutes=SILENT_AFTER_MINUTES,
    )
    return Added(connection_id, user_name, password)


def rename(ctx: Context, tx: Tx, row: ConnectionRow, name: str, actor: str) -> None:
    """Give a connection another name. Raises ConfigError for one that is taken."""
    _check_name(tx, row.company_id, name)
    store.change_connection(tx, row.id, name=name)
    alerts.forget(tx, row.company_id, f"connection {row.name}")
    audit.note(
        tx,
        company_id=row.company_id,
        actor=actor,
        action="rename connection",
        subject=row.name,
        now=ctx.now(),
        name=name,
    )


def _check_name(tx: Tx, company_id: int, name: str) -> None:
    if store.connection_named(tx, company_id, name) is not None:
        raise ConfigError(
            f"The company has a connection {name!r} already.",
            hint="`routebooks connection list` shows it; take another name.",
            code="connection-exists",
        )


def change(ctx: Context, tx: Tx, row: ConnectionRow, given: Mapping[str, str], actor: str) -> None:
    """Set settings of a connection anew; the others stay. Raises ConfigError."""
    kind = ctx.connector(row.connector)
    settings, secrets = _sort(kind, given, complete=False)
    before = {setting.name: row.settings.get(setting.name, setting.default) for setting in kind.settings}
    _check_fixed(tx, row, [s for s in kind.settings if settings.get(s.name, before[s.name]) != before[s.name]])
    kept = ctx.vault.open(row.secrets)
    one_reader.check(ctx, tx, kind, {**row.settings, **kept, **settings, **secrets}, but=row.id)
    store.change_connection(
        tx,
        row.id,
        settings={**row.settings, **settings},
        secrets=ctx.vault.seal({**kept, **secrets}),
        tested_at=None,
        test_problem=None,
    )
    _try_again(tx, row.id, ctx.now())
    before = {**before, **kept}
    if _reads_otherwise(kind, before, {**before, **settings, **secrets}):
        flows.rewind(tx, row.id, ctx.now())
    audit.note(
        tx,
        company_id=row.company_id,
        actor=actor,
        action="change connection",
        subject=row.name,
        now=ctx.now(),
        settings=sorted(given),
    )


def _check_fixed(tx: Tx, row: ConnectionRow, touched: Sequence[Setting]) -> None:
    for setting in touched:
        if setting.fixed_while_writing and ledger.unsettled_to(tx, row.id):
            raise ConfigError(
                f"{setting.name} cannot be changed while an order is on its way.",
                hint="Let the Web Connector finish (`routebooks order list --state sending`), then change it.",
                code="setting-in-use",
            )
        if setting.fixed_once_read and ledger.any_from(tx, row.id):
            raise ConfigError(
                f"{setting.name} cannot be changed any more: by another one, orders that were read before would look "
                "new, and be posted twice.",
                hint="Add another connection and a flow from it, and give the flow a start_date.",
                code="setting-fixed",
            )


def _reads_otherwise(kind: Connector, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a setting changed that says which records there are: some may lie behind the cursors then."""
    declared = [setting for setting in kind.settings if setting.read_anew]
    return any(before.get(each.name, each.default) != after.get(each.name, each.default) for each in declared)


def new_password(ctx: Context, tx: Tx, row: ConnectionRow, actor: str) -> Added:
    """A fresh password for the caller of a connection; the old one is of no use from now on. Raises ConfigError."""
    caller = _caller(tx, row)
    password = ctx.new_id(22)
    # The failures of before were the old one's.
    store.change_caller(tx, row.id, password_hash=ctx.vault.hash(password), wrong_password_at=None, shut_out_until=None)
    audit.note(tx, company_id=row.company_id, actor=actor, action="new password", subject=row.name, now=ctx.now())
    return Added(row.id, caller.user_name, password)


def _sort(kind: Connector, given: Mapping[str, str], *, complete: bool = True) -> tuple[dict[str, Any], dict[str, str]]:
    """What was typed, as settings of their types and secrets."""
    declared = {setting.name: setting for setting in kind.settings}
    settings: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    for name, text in given.items():
        setting = declared.get(name)
        if setting is None:
            raise ConfigError(
                f"{kind.title} has no setting {name!r}.",
                hint=f"Its settings: {', '.join(declared)}.",
                code="setting-unknown",
            )
        if setting.judge is not None and text:
            setting.judge(text)
        if setting.secret:
            secrets[name] = text
        else:
            settings[name] = typed(setting, text)
    missing = [s.name for s in kind.settings if s.default is None and s.name not in given]
    if complete and missing:
        raise ConfigError(
            f"{kind.title} needs {', '.join(missing)}.",
            hint="Give each as name=value.",
            code="setting-missing",
        )
    return settings, secrets


def typed(setting: Setting, text: str) -> str | int | bool:
    """What was typed for a setting, as its type and within its bounds. Raises ConfigError."""
    if setting.choices and text not in setting.choices:
        raise ConfigError(
            f"{setting.name} cannot be {text!r}.",
            hint=f"Choose one of: {', '.join(setting.choices)}.",
            code="setting-choice",
        )
    if isinstance(setting.default, bool):
        if text.lower() not in ("true", "false", "yes", "no"):
            raise ConfigError(f"{setting.name} is yes or no, not {text!r}.", code="setting-not-a-yes-or-no")
        return text.lower() in ("true", "yes")
    if isinstance(setting.default, int):
        return _number(setting, text)
    if setting.pattern and not re.fullmatch(setting.pattern, text):
        raise ConfigError(
            f"{setting.name} cannot be {text!r}.", hint=f"Write it as {setting.default}.", code="setting-unreadable"
        )
    return text


def _number(setting: Setting, text: str) -> int:
    # Other signs that Python takes for a number (1_000, ４) are not what a person means.
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text.strip()):
        raise ConfigError(f"{setting.name} is a whole number, not {text!r}.", code="setting-not-a-number")
    number = int(text)
    least, most = setting.minimum, setting.maximum
    if (least is not None and number < least) or (most is not None and number > most):
        raise ConfigError(
            f"{setting.name} cannot be {number}.",
            hint=f"Choose a number {bounds(setting)}.",
            code="setting-out-of-range",
        )
    return number


def bounds(setting: Setting) -> str:
    """The least and the greatest of a number in words; '' where there is no bound."""
    if setting.minimum is None:
        return "" if setting.maximum is None else f"of at most {setting.maximum}"
    return (
        f"of at least {setting.minimum}" if setting.maximum is None else f"from {setting.minimum} to {setting.maximum}"
    )


def _caller(tx: Tx, row: ConnectionRow) -> Caller:
    caller = store.caller(tx, row.id)
    if caller is None:
        raise ConfigError(
            f"{row.name} is not a connection that a Web Connector calls.",
            hint="This is for QuickBooks Desktop connections.",
            code="connection-not-called",
        )
    return caller


_SERVED = Check("server", True, "A server runs.")
_UNSERVED = Check(
    "server",
    False,
    "No server runs: whoever calls gets no answer.",
    "Start it, and let it run: `routebooks serve`.",
)


def test(ctx: Context, connection_id: int) -> list[Check]:
    """Try a connection: what its connector can try now and, of a system that calls us, what its visits have shown."""
    with ctx.store.read() as tx:
        connection = ctx.connection(tx, connection_id)
        row = store.connection(tx, connection_id)
        caller = store.caller(tx, connection_id)
        taking = takes_documents(ctx, tx, row)
        served = bool(workers.living(tx))
        wanted = any(flow.target_id == row.id and flow.enabled for flow in flows.flows_of(tx, row.company_id))
    # A test is one try: nothing of it is tried again.
    tried = ctx.connector(connection.connector).check(connection)
    checks = [replace(check, hint=check.hint.removeprefix(AGAIN).lstrip()) for check in tried]
    if checks and caller is None:
        _remember(ctx, row, checks)
    if caller is not None:
        checks.append(_SERVED if served else _UNSERVED)
        wrong = wrong_password(caller, ctx.now())
        if wrong is not None:
            checks.append(Check("password", False, wrong.message, wrong.hint))
        checks += _visits(caller, ctx.now())
    if taking is not None:
        # Who wants no orders written has no trouble, and is told all the same.
        checks.append(taking if wanted else replace(taking, ok=True))
    closed = opens_in(row.window, connection.company.time_zone, ctx.now())
    if row.paused_at is not None:
        checks.append(Check("open", False, "The connection is paused.", "Resume it: `routebooks connection resume`."))
    elif closed:
        checks.append(Check("open", True, f"Its window opens in {span(closed)}."))
    return checks


def _remember(ctx: Context, row: ConnectionRow, checks: Sequence[Check]) -> None:
    """Keep how a test went; not of one with settings that were changed while it ran.

    Of a system that calls us nothing is kept: its visits say more.
    """
    failed = next((check for check in checks if not check.ok), None)
    problem = {"step": failed.name, "message": failed.message, "hint": failed.hint} if failed is not None else None
    with ctx.store.begin() as tx:
        now = store.connection(tx, row.id)
        # Sealed anew with every change, and never twice the same.
        if now.secrets == row.secrets:
            store.change_connection(tx, row.id, tested_at=ctx.now(), test_problem=problem)
            if problem is None:
                _try_again(tx, row.id, ctx.now())


def _try_again(tx: Tx, connection_id: int, now: datetime) -> None:
    """What waits for another try at a connection need not wait any longer: it works, or is another one now."""
    for run in run_store.tried_again_at(tx, connection_id):
        run_store.change_run(tx, run.id, only_if=[State.READY], not_before=now)


def takes_documents(ctx: Context, tx: Tx, row: ConnectionRow) -> Check | None:
    """Whether a system takes documents, by what it said of itself at its last visit; None where that is not known."""
    kind, caller = ctx.connector(row.connector), store.caller(tx, row.id)
    if caller is None or not caller.product or not isinstance(kind, Preparing):
        return None
    return kind.can_write(caller.product)


def _visits(caller: Caller, now: datetime) -> list[Check]:
    seen = caller.last_seen_at
    if seen is None:
        return [
            Check(
                "seen",
                False,
                "The Web Connector has not called yet.",
                "Add the .qwc file to it (`routebooks connection qwc`), enter the password, press Update Selected.",
            )
        ]
    silent = is_silent(caller, now)
    first = Check(
        "seen",
        not silent,
        f"The Web Connector called {span(now - seen)} ago.",
        "See that the PC is on, its user logged in, and Auto-Run ticked in the Web Connector." if silent else "",
    )
    if caller.refused is not None:
        return [first, Check("bound to", False, caller.refused["message"], caller.refused["hint"])]
    if caller.bound_at is None:
        return [first, Check("bound to", False, "No company file is bound yet.", "Press Update Selected.")]
    checks = [first, Check("bound to", True, f"{caller.bound_company} ({caller.bound_path}).")]
    if caller.seen_path is not None:
        checks.append(
            Check(
                "path",
                False,
                f"The company file lies elsewhere now: {caller.seen_path}. Orders wait.",
                "If it was moved, confirm it: `routebooks connection confirm`. If it is a copy, open the right file.",
            )
        )
    if caller.last_problem is not None:
        checks.append(Check("last visit", False, caller.last_problem["message"], caller.last_problem["hint"]))
    return checks


def wrong_password(caller: Caller, now: datetime) -> Problem | None:
    """What to tell when somebody came with a wrong password, and nobody with the right one since."""
    at, seen = caller.wrong_password_at, caller.last_seen_at
    if at is None or (seen is not None and seen >= at):
        return None
    until = caller.shut_out_until
    wait = f" After so many wrong ones the right one is refused, too, for {span(until - now)} more." if until else ""
    return Problem(
        "password-wrong",
        f"A log-in as {caller.user_name} was refused {span(now - at)} ago, for its password was wrong."
        + (wait if until and now < until else ""),
        "Enter the connection's password in the Web Connector again; `routebooks connection password` makes a new one.",
    )


def is_silent(caller: Caller, now: datetime) -> bool:
    """Whether a caller has been away for longer than it may."""
    limit = timedelta(minutes=caller.silent_after_minutes)
    return caller.last_seen_at is not None and now - caller.last_seen_at > limit


def pause(ctx: Context, tx: Tx, row: ConnectionRow, actor: str, *, paused: bool) -> None:
    """Stop or allow traffic; obeyed between two pages."""
    store.change_connection(tx, row.id, paused_at=ctx.now() if paused else None)
    action = "pause" if paused else "resume"
    audit.note(tx, company_id=row.company_id, actor=actor, action=action, subject=row.name, now=ctx.now())


def silent_after(ctx: Context, tx: Tx, row: ConnectionRow, actor: str, minutes: int) -> None:
    """Set how long a caller may be away. Raises ConfigError for a system that does not call us."""
    _caller(tx, row)
    store.change_caller(tx, row.id, silent_after_minutes=minutes)
    audit.note(
        tx,
        company_id=row.company_id,
        actor=actor,
        action="set silent after",
        subject=row.name,
        now=ctx.now(),
        minutes=minutes,
    )


def confirm(ctx: Context, tx: Tx, row: ConnectionRow, actor: str) -> None:
    """A person confirms that the company file was moved: orders may go again. Raises ConfigError."""
    caller = _caller(tx, row)
    if caller.seen_path is None:
        raise ConfigError(f"The company file of {row.name} has not moved.", code="path-not-moved")
    store.change_caller(tx, row.id, bound_path=caller.seen_path, seen_path=None)
    _note_binding(ctx, tx, row, actor, "confirm path", caller.seen_path)


def rebind(ctx: Context, tx: Tx, row: ConnectionRow, actor: str) -> None:
    """Forget which company file the connection is bound to; the next visit binds it anew. Raises ConfigError."""
    caller = _caller(tx, row)
    store.change_caller(
        tx, row.id, bound_company=None, bound_path=None, bound_at=None, seen_path=None, refused=None, last_problem=None
    )
    _note_binding(ctx, tx, row, actor, "rebind", caller.bound_company or "")


def _note_binding(ctx: Context, tx: Tx, row: ConnectionRow, actor: str, action: str, file: str) -> None:
    audit.note(
        tx, company_id=row.company_id, actor=actor, action=action, subject=row.name, now=ctx.now(), company_file=file
    )
