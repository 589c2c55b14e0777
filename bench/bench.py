"""How fast: parse, map and the whole way in records per second, beside bare lxml and qbwc-kit, in one run on one core.

./run bench [--records 60000] [--million]       `taskset -c 1 ./run bench` takes another core than the first
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lxml import etree
from qbwc_kit.qbxml.parser import parse_response
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import big_night
from routebooks.connectors.base import Company, Connection
from routebooks.connectors.pocketadvantage.files import PocketAdvantageFiles
from routebooks.connectors.quickbooks_desktop.connector import QuickBooksDesktop
from routebooks.engine.snapshots import gathered
from routebooks.mapping.apply import map_rows
from routebooks.mapping.model import Map, load_map
from routebooks.rows import Rows, Scratch

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


def files_connection() -> Connection:
    declared = {setting.name: setting.default for setting in FILES.settings}
    return Connection(1, "files", FILES.name, Company(1, "Harbor", "4711"), declared)


def snapshot(kept: list[bytes], scratch: Scratch) -> Rows:
    return gathered(BOOKS.parse("customers", kept), BOOKS.streams()["customers"], scratch)


def mapped(customers: Rows, the_map: Map, scratch: Scratch) -> Rows:
    layout = FILES.layouts()["customer"]
    parameters = {"Company.CustId": "4711", "Company.Name": "Harbor"}
    return map_rows(the_map, customers, layout, parameters, key_field="FullName", scratch=scratch).rows


def whole_way(kept: list[bytes], the_map: Map) -> int:
    """Pages to snapshot, through the map, to the checked bytes of the file."""
    with Scratch() as scratch:
        rows = mapped(snapshot(kept, scratch), the_map, scratch)
        return FILES.encode(files_connection(), "customer", rows, scratch.file()).records


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
    caller = big_night.begin(folder)
    times = []
    for page in big_night.pages(big_night.PAGE * 20):
        caller.ask()
        begun = time.perf_counter()
        caller.answer(page)
        times.append((time.perf_counter() - begun) * 1000)
    caller.ctx.store.close()
    return statistics.median(times)


def peak_of_a_million() -> tuple[float, float]:
    """Megabytes and seconds of a real night of 1,000,000 customers, in a process of its own."""
    command = [sys.executable, big_night.__file__, "1000000"]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found["megabytes"], found["seconds"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=60_000)
    parser.add_argument("--million", action="store_true", help="also the memory of 1,000,000 customers (minutes)")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    the_map = load_map(MAP)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    kept = list(big_night.pages(given.records))
    measured: dict[str, Any] = {
        "bare lxml, to dictionaries": given.records / best(lambda: bare_lxml(kept)),
        "qbwc-kit, to dictionaries": given.records / best(lambda: kit(kept)),
        "parse, to typed columns": given.records / best(lambda: deque(BOOKS.parse("customers", kept), maxlen=0)),
    }
    with Scratch() as scratch:
        customers = snapshot(kept, scratch)
        rows = mapped(customers, the_map, scratch)
        measured |= {
            "map": given.records / best(lambda: mapped(customers, the_map, scratch)),
            "encode and check the file": given.records
            / best(lambda: FILES.encode(files_connection(), "customer", rows, scratch.file())),
        }
    measured["the whole way"] = given.records / best(lambda: whole_way(kept, the_map))
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
        console.print(
            f"a night of 1,000,000 customers: {result['million_megabytes']} MB, {result['million_seconds']} s"
        )


if __name__ == "__main__":
    main()
