"""QuickBooks Desktop as a connector: a source and a target that calls us through the Web Connector."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import PureWindowsPath

import pyarrow as pa

from routebooks.connectors.base import (
    Check,
    Connection,
    Identity,
    LookUp,
    Outcome,
    Page,
    Prepared,
    Setting,
    View,
    WriteAnswer,
)
from routebooks.connectors.quickbooks_desktop import (
    editions,
    identity,
    order_policies,
    sales_orders,
    slices,
    status_codes,
    streams,
    views,
)
from routebooks.connectors.quickbooks_desktop.order_keys import KEY_FIELDS
from routebooks.connectors.quickbooks_desktop.order_settings import ORDER_SETTINGS, check_orders, policies_of
from routebooks.connectors.quickbooks_desktop.views import VIEW_SETTINGS
from routebooks.errors import ConfigError, Problem
from routebooks.records import Document, Extract, Rejected, Stream, Target
from routebooks.rows import Rows

#: how a version of qbXML is written
_VERSION_FORM = r"[0-9]{1,2}\.[0-9]"


class QuickBooksDesktop:
    """A Connector, CallingSource, DocumentTarget, Preparing and Enumerating. All it knows comes in as arguments."""

    name = "quickbooks_desktop"
    title = "QuickBooks Desktop"
    settings: tuple[Setting, ...] = (
        Setting(
            name="company_file",
            help="Full path of the company file on the computer with QuickBooks (press F2 in QuickBooks to see it). "
            "Empty: the company that is open there.",
            default="",
        ),
        Setting(
            name="page_size",
            help="How many records QuickBooks hands over at once, best between 100 and 500.",
            default=250,
            minimum=10,
            maximum=10_000,
        ),
        Setting(
            name="order_key_field",
            help="The field of a sales order that carries our order key. Other holds 29 characters, PONumber 25.",
            default="Other",
            choices=tuple(KEY_FIELDS),
            fixed_while_writing=True,
        ),
        Setting(
            name="qbxml_version",
            help="The version of qbXML to speak; lower it for an old release.",
            default="13.0",
            pattern=_VERSION_FORM,
        ),
        *ORDER_SETTINGS,
        *VIEW_SETTINGS,
    )

    def check(self, connection: Connection) -> list[Check]:
        """Whether the settings make sense. QuickBooks cannot be called: what it says itself, the engine adds."""
        checks: list[Check] = []
        for check in (_company_file, _page_size, _order_key_field, _qbxml_version, _orders):
            checks.append(check(connection))
            if not checks[-1].ok:
                break
        return checks

    # Source

    def streams(self) -> Mapping[str, Stream]:
        """Customers with their jobs, and items of all kinds."""
        return streams.STREAMS

    def parse(self, stream: str, pages: Iterable[bytes]) -> Iterator[pa.Table]:
        """The records of all pages as they come. Raises FatalError when a page is not what QuickBooks sends."""
        return streams.parse(stream, pages)

    # Viewing

    def views(self) -> Mapping[str, View]:
        """Customers with what is past due, transactions line by line, and the codes of detail.fil."""
        return views.VIEWS

    def view(
        self, connection: Connection, name: str, rows: Mapping[str, Rows], today: date
    ) -> tuple[Rows, tuple[Rejected, ...]]:
        """A view, and the transactions that it set aside."""
        return views.view(connection, name, rows, today)

    # CallingSource

    def first_request(self, connection: Connection, extract: Extract) -> bytes:
        """The request for the first page: an iterator's Start."""
        return streams.page_request(_version(connection), extract)

    def slices(self, extract: Extract, now: datetime) -> tuple[Extract, ...]:
        """A list in ranges of names and what changed meanwhile, transactions in ranges of time."""
        return slices.slices(extract, now)

    def read_page(self, connection: Connection, extract: Extract, answer: bytes) -> Page:
        """What a page says of itself; the request for the next is the same with the iterator's Continue."""
        page = streams.read_page(_version(connection), extract, answer)
        return replace(page, besides=slices.besides(extract, answer)) if page.records else page

    def identity_request(self, connection: Connection) -> bytes:
        """The company with our mark, and the program."""
        return identity.identity_request(_version(connection))

    def read_identity(self, connection: Connection, answer: bytes) -> Identity:
        """Which company file answers. Raises FatalError when it does not say."""
        return identity.read_identity(answer)

    def mark_request(self, connection: Connection, file_id: str) -> None:
        """None: the Web Connector itself writes the FileID of the .qwc file into the company at the first connect.

        So a file without our mark is one that our .qwc file was never used with, and into such a file nothing is
        written, a mark least of all: it would make a wrong company look like the bound one. (QuickBooks guide for the
        Web Connector, as told in reference/quickbooks-desktop.md section 3, Company identity.)
        """

    def read_refusal(self, hresult: str, message: str) -> tuple[Outcome, Problem]:
        """What an HRESULT of the Web Connector means."""
        return status_codes.refusal(hresult, message)

    # DocumentTarget

    def targets(self) -> Mapping[str, Target]:
        """Sales orders."""
        return sales_orders.TARGETS

    def can_write(self, product: str) -> Check:
        """Whether the QuickBooks of this name (Identity.product) takes sales orders, and what to do if not."""
        return editions.can_write(product)

    def prepare(self, connection: Connection, target: str, document: Document, look_up: LookUp) -> Prepared:
        """The sales order by the connection's settings. Raises RecordError for one that has to wait for a person."""
        sales_orders.target_of(target)
        return order_policies.prepare(document, policies_of(connection.settings), look_up)

    def write_request(self, connection: Connection, target: str, document: Document, set_id: str) -> bytes:
        """The bytes of one sales order. Raises RecordError for what QuickBooks would not take."""
        sales_orders.target_of(target)
        return sales_orders.add_request(_version(connection), _key_field(connection), document, set_id)

    def read_write(self, connection: Connection, target: str, answer: bytes) -> WriteAnswer:
        """What became of a sales order."""
        return sales_orders.read_write(answer)

    def clear_request(self, connection: Connection, set_id: str) -> bytes:
        """Lets QuickBooks forget a message set."""
        return sales_orders.clear_request(_version(connection), set_id)

    def find_request(self, connection: Connection, target: str, document: Document, since: datetime) -> bytes:
        """The query for what may have come of a write."""
        sales_orders.target_of(target)
        return sales_orders.find_request(_version(connection), _key_field(connection), since)

    def read_found(self, connection: Connection, target: str, answer: bytes, key: str) -> WriteAnswer:
        """Whether a sales order with our key is among those found."""
        return sales_orders.read_found(_key_field(connection), answer, key)

    # Enumerating

    def standing_request(self, connection: Connection, since: datetime) -> bytes:
        """The query for the sales orders that were made or changed since an instant."""
        return sales_orders.find_request(_version(connection), _key_field(connection), since)

    def read_standing(self, connection: Connection, answer: bytes) -> frozenset[str]:
        """Their TxnIDs. Raises FatalError when the answer is not whole."""
        return sales_orders.read_standing(answer)


def _version(connection: Connection) -> str:
    return str(connection.settings.get("qbxml_version", "13.0"))


def _key_field(connection: Connection) -> str:
    check = _order_key_field(connection)
    if not check.ok:
        raise ConfigError(check.message, hint=check.hint, code="qb-order-key-field")
    return str(connection.settings.get("order_key_field", "Other"))


def _company_file(connection: Connection) -> Check:
    name, path = "File to open", str(connection.settings.get("company_file", "")).strip()
    if not path:
        return Check(name, True, "The company that is open in QuickBooks.")
    # The Web Connector takes any text for a path and only fails when it opens it.
    if not PureWindowsPath(path).is_absolute() or not path.lower().endswith(".qbw"):
        return Check(
            name, False, f"{path} is not the full path of a .QBW file.", "Press F2 in QuickBooks and copy the path."
        )
    return Check(name, True, path)


def _page_size(connection: Connection) -> Check:
    name, size = "Page size", connection.settings.get("page_size", 250)
    if not isinstance(size, int) or isinstance(size, bool) or not 10 <= size <= 10_000:
        return Check(name, False, f"{size!r} is no page size.", "Use a whole number, best between 100 and 500.")
    return Check(name, True, f"{size} records")


def _order_key_field(connection: Connection) -> Check:
    name, field = "Order key", str(connection.settings.get("order_key_field", "Other"))
    if field not in KEY_FIELDS:
        return Check(name, False, f"{field!r} cannot carry an order key.", f"Use one of {', '.join(KEY_FIELDS)}.")
    return Check(name, True, f"in {field}, at most {KEY_FIELDS[field]} characters")


def _orders(connection: Connection) -> Check:
    return check_orders(connection.settings)


def _qbxml_version(connection: Connection) -> Check:
    name, version = "qbXML version", _version(connection)
    if not re.fullmatch(_VERSION_FORM, version):
        return Check(name, False, f"{version!r} is no version of qbXML.", "Write it as 13.0.")
    return Check(name, True, version)
