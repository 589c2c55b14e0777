"""The demo: a sandbox on loopback, a company connected to it, one night out and one round of orders back."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from routebooks import server
from routebooks.connectors.quickbooks_desktop.identity import OWNER_ID
from routebooks.connectors.quickbooks_desktop.qwc import qwc_file
from routebooks.engine import connections, flows, runs
from routebooks.engine.context import Context
from routebooks.engine.flows import TEMPLATES
from routebooks.errors import ConfigError, TransientError
from routebooks.sandbox.web_connector import WebConnector
from routebooks.sandbox.world import SandboxWorld
from routebooks.settings import Settings, load
from routebooks.store import companies
from routebooks.store import flows as flow_store
from routebooks.store import runs as run_store
from routebooks.store.runs import Phase, Run

COMPANY = "Harbor Beverage"
CUST_ID = "4711"
#: far more than a demo needs, far less than a person would wait
PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.1

Say = Callable[[str], None]


@dataclass
class Demo:
    """A running demo: the installation, its company, and the sandbox behind it."""

    settings: Settings
    ctx: Context
    world: SandboxWorld
    web_connector: WebConnector
    company_id: int
    flows: dict[str, int] = field(default_factory=dict)

    def night(self) -> None:
        """Codes, items, customers and invoices go out."""
        self._round(["codes", "items", "customers", "invoices"])

    def orders(self) -> None:
        """The reps' orders come back."""
        self._round(["orders"])

    def _round(self, names: list[str]) -> None:
        with self.ctx.store.begin() as tx:
            now = self.ctx.now()
            wanted = [flow_store.flow(tx, self.flows[name]) for name in names]
            made = runs.create(self.ctx, tx, wanted, "person", now)
        self._until(made, lambda run: not run.active or run.phase in (Phase.EXTRACT, Phase.POST))
        self.web_connector.update()
        self._until(made, lambda run: not run.active)

    def _until(self, made: list[int], reached: Callable[[Run], bool]) -> None:
        pause = threading.Event()
        for _ in range(int(PATIENCE_SECONDS / _LOOK_SECONDS)):
            with self.ctx.store.read() as tx:
                if all(reached(run_store.run(tx, run_id)) for run_id in made):
                    return
            pause.wait(_LOOK_SECONDS)
        raise TransientError(
            "The demo took too long.",
            hint="Try it with a folder, `routebooks --home FOLDER demo`; then `routebooks --home FOLDER run list` "
            "tells what it waits for.",
            code="demo-too-slow",
        )


def place(stack: ExitStack, given: str | None, say: Say, *, keep: bool) -> Path:
    """The folder of a demo; unless it is given or to be kept, the stack removes it. Raises ConfigError."""
    if given is not None:
        home = Path(given).expanduser().absolute()
        if home.is_dir() and any(home.iterdir()):
            raise ConfigError(
                f"The folder {home} is not empty.",
                hint="Give the demo a folder of its own with --home, or none.",
                code="demo-folder-full",
            )
    else:
        home = Path(tempfile.mkdtemp(prefix="routebooks-demo-"))
    stack.callback(*((say, f"The demo is kept in {home}.") if keep or given is not None else (_remove, home, say)))
    return home


def _remove(home: Path, say: Say) -> None:
    shutil.rmtree(home, ignore_errors=True)
    if home.exists():
        say(f"The folder {home} could not be removed whole.")
    else:
        say(f"The folder {home} is removed. `demo --keep`, or `--home FOLDER` before `demo`, keeps it.")


def start(stack: ExitStack, home: Path, make_context: Callable[[Settings], Context], say: Say) -> Demo:
    """Start everything in a fresh folder; the stack stops it again. Raises ConfigError when no port can be had."""
    say(f"Starting the sandbox in {home}")
    world = SandboxWorld(home / "sandbox", company_name=f"{COMPANY} Company")
    stack.callback(world.stop)
    world.start()
    sock = server.listen("127.0.0.1", 0)
    port = sock.getsockname()[1]
    settings = load(home=home, public_url=f"http://localhost:{port}", port=port, database_url="", artifacts_url="")
    ctx = make_context(settings)
    stack.callback(ctx.store.close)
    _serve(stack, ctx, settings, sock)
    say(f"Routebooks listens on http://localhost:{port}")
    return _connect(settings, ctx, world, say)


def _serve(stack: ExitStack, ctx: Context, settings: Settings, sock: Any) -> None:
    """A server in a thread, until the stack stops it. Raises what keeps it from beginning."""
    running: list[uvicorn.Server] = []
    failed: list[Exception] = []
    decided = threading.Event()

    def note(started: uvicorn.Server) -> None:
        running.append(started)
        decided.set()

    def go() -> None:
        try:
            server.serve(ctx, settings, sock, note)
        except Exception as error:  # it belongs to the thread that asked for the server
            failed.append(error)
        finally:
            decided.set()

    thread = threading.Thread(target=go, name="demo server")
    thread.start()

    def stop() -> None:
        decided.wait()
        for started in running:
            started.should_exit = True
        thread.join()

    stack.callback(stop)
    decided.wait()
    if failed:
        raise failed[0]


def _connect(settings: Settings, ctx: Context, world: SandboxWorld, say: Say) -> Demo:
    host, port = world.ftp.address
    given = {
        "quickbooks": ("quickbooks_desktop", {"plain_unit": "case"}),
        "files": (
            "pocketadvantage",
            {"drop": "ftp", "host": host, "port": str(port), "user": world.ftp.user, "password": world.ftp.password},
        ),
        "orders": ("pocketadvantage_orders", {"url": world.orders_url}),
    }
    say(f"Connecting {COMPANY}")
    with ctx.store.begin() as tx:
        company_id = companies.add_company(
            tx, name=COMPANY, cust_id=CUST_ID, time_zone="America/New_York", now=ctx.now()
        )
        added = {
            name: connections.add(ctx, tx, company_id=company_id, name=name, connector=kind, given=values, actor="demo")
            for name, (kind, values) in given.items()
        }
        made = {}
        for template in TEMPLATES:
            source, target = template.roles
            made[template.name] = flows.add(
                tx, company_id=company_id, template=template, source=source, target=target, now=ctx.now()
            )
        caller = companies.caller(tx, added["quickbooks"].id)
    if caller is None:
        raise TransientError("The demo's connection has no log-in.")
    qwc = qwc_file(
        connection_name=COMPANY,
        url=f"{settings.public_url}/webconnector",
        support_url=f"{settings.public_url}/webconnector/support",
        user_name=caller.user_name,
        owner_id=OWNER_ID,
        file_id=caller.file_id,
        app_name="Routebooks demo",
        unique_name=f"Routebooks {COMPANY}",
        run_every_minutes=None,
    )
    connector = world.connector(qwc, added["quickbooks"].password or "")
    return Demo(settings, ctx, world, connector, company_id, made)
