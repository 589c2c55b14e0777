"""The way back: an order is posted once, whatever breaks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from house import Books, House, bring_in, look_again, open_codes, record, records, reread
from routebooks.engine import documents, ledger, order_answers, order_control, runs
from routebooks.errors import ConfigError, Problem
from routebooks.store import companies, rejected
from routebooks.store import exchange as exchange_store
from routebooks.store import flows as flow_store
from routebooks.store import ledger as ledger_store
from routebooks.store import runs as run_store
from routebooks.store.ledger import OrderState
from routebooks.store.runs import State
from toy import MAPS


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
    assert line.rejected.hint.startswith("Run the customers flow first (`routebooks flow run`)")
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
    with linked.ctx.store.read() as tx:
        (line,) = rejected.list_rejected(tx)
    assert line.rejected.hint.endswith("Then `routebooks order retry`.")
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

    for _ in range(order_answers.MAX_ATTEMPTS + 2):
        linked.run("orders")
        linked.tick()
        linked.visit(busy)
        linked.tick()
        linked.clock.on(hours=3)
    order = linked.order("A-1")
    assert order.state is OrderState.REFUSED
    with linked.ctx.store.read() as tx:
        attempts = ledger_store.write_attempts_of(tx, order.id)
    assert len(attempts) == order_answers.MAX_ATTEMPTS
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
        assert exchange_store.waiting_count(tx, linked.books, clear_before=linked.clock()) == 0
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


def test_a_query_that_asks_for_more_holds_what_was_read_before_and_changes_nothing_that_was_posted(
    linked: House,
) -> None:
    linked.orders.put("HELD", "9", "11")
    linked.orders.put("A-1", "1", "11")
    books = Books()
    bring_in(linked, books)
    held, posted = linked.orders.orders
    linked.orders.orders.clear()
    linked.orders.columns.append("dozens")
    with linked.ctx.store.begin() as tx:
        text = MAPS["orders"].replace("=[quantity]", "=COALESCE([dozens], [quantity])")
        flow_store.change_flow(tx, linked.flows["orders"], map_text=text)

    # The one that was posted comes again with the new column, the one that waits does not.
    linked.orders.orders.append(replace(posted, rows=({**posted.rows[0], "dozens": "4"},)))
    bring_in(linked, books)
    assert open_codes(linked) == ["order-read-otherwise"]
    assert linked.order("HELD").state is OrderState.HELD
    really = replace(posted, rows=({**posted.rows[0], "dozens": "4", "item": "12"},))
    linked.orders.orders[:] = [really]
    bring_in(linked, books)
    assert sorted(open_codes(linked)) == ["order-changed-after-posting", "order-read-otherwise"]

    # Saved again, it is read anew.
    linked.orders.orders[:] = [replace(held, rows=({**held.rows[0], "customer": "2", "dozens": "5"},))]
    bring_in(linked, books)
    assert open_codes(linked) == ["order-changed-after-posting"]
    assert [slip["lines"][0]["Quantity"] for slip in books.written] == ["2", "5"]


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
        assert exchange_store.waiting_count(tx, linked.books, clear_before=linked.clock()) == 0


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


def test_the_orders_database_is_told_of_another_reason_too(linked: House) -> None:
    linked.orders.put("A-1", "9", "11")
    books = Books()
    said = []
    for customer in ("9", "9", "8", "8"):
        reread(linked, rows=({**linked.orders.orders[0].rows[0], "customer": customer},))
        bring_in(linked, books)
        said.append([told.message.split(",")[0] for told in linked.orders.told])
        linked.orders.told.clear()
    nine, eight = (f"Order A-1 names the customer {number}" for number in "98")
    assert said == [[nine], [], [eight], []]


def test_a_reason_that_changes_while_the_database_is_told_is_not_taken_for_told(
    linked: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked.orders.put("A-1", "9", "11")
    write_back = linked.orders.write_back

    def held_otherwise_meanwhile(*arguments: Any) -> int:
        order, other = linked.order("A-1"), Problem("toy-other", "Another reason.", "")
        with linked.ctx.store.begin() as tx:
            ledger.set_aside(tx, order, order.state, other)
        return write_back(*arguments)

    monkeypatch.setattr(linked.orders, "write_back", held_otherwise_meanwhile)
    bring_in(linked, Books())
    assert (linked.order("A-1").state, linked.order("A-1").told) == (OrderState.HELD, None)
