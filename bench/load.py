"""Many connectors at the full hour: one server process, every company's Web Connector calls at once for its night.

./run load [--companies 300] [--over SECONDS] [--whole-night] [--visits-only] [--json]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from bench.load_report import calls_of, holds, show
from bench.visits import Connector, Visit, call_all
from routebooks import server
from routebooks.app import context
from routebooks.connectors.quickbooks_desktop.identity import OWNER_ID
from routebooks.engine import connections, flows, runs
from routebooks.engine.context import Context
from routebooks.sandbox.company import SandboxCompany
from routebooks.settings import Settings, load
from routebooks.store import companies
from routebooks.store import flows as flow_store
from routebooks.store import runs as run_store
from routebooks.store.database import Tx
from routebooks.store.runs import Phase, Run, State
from server_process import Process

#: the one mark of the one seed that stands for every company's file
MARK = "{11111111-2222-4333-8444-555555555555}"
#: how many customers, items and invoices each company has
RECORDS = 30
#: without a word for so long, something is broken
PATIENCE = 600.0
#: the flows of a night
OUT = [template for template in flows.TEMPLATES if template.direction == "out"]

Advance = Callable[[float], None]


@dataclass(frozen=True)
class Asked:
    """What is to be measured: so many companies, their connectors begun over so many seconds, these flows of each."""

    companies: int
    over: float
    flows: tuple[str, ...]
    visits_only: bool


def company(ctx: Context, tx: Tx, number: int, drop: Path, names: Sequence[str]) -> tuple[str, str]:
    """A company whose night is due; the log-in of its connector."""
    now, cust_id = ctx.now(), f"{number:04}"
    company_id = companies.add_company(tx, name=f"Company {cust_id}", cust_id=cust_id, time_zone="UTC", now=now)
    added = {
        name: connections.add(ctx, tx, company_id=company_id, name=name, connector=kind, given=given, actor="load")
        for name, kind, given in (
            ("books", "quickbooks_desktop", {"plain_unit": "case"}),
            ("files", "pocketadvantage", {"drop": "local", "root": str(drop)}),
        )
    }
    books = added["books"]
    companies.change_caller(tx, books.id, file_id=MARK)
    made = [
        flows.add(tx, company_id=company_id, template=template, source="books", target="files", now=now)
        for template in OUT
        if template.name in names
    ]
    runs.create(ctx, tx, [flow_store.flow(tx, flow_id) for flow_id in made], "person", now)
    return books.user_name or "", books.password or ""


def install(ctx: Context, settings: Settings, asked: Asked, advance: Advance) -> list[Connector]:
    """All companies, and their connectors, which begin one after the other over so many seconds."""
    connectors, drop = [], settings.home / "drop"
    drop.mkdir()
    for number in range(asked.companies):
        with ctx.store.begin() as tx:
            log_in = company(ctx, tx, number, drop, asked.flows)
        delay = asked.over * number / asked.companies
        connectors.append(Connector(f"{settings.public_url}/webconnector", *log_in, delay))
        advance(1)
    return connectors


def books(folder: Path) -> Path:
    """The company file that stands for all of them."""
    path = folder / "company.db"
    made = SandboxCompany(path)
    with made.transaction():
        made.add("Account", Name="Sales")
        for number in range(1, RECORDS + 1):
            address = {"Addr1": f"{number} Harbor Road", "City": "Alder Point", "State": "CT", "PostalCode": "06010"}
            name = f"Customer {number}"
            made.add("Customer", Name=name, CompanyName=name, AccountNumber=str(number), ShipAddress=address)
            text = f"Ale {number}, 24 bottles"
            made.add("ItemInventory", Name=str(number), SalesDesc=text, SalesPrice="31.50", IncomeAccountRef="Sales")
            made.add_invoice(name, [{"ItemRef": str(number), "Quantity": 2}])
    made.set_mark(OWNER_ID, MARK)
    made.close()
    return path


def until(ctx: Context, waits: Callable[[Run], bool], wanted: int, advance: Advance) -> None:
    """Look again and again until no run waits any more."""
    end, before = time.monotonic() + PATIENCE, 0
    while before < wanted:
        with ctx.store.read() as tx:
            there = wanted - sum(map(waits, run_store.active_runs(tx)))
        advance(there - before)
        if there > before:
            end, before = time.monotonic() + PATIENCE, there
        if time.monotonic() > end:
            raise SystemExit("The server does not go on.")
        time.sleep(0.2)


def visits(connectors: Sequence[Connector], company_file: Path, advance: Advance) -> tuple[list[Visit], float]:
    """All visits, and the seconds from the first call to the last answer."""
    # As many processes as cores: the threads of one would wait for each other and call it the server's time.
    spawned = multiprocessing.get_context("spawn")
    start, done = spawned.Barrier(len(connectors) + 1), spawned.Queue()
    share = min(os.cpu_count() or 1, len(connectors))
    processes = [
        spawned.Process(target=call_all, args=(connectors[at::share], company_file, start, done), daemon=True)
        for at in range(share)
    ]
    for process in processes:
        process.start()
    start.wait(PATIENCE)
    begun, found = time.perf_counter(), []
    for _ in connectors:
        found.append(done.get(timeout=PATIENCE))
        advance(1)
    seconds = time.perf_counter() - begun
    for process in processes:
        process.join()
    return found, seconds


def used(pid: int) -> tuple[float, float] | None:
    """Seconds of a core and megabytes at its peak of a process, where the system tells it so (Linux)."""
    folder = Path(f"/proc/{pid}")
    if not folder.exists():
        return None
    ticks = (folder / "stat").read_text().rpartition(")")[2].split()[11:13]
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"), int(status["VmHWM"].split()[0]) / 1024


@contextmanager
def running(settings: Settings) -> Iterator[int]:
    """The server as users start it; its process id."""
    process = Process(settings)
    try:
        process.start(tick_seconds=settings.tick_seconds)
        yield process.pid
    finally:
        process.kill()


def measure(asked: Asked, progress: Progress) -> dict[str, Any]:
    """Everything, in a temporary folder."""

    def step(what: str, total: int) -> Advance:
        task = progress.add_task(what, total=total)
        return lambda steps: progress.advance(task, steps)

    count, files = asked.companies, asked.companies * len(asked.flows)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="routebooks-load-")))
        with server.listen("127.0.0.1", 0) as sock:
            port = sock.getsockname()[1]
        settings = load(home=folder / "home", port=port, public_url=f"http://127.0.0.1:{port}")
        ctx = context(settings)
        stack.callback(ctx.store.close)
        company_file = books(folder)
        connectors = install(ctx, settings, asked, step("companies are set up", count))
        pid = stack.enter_context(running(settings))
        until(ctx, lambda run: run.phase is Phase.PLAN, files, step("runs wait for the connectors", files))
        before = used(pid)
        made, seconds = visits(connectors, company_file, step("connectors have called", count))
        after = used(pid)
        result = {
            **calls_of(made),
            "visits": {"count": len(made), "errors": sum(bool(visit.error) for visit in made)},
            "seconds": round(seconds, 1),
            "connectors_core_seconds": round(sum(visit.own_seconds for visit in made), 1),
            "server_core_seconds": round(after[0] - before[0], 1) if after and before else None,
        }
        if not asked.visits_only:
            begun = time.perf_counter()
            until(ctx, lambda run: True, files, step("runs have ended", files))
            result |= files_of(ctx, settings.home / "drop", files) | {
                "files_seconds": round(time.perf_counter() - begun)
            }
        return result | {"server_peak_megabytes": round(peak[1]) if (peak := used(pid)) else None}


def files_of(ctx: Context, drop: Path, wanted: int) -> dict[str, Any]:
    """What came of the runs, and the files that lie in their place."""
    with ctx.store.read() as tx:
        ended = [line.run for line in run_store.list_runs(tx, limit=wanted)]
    bad = Counter(
        f"{run.state}: {(run.problem or {}).get('message', '')}" for run in ended if run.state is not State.DONE
    )
    return {
        "runs_not_done": bad.total(),
        "first_problems": [problem for problem, _ in bad.most_common(5)],
        "files": sum(1 for _ in drop.rglob("*.fil")),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--companies", type=int, default=300)
    parser.add_argument("--over", type=float, default=0, help="seconds over which the connectors begin; 0: all at once")
    parser.add_argument(
        "--whole-night", action="store_true", help="all files of each company, not items and customers only"
    )
    parser.add_argument("--visits-only", action="store_true", help="do not wait until the files are made")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    files = tuple(each.name for each in OUT if given.whole_night or each.name in ("items", "customers"))
    asked = Asked(given.companies, given.over, files, given.visits_only)
    # The installation of whoever measures is none of our business.
    for name in [name for name in os.environ if name.startswith("ROUTEBOOKS_")]:
        del os.environ[name]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=given.json, transient=True) as progress:
        measured = measure(asked, progress)
    result = {**asdict(asked), "cores": os.cpu_count(), **measured}
    if given.json:
        print(json.dumps(result, indent=2))
    else:
        show(result)
    return 0 if holds(result) else 1


if __name__ == "__main__":
    sys.exit(main())
