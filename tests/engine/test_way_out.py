"""The way out: from the pages of a calling system to a file in place, links and cursor."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from house import START, Books, House, record, records
from routebooks.connectors.base import Outcome, Page
from routebooks.engine import connections, extracts, health, runs, schedule
from routebooks.store import companies, deliveries, rejected
from routebooks.store import exchange as exchange_store
from routebooks.store import flows as flow_store
from routebooks.store import runs as run_store
from routebooks.store.runs import PageRow, Phase, State


def test_a_flow_runs_from_the_first_page_to_the_file(house: House) -> None:
    books = Books({"customers": records(range(1, 8))}, page=3)
    run_id = house.run("customers")
    assert (house.state(run_id).state, house.state(run_id).waits_for) == (State.WAITING, "Toy books")
    house.visit(books)
    assert house.state(run_id).state is State.READY
    house.tick()
    done = house.state(run_id)
    assert (done.state, done.records_read, done.records_written, done.records_rejected) == (State.DONE, 7, 7, 0)
    assert house.file("list").splitlines()[0] == "1,Name 1,0.00"
    with house.ctx.store.read() as tx:
        found = deliveries.find_links(
            tx, company_id=house.company_id, connection_id=house.books, stream="customers", keys=["3", "99"]
        )
    assert found == {"3": "id-3-"}


def test_the_first_request_of_every_session_asks_who_answers(house: House) -> None:
    house.run("customers")
    books = Books({"customers": records([1])})
    assert house.visit(books)[0] == {"ask": "who"}
    house.tick()
    house.run("customers")
    assert house.visit(books)[0] == {"ask": "who"}


def test_a_record_seen_twice_counts_once_and_bad_keys_are_rejected(house: House) -> None:
    both = [record("1", "first"), record("2"), record("", "no number"), record("3", "a"), record("3", "b")]
    house.run("customers")
    house.visit(Books({"customers": [*both, both[1]]}, page=2))
    run_id = house.run("items")
    house.tick()
    with house.ctx.store.read() as tx:
        listed = rejected.list_rejected(tx)
        first = run_store.last_run(tx, house.flows["customers"])
    assert first is not None
    assert first.records_written == 2
    assert first.records_rejected == 3
    assert {line.rejected.code for line in listed} == {"key-blank", "key-double"}
    assert all(line.rejected.hint for line in listed)
    assert house.state(run_id).state is State.WAITING


def test_a_rejected_record_is_listed_until_a_later_run_takes_it(house: House) -> None:
    for number in ("", "5"):
        house.run("customers")
        house.visit(Books({"customers": [record(number, "mended")]}))
        house.tick()
        with house.ctx.store.read() as tx:
            assert len(rejected.list_rejected(tx)) == (0 if number else 1)
    with house.ctx.store.read() as tx:
        assert [line.rejected.state for line in rejected.list_rejected(tx, rejected.Chosen(state=None))] == ["resolved"]


def test_a_session_that_breaks_off_begins_again_at_the_start(house: House) -> None:
    books = Books({"customers": records(range(9))}, page=2)
    run_id = house.run("customers")
    house.visit(lambda request: books(request) if len(books.seen) < 4 else None)
    house.visit(books)
    starts = [request for request in books.seen if request.get("from") == 0]
    assert len(starts) == 2
    house.tick()
    assert house.state(run_id).records_read == 9
    with house.ctx.store.read() as tx:
        (extract,) = run_store.extracts_of(tx, house.state(run_id).night_id).values()
        attempts = run_store.attempts_of(tx, extract.id)
    assert [attempt.state for attempt in attempts] == ["broken", "complete"]


def test_a_stream_that_never_comes_to_its_end_is_read_in_slices(house: House) -> None:
    named = [record(str(number), f"{letter}{number}") for number, letter in enumerate("aabbmmxxyyzz")]
    books = Books({"customers": named}, page=2)
    run_id = house.run("customers")
    for _ in range(extracts.CUT_AFTER):
        books.seen.clear()
        house.visit(lambda request: books(request) if len(books.seen) < 5 else None)
    assert house.state(run_id).state is State.WAITING
    # A slice has few enough pages; what breaks in the second costs the second alone.
    books.seen.clear()
    house.visit(lambda request: books(request) if len(books.seen) < 6 else None)
    house.visit(books)
    asked = [(request["names"], request["from"]) for request in books.seen if "names" in request]
    assert asked[:5] == [(["", "m"], 0), (["", "m"], 2), (["m", ""], 0), (["m", ""], 2), (["m", ""], 4)]
    assert asked[5:8] == [(["m", ""], 0), (["m", ""], 2), (["m", ""], 4)]
    assert asked[8:] == [(["m", ""], 6), (None, 0), (None, 2), (None, 4), (None, 6), (None, 8), (None, 10)]
    house.tick()
    assert house.state(run_id).state is State.DONE
    assert house.state(run_id).records_read == 12


def test_what_a_last_pass_asks_for_besides_is_read_once_after_all_slices(house: House) -> None:
    books = Books({"customers": [record("1", "a"), record("2", "z"), record("3", "z:job")]}, page=1)
    run_id = house.run("customers")
    for _ in range(extracts.CUT_AFTER):
        house.visit(lambda request: books(request) if request["ask"] == "who" else None)
    renamed = {"records": [{**record("2", "z"), "Name": "b", "Renamed": True}], "next": 1}

    def answer(request: dict[str, Any]) -> Any:
        if request.get("names") == ["m", ""]:
            # The second slice is read after its records went into the first.
            books.records["customers"][1:] = [record("2", "b"), {**record("3", "z:job"), "Name": "b:job"}]
        if request.get("since"):
            return renamed
        return {"records": [], "next": None} if is_second_page(request) else books(request)

    def is_second_page(request: dict[str, Any]) -> bool:
        return request.get("from") == 1 and request["names"] is None and not request["below"]

    # The pass is read again after a break, and asks for the same.
    house.visit(lambda request: None if is_second_page(request) else answer(request))
    seen = house.visit(answer)
    assert [(request["from"], request["below"]) for request in seen if "below" in request] == [
        (0, ""),
        (1, ""),
        (0, "b"),
    ]
    house.tick()
    assert house.state(run_id).state is State.DONE
    assert sorted(house.file("list").splitlines()) == ["1,a,0.00", "2,b,0.00", "3,b:job,0.00"]
    with house.ctx.store.read() as tx:
        (extract,) = run_store.extracts_of(tx, house.state(run_id).night_id).values()
    assert [part["below"] for part in extract.slices or ()] == ["", "", "", "b"]


@pytest.mark.parametrize(
    ("last", "page", "is_skipped"),
    [
        ((10, 15), (10, 5), False),
        ((10, 5), (5, 0), False),
        ((10, 25), (10, 5), True),  # one in the middle
        ((10, 15), (5, 0), True),  # the one before a short last one
        ((10, 3), (0, 0), True),  # the last
        ((10, 35), (10, 5), True),  # two
        ((10, 15), (10, 3), False),  # two that were deleted, and counted
        ((10, 15), (8, 5), False),  # two that were deleted, and not
        ((10, 15), (10, 6), False),  # one that was added
        ((10, 0), (0, 0), False),
        ((10, None), (10, 5), False),  # of a system that does not count
        ((10, 25), (10, None), False),
    ],
)
def test_what_remains_tells_whether_a_page_was_skipped(
    last: tuple[int, int | None], page: tuple[int, int | None], is_skipped: bool
) -> None:
    records, remaining = last
    before = PageRow(1, 1, 1, 1, records, remaining, START)
    outcome = Outcome.OK if page[0] else Outcome.EMPTY
    assert extracts.skipped(before, Page(outcome, page[0], remaining=page[1])) == is_skipped
    assert not extracts.skipped(before, Page(Outcome.PARTIAL, page[0], remaining=page[1]))


def test_a_slice_that_never_comes_to_its_end_ends_the_run(house: House) -> None:
    books = Books({"customers": [record("1", "a"), record("2", "n")]})
    run_id = house.run("customers")
    for _ in range(extracts.CUT_AFTER):
        house.visit(lambda request: books(request) if request["ask"] == "who" else None)
    for _ in range(extracts.MAX_ATTEMPTS):
        house.visit(lambda request: books(request) if request.get("names") != ["m", ""] else None)
        assert house.state(run_id).state is State.WAITING
    # That a session broke off is seen when the next one opens.
    house.visit(books)
    assert house.state(run_id).state is State.FAILED


def test_pages_get_smaller_after_two_breaks_and_the_run_gives_up_in_the_end(house: House) -> None:
    run_id = house.run("customers")
    books, sizes = Books({"customers": records(range(500))}), []
    for _ in range(extracts.MAX_ATTEMPTS):
        seen = house.visit(lambda request: books(request) if request.get("from") is None else None)
        sizes += [request["size"] for request in seen if "size" in request]
        house.clock.on(minutes=1)
    house.visit(Books())
    assert sizes == [100, 100, 50, 50, 25, 25, 12, 12, *[10] * 8]
    assert house.state(run_id).state is State.FAILED


def test_the_log_tells_what_the_server_does(house: House) -> None:
    house.files.fail = 1
    run_id = house.run("customers")
    house.visit(Books({"customers": records([1])}))
    with capture_logs() as logs:
        house.tick()
        house.clock.on(minutes=5)
        house.tick()
    assert {entry["run"] for entry in logs} == {run_id}
    told = [(entry["log_level"], entry.get("step") or (entry["code"], entry["problem"])) for entry in logs]
    assert told == [
        ("info", "take_snapshots"),
        ("info", "make_file"),
        ("warning", ("toy-away", "The folder is away.")),
        ("info", "place_file"),
        ("info", "finish"),
    ]


def test_a_file_that_cannot_be_placed_is_tried_again_later(house: House) -> None:
    house.files.fail = 2
    run_id = house.run("customers")
    house.visit(Books({"customers": records([1])}))
    house.tick()
    waiting = house.state(run_id)
    assert (waiting.state, waiting.tries) == (State.READY, 1)
    assert waiting.not_before > house.clock()
    assert house.tick() == 0
    for _ in range(2):
        house.clock.on(minutes=5)
        house.tick()
    assert house.state(run_id).state is State.DONE
    assert house.state(run_id).problem is None


def files_health(house: House) -> tuple[str, str]:
    with house.ctx.store.read() as tx:
        row = companies.connection(tx, house.flow("customers").target_id)
        found = health.health_of_connection(tx, row, house.clock())
    return found.state, found.needs


def test_a_connection_that_passed_its_test_works_and_what_waits_for_it_goes_on(house: House) -> None:
    target = house.flow("customers").target_id
    house.folder.mkdir(exist_ok=True)
    house.files.fail = 3
    run_id = house.run("customers")
    house.visit(Books({"customers": records([1])}))
    house.tick()
    assert files_health(house) == ("failing", "The folder is away. Wait.")
    house.clock.on(seconds=1)
    assert all(check.ok for check in connections.test(house.ctx, target))
    assert files_health(house) == ("ready", "")
    house.clock.on(seconds=1)
    # It did not wait, and met the same again: that is newer than the test.
    assert house.tick() == 1
    assert house.state(run_id).tries == 2
    assert files_health(house) == ("failing", "The folder is away. Wait.")
    with house.ctx.store.begin() as tx:
        connections.change(house.ctx, tx, companies.connection(tx, target), {"root": str(house.folder)}, "test")
    assert house.tick() == 1
    assert house.state(run_id).tries == 3
    house.clock.on(seconds=1)
    assert all(check.ok for check in connections.test(house.ctx, target))
    assert house.tick() == 1
    assert house.state(run_id).state is State.DONE
    assert files_health(house) == ("ready", "")


def test_a_run_that_sent_nothing_says_nothing_of_where_files_go(house: House, tmp_path: Path) -> None:
    target = house.flow("customers").target_id
    with house.ctx.store.begin() as tx:
        row = companies.connection(tx, target)
        connections.change(house.ctx, tx, row, {"root": str(tmp_path / "gone")}, "test")
    assert not all(check.ok for check in connections.test(house.ctx, target))
    assert files_health(house)[0] == "failing"
    house.clock.on(minutes=1)
    run_id = house.run("customers")
    with house.ctx.store.begin() as tx:
        ended = house.clock() + timedelta(minutes=1)
        run_store.change_run(tx, run_id, state=State.DONE, phase=Phase.DELIVER, records_written=0, finished_at=ended)
    assert files_health(house)[0] == "failing"
    with house.ctx.store.begin() as tx:
        run_store.change_run(tx, run_id, records_written=1)
    assert files_health(house)[0] == "ready"


def test_a_newer_run_supersedes_one_that_waits_but_not_one_that_has_begun(house: House) -> None:
    older = house.run("customers")
    newer = house.run("customers")
    assert house.state(older).state is State.SUPERSEDED
    assert house.state(older).superseded_by == newer
    books = Books({"customers": records(range(4))}, page=2)
    house.visit(books, turns=2, close=False)
    latest = house.run("customers")
    assert house.state(newer).state is State.WAITING
    assert house.state(latest).waits_for == "its turn"
    house.visit(books)
    house.tick()
    assert house.state(newer).state is State.DONE
    house.tick()
    assert house.state(latest).phase is Phase.EXTRACT


def test_a_run_that_nobody_fetches_expires(house: House) -> None:
    run_id = house.run("customers")
    house.clock.on(days=1, minutes=1)
    house.tick()
    ended = house.state(run_id)
    assert ended.state is State.EXPIRED
    assert ended.problem is not None
    assert "the Web Connector of toy_caller, which has never called" in ended.problem["message"]
    assert house.visit(Books()) == [{"ask": "who"}]


@pytest.mark.parametrize(("missed", "state"), [("once", State.WAITING), ("skip", State.EXPIRED)])
def test_a_night_that_the_connector_slept_through_is_kept_or_left_out(house: House, missed: str, state: State) -> None:
    plan = schedule.begin(schedule.every(1440, missed=missed), house.clock())
    with house.ctx.store.begin() as tx:
        flow_store.change_flow(tx, house.flows["customers"], schedule=plan)
    house.clock.on(days=1)
    house.clock.time = house.clock.time.replace(hour=0, minute=1)
    house.tick()
    with house.ctx.store.read() as tx:
        run = run_store.last_run(tx, house.flows["customers"], trigger="schedule")
    assert run is not None
    assert run.state is State.WAITING
    house.clock.on(hours=4, minutes=1)
    house.tick()
    assert house.state(run.id).state is state


def test_cancelling_takes_the_requests_back(house: House) -> None:
    run_id = house.run("customers")
    house.visit(Books({"customers": []}), turns=1)
    with house.ctx.store.begin() as tx:
        assert runs.cancel(house.ctx, tx, run_id, house.clock()).state is State.CANCELLED
        assert exchange_store.waiting_count(tx, house.books, clear_before=house.clock()) == 0


def test_an_incremental_flow_asks_from_the_greatest_time_seen_less_the_overlap(house: House) -> None:
    with house.ctx.store.begin() as tx:
        flow_store.change_flow(tx, house.flows["customers"], incremental=True)
    seen = "2026-02-28T10:00:00+00:00"
    house.run("customers")
    house.visit(Books({"customers": [record("1", Changed=seen), record("2", Changed="2026-01-01T00:00:00+00:00")]}))
    house.tick()
    run_id = house.run("customers")
    requests = house.visit(Books({"customers": []}))
    assert house.state(run_id).state is State.READY
    assert requests[-1]["since"] == "2026-02-28T08:00:00+00:00"
    house.tick()
    with house.ctx.store.read() as tx:
        assert flow_store.cursor(tx, house.flows["customers"]) == {"modified": {"customers": seen}}


def test_a_refused_query_fails_the_run_with_the_reason(house: House) -> None:
    run_id = house.run("customers")
    house.visit(lambda request: {"mark": Books().mark, "name": "Toy Company"} if "who" in request.values() else "bad")
    assert house.state(run_id).state is State.FAILED
    assert (house.state(run_id).problem or {})["code"] == "toy-bad"


def test_a_passing_fault_of_a_page_starts_the_extract_anew_in_the_next_session(house: House) -> None:
    run_id = house.run("customers")
    books = Books({"customers": records([1])})
    house.visit(lambda request: {"error": "retry"} if "from" in request else books(request))
    assert house.state(run_id).state is State.WAITING
    house.visit(books)
    house.tick()
    assert house.state(run_id).state is State.DONE


def test_a_schedule_makes_runs_by_itself(house: House) -> None:
    from routebooks.engine import schedule

    with house.ctx.store.begin() as tx:
        flow_store.change_flow(tx, house.flows["customers"], schedule=schedule.at("02:00"))
    house.tick()
    with house.ctx.store.read() as tx:
        assert run_store.last_run(tx, house.flows["customers"]) is None
    house.clock.on(days=1)
    house.tick()
    house.tick()
    with house.ctx.store.read() as tx:
        made = run_store.list_runs(tx, flow_id=house.flows["customers"])
    assert len(made) == 1
    assert made[0].run.trigger == "schedule"
    assert made[0].run.late_after - made[0].run.not_before == timedelta(hours=1)


def test_a_schedule_that_is_set_today_does_not_catch_up_yesterday(house: House) -> None:
    from routebooks.engine import schedule

    house.clock.on(days=3)
    with house.ctx.store.begin() as tx:
        kept = schedule.begin(schedule.at("02:00"), house.clock())
        flow_store.change_flow(tx, house.flows["customers"], schedule=kept)
    house.tick()
    with house.ctx.store.read() as tx:
        assert run_store.last_run(tx, house.flows["customers"]) is None
    house.clock.on(days=1)
    house.tick()
    with house.ctx.store.read() as tx:
        assert run_store.last_run(tx, house.flows["customers"]) is not None
