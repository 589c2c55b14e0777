"""The program: its global options, its commands by noun, and how it ends."""

from __future__ import annotations

import io
import logging
import sys
import time
from collections.abc import Callable
from typing import Annotated, Any

import structlog
import typer
from typer.core import TyperGroup

from routebooks import __version__
from routebooks.cli import (
    alerts,
    companies,
    connection_control,
    connection_setup,
    connection_show,
    connections,
    files,
    flow_control,
    flow_map,
    flow_schedule,
    flows,
    names,
    orders,
    rejected,
    runs,
    status,
)
from routebooks.cli.params import PROGRAM, examples
from routebooks.cli.problems import INTERRUPTED, exit_code, fail, recognised, unforeseen
from routebooks.cli.state import CliState, MakeContext, state_of
from routebooks.errors import RoutebooksError

_NOUNS: tuple[tuple[str, str, tuple[typer.Typer, ...]], ...] = (
    ("company", "Distributors, each with systems and flows of its own.", (companies.app, names.company_app)),
    (
        "connection",
        "How a company's systems are reached.",
        (
            connections.app,
            connection_show.app,
            connection_setup.app,
            connection_control.app,
            names.connection_app,
        ),
    ),
    (
        "flow",
        "What is carried from where to where, and when.",
        (flows.app, flow_map.app, flow_control.app, flow_schedule.app, names.flow_app),
    ),
    ("run", "The executions of flows.", (runs.app,)),
    ("rejected", "Records set aside, each with its reason and cure.", (rejected.app,)),
    ("order", "Orders on their way into QuickBooks.", (orders.app,)),
    ("file", "The files that were made and delivered.", (files.app,)),
    ("alert", "Who is told when something needs a person.", (alerts.app,)),
)

_EXIT_CODES = """

\b
Exit codes:
  0    done
  1    failed
  2    the command or a setting is wrong
  3    done, but records were rejected
  130  interrupted"""


class _Program(TyperGroup):
    """The root of the commands: what goes wrong below it becomes a sentence and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; nobody sees a traceback."""
        try:
            return super().invoke(ctx)
        except RoutebooksError as error:
            fail(error.problem, exit_code(error), verbose=state_of(ctx).verbose)
        except typer.Abort:
            raise typer.Exit(INTERRUPTED) from None
        except typer.TyperException as error:
            _say_how_to_quote(error)
            raise
        # Typer ends the program for this; a reader that went away (`| head`) is no error of ours.
        except (typer.Exit, BrokenPipeError):
            raise
        except Exception as error:
            state = state_of(ctx)
            if known := recognised(error):
                fail(known, verbose=state.verbose)
            unforeseen(error, state)


def _say_how_to_quote(error: Exception) -> None:
    """Add to what Typer says of a word too many that it may belong to the one before it."""
    message = getattr(error, "message", "")
    if isinstance(error, typer.TyperException) and message.startswith("Got unexpected extra argument"):
        error.message = f'{message}. A name with blanks is written in quotation marks: "Lake side"'


def build(make_context: MakeContext, *, pause: Callable[[float], None] = time.sleep) -> typer.Typer:
    """The command line. The context is made when a command first needs it; `pause` waits so many seconds."""
    app = typer.Typer(
        cls=_Program,
        name=PROGRAM,
        help="Carries customers, items and invoices from QuickBooks to PocketAdvantage, and orders back, each once.",
        epilog=examples("status", "company add Harbor --cust-id 4711", "run list --json") + _EXIT_CODES,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def program(
        ctx: typer.Context,
        home: Annotated[
            str | None,
            typer.Option(metavar="PATH", help="Folder of the installation; else ROUTEBOOKS_HOME, else ~/.routebooks."),
        ] = None,
        verbose: Annotated[bool, typer.Option("--verbose", help="Log to standard error, and show details.")] = False,
        version: Annotated[
            bool, typer.Option("--version", is_eager=True, callback=_version, help="Show the version and exit.")
        ] = False,
    ) -> None:
        log_to_stderr(logging.DEBUG if verbose else logging.CRITICAL)
        state = ctx.obj = CliState(make_context, home=home, verbose=verbose, pause=pause)
        ctx.call_on_close(state.close)

    for name, text, parts in _NOUNS:
        noun = typer.Typer(help=text, no_args_is_help=True)
        for part in parts:
            noun.add_typer(part)
        app.add_typer(noun, name=name)
    app.add_typer(status.app)
    return app


def run(app: typer.Typer) -> None:
    """Run what was typed, and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name that the terminal's code page lacks is shown by its code; it must not end the command.
            stream.reconfigure(errors="backslashreplace")
    app(prog_name=PROGRAM)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"Routebooks {__version__}")
        raise typer.Exit


def log_to_stderr(level: int) -> None:
    """Log from this level on; a command that serves may want more than others."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            # A traceback without the values of variables: they hold passwords.
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Looked up for each line: whoever replaces the stream gets the lines.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
