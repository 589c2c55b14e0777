"""The way back: an order is posted once, whatever breaks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from house import Books, House, look_again, record, records
from routebooks.connectors.base import Setting
from routebooks.engine import connections, documents, ledger, order_control, order_reading, runs
from routebooks.errors import ConfigError
from routebooks.store import companies, rejected
from routebooks.store import exchange as exchange_store
from routebooks.store import flows as flow_store
from routebooks.store import ledger as ledger_store
from routebooks.store import runs as run_store
from routebooks.store.ledger import OrderState
from routebooks.store.runs import State
from toy import MAPS


@pytest.fixture
def linked(house: House) -> House:
    """The house after a first night: customers 1-3 and items 11-13 are delivered and linked."""
    books = Books({"customers": records(range(1, 4)), "items": records(range(11, 14))})
    house.run("customers")
    house.run("items")
    house.visit(books)
    house.tick()
    return house


def bring_in(house: House, books: Books) -> None:
    """An order run from its start to its end, with a rightly answering caller."""
    house.run("orders")
    house.tick()
    house.visit(books)
    house.tick()


def test_an_order_becomes_one_write_with_the_ids_of_its_links(linked: House) -> None:
    linked.orders.put("A-1", "2", "11", "13")
    books = Books()
    bring_in(linked, books)
    (slip,) = books.written
    assert slip["write"] == {"Key": "A-1", "Customer": "id-2-"}
    assert [line["Item"] for line in slip["lines"]] == ["id-11-", "id-13-"]
    assert len(slip["set"]) <= 24
    order = linked.order("A-1")
    assert (order.state, order.number, order.told) == (OrderState.POSTED, "1", "posted")
    assert [(told.key, told.status, told.number) for told in linked.orders.told] == [("A-1", "posted", "1")]
    assert {"forget": slip["set"]} in books.seen


def test_reading_the_same_order_again_posts_nothing(linked: House) -> None:
    linked.orders.put("A-1", "2", "11")
    books = Books()
    for _ in range(3):
        bring_in(linked, books)
    assert len(books.written) == 1


def test_a_lost_answer_sends_the_same_bytes_again(linked: House) -> None:
    linked.orders.put("A-1", "1", "11")
    books = Books()
    linked.run("orders")
    linked.tick()

    def answers_the_write_into_the_void(request: dict[str, Any]) -> dict[str, Any] | None:
        reply = books(request)
        return None if "write" in request else reply

    linked.visit(answers_the_write_into_the_void)
    linked.visit(books)
    linked.tick()
    writes = [request for request in books.seen if "write" in request]
    assert len(writes) == 2
    assert writes[0] == writes[1]
    assert len(books.written) == 1
    assert linked.order("A-1").state is OrderState.POSTED


def test_an_unknown_customer_holds_the_order_until_it_went_out(linked: House) -> None:
    linked.orders.put("A-1", "9", "11")
    linked.orders.put("A-2", "1", "11")
    books = Books({"customers": [*records(range(1, 4)), record("9")]})
    bring_in(linked, books)
    assert [slip["key"] for slip in books.written] == ["A-2"]
    assert linked.order("A-1").state is OrderState.HELD
    with linked.ctx.store.read() as tx:
        (line,) = rejected.list_rejected(tx)
    assert line.rejected.code == "customer-not-linked"
    assert "customer 9" in line.rejected.message
    assert line.rejected.record["rows"][0]["customer"] == "9"
    linked.run("customers")
    linked.visit(books)
    linked.tick()
    bring_in(linked, books)
    assert linked.order("A-1").state is OrderState.POSTED
    with linked.ctx.store.read() as tx:
        assert rejected.list_rejected(tx) == []


def test_a_refused_order_waits_for_a_person_and_gets_a_new_set_id(linked: House) -> None:
    linked.orders.put("A-1", "1", "11")
    books = Books()

    def refuses(request: dict[str, Any]) -> dict[str, Any]:
        return {"outcome": "hold", "why": "Inactive item."} if "write" in request else books(request)

    linked.run("orders")
    linked.tick()
    first = next(request for request in linked.visit(refuses) if "write" in request)
    linked.tick()
    assert linked.order("A-1").state is OrderState.REFUSED
    bring_in(linked, books)
    assert books.written == []
    with linked.ctx.store.begin() as tx:
        order_control.retry(linked.ctx, tx, linked.order("A-1"), linked.clock())
    linked.tick()
    linked.tick()
    linked.visit(books)
    linked.tick()
    assert linked.order("A-1").state is OrderState.POSTED
    assert books.written[0]["set"] != first["set"]
    with pytest.raises(ConfigError), linked.ctx.store.begin() as tx:
        order_control.retry(linked.ctx, tx, linked.order("A-1"), linked.clock())


def test_too_busy_is_tried_again_with_a_new_attempt_and_ends_in_the_list(linked: House) -> None:
    linked.orders.put("A-1", "1", "11")
    books = Books()

    def busy(request: dict[str, Any]) -> dict[str, Any]:
        return {"outcome": "retry"} if "write" in request else books(request)

    for _ in range(ledger.MAX_ATTEMPTS + 2):
        linked.run("orders")
        linked.tick()
        linked.visit(busy)
        linked.tick()
        linked.clock.on(hours=3)
    order = linked.order("A-1")
    assert order.state is OrderState.REFUSED
    with linked.ctx.store.read() as tx:
        attempts = ledger_store.write_attempts_of(tx, order.id)
    assert len(attempts) == ledger.MAX_ATTEMPTS
    assert len({attempt.set_id for attempt in attempts}) == len(attempts)


@pytest.mark.parametrize("posted", [True, False])
def test_an_unknown_outcome_is_looked_up_before_anything_is_written_again(linked: House, posted: bool) -> None:
    linked.orders.put("A-1", "1", "11")
    books = Books()

    def forgets(request: dict[str, Any]) -> dict[str, Any]:
        if "write" not in request:
            return books(request)
        if posted:
            books(request)
        return {"outcome": "unknown"}

    linked.run("orders")
    linked.tick()
    requests = linked.visit(forgets)
    assert {"find": "A-1", "customer": "id-1-"} in requests
    linked.tick()
    assert linked.order("A-1").state is (OrderState.POSTED if posted else OrderState.NEW)
    bring_in(linked, books)
    assert linked.order("A-1").state is OrderState.POSTED
    assert len(books.written) == 1


def test_a_look_up_that_fails_is_asked_again_later(linked: House) -> None:
    linked.orders.put("A-1", "1", "11")
    books = Books()

    def silent(request: dict[str, Any]) -> dict[str, Any]:
        if "write" in request:
            books(request)
            return {"outcome": "unknown"}
        return {"outcome": "retry"} if "find" in request else books(request)

    linked.run("orders")
    linked.tick()
    linked.visit(silent)
    look_again(linked)
    with linked.ctx.store.read() as tx:
        assert exchange_store.waiting_count(tx, linked.books) == 0
    linked.clock.on(minutes=6)
    look_again(linked)
    linked.visit(books)
    assert linked.order("A-1").state is OrderState.POSTED
    assert len(books.written) == 1


def test_a_stop_withdraws_what_has_not_left(linked: House) -> None:
    for number in range(4):
        linked.orders.put(f"A-{number}", "1", "11")
    books = Books()
    run_id = linked.run("orders")
    linked.tick()
    requests = linked.visit(lambda request: {"outcome": "stop"} if "write" in request else books(request))
    assert sum("write" in request for request in requests) == 1
    assert linked.state(run_id).state is State.FAILED
    assert linked.order("A-0").state is OrderState.HELD
    assert {linked.order(f"A-{number}").state for number in (1, 2, 3)} == {OrderState.NEW}
    bring_in(linked, books)
    assert sorted(slip["key"] for slip in books.written) == ["A-0", "A-1", "A-2", "A-3"]


def test_a_moved_company_file_holds_writes_but_not_reads(linked: House) -> None:

    linked.orders.put("A-1", "1", "11")
    with linked.ctx.store.begin() as tx:
        companies.change_caller(tx, linked.books, bound_path="C:/elsewhere")
    linked.run("orders")
    linked.run("customers")
    linked.tick()
    books = Books({"customers": records([1])})
    requests = linked.visit(books)
    assert any("from" in request for request in requests)
    assert books.written == []
    with linked.ctx.store.begin() as tx:
        companies.change_caller(tx, linked.books, bound_path="C:/books")
    linked.visit(books)
    assert len(books.written) == 1


@pytest.mark.parametrize("wrong", [{"name": "Other Company"}, {"mark": "{0}"}, {"mark": ""}])
def test_nothing_goes_to_a_company_file_that_is_not_the_bound_one(linked: House, wrong: dict[str, str]) -> None:
    linked.orders.put("A-1", "1", "11")
    linked.run("orders")
    linked.tick()
    other = Books(**wrong)  # type: ignore[arg-type]
    assert linked.visit(other) == [{"ask": "who"}]
    right = Books()
    linked.visit(right)
    assert len(right.written) == 1


def test_a_pause_is_obeyed_between_two_requests(linked: House) -> None:

    for number in range(3):
        linked.orders.put(f"A-{number}", "1", "11")
    linked.run("orders")
    linked.tick()
    books = Books()

    def paused_after_the_first(request: dict[str, Any]) -> dict[str, Any]:
        if "write" in request:
            with linked.ctx.store.begin() as tx:
                companies.change_connection(tx, linked.books, paused_at=linked.clock())
        return books(request)

    linked.visit(paused_after_the_first)
    assert len(books.written) == 1
    linked.visit(books)
    assert len(books.written) == 1
    with linked.ctx.store.begin() as tx:
        companies.change_connection(tx, linked.books, paused_at=None)
    linked.visit(books)
    assert len(books.written) == 3


def test_an_order_that_cannot_be_written_down_is_held_and_the_others_go(linked: House) -> None:
    linked.orders.put("TOO-STRANGE", "1", "11")
    linked.orders.put("A-2", "1", "11")
    books = Books()
    bring_in(linked, books)
    assert [slip["key"] for slip in books.written] == ["A-2"]
    assert linked.order("TOO-STRANGE").state is OrderState.HELD
    assert {told.status for told in linked.orders.told} == {"held", "posted"}


def test_an_orders_database_that_is_away_is_asked_again(linked: House) -> None:
    linked.orders.put("A-1", "1", "11")
    linked.orders.away = True
    run_id = linked.run("orders")
    linked.tick()
    assert linked.state(run_id).state is State.READY
    linked.orders.away = False
    linked.clock.on(minutes=1)
    linked.tick()
    books = Books()
    linked.visit(books)
    linked.tick()
    assert linked.state(run_id).state is State.DONE
    assert len(books.written) == 1


def test_an_order_that_changed_after_posting_is_reported_and_not_posted_again(linked: House) -> None:
    linked.orders.put("A-1", "1", "11")
    books = Books()
    bring_in(linked, books)
    posted = linked.orders.orders[0]
    changed = replace(posted, rows=({**posted.rows[0], "quantity": "9"},))
    for order, codes in ((changed, ["order-changed-after-posting"]), (posted, [])):
        linked.orders.orders[0] = order
        bring_in(linked, books)
        with linked.ctx.store.read() as tx:
            assert [line.rejected.code for line in rejected.list_rejected(tx)] == codes
    untouched = replace(posted, rows=({**posted.rows[0], "sync_status": "posted"},))
    linked.orders.orders[0] = untouched
    bring_in(linked, books)
    with linked.ctx.store.read() as tx:
        assert rejected.list_rejected(tx) == []
    assert len(books.written) == 1


def test_a_run_that_is_cancelled_while_orders_are_prepared_sends_nothing(
    linked: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked.orders.put("A-1", "1", "11")
    settle = documents.settle

    def cancelled_meanwhile(*arguments: Any) -> documents.Settled:
        with linked.ctx.store.begin() as tx:
            (run,) = run_store.active_runs(tx)
            runs.cancel(linked.ctx, tx, run.id, linked.clock())
        return settle(*arguments)

    monkeypatch.setattr(documents, "settle", cancelled_meanwhile)
    run_id = linked.run("orders")
    assert linked.state(run_id).state is State.CANCELLED
    assert linked.order("A-1").state is OrderState.NEW
    with linked.ctx.store.read() as tx:
        assert exchange_store.waiting_count(tx, linked.books) == 0


def open_codes(house: House) -> list[str]:
    """The codes in the rejected list."""
    with house.ctx.store.read() as tx:
        return [line.rejected.code for line in rejected.list_rejected(tx)]


@pytest.mark.parametrize(
    ("change", "code"),
    [({"cancelled": True}, "order-cancelled-after-posting"), ({"quantity": "9"}, "order-changed-after-posting")],
)
def test_what_happens_to_an_order_on_its_way_is_reported_with_the_answer(
    linked: House, change: dict[str, Any], code: str
) -> None:
    linked.orders.put("A-1", "1", "11")
    run_id = linked.run("orders")
    assert linked.order("A-1").state is OrderState.SENDING
    sent = linked.orders.orders.pop()
    now = replace(sent, cancelled=True) if "cancelled" in change else replace(sent, rows=({**sent.rows[0], **change},))
    linked.orders.orders.append(now)
    order_reading.read_orders(linked.ctx, run_id)
    linked.orders.orders.clear()
    assert open_codes(linked) == []
    books = Books()
    linked.visit(books)
    linked.tick()
    assert linked.state(run_id).state is State.DONE
    assert (linked.order("A-1").state, linked.order("A-1").later) == (OrderState.POSTED, None)
    assert open_codes(linked) == [code]
    assert [line["Quantity"] for line in books.written[0]["lines"]] == ["2"]


def test_an_order_cancelled_on_its_way_and_refused_is_not_tried_again(linked: House) -> None:
    linked.orders.put("A-1", "1", "11")
    run_id = linked.run("orders")
    linked.orders.orders = [replace(linked.orders.orders[0], cancelled=True)]
    order_reading.read_orders(linked.ctx, run_id)
    linked.orders.orders.clear()
    books = Books()
    linked.visit(lambda request: {"outcome": "stop"} if "write" in request else books(request))
    assert linked.state(run_id).state is State.FAILED
    bring_in(linked, books)
    assert books.written == []
    assert open_codes(linked) == []


def test_an_order_that_reads_again_as_it_went_out_is_no_change(linked: House) -> None:
    linked.orders.put("A-1", "1", "11")
    run_id = linked.run("orders")
    sent = linked.orders.orders[0]
    for item in (replace(sent, cancelled=True), sent):
        linked.orders.orders = [item]
        order_reading.read_orders(linked.ctx, run_id)
    linked.visit(Books())
    linked.tick()
    assert linked.order("A-1").state is OrderState.POSTED
    assert open_codes(linked) == []


def reread(house: House, **changed: Any) -> None:
    """The first order as it stands in its database from now on."""
    house.orders.orders[0] = replace(house.orders.orders[0], **changed)


def test_an_order_that_was_put_off_and_reopened_is_posted(linked: House) -> None:
    linked.orders.put("A-1", "9", "11")
    books = Books()
    bring_in(linked, books)
    assert open_codes(linked) == ["customer-not-linked"]
    reread(linked, cancelled=True)
    for _ in range(2):
        bring_in(linked, books)
        assert linked.order("A-1").state is OrderState.DROPPED
        assert open_codes(linked) == []
    assert [told.status for told in linked.orders.told] == ["held", "dropped"]
    reread(linked, cancelled=False, rows=({**linked.orders.orders[0].rows[0], "customer": "1"},))
    bring_in(linked, books)
    order = linked.order("A-1")
    assert (order.state, order.problem, order.told) == (OrderState.POSTED, None, "posted")
    assert [slip["write"]["Customer"] for slip in books.written] == ["id-1-"]


def test_a_map_that_gives_orders_another_key_still_holds_the_right_ones(linked: House) -> None:
    text = MAPS["orders"].replace("Key: =[order_no]", "Key: =[customer]")
    with linked.ctx.store.begin() as tx:
        flow_store.change_flow(tx, linked.flows["orders"], map_text=text)
    linked.orders.put("A-1", "1", "11", "12")
    linked.orders.put("A-2", "2", "11")
    first = linked.orders.orders[0]
    reread(linked, rows=(first.rows[0], {**first.rows[1], "quantity": "many"}))
    books = Books()
    bring_in(linked, books)
    assert [(slip["key"], slip["write"]["Key"]) for slip in books.written] == [("A-2", "2")]
    held = linked.order("A-1")
    assert held.state is OrderState.HELD
    assert held.problem is not None
    assert "many" in held.problem["message"]


def begin_at(house: House, start_date: str) -> None:
    with house.ctx.store.begin() as tx:
        flow_store.change_flow(tx, house.flows["orders"], settings={"start_date": start_date})


def test_orders_of_before_the_start_date_are_not_taken(linked: House) -> None:
    for key in ("A-1", "A-2", "A-3"):
        linked.orders.put(key, "1", "11")
    first, second, third = (order.stamp for order in linked.orders.orders)
    begin_at(linked, second.isoformat())
    books = Books()
    for _ in range(2):
        bring_in(linked, books)
        assert [slip["key"] for slip in books.written] == ["A-2", "A-3"]
    begin_at(linked, (third + timedelta(days=1)).isoformat())
    bring_in(linked, books)
    begin_at(linked, first.isoformat())
    bring_in(linked, books)
    assert [slip["key"] for slip in books.written] == ["A-2", "A-3", "A-1"]


def test_without_a_start_date_any_more_all_orders_are_taken_and_cancellations_seen(linked: House) -> None:
    for key in ("A-1", "A-2"):
        linked.orders.put(key, "1", "11")
    begin_at(linked, linked.orders.orders[1].stamp.isoformat())
    books = Books()
    bring_in(linked, books)
    begin_at(linked, "")
    linked.orders.orders[1] = replace(linked.orders.orders[1], cancelled=True)
    bring_in(linked, books)
    assert [slip["key"] for slip in books.written] == ["A-2", "A-1"]
    assert open_codes(linked) == ["order-cancelled-after-posting"]


@pytest.mark.parametrize("known", [False, True], ids=["at first sight", "while it is held"])
def test_an_order_that_was_posted_elsewhere_waits_for_a_person(linked: House, known: bool) -> None:
    linked.orders.put("A-1", "9" if known else "1", "11")
    books = Books()
    if known:
        bring_in(linked, books)
        told = list(linked.orders.told)
        reread(linked, rows=({**linked.orders.orders[0].rows[0], "customer": "1"},))
    reread(linked, external_id="T-elsewhere")
    for _ in range(2):
        bring_in(linked, books)
        order = linked.order("A-1")
        assert (order.state, order.external_id) == (OrderState.REFUSED, "T-elsewhere")
        assert open_codes(linked) == ["order-posted-elsewhere"]
    assert books.written == []
    assert linked.orders.told == (told if known else [])
    with linked.ctx.store.begin() as tx:
        order_control.retry(linked.ctx, tx, order, linked.clock())
    bring_in(linked, books)
    order = linked.order("A-1")
    assert (order.state, order.external_id) == (OrderState.POSTED, f"T-{books.written[0]['set']}")
    assert open_codes(linked) == []
    reread(linked, external_id=order.external_id)
    bring_in(linked, books)
    assert (linked.order("A-1").state, len(books.written)) == (OrderState.POSTED, 1)


def correct(house: House, **given: str) -> None:
    """Change settings of the orders connection."""
    house.orders.settings = (
        Setting(name="url", help="Address.", default="", secret=True, read_anew=True),
        Setting(name="zone", help="Zone of stamps.", default="UTC", read_anew=True),
        Setting(name="room", help="Orders at once.", default="1"),
    )
    with house.ctx.store.begin() as tx:
        row = companies.connection(tx, house.flow("orders").source_id)
        connections.change(house.ctx, tx, row, given, "test")


@pytest.fixture
def overlooked(linked: House) -> tuple[House, Books]:
    """A-1 is posted; A-0 lies far behind the cursor."""
    linked.orders.put("A-1", "1", "11")
    books = Books()
    bring_in(linked, books)
    linked.orders.put("A-0", "1", "11")
    linked.orders.orders.reverse()
    reread(linked, stamp=linked.orders.orders[1].stamp - timedelta(hours=5))
    return linked, books


@pytest.mark.parametrize("given", [{"zone": "America/New_York"}, {"url": "elsewhere"}], ids=["zone", "secret"])
def test_a_corrected_connection_is_read_from_the_start(overlooked: tuple[House, Books], given: dict[str, str]) -> None:
    house, books = overlooked
    correct(house, zone="UTC", url="", room="2")
    bring_in(house, books)
    assert [slip["key"] for slip in books.written] == ["A-1"]
    correct(house, **given)
    bring_in(house, books)
    assert [slip["key"] for slip in books.written] == ["A-1", "A-0"]


def test_a_connection_that_is_corrected_while_it_is_read_is_read_again(
    overlooked: tuple[House, Books], monkeypatch: pytest.MonkeyPatch
) -> None:
    house, books = overlooked
    read = house.orders.read_orders

    def corrected_meanwhile(*arguments: Any) -> Any:
        found = read(*arguments)
        correct(house, zone="America/New_York")
        return found

    monkeypatch.setattr(house.orders, "read_orders", corrected_meanwhile)
    bring_in(house, books)
    monkeypatch.undo()
    bring_in(house, books)
    assert [slip["key"] for slip in books.written] == ["A-1", "A-0"]
