"""Bytes to a place for files and back."""

from __future__ import annotations

import io
from typing import Any

from routebooks.connectors.base import Connection, Placed
from routebooks.connectors.filedrop import place as placing
from routebooks.connectors.filedrop.base import FileDrop
from routebooks.connectors.pocketadvantage.files import PocketAdvantageFiles


def place(drop: FileDrop, folder: str, name: str, data: bytes, temporary: str = "suffix", **more: Any) -> Placed:
    """Put a file of these bytes in place."""
    return placing.place(drop, folder, name, io.BytesIO(data), temporary, **more)


def deliver(connection: Connection, layout: str, data: bytes) -> Placed:
    """The same as a connection does it."""
    return PocketAdvantageFiles().place(connection, layout, io.BytesIO(data))


def put(drop: FileDrop, folder: str, name: str, data: bytes) -> None:
    """Write a file of these bytes."""
    drop.write(folder, name, io.BytesIO(data))


def got(drop: FileDrop, folder: str, name: str) -> bytes:
    """The bytes of a file."""
    blocks: list[bytes] = []
    drop.read(folder, name, blocks.append)
    return b"".join(blocks)
