"""Following runs until they end, as rows of the database: the server does the work, this only looks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from routebooks.cli.output import say
from routebooks.cli.problems import DONE, FAILED, REJECTED
from routebooks.cli.state import CliState
from routebooks.cli.words import count
from routebooks.engine.context import Context
from routebooks.errors import Problem
from routebooks.store import flows, runs, workers
from routebooks.store.database import Tx
from routebooks.store.runs import Phase, Run, State

#: seconds between two looks
STEP = 0.5


def follow(
    context: Context,
    run_ids: Sequence[int],
    *,
    seconds: float | None,
    pause: Callable[[float], None],
    tell: Callable[[str], None] = say,
) -> list[Run]:
    """Look at runs until all have ended, or so many seconds are over; every change is told once.

    Returns the runs as they stand. A run that a newer one supersedes is left for that one.
    """
    looks = None if seconds is None else math.ceil(seconds / STEP)
    watched, told = list(run_ids), dict[int, str]()
    while True:
        with context.store.read() as tx:
            found = [_newest(tx, run_id) for run_id in watched]
            lines = {run.id: f"Run {run.id}, {flows.flow(tx, run.flow_id).name}: {_progress(tx, run)}" for run in found}
        watched = [run.id for run in found]
        for run_id, line in lines.items():
            if told.get(run_id) != line:
                told[run_id] = line
                tell(line)
        if not any(run.active for run in found) or looks == 0:
            return found
        pause(STEP)
        looks = None if looks is None else looks - 1


def _newest(tx: Tx, run_id: int) -> Run:
    run = runs.run(tx, run_id)
    while run.superseded_by is not None:
        run = runs.run(tx, run.superseded_by)
    return run


def _progress(tx: Tx, run: Run) -> str:
    """Where a run stands, in words."""
    match run.state:
        case State.WAITING if run.phase is Phase.EXTRACT:
            return f"waits for {run.waits_for}{_pages(tx, run)}"
        case State.WAITING | State.READY if run.waits_for:
            return f"waits for {run.waits_for}"
        case State.DONE:
            rejected = f", {run.records_rejected} rejected" if run.records_rejected else ""
            return f"done, {run.records_read} read, {run.records_written} written{rejected}"
        case State.FAILED | State.EXPIRED | State.HELD if run.problem is not None:
            problem = Problem(**run.problem)
            return f"{run.state}. {problem.message} {problem.hint} [{problem.code}]"
        case _:
            return f"{run.state} ({run.phase})" if run.active else str(run.state)


def _pages(tx: Tx, run: Run) -> str:
    tries = [runs.attempts_of(tx, extract.id) for extract in runs.extracts_of(tx, run.night_id).values()]
    counted = [attempt for attempts in tries for attempt in attempts if attempt.state != "broken"]
    pages = [page for attempt in counted for page in runs.pages_of(tx, attempt.id)]
    records = sum(page.records for page in pages)
    return f", {count(len(pages), 'page')} with {count(records, 'record')} so far" if pages else ""


def exit_code(ended: Iterable[Run]) -> int:
    """How it ended, as the program ends: 0 done, 3 done with rejected records, 1 for all else."""
    codes = [_code(run) for run in ended]
    return FAILED if FAILED in codes else max(codes, default=DONE)


def _code(run: Run) -> int:
    if run.state is not State.DONE:
        return FAILED
    return REJECTED if run.records_rejected else DONE


def say_who_works(state: CliState) -> None:
    """Say that the server does the work, where none runs."""
    with state.context.store.read() as tx:
        running = workers.living(tx)
    if not running:
        say("No server runs. The work is done by `routebooks serve`: start it, and the run begins.")
