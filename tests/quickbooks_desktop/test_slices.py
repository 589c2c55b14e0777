"""Slices, with the sandbox's filters as the judge: together they are the whole, whatever is renamed meanwhile."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reading import parse
from routebooks.connectors.base import Company, Connection, Outcome
from routebooks.connectors.quickbooks_desktop.connector import QuickBooksDesktop
from routebooks.connectors.quickbooks_desktop.queries import QUERIES
from routebooks.connectors.quickbooks_desktop.slices import slices
from routebooks.connectors.quickbooks_desktop.streams import page_request
from routebooks.records import Extract
from routebooks.sandbox.books import Books
from routebooks.sandbox.company import SandboxCompany
from routebooks.sandbox.company_file import CompanyFile, Stored
from routebooks.sandbox.filters import matches, span
from routebooks.sandbox.reader import read_message_set

NOW = datetime(2026, 11, 24, 2, 0, 0, 123456, tzinfo=UTC)
BY_NAME = sorted(name for name, query in QUERIES.items() if query.by_name)
SINCE = st.none() | st.integers(0, 6000 * 24).map(lambda hours: NOW - timedelta(hours=hours))
NAMES = st.text("0aAzZé&- :", min_size=1, max_size=6) | st.text(min_size=1, max_size=8)
CONNECTION = Connection(1, "books", "quickbooks_desktop", Company(1, "Harbor", "4711"), {})


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    with closing(CompanyFile(tmp_path_factory.mktemp("books") / "company.db")) as file:
        yield Books(file, lambda: NOW, "America/New_York")


def match(books: Books, part: Extract) -> Callable[[str, datetime], bool]:
    """Whether the sandbox hands over a record of this name, changed then; it raises where it refuses the request."""
    (request,) = read_message_set(page_request("13.0", part)).requests
    if "Deleted" in request.name:
        start, end = span(books, request.fields.get("DeletedDateRangeFilter", {}), "FromDeletedDate", "ToDeletedDate")
        return lambda _, at: (not start or start <= at.timestamp()) and (not end or int(at.timestamp()) <= end)
    test = matches(books, request.fields, transaction=part.stream not in BY_NAME)
    paid = {"IsPaid": "false"}
    return lambda name, at: test(Stored("Any", "1", "Any", name, True, int(at.timestamp()), paid))


def cut(whole: Extract, chance: random.Random, times: int) -> list[Extract]:
    """The slices after some of them were cut again, in their order."""
    parts = [whole]
    for _ in range(times):
        at = chance.randrange(len(parts))
        parts[at : at + 1] = slices(parts[at], NOW)
    return parts


@pytest.mark.parametrize("stream", ["customers", "items", "sales_reps", "invoices", "deleted_transactions"])
@settings(deadline=None, max_examples=30)
@given(chance=st.randoms(use_true_random=False), name=NAMES, age=st.floats(0, 8e8), since=SINCE)
def test_no_record_falls_between_two_slices(
    books: Books, stream: str, chance: random.Random, name: str, age: float, since: datetime | None
) -> None:
    changed = NOW - timedelta(seconds=age)
    whole = Extract(stream, 100, since)
    found = [match(books, part)(name, changed) for part in cut(whole, chance, 4)]
    assert any(found) == match(books, whole)(name, changed)


@settings(deadline=None, max_examples=60)
@given(name=NAMES)
def test_a_name_stands_in_one_range_of_names_and_on_a_border_in_both(books: Books, name: str) -> None:
    named = [part for part in slices(Extract("customers", 100), NOW) if part.name_range]
    found = [part.name_range for part in named if match(books, part)(name, NOW)]
    borders = {first for first, _ in filter(None, found)}
    assert len(found) == (2 if name.casefold() in borders else 1)


@pytest.mark.parametrize("stream", sorted(QUERIES))
def test_every_slice_of_every_stream_can_be_asked_for_and_cut_to_its_end(books: Books, stream: str) -> None:
    parts, asked = [Extract(stream, 100)], 0
    chance = random.Random(stream)
    while parts and asked < 400:
        part = parts.pop(chance.randrange(len(parts)))
        match(books, part)
        asked += 1
        smaller = slices(part, NOW)
        assert smaller == (part,) or part not in smaller
        # The whole of them would be thousands: a few at each level, the last always.
        parts += [*chance.sample(smaller[:-1], min(2, len(smaller) - 1)), smaller[-1]] if len(smaller) > 1 else []
    assert asked > 30


@pytest.mark.parametrize(
    "names", [("", "0"), ("a", "a0"), ("zzzz", ""), ("aaaa", "aaab")], ids=["signs", "a and signs", "others", "deep"]
)
def test_names_that_letters_cannot_tell_apart_are_cut_by_time(names: tuple[str, str]) -> None:
    parts = slices(Extract("customers", 100, name_range=names), NOW)
    assert len(parts) > 10
    assert {part.name_range for part in parts} == {names}
    assert (parts[0].modified_since, parts[-1].modified_until) == (None, None)


def test_what_changed_more_than_ten_years_ago_is_cut_too() -> None:
    oldest = slices(Extract("invoices", 100), NOW)[0]
    assert len(slices(oldest, NOW)) > 10
    assert slices(oldest, NOW)[0].modified_since is None


@pytest.mark.parametrize("since", [None, NOW - timedelta(hours=7), NOW - timedelta(days=40)])
def test_a_list_ends_with_a_last_pass_within_what_was_asked_for(since: datetime | None) -> None:
    *named, last = slices(Extract("customers", 100, since), NOW)
    assert not any(part.cut_at for part in named)
    assert {part.modified_since for part in named} == {since}
    assert last == Extract("customers", 100, NOW - timedelta(hours=2), cut_at=NOW)
    inside = slices(Extract("customers", 100, NOW - timedelta(minutes=5)), NOW)[-1]
    assert inside.modified_since == NOW - timedelta(minutes=5)


def test_the_last_pass_needs_no_other_after_it() -> None:
    last, later = slices(Extract("customers", 100), NOW)[-1], NOW + timedelta(hours=1)
    parts = slices(last, later)
    assert all(part.cut_at == NOW and part.name_range is None for part in parts)
    assert (parts[0].modified_since, parts[-1].modified_until) == (last.modified_since, None)
    # Many that changed together (an import) are told apart by name: what changes again is in a later part.
    named = slices(parts[3], later)
    assert len(named) == 37
    assert {(part.modified_since, part.modified_until) for part in named} == {
        (parts[3].modified_since, parts[3].modified_until)
    }
    shortest = Extract("customers", 100, NOW - timedelta(minutes=1), cut_at=NOW)
    assert slices(shortest, NOW) == (shortest,)


@pytest.mark.parametrize(
    ("stream", "written", "asked"),
    [
        ("customers", "2026-11-23T21:00:01-05:00", ["Alpha & Sons"]),
        ("customers", "2026-11-23T20:51:00-05:00", ["Alpha & Sons"]),
        ("customers", "2026-11-23T20:49:00-05:00", []),
        ("customers", "in the evening", ["Alpha & Sons"]),
        ("customers", "2026-11-23T21:00:01", ["Alpha & Sons"]),
        ("vendors", "2026-11-23T21:00:01-05:00", []),
    ],
)
def test_only_below_what_may_have_changed_since_the_cut_is_looked(stream: str, written: str, asked: list[str]) -> None:
    query = QUERIES[stream]
    record = f"<ListID>1</ListID><TimeModified>{written}</TimeModified><FullName>Alpha &amp; Sons</FullName>"
    answer = (
        f'<QBXML><QBXMLMsgsRs><{query.response} statusCode="0"><{query.records[0]}>{record}</{query.records[0]}>'
        f"</{query.response}></QBXMLMsgsRs></QBXML>"
    ).encode()
    part = Extract(stream, 100, NOW - timedelta(hours=2), cut_at=NOW)
    connector = QuickBooksDesktop()
    assert [each.below for each in connector.read_page(CONNECTION, part, answer).besides] == asked
    assert connector.read_page(CONNECTION, Extract(stream, 100, NOW - timedelta(hours=2)), answer).besides == ()
    assert connector.read_page(CONNECTION, part, answer[:-9]).besides == ()


@dataclass
class Reading:
    """A company that is read in slices while a person is at work in it; the clock goes a minute a slice."""

    company: SandboxCompany
    clock: list[datetime]
    found: dict[str, str] = field(default_factory=dict)
    connector: QuickBooksDesktop = field(default_factory=QuickBooksDesktop)

    def read(self, part: Extract) -> tuple[Extract, ...]:
        """Every page of a slice; what has to be read besides."""
        session, besides = self.company.open_session(), list[Extract]()
        pages: list[bytes] = []
        request: bytes | None = self.connector.first_request(CONNECTION, part)
        while request is not None:
            pages.append(self.company.process(session, request))
            page = self.connector.read_page(CONNECTION, part, pages[-1])
            assert page.outcome in (Outcome.OK, Outcome.EMPTY), page.problem
            besides += page.besides
            request = page.next_request
        self.company.close_session(session)
        for record in parse(part.stream, pages).to_pylist():
            self.found[record["ListID"]] = record["FullName"]
        self.clock[0] += timedelta(minutes=1)
        return tuple(besides)

    def read_all(self, parts: list[Extract], between: Callable[[int], None]) -> None:
        """All slices, with something happening before each."""
        at = 0
        while at < len(parts):
            between(at)
            parts += [part for part in self.read(parts[at]) if part not in parts]
            at += 1

    def there(self) -> dict[str, str]:
        """Who stands in the books."""
        return {one["ListID"]: one["FullName"] for one in self.company.customers()}


@contextmanager
def opened(path: Path) -> Iterator[Reading]:
    """Customers on both sides of every border, and jobs; what is there is older than a year."""
    clock = [NOW - timedelta(days=400)]
    with closing(SandboxCompany(path, clock=lambda: clock[0])) as company:
        with company.transaction():
            for name in ("0 Oak", "Acorn", "acme", "Mill", "Élan", "(none)", "Ωmega", "Zeta", "zzz"):
                company.add("Customer", Name=name)
            for parent in ("Mill", "Zeta"):
                company.add("Customer", Name="Store", ParentRef=parent)
            company.add("Customer", Name="Bar", ParentRef="Zeta:Store")
        clock[0] = NOW
        yield Reading(company, clock)


def test_a_record_renamed_into_a_range_that_was_read_is_found_and_so_is_what_stands_below_it(tmp_path: Path) -> None:
    with opened(tmp_path / "company.db") as reading:

        def between(at: int) -> None:
            if at == 20:
                reading.company.update("Customer", "Zeta", Name="Alpha")
                reading.company.update("Customer", "zzz", Name="aaa")

        reading.read_all(list(slices(Extract("customers", 2), NOW)), between)
        assert reading.found == reading.there()
    assert {"Alpha", "Alpha:Store", "Alpha:Store:Bar", "aaa"} <= set(reading.found.values())


@settings(deadline=None, max_examples=8)
@given(
    chance=st.randoms(use_true_random=False),
    work=st.lists(
        st.tuples(st.integers(0, 36), st.integers(0, 11), st.sampled_from("09aAmzéΩ(")),
        max_size=5,
        unique_by=lambda w: w[2].casefold(),
    ),
)
def test_whatever_is_renamed_while_slices_are_read_nothing_is_missing(
    tmp_path_factory: pytest.TempPathFactory, chance: random.Random, work: list[tuple[int, int, str]]
) -> None:
    with opened(tmp_path_factory.mktemp("books") / "company.db") as reading:
        ids = sorted(reading.there())

        def between(at: int) -> None:
            for when, who, letter in work:
                if when == at:
                    reading.company.update("Customer", ids[who], Name=f"{letter} new")

        parts = list(slices(Extract("customers", 2), NOW))
        # One of them broke off and was cut again.
        cut_at = chance.randrange(len(parts) - 1)
        parts[cut_at : cut_at + 1] = slices(parts[cut_at], NOW)
        reading.read_all(parts, between)
        assert reading.found == reading.there()
