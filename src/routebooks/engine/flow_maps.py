"""The map of a flow as a person sees it, and changes it: the text of the template, or one of the company's own."""

from __future__ import annotations

from dataclasses import dataclass, replace

from routebooks.engine import flows
from routebooks.engine.context import Context
from routebooks.errors import ConfigError
from routebooks.mapping.expression import format_formula
from routebooks.mapping.model import load_map
from routebooks.mapping.templates import template_text
from routebooks.records import TargetColumn
from routebooks.store.database import Tx
from routebooks.store.flows import Flow


@dataclass(frozen=True)
class Filled:
    """A column of what a flow fills, and the formula of the map that fills it; empty where none does."""

    column: TargetColumn
    formula: str


def text_of(flow: Flow) -> str:
    """The YAML text of a flow's map."""
    return flow.map_text if flow.map_text is not None else template_text(flow.map_name)


def filled(ctx: Context, tx: Tx, flow: Flow) -> list[Filled]:
    """Every column of the target in its order. Raises ConfigError for a map that cannot be read."""
    _, target = flows.sides(ctx, tx, flow)
    formulas = {column.name: format_formula(column.expression) for column in flows.map_of(flow).columns}
    return [Filled(column, formulas.get(column.name, "")) for column in target.columns]


def changed(ctx: Context, tx: Tx, flow: Flow, text: str | None) -> Flow:
    """The flow with another map, or (None) with its template again. Raises ConfigError for one that does not fit it.

    Nothing is written: what an orders query has is asked of its database, and who writes must not wait for that.
    """
    if text is not None:
        made = load_map(text)
        if (made.source, made.target) != (flow.stream, flow.target):
            raise ConfigError(
                f"The map is for {made.source} into {made.target}, the flow {flow.name} carries {flow.stream} into "
                f"{flow.target}.",
                hint="Begin with the text that `routebooks flow map` gives for this flow.",
                code="map-for-another-flow",
            )
    flow = replace(flow, map_text=text)
    flows.check(ctx, tx, flow)
    return flow
