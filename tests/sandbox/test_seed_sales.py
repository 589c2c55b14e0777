"""What the demo company has sold, and that its balances follow from it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from routebooks.sandbox.second_night import second_night
from routebooks.sandbox.seed import OVER_LIMIT_ACCOUNTS, seed
from routebooks.sandbox.shapes import Fields
from sandbox_support import Office, furnish, line, order, values

_KINDS = ("Invoice", "CreditMemo", "SalesReceipt")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = Office(tmp_path_factory.mktemp("seed") / "company.sqlite")
    seed(made.company)
    yield made
    made.company.close()


def _overdue(office: Office) -> list[Fields]:
    today = office.company.today().isoformat()
    return [one for one in office.company.invoices() if one["IsPaid"] == "false" and one["DueDate"] < today]


@pytest.mark.parametrize(("kind", "count"), [("Invoice", 60), ("CreditMemo", 3), ("SalesReceipt", 2)])
def test_all_of_it_is_valid_qbxml(office: Office, kind: str, count: int) -> None:
    inner = "<IncludeLineItems>true</IncludeLineItems><OwnerID>0</OwnerID>"
    answer = office.ask(f"<{kind}QueryRq>{inner}</{kind}QueryRq>")
    assert len(answer) == count
    assert all(len(values(one, ".//TxnLineID")) >= 1 for one in answer)


@pytest.mark.parametrize("kind", ["UnitOfMeasureSet", "PriceLevel", "Terms"])
def test_its_lists_are_valid_qbxml(office: Office, kind: str) -> None:
    assert len(office.ask(f"<{kind}QueryRq/>")) == {"UnitOfMeasureSet": 2, "PriceLevel": 2, "Terms": 4}[kind]


def test_it_is_the_same_every_time(office: Office, tmp_path: Path) -> None:
    other = Office(tmp_path / "other.sqlite")
    seed(other.company)
    for kind in _KINDS:
        assert other.company.objects(kind) == office.company.objects(kind)
    other.company.close()


def test_invoices_are_open_overdue_paid_and_paid_in_part(office: Office) -> None:
    invoices = office.company.invoices()
    assert {one["IsPaid"] for one in invoices} == {"true", "false"}
    assert 20 <= len([one for one in invoices if one["IsPaid"] == "true"]) <= 30
    assert any(one["IsPaid"] == "false" and one["AppliedAmount"] != "0.00" for one in invoices)
    assert len({one["CustomerRef"]["ListID"] for one in invoices}) > 50
    overdue = _overdue(office)
    assert len({one["CustomerRef"]["ListID"] for one in overdue}) > 10
    assert len(overdue) < len([one for one in invoices if one["IsPaid"] == "false"])
    assert all(one["TxnDate"] <= office.company.today().isoformat() for one in invoices)


def test_every_balance_is_what_is_open(office: Office) -> None:
    owed: dict[str, Decimal] = {}
    for one in office.company.invoices():
        customer = one["CustomerRef"]["ListID"]
        owed[customer] = owed.get(customer, Decimal(0)) + Decimal(one["BalanceRemaining"])
    for one in office.company.credit_memos():
        owed[one["CustomerRef"]["ListID"]] -= Decimal(one["CreditRemaining"])
    for one in office.company.customers():
        assert Decimal(one["Balance"]) == owed.get(one["ListID"], 0) >= 0
    assert sum(owed.values()) > 10000


def test_the_accounts_over_their_limit_are_overdue_by_it(office: Office) -> None:
    over = [one for one in office.company.customers() if Decimal(one["Balance"]) > Decimal(one["CreditLimit"])]
    assert tuple(one["AccountNumber"] for one in over) == OVER_LIMIT_ACCOUNTS
    late = {one["CustomerRef"]["ListID"] for one in _overdue(office)}
    assert {one["ListID"] for one in over} <= late


def test_there_is_one_of_all_that_a_reader_may_stumble_over(office: Office) -> None:
    invoices = office.company.invoices()
    lines = [each for one in invoices for each in one["lines"]]
    assert len([one for one in invoices if one.get("Memo", "").startswith("VOID:") and one["Subtotal"] == "0.00"]) == 1
    assert len([one for one in invoices if "RefNumber" not in one]) == 1
    assert len([each for each in lines if "ItemRef" not in each and "ItemGroupRef" not in each]) == 1
    items = [each["ItemRef"]["FullName"] for each in lines if "ItemRef" in each]
    assert [items.count(name) for name in ("SUBTOTAL", "VOLUME-5", "FUEL", "KEG-DEPOSIT")] == [1] * 4
    assert [each["ItemGroupRef"]["FullName"] for each in lines if "ItemGroupRef" in each] == ["SAMPLER"]
    assert {each.get("UnitOfMeasure") for each in lines} == {"Case", "Bottle", None}
    assert "10th of the month" in [one["TermsRef"]["FullName"] for one in invoices]


def test_bottles_are_parts_of_the_cases_that_goods_are_counted_and_priced_in(office: Office) -> None:
    sets = {one["Name"]: one for one in office.company.objects("UnitOfMeasureSet")}
    ratios = {name: one["RelatedUnit"][0]["ConversionRatio"] for name, one in sets.items()}
    assert ratios == {"Case of 12": "0.08333", "Case of 6": "0.16667"}
    for item in office.company.objects("ItemInventory"):
        custom = {ext["DataExtName"]: ext["DataExtValue"] for ext in item["DataExtRet"]}
        name = f"Case of {custom['UnitsPerCase']}"
        assert item.get("UnitOfMeasureSetRef", {}).get("FullName") == (name if name in sets else None)


def test_an_order_may_be_in_cases_and_in_bottles(tmp_path: Path) -> None:
    office = Office(tmp_path / "company.sqlite")
    seed(office.company)
    item = next(one for one in office.company.objects("ItemInventory") if "UnitOfMeasureSetRef" in one)
    units = [f"<UnitOfMeasure>{name}</UnitOfMeasure>" for name in ("Case", "Bottle", "Crate")]
    account = office.company.customers()[1]["FullName"]
    made = office.ask(order(*(line(item["Name"], 12, unit) for unit in units[:2]), customer=account))[0]
    case, bottles = (Decimal(text) for text in values(made, "SalesOrderLineRet/Amount"))
    assert case == 12 * Decimal(item["SalesPrice"])
    assert abs(bottles - Decimal(item["SalesPrice"])) < Decimal("0.02")
    assert office.status(order(line(item["Name"], 12, units[2]), customer=account)) == 3140
    office.company.close()


def test_a_second_night_has_one_of_each_change(tmp_path: Path) -> None:
    office = Office(tmp_path / "company.sqlite")
    seed(office.company)
    before = {one["TxnID"]: one for one in office.company.invoices()}
    owed = sum(Decimal(one["Balance"]) for one in office.company.customers())
    office.clock.forward(days=1)
    start = "<FromModifiedDate>2024-03-05</FromModifiedDate>"
    told = second_night(office.company)
    modified = f"<ModifiedDateRangeFilter>{start}</ModifiedDateRangeFilter>"
    answer = office.ask(f"<InvoiceQueryRq>{modified}<IncludeLineItems>true</IncludeLineItems></InvoiceQueryRq>")
    found = {one.findtext("TxnID"): one for one in answer}
    assert set(found) == {told.changed, told.paid, told.voided}
    more = Decimal(str(found[told.changed].findtext("Subtotal"))) - Decimal(before[told.changed]["Subtotal"])
    assert more == Decimal(str(found[told.changed].findtext("InvoiceLineRet/Rate")))
    assert found[told.paid].findtext("IsPaid") == "true"
    assert str(found[told.voided].findtext("Memo")).startswith("VOID:")
    deleted = office.ask("<TxnDeletedQueryRq><TxnDelType>Invoice</TxnDelType></TxnDeletedQueryRq>")
    assert values(deleted, "*/TxnID") == [told.deleted]
    memos = office.ask(f"<CreditMemoQueryRq>{modified}</CreditMemoQueryRq>")
    assert values(memos, "*/TxnID") == [told.credit_memo]
    credited = Decimal(str(memos[0].findtext("CreditRemaining")))
    gone = sum(Decimal(before[one]["BalanceRemaining"]) for one in (told.paid, told.voided, told.deleted))
    assert sum(Decimal(one["Balance"]) for one in office.company.customers()) == owed + more - gone - credited
    assert told.credited in before.keys() - {told.changed, told.paid, told.voided, told.deleted}
    office.company.close()


def test_a_second_night_needs_a_first(tmp_path: Path) -> None:
    office = Office(tmp_path / "company.sqlite")
    furnish(office.company)
    with pytest.raises(ValueError, match="too few"):
        second_night(office.company)
    office.company.close()
