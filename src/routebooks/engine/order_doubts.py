"""Whether an order may stand in QuickBooks though Routebooks knows nothing of it, as after a restored backup.

For as long as QuickBooks remembers what it wrote (`ledger.REMEMBERED`), sending an order again does no harm. What
could be older is looked for in QuickBooks before it leaves.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from routebooks.connectors.base import Outcome
from routebooks.engine.ledger import REMEMBERED
from routebooks.store import companies
from routebooks.store import ledger as store
from routebooks.store.companies import Caller
from routebooks.store.database import Tx
from routebooks.store.ledger import Order

#: with a day to spare for clocks that differ
_SURE = REMEMBERED - timedelta(days=1)
#: orders that are read so long after a long absence could have been read before it, in what a restored backup forgot
_AFTERMATH = timedelta(days=14)


def note_absence(tx: Tx, caller: Caller, now: datetime) -> Caller:
    """At a log-in: the caller was away for long, or this is a backup that knows nothing of what it did since.

    The caller with what is known of its absence.
    """
    if caller.last_seen_at is None or now - caller.last_seen_at <= _SURE:
        return caller
    counts = caller.away_from is not None and caller.away_until is not None and now - caller.away_until < _AFTERMATH
    since = caller.away_from if counts else caller.last_seen_at
    companies.change_caller(tx, caller.connection_id, away_from=since, away_until=now)
    return replace(caller, away_from=since, away_until=now)


def may_stand_there(tx: Tx, connection_id: int, order: Order) -> bool:
    """Whether to look for the order before a write of it leaves."""
    caller = companies.caller(tx, connection_id)
    if caller is None or caller.away_until is None or not _forgotten(caller, order):
        return False
    return not any(
        attempt.outcome == Outcome.EMPTY and attempt.answered_at and attempt.answered_at >= caller.away_until
        for attempt in store.write_attempts_of(tx, order.id)
    )


def earliest(tx: Tx, connection_id: int, order: Order, sent: datetime) -> datetime:
    """Since when the order could stand there, which was sent first at that instant as far as is known."""
    caller = companies.caller(tx, connection_id)
    if caller is not None and caller.away_from is not None and _forgotten(caller, order):
        return min(sent, caller.away_from)
    return sent


def _forgotten(caller: Caller, order: Order) -> bool:
    return caller.away_until is not None and order.read_at < caller.away_until + _AFTERMATH
