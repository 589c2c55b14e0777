"""A whole engine around the toy connectors, with a clock that is set by hand and a caller that answers as told."""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from routebooks.engine import connections, exchange, flows, order_answers, runs, sessions, work
from routebooks.engine.context import Context
from routebooks.engine.workers import ALONE
from routebooks.store import companies, rejected, workers
from routebooks.store import flows as flow_store
from routebooks.store import ledger as ledger_store
from routebooks.store import runs as run_store
from routebooks.store.artifacts import ArtifactStore
from routebooks.store.database import Store
from routebooks.store.flows import Flow
from routebooks.store.ledger import Order
from routebooks.store.runs import Run
from routebooks.store.secrets import Vault
from toy import MAPS, ToyCaller, ToyFiles, ToyOrders

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


class HandClock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def on(self, **span: float) -> None:
        """Let time pass."""
        self.time += timedelta(**span)


class Counter:
    """Ids that differ and repeat from test to test."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, length: int = 22) -> str:
        self.count += 1
        return f"{self.count:0{length}}"


@dataclass
class House:
    """One company with its three connections and flows."""

    ctx: Context
    clock: HandClock
    files: ToyFiles
    orders: ToyOrders
    folder: Path
    company_id: int
    books: int
    flows: dict[str, int] = field(default_factory=dict)
    password: str = ""
    user_name: str = ""

    def serve(self) -> None:
        """A server is at work, as its row tells."""
        with self.ctx.store.begin() as tx:
            workers.add_worker(
                tx,
                ALONE,
                host="here",
                home="home",
                address="http://127.0.0.1:8420",
                key_mark="",
                good_for=timedelta(hours=1),
            )

    def end(self) -> None:
        """The server has ended."""
        with self.ctx.store.begin() as tx:
            workers.remove_worker(tx, ALONE)

    def run(self, name: str) -> int:
        """Ask for a run of a flow and let the tick plan it."""
        with self.ctx.store.begin() as tx:
            (run_id,) = runs.create(self.ctx, tx, [flow_store.flow(tx, self.flows[name])], "person", self.clock())
        self.tick()
        return run_id

    def tick(self) -> int:
        """Ticks until nothing is ready any more, with the work done at once; how much there was."""
        done = 0
        while started := runs.tick(self.ctx, lambda run: work.run_now(self.ctx, run)):
            done += started
        return done

    def state(self, run_id: int) -> Run:
        """The run as it stands."""
        with self.ctx.store.read() as tx:
            return run_store.run(tx, run_id)

    def flow(self, name: str) -> Flow:
        """The flow as it stands."""
        with self.ctx.store.read() as tx:
            return flow_store.flow(tx, self.flows[name])

    def order(self, key: str) -> Order:
        """The order as it stands in the ledger."""
        with self.ctx.store.read() as tx:
            found = ledger_store.order_keyed(tx, self.flows["orders"], key)
            assert found is not None
            return found

    def file(self, name: str) -> str:
        """What lies at the target."""
        return (self.folder / "for-4711" / f"{name}.txt").read_text()

    def visit(self, answer: Callable[[dict[str, Any]], Any], *, turns: int = 1000, close: bool = True) -> list[Any]:
        """A whole visit of the caller, which answers every request by the function; the requests it was given."""
        opening = sessions.open_session(self.ctx, self.books)
        seen: list[Any] = []
        done = 0
        while opening.work and 0 <= done < 100 and len(seen) < turns:
            request = exchange.hand_out(self.ctx, opening.ticket, "C:/books")
            if not request:
                break
            seen.append(json.loads(request))
            reply = answer(seen[-1])
            if reply is None:
                return seen
            hresult, body = ("", json.dumps(reply).encode()) if isinstance(reply, dict) else (reply, b"")
            done = exchange.take(self.ctx, opening.ticket, body, hresult, "")
        if close:
            sessions.close(self.ctx, opening.ticket)
        return seen


def who(request: dict[str, Any]) -> dict[str, Any] | None:
    """The answer to the identity query, for those who answer only that."""
    return {"mark": MARK, "name": "Toy Company"} if request.get("ask") == "who" else None


MARK = "{11111111-2222-4333-8444-555555555555}"


@dataclass
class Books:
    """The toy's books: answers every request rightly, and remembers what was written."""

    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    page: int = 1000
    written: list[dict[str, Any]] = field(default_factory=list)
    #: what it remembers under its set id
    remembered: dict[str, dict[str, Any]] = field(default_factory=dict)
    name: str = "Toy Company"
    mark: str = MARK
    seen: list[dict[str, Any]] = field(default_factory=list)
    clock: Callable[[], datetime] = lambda: START
    #: when each set was written
    changed: dict[str, datetime] = field(default_factory=dict)

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        self.seen.append(request)
        if request.get("ask") == "who":
            return {"mark": self.mark, "name": self.name}
        if "ask" in request:
            first, last = request["names"] or ("", "")
            named = self.records.get(request["ask"], [])
            below = f"{request['below']}:" if request["below"] else ""
            records = [
                each
                for each in named
                if first <= each["Name"] and (not last or each["Name"] <= last) and each["Name"].startswith(below)
            ]
            start = request["from"]
            size = min(self.page, request["size"])
            following = start + size if start + size < len(records) else None
            return {"records": records[start : start + size], "next": following}
        if "write" in request:
            known = self.remembered.get(request["set"])
            if known is None:
                self.written.append(request)
                self.changed[request["set"]] = self.clock()
                known = self.remembered[request["set"]] = request
            if known != request:
                return {"outcome": "unknown"}
            return {"outcome": "ok", "id": f"T-{known['set']}", "number": str(self.written.index(known) + 1)}
        if "find" in request:
            found = next((slip for slip in self.written if slip["key"] == request["find"]), None)
            return {"outcome": "ok", "id": f"T-{found['set']}"} if found else {"outcome": "empty"}
        if "standing" in request:
            since = datetime.fromisoformat(request["standing"])
            return {"ids": [f"T-{slip['set']}" for slip in self.written if self.changed[slip["set"]] >= since]}
        self.remembered.pop(request["forget"], None)
        return {"outcome": "ok"}


def record(number: str, name: str = "", **more: Any) -> dict[str, Any]:
    """A customer or item of the toy's books."""
    return {"Id": f"id-{number}-{name}", "Number": number, "Name": name or f"Name {number}", **more}


def records(numbers: Iterable[int]) -> list[dict[str, Any]]:
    """Plain records."""
    return [record(str(number)) for number in numbers]


@functools.cache
def _blank() -> bytes:
    """A database with tables and nothing in them, made once: migrating takes longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "routebooks.db"
        store = Store(f"sqlite:///{path}")
        store.migrate()
        store.close()
        return path.read_bytes()


def build(folder: Path, url: str = "") -> House:
    """The house on a fresh database: SQLite in the folder, or the empty one at the address."""
    if url:
        store = Store(url)
        store.migrate()
    else:
        (folder / "routebooks.db").write_bytes(_blank())
        store = Store(f"sqlite:///{folder / 'routebooks.db'}")
    clock, files, orders = HandClock(), ToyFiles(), ToyOrders()
    ctx = Context(
        store=store,
        artifacts=ArtifactStore(str(folder / "artifacts")),
        vault=Vault([KEY]),
        connectors={"toy_caller": ToyCaller(), "toy_files": files, "toy_orders": orders},
        public_url="http://localhost:1",
        now=clock,
        new_id=Counter(),
    )
    with store.begin() as tx:
        company_id = companies.add_company(tx, name="Harbor", cust_id="4711", time_zone="UTC", now=clock())
        given = {"toy_caller": {}, "toy_files": {"root": str(folder / "drop")}, "toy_orders": {}}
        added = {
            kind: connections.add(
                ctx, tx, company_id=company_id, name=kind, connector=kind, given=settings, actor="test"
            )
            for kind, settings in given.items()
        }
        books = added["toy_caller"]
        companies.change_caller(tx, books.id, file_id=MARK)
        house = House(ctx, clock, files, orders, folder / "drop", company_id, books.id)
        house.user_name, house.password = books.user_name or "", books.password or ""
        for name, target in (("customers", "list"), ("items", "list"), ("orders", "slips")):
            direction = "back" if name == "orders" else "out"
            ends = ("toy_orders", "toy_caller") if name == "orders" else ("toy_caller", "toy_files")
            template = flows.FlowTemplate(name, direction, name, target, name)
            flow_id = flow_store.add_flow(
                tx,
                company_id=company_id,
                name=name,
                direction=template.direction,
                source_id=added[ends[0]].id,
                target_id=added[ends[1]].id,
                stream=name,
                target=target,
                map_name=name,
                map_text=MAPS[name],
                enabled=True,
                incremental=False,
                settings={},
                late_after_minutes=60,
                expires_after_minutes=1440,
                created_at=clock(),
            )
            flows.check(ctx, tx, flow_store.flow(tx, flow_id))
            house.flows[name] = flow_id
    return house


def look_again(house: House) -> None:
    """The part of the tick that asks about unknown writes."""
    order_answers.look_again(house.ctx)


def bring_in(house: House, books: Books) -> None:
    """An order run from its start to its end, with a rightly answering caller."""
    house.run("orders")
    house.tick()
    house.visit(books)
    house.tick()


def open_codes(house: House) -> list[str]:
    """The codes in the rejected list."""
    with house.ctx.store.read() as tx:
        return [line.rejected.code for line in rejected.list_rejected(tx)]


def reread(house: House, **changed: Any) -> None:
    """The first order as it stands in its database from now on."""
    house.orders.orders[0] = replace(house.orders.orders[0], **changed)
