"""Several workers on one PostgreSQL: who is silent is found out and can do nothing more, and nothing is done twice."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

import house as houses
from routebooks.engine import exchange, order_answers, runs, sessions, workers
from routebooks.engine.context import Context
from routebooks.engine.schedule import at
from routebooks.engine.workers import REPLACED, Worker
from routebooks.errors import ConfigError, TransientError
from routebooks.store import companies
from routebooks.store import flows as flow_store
from routebooks.store import runs as run_store
from routebooks.store import workers as store
from routebooks.store.artifacts import ArtifactStore
from routebooks.store.database import Store, turn
from routebooks.store.runs import Run
from routebooks.store.secrets import Vault
from routebooks.store.tables import runs as run_table
from routebooks.store.tables import workers as worker_table

LONG = timedelta(hours=1)


@dataclass
class Two:
    """Two processes on one database: the house is seen from either."""

    house: houses.House
    stack: ExitStack
    contexts: list[Context] = field(default_factory=list)

    def worker(self, at: int) -> Worker:
        """One of them begins to work, to the end of the test."""
        worker = self.stack.enter_context(workers.joined(self.contexts[at], f"host-{at}", f"/home/{at}", "", LONG))
        for _ in range(workers.BEATS):
            assert worker.seen()
        return worker

    def silence(self, worker: Worker) -> None:
        """Nothing was heard of it for too long."""
        with self.contexts[1].store.begin() as tx:
            mine = worker_table.c.id == worker.id
            tx.execute(worker_table.update().where(mine).values(good_until=store.clock(tx) - timedelta(seconds=1)))


@pytest.fixture
def two(fresh_postgres: str, tmp_path: Path) -> Iterator[Two]:
    """Two processes; neither works yet."""
    with ExitStack() as stack:
        house = houses.build(tmp_path, fresh_postgres)
        stack.callback(house.ctx.store.close)
        made = Two(house, stack)
        for name in ("one", "two"):
            opened = Store(fresh_postgres, name)
            stack.callback(opened.close)
            made.contexts.append(replace(house.ctx, store=opened))
        yield made


def never(run: Run) -> None:
    pytest.fail(f"run {run.id} was started")


class Durable:
    """Whose work is not done, and whose was taken over."""

    def __init__(self, *busy: str) -> None:
        self.busy, self.resumed = set(busy), set[str]()

    def at_work(self) -> set[str]:
        return self.busy

    def resume(self, executors: Collection[str]) -> None:
        self.resumed |= set(executors)


def test_the_work_of_a_silent_worker_goes_on_in_another_and_itself_can_write_nothing_more(two: Two) -> None:
    silent, living = two.worker(0), two.worker(1)
    durable = Durable("one", "two")
    living.take_over(durable.at_work, durable.resume)
    assert (durable.resumed, silent.seen()) == (set(), True)

    two.silence(silent)
    living.take_over(durable.at_work, durable.resume)
    assert durable.resumed == {"one"}
    assert not silent.seen()
    for write in (silent.ctx.store.check, lambda: runs.tick(silent.ctx, never)):
        with pytest.raises(TransientError) as caught:
            write()
        assert caught.value.problem.code == REPLACED
    assert living.seen()


def test_what_a_silent_worker_left_open_keeps_nobody_waiting(two: Two) -> None:
    silent, living = two.worker(0), two.worker(1)
    run_id = two.house.run("customers")
    durable = Durable()
    with pytest.raises(sa.exc.OperationalError), silent.ctx.store.begin() as tx:  # noqa: PT012
        assert turn(tx, "tick")
        run_store.run(tx, run_id, lock=True)
        two.silence(silent)
        living.take_over(durable.at_work, durable.resume)
        with living.ctx.store.begin() as other:
            assert turn(other, "tick")
            run_store.change_run(other, run_id, waits_for="nobody")
        run_store.change_run(tx, run_id, waits_for="me")
    assert two.house.state(run_id).waits_for == "nobody"


def test_work_of_nobody_goes_on_and_a_worker_that_ended_has_left(two: Two) -> None:
    living = two.worker(1)
    with workers.joined(two.contexts[0], "host", "/home", "", LONG) as ended:
        assert [each.id for each in all_workers(two)] == ["two", ended.id]
    assert [each.id for each in all_workers(two)] == ["two"]
    with pytest.raises(TransientError):
        ended.ctx.store.check()
    durable = Durable("one", "two", "routebooks")
    living.take_over(durable.at_work, durable.resume)
    assert durable.resumed == {"one", "routebooks"}


def all_workers(two: Two) -> list[store.WorkerRow]:
    with two.house.ctx.store.read() as tx:
        return store.all_workers(tx)


def test_who_was_away_itself_takes_nothing_over_before_it_is_steady(two: Two) -> None:
    first, second = two.worker(0), two.worker(1)
    durable = Durable("one")
    two.silence(first)
    two.silence(second)
    second.take_over(durable.at_work, durable.resume)
    assert second.seen()
    second.take_over(durable.at_work, durable.resume)
    assert durable.resumed == set()
    assert first.seen()
    assert first.steady == second.steady == 0


def test_the_oldest_worker_sends_the_alerts(two: Two) -> None:
    first, second = two.worker(0), two.worker(1)
    assert (first.speaks(), second.speaks()) == (True, False)
    two.silence(first)
    second.take_over(set, lambda _: None)
    assert (first.speaks(), second.speaks()) == (False, True)


def test_two_ticks_at_once_make_one_run_of_what_is_due(two: Two) -> None:
    house = two.house
    with house.ctx.store.begin() as tx:
        flow_store.change_flow(tx, house.flows["customers"], schedule=at("07:00"))
    house.clock.on(hours=2)
    together = threading.Barrier(2)

    def tick(ctx: Context) -> None:
        together.wait()
        for _ in range(5):
            runs.tick(ctx, never)

    threads = [threading.Thread(target=tick, args=(ctx,)) for ctx in two.contexts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with house.ctx.store.read() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(run_table)).scalar_one() == 1


def test_who_comes_while_another_ticks_leaves_it_to_that_one(two: Two) -> None:
    with two.contexts[0].store.begin() as tx:
        assert turn(tx, "tick")
        assert turn(tx, "look again")
        two.house.clock.on(minutes=10)
        assert runs.tick(two.contexts[1], never) == 0
        order_answers.look_again(two.contexts[1])


def test_a_session_may_go_on_at_the_other_worker(two: Two) -> None:
    one, other = (two.worker(at).ctx for at in (0, 1))
    two.house.run("customers")
    opening = sessions.open_session(one, two.house.books)
    assert exchange.hand_out(other, opening.ticket, "C:/books")
    assert exchange.take(one, opening.ticket, b'{"mark": "%s", "name": "Toy"}' % houses.MARK.encode(), "", "") > 0
    assert b'"customers"' in exchange.hand_out(other, opening.ticket, "C:/books")
    assert "Done" in sessions.close(one, opening.ticket)


def refused(ctx: Context) -> str:
    with pytest.raises(ConfigError) as caught, workers.joined(ctx, "host", "/home", "", LONG):
        pass
    assert caught.value.problem.hint
    return caught.value.problem.code


def test_workers_share_the_key_and_the_place_of_the_artifacts(two: Two, tmp_path: Path) -> None:
    two.worker(0)
    other = two.contexts[1]
    assert refused(replace(other, vault=Vault.from_file(tmp_path / "key"))) == "key-differs"
    elsewhere = ArtifactStore(str(tmp_path / "elsewhere"))
    assert refused(replace(other, artifacts=elsewhere)) == "artifacts-elsewhere"
    assert [each.id for each in all_workers(two)] == ["one"]
    # Where the old place is lost for good, a new one is made known by hand, as the hint says.
    (tmp_path / "elsewhere" / "place").write_text(two.contexts[0].artifacts.mark() + "\n")
    with workers.joined(replace(other, artifacts=elsewhere), "host", "/home", "", LONG):
        assert len(all_workers(two)) == 2


def test_nothing_sealed_and_nobody_there_any_key_will_do(two: Two, tmp_path: Path) -> None:
    with two.house.ctx.store.begin() as tx:
        for row in companies.connections_of(tx, two.house.company_id):
            companies.change_connection(tx, row.id, secrets="")
    new = Vault.from_file(tmp_path / "key")
    with workers.joined(replace(two.contexts[1], vault=new), "host", "/home", "", LONG):
        assert refused(two.contexts[0]) == "key-differs"


def test_on_sqlite_one_worker_is_known_by_its_name_and_needs_no_fence(house: houses.House) -> None:
    for _ in range(2):
        with workers.joined(house.ctx, "host", "/home", "", LONG) as worker:
            assert worker.id == workers.ALONE
            assert worker.seen()
            assert worker.speaks()
            assert house.ctx.store.fence is None
            # Killed, it is found again by the next one.
            with workers.joined(house.ctx, "host", "/home", "", LONG):
                pass
