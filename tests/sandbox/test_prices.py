"""Terms, units of measure and price levels: as lists, and in the price of a line."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from sandbox_support import Office, furnish, line, order, schema, values


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path / "company.sqlite")
    furnish(made.company)
    _add_unit_sets(made)
    yield made
    made.company.close()


def _add_unit_sets(office: Office) -> None:
    case: dict[str, Any] = {"Name": "Case of 12", "Abbreviation": "cs", "ConversionRatio": 12}
    pallet: dict[str, Any] = {"Name": "Pallet", "Abbreviation": "plt", "ConversionRatio": 672}
    office.company.add(
        "UnitOfMeasureSet",
        Name="By the bottle",
        UnitOfMeasureType="Count",
        BaseUnit={"Name": "Bottle", "Abbreviation": "btl"},
        RelatedUnit=[case, pallet],
        DefaultUnit=[{"UnitUsedFor": "Purchase", "Unit": "Pallet"}, {"UnitUsedFor": "Sales", "Unit": "Case of 12"}],
    )
    office.company.add("UnitOfMeasureSet", Name="Each", BaseUnit={"Name": "Each", "Abbreviation": "ea"})
    office.company.add("ItemInventory", Name="RUM", SalesPrice="9.995", UnitOfMeasureSetRef="By the bottle")
    office.company.add("ItemInventory", Name="MUG", SalesPrice="4.50", UnitOfMeasureSetRef="Each")


def _made(office: Office, *lines: str, customer: str = "Alder Wine") -> etree._Element:
    answer = office.ask(order(*lines, customer=customer))
    assert answer.get("statusCode") == "0", answer.get("statusMessage")
    return answer[0]


def _unit(name: str) -> str:
    return f"<UnitOfMeasure>{name}</UnitOfMeasure>"


def test_terms_are_of_two_kinds(office: Office) -> None:
    office.company.add("DateDrivenTerms", Name="10th", DayOfMonthDue=10, DueNextMonthDays=5, DiscountPct="2")
    both = office.ask("<TermsQueryRq/>")
    assert [(node.tag, node.findtext("Name")) for node in both] == [
        ("DateDrivenTermsRet", "10th"),
        ("StandardTermsRet", "Net 30"),
    ]
    assert both[0].findtext("DiscountPct") == "2.00"
    assert values(office.ask("<StandardTermsQueryRq/>"), "*/Name") == ["Net 30"]
    assert values(office.ask("<DateDrivenTermsQueryRq/>"), "*/DayOfMonthDue") == ["10"]
    assert office.status("<TermsQueryRq><FullName>Net 99</FullName></TermsQueryRq>") == 500


def test_a_unit_set_tells_its_units(office: Office) -> None:
    answer = office.ask("<UnitOfMeasureSetQueryRq><FullName>By the bottle</FullName></UnitOfMeasureSetQueryRq>")
    assert values(answer, "*/BaseUnit/Name") == ["Bottle"]
    assert values(answer, "*/RelatedUnit/ConversionRatio") == ["12.00", "672.00"]
    assert values(answer, "*/DefaultUnit/Unit") == ["Pallet", "Case of 12"]
    assert values(office.ask("<UnitOfMeasureSetQueryRq/>"), "*/Name") == ["By the bottle", "Each"]
    item = office.ask("<ItemQueryRq><FullName>RUM</FullName></ItemQueryRq>")[0]
    assert item.findtext("UnitOfMeasureSetRef/FullName") == "By the bottle"


@pytest.mark.parametrize(
    ("item", "rest", "unit", "rate", "amount"),
    [
        ("RUM", "", "Case of 12", "119.94", "359.82"),
        ("RUM", _unit("Bottle"), "Bottle", "9.995", "29.99"),
        ("RUM", _unit("case of 12"), "Case of 12", "119.94", "359.82"),
        ("RUM", _unit("PLT"), "Pallet", "6716.64", "20149.92"),
        ("RUM", f"{_unit('Bottle')}<Rate>10</Rate>", "Bottle", "10.00", "30.00"),
        ("RUM", f"{_unit('cs')}<Amount>300.00</Amount>", "Case of 12", "100.00", "300.00"),
        ("MUG", "", "Each", "4.50", "13.50"),
        ("GIN", "", None, "120.00", "360.00"),
    ],
)
def test_an_order_is_priced_by_its_unit(
    office: Office, item: str, rest: str, unit: str | None, rate: str, amount: str
) -> None:
    made = _made(office, line(item, 3, rest)).find("SalesOrderLineRet")
    assert made is not None
    names = ("Quantity", "UnitOfMeasure", "Rate", "Amount")
    assert [made.findtext(name) for name in names] == ["3", unit, rate, amount]


@pytest.mark.parametrize("item", ["RUM", "MUG", "GIN", "Delivery"])
def test_a_unit_that_an_item_does_not_have_is_refused(office: Office, item: str) -> None:
    answer = office.ask(order(line(item, 3, _unit("Crate"))))
    assert answer.get("statusCode") == "3140"
    assert '"Crate" in the SalesOrder line' in str(answer.get("statusMessage"))
    words = "<SalesOrderLineAdd><Desc>words</Desc><UnitOfMeasure>Bottle</UnitOfMeasure></SalesOrderLineAdd>"
    assert office.status(order(words)) == 3140
    assert office.company.sales_orders() == []


def test_what_is_ordered_counts_in_base_units(office: Office) -> None:
    _made(office, line("RUM", 2), line("RUM", 5, _unit("Bottle")))
    rum = next(item for item in office.company.items() if item["Name"] == "RUM")
    assert rum["QuantityOnSalesOrder"] == "29"


def test_a_group_sells_its_members_in_their_units(office: Office) -> None:
    members = [{"ItemRef": "RUM", "Quantity": 3, "UnitOfMeasure": "Bottle"}, {"ItemRef": "MUG", "Quantity": 1}]
    office.company.add("ItemGroup", Name="Grog", ItemGroupLine=members, UnitOfMeasureSetRef="By the bottle")
    group = "<ItemGroupRef><FullName>Grog</FullName></ItemGroupRef><Quantity>2</Quantity>"
    wanted = f"<SalesOrderLineGroupAdd>{group}<UnitOfMeasure>cs</UnitOfMeasure></SalesOrderLineGroupAdd>"
    made = _made(office, wanted).find("SalesOrderLineGroupRet")
    assert made is not None
    assert made.findtext("UnitOfMeasure") == "Case of 12"
    assert values(made, "SalesOrderLineRet/Quantity") == ["72", "24"]
    assert values(made, "SalesOrderLineRet/UnitOfMeasure") == ["Bottle", "Each"]


def test_an_invoice_has_units_too_and_keeps_them(office: Office) -> None:
    sold = office.company.add_invoice(
        "Alder Wine", [{"ItemRef": "RUM", "Quantity": 1}, {"ItemRef": "RUM", "Quantity": 5, "UnitOfMeasure": "btl"}]
    )
    first, second = office.company.invoices()[0]["lines"]
    assert [one["UnitOfMeasure"] for one in (first, second)] == ["Case of 12", "Bottle"]
    kept = {"TxnLineID": second["TxnLineID"]}
    office.company.update_transaction(sold, lines=[{"TxnLineID": first["TxnLineID"], "UnitOfMeasure": "btl"}, kept])
    after = office.company.invoices()[0]["lines"]
    assert [(one["Quantity"], one["UnitOfMeasure"], one["Rate"], one["Amount"]) for one in after] == [
        ("1", "Bottle", "9.995", "10.00"),
        ("5", "Bottle", "9.995", "49.98"),
    ]


# Price levels.


def _add_levels(office: Office) -> None:
    add = office.company.add
    add("PriceLevel", Name="Chain", PriceLevelType="FixedPercentage", PriceLevelFixedPercentage=Decimal(-18))
    prices = [{"ItemRef": "GIN", "CustomPrice": "99.5"}, {"ItemRef": "RUM", "CustomPricePercent": "2.25"}]
    add("PriceLevel", Name="Spring", PriceLevelType="PerItem", PriceLevelPerItemRet=prices)


def test_a_price_level_tells_its_prices(office: Office) -> None:
    _add_levels(office)
    answer = office.ask("<PriceLevelQueryRq/>")
    assert values(answer, "*/PriceLevelFixedPercentage") == ["-18.00"]
    assert values(answer, ".//CustomPrice") + values(answer, ".//CustomPricePercent") == ["99.50", "2.25"]
    assert values(answer, ".//ItemRef/FullName") == ["GIN", "RUM"]
    gin = office.ask("<PriceLevelQueryRq><ItemRef><FullName>GIN</FullName></ItemRef></PriceLevelQueryRq>")
    assert values(gin, "*/Name") == ["Spring"]
    assert office.status("<PriceLevelQueryRq><ItemRef><FullName>ALE</FullName></ItemRef></PriceLevelQueryRq>") == 1


def test_percentages_may_come_with_their_sign_against_the_schema(office: Office) -> None:
    _add_levels(office)
    office.company.percent_signs = True
    office.reopen()
    assert office.company.percent_signs
    request = (
        b'<?xml version="1.0"?><?qbxml version="13.0"?><QBXML><QBXMLMsgsRq onError="stopOnError">'
        b"<PriceLevelQueryRq/></QBXMLMsgsRq></QBXML>"
    )
    answer = etree.fromstring(office.company.process(office.session, request))
    assert values(answer, ".//PriceLevelFixedPercentage") == ["-18.0%"]
    assert values(answer, ".//CustomPricePercent") == ["2.25%"]
    assert values(answer, ".//CustomPrice") == ["99.50"]
    assert not schema().validate(answer)
    assert values(office.ask("<TermsQueryRq/>"), "*/Name") == ["Net 30"]


_CHAIN, _SPRING = (f"<PriceLevelRef><FullName>{name}</FullName></PriceLevelRef>" for name in ("Chain", "Spring"))


@pytest.mark.parametrize(
    ("rest", "customer", "rates"),
    [
        (_CHAIN, "Alder Wine", ["98.40", "25.6291", "98.3508"]),
        (_SPRING, "Alder Wine", ["99.50", "31.255", "122.63868"]),
        ("", "Alder Wine", ["120.00", "31.255", "119.94"]),
        ("", "Copper Kettle", ["98.40", "25.6291", "98.3508"]),
        (_SPRING, "Copper Kettle", ["99.50", "31.255", "122.63868"]),
        ("<Rate>7</Rate>", "Copper Kettle", ["7.00", "7.00", "7.00"]),
    ],
)
def test_a_price_level_makes_the_price(office: Office, rest: str, customer: str, rates: list[str]) -> None:
    _add_levels(office)
    office.company.update("Customer", "Copper Kettle", PriceLevelRef="Chain")
    made = _made(office, *(line(item, 1, rest) for item in ("GIN", "ALE", "RUM")), customer=customer)
    assert values(made, "SalesOrderLineRet/Rate") == rates
    assert made.find(".//PriceLevelRef") is None
