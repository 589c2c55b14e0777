"""Answers queries: which objects are meant, page by page, and how each is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from routebooks.sandbox import wire
from routebooks.sandbox.answers import Answer, Wanted, answer_to, returned, wanted_of
from routebooks.sandbox.books import Books
from routebooks.sandbox.company_file import Stored
from routebooks.sandbox.filters import matches
from routebooks.sandbox.objects import ITEMS, KINDS
from routebooks.sandbox.reader import Request
from routebooks.sandbox.status import NO_MATCH, OK, Refusal

#: A query for another kind is one row here, its request in `requests` and its kind in `objects`.
QUERIES: Mapping[str, tuple[str, ...]] = {
    "CustomerQueryRq": ("Customer",),
    "VendorQueryRq": ("Vendor",),
    "ItemQueryRq": ITEMS,
    "SalesRepQueryRq": ("SalesRep",),
    "TermsQueryRq": ("StandardTerms", "DateDrivenTerms"),
    "StandardTermsQueryRq": ("StandardTerms",),
    "DateDrivenTermsQueryRq": ("DateDrivenTerms",),
    "CustomerTypeQueryRq": ("CustomerType",),
    "UnitOfMeasureSetQueryRq": ("UnitOfMeasureSet",),
    "PriceLevelQueryRq": ("PriceLevel",),
    "SalesOrderQueryRq": ("SalesOrder",),
    "InvoiceQueryRq": ("Invoice",),
    "CreditMemoQueryRq": ("CreditMemo",),
    "SalesReceiptQueryRq": ("SalesReceipt",),
}


@dataclass(frozen=True)
class Pages:
    """An iterator between two pages: the ids still to come, and the request that it was started with."""

    request: Request
    ids: tuple[str, ...]
    #: a look-up by name missed some: the first page tells
    missing: str = ""


_PERCENTS = ("PriceLevelFixedPercentage", "CustomPricePercent")

#: The iterators of one session by their id; they die with it.
Iterators = dict[str, Pages]


def query(books: Books, iterators: Iterators, request: Request, new_id: Callable[[], str]) -> Answer:
    """The answer to a query. Raises Refusal (3391 for an iterator that is not this session's, bad ranges)."""
    step = request.attributes.get("iterator")
    if step in ("Continue", "Stop"):
        return _next_page(books, iterators, request, stop=step == "Stop")
    found, missing = _select(books, request)
    pages = Pages(request, tuple(one.id for one in found), missing)
    if step is None:
        shown, _ = _taken(books, request, pages.ids)
        return _page(books, request, pages.missing, shown, ())
    iterator_id = f"{{{new_id()}}}"
    return _turn(books, iterators, request, pages, iterator_id)


def _next_page(books: Books, iterators: Iterators, request: Request, *, stop: bool) -> Answer:
    iterator_id = request.attributes.get("iteratorID", "")
    pages = iterators.get(iterator_id)
    # Intuit ties the criteria to Start and wants them sent again unchanged with every Continue.
    if pages is None or pages.request.name != request.name or not (stop or pages.request.fields == request.fields):
        raise Refusal(3391, f'The iteratorID "{iterator_id}" is not valid.')
    if stop:
        del iterators[iterator_id]
        return answer_to(request, extra=(("iteratorRemainingCount", "0"), ("iteratorID", iterator_id)))
    return _turn(books, iterators, request, pages, iterator_id)


def _turn(books: Books, iterators: Iterators, request: Request, pages: Pages, iterator_id: str) -> Answer:
    found, rest = _taken(books, request, pages.ids)
    iterators[iterator_id] = replace(pages, ids=rest, missing="")
    extra = (("iteratorRemainingCount", str(len(rest))), ("iteratorID", iterator_id))
    return _page(books, request, pages.missing, found, extra)


def _taken(books: Books, request: Request, ids: tuple[str, ...]) -> tuple[list[Stored], tuple[str, ...]]:
    """The objects of a page, and the ids after it. What was deleted since the iterator began is passed over."""
    size = int(request.fields.get("MaxReturned", len(ids)))
    family = KINDS[QUERIES[request.name][0]].family
    found: list[Stored] = []
    for at, object_id in enumerate(ids):
        if len(found) == size:
            return found, ids[at:]
        stored = books.file.get(family, object_id)
        found += [stored] if stored else []
    return found, ()


def _page(
    books: Books, request: Request, missing: str, found: list[Stored], extra: tuple[tuple[str, str], ...]
) -> Answer:
    metadata = request.attributes.get("metaData", "NoMetaData")
    shown = "" if metadata == "MetaDataOnly" else _shown(books, found, wanted_of(request))
    if metadata != "NoMetaData":
        extra = (("retCount", str(len(found))), *extra)
    return answer_to(request, status=_status(missing, found), extra=extra, body=shown)


def _shown(books: Books, found: Iterable[Stored], wanted: Wanted) -> str:
    signs = books.percent_signs
    return "".join(
        returned(one.kind, _with_percent_signs(fields) if signs and one.kind == "PriceLevel" else fields, wanted)
        for one in found
        for fields in (books.named_fields(one),)
    )


def _with_percent_signs(value: Any) -> Any:
    """A price level as QuickBooks may show it, against its own schema (the reference, section 2): `18.0%`."""
    if isinstance(value, list):
        return [_with_percent_signs(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: wire.percent_sign(inner) if name in _PERCENTS else _with_percent_signs(inner)
        for name, inner in value.items()
    }


def _status(missing: str, found: list[Stored]) -> tuple[int, str]:
    if missing:
        message = "The query request has not been fully completed. There was a required element "
        return 500, f'{message}("{missing}") that could not be found in QuickBooks.'
    return OK if found else NO_MATCH


def _select(books: Books, request: Request) -> tuple[list[Stored], str]:
    """The objects that are meant, and the first key asked for that there is none for."""
    kinds, fields = QUERIES[request.name], request.fields
    if "CurrencyFilter" in fields or "ClassFilter" in fields:
        raise Refusal(3250)
    objects = books.file.of_kinds(kinds)
    # Lists come in the order of their names, transactions in the order of their making.
    if not KINDS[kinds[0]].transaction:
        objects.sort(key=_label)
    for name, key_of in _LOOKUPS.items():
        if name in fields:
            return _look_up(objects, fields[name], key_of)
    matching = matches(books, fields, transaction=KINDS[kinds[0]].transaction)
    return [one for one in objects if matching(one)], ""


def _look_up(objects: list[Stored], keys: list[str], key_of: Callable[[Stored], str]) -> tuple[list[Stored], str]:
    # Whether a record is active does not count here; case counts only where the request says so.
    exact = key_of is _exact_label
    by_key: dict[str, list[Stored]] = {}
    for one in objects:
        by_key.setdefault(key_of(one), []).append(one)
    asked = {key if exact else key.casefold(): key for key in map(wire.text, keys)}
    found = [one for key in asked for one in by_key.get(key, ())]
    return found, next((asked[key] for key in asked if key not in by_key), "")


def _id(stored: Stored) -> str:
    return stored.id.casefold()


def _label(stored: Stored) -> str:
    return stored.label.casefold()


def _exact_label(stored: Stored) -> str:
    return stored.label


_LOOKUPS: Mapping[str, Callable[[Stored], str]] = {
    "ListID": _id,
    "TxnID": _id,
    "FullName": _label,
    "RefNumber": _label,
    "RefNumberCaseSensitive": _exact_label,
}
