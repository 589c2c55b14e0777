"""An example of a connector: orders out of a CSV file, one row a line. docs/add-a-connector.md shows it."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa

from routebooks.connectors.base import Check, Connection, OrderCursor, Setting, SourceOrder, WriteBack
from routebooks.errors import ConfigError, RoutebooksError, TransientError
from routebooks.records import Field, Stream

KEY, STAMP = "order_no", "updated_at"


class CsvOrders:
    """A Connector and an OrderSource. The first line of the file names its columns."""

    name = "csv_orders"
    title = "Orders in a CSV file"
    settings: tuple[Setting, ...] = (Setting(name="file", help="The whole path of the file."),)

    def check(self, connection: Connection) -> list[Check]:
        """Whether the file can be read."""
        try:
            _, rows = _read(connection)
        except RoutebooksError as error:
            return [Check("read", False, error.problem.message, error.problem.hint)]
        return [Check("read", True, f"{len(rows)} lines.")]

    def order_fields(self, connection: Connection) -> Stream:
        """The columns of the file, all of them text."""
        columns, _ = _read(connection)
        fields = tuple(Field(name=column) for column in columns)
        return Stream(name="orders", fields=fields, key=KEY, label=KEY, modified=STAMP)

    def read_orders(
        self, connection: Connection, cursor: OrderCursor | None, now: datetime
    ) -> tuple[list[SourceOrder], OrderCursor | None]:
        """The orders that changed since the cursor, the oldest change first."""
        _, rows = _read(connection)
        by_key = groupby(sorted(rows, key=lambda row: row[KEY]), key=lambda row: row[KEY])
        orders = [_order(key, tuple(lines)) for key, lines in by_key]
        found = sorted(
            (order for order in orders if cursor is None or order.stamp >= cursor.stamp),
            key=lambda order: (order.stamp, order.key),
        )
        return found, OrderCursor(found[-1].stamp, found[-1].key) if found else cursor

    def order_table(self, order_rows: Sequence[Mapping[str, Any]], connection: Connection) -> pa.Table:
        """Kept rows as a table again."""
        names = dict.fromkeys(name for row in order_rows for name in row)
        return pa.table({name: pa.array([row.get(name) for row in order_rows], pa.string()) for name in names})

    def write_back(self, connection: Connection, results: Sequence[WriteBack]) -> int:
        """Nobody is told: the file is not ours to write."""
        return 0


def _read(connection: Connection) -> tuple[list[str], list[dict[str, str]]]:
    path = Path(str(connection.settings["file"]))
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows = [{name: value or "" for name, value in row.items() if name} for row in reader]
            columns = list(reader.fieldnames or ())
    except OSError as error:
        raise TransientError(
            f"The file {path} cannot be read.",
            hint="See that it is there and may be read; it is tried again by itself.",
            code="csv-away",
            detail=str(error),
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(
            f"{path} is no CSV file in UTF-8.", hint="Save it as one.", code="csv-unreadable", detail=str(error)
        ) from error
    if missing := [column for column in (KEY, STAMP) if column not in columns]:
        raise ConfigError(f"The file has no column {missing[0]}.", hint="Add it to the file.", code="csv-columns")
    return columns, rows


def _order(key: str, lines: tuple[Mapping[str, str], ...]) -> SourceOrder:
    try:
        stamps = [datetime.fromisoformat(line[STAMP]) for line in lines]
    except ValueError:
        stamps = []
    if not key or not stamps or any(stamp.tzinfo is None for stamp in stamps):
        raise ConfigError(
            f"A line of order {key or '(no number)'} has no number or no time of its change.",
            hint=f"Fill {KEY}, and {STAMP} as 2026-11-24T18:30:00-05:00.",
            code="csv-line",
        )
    return SourceOrder(key, max(stamps), lines)
