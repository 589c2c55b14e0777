"""Which records of a run the filter of its map left out, and what of them the filter looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from routebooks.connectors.base import FileTarget
from routebooks.engine import extracts, files
from routebooks.engine.context import Context
from routebooks.engine.flows import map_of
from routebooks.errors import ConfigError
from routebooks.rows import Scratch
from routebooks.store import flows, runs


@dataclass(frozen=True)
class LeftOut:
    """A record that the filter left out: what a person knows it by, and its values in the filter's fields."""

    label: str
    values: Mapping[str, str]


def records(ctx: Context, run_id: int) -> list[LeftOut]:
    """Made anew from the snapshots of the run, with the map as it is now: in their order, each once.

    Raises ConfigError for a run of orders (an order that lost lines is held, not left out), FatalError when the run has
    no snapshots.
    """
    with ctx.store.read() as tx:
        run = runs.run(tx, run_id)
        flow = flows.flow(tx, run.flow_id)
        if flow.direction != "out":
            raise ConfigError(
                "Nothing of an order is left out.",
                hint="`routebooks rejected list` shows the orders that wait.",
                code="left-out-of-orders",
            )
        source = extracts.source_of(ctx, tx, flow)
        books, connection = ctx.connection(tx, flow.source_id), ctx.connection(tx, flow.target_id)
    layout = ctx.able(connection.connector, FileTarget).layouts(connection)[flow.target]
    stream = extracts.stream_of(source, flow.stream)
    with Scratch() as scratch:
        with ctx.store.read() as tx:
            sources = files.sources_of(ctx, tx, run, flow, source, scratch)
        rows, _ = files.source_rows(ctx, flow, source, books, sources)
        mapped = files.mapped_rows(flow, source, books, rows, layout, scratch)
        looked_at = [only.field for only in map_of(flow).only if only.field in rows.schema.names]
        shown = list(dict.fromkeys([stream.key, stream.label, *looked_at]))
        places: list[Any] = mapped.left_out_rows.to_pylist()
        left_out = rows.take(places, shown)
    once = {row[stream.key]: row for row in left_out.to_pylist()}
    return [LeftOut(_text(row[stream.label]), {name: _text(row[name]) for name in looked_at}) for row in once.values()]


def _text(value: object) -> str:
    return "" if value is None else str(value)
