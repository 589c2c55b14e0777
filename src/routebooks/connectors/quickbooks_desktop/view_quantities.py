"""Cases and bottles of many lines at once: each unit of each item is looked at once, then all is multiplied."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from routebooks.connectors.quickbooks_desktop.arrow import (
    Column,
    Mask,
    all_of,
    is_filled,
    is_not_zero,
    is_one_of,
    no,
    pick,
    places,
    signed,
)
from routebooks.connectors.quickbooks_desktop.order_settings import Policies
from routebooks.connectors.quickbooks_desktop.units import Measure, Words, measure, unit_sets
from routebooks.records import PRECISION, Field, Kind

_NUMBER = Field(name="", kind=Kind.DECIMAL, scale=5)
_TOO_LARGE = Decimal(10) ** (PRECISION - _NUMBER.scale)
#: Stands between the parts of a combination: no value of QuickBooks can hold it, XML forbids it.
_BETWEEN = "\x1f"


def quantities(lines: pa.Table, goods: Mask, items: pa.Table, units: pa.Table, policies: Policies) -> pa.Table:
    """The lines with Cases, Bottles, UnitsPerCase and TotalBottles, of a credit memo with the other sign.

    They are null in lines that are not goods, in lines without a quantity, and where nobody can tell.
    """
    place, measures = _measures(lines, items, units, policies)
    quantity = pick(goods, signed(lines["Line.Quantity"], is_one_of(lines["Kind"], ["CM"])), None)
    cases = _times(quantity, _decimals([each.cases if each else None for each in measures]).take(place))
    bottles = _times(quantity, _decimals([each.bottles if each else None for each in measures]).take(place))
    per_case = pa.array([each.per_case if each else None for each in measures], pa.int64()).take(place)
    in_cases = _times(cases, _decimals([each.per_case if each else None for each in measures]).take(place))
    none_in_cases = all_of(is_filled(cases), no(is_not_zero(cases)))
    return (
        lines.append_column("Cases", cases)
        .append_column("Bottles", bottles)
        .append_column("UnitsPerCase", pick(goods, per_case, None))
        .append_column("TotalBottles", pick(none_in_cases, bottles, _fitting(pc.add(in_cases, bottles))))
    )


def _measures(
    lines: pa.Table, items: pa.Table, units: pa.Table, policies: Policies
) -> tuple[Column, list[Measure | None]]:
    """What one of the line's unit is, once for each combination of set, unit and item; and each line's place there."""
    words = Words(
        policies.case_words, policies.bottle_words, "" if policies.plain_unit == "unknown" else policies.plain_unit
    )
    item = places(lines["Line.ItemRef.ListID"], items["ListID"])
    custom = f"Custom.{policies.units_per_case_field}"
    per_case = items[custom].take(item) if custom in items.column_names else pa.nulls(lines.num_rows, pa.string())
    in_set = pc.coalesce(lines["Line.OverrideUOMSetRef.ListID"], items["UnitOfMeasureSetRef.ListID"].take(item))
    values: tuple[Any, ...] = (in_set, lines["Line.UnitOfMeasure"], per_case)
    parts = [pc.fill_null(value, "") for value in values]
    joined: Any = pc.call_function("binary_join_element_wise", [*parts, pa.scalar(_BETWEEN)])
    distinct = pc.unique(joined)
    sets = unit_sets(units, words)
    measures = []
    for combination in distinct.to_pylist():
        list_id, unit, bottles = combination.split(_BETWEEN)
        # A set that is not there cannot say what its base unit is.
        lost = bool(list_id) and list_id not in sets and not unit
        measures.append(None if lost else measure(unit, sets.get(list_id), words, _count(bottles)))
    return places(joined, distinct), measures


def _count(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\s*[1-9][0-9]{0,5}\s*", text) else None


def _decimals(values: Iterable[Decimal | int | None]) -> pa.Array[Any]:
    return pa.array([None if value is None else Decimal(value) for value in values], _NUMBER.arrow)


def _times(column: Column, by: Column) -> Column:
    return _fitting(pc.multiply(column, by))


def _fitting(column: Column) -> Column:
    """Five digits after the point, rounded half away from zero; null where a number is too large for a field."""
    rounded: Any = pc.round(column, ndigits=_NUMBER.scale, round_mode="half_towards_infinity")
    fits = pc.less(pc.abs(rounded), pa.scalar(_TOO_LARGE, rounded.type))
    return pick(fits, rounded, None).cast(_NUMBER.arrow)
