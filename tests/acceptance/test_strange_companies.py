"""Random walks over companies with strange names: after every night, what the sandbox holds is what the files say.

The same few walks every time. ROUTEBOOKS_WALKS says how many others are gone; a hundred take some minutes.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

import expected_files as expected
import strange_company as strange
from expected_files import File, Manner, Sale
from nights import CUST_ID, NAME, Nights, NightServer, Row
from routebooks.store import deliveries
from routebooks.store.runs import Run
from strange_company import PICKS, tried

MANNERS = st.builds(
    Manner,
    encoding=st.sampled_from(["cp1252", "utf-8", "ascii", "latin-1"]),
    key_width=st.sampled_from([None, 7]),
    name_width=st.sampled_from([None, 20]),
    plain_unit=st.sampled_from(["unknown", "case", "bottle"]),
    regions_unknown=st.booleans(),
)


def layout(name: str, widths: dict[str, int | None]) -> str:
    """A layout that comes with the product as a user's own, some of its columns with a width."""
    text = files("routebooks.connectors.pocketadvantage.layouts").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    for column, width in widths.items():
        named = f"name: {column}"
        assert text.count(f"{named},") + text.count(f"{named}}}") == 1
        text = text.replace(f"{named},", f"{named}, width: {width},") if width else text
        text = text.replace(f"{named}}}", f"{named}, width: {width}}}") if width else text
    return text


def company(server: NightServer, root: Path, manner: Manner) -> Nights:
    """A company whose files are written in this manner."""
    key, name = manner.key_width, manner.name_width
    widths = {
        "customer": {"Customer ID": key, "Trade Name": name},
        "item": {"Item ID": key},
        "invoice": {"Customer ID": key, "Item ID": key},
    }
    return Nights(
        server,
        root,
        {
            "plain_unit": manner.plain_unit,
            "deposit_item": strange.DEPOSIT_ITEM,
            "region_field": "Nowhere" if manner.regions_unknown else "Region",
            "detail_supplier": "50",
            "detail_brand": "51",
            "detail_product_type": "52",
        },
        {"encoding": manner.encoding} | {f"{file}_layout": layout(file, given) for file, given in widths.items()},
    )


class StrangeCompanies(RuleBasedStateMachine):
    """A company, the nights of it, and what a bookkeeper does in between."""

    server: NightServer

    def __init__(self) -> None:
        super().__init__()
        self.nights, self.fine = 0, False
        #: the rows of each sale as they last went out, and its edit sequence as it was last night
        self.sent: dict[str, tuple[Row, ...]] = {}
        self.seen: dict[str, str] = {}

    @initialize(manner=MANNERS)
    def begin(self, manner: Manner) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.manner = manner
        self.at = company(self.server, Path(self.folder.name), manner)
        self.company = self.at.books
        strange.fill(self.company)
        self._night(3)

    # What a bookkeeper does.

    def _picked(self, records: list[dict[str, Any]], pick: int) -> dict[str, Any]:
        self.at.clock.on(minutes=7)
        return records[pick % len(records)]

    @rule(name=strange.names(strange.NAME), parent=st.none() | PICKS, fields=strange.CUSTOMERS)
    def new_customer(self, name: str, parent: int | None, fields: dict[str, Any]) -> None:
        above = {} if parent is None else {"ParentRef": self._picked(self.company.customers(), parent)["FullName"]}
        with tried():
            self.company.add("Customer", Name=name, **fields, **above)

    @rule(pick=PICKS, fields=strange.CUSTOMERS)
    def change_customer(self, pick: int, fields: dict[str, Any]) -> None:
        with tried():
            self.company.update("Customer", self._picked(self.company.customers(), pick)["ListID"], **fields)

    @rule(pick=PICKS, name=strange.names(strange.NAME))
    def rename_customer(self, pick: int, name: str) -> None:
        with tried():
            self.company.update("Customer", self._picked(self.company.customers(), pick)["ListID"], Name=name)

    @rule(pick=PICKS, parent=st.none() | PICKS)
    def move_customer(self, pick: int, parent: int | None) -> None:
        above = None if parent is None else self._picked(self.company.customers(), parent)["FullName"]
        with tried():
            self.company.update("Customer", self._picked(self.company.customers(), pick)["ListID"], ParentRef=above)

    @rule(
        name=strange.names(strange.ITEM_NAME) | st.just("750 ml"),
        item=strange.NEW_ITEMS,
        parent=st.none() | PICKS,
        custom=strange.ITEM_CUSTOM,
    )
    def new_item(self, name: str, item: tuple[str, dict[str, Any]], parent: int | None, custom: dict[str, str]) -> None:
        kind, fields = item
        above = {}
        if parent is not None and kind in strange.NESTED:
            above = {"ParentRef": self._picked(self.company.objects(kind), parent)["FullName"]}
        with tried():
            self.company.add(kind, Name=name, custom=custom, **fields, **above)

    @rule(pick=PICKS, name=st.none() | strange.names(strange.ITEM_NAME), active=st.booleans(), more=strange.ITEM_CUSTOM)
    def change_item(self, pick: int, name: str | None, active: bool, more: dict[str, str]) -> None:
        item = self._picked(self.company.items(), pick)
        renamed = {} if name is None or item["Name"] == strange.DEPOSIT_ITEM else {"Name": name}
        with tried():
            self.company.update(item["kind"], item["ListID"], custom=more, IsActive=active, **renamed)

    @rule(pick=PICKS, of_item=st.booleans())
    def delete_from_list(self, pick: int, of_item: bool) -> None:
        one = self._picked(self.company.items() if of_item else self.company.customers(), pick)
        if one.get("Name") != strange.DEPOSIT_ITEM:
            with tried():
                self.company.delete_from_list(one["kind"], one["ListID"])

    @rule(
        kind=st.sampled_from(["invoice", "credit_memo", "sales_receipt"]),
        customer=PICKS,
        lines=strange.LINES,
        head=strange.HEADS,
        days=st.integers(-70, 3),
    )
    def sell(self, kind: str, customer: int, lines: list[Any], head: dict[str, Any], days: int) -> None:
        buyer = self._picked(self.company.customers(), customer)["ListID"]
        head = {{"RefNumber": "ref_number", "Memo": "memo"}.get(name, name): value for name, value in head.items()}
        if kind == "sales_receipt":
            head.pop("PONumber", None)
        day = self.company.today() + timedelta(days)
        with tried():
            getattr(self.company, f"add_{kind}")(buyer, strange.lines_of(self.company, lines), date=day, **head)

    @rule(pick=PICKS, keep=st.integers(0, 3), lines=st.just([]) | strange.LINES, head=strange.HEADS)
    def change_sale(self, pick: int, keep: int, lines: list[Any], head: dict[str, Any]) -> None:
        sale = self._picked(strange.all_sales(self.company), pick)
        if sale["kind"] == "SalesReceipt":
            head.pop("PONumber", None)
        present = [line for entry in sale.get("Lines", ()) for line in entry.values()]
        wanted = [{"TxnLineID": line["TxnLineID"]} for line in present[:keep]] + strange.lines_of(self.company, lines)
        with tried():
            self.company.update_transaction(sale["TxnID"], lines=wanted or None, **head)

    @rule(pick=PICKS, how=st.sampled_from(["void", "delete", "pay"]))
    def end_sale(self, pick: int, how: str) -> None:
        """The first sale stays."""
        sales = strange.all_sales(self.company)[1:]
        if sales:
            sale = self._picked(sales, pick)
            if how != "pay" or sale["kind"] == "Invoice":
                with tried():
                    getattr(self.company, how)(sale["TxnID"])

    # The nights.

    @precondition(lambda self: self.nights < 4)
    @rule(hours=st.sampled_from([3, 24, 24 * 85, 24 * 95]))
    def night(self, hours: int) -> None:
        """A night, soon after the last or so late that QuickBooks has begun to forget what was deleted."""
        self.nights += 1
        self._night(hours)

    def _night(self, hours: int) -> None:
        self.fine = False
        before = self.at.file("invoices")
        made = self.at.night(hours=hours)
        for name, wanted in {
            "codes": expected.codes(self.company, self.manner, CUST_ID, NAME),
            "items": expected.items(self.company, self.manner, CUST_ID),
            "customers": expected.customers(self.company, self.manner, CUST_ID),
        }.items():
            self._check_whole(name, made[name], wanted)
        self._check_sales(made["invoices"], before)
        self.fine = True

    def _check_whole(self, name: str, run: Run, wanted: File) -> None:
        """Every record stands in the file once, or in the rejected list; an order finds it again by its key."""
        assert self.at.rows(name) == Counter(wanted.rows)
        stream = {"customers": "customers_with_past_due"}.get(name, name)
        if name == "codes":
            return
        assert self.at.rejected(name, stream) == wanted.rejected
        assert run.records_rejected == wanted.rejected.total()
        with self.at.ctx.store.read() as tx:
            links = deliveries.find_links(
                tx, company_id=self.at.company_id, connection_id=self.at.source_id, stream=name, keys=wanted.ids
            )
        assert links == wanted.ids
        if name == "customers":
            assert self.at.rejected(name, "codes") == self._unexplained(wanted)

    def _unexplained(self, wanted: File) -> Counter[tuple[str, str]]:
        """The codes of customer.fil that detail.fil does not list."""
        known = {(row[1], row[2]) for row in self.at.rows("codes")}
        coded = {4: "30", 5: "31", 6: "32", 7: "34", 10: "41", 12: "12", 13: "11"}
        used = {(kind, row[position - 1]) for row in wanted.rows for position, kind in coded.items()}
        return Counter((f"{kind}/{code}", "code-unknown") for kind, code in used if code and (kind, code) not in known)

    def _check_sales(self, run: Run, before: bytes | None) -> None:
        """What changed since the last night went out, and nothing twice; what cannot go stands in the list."""
        sales = expected.sales(self.company, self.manner, CUST_ID, strange.DEPOSIT_ITEM)
        now = {one["TxnID"]: str(one["EditSequence"]) for one in strange.all_sales(self.company)}
        untouched = {key for key, sequence in now.items() if self.seen.get(key) == sequence}
        self.seen = now
        due = {key: rows for key in {*sales, *self.sent} if (rows := self._due(key, sales.get(key)))}
        # A sale that nobody touched is not read again, whatever became of its customer. It may be: nights overlap.
        may = {key: rows for key, rows in due.items() if key in untouched and key in self.sent}
        went = {key: rows for key, rows in due.items() if key not in may}
        found = self.at.rows("invoices") if run.records_written else Counter[Row]()
        assert run.records_written or self.at.file("invoices") == before
        assert found.total() == run.records_written
        for rows in went.values():
            assert Counter(rows) <= found
            found -= Counter(rows)
        for key, rows in may.items():
            if Counter(rows) <= found:
                found -= Counter(rows)
                went[key] = rows
        assert not found
        self.sent |= went
        self._check_rejected_sales(sales, untouched)

    def _due(self, key: str, sale: Sale | None) -> tuple[Row, ...]:
        """The rows to be told of a sale; none when it went out so before, or cannot go."""
        if sale is not None and sale.wrong:
            return ()
        sent = self.sent.get(key, ())
        rows = sale.rows if sale is not None and sale.rows else expected.deleted(sent)
        return () if rows == sent else rows

    def _check_rejected_sales(self, sales: dict[str, Sale], untouched: set[str]) -> None:
        listed = self.at.rejected("invoices", "transactions")
        for key, code in listed:
            if key in sales:
                assert code in sales[key].wrong
            else:
                assert code == "deleted-never-delivered"
                assert key not in self.sent
        wrong = {key for key, sale in sales.items() if sale.wrong and not (key in untouched and key in self.sent)}
        assert wrong <= {key for key, _ in listed}
        assert len(listed) == listed.total() == len({key for key, _ in listed})

    def teardown(self) -> None:
        """A last night, and a quiet one after it."""
        if not hasattr(self, "at"):
            return
        try:
            if self.fine:
                self._night(3)
                before = self.at.file("invoices")
                self._night(1)
                assert self.at.file("invoices") == before
        finally:
            self.at.close()
            self.folder.cleanup()


@pytest.mark.timeout(3600)
def test_the_files_say_what_the_sandbox_holds(nights_at: NightServer) -> None:
    class Walk(StrangeCompanies):
        server = nights_at

    walks = os.environ.get("ROUTEBOOKS_WALKS")
    run_state_machine_as_test(
        Walk,
        settings=settings(
            max_examples=int(walks or 3),
            derandomize=not walks,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_keys_that_the_file_writes_alike_are_set_aside_and_the_others_go(
    nights_at: NightServer, tmp_path: Path
) -> None:
    at = Nights(nights_at, tmp_path, files={"encoding": "ascii"})
    numbers = {"Plain": "100", "One": "Ø1", "Two": "O1", "Nothing": "\N{SOFT HYPHEN}"}
    for name, number in numbers.items():
        at.books.add("Customer", Name=name, AccountNumber=number)
    run = at.night("customers")["customers"]
    assert [row[1] for row in at.rows("customers")] == ["100"]
    assert at.rejected("customers", "customers_with_past_due") == {
        ("O1", "key-double"): 2,
        ("Nothing", "key-blank"): 1,
    }
    assert [note["code"] for note in run.notes] == ["text-replaced"]
    at.close()
