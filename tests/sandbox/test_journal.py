"""What becomes of a sale: payments, voids, deletions, and the balances that follow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from routebooks.sandbox.desk import LineGiven
from routebooks.sandbox.status import Refusal
from sandbox_support import Office, furnish, order, values

_GIN: LineGiven = {"ItemRef": "GIN", "Quantity": 2}
_SHOWN = "<IncludeLineItems>true</IncludeLineItems><IncludeLinkedTxns>true</IncludeLinkedTxns>"


def _office(path: Path) -> Office:
    made = Office(path)
    furnish(made.company)
    made.clock.forward(hours=1)
    return made


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = _office(tmp_path / "company.sqlite")
    yield made
    made.company.close()


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A company in which every walk begins anew."""
    made = _office(tmp_path_factory.mktemp("journal") / "company.sqlite")
    yield made
    made.company.close()


def _invoice(office: Office) -> etree._Element:
    return office.ask(f"<InvoiceQueryRq>{_SHOWN}</InvoiceQueryRq>")[-1]


def _texts(node: etree._Element, *names: str) -> list[str | None]:
    return [node.findtext(name) for name in names]


def _customer(office: Office, name: str = "Alder Wine") -> dict[str, Any]:
    return next(one for one in office.company.customers() if one["FullName"] == name)


_MONEY = ("AppliedAmount", "BalanceRemaining", "IsPaid", "Subtotal")


def test_a_payment_is_one_on_the_invoice_and_for_the_customer(office: Office) -> None:
    sold = office.company.add_invoice("Alder Wine", [_GIN])
    assert _texts(_invoice(office), *_MONEY) == ["0.00", "240.00", "false", "240.00"]
    made = (_invoice(office).findtext("TimeModified"), _customer(office)["TimeModified"], _customer(office)["Balance"])
    assert made == ("2024-03-04T11:00:00-05:00", "2024-03-04T11:00:00-05:00", "240.00")
    office.clock.forward(days=1)
    first = office.company.pay(sold, "100.01")
    assert _texts(_invoice(office), *_MONEY, "TimeModified") == [
        "-100.01", "139.99", "false", "240.00", "2024-03-05T11:00:00-05:00",
    ]  # fmt: skip
    alder = _customer(office)
    assert (alder["Balance"], alder["TimeModified"]) == ("139.99", "2024-03-05T11:00:00-05:00")
    second = office.company.pay(sold)
    paid = _invoice(office)
    assert _texts(paid, *_MONEY) == ["-240.00", "0.00", "true", "240.00"]
    assert values(paid, "LinkedTxn/TxnID") == [first, second]
    assert values(paid, "LinkedTxn/Amount") == ["-100.01", "-139.99"]
    assert values(paid, "LinkedTxn/TxnDate") == ["2024-03-05"] * 2
    assert values(office.ask("<InvoiceQueryRq/>"), ".//LinkedTxn") == []
    assert _customer(office)["Balance"] == "0.00"


def test_what_cannot_be_paid_is_refused(office: Office) -> None:
    sold = office.company.add_invoice("Alder Wine", [_GIN])
    for amount in ("0", "-1", "240.01"):
        with pytest.raises(Refusal, match="3210"):
            office.company.pay(sold, amount)
    office.company.pay(sold)
    with pytest.raises(Refusal, match="3210"):
        office.company.pay(sold)
    memo = office.company.add_credit_memo("Alder Wine", [_GIN])
    for nobody in (memo, "9-1709564400"):
        with pytest.raises(KeyError):
            office.company.pay(nobody, 1)


def test_credit_is_owed_to_the_customer_and_a_receipt_to_nobody(office: Office) -> None:
    office.company.add_invoice("Copper Kettle:Store 1", [_GIN])
    office.company.add_credit_memo("Copper Kettle:Store 1", [{"ItemRef": "GIN", "Quantity": 1}])
    office.company.add_sales_receipt("Copper Kettle:Store 1", [_GIN])
    assert _customer(office, "Copper Kettle:Store 1")["Balance"] == "220.00"
    above = _customer(office, "Copper Kettle")
    assert (above["Balance"], above["TotalBalance"], above["TimeModified"]) == (
        "0.00", "220.00", "2024-03-04T10:00:00-05:00",
    )  # fmt: skip


def test_of_a_void_sale_nothing_is_left_but_itself(office: Office) -> None:
    lines: list[LineGiven] = [
        {"ItemRef": "GIN", "Quantity": 2}, {"ItemGroupRef": "Sampler"}, {"Desc": "words"}, {"ItemRef": "Subtotal"},
        {"ItemRef": "Volume"},
    ]  # fmt: skip
    sold = office.company.add_invoice(
        "Alder Wine", lines, memo="Sent twice", ShippingLineRet={"Amount": 3}, DiscountLineRet={"RatePercent": 1}
    )
    before = _invoice(office)
    office.clock.forward(hours=1)
    office.company.void(sold)
    void = _invoice(office)
    assert _texts(void, *_MONEY, "Memo") == ["0.00", "0.00", "true", "0.00", "VOID: Sent twice"]
    assert void.findtext("TimeModified") == "2024-03-04T12:00:00-05:00"
    for name, text in {"Quantity": "0", "Amount": "0.00", "TotalAmount": "0.00"}.items():
        found = values(void, f".//{name}")
        assert found == [text] * len(values(before, f".//{name}")) != []
    for name in ("TxnLineID", "Desc", "Rate", "ItemRef/FullName"):
        assert values(void, f".//{name}") == values(before, f".//{name}")
    assert _customer(office)["Balance"] == "0.00"
    with pytest.raises(Refusal, match="3210"):
        office.company.void(sold)


@pytest.mark.parametrize("kind", ["CreditMemo", "SalesReceipt"])
def test_other_sales_can_be_made_void_orders_cannot(office: Office, kind: str) -> None:
    add = {"CreditMemo": office.company.add_credit_memo, "SalesReceipt": office.company.add_sales_receipt}[kind]
    office.company.void(add("Alder Wine", [_GIN]))
    void = office.ask(f"<{kind}QueryRq/>")[0]
    assert _texts(void, "Subtotal", "TotalAmount", "Memo") == ["0.00", "0.00", "VOID:"]
    assert _customer(office)["Balance"] == "0.00"
    made = office.ask(order())[0]
    with pytest.raises(Refusal, match="3210"):
        office.company.void(str(made.findtext("TxnID")))


@pytest.mark.parametrize("action", ["void", "delete"])
def test_what_was_paid_stays_the_customer_s(office: Office, action: str) -> None:
    sold = office.company.add_invoice("Alder Wine", [_GIN])
    office.company.pay(sold, 40)
    getattr(office.company, action)(sold)
    assert _customer(office)["Balance"] == "-40.00"


def test_an_invoice_cannot_come_to_less_than_was_paid(office: Office) -> None:
    sold = office.company.add_invoice("Alder Wine", [_GIN])
    office.company.pay(sold, 200)
    line = office.company.invoices()[0]["lines"][0]["TxnLineID"]
    with pytest.raises(Refusal, match="3210"):
        office.company.update_transaction(sold, lines=[{"TxnLineID": line, "Quantity": 1}])
    office.company.update_transaction(sold, lines=[{"TxnLineID": line, "Rate": 100}])
    assert _texts(_invoice(office), *_MONEY) == ["-200.00", "0.00", "true", "200.00"]
    office.company.update_transaction(sold, lines=[{"TxnLineID": line, "Quantity": 3}])
    assert _texts(_invoice(office), *_MONEY) == ["-200.00", "100.00", "false", "300.00"]
    assert _customer(office)["Balance"] == "100.00"


def _ordered(office: Office) -> str:
    return str(next(item for item in office.company.items() if item["Name"] == "GIN")["QuantityOnSalesOrder"])


def test_what_is_on_order_follows_the_orders(office: Office) -> None:
    txn_id = str(office.ask(order())[0].findtext("TxnID"))
    assert _ordered(office) == "2"
    line = office.company.sales_orders()[0]["lines"][0]["TxnLineID"]
    office.company.update_transaction(txn_id, lines=[{"TxnLineID": line, "Quantity": 5}, {"ItemGroupRef": "Sampler"}])
    assert (_ordered(office), office.company.sales_orders()[0]["TotalAmount"]) == ("6", "782.51")
    office.company.delete(txn_id)
    assert (_ordered(office), office.company.sales_orders()) == ("0", [])


# Deletions.


def _deleted(office: Office, kind: str, types: str, inner: str = "", attributes: str = "") -> etree._Element:
    name = {"Txn": "TxnDelType", "List": "ListDelType"}[kind]
    wanted = "".join(f"<{name}>{one}</{name}>" for one in types.split())
    return office.ask(f"<{kind}DeletedQueryRq{attributes}>{wanted}{inner}</{kind}DeletedQueryRq>")


def _range(first: str = "", last: str = "") -> str:
    start = f"<FromDeletedDate>{first}</FromDeletedDate>" if first else ""
    end = f"<ToDeletedDate>{last}</ToDeletedDate>" if last else ""
    return f"<DeletedDateRangeFilter>{start}{end}</DeletedDateRangeFilter>"


def test_a_deleted_sale_is_gone_and_remembered(office: Office) -> None:
    sold = office.company.add_invoice("Alder Wine", [_GIN], ref_number="W-1")
    office.company.add_invoice("Alder Wine", [_GIN], ref_number="W-2")
    plain = office.company.add_credit_memo("Alder Wine", [_GIN], ref_number="")
    office.clock.forward(hours=1)
    office.company.delete(plain)
    office.company.delete(sold)
    assert values(office.ask("<InvoiceQueryRq/>"), "*/RefNumber") == ["W-2"]
    assert office.status(f"<InvoiceQueryRq><TxnID>{sold}</TxnID></InvoiceQueryRq>") == 500
    found = _deleted(office, "Txn", "Invoice CreditMemo Charge")
    assert [_texts(one, "TxnDelType", "TxnID", "RefNumber") for one in found] == [
        ["CreditMemo", plain, None],
        ["Invoice", sold, "W-1"],
    ]
    assert _texts(found[1], "TimeCreated", "TimeDeleted") == ["2024-03-04T11:00:00-05:00", "2024-03-04T12:00:00-05:00"]
    assert values(_deleted(office, "Txn", "Invoice"), "*/TxnID") == [sold]
    assert _deleted(office, "Txn", "SalesReceipt").get("statusCode") == "1"
    with pytest.raises(KeyError):
        office.company.delete(sold)
    office.reopen()
    assert values(_deleted(office, "Txn", "Invoice"), "*/TxnID") == [sold]


def test_what_was_deleted_is_remembered_for_90_days(office: Office) -> None:
    first = office.company.add_invoice("Alder Wine", [_GIN])
    second = office.company.add_invoice("Alder Wine", [_GIN])
    office.company.delete(first)
    office.clock.forward(days=90)
    office.company.delete(second)
    assert values(_deleted(office, "Txn", "Invoice"), "*/TxnID") == [first, second]
    office.clock.forward(seconds=1)
    assert values(_deleted(office, "Txn", "Invoice"), "*/TxnID") == [second]
    assert values(_deleted(office, "Txn", "Invoice", _range("2024-01-01")), "*/TxnID") == [second]


@pytest.mark.parametrize(
    ("range_", "found"),
    [
        (_range(), "GIN-1 ALE-1"),
        (_range("2024-03-05T11:00:00"), "ALE-1"),
        (_range("2024-03-05T16:00:00+00:00"), "ALE-1"),
        (_range("2024-03-05T11:00:01"), ""),
        (_range("", "2024-03-05T10:59:59"), "GIN-1"),
        (_range("", "2024-03-04"), "GIN-1"),
        (_range("2024-03-04", "2024-03-05"), "GIN-1 ALE-1"),
    ],
)
def test_deletions_can_be_told_of_a_range(office: Office, range_: str, found: str) -> None:
    for name in ("GIN-1", "ALE-1"):
        office.company.add("ItemInventory", Name=name)
        office.company.delete_from_list("ItemInventory", name)
        office.clock.forward(days=1)
    answer = _deleted(office, "List", "ItemInventory Customer", range_, ' metaData="MetaDataAndResponseData"')
    assert values(answer, "*/FullName") == found.split()
    assert (answer.get("retCount"), answer.get("statusCode")) == (str(len(found.split())), "0" if found else "1")


def test_a_query_for_deletions_is_a_query_like_another(office: Office) -> None:
    office.company.delete_from_list("Customer", "Closed Tavern")
    only = _deleted(office, "List", "Customer", attributes=' metaData="MetaDataOnly"')
    assert (only.get("retCount"), len(only)) == ("1", 0)
    chosen = _deleted(office, "List", "Customer", "<IncludeRetElement>FullName</IncludeRetElement>")
    assert [node.tag for node in chosen[0]] == ["FullName"]
    turned = _deleted(office, "List", "Customer", _range("2024-03-05", "2024-03-04"))
    assert turned.get("statusCode") == "3030"
    assert _deleted(office, "List", "Customer", _range("2024-02-30")).get("statusCode") == "3020"
    assert _deleted(office, "Txn", "Invoice").get("statusCode") == "1"


def test_an_object_of_a_list_is_gone_when_nothing_refers_to_it(office: Office) -> None:
    office.company.add("Customer", Name="Till 2", ParentRef="Copper Kettle", Balance=7)
    assert _customer(office, "Copper Kettle")["TotalBalance"] == "107.00"
    office.company.delete_from_list("Customer", "Copper Kettle:Till 2")
    assert _customer(office, "Copper Kettle")["TotalBalance"] == "100.00"
    office.company.add("ItemSalesTax", Name="State", TaxRate=6)
    office.company.add("ItemSalesTaxGroup", Name="All", ItemSalesTaxRef=["State"])
    sold = office.company.add_invoice("Alder Wine", [{"ItemRef": "Delivery"}])
    for kind, name in (
        ("Customer", "Copper Kettle"), ("Customer", "Alder Wine"), ("ItemService", "Delivery"), ("SalesRep", "NR"),
        ("StandardTerms", "Net 30"), ("ItemInventory", "GIN"), ("OtherName", "North Route"), ("ItemSalesTax", "State"),
    ):  # fmt: skip
        with pytest.raises(Refusal, match="3160"):
            office.company.delete_from_list(kind, name)
    office.company.delete(sold)
    office.company.delete_from_list("ItemService", "Delivery")
    assert "Delivery" not in [item["Name"] for item in office.company.items()]
    with pytest.raises(KeyError):
        office.company.delete_from_list("ItemService", "Delivery")
    # The first vendor and the first item of a second have one id: they do not stand for each other.
    assert values(_deleted(office, "List", "Customer ItemService"), "*/ListDelType") == ["Customer", "ItemService"]


def test_an_iterator_passes_over_what_was_deleted(office: Office) -> None:
    sold = [office.company.add_invoice("Alder Wine", [_GIN]) for _ in range(5)]
    inner = "<MaxReturned>2</MaxReturned>"
    page = office.ask(f'<InvoiceQueryRq iterator="Start">{inner}</InvoiceQueryRq>')
    for gone in sold[1:3]:
        office.company.delete(gone)
    page = office.ask(
        f'<InvoiceQueryRq iterator="Continue" iteratorID="{page.get("iteratorID")}">{inner}</InvoiceQueryRq>'
    )
    assert (values(page, "*/TxnID"), page.get("iteratorRemainingCount")) == (sold[3:], "0")


# Walks: whatever happens, what is owed is what was sold less what was paid and credited.


@dataclass
class _Model:
    """What a bookkeeper would keep on paper."""

    owed: dict[str, Decimal] = field(default_factory=dict)
    #: customer, total and what was paid, of each invoice and credit memo that stands
    sales: dict[str, tuple[str, Decimal, Decimal]] = field(default_factory=dict)
    receipts: list[str] = field(default_factory=list)


_CUSTOMERS = ("Alder Wine", "Copper Kettle", "Copper Kettle:Store 1")
_LINE = st.one_of(
    st.builds(
        lambda item, quantity, rate: {"ItemRef": item, "Quantity": quantity} | ({"Rate": rate} if rate else {}),
        st.sampled_from(["GIN", "ALE", "Delivery", "Surcharge"]),
        st.decimals(0, 50, places=2),
        st.none() | st.decimals(0, 500, places=3),
    ),
    st.builds(lambda count: {"ItemGroupRef": "Sampler", "Quantity": count}, st.integers(0, 9)),
    st.sampled_from([{"ItemRef": "Subtotal"}, {"Desc": "words"}, {"ItemRef": "Volume"}]),
)
_STEP = st.tuples(
    st.sampled_from(["invoice", "invoice", "credit", "receipt", "pay", "pay", "void", "delete", "change"]),
    st.sampled_from(_CUSTOMERS),
    st.lists(_LINE, min_size=1, max_size=4),
    st.integers(0, 99),
)


@contextmanager
def _undone(office: Office) -> Iterator[None]:
    """Everything inside is taken back."""

    class Done(Exception):
        pass

    with suppress(Done), office.company.transaction():
        yield
        raise Done


def _step(office: Office, model: _Model, what: str, customer: str, lines: list[LineGiven], at: int) -> None:
    company = office.company
    office.clock.forward(minutes=1)
    chosen = sorted(model.sales)[at % len(model.sales)] if model.sales else ""
    if what in ("invoice", "credit"):
        made = company.add_invoice(customer, lines) if what == "invoice" else company.add_credit_memo(customer, lines)
        total = _total(company.invoices() + company.credit_memos(), made)
        model.sales[made] = (customer, total, Decimal(0))
        model.owed[customer] = model.owed.get(customer, Decimal(0)) + total
    elif what == "receipt":
        model.receipts.append(company.add_sales_receipt(customer, lines))
    elif chosen and what in ("void", "delete"):
        getattr(company, what)(chosen)
        owner, total, _ = model.sales.pop(chosen)
        model.owed[owner] -= total
    elif chosen and what == "pay":
        owner, total, paid = model.sales[chosen]
        amount = ((total - paid) * (at + 1) / 100).quantize(Decimal("0.01"))
        if amount > 0:
            company.pay(chosen, amount)
            model.sales[chosen] = (owner, total, paid + amount)
            model.owed[owner] -= amount
    elif chosen:
        company.update_transaction(chosen, lines=lines)
        owner, total, paid = model.sales[chosen]
        new = _total(company.invoices() + company.credit_memos(), chosen)
        model.sales[chosen] = (owner, new, paid)
        model.owed[owner] += new - total


def _total(sales: list[dict[str, Any]], txn_id: str) -> Decimal:
    """What a sale adds to what its customer owes."""
    found = next(one for one in sales if one["TxnID"] == txn_id)
    return Decimal(found["Subtotal"]) * (1 if found["kind"] == "Invoice" else -1)


def _pages(office: Office, kind: str, size: int, inner: str = "") -> list[etree._Element]:
    fields = f"<MaxReturned>{size}</MaxReturned>{inner}"
    page = office.ask(f'<{kind}QueryRq iterator="Start">{fields}</{kind}QueryRq>')
    found = list(page)
    while page.get("iteratorRemainingCount") != "0":
        step = f'iterator="Continue" iteratorID="{page.get("iteratorID")}"'
        page = office.ask(f"<{kind}QueryRq {step}>{fields}</{kind}QueryRq>")
        assert len(page) <= size
        found += list(page)
    return found


@given(st.lists(_STEP, min_size=1, max_size=12), st.integers(1, 5))
@settings(deadline=None, max_examples=60)
def test_balances_follow_sales_and_payments_and_iterators_tell_all_once(
    standing: Office, steps: list[Any], size: int
) -> None:
    with _undone(standing):
        model = _Model(owed={"Copper Kettle:Store 1": Decimal(100)})
        for step in steps:
            # What a change or a discount would bring below what was paid, or below nothing, is refused.
            with suppress(Refusal), standing.company.transaction():
                _step(standing, model, *step)
        lines = "<IncludeLineItems>true</IncludeLineItems>"
        invoices = _pages(standing, "Invoice", size, lines)
        memos = _pages(standing, "CreditMemo", size, lines)
        kept = {txn_id: (total - paid) for txn_id, (_, total, paid) in model.sales.items()}
        left = {str(one.findtext("TxnID")): Decimal(str(one.findtext("BalanceRemaining"))) for one in invoices}
        left |= {str(one.findtext("TxnID")): -Decimal(str(one.findtext("CreditRemaining"))) for one in memos}
        assert len(left) == len(invoices) + len(memos)
        assert {txn_id: amount for txn_id, amount in left.items() if txn_id in kept} == kept
        assert all(amount == 0 for txn_id, amount in left.items() if txn_id not in kept)
        receipts = _pages(standing, "SalesReceipt", size)
        assert [one.findtext("TxnID") for one in receipts] == model.receipts
        unpaid = _pages(standing, "Invoice", size, "<PaidStatus>NotPaidOnly</PaidStatus>")
        paid = _pages(standing, "Invoice", size, "<PaidStatus>PaidOnly</PaidStatus>")
        assert {one.findtext("TxnID") for one in unpaid} == {
            one.findtext("TxnID") for one in invoices if one.findtext("BalanceRemaining") != "0.00"
        }
        assert len(unpaid) + len(paid) == len(invoices)
        found = {one["FullName"]: one for one in standing.company.customers()}
        for name in _CUSTOMERS:
            assert Decimal(found[name]["Balance"]) == model.owed.get(name, 0)
        both = model.owed.get("Copper Kettle", Decimal(0)) + model.owed["Copper Kettle:Store 1"]
        assert Decimal(found["Copper Kettle"]["TotalBalance"]) == both
