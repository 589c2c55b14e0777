"""The server: the Web Connector's address, the tick and the durable work, in one process."""

from __future__ import annotations

import errno
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path

import structlog
import uvicorn
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from routebooks.engine import alerts, notify, order_answers, runs, sessions, work, workers
from routebooks.engine.context import Context
from routebooks.engine.durable import Durable
from routebooks.engine.workers import Worker
from routebooks.errors import ConfigError
from routebooks.settings import FILE_NAME, Settings
from routebooks.store.runs import Run
from routebooks.webconnector.desk import Desk
from routebooks.webconnector.http import page, with_web_connector
from routebooks.webconnector.service import WebConnectorService

log = structlog.get_logger()

LOCK = "serve.lock"
#: so many ticks in turn may start no work, because connectors stand in line
MOST_HELD = 20
#: how often it is looked for what to tell people
ALERTS_SECONDS = 60


def web(ctx: Context, desk: Desk) -> ASGIApp:
    """The pages and addresses of the server."""
    app = FastAPI(title="Routebooks", docs_url=None, redoc_url=None, openapi_url=None)

    @app.api_route("/", methods=["GET", "HEAD"])
    async def begin() -> Response:
        return page("Routebooks", "It runs. Its commands show and change everything: `routebooks status` is the first.")

    @app.exception_handler(HTTPException)
    async def nothing_here(_: Request, error: HTTPException) -> Response:
        answer = page("Routebooks", "There is nothing at this address.", error.status_code)
        answer.headers.update(error.headers or {})
        return answer

    return with_web_connector(app, desk, public_url=ctx.public_url)


class Beat:
    """Work that is done again and again, in a thread of its own. One part that fails keeps no other from its turn."""

    def __init__(
        self, name: str, seconds: float, *parts: Callable[[], object], due: threading.Event | None = None
    ) -> None:
        """`due` is set by whoever wants the next turn before its time."""
        self._parts, self._seconds, self._due = parts, seconds, due or threading.Event()
        self._stops = False
        self._thread = threading.Thread(target=self._go, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Let what is under way end, then stop."""
        self._stops = True
        self._due.set()
        self._thread.join(30)

    def _go(self) -> None:
        while True:
            # Before the turn: what comes to be due in the middle of it is another one's.
            self._due.clear()
            if self._stops:
                return
            for part in self._parts:
                try:
                    part()
                except Exception:
                    # One bad turn must not stop the clock of every company.
                    log.exception("tick failed")
            self._due.wait(self._seconds)


def tick(ctx: Context, durable: Durable, seconds: float, desk: Desk, due: threading.Event) -> Beat:
    """The one tick of the installation; `due` lets the next turn begin at once."""

    def start(run: Run) -> None:
        durable.start(run.workflow_id, run.id, run.phase)

    held = 0

    def go_on() -> None:
        # A file can wait a little longer than a connector that stands in line; not for ever.
        nonlocal held
        held = held + 1 if desk.is_crowded and held < MOST_HELD else 0
        runs.tick(ctx, start, 0 if held else runs.MAX_RUNNING)

    return Beat(
        "tick",
        seconds,
        lambda: sessions.end_silent(ctx),
        lambda: order_answers.look_again(ctx),
        lambda: runs.bring_back(ctx, durable.ended),
        go_on,
        due=due,
    )


def watch(ctx: Context, worker: Worker) -> Beat:
    """Looks for what to tell people. Apart from the tick, for a mail server may take its time."""

    def look() -> None:
        if worker.speaks():
            alerts.look(ctx, notify.send)

    return Beat("alerts", ALERTS_SECONDS, look)


def heart(worker: Worker, end: Callable[[], None]) -> Beat:
    """Says again and again that this server lives; `end` ends it when another one took over its work."""

    def beat() -> None:
        if not worker.seen():
            log.error("server replaced", worker=worker.id)
            end()

    return Beat("heart", worker.good_for.total_seconds() / workers.BEATS, beat)


def relief(worker: Worker, durable: Durable) -> Beat:
    """Looks for work that its server cannot do any more. Apart from the heart, for it may have to wait."""
    return Beat(
        "relief",
        worker.good_for.total_seconds() / workers.BEATS,
        lambda: worker.take_over(durable.at_work, durable.resume),
    )


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Holds the installation for one server; a killed one lets go by itself. Raises ConfigError when another runs."""
    # A lock of SQLite, for it is the same on every system and dies with its process.
    held = sqlite3.connect(home / LOCK, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        held.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        held.close()
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise ConfigError(
                f"The file {home / LOCK} cannot be used.",
                hint="See that you may write there. When no server runs, it may be deleted.",
                code="lock-unusable",
                detail=str(error),
            ) from error
        raise ConfigError(
            "A Routebooks server runs on this folder already.",
            hint="Stop it first, or give this one another folder with --home.",
            code="server-runs",
        ) from error
    try:
        yield
    finally:
        held.close()


def listen(host: str, port: int) -> socket.socket:
    """A bound socket. Raises ConfigError: port-taken, port-forbidden, host-wrong."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, UnicodeError) as error:
        raise _no_socket(host, port, error) from error


def address(sock: socket.socket) -> str:
    """Where a server on this socket is found."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _no_socket(host: str, port: int, error: OSError | UnicodeError) -> ConfigError:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return ConfigError(
            f"Port {port} on {host} is taken.",
            hint="Another Routebooks may run here already. Else take a free port: write `port = 8500` into "
            f"{FILE_NAME} in the home folder, for then every command knows it; "
            "ROUTEBOOKS_PORT counts only where it is set.",
            code="port-taken",
            detail=str(error),
        )
    if number == errno.EACCES:
        return ConfigError(
            f"Port {port} on {host} may not be used by the user that you are.",
            hint=f"Write a port above 1023 into {FILE_NAME} in the home folder, such as `port = 8500`.",
            code="port-forbidden",
            detail=str(error),
        )
    return ConfigError(
        f"{host!r} is no address of this machine.",
        hint="Set ROUTEBOOKS_HOST to 127.0.0.1 (reached from this machine only) or to 0.0.0.0 (from all others too).",
        code="host-wrong",
        detail=str(error),
    )


def serve(
    ctx: Context,
    settings: Settings,
    sock: socket.socket,
    ready: Callable[[uvicorn.Server], None],
    ending: Callable[[], object] = lambda: None,
) -> None:
    """Run until told to stop (Ctrl-C, or should_exit of the server that `ready` is handed before it begins).

    `ending` is called as soon as it begins to end, which takes as long as its work.
    Raises ConfigError when another server runs on the same folder, the artifacts have no place, or this server does not
    share with the others what it must; TransientError when another one took over its work.
    """
    desk = Desk(WebConnectorService(ctx))
    server = uvicorn.Server(
        uvicorn.Config(web(ctx, desk), log_config=None, access_log=False, timeout_graceful_shutdown=10)
    )
    replaced = threading.Event()

    def end() -> None:
        replaced.set()
        server.should_exit = True

    def begin(beat: Beat) -> None:
        beat.start()
        stack.callback(beat.stop)

    silence = timedelta(seconds=settings.silence_seconds)
    with closing(sock), alone(settings.home), ExitStack() as stack:
        ctx.artifacts.check()
        ctx.artifacts.sweep(ctx.now())
        here = socket.gethostname(), str(settings.home), address(sock)
        worker = stack.enter_context(workers.joined(ctx, *here, silence))
        begin(heart(worker, end))
        # Before what it is stopped after: a mail server that takes its time must not take that of the work.
        begin(watch(ctx, worker))
        # What ends may be what others wait for: the next file of the night, the next of those that want to begin.
        due = threading.Event()
        durable = Durable(
            settings.durable_url, lambda run_id, phase: work.steps(ctx, run_id, phase), worker.id, due.set
        )
        stack.callback(durable.stop)
        durable.launch()
        if ctx.store.shared:
            begin(relief(worker, durable))
        begin(tick(ctx, durable, settings.tick_seconds, desk, due))
        stack.callback(ending)
        ready(server)
        server.run(sockets=[sock])
        if replaced.is_set():
            raise workers.replaced()
