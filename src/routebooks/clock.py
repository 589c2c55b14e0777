"""Time and chance, handed in as arguments so that tests can hold them still."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]

BASE62 = string.digits + string.ascii_letters


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def random_id(length: int = 22) -> str:
    """A fresh random name of base-62 characters; 22 of them hold 131 bits."""
    return "".join(secrets.choice(BASE62) for _ in range(length))
