"""The filters of queries: active, modified, by name, by entity, by number."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal

from routebooks.sandbox import wire
from routebooks.sandbox.books import Books
from routebooks.sandbox.company_file import Stored
from routebooks.sandbox.shapes import Fields
from routebooks.sandbox.status import Refusal

Match = Callable[[Stored], bool]

_TEXT: Mapping[str, Callable[[str, str], bool]] = {
    "StartsWith": str.startswith,
    "Contains": operator.contains,
    "EndsWith": str.endswith,
}
_ORDER: Mapping[str, Callable[[Decimal, Decimal], bool]] = {
    "LessThan": operator.lt,
    "LessThanEqual": operator.le,
    "Equal": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanEqual": operator.ge,
}


def matches(books: Books, fields: Fields, *, transaction: bool) -> Match:
    """Whether an object passes all filters of a query. Raises Refusal 3020, 3030, 3031, 3120."""
    tests = list(_transaction_tests(books, fields) if transaction else _list_tests(books, fields))
    return lambda stored: all(test(stored) for test in tests)


def _list_tests(books: Books, fields: Fields) -> Iterator[Match]:
    status = fields.get("ActiveStatus", "ActiveOnly")
    if status != "All":
        yield lambda stored: stored.active == (status == "ActiveOnly")
    yield _modified(books, fields)
    if "NameFilter" in fields:
        yield _text(fields["NameFilter"], "Name")
    if "NameRangeFilter" in fields:
        yield _text_range(fields["NameRangeFilter"], "FromName", "ToName")
    if "TotalBalanceFilter" in fields:
        wanted = fields["TotalBalanceFilter"]
        compare, limit = _ORDER[wanted["Operator"]], wire.number(wanted["Amount"])
        yield lambda stored: compare(_total_balance(stored), limit)
    if "ItemRef" in fields:
        item = books.resolve("ItemRef", fields["ItemRef"], "PriceLevelQuery").id
        yield lambda stored: item in [one["ItemRef"]["ListID"] for one in stored.fields.get("PriceLevelPerItemRet", ())]


def _transaction_tests(books: Books, fields: Fields) -> Iterator[Match]:
    if "ModifiedDateRangeFilter" in fields:
        yield _modified(books, fields["ModifiedDateRangeFilter"])
    if "TxnDateRangeFilter" in fields:
        yield _txn_date(fields["TxnDateRangeFilter"])
    if "EntityFilter" in fields:
        yield _entity(books, fields["EntityFilter"])
    if "RefNumberFilter" in fields:
        yield _text(fields["RefNumberFilter"], "RefNumber")
    if "RefNumberRangeFilter" in fields:
        yield _text_range(fields["RefNumberRangeFilter"], "FromRefNumber", "ToRefNumber")
    if fields.get("PaidStatus", "All") != "All":
        paid = str(fields["PaidStatus"] == "PaidOnly").lower()
        yield lambda stored: stored.fields["IsPaid"] == paid


def span(books: Books, fields: Fields, first: str, last: str) -> tuple[int | None, int | None]:
    """The first and the last second of a range, None where it is open. Raises Refusal 3020, 3030."""
    start = books.second(fields[first]) if fields.get(first) else None
    end = books.second(fields[last], end=True) if fields.get(last) else None
    if start is not None and end is not None and start > end:
        raise Refusal(3030, "Invalid date range: From date is greater than To date.")
    return start, end


def _modified(books: Books, fields: Fields) -> Match:
    start, end = span(books, fields, "FromModifiedDate", "ToModifiedDate")
    return lambda stored: (start is None or start <= stored.modified) and (end is None or stored.modified <= end)


def _txn_date(fields: Fields) -> Match:
    start = date.fromisoformat(fields.get("FromTxnDate") or "0001-01-01")
    end = date.fromisoformat(fields.get("ToTxnDate") or "9999-12-31")
    if start > end:
        raise Refusal(3030, "Invalid date range: From date is greater than To date.")
    return lambda stored: start <= date.fromisoformat(stored.fields["TxnDate"]) <= end


def _text(fields: Fields, name: str) -> Match:
    """By memory: names are compared as full names, so that a job stays with its customer; case does not count."""
    test, wanted = _TEXT[fields["MatchCriterion"]], fields[name].casefold()
    return lambda stored: test(stored.label.casefold(), wanted)


def _text_range(fields: Fields, first: str, last: str) -> Match:
    start, end = fields.get(first, "").casefold(), fields.get(last, "").casefold()
    if start and end and start > end:
        raise Refusal(3031, f'The "From" value "{fields[first]}" is greater than the "To" value "{fields[last]}".')
    return lambda stored: start <= stored.label.casefold() and (not end or stored.label.casefold() <= end)


def _total_balance(stored: Stored) -> Decimal:
    return wire.number(stored.fields.get("TotalBalance", stored.fields.get("Balance")))


def _entity(books: Books, fields: Fields) -> Match:
    keys = [key for value in fields.values() for key in (value if isinstance(value, list) else [value])]
    ids: set[str] = set()
    for key in keys:
        found = books.find(("Customer",), wire.text(key))
        if found is None:
            raise Refusal(3120, f'Object "{key}" specified in the request cannot be found.')
        ids.add(found.id)
        if "ListIDWithChildren" in fields or "FullNameWithChildren" in fields:
            ids |= {inner.id for inner in books.file.below(found)}
    return lambda stored: stored.fields["CustomerRef"]["ListID"] in ids
