"""The streams of QuickBooks Desktop: what is asked for, and what an answer says.

A stream is one row of QUERIES (queries.py) and one table of fields (list_fields.py, transaction_fields.py). Everything
else is general, and stands here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

import pyarrow as pa

from routebooks.connectors.base import Outcome, Page
from routebooks.connectors.quickbooks_desktop import qbxml, status_codes
from routebooks.connectors.quickbooks_desktop.columns import Columns
from routebooks.connectors.quickbooks_desktop.lined import LinedColumns
from routebooks.connectors.quickbooks_desktop.queries import QUERIES, Query
from routebooks.errors import ConfigError, Problem, RoutebooksError
from routebooks.records import Extract, Stream

STREAMS: Mapping[str, Stream] = {name: query.stream(name) for name, query in QUERIES.items()}

#: Rows in one table; fewer only in the last, more only by what a single page has.
_CHUNK = 10_000


def query_of(stream: str) -> Query:
    """The row of a stream. Raises ConfigError when there is none of this name."""
    if stream not in QUERIES:
        raise ConfigError(
            f"QuickBooks Desktop has no stream {stream!r}.", hint=f"Use one of {', '.join(QUERIES)}.", code="no-stream"
        )
    return QUERIES[stream]


def page_request(version: str, extract: Extract, iterator_id: str = "") -> bytes:
    """The request for the first page, or with the iteratorID of an answer for the next; the filters are the same.

    Elements in the order of the schema (reference/quickbooks-desktop.md, Query request order). Raises ConfigError for
    a range of names of what has no names.
    """
    query = query_of(extract.stream)
    paging = qbxml.attribute("iterator", "Continue" if iterator_id else "Start") if query.paged else ""
    paging += qbxml.attribute("iteratorID", iterator_id) if iterator_id and query.paged else ""
    body = qbxml.leaf("MaxReturned", str(max(1, extract.page_size))) if query.paged else ""
    body += query.before + _times(query, extract) + _names(query, extract) + query.after
    if query.custom_fields:
        body += "<OwnerID>0</OwnerID>"
    asked = f'<{query.name}Rq requestID="{extract.stream}"{paging}>{body}</{query.name}Rq>'
    return qbxml.request(version, asked)


def _times(query: Query, extract: Extract) -> str:
    ends = (("From", extract.modified_since), ("To", extract.modified_until))
    times = "".join(qbxml.leaf(f"{end}{query.time}Date", qbxml.instant(at)) for end, at in ends if at is not None)
    return f"<{query.time_filter}>{times}</{query.time_filter}>" if times and query.time_filter else times


def _names(query: Query, extract: Extract) -> str:
    if not extract.below and not any(extract.name_range or ()):
        return ""
    if not query.by_name:
        # Asked for without it, every slice would be the whole.
        raise ConfigError(
            f"{extract.stream} cannot be cut into slices by name.", hint="Cut it by time.", code="no-name-range"
        )
    if extract.below:
        # No order of names is asked for: nobody knows what QuickBooks sorts before and behind the colon.
        above = qbxml.leaf("Name", f"{extract.below}:")
        return f"<NameFilter><MatchCriterion>StartsWith</MatchCriterion>{above}</NameFilter>"
    names = zip(("FromName", "ToName"), extract.name_range or ("", ""), strict=True)
    return f"<NameRangeFilter>{''.join(qbxml.leaf(tag, name) for tag, name in names if name)}</NameRangeFilter>"


def read_page(version: str, extract: Extract, answer: bytes) -> Page:
    """What an answer says of itself, checked to be whole. A broken page is RETRY: the extract starts anew."""
    try:
        query = query_of(extract.stream)
        head = qbxml.read_head(answer, query.response, query.records)
        outcome, problem = status_codes.problem(head.status, head.severity, head.message)
        remaining = head.remaining if query.paged else None
        if outcome is Outcome.EMPTY:
            return Page(outcome, remaining=remaining)
        if outcome not in (Outcome.OK, Outcome.PARTIAL):
            return Page(outcome, problem=problem)
        if (broken := _incomplete(head)) is not None:
            return Page(Outcome.RETRY, problem=broken)
        more = page_request(version, extract, head.iterator_id) if head.remaining else None
        return Page(outcome, head.found, more, remaining, problem if outcome is Outcome.PARTIAL else None)
    except RoutebooksError as error:
        return Page(Outcome.RETRY, problem=error.problem)


def _incomplete(head: qbxml.Head) -> Problem | None:
    """Why a page cannot be the whole truth, if it cannot."""
    if head.announced is not None and head.announced != head.found:
        reason = f"it announces {head.announced} records and holds {head.found}"
    elif head.remaining and not head.iterator_id:
        reason = f"{head.remaining} records remain and it does not say how to go on"
    elif head.remaining and not head.found:
        reason = f"it holds no record although {head.remaining} remain"
    else:
        return None
    return Problem("qb-broken-page", f"A page of QuickBooks is not whole: {reason}.", "The extract starts anew.")


def parse(stream: str, pages: Iterable[bytes]) -> Iterator[pa.Table]:
    """The records of all pages as they come, table after table; custom fields at the end of each.

    Values that cannot be read are null; how many of which field stands in the metadata of the last table under
    `unreadable` (JSON). Raises FatalError when a page is not an answer to this stream's query.
    """
    return _parse(query_of(stream), pages)


def _parse(query: Query, pages: Iterable[bytes]) -> Iterator[pa.Table]:
    columns = LinedColumns(query.fields, query.lines) if query.lines else Columns(query.fields)
    for page in pages:
        qbxml.read(page, query.response, query.records, columns.add)
        if columns.size >= _CHUNK:
            yield columns.take()
    table = columns.take()
    # Values are read as they are taken: only now is known how many could not be.
    said = {"unreadable": json.dumps(columns.unreadable)} if columns.unreadable else None
    yield table.replace_schema_metadata(said)
