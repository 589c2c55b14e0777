"""A system that may not be used now keeps the runs that need it, and no other."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from house import Books, House, records
from routebooks.engine import connections, deliver
from routebooks.engine.window import parse_window
from routebooks.store import companies, deliveries
from routebooks.store.runs import Phase, State


def pause(house: House, name: str, *, paused: bool) -> None:
    with house.ctx.store.begin() as tx:
        row = companies.connection_named(tx, house.company_id, name)
        assert row is not None
        connections.pause(house.ctx, tx, row, "test", paused=paused)


def test_no_file_goes_to_a_place_that_is_paused(house: House) -> None:
    pause(house, "toy_files", paused=True)
    run_id = house.run("items")
    house.visit(Books({"items": records([1])}))
    house.tick()
    assert (house.state(run_id).phase, house.state(run_id).state) == (Phase.DELIVER, State.READY)
    assert not (house.folder / "for-4711").exists()
    pause(house, "toy_files", paused=False)
    house.tick()
    assert house.state(run_id).state is State.DONE
    assert house.file("list") == "1,Name 1,\n"


def test_a_file_that_is_sent_again_waits_for_the_window(house: House) -> None:
    house.run("items")
    house.visit(Books({"items": records([1])}))
    house.tick()
    Path(house.folder / "for-4711" / "list.txt").unlink()
    with house.ctx.store.begin() as tx:
        row = companies.connection_named(tx, house.company_id, "toy_files")
        assert row is not None
        companies.change_connection(tx, row.id, window=parse_window("07:00-08:00"))
        (line,) = deliveries.list_deliveries(tx)
        run_id = deliver.resend(tx, line.delivery.id, "test", house.clock())
    house.tick()
    assert house.state(run_id).state is State.READY
    house.clock.on(hours=1)
    house.tick()
    assert house.file("list") == "1,Name 1,\n"


def test_no_order_is_read_from_a_database_that_is_paused_and_the_files_go_all_the_same(house: House) -> None:
    pause(house, "toy_orders", paused=True)
    house.orders.put("A-1", "1", "11")
    orders, items = house.run("orders"), house.run("items")
    house.visit(Books({"items": records([11])}))
    house.tick()
    assert house.state(items).state is State.DONE
    assert (house.state(orders).phase, house.state(orders).state) == (Phase.LOAD, State.READY)
    pause(house, "toy_orders", paused=False)
    house.tick()
    assert house.order("A-1").key == "A-1"


@pytest.mark.parametrize("name", ["toy_files", "toy_orders"])
def test_a_run_that_was_kept_too_long_says_by_what(house: House, name: str) -> None:
    pause(house, name, paused=True)
    run_id = house.run("items" if name == "toy_files" else "orders")
    house.visit(Books({"items": records([1])}))
    house.tick()
    house.clock.time = datetime.fromisoformat("2026-03-04T00:00:00+00:00")
    house.tick()
    run = house.state(run_id)
    assert run.state is State.EXPIRED
    assert run.problem is not None
    assert f"it waited for the connection {name}, which is paused" in run.problem["message"]
