"""An extract in slices, for a company file that breaks off before the end of it.

Whatever is renamed or changed while the slices are read, no record is missed: transactions are cut by the time of
their change, oldest first, and a change moves one into the last range only. A list is cut by name, and a new name can
move a record from a range that is to be read into one that was: so what changed since the cut is read last, and after
it what stands below each of these names, for a job gets a new full name by its customer's and no time of its own.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from lxml import etree

from routebooks.connectors.quickbooks_desktop import qbxml
from routebooks.connectors.quickbooks_desktop.streams import query_of
from routebooks.records import Extract

#: Names are cut at these. Both ends of a range belong to it, so whatever order QuickBooks sorts names in, each name
#: stands in one range at least: only that these themselves stand in order in it matters.
_SIGNS = "0123456789abcdefghijklmnopqrstuvwxyz"
#: How many first letters of names are told apart.
_LETTERS = 4
#: Times are cut so many days before now: most changes are young.
_AGES = (3650, 1825, 1460, 1095, 730, 548, 365, 274, 182, 122, 91, 61, 30, 14, 7, 2)
#: Nothing in QuickBooks changed before it was there.
_FIRST = datetime(1990, 1, 1, tzinfo=UTC)
#: A range of time is cut into so many; one shorter than this is not.
_PARTS = 16
_SHORT = timedelta(minutes=2)
#: What changed since the cut is read once more, with room for an hour that is wrong around daylight saving.
_OVERLAP = timedelta(hours=2)
#: So wrong the clock of the PC may be for jobs to be looked for below a new name: with the whole overlap, each of the
#: thousands of items of an import just before the night would be asked for.
_CLOCK = timedelta(minutes=10)


def slices(extract: Extract, now: datetime) -> tuple[Extract, ...]:
    """The slices of an extract or of a slice, in the order to read them; itself where it cannot be cut.

    A list is cut by name, and by time where names tell no more apart; all else by time. (NameRangeFilter and
    ModifiedDateRangeFilter are taken to include both their ends; a name or second that stands on a border is read
    twice, and counts once.)
    """
    by_name = query_of(extract.stream).by_name and not extract.below
    return (by_name and _by_name(extract, now)) or _by_time(extract, now) or (extract,)


def _by_name(extract: Extract, now: datetime) -> tuple[Extract, ...]:
    if extract.name_range is not None:
        return _by_next_letter(extract, *extract.name_range)
    named = _ranges(extract, "", *_SIGNS, "")
    if extract.cut_at is None:
        since = max(now - _OVERLAP, extract.modified_since or now - _OVERLAP)
        return (*named, replace(extract, modified_since=since, cut_at=now))
    # A last pass that ends now would need one more after it, and that another: it is cut by time first.
    return named if extract.modified_until is not None else ()


def _by_next_letter(extract: Extract, first: str, last: str) -> tuple[Extract, ...]:
    # What stands before all letters and digits, alone or behind these letters, cannot be told apart by them.
    if not first or len(first) == _LETTERS or last.startswith(first):
        return ()
    return _ranges(extract, first, *(f"{first}{sign}" for sign in _SIGNS), last)


def _ranges(extract: Extract, *cuts: str) -> tuple[Extract, ...]:
    return tuple(replace(extract, name_range=ends) for ends in pairwise(cuts))


def _by_time(extract: Extract, now: datetime) -> tuple[Extract, ...]:
    since, until = extract.modified_since, extract.modified_until
    if since is None and until is None:
        cuts = [now - timedelta(days=days) for days in _AGES]
    else:
        start, end = since or _FIRST, until or now
        if end - start < _SHORT:
            return ()
        cuts = [start + (end - start) * part / _PARTS for part in range(1, _PARTS)]
    ends = pairwise((since, *cuts, until))
    return tuple(replace(extract, modified_since=start, modified_until=end) for start, end in ends)


def besides(extract: Extract, answer: bytes) -> tuple[Extract, ...]:
    """What a page of the last pass makes necessary: what stands below the names on it. Raises FatalError as parsing."""
    query, cut_at = query_of(extract.stream), extract.cut_at
    if cut_at is None or not query.nested:
        return ()
    names: list[str | None] = []

    def take(record: etree._Element) -> None:
        if _may_be_since(record.findtext("TimeModified"), cut_at - _CLOCK):
            names.append(record.findtext("FullName"))

    qbxml.read(answer, query.response, query.records, take)
    return tuple(Extract(extract.stream, extract.page_size, below=name) for name in names if name)


def _may_be_since(written: str | None, at: datetime) -> bool:
    try:
        return written is None or datetime.fromisoformat(written) >= at
    except (ValueError, TypeError):
        return True
