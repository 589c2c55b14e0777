"""A toy system in plain JSON, by which the engine is tested without any real connector: what base.py asks, no more."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from routebooks.connectors.base import (
    Check,
    Connection,
    Encoded,
    Identity,
    OrderCursor,
    Outcome,
    Page,
    Placed,
    Setting,
    SourceOrder,
    WriteAnswer,
    WriteBack,
    at_once,
)
from routebooks.errors import FatalError, Problem, RecordError, TransientError
from routebooks.records import Document, Extract, Field, Kind, Layout, Stream, Target, TargetColumn
from routebooks.rows import Rows

CUSTOMERS = Stream(
    name="customers",
    fields=(
        Field(name="Id"),
        Field(name="Number"),
        Field(name="Name"),
        Field(name="Balance", kind=Kind.DECIMAL, scale=2),
        Field(name="Changed", kind=Kind.TIMESTAMP),
    ),
    key="Id",
    label="Name",
    modified="Changed",
)
ITEMS = Stream(name="items", fields=CUSTOMERS.fields, key="Id", label="Name", modified="Changed")

MAPS = {
    "customers": """
name: customers
source: customers
target: list
columns:
  Number: =[Number]
  Name: =[Name]
  Owed: =[Balance]
""",
    "items": """
name: items
source: items
target: list
columns:
  Number: =[Number]
  Name: =[Name]
""",
    "orders": """
name: orders
source: orders
target: slips
columns:
  Key: =[order_no]
  Customer: =[customer]
  Item: =[item]
  Quantity: =[quantity]
""",
}


class ToyCaller:
    """A system that calls us and speaks JSON. Its answers are made by the test."""

    name = "toy_caller"
    title = "Toy books"
    settings: tuple[Setting, ...] = (
        Setting(name="page_size", help="Records a page.", default=100, minimum=1, maximum=1000),
        Setting(name="company_file", help="Path.", default=""),
    )

    def check(self, connection: Connection) -> list[Check]:
        return [Check("settings", True)]

    def streams(self) -> Mapping[str, Stream]:
        return {"customers": CUSTOMERS, "items": ITEMS}

    def first_request(self, connection: Connection, extract: Extract) -> bytes:
        since = extract.modified_since.isoformat() if extract.modified_since else None
        asked = {"ask": extract.stream, "size": extract.page_size, "since": since, "from": 0}
        return json.dumps({**asked, "names": extract.name_range, "below": extract.below}).encode()

    def slices(self, extract: Extract, now: datetime) -> tuple[Extract, ...]:
        if extract.stream != "customers" or extract.name_range or extract.modified_since:
            return (extract,)
        halves = (replace(extract, name_range=("", "m")), replace(extract, name_range=("m", "")))
        return (*halves, replace(extract, modified_since=now, cut_at=now))

    def read_page(self, connection: Connection, extract: Extract, answer: bytes) -> Page:
        said = json.loads(answer)
        if "error" in said:
            return Page(Outcome(said["error"]), problem=Problem("toy-error", "The toy said no."))
        following = said.get("next")
        asked = {"ask": extract.stream, "size": extract.page_size, "from": following}
        request = json.dumps({**asked, "names": extract.name_range, "below": extract.below}).encode()
        names = [each["Name"] for each in said["records"] if extract.cut_at and each.get("Renamed")]
        besides = tuple(Extract(extract.stream, extract.page_size, below=name) for name in names)
        return Page(Outcome.OK, len(said["records"]), request if following is not None else None, besides=besides)

    def parse(self, stream: str, pages: Iterable[bytes]) -> Iterator[pa.Table]:
        for page in pages:
            rows = [
                {
                    **record,
                    "Balance": Decimal(record.get("Balance", "0.00")),
                    "Changed": datetime.fromisoformat(record.get("Changed", "2026-01-01T00:00:00+00:00")),
                }
                for record in json.loads(page)["records"]
            ]
            yield pa.Table.from_pylist(rows, schema=pa.schema([(f.name, f.arrow) for f in CUSTOMERS.fields]))

    def identity_request(self, connection: Connection) -> bytes:
        return b'{"ask": "who"}'

    def read_identity(self, connection: Connection, answer: bytes) -> Identity:
        said = json.loads(answer)
        return Identity(said["mark"], said["name"])

    def mark_request(self, connection: Connection, file_id: str) -> bytes | None:
        return None

    def read_refusal(self, hresult: str, message: str) -> tuple[Outcome, Problem]:
        outcome = Outcome.HOLD if hresult == "bad" else Outcome.RETRY
        return outcome, Problem(f"toy-{hresult}", message or "The toy threw.")

    def targets(self) -> Mapping[str, Target]:
        columns = (
            TargetColumn(name="Key", required=True, key=True),
            TargetColumn(name="Customer", required=True, link="customers"),
            TargetColumn(name="Item", required=True, link="items", line=True),
            TargetColumn(name="Quantity", kind=Kind.DECIMAL, scale=0, required=True, line=True),
        )
        return {"slips": Target(name="slips", columns=columns)}

    def write_request(self, connection: Connection, target: str, document: Document, set_id: str) -> bytes:
        if document.key == "TOO-STRANGE":
            raise RecordError("The order is too strange.", hint="Make it plain.", code="toy-strange")
        slip = {"set": set_id, "write": document.header, "lines": document.lines, "key": document.key}
        return json.dumps(slip, default=str, sort_keys=True).encode()

    def read_write(self, connection: Connection, target: str, answer: bytes) -> WriteAnswer:
        said = json.loads(answer)
        outcome = Outcome(said["outcome"])
        problem = None if outcome is Outcome.OK else Problem("toy-refusal", said.get("why", "The toy said no."))
        return WriteAnswer(outcome, said.get("id", ""), said.get("number", ""), problem)

    def clear_request(self, connection: Connection, set_id: str) -> bytes:
        return json.dumps({"forget": set_id}).encode()

    def find_request(self, connection: Connection, target: str, document: Document, since: datetime) -> bytes:
        return json.dumps({"find": document.key, "customer": document.header["Customer"]}).encode()

    def read_found(self, connection: Connection, target: str, answer: bytes, key: str) -> WriteAnswer:
        return self.read_write(connection, target, answer)

    def standing_request(self, connection: Connection, since: datetime) -> bytes:
        return json.dumps({"standing": since.isoformat()}).encode()

    def read_standing(self, connection: Connection, answer: bytes) -> frozenset[str]:
        said = json.loads(answer)
        if "ids" not in said:
            raise FatalError("The toy does not say what it has.", hint="Wait.", code="toy-silent")
        return frozenset(said["ids"])


class ToyFiles:
    """Files of comma-separated lines in a folder; `fail` makes the next placings fail."""

    name = "toy_files"
    title = "Toy folder"
    settings: tuple[Setting, ...] = (Setting(name="root", help="The folder."),)

    def __init__(self) -> None:
        self.fail = 0

    def check(self, connection: Connection) -> list[Check]:
        return [Check("folder", Path(connection.settings["root"]).is_dir())]

    def layouts(self, connection: Connection | None = None) -> Mapping[str, Layout]:
        columns = (
            TargetColumn(name="Number", key=True, required=True, position=1),
            TargetColumn(name="Name", position=2),
            TargetColumn(name="Owed", kind=Kind.DECIMAL, scale=2, position=3),
        )
        return {"list": Layout(name="list", columns=columns, file="list.txt")}

    def file_name(self, connection: Connection, layout: str) -> tuple[str, str]:
        return f"for-{connection.company.cust_id}", f"{layout}.txt"

    def encode(self, connection: Connection, layout: str, rows: Rows, file: IO[bytes]) -> Encoded:
        for row in rows.table().to_pylist():
            line = ",".join("" if value is None else str(value) for value in row.values())
            file.write(f"{line}\n".encode())
        return Encoded(rows.count)

    def decode(self, connection: Connection, layout: str, data: bytes) -> tuple[tuple[str, ...], list[list[str]]]:
        names = tuple(column.name for column in self.layouts()[layout].columns)
        return names, [line.split(",") for line in data.decode().splitlines()]

    def place(
        self, connection: Connection, layout: str, data: IO[bytes], before: Callable[[], None] = at_once
    ) -> Placed:
        if self.fail:
            self.fail -= 1
            raise TransientError("The folder is away.", hint="Wait.", code="toy-away")
        folder, name = self.file_name(connection, layout)
        path = Path(connection.settings["root"]) / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        before()
        data.seek(0)
        return Placed(str(path), path.write_bytes(data.read()))


class ToyOrders:
    """An orders database in memory, shared by the tests of one object."""

    name = "toy_orders"
    title = "Toy orders"
    settings: tuple[Setting, ...] = ()

    def __init__(self) -> None:
        self.orders: list[SourceOrder] = []
        self.told: list[WriteBack] = []
        self.away = False
        #: what the query asks for
        self.columns = ["order_no", "customer", "item", "quantity"]

    def check(self, connection: Connection) -> list[Check]:
        return [Check("reach", not self.away)]

    def put(self, key: str, customer: str, *items: str) -> None:
        """An order with one line an item."""
        stamp = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=len(self.orders))
        rows = tuple({"order_no": key, "customer": customer, "item": item, "quantity": "2"} for item in items)
        self.orders.append(SourceOrder(key, stamp, rows))

    def order_fields(self, connection: Connection) -> Stream:
        fields = tuple(Field(name=name) for name in self.columns)
        return Stream(name="orders", fields=fields, key="order_no", label="order_no")

    def read_orders(
        self, connection: Connection, cursor: OrderCursor | None, now: datetime
    ) -> tuple[list[SourceOrder], OrderCursor | None]:
        if self.away:
            raise TransientError("The orders database is away.", hint="Wait.", code="toy-away")
        since = cursor.stamp - timedelta(minutes=2) if cursor else datetime.min.replace(tzinfo=UTC)
        # without a cursor no order was taken before that could have been cancelled
        found = [order for order in self.orders if order.stamp >= since and (cursor or not order.cancelled)]
        return found, OrderCursor(found[-1].stamp, found[-1].key) if found else cursor

    def explain(self, connection: Connection) -> tuple[Problem, ...]:
        return (Problem("toy-slow", "The toy is slow.", "Wait."),)

    def order_table(self, order_rows: Sequence[Mapping[str, Any]], connection: Connection) -> pa.Table:
        names = [field.name for field in self.order_fields(connection).fields]
        return pa.table({name: pa.array([row.get(name) for row in order_rows], pa.string()) for name in names})

    def write_back(self, connection: Connection, results: Sequence[WriteBack]) -> int:
        self.told += results
        return len(results)
