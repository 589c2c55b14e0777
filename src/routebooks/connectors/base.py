"""What the engine asks of a connector. A connector implements the protocols of what its system can do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import IO, Any, Protocol, runtime_checkable

import pyarrow as pa

from routebooks.errors import Problem
from routebooks.records import Document, Extract, Layout, Loss, Rejected, Stream, Target
from routebooks.rows import Rows


@dataclass(frozen=True)
class Company:
    """What a connector may know of the company it works for."""

    id: int
    name: str
    cust_id: str
    time_zone: str = "UTC"


@dataclass(frozen=True)
class Connection:
    """A connector set up with address and credentials. `settings` hold a value for every declared setting."""

    id: int
    name: str
    connector: str
    company: Company
    settings: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting of a connection. The type of the default is the type of the setting; None makes it required text."""

    name: str
    help: str
    default: str | int | bool | None = None
    choices: tuple[str, ...] = ()
    #: the least and the greatest of a number
    minimum: int | None = None
    maximum: int | None = None
    #: a regular expression that a text fits as a whole; its default shows how it is written
    pattern: str = ""
    secret: bool = False
    #: another setting and the value of it without which this one says nothing; a secret is asked for only then
    only_with: tuple[str, str] | None = None
    #: our own assumption about a system that publishes nothing: said where a user sets it
    assumed: bool = False
    #: a write that is under way is recognised by it: it cannot be changed before the answer is here
    fixed_while_writing: bool = False
    #: records that were read are known by it: with another value they would look new
    fixed_once_read: bool = False
    #: it says which records these are: two connections that agree in all such settings would read the same ones
    of_one_reader: bool = False
    #: makes the same of two texts that mean the same, for that comparison
    alike: Callable[[str], str] | None = field(default=None, compare=False)
    #: it says which records there are and when they changed: with another value, flows from here read from the start
    read_anew: bool = False
    #: raises ConfigError for a text that cannot be meant, as soon as it is set
    judge: Callable[[str], object] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Check:
    """One line of a connection's test: what was tried, whether it works, and the cure."""

    name: str
    ok: bool
    message: str = ""
    hint: str = ""
    #: the setting (name=value) that lets this step pass, once a person has confirmed the value
    confirm: str = ""


@runtime_checkable
class Connector(Protocol):
    """What every connector says of itself."""

    name: str
    title: str
    settings: tuple[Setting, ...]

    def check(self, connection: Connection) -> list[Check]:
        """Try the connection, step by step; stop after the first step that fails. Raises nothing."""
        ...


class Outcome(StrEnum):
    """What an answer means for us: the kinds of the status table."""

    OK = "ok"
    #: nothing matches: success without rows
    EMPTY = "empty"
    #: taken, but something is missing or was left out; warn
    PARTIAL = "partial"
    #: may work later: try again with back-off
    RETRY = "retry"
    #: this record waits for a person
    HOLD = "hold"
    #: the connection's work stops until a person acts
    STOP = "stop"
    #: the answer does not tell whether the write happened: look before writing again
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Page:
    """What the answer to a query says of itself, before its records are read."""

    outcome: Outcome
    records: int = 0
    #: the request for the next page; None after the last
    next_request: bytes | None = None
    #: how many records the system says are behind this page; None where it does not count them
    remaining: int | None = None
    #: why the outcome is not OK or EMPTY
    problem: Problem | None = None
    #: of an extract in slices: what else has to be read, after all of them, for what this page tells
    besides: tuple[Extract, ...] = ()


@dataclass(frozen=True)
class WriteAnswer:
    """What the system said of one write. `external_id` and `number` are its own names for what it made."""

    outcome: Outcome
    external_id: str = ""
    number: str = ""
    problem: Problem | None = None


@dataclass(frozen=True)
class Identity:
    """Which company file answers: our own mark in it, its name, and (from the call itself) its path."""

    file_id: str
    company_name: str
    #: what the file can do, for the connection test ("QuickBooks Enterprise Solutions 24.0", qbXML 13.0)
    product: str = ""


@dataclass(frozen=True)
class View:
    """A named source that a connector makes of the snapshots of several streams."""

    stream: Stream
    #: the streams whose snapshots it reads
    needs: tuple[str, ...]
    #: the streams among them of which an incremental flow reads only what changed; the others are always read whole
    changes: tuple[str, ...] = ()
    #: the stream among them that lists what was deleted (its field TxnID), and the field that a person knows it by
    deletions: str | None = None
    deletions_label: str = ""


@runtime_checkable
class Viewing(Protocol):
    """A source that also has views."""

    def views(self) -> Mapping[str, View]:
        """The views by name."""
        ...

    def view(
        self, connection: Connection, name: str, rows: Mapping[str, Rows], today: date
    ) -> tuple[Rows, tuple[Rejected, ...]]:
        """The view, with the fields of its stream, from the rows of the streams it needs; and what it set aside.

        `today` is the company's own day (for what is overdue).
        """
        ...


#: finds a record of the last snapshot of a stream by its id or name, one with lines under `lines`; None: there is none
LookUp = Callable[[str, str], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Prepared:
    """A document as it is to be written, and what a person should know of it."""

    document: Document
    notes: tuple[Problem, ...] = ()


@runtime_checkable
class Preparing(Protocol):
    """A document target that settles prices, units and credit before a document is written."""

    def can_write(self, product: str) -> Check:
        """Whether a system that says this of itself (Identity.product) takes documents, and what to do if not."""
        ...

    def prepare(self, connection: Connection, target: str, document: Document, look_up: LookUp) -> Prepared:
        """The document by the connection's policies. Raises RecordError for one that has to wait for a person."""
        ...


@runtime_checkable
class Source(Protocol):
    """A system whose streams can be extracted in pages."""

    def streams(self) -> Mapping[str, Stream]:
        """The streams by name."""
        ...

    def parse(self, stream: str, pages: Iterable[bytes]) -> Iterator[pa.Table]:
        """The records of all pages of one attempt as they come, in tables of some 10,000 rows.

        The columns are the stream's fields in their types, then any the system adds (`Custom.<name>`, text), whose
        metadata is kept. A record seen twice comes twice. Raises FatalError when a page is not what the system sends.
        """
        ...


@runtime_checkable
class CallingSource(Source, Protocol):
    """A source that calls us: we put a request into the exchange and wait for its answer."""

    def first_request(self, connection: Connection, extract: Extract) -> bytes:
        """The request for the first page."""
        ...

    def slices(self, extract: Extract, now: datetime) -> tuple[Extract, ...]:
        """An extract, or a slice of one, cut into slices, in the order to read them; itself where it cannot be cut.

        Together, and with what their pages ask for besides, they hold every record at least once, whatever is changed
        or renamed while they are read from `now` on.
        """
        ...

    def read_page(self, connection: Connection, extract: Extract, answer: bytes) -> Page:
        """What an answer says of itself; checked to be whole, its records not read yet. Raises nothing."""
        ...

    def identity_request(self, connection: Connection) -> bytes:
        """The first request of every session."""
        ...

    def read_identity(self, connection: Connection, answer: bytes) -> Identity:
        """Who answered. Raises FatalError when the answer does not say."""
        ...

    def mark_request(self, connection: Connection, file_id: str) -> bytes | None:
        """The request that leaves our mark in a company file which has none; None when the system itself does it."""
        ...

    def read_refusal(self, hresult: str, message: str) -> tuple[Outcome, Problem]:
        """What it means when the caller hands in an error of its own in place of an answer."""
        ...


@runtime_checkable
class PulledSource(Source, Protocol):
    """A source that we can call at any time."""

    def extract(self, connection: Connection, extract: Extract) -> Iterable[bytes]:
        """The pages, one after the other. Raises TransientError, FatalError."""
        ...


@runtime_checkable
class DocumentTarget(Protocol):
    """A system that calls us and takes documents, one write a message set."""

    def targets(self) -> Mapping[str, Target]:
        """What can be written, by name."""
        ...

    def write_request(self, connection: Connection, target: str, document: Document, set_id: str) -> bytes:
        """The exact bytes of one write. Raises RecordError when a value does not fit what the system takes."""
        ...

    def read_write(self, connection: Connection, target: str, answer: bytes) -> WriteAnswer:
        """What became of the write; also for the answer to a write that is sent again. Raises nothing."""
        ...

    def clear_request(self, connection: Connection, set_id: str) -> bytes:
        """Lets the system forget a message set whose answer is safe with us."""
        ...

    def find_request(self, connection: Connection, target: str, document: Document, since: datetime) -> bytes:
        """The query for what may have come of a write: what was changed since the first hand-out, whoever it is for."""
        ...

    def read_found(self, connection: Connection, target: str, answer: bytes, key: str) -> WriteAnswer:
        """OK with the ids when a document with our key is among those found; EMPTY when none is; else why not."""
        ...


@runtime_checkable
class Enumerating(Protocol):
    """A document target that can be asked which documents it has."""

    def standing_request(self, connection: Connection, since: datetime) -> bytes:
        """The query for the documents that were made or changed since an instant."""
        ...

    def read_standing(self, connection: Connection, answer: bytes) -> frozenset[str]:
        """The ids of the documents that stand there. Raises FatalError when the answer is not the whole truth."""
        ...


@dataclass(frozen=True)
class SourceOrder:
    """One order as read: its key, its change stamp, and its rows (one a line, JSON values only)."""

    key: str
    stamp: datetime
    rows: tuple[Mapping[str, Any], ...]
    #: set when the order cannot be taken as it is (lines missing); it goes to the rejected list
    problem: Problem | None = None
    #: its state is now one in which orders are not taken (cancelled, put off): a new order is not to be taken, and one
    #: that was taken before is to be reported. One row at least shows the state; the others may be missing
    cancelled: bool = False
    #: the id of a document that the orders database says this order is already; whether it is ours, the ledger knows
    external_id: str = ""


@dataclass(frozen=True)
class OrderCursor:
    """How far the orders have been read: the greatest stamp seen, and the greatest key at that stamp."""

    stamp: datetime
    key: str


@dataclass(frozen=True)
class WriteBack:
    """What we tell the orders database of one order."""

    key: str
    status: str
    external_id: str = ""
    number: str = ""
    message: str = ""


@runtime_checkable
class OrderSource(Protocol):
    """A database that orders are read from."""

    def order_fields(self, connection: Connection) -> Stream:
        """The stream that an orders map is checked against: the columns of the query."""
        ...

    def read_orders(
        self, connection: Connection, cursor: OrderCursor | None, now: datetime
    ) -> tuple[list[SourceOrder], OrderCursor | None]:
        """Orders since the cursor less the overlap, settled, in order of stamp and key; and the cursor to keep.

        Orders seen before may come again, also as cancelled. Raises ConfigError (query, columns), TransientError
        (database away).
        """
        ...

    def order_table(self, order_rows: Sequence[Mapping[str, Any]], connection: Connection) -> pa.Table:
        """Kept rows as a table again, typed as order_fields says."""
        ...

    def write_back(self, connection: Connection, results: Sequence[WriteBack]) -> int:
        """Tell the database what became of orders; 0 when no statement is set. Repeatable. Raises TransientError."""
        ...


@runtime_checkable
class Explaining(Protocol):
    """A source whose way of reading makes a person wonder where something is."""

    def explain(self, connection: Connection) -> tuple[Problem, ...]:
        """What to know of it: said where a run is shown."""
        ...


@dataclass(frozen=True)
class Encoded:
    """How many records a file holds, and what had to be changed to fit (for the run's notes)."""

    records: int
    notes: tuple[Problem, ...] = ()


def at_once() -> None:
    """Nothing that a file has to wait for."""


@dataclass(frozen=True)
class Placed:
    """Where a file lies now."""

    address: str
    size: int


@runtime_checkable
class FileTarget(Protocol):
    """A system that takes files."""

    def layouts(self, connection: Connection | None = None) -> Mapping[str, Layout]:
        """The layouts by name: a connection's own where it has any; without a connection those of the product.

        Raises ConfigError when one of its own cannot be used.
        """
        ...

    def file_name(self, connection: Connection, layout: str) -> tuple[str, str]:
        """Folder and name of a file, after the connection's settings."""
        ...

    def encode(self, connection: Connection, layout: str, rows: Rows, file: IO[bytes]) -> Encoded:
        """Write mapped rows (the layout's columns) as the bytes of a file, read back and counted. Raises FatalError."""
        ...

    def decode(self, connection: Connection, layout: str, data: bytes) -> tuple[tuple[str, ...], list[list[str]]]:
        """Column names and rows of a file, for showing it to a person."""
        ...

    def place(
        self, connection: Connection, layout: str, data: IO[bytes], before: Callable[[], None] = at_once
    ) -> Placed:
        """Put the file in place: temporary name, size check, `before`, rename. Repeatable.

        What `before` raises keeps the file from its place. Raises TransientError, ConfigError.
        """
        ...


@runtime_checkable
class Fitting(Protocol):
    """A file target whose files cannot say every text: they lack characters, or room for them."""

    def fit(self, connection: Connection, layout: str, table: pa.Table) -> tuple[pa.Table, tuple[Loss, ...]]:
        """A mapped table with its texts as the file says them, blank ones as null; and what was lost.

        A table that was fitted fits as it is. Raises ConfigError.
        """
        ...


@runtime_checkable
class Fetching(Protocol):
    """A file target from which a file can be read back."""

    def fetch(self, connection: Connection, layout: str) -> bytes | None:
        """The file as it lies at the target; None when there is none. Raises TransientError, ConfigError."""
        ...


@runtime_checkable
class Marking(Protocol):
    """A file target that can be told when all files of a night are in place."""

    def mark_done(self, connection: Connection) -> None:
        """Put the marker file in place, if the connection's settings want one. Raises TransientError, ConfigError."""
        ...
