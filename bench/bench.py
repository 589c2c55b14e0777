"""How fast: parse, map and the whole way in records per second, beside bare lxml and qbwc-kit, in one run on one core.

./run bench [--records 60000] [--million]       `taskset -c 1 ./run bench` takes another core than the first
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from lxml import etree
from qbwc_kit.qbxml.parser import parse_response
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from house import MARK
from routebooks.app import context
from routebooks.connectors.base import Company, Connection
from routebooks.connectors.pocketadvantage.files import PocketAdvantageFiles
from routebooks.connectors.quickbooks_desktop.connector import QuickBooksDesktop
from routebooks.engine import connections, flows, runs
from routebooks.engine.files import parquet
from routebooks.mapping.apply import apply_map
from routebooks.mapping.model import Map, load_map
from routebooks.settings import load
from routebooks.store import companies
from routebooks.store import flows as flow_store
from routebooks.webconnector.service import WebConnectorService

PAGE = 500
BOOKS, FILES = QuickBooksDesktop(), PocketAdvantageFiles()
MAP = """
name: customers
source: customers
target: customer
columns:
  Company ID: =[Company.CustId]
  Customer ID: =[AccountNumber]
  Trade Name: =COALESCE([CompanyName], [Name])
  CustTypeID: =[CustomerTypeRef.FullName]
  StatusID: =[IsActive]
  Credit Terms: =[TermsRef.FullName]
  Sales Pointer Type: 1
  Sales Rep 1: =[SalesRepRef.FullName]
  Current Balance: =[TotalBalance]
  Credit Limit: =[CreditLimit]
  Phone: =[Phone]
  Ship to Street Address: =[ShipAddress.Addr1]
  Ship to Street Address 2: =[ShipAddress.Addr2]
"""


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


def pages(records: int) -> Iterator[bytes]:
    """The answers of QuickBooks, 500 customers a page."""
    for start in range(0, records, PAGE):
        count = min(PAGE, records - start)
        left = records - start - count
        inside = "".join(customer(number) for number in range(start, start + count))
        yield (
            '<?xml version="1.0" ?><QBXML><QBXMLMsgsRs><CustomerQueryRs requestID="1" statusCode="0" '
            f'statusSeverity="Info" statusMessage="Status OK" iteratorRemainingCount="{left}" '
            f'iteratorID="{{11111111-2222-4333-8444-555555555555}}">{inside}</CustomerQueryRs></QBXMLMsgsRs></QBXML>'
        ).encode()


def bare_lxml(kept: list[bytes]) -> int:
    """What nobody can be faster than: iterparse, one flat dictionary a record, cleared at once."""
    count = 0
    for page in kept:
        for _, record in etree.iterparse(io.BytesIO(page), tag="CustomerRet", resolve_entities=False, no_network=True):
            flat = {}
            for child in record:
                if len(child):
                    for inner in child:
                        flat[f"{child.tag}.{inner.tag}"] = inner.text
                else:
                    flat[child.tag] = child.text
            count += 1
            record.clear()
    return count


def kit(kept: list[bytes]) -> int:
    return sum(len(parse_response(page).responses[0].records) for page in kept)


def mapped(table: pa.Table, the_map: Map) -> pa.Table:
    layout = FILES.layouts()["customer"]
    parameters = {"Company.CustId": "4711", "Company.Name": "Harbor"}
    return apply_map(the_map, table, layout, parameters, key_field="FullName").table


def files_connection() -> Connection:
    declared = {setting.name: setting.default for setting in FILES.settings}
    return Connection(1, "files", FILES.name, Company(1, "Harbor", "4711"), declared)


def whole_way(kept: Iterator[bytes] | list[bytes], the_map: Map) -> int:
    """Pages to snapshot, through the map, to the checked bytes of the file."""
    table = BOOKS.parse("customers", kept)
    parquet(table)
    return FILES.encode(files_connection(), "customer", mapped(table, the_map)).records


def best(work: Callable[[], object], rounds: int = 5) -> float:
    """Seconds of the processor's time: what else runs on the machine is not counted."""
    times = []
    for _ in range(rounds):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return min(times)


def acknowledge(folder: Path) -> float:
    """Milliseconds from the answer's arrival to our reply: the page is on disk and its row committed by then."""
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
        template = next(each for each in flows.TEMPLATES if each.name == "items")
        flow_id = flows.add(
            ctx, tx, company_id=company_id, template=template, source="books", target="files", now=ctx.now()
        )
        flow_store.change_flow(tx, flow_id, stream="customers")
        runs.create(ctx, tx, [flow_store.flow(tx, flow_id)], "person", ctx.now())
    runs.tick(ctx, lambda run: None)
    service = WebConnectorService(ctx)
    ticket = service.authenticate(added["books"].user_name or "", added["books"].password or "", "bench")[0]
    who = f"""<?xml version="1.0" ?><QBXML><QBXMLMsgsRs><CompanyQueryRs statusCode="0" statusSeverity="Info"><CompanyRet>
        <CompanyName>Bench</CompanyName><DataExtRet><OwnerID>{{c762cd16-a12e-4256-a38e-d6a2d386fb75}}</OwnerID>
        <DataExtName>FileID</DataExtName><DataExtType>STR255TYPE</DataExtType><DataExtValue>{MARK}</DataExtValue>
        </DataExtRet></CompanyRet></CompanyQueryRs></QBXMLMsgsRs></QBXML>"""
    service.send_request_xml(ticket, "", "C:/books.qbw", "US", 13, 0)
    service.receive_response_xml(ticket, who.encode(), "", "")
    times = []
    for page in pages(PAGE * 20):
        service.send_request_xml(ticket, "", "C:/books.qbw", "US", 13, 0)
        begun = time.perf_counter()
        service.receive_response_xml(ticket, page, "", "")
        times.append((time.perf_counter() - begun) * 1000)
    ctx.store.close()
    return statistics.median(times)


def peak_of_a_million() -> tuple[float, float]:
    """Megabytes and seconds of the whole way of 1,000,000 customers, in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--peak"], capture_output=True, check=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found["megabytes"], found["seconds"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=60_000)
    parser.add_argument("--million", action="store_true", help="also the memory of 1,000,000 customers (minutes)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--peak", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    the_map = load_map(MAP)
    if given.peak:
        begun = time.perf_counter()
        whole_way(pages(1_000_000), the_map)
        megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"megabytes": megabytes, "seconds": time.perf_counter() - begun}))
        return
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    kept = list(pages(given.records))
    table = BOOKS.parse("customers", kept)
    rows = mapped(table, the_map)
    measured: dict[str, Any] = {
        "bare lxml, to dictionaries": given.records / best(lambda: bare_lxml(kept)),
        "qbwc-kit, to dictionaries": given.records / best(lambda: kit(kept)),
        "parse, to typed columns": given.records / best(lambda: BOOKS.parse("customers", kept)),
        "map": given.records / best(lambda: mapped(table, the_map)),
        "encode and check the file": given.records / best(lambda: FILES.encode(files_connection(), "customer", rows)),
        "the whole way": given.records / best(lambda: whole_way(kept, the_map)),
    }
    with tempfile.TemporaryDirectory() as folder:
        acknowledged = acknowledge(Path(folder))
    result: dict[str, Any] = {
        "records": given.records,
        "records_per_second": {name: round(value) for name, value in measured.items()},
        "share_of_bare_lxml": round(measured["the whole way"] / measured["bare lxml, to dictionaries"], 2),
        "page_of_500_acknowledged_ms": round(acknowledged, 1),
    }
    if given.million:
        result["million_megabytes"], result["million_seconds"] = (round(value) for value in peak_of_a_million())
    if given.json:
        print(json.dumps(result, indent=2))
        return
    shown = Table("what", "records/s", "of bare lxml", box=None)
    for name, value in measured.items():
        share = value / measured["bare lxml, to dictionaries"]
        shown.add_row(name, f"{value:,.0f}", f"{share:.0%}")
    console = Console()
    console.print(f"{given.records:,} customers of 45 fields, one core")
    console.print(shown)
    console.print(f"a page of 500 customers is acknowledged in {acknowledged:.1f} ms (median)")
    if given.million:
        console.print(f"1,000,000 customers: {result['million_megabytes']} MB, {result['million_seconds']} s")


if __name__ == "__main__":
    main()
