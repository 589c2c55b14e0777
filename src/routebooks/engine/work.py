"""The work of each phase as steps, and what an error in one of them does to the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from routebooks.engine import deliver, files, order_reading, orders, runs, snapshots
from routebooks.engine.context import Context
from routebooks.errors import FatalError, RoutebooksError
from routebooks.store import flows
from routebooks.store import runs as run_store
from routebooks.store.runs import Phase, Run, State

log = structlog.get_logger()

#: does its part for the run with this id; whether the run goes on
Step = Callable[[int], bool]

_WAYS: dict[tuple[str, Phase], tuple[Callable[[Context, int], None], ...]] = {
    ("out", Phase.LOAD): (snapshots.take_snapshots, files.make_file),
    ("out", Phase.DELIVER): (deliver.place_file, deliver.finish),
    ("back", Phase.LOAD): (order_reading.catch_up, order_reading.read_orders, orders.prepare_orders),
    ("back", Phase.CONFIRM): (orders.tell, order_reading.catch_up, orders.finish),
}


def steps(ctx: Context, run_id: int, phase: str) -> Sequence[tuple[str, Step]]:
    """The named steps of a run's phase, in order; each is safe to repeat and raises nothing."""
    with ctx.store.read() as tx:
        direction = flows.flow(tx, run_store.run(tx, run_id).flow_id).direction
    return [(work.__name__, _step(ctx, Phase(phase), work)) for work in _WAYS[direction, Phase(phase)]]


def _step(ctx: Context, phase: Phase, work: Callable[[Context, int], None]) -> Step:
    def step(run_id: int) -> bool:
        # A run that was cancelled, or whose step was committed just before a crash, has nothing more to do here.
        if not _begin(ctx, run_id, phase):
            return False
        try:
            work(ctx, run_id)
        except Exception as error:
            _met(ctx, run_id, error)
            return False
        log.info("step done", run=run_id, step=work.__name__)
        return True

    return step


def _begin(ctx: Context, run_id: int, phase: Phase) -> bool:
    with ctx.store.begin() as tx:
        run = run_store.run(tx, run_id, lock=True)
        if run.phase is not phase or run.state not in (State.READY, State.RUNNING):
            return False
        started = run.started_at or ctx.now()
        run_store.change_run(tx, run_id, state=State.RUNNING, started_at=started, waits_for="")
        return True


def _met(ctx: Context, run_id: int, error: Exception) -> None:
    """Put the error into the run: another try later, or its end. One that nobody foresaw is logged."""
    if not isinstance(error, RoutebooksError):
        log.error("step failed", run=run_id, exc_info=error)
        error = FatalError(
            "Something went wrong inside Routebooks.",
            hint="Run the flow again; if it happens again, report the detail together with the log.",
            code="internal",
            detail=f"{type(error).__name__}: {error}",
        )
    else:
        log.warning("step did not end well", run=run_id, code=error.problem.code, problem=error.problem.message)
    with ctx.store.begin() as tx:
        runs.met(ctx, tx, run_store.run(tx, run_id), error, ctx.now())


def run_now(ctx: Context, run: Run) -> None:
    """Do the work of a ready run here and now, without durability: for a test that needs no engine."""
    for _, step in steps(ctx, run.id, run.phase):
        if not step(run.id):
            return
