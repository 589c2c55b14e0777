"""The bytes of .FIL files, in memory."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

import pyarrow as pa

from routebooks.connectors.base import Connection, Encoded
from routebooks.connectors.pocketadvantage import fil
from routebooks.connectors.pocketadvantage.files import PocketAdvantageFiles
from routebooks.errors import Problem
from routebooks.records import Layout
from routebooks.rows import Rows


@dataclass(frozen=True)
class Written:
    """A file, and what is told of it."""

    data: bytes
    records: int
    notes: tuple[Problem, ...]


def encode(layout: Layout, dialect: fil.Dialect, table: pa.Table) -> Written:
    """The file of a table."""
    return _written(lambda file: fil.encode(layout, dialect, Rows.of_table(table), file))


def encode_for(connection: Connection, layout: str, table: pa.Table) -> Written:
    """The same as a connection writes it."""
    return _written(lambda file: PocketAdvantageFiles().encode(connection, layout, Rows.of_table(table), file))


def _written(write: Callable[[IO[bytes]], Encoded]) -> Written:
    file = io.BytesIO()
    made = write(file)
    return Written(file.getvalue(), made.records, made.notes)
