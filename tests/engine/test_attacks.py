"""What an attacker of the engine found: each finding stays mended."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import house as houses
from house import Books, House, records
from routebooks.engine import deliver, exchange, order_answers, runs, sessions
from routebooks.store import companies, deliveries, rejected
from routebooks.store import exchange as exchange_store
from routebooks.store import flows as flow_store
from routebooks.store import ledger as ledger_store
from routebooks.store import runs as run_store
from routebooks.store.ledger import OrderState
from routebooks.store.runs import State


@pytest.fixture
def linked(linked: House) -> House:
    linked.orders.put("A-1", "1", "11")
    linked.run("orders")
    return linked


def loses_the_answer(books: Books) -> Callable[[dict[str, Any]], Any]:
    """Does every write, and its answer never arrives."""
    return lambda request: (books(request), None)[1] if "write" in request else books(request)


NO = [{"outcome": "retry"}, {"outcome": "hold"}, {"outcome": "stop"}, "bad"]


@pytest.mark.parametrize("no", NO, ids=["busy", "refused", "stopped", "unreadable"])
@pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])
def test_a_no_to_a_second_sending_says_nothing_of_the_first(linked: House, no: Any, done: bool) -> None:
    books = Books()
    linked.visit(loses_the_answer(books) if done else lambda request: None if "write" in request else books(request))
    linked.visit(lambda request: no if "write" in request else books(request))
    linked.tick()
    assert linked.order("A-1").state is (OrderState.POSTED if done else OrderState.NEW)
    linked.run("orders")
    linked.visit(books)
    linked.tick()
    assert linked.order("A-1").state is OrderState.POSTED
    assert len(books.written) == 1


def test_a_request_given_out_twice_in_a_session_was_sent_twice(linked: House) -> None:
    books = Books()
    opening = sessions.open_session(linked.ctx, linked.books)

    def turn(reply: dict[str, Any] | None = None) -> dict[str, Any]:
        request: dict[str, Any] = json.loads(exchange.hand_out(linked.ctx, opening.ticket, "C:/books"))
        answer = books(request) if reply is None else reply
        exchange.take(linked.ctx, opening.ticket, json.dumps(answer).encode(), "", "")
        return request

    turn()
    books(json.loads(exchange.hand_out(linked.ctx, opening.ticket, "C:/books")))
    assert "write" in turn({"outcome": "hold"})
    assert "find" in turn()
    assert linked.order("A-1").state is OrderState.POSTED


def codes(house: House) -> list[tuple[str, str]]:
    with house.ctx.store.read() as tx:
        return [(line.rejected.key, line.rejected.code) for line in rejected.list_rejected(tx)]


@pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize("silence", [None, "0x80010105"], ids=["lost", "broken down"])
def test_a_write_that_is_never_answered_is_looked_for_and_ends(linked: House, done: bool, silence: Any) -> None:
    linked.orders.put("A-2", "1", "11")
    books = Books()
    sent = 0

    def poisoned(request: dict[str, Any]) -> Any:
        nonlocal sent
        if request.get("key") != "A-1" or "write" not in request:
            return {"outcome": "retry"} if request.get("find") else books(request)
        sent += 1
        if done:
            books(request)
        return silence

    for _ in range(order_answers.MAX_SENDINGS + 3):
        linked.visit(poisoned)
    assert sent == order_answers.MAX_SENDINGS
    assert (linked.order("A-1").state, codes(linked)) == (OrderState.SENDING, [("A-1", "order-unanswered")])
    linked.clock.on(minutes=6)
    order_answers.look_again(linked.ctx)
    linked.visit(books)
    linked.tick()
    if done:
        assert (linked.order("A-1").state, codes(linked)) == (OrderState.POSTED, [])
    else:
        assert (linked.order("A-1").state, codes(linked)) == (OrderState.REFUSED, [("A-1", "order-unanswered")])
    linked.run("orders")
    linked.visit(books)
    linked.tick()
    assert linked.order("A-2").state is OrderState.POSTED
    assert len([slip for slip in books.written if slip["key"] == "A-1"]) == done


def test_an_order_that_quickbooks_is_never_clear_about_ends_with_a_person(linked: House) -> None:
    books = Books()
    for _ in range(order_answers.MAX_ATTEMPTS + 2):
        linked.visit(lambda request: {"outcome": "unknown"} if "write" in request else books(request))
        linked.tick()
        linked.run("orders")
    order = linked.order("A-1")
    assert (order.state, codes(linked)) == (OrderState.REFUSED, [("A-1", "order-unanswered")])
    with linked.ctx.store.read() as tx:
        assert len(ledger_store.write_attempts_of(tx, order.id)) == order_answers.MAX_ATTEMPTS


@pytest.mark.parametrize("no", [{"outcome": "stop"}, "bad"], ids=["stopped", "unreadable"])
def test_a_look_up_that_does_not_come_about_is_shown_to_a_person(linked: House, no: Any) -> None:
    books = Books()
    answers = {"write": {"outcome": "unknown"}, "find": no}
    linked.visit(lambda request: next((answers[kind] for kind in answers if kind in request), None) or books(request))
    ((key, code),) = codes(linked)
    assert (key, code) == ("A-1", "toy-bad" if no == "bad" else "toy-refusal")
    linked.clock.on(minutes=6)
    order_answers.look_again(linked.ctx)
    linked.visit(books)
    assert (linked.order("A-1").state, codes(linked)) == (OrderState.NEW, [])


def test_a_company_file_at_another_path_is_not_asked_what_became_of_a_write(linked: House) -> None:
    with linked.ctx.store.begin() as tx:
        companies.change_caller(tx, linked.books, bound_path="C:/elsewhere", seen_path="C:/books")
        waiting = exchange_store.next_waiting(tx, linked.books, clear_before=linked.clock(), writes=True)
        assert waiting is not None
        exchange_store.change_request(tx, waiting.id, kind="find")
        assert exchange_store.next_waiting(tx, linked.books, clear_before=linked.clock(), writes=False) is None


def test_a_clearing_that_quickbooks_cannot_read_is_given_up(linked: House) -> None:
    books = Books({"customers": records(range(1, 4))})
    linked.visit(books)
    linked.clock.on(days=8)
    customers = linked.run("customers")
    requests = linked.visit(lambda request: "bad" if "forget" in request else books(request), turns=50)
    assert sum("forget" in request for request in requests) == 1
    linked.tick()
    assert linked.state(customers).state is State.DONE


@pytest.mark.parametrize("kind", ["write", "find"])
def test_what_ends_every_session_is_asked_last(linked: House, kind: str) -> None:
    books = Books({"customers": records(range(1, 4))})

    def ends_the_session(request: dict[str, Any]) -> Any:
        if kind in request:
            return None
        return {"outcome": "unknown"} if "write" in request else books(request)

    linked.visit(ends_the_session)
    customers = linked.run("customers")
    linked.visit(ends_the_session)
    linked.tick()
    assert linked.state(customers).state is State.DONE
    linked.visit(books)
    assert linked.order("A-1").state is (OrderState.POSTED if kind == "write" else OrderState.NEW)


def test_an_order_at_which_quickbooks_breaks_down_keeps_nothing_else_from_going(linked: House) -> None:
    books = Books({"customers": records(range(1, 4))})
    customers = linked.run("customers")

    def breaks_down(request: dict[str, Any]) -> Any:
        return "0x80010105" if "write" in request else books(request)

    for _ in range(3):
        linked.visit(breaks_down)
    linked.tick()
    assert linked.state(customers).state is State.DONE
    linked.visit(books)
    linked.tick()
    assert linked.order("A-1").state is OrderState.POSTED
    assert len(books.written) == 1


def test_a_session_that_a_new_log_in_ended_gets_nothing_more(linked: House) -> None:
    first = sessions.open_session(linked.ctx, linked.books)
    sessions.open_session(linked.ctx, linked.books)
    with linked.ctx.store.begin() as tx:
        assert sessions.visit(linked.ctx, tx, first.ticket, linked.clock()) is None


class Reader:
    """A connector in the middle of an extract: it has a page of it, whose answer it has not brought yet."""

    def __init__(self, house: House) -> None:
        self.house, self.books = house, Books({"customers": records(range(40))}, page=10)
        self.run_id = house.run("customers")
        self.ticket = sessions.open_session(house.ctx, house.books).ticket
        for _ in range(2):
            assert self.bring(self.next()) > 0
        self.answer = self.next()

    def next(self) -> bytes:
        request = exchange.hand_out(self.house.ctx, self.ticket, "C:/books")
        return json.dumps(self.books(json.loads(request))).encode()

    def bring(self, answer: bytes) -> int:
        return exchange.take(self.house.ctx, self.ticket, answer, "", "")

    def open_requests(self) -> list[str]:
        with self.house.ctx.store.read() as tx:
            return [each.kind for each in exchange_store.requests_of(tx, connection_id=self.house.books)]


def test_a_page_that_waits_for_an_attempt_which_ended_keeps_no_session_from_its_end(house: House) -> None:
    reader = Reader(house)
    assert reader.bring(reader.answer) > 0
    with house.ctx.store.begin() as tx:
        (extract,) = run_store.extracts_of(tx, house.state(reader.run_id).night_id).values()
        (attempt,) = run_store.attempts_of(tx, extract.id)
        run_store.end_attempt(tx, attempt.id, "broken", house.clock())
    assert reader.open_requests() == ["page"]
    sessions.close(house.ctx, reader.ticket)
    assert reader.open_requests() == []


@pytest.mark.parametrize("way", ["cancelled", "expired", "failed"])
def test_a_page_that_comes_while_its_run_is_given_up_is_not_kept(tmp_path: Path, fresh_postgres: str, way: str) -> None:
    house = houses.build(tmp_path, fresh_postgres)
    reader, brought = Reader(house), []
    thread = threading.Thread(target=lambda: brought.append(reader.bring(reader.answer)))
    if way == "expired":
        house.clock.on(days=2)
    with house.ctx.store.begin() as tx:
        if way == "cancelled":
            runs.cancel(house.ctx, tx, reader.run_id, house.clock())
        elif way == "expired":
            runs._expire(house.ctx, tx, house.clock())
        else:
            runs.fail(house.ctx, tx, run_store.run(tx, reader.run_id), exchange.SKIPPED, house.clock())
        thread.start()
        with house.ctx.store.engine.connect() as looks:
            while not looks.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted").scalar_one():
                assert thread.is_alive(), "it did not wait"
    thread.join(30)
    assert brought == [exchange.BROKEN_OFF]
    assert house.state(reader.run_id).state == way
    sessions.close(house.ctx, reader.ticket)
    assert reader.open_requests() == []
    house.ctx.store.close()


def test_another_path_within_a_session_is_asked_who_it_is_again(linked: House) -> None:
    books = Books()
    opening = sessions.open_session(linked.ctx, linked.books)
    request = exchange.hand_out(linked.ctx, opening.ticket, "C:/books")
    exchange.take(linked.ctx, opening.ticket, json.dumps(books(json.loads(request))).encode(), "", "")
    assert json.loads(exchange.hand_out(linked.ctx, opening.ticket, "D:/copy")) == {"ask": "who"}
    assert books.written == []


def held(house: House, count: int) -> int:
    run_id = house.run("customers")
    house.visit(Books({"customers": records(range(count))}))
    house.tick()
    return run_id


def delivery_id(house: House, run_id: int) -> int:
    with house.ctx.store.read() as tx:
        found = deliveries.delivery_of_run(tx, run_id)
    assert found is not None
    return found.id


def test_a_file_released_late_does_not_turn_a_newer_one_back(house: House) -> None:
    held(house, 50)
    old = held(house, 10)
    assert house.state(old).state is State.HELD
    newer = house.run("customers")
    with house.ctx.store.begin() as tx:
        deliver.release(tx, delivery_id(house, old), "test", house.clock())
    house.files.fail = 1
    house.tick()
    house.visit(Books({"customers": records(range(60))}))
    house.tick()
    house.clock.on(minutes=5)
    house.tick()
    assert house.state(newer).state is State.DONE
    assert house.state(old).state is State.SUPERSEDED
    assert len(house.file("list").splitlines()) == 60


def test_a_file_that_is_sent_again_leaves_a_held_one_held(house: House) -> None:
    first = held(house, 50)
    newer = held(house, 10)
    with house.ctx.store.begin() as tx:
        deliver.resend(tx, delivery_id(house, first), "test", house.clock())
    house.tick()
    assert house.state(newer).state is State.HELD


def test_work_that_ended_without_moving_its_run_is_tried_again(house: House) -> None:
    run_id = house.run("customers")
    house.visit(Books({"customers": records([1])}))
    before = house.state(run_id)
    house.clock.on(minutes=2)
    assert runs.bring_back(house.ctx, lambda ids: {each for each in ids if each == before.workflow_id}) == 1
    again = house.state(run_id)
    assert (again.state, again.tries) == (State.READY, before.tries + 1)
    house.clock.on(minutes=1)
    house.tick()
    assert house.state(run_id).state is State.DONE


def test_two_runs_of_one_flow_never_work_at_once(house: House) -> None:
    first = held(house, 5)
    with house.ctx.store.begin() as tx:
        flow = flow_store.flow(tx, house.flows["customers"])
        made = [deliver.resend(tx, delivery_id(house, first), "test", house.clock()) for _ in range(2)]
    started: list[int] = []
    runs.tick(house.ctx, lambda run: started.append(run.id))
    assert started == made[:1]
    assert flow.id == house.flows["customers"]
