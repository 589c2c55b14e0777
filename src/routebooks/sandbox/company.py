"""The simulated QuickBooks company: one qbXML message set in, the answer out, as QuickBooks itself would give it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from routebooks import clock as system_clock
from routebooks.sandbox import about, changes, deleted, message_sets, orders_in, queries
from routebooks.sandbox.answers import Answer, answer_to, document
from routebooks.sandbox.books import Books
from routebooks.sandbox.company_file import CompanyFile
from routebooks.sandbox.desk import Desk
from routebooks.sandbox.reader import MessageSet, QuickBooksError, Request, read_message_set
from routebooks.sandbox.shapes import Fields, ShapeError
from routebooks.sandbox.status import Refusal

__all__ = ["QuickBooksError", "SandboxCompany"]

#: by memory: the code for a session that has ended
NO_SESSION = "0x8004040D"

_LONGEST_REQUEST_ID = 50
_WRITES: Mapping[str, Callable[[Books, Request], Answer]] = {
    "SalesOrderAddRq": orders_in.add_sales_order,
    "CustomerAddRq": changes.add_customer,
    "CustomerModRq": changes.change_customer,
    "DataExtAddRq": changes.add_data_ext,
}


class SandboxCompany(Desk):
    """A company file with the request processor on it. Threads may share one; a killed process loses nothing."""

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], datetime] = system_clock.now,
        edition: str = "Enterprise",
        company_name: str = "Harbor Beverage Company",
        zone: str = "America/New_York",
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        """Opens the file, or makes one. Edition (Enterprise, Premier, Pro), name and zone count when it is made."""
        file = CompanyFile(path)
        self._new_id = new_id
        self._sessions: dict[str, queries.Iterators] = {}
        self._failures: list[tuple[str, int]] = []
        with file.transaction():
            if file.setting("edition") is None:
                file.set_setting("edition", edition)
                file.set_setting("zone", zone)
                file.set_setting("path", rf"C:\QuickBooks\{company_name.removesuffix(' Company')}.qbw")
            self.edition = str(file.setting("edition"))
            books = Books(file, clock, str(file.setting("zone")))
            if not file.of_kinds(("Company",)):
                books.add("Company", _company(company_name))
        super().__init__(file, books)

    def close(self) -> None:
        """Closes the file; every session ends."""
        self._sessions.clear()
        self._file.close()

    @property
    def company_name(self) -> str:
        """What the company says it is called."""
        return str(about.company_of(self._books).fields["CompanyName"])

    @property
    def file_path(self) -> str:
        """The path that the company file seems to have on its workstation."""
        return str(self._file.setting("path"))

    @file_path.setter
    def file_path(self, path: str) -> None:
        with self._file.transaction():
            self._file.set_setting("path", path)

    # The request processor.

    def open_session(self) -> str:
        """A new session; its iterators die with it."""
        with self._file.lock:
            session = self._new_id()
            self._sessions[session] = {}
            return session

    def close_session(self, session: str) -> None:
        """Ends a session; one that is not open is left alone."""
        with self._file.lock:
            self._sessions.pop(session, None)

    def host_company_preferences(self, owner_id: str = "") -> bytes:
        """The answers that the Web Connector hands over first; the company with the private fields of an owner."""
        with self._file.lock:
            return about.host_company_preferences(self._books, self.edition, owner_id)

    def process(self, session: str, request: bytes) -> bytes:
        """One message set in, its answer out; what it wrote is on disk then. Raises QuickBooksError."""
        message_set = read_message_set(request)
        with self._file.transaction():
            if session not in self._sessions:
                raise QuickBooksError(NO_SESSION, "The session ticket is not valid.")
            iterators = self._sessions[session]
            outcome = message_sets.run(self._file, message_set, request, lambda: self._execute(message_set, iterators))
        attributes = [("newMessageSetID", message_set.new_id)] if message_set.new_id is not None else []
        if outcome.status is not None:
            attributes.append(("messageSetStatusCode", str(outcome.status)))
        return document(outcome.answers, attributes, data=message_set.include_data)

    def _execute(self, message_set: MessageSet, iterators: queries.Iterators) -> list[Answer]:
        answers: list[Answer] = []
        for request in message_set.requests:
            if message_set.stop_on_error and any(answer.failed for answer in answers):
                answers.append(_refused(request, Refusal(3231)))
                continue
            try:
                # What a refused request began is undone; what was done before it stays.
                with self._file.transaction():
                    answers.append(self._answer(request, iterators))
            except ShapeError as error:
                answers.append(_refused(request, Refusal(3210, f"{error}.")))
            except Refusal as refusal:
                answers.append(_refused(request, refusal))
        return answers

    def _answer(self, request: Request, iterators: queries.Iterators) -> Answer:
        request_id = request.attributes.get("requestID", "")
        if len(request_id) > _LONGEST_REQUEST_ID:
            raise Refusal(1060, f'The request ID "{request_id}" is invalid, possibly too long, max 50 chars.')
        self._fail_if_asked(request)
        if request.name in about.ABOUT:
            return about.answer(self._books, request, self.edition)
        if "SalesOrder" in request.name and self.edition == "Pro":
            # The reference says that Pro answers with an error status, not with which: the feature is not there.
            raise Refusal(3250)
        if request.name in deleted.QUERIES:
            return deleted.query(self._books, request)
        if request.name in queries.QUERIES:
            return queries.query(self._books, iterators, request, self._new_id)
        return _WRITES[request.name](self._books, request)

    # For tests.

    def fail_next(self, status_code: int, times: int = 1, on: str = "SalesOrderAdd") -> None:
        """The next requests of a name (`SalesOrderAdd`, `CustomerQuery`) are refused with a status, nothing done."""
        with self._file.lock:
            self._failures += [(on, status_code)] * times

    def _fail_if_asked(self, request: Request) -> None:
        for at, (on, code) in enumerate(self._failures):
            if f"{on.removesuffix('Rq')}Rq" == request.name:
                del self._failures[at]
                raise Refusal(code)

    def forget_message_sets(self) -> None:
        """Clears all that is remembered of message sets."""
        with self._file.transaction():
            self._file.clear_message_sets()

    def backup(self, path: Path) -> None:
        """Writes a backup of the company file."""
        self._file.backup(path)

    def restore(self, path: Path) -> None:
        """Takes a backup in place of the present content, message sets included; all sessions end. The path stays."""
        with self._file.lock:
            present = self.file_path
            self._file.restore(path)
            self._sessions.clear()
            self.file_path = present

    def admit(self, owner_id: str, file_id: str) -> None:
        """Takes a .qwc file in. The first time it leaves its mark, in place of that of an earlier one."""
        admitted = f"admitted {file_id.lower()}"
        if self._file.setting(admitted) is None:
            self.set_mark(owner_id, file_id)
            self._file.set_setting(admitted, "yes")

    def set_mark(self, owner_id: str, file_id: str) -> None:
        """Leaves the mark that the Web Connector writes into a company at its first visit: a private field FileID."""
        with self._file.transaction():
            company = about.company_of(self._books)
            mark = changes.data_ext(owner_id, "FileID", file_id)
            marks = changes.with_data_ext(company.fields.get("DataExtRet", []), mark)
            self._books.change(company, {"DataExtRet": marks})


def _refused(request: Request, refusal: Refusal) -> Answer:
    answer = answer_to(request, status=(refusal.code, refusal.message))
    return answer if refusal.code != 1060 else Answer(answer.name, None, answer.status)


def _company(name: str) -> Fields:
    address = {"Addr1": "14 Wharf Road", "City": "Port Alder", "State": "CT", "PostalCode": "06099", "Country": "US"}
    return {
        "IsSampleCompany": "false",
        "CompanyName": name,
        "LegalCompanyName": f"{name}, Inc.",
        "Address": address,
        "LegalAddress": address,
        "Phone": "860-555-0100",
        "Email": "office@harborbeverage.example",
        "FirstMonthFiscalYear": "January",
        "FirstMonthIncomeTaxYear": "January",
        "CompanyType": "WholesaleDistributor",
    }
