"""A few words over Arrow's kernels. A mask made here is never null: what is unknown does not match."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import reduce
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

#: An array or a chunked array: Arrow's kernels take both.
Column: TypeAlias = Any
Mask: TypeAlias = Any


def is_one_of(column: Column, values: Sequence[Any]) -> Mask:
    """Where the column holds one of these values."""
    return pc.is_in(column, value_set=pa.array(values, column.type), skip_nulls=True)


def is_missing(*columns: Column) -> Mask:
    """Where none of the columns holds a value."""
    return all_of(*(pc.is_null(column) for column in columns))


def is_filled(column: Column) -> Mask:
    """Where the column holds a value."""
    return pc.is_valid(column)


def without_blanks(column: Column) -> Column:
    """The texts, null where one is nothing but white space."""
    return pc.if_else(pc.equal(pc.utf8_trim_whitespace(column), pa.scalar("")), None, column)


def is_not_zero(column: Column) -> Mask:
    """Where the decimal is there and is not zero."""
    return pc.fill_null(pc.not_equal(column, pa.scalar(Decimal(0), column.type)), False)


def begins_with(column: Column, start: str) -> Mask:
    """Where the text begins so."""
    found: Column = pc.starts_with(column, start)
    return pc.fill_null(found, False)


def all_of(*masks: Mask) -> Mask:
    """Where all of the masks match."""
    return reduce(pc.and_, masks)


def any_of(*masks: Mask) -> Mask:
    """Where one of the masks matches."""
    return reduce(pc.or_, masks)


def no(mask: Mask) -> Mask:
    """Where the mask does not match."""
    return pc.invert(mask)


def pick(mask: Mask, then: Any, otherwise: Any) -> Column:
    """One or the other, row by row; both columns or single values."""
    return pc.if_else(mask, then, otherwise)


def signed(column: Column, minus: Mask) -> Column:
    """The numbers, with the other sign where the mask matches."""
    return pick(minus, pc.negate(column), column)


def zeros_for_missing(column: Column) -> Column:
    """The decimals, 0 where none is there."""
    return pc.fill_null(column, pa.scalar(Decimal(0), column.type))


def places(keys: Column, of: Column) -> Column:
    """For each key its place in the column `of`, null where it is not there."""
    return pc.index_in(keys, value_set=of, skip_nulls=True)


def rows_of(mask: Mask) -> list[int]:
    """The numbers of the rows that match."""
    return [int(row) for row in pc.indices_nonzero(mask).to_pylist() if row is not None]
