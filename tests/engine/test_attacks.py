"""What an attacker of the engine found: each finding stays mended."""

from __future__ import annotations

import json
from typing import Any

import pytest

from house import Books, House, records
from routebooks.engine import deliver, exchange, runs, sessions
from routebooks.store import companies, deliveries
from routebooks.store import exchange as exchange_store
from routebooks.store import flows as flow_store
from routebooks.store.ledger import OrderState
from routebooks.store.runs import State


@pytest.fixture
def linked(house: House) -> House:
    house.run("customers")
    house.run("items")
    house.visit(Books({"customers": records(range(1, 4)), "items": records(range(11, 14))}))
    house.tick()
    house.orders.put("A-1", "1", "11")
    house.run("orders")
    return house


def test_too_busy_for_a_second_sending_says_nothing_of_the_first(linked: House) -> None:
    books = Books()
    linked.visit(lambda request: (books(request), None)[1] if "write" in request else books(request))
    assert len(books.written) == 1
    linked.clock.on(minutes=1)
    linked.visit(lambda request: {"outcome": "retry"} if "write" in request else books(request))
    linked.tick()
    assert linked.order("A-1").state is OrderState.POSTED
    assert len(books.written) == 1


def test_a_company_file_at_another_path_is_not_asked_what_became_of_a_write(linked: House) -> None:
    with linked.ctx.store.begin() as tx:
        companies.change_caller(tx, linked.books, bound_path="C:/elsewhere", seen_path="C:/books")
        waiting = exchange_store.next_waiting(tx, linked.books, writes=True)
        assert waiting is not None
        exchange_store.change_request(tx, waiting.id, kind="find")
        assert exchange_store.next_waiting(tx, linked.books, writes=False) is None


def test_a_clearing_that_quickbooks_cannot_read_is_given_up(linked: House) -> None:
    books = Books({"customers": records(range(1, 4))})
    customers = linked.run("customers")
    requests = linked.visit(lambda request: "bad" if "forget" in request else books(request), turns=50)
    assert sum("forget" in request for request in requests) == 1
    linked.tick()
    assert linked.state(customers).state is State.DONE


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
