"""A night of many customers: pages of QuickBooks' shape, and the real way from the Web Connector's calls to the links.

`python tests/big_night.py 60000` goes it in a process of its own and prints what it took.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from house import MARK
from routebooks.app import context
from routebooks.cli import log_to_stderr
from routebooks.engine import connections, flows, runs, work
from routebooks.engine.context import Context
from routebooks.settings import load
from routebooks.store import companies
from routebooks.store import flows as flow_store
from routebooks.store.tables import links
from routebooks.webconnector.service import WebConnectorService

PAGE = 500
WHO = f"""<?xml version="1.0" ?><QBXML><QBXMLMsgsRs><CompanyQueryRs statusCode="0" statusSeverity="Info"><CompanyRet>
<CompanyName>Bench</CompanyName><DataExtRet><OwnerID>{{c762cd16-a12e-4256-a38e-d6a2d386fb75}}</OwnerID>
<DataExtName>FileID</DataExtName><DataExtType>STR255TYPE</DataExtType><DataExtValue>{MARK}</DataExtValue>
</DataExtRet></CompanyRet></CompanyQueryRs></QBXMLMsgsRs></QBXML>"""


def customer(number: int) -> str:
    """One CustomerRet with 45 filled fields."""
    address = "".join(
        f"<{part}>{text}</{part}>"
        for part, text in (
            ("Addr1", f"{number} Harbor Road"),
            ("Addr2", "Rear door"),
            ("City", "Alder Point"),
            ("State", "CT"),
            ("PostalCode", "06010"),
            ("Country", "US"),
        )
    )
    ref = "<ListID>80000001-1446676743</ListID><FullName>{}</FullName>"
    return (
        f"<CustomerRet><ListID>{number:08X}-1446676743</ListID><TimeCreated>2015-11-04T14:39:03-08:00</TimeCreated>"
        f"<TimeModified>2026-01-04T14:39:03-08:00</TimeModified><EditSequence>1446676743</EditSequence>"
        f"<Name>Customer {number} &amp; Sons</Name><FullName>Customer {number} &amp; Sons</FullName>"
        f"<IsActive>true</IsActive><Sublevel>0</Sublevel><CompanyName>Customer {number} &amp; Sons</CompanyName>"
        f"<Salutation>Mr</Salutation><FirstName>A</FirstName><LastName>B</LastName><JobTitle>Owner</JobTitle>"
        f"<BillAddress>{address}</BillAddress><ShipAddress>{address}</ShipAddress>"
        f"<Phone>555-0100</Phone><AltPhone>555-0101</AltPhone><Fax>555-0102</Fax><Email>a@example.com</Email>"
        f"<Contact>A B</Contact><CustomerTypeRef>{ref.format('Off Premise')}</CustomerTypeRef>"
        f"<TermsRef>{ref.format('Net 30')}</TermsRef><SalesRepRef>{ref.format('EA')}</SalesRepRef>"
        f"<Balance>12.50</Balance><TotalBalance>12.50</TotalBalance>"
        f"<SalesTaxCodeRef>{ref.format('Tax')}</SalesTaxCodeRef><AccountNumber>{number}</AccountNumber>"
        f"<CreditLimit>1000.00</CreditLimit><JobStatus>None</JobStatus><Notes>Call first.</Notes>"
        f"<PriceLevelRef>{ref.format('List')}</PriceLevelRef></CustomerRet>"
    )


def _open_invoice(number: int) -> str:
    return (
        f"<InvoiceRet><TxnID>{number:X}-1</TxnID><TimeModified>2026-01-04T14:39:03-08:00</TimeModified>"
        f"<CustomerRef><ListID>{number:08X}-1446676743</ListID></CustomerRef><RefNumber>{number}</RefNumber>"
        f"<DueDate>2026-01-31</DueDate><BalanceRemaining>12.50</BalanceRemaining></InvoiceRet>"
    )


def pages(records: int) -> Iterator[bytes]:
    """The answers of QuickBooks, 500 customers a page."""
    for start in range(0, records, PAGE):
        count = min(PAGE, records - start)
        inside = "".join(customer(number) for number in range(start, start + count))
        yield _answer("CustomerQueryRs", inside, records - start - count)


def _answer(response: str, inside: str, left: int = 0) -> bytes:
    return (
        f'<?xml version="1.0" ?><QBXML><QBXMLMsgsRs><{response} requestID="1" statusCode="0" statusSeverity="Info" '
        f'statusMessage="Status OK" iteratorRemainingCount="{left}" '
        f'iteratorID="{{11111111-2222-4333-8444-555555555555}}">{inside}</{response}></QBXMLMsgsRs></QBXML>'
    ).encode()


@dataclass
class Caller:
    """A Web Connector that is called on: it waits for an answer to what it was handed."""

    ctx: Context
    service: WebConnectorService
    ticket: str

    def ask(self) -> bytes:
        """The next request; empty when there is none."""
        return self.service.send_request_xml(self.ticket, "", "C:/books.qbw", "US", 13, 0)

    def answer(self, page: bytes) -> None:
        """Hand an answer in."""
        self.service.receive_response_xml(self.ticket, page, "", "")


def begin(folder: Path) -> Caller:
    """A company whose customers are asked for, up to the first page."""
    ctx = context(load(home=folder))
    with ctx.store.begin() as tx:
        company_id = companies.add_company(tx, name="Harbor", cust_id="4711", time_zone="UTC", now=ctx.now())
        added = {
            name: connections.add(ctx, tx, company_id=company_id, name=name, connector=kind, given=given, actor="bench")
            for name, kind, given in (
                ("books", "quickbooks_desktop", {"page_size": str(PAGE)}),
                ("files", "pocketadvantage", {"drop": "local", "root": str(folder / "drop")}),
            )
        }
        companies.change_caller(tx, added["books"].id, file_id=MARK, bound_company="Bench", bound_at=ctx.now())
        template = next(each for each in flows.TEMPLATES if each.name == "customers")
        flow_id = flows.add(tx, company_id=company_id, template=template, source="books", target="files", now=ctx.now())
        runs.create(ctx, tx, [flow_store.flow(tx, flow_id)], "person", ctx.now())
    (folder / "drop").mkdir()
    runs.tick(ctx, lambda run: None)
    service = WebConnectorService(ctx)
    ticket = service.authenticate(added["books"].user_name or "", added["books"].password or "", "bench")[0]
    caller = Caller(ctx, service, ticket)
    caller.ask()
    caller.answer(WHO.encode())
    return caller


def night(folder: Path, customers: int) -> int:
    """All of it, from the first page to the last link; how many links there are."""
    caller = begin(folder)
    answers = pages(customers)
    while request := caller.ask():
        if b"CustomerQueryRq" in request:
            caller.answer(next(answers))
        else:
            caller.answer(_answer("InvoiceQueryRs", "".join(map(_open_invoice, range(min(PAGE, customers))))))
    ctx = caller.ctx
    while runs.tick(ctx, lambda run: work.run_now(ctx, run)):
        pass
    with ctx.store.read() as tx:
        linked = tx.execute(sa.select(sa.func.count()).select_from(links)).scalar_one()
    ctx.store.close()
    return int(linked)


def main() -> None:
    log_to_stderr(logging.WARNING)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        linked = night(Path(folder), int(sys.argv[1]))
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * (1024 if sys.platform == "darwin" else 1))
    print(json.dumps({"linked": linked, "megabytes": megabytes, "seconds": time.perf_counter() - begun}))


if __name__ == "__main__":
    main()
