"""Durable work: the only importer of DBOS. A run's phase is one workflow of a few steps, with an id that never changes.

DBOS keeps the control flow in a database of its own; runs, pages and orders are rows of ours. A step that was cut off
runs again, so every step is safe to repeat.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID

from routebooks.engine.workers import REPLACED
from routebooks.errors import TransientError
from routebooks.store.database import application_name

#: of the way runs are cut into steps, not of the release: work begun before an update goes on after it
WORKFLOW_VERSION = "1"

#: a database that does not answer for so long is away
ANSWER_SECONDS = 3

#: the named steps of a run's phase; each says whether to go on, and raises nothing
Steps = Callable[[int, str], Sequence[tuple[str, Callable[[int], bool]]]]


def _not_told_twice(record: logging.LogRecord) -> bool:
    # With its traceback; the error itself comes to whoever launched.
    return not record.getMessage().startswith("DBOS failed to launch")


class _Replaced(BaseException):
    """Another worker took over the work: nothing of it is written down here. DBOS keeps every Exception of a step."""


def _unless_replaced(step: Callable[[int], bool]) -> Callable[[int], bool]:
    def do(run_id: int) -> bool:
        try:
            return step(run_id)
        except TransientError as error:
            if error.problem.code == REPLACED:
                raise _Replaced from error
            raise

    return do


class Durable:
    """Starts workflows and brings back those that a crash cut off. One of it may live in a process.

    `worker` is whose work it is: that of another one goes on only when it is taken over. `on_end` is told of each end.
    """

    def __init__(self, url: str, steps: Steps, worker: str, on_end: Callable[[], None]) -> None:
        config: DBOSConfig = {
            "name": "routebooks",
            "system_database_url": url,
            "application_version": WORKFLOW_VERSION,
            "executor_id": worker,
            "serializer": DBOSPortableJSONSerializer(),
            "notification_listener_polling_interval_sec": 0.5,
            "log_level": "WARNING",
        }
        if url.startswith("postgresql"):
            config["db_engine_kwargs"] = {"connect_args": {"application_name": application_name(worker)}}
        for name in ("dbos", "routebooks.dbos"):
            logging.getLogger(name).setLevel(logging.WARNING)
            logging.getLogger(name).addFilter(_not_told_twice)
        DBOS(config=config)

        @DBOS.workflow(name="advance")
        def advance(run_id: int, phase: str) -> None:
            for name, step in steps(run_id, phase):
                if not DBOS.run_step({"name": name}, _unless_replaced(step), run_id):
                    break
            on_end()

        self._advance: Callable[..., Any] = advance
        self._worker = worker

    def launch(self) -> None:
        """Begin; what a crash cut off goes on in the background."""
        DBOS.launch()

    def start(self, workflow_id: str, run_id: int, phase: str) -> None:
        """Start the work of this id, unless it was started already."""
        with SetWorkflowID(workflow_id):
            DBOS.start_workflow(self._advance, run_id, phase)

    def ended(self, workflow_ids: Sequence[str]) -> set[str]:
        """Which of these have ended, well or not."""
        if not workflow_ids:
            return set()
        found = DBOS.list_workflows(workflow_ids=list(workflow_ids))
        return {item.workflow_id for item in found if item.status not in ("PENDING", "ENQUEUED", "DELAYED")}

    def at_work(self) -> set[str]:
        """The workers whose work is not done."""
        found = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        return {item.executor_id for item in found if item.executor_id}

    def resume(self, workers: Collection[str]) -> None:
        """Let the work that these could not do go on, in any worker that lives. Of two at once, one has an effect."""
        DBOS._recover_pending_workflows(list(workers))

    def stop(self, wait_seconds: int = 20) -> None:
        """Let running work come to its end, then stop."""
        # Asked to wait, DBOS waits a second at the least.
        DBOS.destroy(
            workflow_completion_timeout_sec=wait_seconds if _is_busy(self._worker) else 0, destroy_registry=True
        )


def _is_busy(worker: str) -> bool:
    """Whether work of this worker goes on that can come to its end: with the database away none can."""
    found: list[int] = []

    def ask() -> None:
        with suppress(Exception):
            mine = DBOS.list_workflows(status="PENDING", executor_id=worker, load_input=False, load_output=False)
            found.append(len(mine))

    # DBOS asks for ever a database that is away.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(ANSWER_SECONDS)
    return any(found)
