"""A whole installation with its sandbox, set up as a user would have it, for the tests that go all the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from typer.testing import Result

from cli_program import call
from routebooks.app import context
from routebooks.connectors.quickbooks_desktop.identity import OWNER_ID
from routebooks.connectors.quickbooks_desktop.qwc import qwc_file
from routebooks.engine import connections, flows, runs
from routebooks.engine.context import Context
from routebooks.engine.flows import TEMPLATES
from routebooks.sandbox.web_connector import WebConnector
from routebooks.sandbox.world import SandboxWorld
from routebooks.settings import Settings
from routebooks.store import companies
from routebooks.store import flows as flow_store
from routebooks.store import ledger as ledger_store
from routebooks.store import runs as run_store
from routebooks.store.ledger import Order, OrderState
from routebooks.store.runs import Phase, Run

PATIENCE = 60.0


@dataclass
class Installation:
    """One company between the sandbox's systems. The server is somebody else's: a thread or a process."""

    settings: Settings
    ctx: Context
    world: SandboxWorld
    qwc: bytes
    password: str
    flows: dict[str, int] = field(default_factory=dict)

    def connector(self, on_turn: Callable[[str], None] | None = None) -> WebConnector:
        """The Web Connector of the sandbox's company."""
        return self.world.connector(self.qwc, self.password, on_turn=on_turn)

    def command(self, *args: str, code: int = 0) -> Result:
        """A command of the program, as if typed on this computer while the server runs."""
        return call(context(self.settings), *args, code=code)

    def ask(self, *names: str) -> list[int]:
        """Ask for runs of flows, as `flow run` does."""
        with self.ctx.store.begin() as tx:
            wanted = [flow_store.flow(tx, self.flows[name]) for name in names]
            return runs.create(self.ctx, tx, wanted, "person", self.ctx.now())

    def run(self, run_id: int) -> Run:
        """The run as it stands."""
        with self.ctx.store.read() as tx:
            return run_store.run(tx, run_id)

    def until(self, run_ids: list[int], reached: Callable[[Run], bool]) -> None:
        """Wait, looking, until all runs have come so far."""
        end = time.monotonic() + PATIENCE
        while not all(reached(self.run(run_id)) for run_id in run_ids):
            states = [(run.id, run.phase, run.state, run.problem) for run in map(self.run, run_ids)]
            assert time.monotonic() < end, f"nothing moves: {states}"
            time.sleep(0.02)

    def until_called_for(self, run_ids: list[int]) -> None:
        """Wait until the runs wait for the Web Connector (or have ended)."""
        self.until(run_ids, lambda run: not run.active or run.phase in (Phase.EXTRACT, Phase.POST))

    def until_ended(self, run_ids: list[int]) -> None:
        """Wait until the runs have ended."""
        self.until(run_ids, lambda run: not run.active)

    def order(self, key: str) -> Order | None:
        """The order in the ledger."""
        with self.ctx.store.read() as tx:
            return ledger_store.order_keyed(tx, self.flows["orders"], key)

    def file(self, name: str) -> bytes:
        """A file in the company's folder on the FTP server."""
        return (self.world.ftp_root / "latest4711" / name).read_bytes()


Make = Callable[..., Installation]


def install(settings: Settings, world: SandboxWorld, **more: dict[str, str]) -> Installation:
    """A company with its three connections and flows; `more` gives settings of a connection by its name."""
    ctx = context(settings)
    host, port = world.ftp.address
    files = {"drop": "ftp", "host": host, "port": str(port), "user": world.ftp.user, "password": world.ftp.password}
    given = {
        "quickbooks": ("quickbooks_desktop", more.get("quickbooks", {})),
        "files": ("pocketadvantage", {**files, **more.get("files", {})}),
        "orders": ("pocketadvantage_orders", {"url": world.orders_url, **more.get("orders", {})}),
    }
    with ctx.store.begin() as tx:
        company_id = companies.add_company(tx, name="Harbor", cust_id="4711", time_zone="UTC", now=ctx.now())
        added = {
            name: connections.add(ctx, tx, company_id=company_id, name=name, connector=kind, given=values, actor="test")
            for name, (kind, values) in given.items()
        }
        made = {
            template.name: flows.add(
                tx,
                company_id=company_id,
                template=template,
                source=template.roles[0],
                target=template.roles[1],
                now=ctx.now(),
            )
            for template in TEMPLATES
        }
        caller = companies.caller(tx, added["quickbooks"].id)
    assert caller is not None
    address = f"http://localhost:{settings.port}/webconnector"
    qwc = qwc_file(
        connection_name="Harbor",
        url=address,
        support_url=f"{address}/support",
        user_name=caller.user_name,
        owner_id=OWNER_ID,
        file_id=caller.file_id,
        app_name="Routebooks",
        unique_name="Routebooks Harbor",
        run_every_minutes=None,
    )
    return Installation(settings, ctx, world, qwc, added["quickbooks"].password or "", made)


def files_are_right(installation: Installation, *more: str) -> None:
    """Every good customer and item stands in its file once, and nothing else lies in the folder."""
    folder = installation.world.ftp_root / "latest4711"
    assert sorted(path.name for path in folder.iterdir()) == sorted(["customer.fil", "item.fil", *more])
    keys = [line.split(b"\t")[1] for line in installation.file("customer.fil").splitlines()]
    accounts = [customer.get("AccountNumber", "").encode() for customer in installation.world.company.customers()]
    good = [account for account in accounts if account and accounts.count(account) == 1]
    assert sorted(keys) == sorted(good)
    assert installation.file("item.fil").count(b"\r\n") == 182


def orders_stand_once(installation: Installation) -> None:
    """Every order that QuickBooks took stands in it once, and the orders database knows."""
    posted = [order["Other"] for order in installation.world.company.sales_orders()]
    assert len(posted) == len(set(posted))
    assert len(posted) >= 9
    for key in posted:
        order = installation.order(key)
        assert order is not None
        assert (order.state, order.told) == (OrderState.POSTED, "posted")
