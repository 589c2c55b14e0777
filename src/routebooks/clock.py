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
    # One call of the system for all of them. So many bits more than needed make each character as likely as any other.
    return base62(secrets.randbits(6 * length + 64), length)


def base62(number: int, length: int) -> str:
    """The last so many base-62 digits of a number, the last one first."""
    signs = []
    for _ in range(length):
        number, sign = divmod(number, len(BASE62))
        signs.append(BASE62[sign])
    return "".join(signs)
