"""The server: the Web Connector's address, the tick and the durable work, in one process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import structlog
import uvicorn
from fastapi import FastAPI

from routebooks.engine import exchange, ledger, runs, work
from routebooks.engine.context import Context
from routebooks.engine.durable import Durable
from routebooks.errors import ConfigError
from routebooks.store.runs import Run
from routebooks.webconnector.http import router
from routebooks.webconnector.service import WebConnectorService

TICK_SECONDS = 1.0

log = structlog.get_logger()


def web(ctx: Context) -> FastAPI:
    """The pages and addresses of the server."""
    app = FastAPI(title="Routebooks", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(router(WebConnectorService(ctx), public_url=ctx.public_url))
    return app


class Heart:
    """The one tick of the installation, in a thread of its own."""

    def __init__(self, ctx: Context, durable: Durable, *, seconds: float = TICK_SECONDS) -> None:
        self._ctx, self._durable, self._seconds = ctx, durable, seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="tick", daemon=True)

    def start(self) -> None:
        """Begin to tick."""
        self._thread.start()

    def stop(self) -> None:
        """Let the tick that is under way end, then stop."""
        self._stop.set()
        self._thread.join(30)

    def _beat(self) -> None:
        while not self._stop.is_set():
            try:
                exchange.end_silent(self._ctx)
                ledger.look_again(self._ctx)
                runs.tick(self._ctx, self._start)
            except Exception:
                # One bad tick must not stop the clock of every company.
                log.exception("tick failed")
            self._stop.wait(self._seconds)

    def _start(self, run: Run) -> None:
        self._durable.start(run.workflow_id, run.id, run.phase)


def listen(host: str, port: int) -> socket.socket:
    """A bound socket. Raises ConfigError when the port is taken."""
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise ConfigError(
            f"Port {port} on {host} cannot be used.",
            hint="Another Routebooks may run here already; else set ROUTEBOOKS_PORT to a free port.",
            code="port-taken",
            detail=str(error),
        ) from error


def serve(ctx: Context, durable_url: str, sock: socket.socket, ready: Callable[[uvicorn.Server], None]) -> None:
    """Run until told to stop (Ctrl-C, or should_exit of the server that `ready` is handed before it begins)."""
    durable = Durable(durable_url, lambda run_id, phase: work.steps(ctx, run_id, phase))
    heart = Heart(ctx, durable)
    config = uvicorn.Config(web(ctx), log_level="warning", access_log=False, timeout_graceful_shutdown=10)
    server = uvicorn.Server(config)
    durable.launch()
    heart.start()
    try:
        ready(server)
        server.run(sockets=[sock])
    finally:
        heart.stop()
        durable.stop()
        sock.close()
