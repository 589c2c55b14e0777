"""A server in a thread of the test's own process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import uvicorn

from installation import Installation, Make, install
from nights import NightServer, night_server
from routebooks import server
from routebooks.clock import Clock, now
from routebooks.sandbox.company import SandboxCompany
from routebooks.sandbox.seed import seed
from routebooks.sandbox.world import SandboxWorld
from routebooks.settings import load


@pytest.fixture(scope="session")
def nights_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NightServer]:
    """The server of companies whose clock goes when it is told to."""
    with night_server(tmp_path_factory.mktemp("nights")) as server:
        yield server


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Make]:
    """Makes an installation with a server that runs; `fill` fills the sandbox's company, of an edition and a clock."""
    with ExitStack() as stack:

        def make(
            fill: Callable[[SandboxCompany], object] = seed,
            database_url: str = "",
            clock: Clock = now,
            edition: str = "Enterprise",
            **more: dict[str, str],
        ) -> Installation:
            world = SandboxWorld(tmp_path / "sandbox", clock=clock, fill=fill, edition=edition)
            stack.callback(world.stop)
            world.start()
            sock = server.listen("127.0.0.1", 0)
            port = sock.getsockname()[1]
            settings = load(
                home=tmp_path / "home",
                public_url=f"http://localhost:{port}",
                port=port,
                tick_seconds=0.05,
                database_url=database_url,
            )
            made = install(settings, world, **more)
            stack.callback(made.ctx.store.close)
            begun, ready = [], threading.Event()

            def note(started: uvicorn.Server) -> None:
                begun.append(started)
                ready.set()

            thread = threading.Thread(target=server.serve, args=(made.ctx, settings, sock, note))
            thread.start()

            def stop() -> None:
                assert ready.wait(30)
                begun[0].should_exit = True
                thread.join()

            stack.callback(stop)
            return made

        yield make
