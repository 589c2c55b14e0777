"""Connections: what a person types, what a test shows, and what must not change while an order is on its way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from house import Books, House, records
from routebooks.connectors.base import Connector, Setting
from routebooks.connectors.registry import CONNECTORS
from routebooks.engine import connections
from routebooks.errors import ConfigError
from routebooks.store import companies
from routebooks.store import flows as flow_store
from routebooks.store.companies import ConnectionRow


def row(house: House, name: str = "toy_caller") -> ConnectionRow:
    with house.ctx.store.read() as tx:
        found = companies.connection_named(tx, house.company_id, name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"nothing": "1"}, "setting-unknown"),
        ({"page_size": "many"}, "setting-not-a-number"),
        ({"page_size": "1_0"}, "setting-not-a-number"),
        ({"page_size": "9" * 19}, "setting-not-a-number"),
        ({"page_size": "0"}, "setting-out-of-range"),
        ({"page_size": "-5"}, "setting-out-of-range"),
        ({"page_size": "1001"}, "setting-out-of-range"),
    ],
)
def test_settings_that_do_not_fit_are_refused(house: House, given: dict[str, str], code: str) -> None:
    with pytest.raises(ConfigError) as caught, house.ctx.store.begin() as tx:
        connections.change(house.ctx, tx, row(house), given, "test")
    assert caught.value.problem.code == code
    with pytest.raises(ConfigError) as missing, house.ctx.store.begin() as tx:
        connections.add(
            house.ctx, tx, company_id=house.company_id, name="more", connector="toy_files", given={}, actor="test"
        )
    assert missing.value.problem.code == "setting-missing"
    with pytest.raises(ConfigError) as taken, house.ctx.store.begin() as tx:
        connections.add(
            house.ctx, tx, company_id=house.company_id, name="toy_files", connector="toy_files", given={}, actor="test"
        )
    assert taken.value.problem.code == "connection-exists"


@pytest.mark.parametrize(
    ("connector", "given", "hint"),
    [
        ("quickbooks_desktop", {"page_size": "0"}, "Choose a number from 10 to 10000."),
        ("quickbooks_desktop", {"qbxml_version": "13"}, "Write it as 13.0."),
        ("quickbooks_desktop", {"price_tolerance": "-1"}, "Write it as 0.00."),
        ("pocketadvantage", {"port": "99999"}, "Choose a number from "),
        ("pocketadvantage", {"timeout": "0"}, "Choose a number from 1 to 3600."),
        ("pocketadvantage_orders", {"max_orders": "-1"}, "Choose a number from 1 to 100000."),
        ("pocketadvantage_orders", {"settle_minutes": "-1"}, "Choose a number from 0 to 10080."),
    ],
)
def test_a_setting_of_the_product_that_is_out_of_bounds_says_what_fits(
    connector: str, given: dict[str, str], hint: str
) -> None:
    declared = {setting.name: setting for setting in CONNECTORS[connector].settings}
    ((name, text),) = given.items()
    with pytest.raises(ConfigError) as caught:
        connections.typed(declared[name], text)
    assert name in caught.value.problem.message
    assert caught.value.problem.hint.startswith(hint)


@pytest.mark.parametrize("kind", CONNECTORS.values(), ids=CONNECTORS)
def test_every_default_of_the_product_fits_its_own_bounds(kind: Connector) -> None:
    for setting in kind.settings:
        if setting.default is not None and not setting.secret:
            assert connections.typed(setting, str(setting.default)) == setting.default
        assert setting.minimum is None or isinstance(setting.default, int)


def test_a_changed_setting_leaves_the_others(house: House) -> None:
    with house.ctx.store.begin() as tx:
        connections.change(house.ctx, tx, row(house), {"page_size": "7"}, "test")
    with house.ctx.store.begin() as tx:
        connections.change(house.ctx, tx, row(house), {"company_file": "C:/x.qbw"}, "test")
    assert row(house).settings == {"page_size": 7, "company_file": "C:/x.qbw"}


def test_how_writes_are_recognised_is_not_changed_while_one_is_open(house: House) -> None:
    caller: Connector = house.ctx.connectors["toy_caller"]
    caller.settings = tuple(replace(setting, fixed_while_writing=True) for setting in caller.settings)
    for name in ("customers", "items"):
        house.run(name)
    books = Books({"customers": records([1]), "items": records([11])})
    house.visit(books)
    house.tick()
    house.orders.put("A-1", "1", "11")
    house.run("orders")
    with pytest.raises(ConfigError) as caught, house.ctx.store.begin() as tx:
        connections.change(house.ctx, tx, row(house), {"page_size": "7"}, "test")
    assert caught.value.problem.code == "setting-in-use"
    house.visit(books)
    with house.ctx.store.begin() as tx:
        connections.change(house.ctx, tx, row(house), {"page_size": "7"}, "test")


def test_what_orders_are_known_by_is_not_changed_once_they_were_read(house: House) -> None:
    house.orders.settings = (Setting(name="key_column", help="", default="order_no", fixed_once_read=True),)

    def change(value: str) -> None:
        with house.ctx.store.begin() as tx:
            orders = companies.connection(tx, flow_store.flow(tx, house.flows["orders"]).source_id)
            connections.change(house.ctx, tx, orders, {"key_column": value}, "test")

    change("number")
    house.orders.put("A-1", "1", "11")
    house.run("orders")
    change("number")
    with pytest.raises(ConfigError) as caught:
        change("order_no")
    assert caught.value.problem.code == "setting-fixed"


def test_a_test_tells_what_the_visits_have_shown(house: House) -> None:
    def failed() -> list[str]:
        return [check.name for check in connections.test(house.ctx, house.books) if not check.ok]

    assert failed() == ["server", "seen"]
    house.serve()
    assert failed() == ["seen"]
    house.visit(Books(mark=""))
    assert failed() == ["bound to"]
    house.visit(Books())
    assert failed() == []
    with house.ctx.store.begin() as tx:
        companies.change_caller(tx, house.books, bound_path="C:/elsewhere")
    house.run("customers")
    house.visit(Books())
    assert failed() == ["path"]
    with house.ctx.store.begin() as tx:
        connections.confirm(house.ctx, tx, row(house), "test")
        connections.pause(house.ctx, tx, row(house), "test", paused=True)
    assert failed() == ["open"]
    house.clock.time += timedelta(days=2)
    assert failed() == ["seen", "open"]


def test_a_new_password_takes_the_place_of_the_old_and_rebinding_forgets(house: House) -> None:
    with house.ctx.store.begin() as tx:
        added = connections.new_password(house.ctx, tx, row(house), "test")
    with house.ctx.store.read() as tx:
        caller = companies.caller(tx, house.books)
    assert caller is not None
    assert added.password is not None
    assert house.ctx.vault.matches(added.password, caller.password_hash)
    assert not house.ctx.vault.matches(house.password, caller.password_hash)
    house.visit(Books())
    house.visit(Books(name="Renamed"))
    with house.ctx.store.begin() as tx:
        connections.rebind(house.ctx, tx, row(house), "test")
    house.visit(Books(name="Renamed"))
    with house.ctx.store.read() as tx:
        bound = companies.caller(tx, house.books)
    assert bound is not None
    assert bound.bound_company == "Renamed"
    with pytest.raises(ConfigError), house.ctx.store.begin() as tx:
        connections.confirm(house.ctx, tx, row(house), "test")
    with pytest.raises(ConfigError), house.ctx.store.begin() as tx:
        connections.rebind(house.ctx, tx, row(house, "toy_files"), "test")
