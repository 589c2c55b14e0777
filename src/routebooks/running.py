"""The commands that keep running or bring a world of their own: serve, sandbox, demo."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from rich.console import Console

from routebooks import demo as demo_world
from routebooks import demo_report, server
from routebooks.cli import given, log_to_stderr
from routebooks.cli.output import output, say
from routebooks.cli.params import Json, examples
from routebooks.cli.problems import FAILED
from routebooks.cli.state import MakeContext, state_of
from routebooks.cli.words import quoted
from routebooks.errors import ConfigError
from routebooks.sandbox.web_connector import Result
from routebooks.sandbox.world import SandboxWorld, is_sandbox
from routebooks.store import companies

Folder = Annotated[Path, typer.Argument(help="Folder that keeps the sandbox; made when it is missing.")]
SandboxFolder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of a sandbox that was started before.")]

#: so long a server may take to end; work is given 20 seconds of it
ENDING_SECONDS = 25
#: so long after it has ended, whatever goes on in its process is cut off
LAST_SECONDS = 2

#: what the Web Connector's word for an end without work means, where the service says nothing of its own
_MEANING = {
    Result.NOT_VALID: "The log-in was refused: the password is wrong, the user name in the .qwc file is not known, or "
    "after too many wrong passwords the right one has to wait. `routebooks connection test` tells which; "
    "`routebooks connection password` makes a new password.",
    Result.BUSY: "Another Web Connector is at work for this connection. Let it end, then try again.",
}


def add_to(app: typer.Typer, make_context: MakeContext) -> None:
    """Mount the commands."""
    app.command(
        "serve",
        help="Run the server. It answers the Web Connector, keeps the schedule and does the work. Ctrl-C stops it.",
        short_help="Run the server.",
        epilog=examples("serve", "--home /srv/routebooks serve"),
    )(_serve)
    sandbox = typer.Typer(
        help="A simulated QuickBooks, Web Connector, FTP server and orders database, to try with.",
        short_help="A simulated world to try with.",
    )
    sandbox.command(
        "start",
        help="Open the sandbox's FTP server and orders database, and say how to connect to them. Ctrl-C stops it. "
        "Every folder is a QuickBooks company of its own, named after it.",
        epilog=examples("sandbox start /tmp/sandbox", "sandbox start /tmp/sandbox --ftp-port 2121"),
    )(_sandbox_start)
    sandbox.command(
        "update",
        help="Let the sandbox's Web Connector call once, as Update Selected does, with a .qwc file.",
        epilog=examples("sandbox update /tmp/sandbox harbor.qwc --password-stdin < password.txt"),
    )(_sandbox_update)
    app.add_typer(sandbox, name="sandbox")

    def demo(
        ctx: typer.Context,
        as_json: Json = False,
        keep: Annotated[
            bool, typer.Option("--keep", help="Leave it running, print its addresses, and keep its folder.")
        ] = False,
    ) -> None:
        _demo(make_context, state_of(ctx).home, as_json, keep)

    app.command(
        "demo",
        help="Show the whole of it: a sandbox, one night of files out, one round of orders back. Its data holds some "
        "bad records on purpose; they do not make it fail. Its folder is removed at the end, unless --home gave one.",
        short_help="Show the whole of it in a sandbox.",
        epilog=examples("demo", "demo --keep", "--home /tmp/demo demo --json"),
    )(demo)


def _stop_on_terminate() -> None:
    # The server hands a SIGTERM on after it has stopped; as an exit it lets running work come to its end, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


def _end_within(seconds: float) -> None:
    """End the process hard when it does not end by itself: what waits for a database that is away may wait for ever.

    The next start does such work again.
    """
    timer = threading.Timer(seconds, os._exit, (FAILED,))
    timer.daemon = True
    timer.start()


def _collect_less() -> None:
    # What is loaded by now stays to the end; looking through it again and again takes a twentieth of the calls' time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _serve(ctx: typer.Context, as_json: Json = False) -> None:
    state = state_of(ctx)
    settings, context = state.settings, state.begin()
    _stop_on_terminate()
    log_to_stderr(logging.INFO)
    sock = server.listen(settings.host, settings.port)
    address = server.address(sock)
    with context.store.read() as tx:
        known = len(companies.all_companies(tx))
    facts = {
        "address": address,
        "public_url": settings.public_url,
        "home": str(settings.home),
        "companies": known,
    }
    lines = [
        f"Routebooks listens on {address}, its folder is {settings.home}.",
        f"The Web Connector reaches it as {settings.public_url} (setting public_url). Ctrl-C stops it.",
    ]
    if not known:
        lines.append("It has no company yet: `routebooks company add`. If it should, see that --home is right.")

    over = threading.Event()

    def begun(_: uvicorn.Server) -> None:
        _collect_less()
        output(facts, as_json, *lines)
        sys.stdout.flush()

    def ending() -> None:
        over.set()
        _end_within(ENDING_SECONDS)

    try:
        server.serve(context, settings, sock, begun, ending)
    finally:
        # What is frozen is never given back, and libraries of C++ complain of that at the end.
        gc.unfreeze()
        if over.is_set():
            _end_within(LAST_SECONDS)


def _sandbox_start(
    folder: Folder,
    ftp_port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="Port of the FTP server; 0 takes a free one. Else that of the last start, if it is free.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    world = SandboxWorld(folder.absolute(), ftp_port=ftp_port)
    world.start()
    try:
        host, port = world.ftp.address
        facts = {
            "ftp": {"host": host, "port": port, "user": world.ftp.user, "password": world.ftp.password},
            "files": str(world.ftp_root),
            "orders_url": world.orders_url,
            "company": world.company.company_name,
            "company_file": world.company.file_path,
        }
        here = quoted(str(folder))
        lines = (
            f"{world.company.company_name} is open in QuickBooks ({world.company.file_path}).",
            "Connect a company to it (put its name for COMPANY):",
            "  routebooks connection add COMPANY quickbooks quickbooks_desktop",
            f"  routebooks connection add COMPANY files pocketadvantage drop=ftp host={host} port={port} "
            f"user={world.ftp.user} password={world.ftp.password}",
            f"  routebooks connection add COMPANY orders pocketadvantage_orders url={quoted(world.orders_url)}",
            "  routebooks connection qwc COMPANY quickbooks --out company.qwc",
            f"  routebooks sandbox update {here} company.qwc --password-stdin",
        )
        output(facts, as_json, *lines)
        sys.stdout.flush()
        if world.last_port not in (0, port):
            say(f"The FTP server had port {world.last_port} before. Where files go there, change it:")
            say(f"  routebooks connection set COMPANY files port={port}")
        say("The sandbox is open. Ctrl-C stops it.")
        threading.Event().wait()
    finally:
        world.stop()


def _sandbox_update(
    folder: SandboxFolder,
    qwc: Annotated[Path, typer.Argument(help="The .qwc file of the connection.", exists=True, dir_okay=False)],
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from input.")] = False,
    as_json: Json = False,
) -> None:
    if not is_sandbox(folder):
        raise ConfigError(
            f"There is no sandbox in {folder}.",
            hint="Name the folder that `routebooks sandbox start` was given; only that command makes one.",
            code="sandbox-missing",
        )
    password = sys.stdin.readline().strip() if password_stdin else _asked_password()
    world = SandboxWorld(folder.absolute())
    try:
        update = world.connector(qwc.read_bytes(), password, on_turn=lambda kind: say(f"  {kind}")).update()
    finally:
        world.company.close()
    facts = {"result": update.result, "turns": update.turns, "message": update.message, "error": update.last_error}
    said = _MEANING.get(update.result) or update.message or update.last_error or "nothing to do"
    output(facts, as_json, f"{update.result}: {said}")
    if update.result in ("error", "not_valid"):
        raise typer.Exit(1)


def _asked_password() -> str:
    if not given.at_terminal():
        raise ConfigError(
            "The Web Connector's password is missing.",
            hint="Give it on standard input, with --password-stdin.",
            code="password-missing",
        )
    return str(typer.prompt("Password", hide_input=True, err=True))


def _demo(make_context: MakeContext, home: str | None, as_json: bool, keep: bool) -> None:
    console = Console(stderr=True)
    with ExitStack() as stack, console.status("Starting") as status:

        def progress(text: str) -> None:
            status.update(text)
            console.print(text, highlight=False)

        folder = demo_world.place(stack, home, say, keep=keep)
        running = demo_world.start(stack, folder, make_context, progress)
        progress("Codes, items, customers and invoices go out")
        running.night()
        progress("Orders come back")
        running.orders()
        status.stop()
        report = demo_report.collect(running, kept=keep or home is not None)
        output(report, as_json, *demo_report.shown(report))
        sys.stdout.flush()
        if keep:
            _keep(running)


def _keep(running: demo_world.Demo) -> None:
    host, port = running.world.ftp.address
    say(f"Routebooks   {running.settings.public_url}/webconnector")
    say(f"FTP          ftp://{running.world.ftp.user}:{running.world.ftp.password}@{host}:{port}")
    say(f"Orders       {running.world.orders_url}")
    say("The Web Connector calls every 15 seconds. Ctrl-C stops all of it.")
    stop = threading.Event()
    running.web_connector.run_forever(stop, 15)
