"""What is wrong with mapped rows: with each by itself, with those that share a key, and with whole documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from routebooks.errors import Problem
from routebooks.mapping.problems import BLANK, BLANK_KEY, value_problem
from routebooks.records import TargetColumn
from routebooks.rows import Hashes, Rows

#: what is wrong with mapped rows, by their place
Found: TypeAlias = dict[int, list[Problem]]


def value_problems(columns: Sequence[TargetColumn], values: pa.Table, errors: Mapping[int, Any]) -> Found:
    """What is wrong with the rows of a batch; `errors` are those that the map found, by the number of the column."""
    found: Found = {}
    if errors:
        bad = pc.indices_nonzero(pc.is_valid(pc.coalesce(*errors.values())))
        places: list[Any] = bad.to_pylist()
        for number, column in errors.items():
            for place, error in zip(places, column.take(bad).to_pylist(), strict=True):
                if error is not None:
                    found.setdefault(place, []).append(value_problem(columns[number], error))
    for number, target in enumerate(columns):
        if target.key or target.required:
            blank: list[Any] = pc.indices_nonzero(pc.is_null(values.column(number))).to_pylist()
            # Of these nothing was left when they were fitted.
            for place in set(blank).difference(found):
                found[place] = [value_problem(target, f"{BLANK_KEY if target.key else BLANK}:")]
    return found


def sharing(keys: Rows) -> list[list[int]]:
    """The places of the rows that share a key, key by key; one of which a part is missing is shared by nobody."""
    if not keys.schema.names:
        return []
    hashes = Hashes()
    hashes.add(_whole(keys))
    repeated = hashes.repeated()
    shared: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for place, key in enumerate(_whole(keys) if repeated else ()):
        if key is not None and hash(key) in repeated:
            shared[key].append(place)
    return [places for places in shared.values() if len(places) > 1]


def _whole(keys: Rows) -> Iterator[tuple[Any, ...] | None]:
    """The key of each row; None where a part of it is missing."""
    for batch in keys.batches():
        for key in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield None if None in key else key


def whole_documents(names: Sequence[str], found: Found) -> tuple[Found, set[int]]:
    """The same with each document once, at the first of its rows; and the places of all rows of these documents."""
    first: dict[str, int] = {}
    merged: Found = {}
    for place in sorted(found):
        merged.setdefault(first.setdefault(names[place], place), []).extend(found[place])
    return merged, {place for place, name in enumerate(names) if name in first}
