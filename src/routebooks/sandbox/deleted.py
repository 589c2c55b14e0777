"""Answers what was deleted: TxnDeletedQuery and ListDeletedQuery, for as long as QuickBooks remembers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from routebooks.sandbox.answers import Answer, answer_to, returned, wanted_of
from routebooks.sandbox.books import Books
from routebooks.sandbox.filters import span
from routebooks.sandbox.reader import Request
from routebooks.sandbox.status import NO_MATCH, OK

#: Intuit's guide: only what was deleted in the last 90 days is told.
REMEMBERED_DAYS = 90

_DAY = 24 * 60 * 60


@dataclass(frozen=True)
class _Names:
    """The elements of one of the two queries."""

    kind: str
    type: str
    id: str
    label: str


QUERIES: Mapping[str, _Names] = {
    "TxnDeletedQueryRq": _Names("TxnDeleted", "TxnDelType", "TxnID", "RefNumber"),
    "ListDeletedQueryRq": _Names("ListDeleted", "ListDelType", "ListID", "FullName"),
}


def query(books: Books, request: Request) -> Answer:
    """The answer to a query, in order of deletion. Raises Refusal 3020, 3030 for the range."""
    names, fields = QUERIES[request.name], request.fields
    first, last = span(books, fields.get("DeletedDateRangeFilter", {}), "FromDeletedDate", "ToDeletedDate")
    forgotten = books.now() - REMEMBERED_DAYS * _DAY
    found = [
        {names.type: one.kind, names.id: one.id, "TimeCreated": one.created, "TimeDeleted": books.stamp(one.deleted)}
        | ({names.label: one.label} if one.label else {})
        for one in books.file.deleted(fields[names.type])
        if max(first or 0, forgotten) <= one.deleted and (last is None or one.deleted <= last)
    ]
    metadata = request.attributes.get("metaData", "NoMetaData")
    wanted = wanted_of(request)
    shown = found if metadata != "MetaDataOnly" else []
    return answer_to(
        request,
        status=OK if found else NO_MATCH,
        extra=(("retCount", str(len(found))),) if metadata != "NoMetaData" else (),
        body="".join(returned(names.kind, one, wanted) for one in shown),
    )
