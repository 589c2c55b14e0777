"""What went wrong, as a sentence on standard error, and the code that the program ends with."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import NoReturn

import structlog
import typer
from sqlalchemy.exc import DBAPIError, OperationalError

from routebooks.cli.output import say
from routebooks.cli.state import CliState
from routebooks.errors import ConfigError, Problem, RoutebooksError
from routebooks.store.database import is_damaged

DONE = 0
FAILED = 1
#: what was typed, or a setting, is wrong: the same command will not work the next time either
USAGE = 2
#: done, but records were set aside
REJECTED = 3
INTERRUPTED = 130

DETAIL_FILE = "last-error.txt"

log = structlog.get_logger()


def fail(problem: Problem, code: int = FAILED, *, verbose: bool = False) -> NoReturn:
    """Say what went wrong, what to do about it and its code, then end with an exit code."""
    say(f"{problem.message} [{problem.code}]")
    if problem.hint:
        say(f"  {problem.hint}")
    if problem.detail and verbose:
        say(f"  Detail: {problem.detail}")
    elif problem.detail:
        say("  There is a detail to it: `routebooks --verbose ...` shows it.")
    raise typer.Exit(code)


def exit_code(error: RoutebooksError) -> int:
    """2 where a person has to change the command or a setting first, 1 for all that failed."""
    return USAGE if isinstance(error, ConfigError) else FAILED


def recognised(error: Exception) -> Problem | None:
    """What an error of the database or the computer means, where it is one."""
    if isinstance(error, DBAPIError) and is_damaged(error):
        hint = "Stop the server and put the home folder's last backup in its place; keep the damaged files."
        return Problem("database-damaged", "The database file is damaged, or is none.", hint, str(error.orig))
    if isinstance(error, OperationalError):
        hint = "See that it runs and that its disk has room, then try again."
        return Problem("database-away", "The database cannot be used now.", hint, str(error.orig))
    if isinstance(error, OSError) and error.filename is not None:
        hint = "See that the user you are may read and write there, then try again."
        return Problem("file-unusable", f"{error.filename} cannot be used: {error.strerror}.", hint, str(error))
    return None


def unforeseen(error: Exception, state: CliState) -> NoReturn:
    """End after an error that nobody foresaw: one sentence for the person, the traceback for whoever mends it."""
    log.error("command failed", exc_info=error)
    kept = _keep(error, state)
    where = f"The detail is in {kept}; report it with the command" if kept else "`--verbose` shows the detail"
    fail(
        Problem("internal", f"Something went wrong inside Routebooks ({type(error).__name__}).", f"{where}."),
        verbose=state.verbose,
    )


def _keep(error: Exception, state: CliState) -> Path | None:
    """Write the traceback to a file that only its owner reads; None where there is no place for it."""
    text = "".join(traceback.format_exception(error))
    try:
        path = state.settings.home / DETAIL_FILE
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text.encode("utf-8", "backslashreplace"))
    except (OSError, RoutebooksError):
        return None
    return path
