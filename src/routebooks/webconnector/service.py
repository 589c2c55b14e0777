"""The eight operations: who may call, and which call of the exchange each of them is."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from threading import Lock

import structlog

from routebooks import __version__
from routebooks.engine import exchange, sessions
from routebooks.engine.context import Context
from routebooks.store import companies
from routebooks.store.companies import Caller

#: wrong passwords in a row that a name (or, for unknown names, an address) may give before it has to wait
MAX_FAILURES = 10
WAIT = timedelta(minutes=5)
#: names and addresses that are remembered; an attacker who sends ever new ones must not fill the memory
_REMEMBERED = 10_000
#: the first Web Connector that speaks to servers the way this one expects
_OLDEST_CLIENT = (2, 0)

_OK = ""
_NOT_VALID = "nvu"
_NO_WORK = "none"
_BUSY = "busy"

_log = structlog.get_logger(__name__)


class Limits:
    """How often somebody has failed lately; enough failures and the right password is of no use for a while."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, tuple[int, datetime]] = OrderedDict()
        self._lock = Lock()

    def blocked(self, who: str, now: datetime) -> bool:
        """Whether this one has to wait."""
        with self._lock:
            count, last = self._failures.get(who, (0, now))
        return count >= MAX_FAILURES and now - last < WAIT

    def failed(self, who: str, now: datetime) -> datetime | None:
        """Count a failure; old ones are forgotten after the wait. Until when this one has to wait, if it has."""
        with self._lock:
            count, last = self._failures.pop(who, (0, now))
            self._failures[who] = (1 if now - last >= WAIT else count + 1, now)
            if len(self._failures) > _REMEMBERED:
                self._failures.popitem(last=False)
        return now + WAIT if self.blocked(who, now) else None

    def succeeded(self, who: str) -> None:
        """Forget the failures."""
        with self._lock:
            self._failures.pop(who, None)


class WebConnectorService:
    """The operations that the Web Connector calls (QBWC guide, the callback web methods)."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._limits = Limits()

    def server_version(self) -> str:
        """Ours; shown in the connector's log."""
        return f"Routebooks {__version__}"

    def client_version(self, version: str) -> str:
        """Go on, or say which version is needed; what is no version is let through, for others may speak too."""
        parts = version.split(".")
        if len(parts) >= 2 and parts[0].isdecimal() and parts[1].isdecimal():
            found = (int(parts[0]), int(parts[1]))
            if found < _OLDEST_CLIENT:
                return f"O:{_OLDEST_CLIENT[0]}.{_OLDEST_CLIENT[1]}"
        return ""

    def authenticate(self, user_name: str, password: str, address: str) -> list[str]:
        """A ticket always; then '' or a path (work), none, busy or nvu; then seconds to stay away.

        The answer to a wrong name and to a wrong password is the same.
        """
        now = self._ctx.now()
        with self._ctx.store.read() as tx:
            caller = companies.caller_named(tx, user_name)
        # A known name is limited by itself, so that nobody else's failures at one address can lock it out; a password
        # that is new has not failed yet.
        who = f"name {user_name} {caller.password_hash}" if caller else f"address {address}"
        hashed = caller.password_hash if caller else self._ctx.vault.hash("")
        right = self._ctx.vault.matches(password, hashed) and caller is not None
        # While blocked nothing is counted: a connector that polls with the right password gets in after the wait.
        blocked = self._limits.blocked(who, now)
        if caller is None or not right or blocked:
            reason = "too many failures" if blocked else "wrong password" if caller else "unknown user name"
            _log.warning("webconnector_log_in_refused", reason=reason, user_name=user_name[:80], address=address)
            if not blocked:
                self._note_failure(who, caller, now)
            return [self._ctx.new_id(32), _NOT_VALID]
        self._limits.succeeded(who)
        opening = sessions.open_session(self._ctx, caller.connection_id, address)
        if opening.busy:
            return [opening.ticket, _BUSY]
        if opening.work:
            return [opening.ticket, opening.company_file or _OK]
        seconds = int(opening.postpone.total_seconds())
        return [opening.ticket, _NO_WORK, str(seconds)] if seconds else [opening.ticket, _NO_WORK]

    def _note_failure(self, who: str, caller: Caller | None, now: datetime) -> None:
        until = self._limits.failed(who, now)
        if caller is not None:
            with self._ctx.store.begin() as tx:
                companies.change_caller(tx, caller.connection_id, wrong_password_at=now, shut_out_until=until)

    def send_request_xml(
        self, ticket: str, hcp_response: str, company_file: str, country: str, major: int, minor: int
    ) -> bytes:
        """The next request; empty when there is none, and then get_last_error says why."""
        return exchange.hand_out(self._ctx, ticket, company_file)

    def receive_response_xml(self, ticket: str, response: bytes, hresult: str, message: str) -> int:
        """Keep the answer; percent done, 100 at the end, negative on an error."""
        return exchange.take(self._ctx, ticket, response, hresult, message)

    def connection_error(self, ticket: str, hresult: str, message: str) -> str:
        """QuickBooks could not be opened: keep why, and stop; the connector's schedule tries again."""
        sessions.connection_failed(self._ctx, ticket, hresult, message)
        return "done"

    def get_last_error(self, ticket: str) -> str:
        """A short text for the connector's window."""
        return sessions.last_error(self._ctx, ticket)

    def close_connection(self, ticket: str) -> str:
        """The text for the connector's status column."""
        return sessions.close(self._ctx, ticket)

    def is_open(self, ticket: str) -> bool:
        """Whether the ticket is that of a session which has not ended."""
        return sessions.is_open(self._ctx, ticket)
