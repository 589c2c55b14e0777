"""Nights: shared extracts, files in order, the guard, what a person releases or sends again."""

from __future__ import annotations

from typing import Any

import pytest

from house import Books, House, records
from routebooks.connectors.base import Connection
from routebooks.engine import connections, deliver, runs
from routebooks.errors import ConfigError, TransientError
from routebooks.store import deliveries, flows
from routebooks.store import runs as run_store
from routebooks.store.deliveries import Delivery
from routebooks.store.runs import Phase, State


def night(house: House, *names: str) -> list[int]:
    with house.ctx.store.begin() as tx:
        wanted = [flows.flow(tx, house.flows[name]) for name in names]
        made = runs.create(house.ctx, tx, wanted, "person", house.clock())
    house.tick()
    return made


def delivery(house: House, run_id: int) -> Delivery:
    with house.ctx.store.read() as tx:
        found = deliveries.delivery_of_run(tx, run_id)
    assert found is not None
    return found


def full(count: int = 10) -> Books:
    return Books({"customers": records(range(1, count + 1)), "items": records(range(11, 14))})


def test_flows_of_a_night_that_need_one_stream_read_it_once(house: House) -> None:
    with house.ctx.store.begin() as tx:
        flows.change_flow(tx, house.flows["items"], stream="customers")
    made = night(house, "customers", "items")
    books = full()
    house.visit(books)
    house.tick()
    assert [house.state(run_id).state for run_id in made] == [State.DONE, State.DONE]
    assert sum(request.get("ask") == "customers" for request in books.seen) == 1


def test_a_file_waits_until_all_files_of_its_night_are_made(house: House) -> None:
    made = night(house, "customers", "items")
    books = full()

    def no_items_yet(request: dict[str, Any]) -> Any:
        return None if request.get("ask") == "items" else books(request)

    house.visit(no_items_yet)
    house.tick()
    waiting = house.state(made[0])
    assert (waiting.phase, waiting.state) == (Phase.DELIVER, State.WAITING)
    assert waiting.waits_for == "the file of items to be made"
    house.visit(books)
    house.tick()
    assert {house.state(run_id).state for run_id in made} == {State.DONE}


@pytest.mark.parametrize("count", [0, 6])
def test_a_file_that_lost_most_of_its_records_is_held_until_a_person_releases_it(house: House, count: int) -> None:
    night(house, "customers")
    house.visit(full())
    house.tick()
    before = house.file("list")
    (run_id,) = night(house, "customers")
    house.visit(full(count))
    house.tick()
    held = house.state(run_id)
    assert held.state is State.HELD
    assert held.problem is not None
    assert held.problem["code"] == ("file-shrunk" if count else "file-empty")
    assert f"{count} records; the last one had 10" in held.problem["message"]
    assert house.file("list") == before
    with house.ctx.store.begin() as tx:
        assert deliver.release(tx, delivery(house, run_id).id, "test", house.clock()) == run_id
    house.tick()
    assert house.state(run_id).state is State.DONE
    assert len(house.file("list").splitlines()) == count
    with pytest.raises(ConfigError), house.ctx.store.begin() as tx:
        deliver.release(tx, delivery(house, run_id).id, "test", house.clock())


def test_a_little_less_goes_and_the_share_is_a_setting(house: House) -> None:
    night(house, "customers")
    house.visit(full())
    house.tick()
    for count, percent, state in ((7, 70, State.DONE), (6, 90, State.HELD), (6, 80, State.DONE)):
        with house.ctx.store.begin() as tx:
            flows.change_flow(tx, house.flows["customers"], settings={"guard_percent": percent})
        (run_id,) = night(house, "customers")
        house.visit(full(count))
        house.tick()
        assert house.state(run_id).state is state


def test_a_newer_file_that_goes_takes_the_place_of_a_held_one(house: House) -> None:
    night(house, "customers")
    house.visit(full())
    house.tick()
    (held,) = night(house, "customers")
    house.visit(full(1))
    house.tick()
    (newer,) = night(house, "customers")
    house.visit(full(12))
    house.tick()
    assert house.state(newer).state is State.DONE
    assert house.state(held).state is State.SUPERSEDED


@pytest.mark.parametrize("together", [False, True])
def test_whether_the_others_wait_for_a_held_file_is_a_setting(house: House, together: bool) -> None:
    from routebooks.store import companies

    with house.ctx.store.begin() as tx:
        row = companies.connection_named(tx, house.company_id, "toy_files")
        assert row is not None
        companies.change_connection(tx, row.id, settings={**row.settings, "all_or_none": together})
    made = night(house, "customers", "items")
    house.visit(Books({"customers": [], "items": records([11])}))
    house.tick()
    assert house.state(made[0]).state is State.HELD
    other = house.state(made[1])
    assert other.state is (State.WAITING if together else State.DONE)
    if together:
        assert other.waits_for == "the file of customers, which is held"
        with house.ctx.store.begin() as tx:
            deliver.release(tx, delivery(house, made[0]).id, "test", house.clock())
        house.tick()
        assert {house.state(run_id).state for run_id in made} == {State.DONE}


def test_a_kept_file_is_sent_again_as_it_was_and_links_stay(house: House) -> None:
    (first,) = night(house, "customers")
    house.visit(full(3))
    house.tick()
    old = house.file("list")
    night(house, "customers")
    changed = full(3)
    changed.records["customers"][0]["Id"] = "another"
    changed.records["customers"][0]["Name"] = "Another"
    house.visit(changed)
    house.tick()
    assert house.file("list") != old
    with house.ctx.store.begin() as tx:
        again = deliver.resend(tx, delivery(house, first).id, "test", house.clock())
    house.tick()
    assert house.state(again).state is State.DONE
    assert house.file("list") == old
    with house.ctx.store.read() as tx:
        found = deliveries.find_links(
            tx, company_id=house.company_id, connection_id=house.books, stream="customers", keys=["1"]
        )
    assert found == {"1": "another"}
    with pytest.raises(ConfigError), house.ctx.store.begin() as tx:
        deliver.resend(tx, 999, "test", house.clock())


class TestChanges:
    """An incremental flow: only what changed goes out."""

    @pytest.fixture
    def incremental(self, house: House) -> House:
        with house.ctx.store.begin() as tx:
            flows.change_flow(tx, house.flows["customers"], incremental=True)
        return house

    def go(self, house: House, books: Books) -> run_store.Run:
        (run_id,) = night(house, "customers")
        house.visit(books)
        house.tick()
        return house.state(run_id)

    def test_what_is_as_it_was_is_not_sent_again(self, incremental: House) -> None:
        first = self.go(incremental, full(3))
        books = full(4)
        books.records["customers"][1]["Name"] = "Renamed"
        second = self.go(incremental, books)
        assert (first.records_written, second.records_written, second.records_left_out) == (3, 2, 2)
        assert [line.split(",")[0] for line in incremental.file("list").splitlines()] == ["2", "4"]

    def test_an_empty_night_leaves_the_old_file_or_sends_an_empty_one(self, incremental: House) -> None:
        self.go(incremental, full(3))
        before = incremental.file("list")
        quiet = self.go(incremental, full(3))
        assert (quiet.state, quiet.records_written) == (State.DONE, 0)
        assert incremental.file("list") == before
        with incremental.ctx.store.begin() as tx:
            flows.change_flow(tx, incremental.flows["customers"], settings={"empty_night": "empty"})
        self.go(incremental, full(3))
        assert incremental.file("list") == ""

    def test_resend_days_send_what_is_as_it_was(self, incremental: House) -> None:
        self.go(incremental, full(3))
        with incremental.ctx.store.begin() as tx:
            flows.change_flow(tx, incremental.flows["customers"], settings={"resend_days": 5})
        books = full(3)
        assert self.go(incremental, books).records_written == 3
        asked = [request["since"] for request in books.seen if "since" in request]
        assert asked == ["2025-12-31T22:00:00+00:00"]

    def test_a_start_date_bounds_the_first_extract(self, incremental: House) -> None:
        with incremental.ctx.store.begin() as tx:
            start = {"start_date": "2026-02-01T00:00:00+00:00"}
            flows.change_flow(tx, incremental.flows["customers"], settings=start)
        books = full(1)
        self.go(incremental, books)
        assert [request["since"] for request in books.seen if "since" in request] == [start["start_date"]]


def test_a_run_that_is_cancelled_while_its_file_is_made_delivers_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = house.files.encode

    def cancelled_meanwhile(*arguments: Any) -> Any:
        with house.ctx.store.begin() as tx:
            (run,) = run_store.active_runs(tx)
            runs.cancel(house.ctx, tx, run.id, house.clock())
        return encode(*arguments)

    monkeypatch.setattr(house.files, "encode", cancelled_meanwhile)
    (run_id,) = night(house, "customers")
    house.visit(full())
    house.tick()
    assert house.state(run_id).state is State.CANCELLED
    assert not house.folder.exists()


def test_orders_of_a_night_come_after_its_files(house: House) -> None:
    house.orders.put("A-1", "1", "11")
    made = night(house, "customers", "items", "orders")
    assert house.state(made[2]).waits_for == "its turn"
    books = full()
    house.visit(books)
    house.tick()
    assert house.state(made[2]).phase is Phase.POST
    house.visit(books)
    house.tick()
    assert [house.state(run_id).state for run_id in made] == [State.DONE] * 3
    assert len(books.written) == 1


class TestMarker:
    """A target that is told when all files of a night are in place."""

    @pytest.fixture
    def marked(self, house: House, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """What the target was told, and whether it was away just then."""
        told: list[str] = []

        def mark_done(connection: Connection) -> None:
            told.append("" if told else "away")
            if told[-1]:
                raise TransientError("The folder is away.", hint="Wait.", code="toy-away")

        monkeypatch.setattr(house.files, "mark_done", mark_done, raising=False)
        return told

    def test_a_marker_that_could_not_be_set_is_set_later(self, house: House, marked: list[str]) -> None:
        made = night(house, "customers", "items")
        house.visit(full())
        house.tick()
        assert marked == ["away"]
        first, last = (house.state(run_id) for run_id in made)
        assert (first.state, last.state, last.phase) == (State.DONE, State.READY, Phase.DELIVER)
        house.clock.on(minutes=1)
        house.tick()
        assert marked == ["away", ""]
        assert house.state(made[1]).state is State.DONE

    def test_work_that_is_cut_off_before_the_end_sets_it_again(
        self, house: House, marked: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        marked.append("")
        (run_id,) = night(house, "items")
        house.visit(full())
        with monkeypatch.context() as cut:
            cut.setattr(deliver, "_remember", lambda *_: (_ for _ in ()).throw(TransientError("cut off")))
            house.tick()
        assert house.state(run_id).state is State.READY
        house.clock.on(minutes=1)
        house.tick()
        assert (marked, house.state(run_id).state) == (["", "", ""], State.DONE)

    def test_a_connection_gets_its_marker_whatever_becomes_of_another_one_s_files(
        self, house: House, marked: list[str]
    ) -> None:
        marked.append("")
        with house.ctx.store.begin() as tx:
            other = connections.add(
                house.ctx,
                tx,
                company_id=house.company_id,
                name="elsewhere",
                connector="toy_files",
                given={"root": str(house.folder.parent / "elsewhere")},
                actor="test",
            )
            flows.change_flow(tx, house.flows["items"], target_id=other.id)
        made = night(house, "customers", "items")
        house.visit(Books({"customers": records([1]), "items": []}))
        house.tick()
        assert [house.state(run_id).state for run_id in made] == [State.DONE, State.HELD]
        assert marked == ["", ""]
