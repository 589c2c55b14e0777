"""The maps that come with the product: they load, they explain themselves, and each fits both its sides."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import pytest

from routebooks.connectors.base import Company, Connection
from routebooks.connectors.pocketadvantage.files import PocketAdvantageFiles
from routebooks.connectors.pocketadvantage.orders import PocketAdvantageOrders
from routebooks.connectors.quickbooks_desktop.connector import QuickBooksDesktop
from routebooks.errors import ConfigError
from routebooks.mapping.check import check_map
from routebooks.mapping.expression import Call, Constant, FieldRef
from routebooks.mapping.model import dump_map, load_map
from routebooks.mapping.templates import load_template, template_names
from routebooks.records import Layout, Stream, Target
from routebooks.sandbox import orders_db

#: what the engine gives every map
PARAMETERS = ("Company.CustId", "Company.Name")


def streams_of_the_books() -> dict[str, Stream]:
    books = QuickBooksDesktop()
    return {**books.streams(), **{name: view.stream for name, view in books.views().items()}}


def orders_of_the_example(folder: Path) -> Stream:
    """The columns of the query as it is set at first, over the tables of the example."""
    source, url = PocketAdvantageOrders(), f"sqlite:///{folder / 'orders.db'}"
    orders_db.create(url)
    defaults = {setting.name: setting.default for setting in source.settings}
    return source.order_fields(Connection(1, "orders", source.name, Company(1, "Harbor", "77"), defaults, {"url": url}))


def targets() -> Mapping[str, Target]:
    return {**PocketAdvantageFiles().layouts(), **QuickBooksDesktop().targets()}


def test_names() -> None:
    assert template_names() == ("codes", "customers", "invoices", "items", "orders")


@pytest.mark.parametrize("name", template_names())
def test_a_template_bears_its_name_and_says_why(name: str) -> None:
    template = load_template(name)
    assert template.name == name
    assert load_map(dump_map(template)) == template
    text = files("routebooks.mapping.templates").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert text.count("\n  #") >= 1


@pytest.mark.parametrize("name", template_names())
def test_a_template_fits_what_it_reads_and_what_it_fills(name: str, tmp_path: Path) -> None:
    template = load_template(name)
    target = targets()[template.target]
    sources = streams_of_the_books()
    fields = (sources[template.source] if template.source in sources else orders_of_the_example(tmp_path)).fields
    assert check_map(template, fields, target, PARAMETERS) == []
    if isinstance(target, Layout):
        named = {column.name for column in target.columns if not column.name.startswith("Blank")}
        assert {column.name for column in template.columns} == named


def test_the_check_of_templates_would_tell() -> None:
    """A template that reads another source, or fills another target, has something wrong with it."""
    sources = streams_of_the_books()
    for name in ("codes", "customers", "invoices", "items"):
        template = load_template(name)
        assert check_map(template, sources["terms"].fields, targets()[template.target], PARAMETERS)
        assert check_map(template, sources[template.source].fields, targets()["sales_orders"], PARAMETERS)


def test_an_order_keeps_its_number_and_its_unit() -> None:
    filled = {column.name: column.expression for column in load_template("orders").columns}
    assert filled["Key"] == FieldRef("order_no")
    assert filled["CustomerRef.ListID"] == FieldRef("customer_key")
    assert filled["ItemRef.ListID"] == FieldRef("item_key")
    assert {filled[column] for column in filled if column.startswith("Unit")} == {FieldRef("unit")}


def test_what_the_templates_are_known_for() -> None:
    customers = {column.name: column.expression for column in load_template("customers").columns}
    assert customers["Customer ID"] == FieldRef("AccountNumber")
    assert customers["Trade Name"] == Call("COALESCE", (FieldRef("CompanyName"), FieldRef("Name")))
    assert customers["Sales Pointer Type"] == customers["Sales Representative Pointer"] == Constant(1)


def test_a_template_that_there_is_not() -> None:
    with pytest.raises(ConfigError) as caught:
        load_template("customer")
    assert caught.value.problem.hint == "Did you mean customers?"
    assert caught.value.problem.code == "map-no-template"
    with pytest.raises(ConfigError) as caught:
        load_template("../orders")
    assert caught.value.problem.message == "There is no map template ../orders"
    with pytest.raises(ConfigError) as caught:
        load_template("zzz")
    assert caught.value.problem.hint == "There are codes, customers, invoices, items, orders."
