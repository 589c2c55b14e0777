"""The invoices of a real day: every row is a line, and it all comes to what the file says."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from routebooks.sandbox.iowa import load_day
from routebooks.sandbox.second_night import second_night
from sandbox_support import Office, line, order, values
from support import shared

Row = dict[str, str]


@pytest.fixture(scope="module")
def day() -> Path:
    return shared("data", "iowa-wholesale-2012-01-31.csv")


@pytest.fixture(scope="module")
def rows(day: Path) -> list[Row]:
    with day.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def office(day: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = Office(tmp_path_factory.mktemp("iowa") / "company.sqlite", zone="America/Chicago")
    load_day(made.company, day)
    yield made
    made.company.close()


@pytest.fixture(scope="module")
def invoices(office: Office) -> list[etree._Element]:
    """All of them, as an iterator brings them in pages, each page valid."""
    inner = "<MaxReturned>50</MaxReturned><IncludeLineItems>true</IncludeLineItems>"
    page = office.ask(f'<InvoiceQueryRq iterator="Start">{inner}</InvoiceQueryRq>')
    found = list(page)
    while page.get("iteratorRemainingCount") != "0":
        step = f'iterator="Continue" iteratorID="{page.get("iteratorID")}"'
        page = office.ask(f"<InvoiceQueryRq {step}>{inner}</InvoiceQueryRq>")
        found += list(page)
    return found


def _store(invoice: etree._Element) -> str:
    return str(invoice.findtext("CustomerRef/FullName")).split(" ", 1)[0]


def _rows_of(rows: list[Row]) -> dict[str, list[Row]]:
    stores: dict[str, list[Row]] = {}
    for row in rows:
        stores.setdefault(row["store_number"], []).append(row)
    return stores


def _number(text: str | None) -> Decimal | None:
    return Decimal(text) if text else None


def test_every_row_is_a_line_of_its_store_s_invoice_in_the_file_s_order(
    invoices: list[etree._Element], rows: list[Row]
) -> None:
    stores = _rows_of(rows)
    assert len(invoices) == len(stores) == 224
    assert sorted(map(_store, invoices)) == sorted(stores)
    for invoice in invoices:
        wanted = [
            (
                row["item_number"],
                row["item_description"],
                Decimal(row["bottles_sold"]),
                _number(row["state_bottle_retail"]),
                _number(row["sale_dollars"]),
            )
            for row in stores[_store(invoice)]
        ]
        assert invoice.findtext("TxnDate") == "2012-01-31"
        assert [
            (
                each.findtext("ItemRef/FullName"),
                each.findtext("Desc"),
                _number(each.findtext("Quantity")),
                _number(each.findtext("Rate")),
                _number(each.findtext("Amount")),
            )
            for each in invoice.findall("InvoiceLineRet")
        ] == wanted


def test_it_comes_to_what_the_file_says_to_the_cent(office: Office, invoices: list[etree._Element]) -> None:
    lines = [each for invoice in invoices for each in invoice.findall("InvoiceLineRet")]
    assert len(lines) == 9510
    assert sum(Decimal(str(each.findtext("Quantity"))) for each in lines) == 81120
    assert sum(Decimal(each.findtext("Amount") or 0) for each in lines) == Decimal("1039951.09")
    assert sum(Decimal(str(one.findtext("Subtotal"))) for one in invoices) == Decimal("1039951.09")
    assert sum(Decimal(one["Balance"]) for one in office.company.customers()) == Decimal("1039951.09")
    unpriced = [each for each in lines if each.find("Rate") is None and each.find("Amount") is None]
    assert len(unpriced) == 7
    assert all(each.findtext("Quantity") for each in unpriced)
    pairs = Counter((_store(one), item) for one in invoices for item in values(one, "InvoiceLineRet/ItemRef/FullName"))
    assert sorted(pairs.values())[-19:] == [1] + [2] * 18


def test_an_amount_that_is_not_price_times_bottles_stands_as_in_the_file(tmp_path: Path, day: Path) -> None:
    path = tmp_path / "day.csv"
    head = day.read_text(encoding="utf-8").splitlines()[0]
    row = "2012-01-31,7,Corner,AMES,IA,50010,100,GIN,Maker,Gin,{},750,4.00,{},{},{}"
    path.write_text("\n".join([head, row.format(12, "6.00", 3, "17.99"), row.format(12, "", 2, ""), ""]), "utf-8")
    office = Office(tmp_path / "company.sqlite")
    load_day(office.company, path)
    (invoice,) = office.company.invoices()
    names = ("Quantity", "Rate", "Amount")
    assert [[each.get(name) for name in names] for each in invoice["lines"]] == [
        ["3", "6.00", "17.99"],
        ["2", None, None],
    ]
    assert invoice["Subtotal"] == "17.99"
    office.company.close()


def test_items_may_be_kept_in_bottles_and_cases(tmp_path: Path, day: Path, rows: list[Row]) -> None:
    office = Office(tmp_path / "company.sqlite")
    load_day(office.company, day, units=True)
    lines = [each for one in office.company.invoices() for each in one["lines"]]
    assert {each["UnitOfMeasure"] for each in lines} == {"Bottle"}
    assert sum(Decimal(each["Quantity"]) for each in lines) == 81120
    ratios = {
        unit["Name"]: unit["ConversionRatio"]
        for one in office.company.objects("UnitOfMeasureSet")
        for unit in one.get("RelatedUnit", ())
    }
    assert ratios["Case of 12"] == "12.00"
    twelve = next(row for row in rows if row["pack"] == "12" and row["state_bottle_retail"])
    store = next(one for one in office.company.customers() if one["AccountNumber"] == twelve["store_number"])
    unit = "<UnitOfMeasure>Case of 12</UnitOfMeasure>"
    answer = office.ask(order(line(twelve["item_number"], 2, unit), customer=store["FullName"].replace("&", "&amp;")))
    assert Decimal(str(answer[0].findtext("TotalAmount"))) == 24 * Decimal(twelve["state_bottle_retail"])
    office.company.close()


class _TakenBackError(Exception):
    """So that the day is for the others what it was."""


def test_the_day_after_brings_one_change_of_each_sort(office: Office) -> None:
    with suppress(_TakenBackError), office.company.transaction():
        before = office.company.invoices()
        told = second_night(office.company)
        after = {one["TxnID"]: one for one in office.company.invoices()}
        same = {one["TxnID"] for one in before if after.get(one["TxnID"]) == one}
        assert len(same) == 220
        assert {one["TxnID"] for one in before} - same == {told.changed, told.paid, told.voided, told.deleted}
        assert told.credited in same
        assert [one["TxnID"] for one in office.company.credit_memos()] == [told.credit_memo]
        raise _TakenBackError
    assert office.company.invoices() == before
