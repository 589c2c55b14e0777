"""Sales orders out to QuickBooks: the table of all elements, the bytes of one order, and what the answers say.

One order is one SalesOrderAdd, one SalesOrderAdd is one message set (reference/quickbooks-desktop.md, Exactly-once).
Our own order key travels in a field of the order that a person can see, so that an order can be found again when
nobody knows whether it was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from lxml import etree

from routebooks.connectors.base import Outcome, WriteAnswer
from routebooks.connectors.quickbooks_desktop import order_keys, qbxml, status_codes
from routebooks.connectors.quickbooks_desktop.elements import Element, Type, checked, refused, write
from routebooks.connectors.quickbooks_desktop.order_elements import GROUP, HEADER, LINE, SETTLED
from routebooks.errors import ConfigError, FatalError, Problem, RecordError, RoutebooksError
from routebooks.records import Document, Kind, Target, TargetColumn

#: The name of the target.
SALES_ORDERS = "sales_orders"
#: A longer message set id is status 9004; a GUID does not fit.
MAX_SET_ID = 24
#: How far before the first hand-out an order is looked for: the other computer's clock and daylight saving.
_LOOK_BACK = timedelta(hours=2)
#: Fields of a line of which QuickBooks takes one only.
_EITHER = (("Rate", "RatePercent", "PriceLevelRef"), ("SerialNumber", "LotNumber"))
#: An internal error while writing does not say how far QuickBooks had come.
_UNSURE = (1000,)

_KEY = TargetColumn(name="Key", kind=Kind.TEXT, required=True, key=True, position=1)


def _columns() -> tuple[TargetColumn, ...]:
    # What both kinds of line have is told with the limits of the usual one.
    lines = {element.column: element for element in (*LINE, *GROUP, *LINE, *SETTLED)}
    header = [(element, False) for element in HEADER]
    both = enumerate(header + [(element, True) for element in lines.values()], start=2)
    return (_KEY, *(element.target_column(position, line=line) for position, (element, line) in both))


TARGETS: Mapping[str, Target] = {SALES_ORDERS: Target(name=SALES_ORDERS, columns=_columns())}


def add_request(version: str, key_field: str, document: Document, set_id: str) -> bytes:
    """The exact bytes that write one order. The same document gives the same bytes.

    Raises RecordError for a value that QuickBooks would not take, FatalError for a set id that it would not.
    """
    _check_set_id(set_id)
    header = order_keys.put(key_field, document)
    _known(header, HEADER, "")
    if not document.lines:
        raise RecordError(
            f"Order {document.key} has no lines, and QuickBooks takes none without.",
            hint="Look at the order at its source. If its lines come later, it comes again with them.",
            code="qb-order-empty",
        )
    body = write(HEADER, header)
    body += "".join(_line(line, f"Line {number}: ") for number, line in enumerate(document.lines, start=1))
    order = f'<SalesOrderAddRq requestID="{SALES_ORDERS}"><SalesOrderAdd>{body}</SalesOrderAdd></SalesOrderAddRq>'
    return qbxml.request(version, order, new_set=set_id)


def _line(line: Mapping[str, Any], where: str) -> str:
    group = any(checked(each, line.get(each.column), where) for each in GROUP if each.path.startswith("ItemGroupRef."))
    elements, tag = (GROUP, "SalesOrderLineGroupAdd") if group else (LINE, "SalesOrderLineAdd")
    _known(line, elements, where)
    for choices in _EITHER:
        filled = [column for column in line if column.partition(".")[0] in choices and _filled(line, column)]
        if len({column.partition(".")[0] for column in filled}) > 1:
            raise RecordError(
                f"{where}{' and '.join(filled)} are both filled, and QuickBooks takes one of them.",
                hint="Empty one of them in the map.",
                code="qb-field-clash",
            )
    content = write(elements, line, where)
    if not content:
        raise RecordError(
            f"{where}it is empty.", hint="Let the map fill an item or a description.", code="qb-order-line-empty"
        )
    return f"<{tag}>{content}</{tag}>"


def _filled(values: Mapping[str, Any], column: str) -> bool:
    value = values.get(column)
    # Blanks alone are left out where they are written.
    return value is not None and not (isinstance(value, str) and value.strip() == "")


def _known(values: Mapping[str, Any], elements: tuple[Element, ...], where: str) -> None:
    columns = {element.column for element in elements} | {_KEY.name}
    for column in values:
        if column not in columns and _filled(values, column):
            element = Element(path=column, type=Type.TEXT)
            raise refused(
                element,
                values[column],
                where,
                "a sales order has no such field here",
                hint="Empty it in the map.",
                code="qb-field-unknown",
            )


def clear_request(version: str, set_id: str) -> bytes:
    """Lets QuickBooks forget a message set: its id as the old one, none as the new one."""
    _check_set_id(set_id)
    return qbxml.request(version, "", old_set=set_id)


def _check_set_id(set_id: str) -> None:
    if not re.fullmatch(rf"[0-9A-Za-z]{{1,{MAX_SET_ID}}}", set_id):
        raise FatalError(
            f"The message set id {set_id!r} is not one: 1 to {MAX_SET_ID} letters and digits.", code="qb-set-id"
        )


def read_write(answer: bytes) -> WriteAnswer:
    """What became of an order; the answer to the same set sent again reads alike (ErrorRecovery for the order)."""
    try:
        root = qbxml.document(answer)
        if (unclear := _set_status(root)) is not None:
            return unclear
        response = _response(root, "SalesOrderAddRs")
        head = qbxml.head(response)
    except RoutebooksError as error:
        return WriteAnswer(Outcome.UNKNOWN, problem=error.problem)
    outcome, problem = status_codes.problem(head.status, head.severity, head.message)
    order = response.find("SalesOrderRet")
    external_id = (response.findtext("ErrorRecovery/TxnID") if order is None else order.findtext("TxnID")) or ""
    number = "" if order is None else order.findtext("RefNumber") or ""
    if external_id:
        # With an id the order is there, whatever else QuickBooks has to say about it.
        fine = outcome is Outcome.OK
        return WriteAnswer(Outcome.OK if fine else Outcome.PARTIAL, external_id, number, None if fine else problem)
    if outcome in (Outcome.OK, Outcome.EMPTY, Outcome.PARTIAL) or head.status in _UNSURE:
        return WriteAnswer(Outcome.UNKNOWN, problem=problem)
    return WriteAnswer(outcome, problem=problem)


def _set_status(root: etree._Element) -> WriteAnswer | None:
    code = next((each.get("messageSetStatusCode", "0") for each in root.iterfind("QBXMLMsgsRs")), "0")
    if code in ("", "0"):
        return None
    known = int(code) if re.fullmatch(r"[0-9]{1,9}", code) else -1
    outcome, problem = status_codes.problem(known, "", "")
    return WriteAnswer(outcome if outcome is Outcome.STOP else Outcome.UNKNOWN, problem=problem)


def _response(root: etree._Element, name: str) -> etree._Element:
    found = root.find(f"QBXMLMsgsRs/{name}") if root.tag == "QBXML" else None
    if found is None:
        raise FatalError(f"QuickBooks answered something else than {name}.", code="qb-wrong-answer")
    return found


def find_request(version: str, key_field: str, since: datetime) -> bytes:
    """The query for what may have come of a write: every order changed since two hours before `since`.

    Not only those of its customer, for customers are merged and orders given to another one. Our key cannot be asked
    for, so it is compared on our side; to keep the answer small it brings nothing but what is compared, and the ids.
    No iterator: the answer is whole. (reference/quickbooks-desktop.md: SalesOrderQueryRq, IncludeRetElement.)
    """
    changed = qbxml.leaf("FromModifiedDate", qbxml.instant(since - _LOOK_BACK))
    body = f"<ModifiedDateRangeFilter>{changed}</ModifiedDateRangeFilter><IncludeLineItems>false</IncludeLineItems>"
    body += "".join(qbxml.leaf("IncludeRetElement", name) for name in ("TxnID", "RefNumber", key_field))
    return qbxml.request(version, f'<SalesOrderQueryRq requestID="{SALES_ORDERS}">{body}</SalesOrderQueryRq>')


def read_found(key_field: str, answer: bytes, key: str) -> WriteAnswer:
    """OK with the ids when an order carries our key; EMPTY only when QuickBooks surely has none; else why not."""
    found: list[tuple[str, str]] = []

    def compare(order: etree._Element) -> None:
        if order_keys.carries(key_field, order.findtext(key_field) or "", key):
            found.append((order.findtext("TxnID") or "", order.findtext("RefNumber") or ""))

    try:
        head = qbxml.head(qbxml.read(answer, "SalesOrderQueryRs", ("SalesOrderRet",), compare))
    except RoutebooksError as error:
        return WriteAnswer(Outcome.UNKNOWN, problem=error.problem)
    outcome, problem = status_codes.problem(head.status, head.severity, head.message)
    if found:
        return WriteAnswer(Outcome.OK, *found[0], problem=_double(key, found) if len(found) > 1 else None)
    if outcome is Outcome.EMPTY or (outcome is Outcome.OK and _whole(head)):
        return WriteAnswer(Outcome.EMPTY)
    if outcome in (Outcome.OK, Outcome.PARTIAL):
        return WriteAnswer(Outcome.UNKNOWN, problem=problem)
    return WriteAnswer(outcome, problem=problem)


def read_standing(answer: bytes) -> frozenset[str]:
    """The TxnIDs of the orders in the answer to `find_request`. Raises FatalError when any may be missing."""
    found: set[str] = set()

    def keep(order: etree._Element) -> None:
        found.add(order.findtext("TxnID") or "")

    head = qbxml.head(qbxml.read(answer, "SalesOrderQueryRs", ("SalesOrderRet",), keep))
    outcome, problem = status_codes.problem(head.status, head.severity, head.message)
    if outcome is Outcome.EMPTY or (outcome is Outcome.OK and _whole(head)):
        return frozenset(found)
    broken = Problem("qb-broken-page", "The list of sales orders is not whole.", "It is asked for again tomorrow.")
    raise FatalError.of(problem or broken)


def _whole(head: qbxml.Head) -> bool:
    return head.announced in (None, head.found) and not head.remaining


def _double(key: str, found: list[tuple[str, str]]) -> Problem:
    return Problem(
        "qb-order-double",
        f"QuickBooks has {len(found)} sales orders with the key {key}.",
        "Look at them in QuickBooks and delete all but one.",
        ", ".join(f"{number} ({external_id})" for external_id, number in found),
    )


def target_of(target: str) -> Target:
    """The target of this name. Raises ConfigError when there is none."""
    if target not in TARGETS:
        raise ConfigError(
            f"QuickBooks Desktop has no target {target!r}.", hint=f"Use {', '.join(TARGETS)}.", code="no-target"
        )
    return TARGETS[target]
