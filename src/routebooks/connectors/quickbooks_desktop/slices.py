"""An extract in slices, for a company file that breaks off before the end of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from routebooks.connectors.quickbooks_desktop.streams import query_of
from routebooks.records import Extract

#: Names are cut at these. Both ends of a range belong to it, so whatever order QuickBooks sorts names in, each name
#: stands in one range at least: only that these themselves stand in order in it matters.
_SIGNS = "0123456789abcdefghijklmnopqrstuvwxyz"
#: How many first letters of names are told apart.
_LETTERS = 4
#: Times are cut so many days before now: most changes are young.
_AGES = (3650, 1825, 1460, 1095, 730, 548, 365, 274, 182, 122, 91, 61, 30, 14, 7, 2)
#: A range of time is cut into so many; one shorter than this is not.
_PARTS = 16
_SHORT = timedelta(minutes=2)
#: What changed since the slices began is read once more, with room for an hour that is wrong around daylight saving.
_OVERLAP = timedelta(hours=2)
_YOUNG = timedelta(days=1)


def slices(extract: Extract, now: datetime) -> tuple[Extract, ...]:
    """The slices of an extract or of a slice, in the order to read them; itself where it cannot be cut.

    A list is cut by name, and a record that is renamed from a range to be read into one that was read would be missed:
    so what changed since `now` comes last. Transactions are cut by the time of their change, oldest first: a change
    moves one into the last range only. (NameRangeFilter and ModifiedDateRangeFilter include both their ends:
    reference/quickbooks-desktop.md, Query request order.)
    """
    query = query_of(extract.stream)
    if not query.paged:
        return (extract,)
    if not query.by_name:
        return _by_time(extract, now)
    if extract.name_range is not None:
        return _by_next_letter(extract, *extract.name_range)
    named = _ranges(extract, "", *_SIGNS, "")
    if extract.modified_since is not None and extract.modified_since > now - _YOUNG:
        # This is what changed meanwhile, and so much that it has to be cut itself: one more round could go on for ever.
        return named
    return (*named, replace(extract, modified_since=max(now - _OVERLAP, extract.modified_since or now - _OVERLAP)))


def _by_next_letter(extract: Extract, first: str, last: str) -> tuple[Extract, ...]:
    # What begins with no letter or digit stands before all of them, and cannot be told apart by them.
    if not first or len(first) == _LETTERS:
        return (extract,)
    return _ranges(extract, first, *(f"{first}{sign}" for sign in _SIGNS), last)


def _ranges(extract: Extract, *cuts: str) -> tuple[Extract, ...]:
    return tuple(replace(extract, name_range=ends) for ends in pairwise(cuts))


def _by_time(extract: Extract, now: datetime) -> tuple[Extract, ...]:
    since, until = extract.modified_since, extract.modified_until
    if since is None and until is None:
        cuts = [now - timedelta(days=days) for days in _AGES]
    elif since is None or (until or now) - since < _SHORT:
        return (extract,)
    else:
        cuts = [since + ((until or now) - since) * part / _PARTS for part in range(1, _PARTS)]
    ends = pairwise((since, *cuts, until))
    return tuple(replace(extract, modified_since=start, modified_until=end) for start, end in ends)
