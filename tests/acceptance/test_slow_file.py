"""Bad lines and slow company files: pages get lost, sessions break off, and the file holds every record once."""

from __future__ import annotations

import csv
import io
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from installation import Make
from routebooks.clock import now
from routebooks.engine.exchange import SKIPPED
from routebooks.sandbox import iowa
from routebooks.sandbox.company import SandboxCompany
from routebooks.store import runs as run_store
from routebooks.store.runs import Phase, State
from support import shared

#: fewer pages than the whole list and its largest slices have
PAGES = 2


class Tired:
    """QuickBooks that dies whenever the list of customers has gone on for too long; a person works in it meanwhile."""

    def __init__(self, company: SandboxCompany) -> None:
        self._company, self._pages, self._renamed = company, 0, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._company, name)

    def process(self, session: str, request: bytes) -> bytes:
        self._pages = self._pages + 1 if b'iterator="Continue"' in request else 0
        if self._pages >= PAGES and b"<CustomerQueryRq" in request:
            raise ConnectionError("QuickBooks has gone")
        if b"<FromName>r</FromName>" in request and not self._renamed:
            # Out of a slice that is not read yet into one that was, and the jobs go with them.
            self._company.update("Customer", "Zeta Group", Name="Alpha Group")
            self._renamed = True
        return self._company.process(session, request)


def fill(company: SandboxCompany, path: Path) -> None:
    """The stores of a day, and a group with a job."""
    iowa.load_day(company, path)
    company.add("Customer", Name="Zeta Group", AccountNumber="ZG")
    company.add("Customer", Name="Dock", ParentRef="Zeta Group", AccountNumber="ZG-1")


def test_a_list_that_no_session_reads_to_its_end_goes_out_whole(installed: Make, tmp_path: Path) -> None:
    text = shared("data", "iowa-wholesale-2012-01-31.csv").read_text(encoding="utf-8")
    day = list(csv.DictReader(io.StringIO(text)))
    sales = {row["store_number"]: row for row in day}
    stores = sorted(sales)[::4]
    path = tmp_path / "day.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, day[0])
        writer.writeheader()
        writer.writerows(sales[store] for store in stores)
    ago = [timedelta(days=3)]
    installation = installed(
        lambda company: fill(company, path), clock=lambda: now() - ago[0], quickbooks={"page_size": "10"}
    )
    ago[0] = timedelta(0)
    (run_id,) = installation.ask("customers")
    installation.until_called_for([run_id])
    installation.world.company = Tired(installation.world.company)  # type: ignore[assignment]
    connector, updates = installation.connector(), 0
    while installation.run(run_id).phase is Phase.EXTRACT:
        with suppress(ConnectionError):
            connector.update()
        updates += 1
        assert updates < 60
    installation.until_ended([run_id])
    assert installation.run(run_id).state is State.DONE
    rows = installation.file("customer.fil").decode("cp1252").split("\r\n")[:-1]
    assert Counter(line.split("\t")[1] for line in rows) == Counter([*stores, "ZG", "ZG-1"])
    with installation.ctx.store.read() as tx:
        extract = run_store.extracts_of(tx, installation.run(run_id).night_id)["customers"]
        attempts = run_store.attempts_of(tx, extract.id)
    complete = [attempt.slice for attempt in attempts if attempt.state == "complete"]
    assert complete == list(range(len(complete)))
    assert len(complete) > 10


class Hasty:
    """QuickBooks that is asked twice for some page: the first answer is lost. Once somebody deletes a record."""

    def __init__(self, company: SandboxCompany, deleted: str) -> None:
        self._company, self._deleted = company, deleted
        self.twice: int | None = None
        self._continued = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._company, name)

    def process(self, session: str, request: bytes) -> bytes:
        self._continued = self._continued + 1 if b'iterator="Continue"' in request else 0
        if self._continued and self._continued == self.twice:
            self._company.process(session, request)
        elif self._continued == 1 and self.twice is None:
            self._company.delete_from_list("Customer", self._deleted)
        return self._company.process(session, request)


def test_a_page_whose_answer_was_lost_is_missed_and_read_again(installed: Make) -> None:
    def fill(company: SandboxCompany) -> None:
        for number in range(23):
            company.add("Customer", Name=f"Store {number:02}", AccountNumber=f"{number:02}")

    installation = installed(fill, quickbooks={"page_size": "10"})
    (run_id,) = installation.ask("customers")
    installation.until_called_for([run_id])
    hasty = Hasty(installation.world.company, "Store 22")
    installation.world.company = hasty  # type: ignore[assignment]
    # A page in the middle, then the last, behind which the iterator says that there is nothing.
    for hasty.twice in (1, 2):
        assert installation.connector().update().last_error == SKIPPED.message
    # A record less, for it was deleted meanwhile, is no page less.
    hasty.twice = None
    assert installation.connector().update().last_error == ""
    installation.until_ended([run_id])
    rows = installation.file("customer.fil").decode("cp1252").split("\r\n")[:-1]
    assert Counter(line.split("\t")[1] for line in rows) == Counter(
        f"{number:02}" for number in range(23) if number != 22
    )
    with installation.ctx.store.read() as tx:
        extract = run_store.extracts_of(tx, installation.run(run_id).night_id)["customers"]
        attempts = run_store.attempts_of(tx, extract.id)
    told = [(attempt.state, (attempt.problem or {}).get("code")) for attempt in attempts]
    assert told == [("broken", "page-skipped"), ("broken", "page-skipped"), ("complete", None)]
