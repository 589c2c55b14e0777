"""Pages of QuickBooks as the records of a snapshot."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from routebooks.connectors.quickbooks_desktop import streams
from routebooks.engine.snapshots import gathered
from routebooks.rows import Scratch


def parse(stream: str, pages: Iterable[bytes]) -> pa.Table:
    """All records of the pages, each once."""
    with Scratch() as scratch:
        return gathered(streams.parse(stream, pages), streams.STREAMS[stream], scratch).table()
