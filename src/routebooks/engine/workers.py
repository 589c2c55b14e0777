"""The workers: servers that share one PostgreSQL. Each is seen again and again; who is silent loses its work.

A worker that stood still and comes to itself after that can write nothing more: every transaction of it that may
write holds its row, and the row is gone. On SQLite there is one worker, kept alone by the lock of its folder.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
import structlog

from routebooks.engine.context import Context
from routebooks.errors import ConfigError, TransientError
from routebooks.store import workers as store
from routebooks.store.artifacts import MARK
from routebooks.store.database import Tx, turn

log = structlog.get_logger()

#: the one worker on SQLite: after a restart it finds its own work by this name
ALONE = "routebooks"
#: the code of the error that a worker meets whose work another one took over
REPLACED = "server-replaced"
#: so often it is seen before its silence counts
BEATS = 3


@dataclass
class Worker:
    """This process among the workers of its database."""

    ctx: Context
    id: str
    #: how long it may be silent
    good_for: timedelta
    #: how often in turn it was seen in time; one that was away itself cannot tell who else is
    steady: int = 0

    def seen(self) -> bool:
        """Say that this worker lives; False when another one took over its work: then it has to end."""
        try:
            with self.ctx.store.begin() as tx:
                in_time = store.seen(tx, self.id, self.good_for)
        except TransientError as error:
            if error.problem.code != REPLACED:
                raise
            return False
        self.steady = self.steady + 1 if in_time else 0
        return True

    def speaks(self) -> bool:
        """Whether this worker is the one that sends alerts: the oldest."""
        with self.ctx.store.read() as tx:
            return next((each.id for each in store.all_workers(tx)), "") == self.id

    def take_over(self, at_work: Callable[[], set[str]], resume: Callable[[Collection[str]], None]) -> None:
        """Let the work of those that are here no more go on: of the silent, and of those that ended before it was done.

        `at_work` names whose durable work is not done, `resume` lets that of these go on. Safe to repeat, cut off and
        do at the same time as others: work goes on once.
        """
        if self.steady >= BEATS:
            with self.ctx.store.begin() as tx:
                gone = store.remove_silent(tx, self.id) if turn(tx, "take over") else []
            for each in gone:
                log.warning("server silent", worker=each.id, host=each.host, seen_at=each.seen_at)
        # In this order: a worker has its row before it has work.
        busy = at_work()
        with self.ctx.store.read() as tx:
            orphaned = busy - {each.id for each in store.all_workers(tx)}
        if orphaned:
            log.warning("work taken over", workers=sorted(orphaned))
            resume(orphaned)


@contextmanager
def joined(ctx: Context, host: str, home: str, address: str, good_for: timedelta) -> Iterator[Worker]:
    """This process as a worker, to the end of the block. Raises ConfigError when it does not share what it must."""
    worker_id = ctx.store.name if ctx.store.shared else ALONE
    ctx.store.fence = None
    with ctx.store.begin() as tx:
        turn(tx, "join", wait=True)
        key_mark = ctx.vault.hash("worker")
        _check_key(ctx, tx, key_mark)
        if ctx.store.shared:
            _check_artifacts(ctx, tx)
        store.add_worker(tx, worker_id, host=host, home=home, address=address, key_mark=key_mark, good_for=good_for)
    if ctx.store.shared:
        ctx.store.fence = lambda tx: _hold(tx, worker_id)
    try:
        yield Worker(ctx, worker_id, good_for)
    finally:
        # The fence stays: work that has not come to its end by now goes on in another worker. A database that is away
        # must not hide why this one ends; its row is found silent then.
        with suppress(sa.exc.DBAPIError, TransientError), ctx.store.begin() as tx:
            store.remove_worker(tx, worker_id)


def replaced() -> TransientError:
    """The error of a worker whose work another one took over."""
    return TransientError(
        "This server was silent for too long; another one took over its work, so it does nothing more.",
        hint="Start it again. If it happens often, see to its machine and to the way to the database.",
        code=REPLACED,
    )


def _hold(tx: Tx, worker_id: str) -> None:
    if not store.hold(tx, worker_id):
        raise replaced()


def _check_key(ctx: Context, tx: Tx, key_mark: str) -> None:
    """Raises ConfigError when nothing that was sealed can be opened, or another worker has another key."""
    sealed = store.sealed(tx)
    others = ctx.store.shared and any(each.key_mark != key_mark for each in store.living(tx))
    if others or (sealed and not any(map(ctx.vault.opens, sealed))):
        raise ConfigError(
            "The master key is another one than that by which the passwords in the database were sealed.",
            hint="Give this server the same key: ROUTEBOOKS_KEY, or a copy of the file `key` of the first server.",
            code="key-differs",
        )


def _check_artifacts(ctx: Context, tx: Tx) -> None:
    """Raises ConfigError when the artifacts of this worker lie in another place than those of the others."""
    mark = ctx.artifacts.mark()
    if (first := store.keep_mark(tx, "artifacts", mark)) != mark:
        raise ConfigError(
            "The artifacts of the servers on this database lie in another place.",
            hint="Set ROUTEBOOKS_ARTIFACTS_URL to the place that all of them share. "
            f"If it is lost for good, write {first} into the file `{MARK}` of the new place.",
            code="artifacts-elsewhere",
        )
