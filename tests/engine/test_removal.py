"""What is taken out of use is at rest, forgets its secrets, and keeps the ledger by which no order goes twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from house import Books, House, record, records
from routebooks.engine import companies as company_rules
from routebooks.engine import deliver, exchange, flows, removal, runs, sessions
from routebooks.engine.context import Context
from routebooks.engine.flows import FlowTemplate
from routebooks.errors import ConfigError
from routebooks.store import companies, deliveries, rejected
from routebooks.store import flows as flow_store
from routebooks.store import ledger as ledger_store
from routebooks.store.database import Tx
from routebooks.store.ledger import OrderState
from routebooks.store.runs import State

ORDERS = FlowTemplate("orders", "back", "orders", "slips", "orders")
ITEMS = FlowTemplate("items", "out", "items", "list", "items")


def within(house: House, change: Callable[[Context, Tx], object]) -> None:
    with house.ctx.store.begin() as tx:
        change(house.ctx, tx)


def refused(house: House, change: Callable[[Context, Tx], object]) -> str:
    with pytest.raises(ConfigError) as caught:
        within(house, change)
    return caught.value.problem.code


def remove_flow(house: House, name: str) -> None:
    flow = house.flow(name)
    within(house, lambda ctx, tx: removal.remove_flow(ctx, tx, flow, "test"))


def remove_connection(ctx: Context, tx: Tx, house: House, name: str) -> None:
    row = companies.connection_named(tx, house.company_id, name)
    assert row is not None
    removal.remove_connection(ctx, tx, row, "test")


def remove_company(ctx: Context, tx: Tx, house: House) -> None:
    removal.remove_company(ctx, tx, companies.company(tx, house.company_id), "test")


def posted(house: House) -> Books:
    """A house whose order A-1 stands in the books."""
    for name in ("customers", "items"):
        house.run(name)
    books = Books({"customers": records([1]), "items": records([11])})
    house.visit(books)
    house.tick()
    house.orders.put("A-1", "1", "11")
    house.run("orders")
    house.visit(books)
    house.tick()
    assert house.order("A-1").state is OrderState.POSTED
    return books


def test_a_removed_flow_is_at_rest_and_what_it_did_is_kept(house: House) -> None:
    posted(house)
    within(house, lambda ctx, tx: flow_store.change_flow(tx, house.flows["items"], schedule={"kind": "every"}))
    remove_flow(house, "items")
    flow = house.flow("items")
    assert (flow.enabled, flow.schedule, flow.name) == (False, None, f"items (removed, {flow.id})")
    with house.ctx.store.read() as tx:
        assert [each.name for each in flow_store.flows_of(tx)] == ["customers", "orders"]
        (file,) = (line for line in deliveries.list_deliveries(tx) if line.delivery.flow_id == flow.id)
    assert refused(house, lambda ctx, tx: runs.create(ctx, tx, [flow], "person", ctx.now())) == "flow-removed"
    assert refused(house, lambda ctx, tx: deliver.resend(tx, file.delivery.id, "test", ctx.now())) == "flow-removed"


def test_what_waits_for_a_person_leaves_with_the_flow(house: House) -> None:
    run_id = house.run("items")
    house.visit(Books({"items": []}))
    house.tick()
    assert house.state(run_id).state is State.HELD
    rejecting = house.run("customers")
    house.visit(Books({"customers": [record("")]}))
    house.tick()
    with house.ctx.store.read() as tx:
        assert rejected.count_open(tx) == {house.company_id: 1}
    assert house.state(rejecting).records_rejected == 1
    for name in ("items", "customers"):
        remove_flow(house, name)
    assert house.state(run_id).state is State.CANCELLED
    with house.ctx.store.read() as tx:
        assert rejected.count_open(tx) == {}


def test_nothing_is_removed_while_it_is_at_work(house: House) -> None:
    books = posted(house)
    house.run("items")
    items = house.flow("items")
    assert refused(house, lambda ctx, tx: removal.remove_flow(ctx, tx, items, "test")) == "runs-active"
    assert refused(house, lambda ctx, tx: remove_company(ctx, tx, house)) == "runs-active"
    house.visit(books)
    house.tick()
    assert refused(house, lambda ctx, tx: remove_connection(ctx, tx, house, "toy_files")) == "connection-in-use"


def test_nothing_is_removed_while_only_the_books_know_what_became_of_an_order(house: House) -> None:
    posted(house)
    order = house.order("A-1")
    within(house, lambda ctx, tx: ledger_store.change_order(tx, order.id, state=OrderState.SENDING))
    orders = house.flow("orders")
    assert refused(house, lambda ctx, tx: removal.remove_flow(ctx, tx, orders, "test")) == "orders-sending"
    assert refused(house, lambda ctx, tx: remove_company(ctx, tx, house)) == "orders-sending"


def test_a_flow_that_comes_back_posts_no_order_twice(house: House) -> None:
    books = posted(house)
    remove_flow(house, "orders")
    house.orders.put("A-2", "1", "11")
    now, company = house.clock(), house.company_id

    def back(_: Context, tx: Tx) -> None:
        ends = {"source": "toy_orders", "target": "toy_caller"}
        assert flows.add(tx, company_id=company, template=ORDERS, **ends, now=now) == house.flows["orders"]

    within(house, back)
    assert house.flow("orders").name == "orders"
    house.run("orders")
    house.visit(books)
    house.tick()
    assert [slip["key"] for slip in books.written] == ["A-1", "A-2"]


def test_a_flow_of_files_that_comes_back_begins_at_the_start(house: House) -> None:
    posted(house)
    within(house, lambda ctx, tx: flow_store.set_cursor(tx, house.flows["items"], {"modified": {}}, ctx.now()))
    remove_flow(house, "items")
    now, company = house.clock(), house.company_id
    ends = {"source": "toy_caller", "target": "toy_files"}
    within(house, lambda _, tx: flows.add(tx, company_id=company, template=ITEMS, **ends, now=now))
    with house.ctx.store.read() as tx:
        assert flow_store.cursor(tx, house.flows["items"]) is None


def test_a_removed_connection_forgets_its_secrets_and_lets_nobody_in(house: House) -> None:
    ticket = sessions.open_session(house.ctx, house.books).ticket
    for name in house.flows:
        remove_flow(house, name)
    within(house, lambda ctx, tx: remove_connection(ctx, tx, house, "toy_caller"))
    with house.ctx.store.read() as tx:
        row = companies.connection(tx, house.books)
        assert house.ctx.vault.open(row.secrets) == {}
        assert companies.caller_named(tx, house.user_name) is None
        assert row.id not in [each.id for each in companies.connections_of(tx)]
    assert exchange.hand_out(house.ctx, ticket, "C:/books") == b""
    assert sessions.last_error(house.ctx, ticket) == "There is nothing to do now."


def test_a_company_that_comes_back_has_its_ledger(house: House) -> None:
    posted(house)
    within(house, lambda ctx, tx: remove_company(ctx, tx, house))
    with house.ctx.store.read() as tx:
        assert companies.all_companies(tx) == []
        assert companies.connections_of(tx) == []
        assert flow_store.flows_of(tx) == []
        assert [line.order.key for line in ledger_store.list_orders(tx, company_id=house.company_id)] == ["A-1"]
    house.tick()

    def back(ctx: Context, tx: Tx) -> None:
        values = {"name": "Harbor", "cust_id": "4711", "time_zone": "UTC"}
        assert company_rules.add(ctx, tx, **values, actor="test") == company_rules.Added(house.company_id, back=True)
        values["cust_id"] = "4712"
        values["name"] = "Dock"
        assert not company_rules.add(ctx, tx, **values, actor="test").back

    within(house, back)
    with house.ctx.store.read() as tx:
        assert [row.name for row in companies.all_companies(tx)] == ["Dock", "Harbor"]
        assert flow_store.flows_of(tx) == []
        assert [flow.id for flow in flow_store.removed_flows(tx, house.company_id)] == [3, 2, 1]
