"""A company with its books in the sandbox and a folder for its files, and the nights of it.

The way is the real one: the simulated Web Connector calls over HTTP. The clock goes when it is told to.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI

from house import KEY, HandClock
from house import Counter as Ids
from routebooks.connectors.quickbooks_desktop.identity import OWNER_ID
from routebooks.connectors.registry import CONNECTORS
from routebooks.engine import connections, flow_settings, flows, runs, work
from routebooks.engine.context import Context
from routebooks.sandbox.company import SandboxCompany
from routebooks.sandbox.web_connector import Result, WebConnector
from routebooks.store import companies, rejected
from routebooks.store import flows as flow_store
from routebooks.store import runs as run_store
from routebooks.store.artifacts import ArtifactStore
from routebooks.store.database import Store
from routebooks.store.runs import Run, State
from routebooks.store.secrets import Vault
from routebooks.webconnector.desk import Desk
from routebooks.webconnector.http import PATH, with_web_connector
from routebooks.webconnector.operations import Operations
from routebooks.webconnector.service import WebConnectorService
from support import serve

CUST_ID, NAME, ZONE = "4711", "Café & Sons", "America/New_York"
FILES = {"codes": "detail.fil", "items": "item.fil", "customers": "customer.fil", "invoices": "invoice.fil"}

Row = tuple[str, ...]


class _Present:
    """What the server answers with: the service of the company that is at work."""

    service: WebConnectorService

    def __getattr__(self, name: str) -> Any:
        return getattr(self.service, name)


@dataclass(frozen=True)
class NightServer:
    """One server and one empty database for many companies: making them takes longer than a night."""

    address: str
    database: Path
    present: _Present


@contextmanager
def night_server(folder: Path) -> Iterator[NightServer]:
    """The server, as long as it is needed."""
    database, present = folder / "empty.db", _Present()
    store = Store(f"sqlite:///{database}")
    store.migrate()
    store.close()
    app = with_web_connector(FastAPI(), Desk(cast(Operations, present)), public_url="http://localhost:1")
    with serve(app) as address:
        yield NightServer(f"{address}{PATH}", database, present)


class Nights:
    """The company: `quickbooks` and `files` are more settings of its two connections."""

    def __init__(
        self,
        server: NightServer,
        root: Path,
        quickbooks: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> None:
        self.clock = HandClock()
        self.drop = root / "drop"
        self.drop.mkdir()
        self.books = SandboxCompany(root / "company.db", clock=self.clock, zone=ZONE)
        shutil.copy(server.database, root / "routebooks.db")
        self.ctx = Context(
            store=Store(f"sqlite:///{root / 'routebooks.db'}"),
            artifacts=ArtifactStore(str(root / "artifacts")),
            vault=Vault([KEY]),
            connectors=CONNECTORS,
            public_url="http://localhost:1",
            now=self.clock,
            new_id=Ids(),
        )
        server.present.service = WebConnectorService(self.ctx)
        self.encoding = (files or {}).get("encoding", "cp1252")
        self._set_up(
            server.address,
            {
                "quickbooks": ("quickbooks_desktop", {"page_size": "10", **(quickbooks or {})}),
                "files": ("pocketadvantage", {"drop": "local", "root": str(self.drop), **(files or {})}),
            },
        )

    def _set_up(self, address: str, settings: Mapping[str, tuple[str, dict[str, str]]]) -> None:
        with self.ctx.store.begin() as tx:
            now = self.clock()
            self.company_id = companies.add_company(tx, name=NAME, cust_id=CUST_ID, time_zone=ZONE, now=now)
            added = {
                name: connections.add(
                    self.ctx, tx, company_id=self.company_id, name=name, connector=kind, given=given, actor="test"
                )
                for name, (kind, given) in settings.items()
            }
            self.source_id = added["quickbooks"].id
            self.flows = {
                template.name: flows.add(
                    tx,
                    company_id=self.company_id,
                    template=template,
                    source="quickbooks",
                    target="files",
                    now=now,
                )
                for template in flows.TEMPLATES
                if template.name in FILES
            }
            for flow in (flow_store.flow(tx, flow_id) for flow_id in self.flows.values()):
                # A company that lost half of its customers is held for a person, which is not what is tried here.
                if not flow.incremental:
                    flow_settings.change_settings(tx, flow, {"guard_percent": "0"}, ZONE)
            caller = companies.caller(tx, self.source_id)
        assert caller is not None
        self.books.set_mark(OWNER_ID, caller.file_id)
        self._connector = WebConnector(address, caller.user_name, added["quickbooks"].password or "", self.books)

    def night(self, *names: str, hours: int = 24) -> dict[str, Run]:
        """So many hours later flows run, from QuickBooks to their files, all unless some are named; their runs."""
        self.clock.on(hours=hours)
        names = names or tuple(self.flows)
        with self.ctx.store.begin() as tx:
            wanted = [flow_store.flow(tx, self.flows[name]) for name in names]
            made = runs.create(self.ctx, tx, wanted, "person", self.clock())
        self._tick()
        update = self._connector.update()
        assert (update.result, update.last_error) == (Result.DONE, "")
        self._tick()
        with self.ctx.store.read() as tx:
            found = {name: run_store.run(tx, run_id) for name, run_id in zip(names, made, strict=True)}
        ended = {name: (run.state, run.problem) for name, run in found.items()}
        assert ended == dict.fromkeys(found, (State.DONE, None))
        return found

    def _tick(self) -> None:
        while runs.tick(self.ctx, lambda run: work.run_now(self.ctx, run)):
            pass

    def file(self, name: str) -> bytes | None:
        """The bytes of a flow's file, where there is one."""
        path = self.drop / f"latest{CUST_ID}" / FILES[name]
        return path.read_bytes() if path.exists() else None

    def rows(self, name: str) -> Counter[Row]:
        """The rows of a flow's file."""
        lines = (self.file(name) or b"").decode(self.encoding).split("\r\n")
        assert lines.pop() == ""
        return Counter(tuple(line.split("\t")) for line in lines)

    def rejected(self, name: str, stream: str) -> Counter[tuple[str, str]]:
        """Key and reason of what stands in a flow's rejected list."""
        with self.ctx.store.read() as tx:
            return Counter((row.key, row.code) for row in rejected.open_of_flow(tx, self.flows[name], stream))

    def close(self) -> None:
        """Close the two databases."""
        self.ctx.store.close()
        self.books.close()
