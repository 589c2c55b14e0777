"""Who changed what, and when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from routebooks.store.database import Tx
from routebooks.store.tables import audit


def note(
    tx: Tx, *, company_id: int | None, actor: str, action: str, subject: str, now: datetime, **detail: Any
) -> None:
    """Write one line of the audit; never a secret."""
    tx.execute(
        audit.insert().values(at=now, company_id=company_id, actor=actor, action=action, subject=subject, detail=detail)
    )
