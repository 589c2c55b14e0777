"""Invoices, credit memos and sales receipts: what stands on them, line by line, and what they come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from routebooks.sandbox.desk import LineGiven
from routebooks.sandbox.shapes import ShapeError
from routebooks.sandbox.status import Refusal
from sandbox_support import Office, furnish, message, values

_KINDS = ("Invoice", "CreditMemo", "SalesReceipt")
_ALL = "<IncludeLineItems>true</IncludeLineItems><OwnerID>0</OwnerID>"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path / "company.sqlite")
    furnish(made.company)
    yield made
    made.company.close()


def _asked(office: Office, kind: str = "Invoice", inner: str = _ALL) -> etree._Element:
    answer = office.ask(f"<{kind}QueryRq>{inner}</{kind}QueryRq>")
    assert answer.get("statusCode") == "0", answer.get("statusMessage")
    return answer[-1]


def _sold(office: Office, *lines: Mapping[str, Any], **more: Any) -> etree._Element:
    """A new invoice as a query shows it, with lines and custom fields."""
    office.company.add_invoice(more.pop("customer", "Alder Wine"), lines, **more)
    return _asked(office)


def _column(sale: etree._Element, name: str) -> list[str | None]:
    return [node.findtext(name) for node in sale if node.tag.endswith(("LineRet", "LineGroupRet"))]


def _lines(sale: etree._Element) -> bytes:
    """All lines as they were sent."""
    return b"".join(etree.tostring(node) for node in sale if node.tag.startswith("InvoiceLine"))


def test_an_invoice_has_quickbooks_texture(office: Office) -> None:
    office.company.add_invoice(
        "Copper Kettle",
        [{"ItemRef": "GIN", "Quantity": 2}, {"Desc": "caf\u00e9"}],
        date=date(2024, 2, 29),
        memo="a & b",
    )
    assert office.raw(message(f"<InvoiceQueryRq>{_ALL}</InvoiceQueryRq>")) == (
        b'<?xml version="1.0" ?>\n<QBXML>\n<QBXMLMsgsRs>\n'
        b'<InvoiceQueryRs statusCode="0" statusSeverity="Info" statusMessage="Status OK">\n<InvoiceRet>\n'
        b"<TxnID>3-1709564400</TxnID>\n<TimeCreated>2024-03-04T10:00:00-05:00</TimeCreated>\n"
        b"<TimeModified>2024-03-04T10:00:00-05:00</TimeModified>\n<EditSequence>1709564400</EditSequence>\n"
        b"<TxnNumber>1</TxnNumber>\n<CustomerRef>\n<ListID>80000004-1709564400</ListID>\n"
        b"<FullName>Copper Kettle</FullName>\n</CustomerRef>\n<TxnDate>2024-02-29</TxnDate>\n"
        b"<RefNumber>1001</RefNumber>\n<IsPending>false</IsPending>\n<IsFinanceCharge>false</IsFinanceCharge>\n"
        b"<DueDate>2024-02-29</DueDate>\n<ShipDate>2024-02-29</ShipDate>\n<Subtotal>240.00</Subtotal>\n"
        b"<SalesTaxPercentage>0.00</SalesTaxPercentage>\n<SalesTaxTotal>0.00</SalesTaxTotal>\n"
        b"<AppliedAmount>0.00</AppliedAmount>\n<BalanceRemaining>240.00</BalanceRemaining>\n<Memo>a &amp; b</Memo>\n"
        b"<IsPaid>false</IsPaid>\n<IsToBePrinted>false</IsToBePrinted>\n<IsToBeEmailed>false</IsToBeEmailed>\n"
        b"<InvoiceLineRet>\n<TxnLineID>1-1709564400</TxnLineID>\n<ItemRef>\n<ListID>80000001-1709564400</ListID>\n"
        b"<FullName>GIN</FullName>\n</ItemRef>\n<Desc>Gin 12x750 ml</Desc>\n<Quantity>2</Quantity>\n"
        b"<Rate>120.00</Rate>\n<Amount>240.00</Amount>\n</InvoiceLineRet>\n"
        b"<InvoiceLineRet>\n<TxnLineID>2-1709564400</TxnLineID>\n<Desc>caf&#233;</Desc>\n</InvoiceLineRet>\n"
        b"</InvoiceRet>\n</InvoiceQueryRs>\n</QBXMLMsgsRs>\n</QBXML>\n"
    )


def test_an_invoice_takes_what_it_is_not_told_from_its_customer(office: Office) -> None:
    sale = _sold(office, {"ItemRef": "GIN"}, ref_number="W-7", po_number="PO9", custom={"Route": "12"}, Other="mine")
    for name, text in {
        "TxnDate": "2024-03-04", "DueDate": "2024-04-03", "TermsRef/FullName": "Net 30", "SalesRepRef/FullName": "NR",
        "BillAddressBlock/Addr3": "Port Alder, CT", "RefNumber": "W-7", "PONumber": "PO9", "Other": "mine",
        "DataExtRet/DataExtName": "Route", "DataExtRet/DataExtValue": "12",
    }.items():  # fmt: skip
        assert sale.findtext(name) == text
    office.company.add("StandardTerms", Name="COD", StdDueDays=0)
    sale = _sold(office, {"ItemRef": "GIN"}, terms="COD", SalesRepRef="NR", ShipDate=date(2024, 3, 6))
    assert (sale.findtext("DueDate"), sale.findtext("ShipDate")) == ("2024-03-04", "2024-03-06")


@pytest.mark.parametrize("kind", _KINDS)
def test_every_kind_counts_its_own_numbers(office: Office, kind: str) -> None:
    add = {
        "Invoice": office.company.add_invoice,
        "CreditMemo": office.company.add_credit_memo,
        "SalesReceipt": office.company.add_sales_receipt,
    }
    for one in _KINDS:
        add[one]("Alder Wine", [{"ItemRef": "ALE"}])
    add[kind]("Alder Wine", [{"ItemRef": "ALE"}])
    add[kind]("Alder Wine", [{"ItemRef": "ALE"}], ref_number="")
    answer = office.ask(f"<{kind}QueryRq/>")
    assert [one.findtext("RefNumber") for one in answer] == ["1001", "1002", None]


def test_money_stands_where_each_kind_has_it(office: Office) -> None:
    lines = [{"ItemRef": "ALE", "Quantity": 3}]
    office.company.add("Account", Name="Accounts Receivable")
    office.company.add("Account", Name="Undeposited Funds")
    office.company.add("PaymentMethod", Name="Check")
    office.company.add_credit_memo("Alder Wine", lines, memo="Broken")
    memo = _asked(office, "CreditMemo")
    names = ("Subtotal", "TotalAmount", "CreditRemaining", "Memo", "ARAccountRef/FullName")
    assert [memo.findtext(name) for name in names] == ["93.77"] * 3 + ["Broken", "Accounts Receivable"]
    office.company.add_sales_receipt(
        "Alder Wine", lines, PaymentMethodRef="Check", CheckNumber="77", DepositToAccountRef="Undeposited Funds"
    )
    receipt = _asked(office, "SalesReceipt")
    names = ("TotalAmount", "DueDate", "CheckNumber", "PaymentMethodRef/FullName", "ARAccountRef")
    assert [receipt.findtext(name) for name in names] == ["93.77", "2024-03-04", "77", "Check", None]
    assert _sold(office, *lines).findtext("ARAccountRef/FullName") == "Accounts Receivable"


def test_lines_of_every_sort_keep_their_order(office: Office) -> None:
    sale = _sold(
        office,
        {"ItemRef": "GIN", "Quantity": 1, "Other1": "one", "Other2": "two", "custom": {"Shelf": "B2"}},
        {"ItemGroupRef": "Sampler", "Quantity": 2, "Desc": "Two samplers"},
        {"Desc": "Thank you"},
        {"ItemRef": "ALE", "Quantity": 2, "ServiceDate": date(2024, 3, 1)},
        {"ItemRef": "Subtotal"},
        {"ItemRef": "Volume"},
        {"ItemRef": "Rebate"},
    )
    line, group = "InvoiceLineRet", "InvoiceLineGroupRet"
    assert [node.tag for node in sale if "Line" in node.tag] == [line, group, line, line, line, line, line]
    assert _column(sale, "Desc") == [
        "Gin 12x750 ml",
        "Two samplers",
        "Thank you",
        "Ale 24x12 oz",
        "Subtotal",
        None,
        None,
    ]
    assert _column(sale, "Amount") == ["120.00", None, None, "62.51", "547.53", "-54.75", "-5.00"]
    assert _column(sale, "ItemRef/FullName") == ["GIN", None, None, "ALE", "Subtotal", "Volume", "Rebate"]
    assert values(sale, f"{group}/{line}/ItemRef/FullName") == ["GIN", "ALE"]
    assert values(sale, f"{group}/{line}/Quantity") == ["2", "4"]
    assert values(sale, f"{group}/TotalAmount") == ["365.02"]
    assert values(sale, f"{line}/Other1") + values(sale, f"{line}/Other2") == ["one", "two"]
    assert values(sale, f"{line}/DataExtRet/DataExtValue") == ["B2"]
    assert values(sale, f"{line}/ServiceDate") == ["2024-03-01"]
    assert sale.findtext("Subtotal") == sale.findtext("BalanceRemaining") == "487.78"


def test_lines_and_custom_fields_are_shown_when_asked_for(office: Office) -> None:
    below = {"DiscountLineRet": {"Amount": 1}, "ShippingLineRet": {"Amount": 2}, "SalesTaxLineRet": {"Amount": 3}}
    _sold(office, {"ItemRef": "GIN", "custom": {"Shelf": "B2"}}, custom={"Route": "12"}, **below)
    plain = _asked(office, inner="")
    assert [node.tag for node in plain if "Line" in node.tag or "Ext" in node.tag] == []
    shown = _asked(office, inner="<IncludeLineItems>1</IncludeLineItems>")
    assert [node.tag for node in shown if "Line" in node.tag or "Ext" in node.tag] == [
        "InvoiceLineRet", "DiscountLineRet", "SalesTaxLineRet", "ShippingLineRet",
    ]  # fmt: skip
    assert values(shown, ".//DataExtValue") == []
    inner = "<IncludeRetElement>TxnID</IncludeRetElement><IncludeRetElement>InvoiceLineRet</IncludeRetElement>"
    chosen = _asked(office, inner=f"<IncludeLineItems>1</IncludeLineItems>{inner}")
    assert [node.tag for node in chosen] == ["TxnID", "InvoiceLineRet"]


def test_discount_tax_and_shipping_below_the_lines_count(office: Office) -> None:
    sale = _sold(
        office,
        {"ItemRef": "GIN", "Quantity": 1},
        DiscountLineRet={"RatePercent": 10, "AccountRef": "Sales"},
        SalesTaxLineRet={"RatePercent": "6.35"},
        ShippingLineRet={"Amount": "12.50"},
    )
    assert sale.findtext("DiscountLineRet/AccountRef/FullName") == "Sales"
    assert [sale.findtext(name) for name in ("Subtotal", "SalesTaxTotal", "BalanceRemaining")] == [
        "120.00", "7.62", "128.12",
    ]  # fmt: skip


def test_tax_is_on_lines_whose_code_is_taxable(office: Office) -> None:
    company = office.company
    company.add("SalesTaxCode", Name="Tax", IsTaxable=True)
    company.add("SalesTaxCode", Name="Non", IsTaxable=False)
    company.add("ItemSalesTax", Name="State", TaxRate="6.35")
    company.update("ItemInventory", "GIN", SalesTaxCodeRef="Tax")
    company.update("ItemInventory", "ALE", SalesTaxCodeRef="Non")
    gin: LineGiven = {"ItemRef": "GIN", "Quantity": 1}
    lines = [gin, {"ItemRef": "ALE", "Quantity": 1}, {"ItemGroupRef": "Sampler"}]
    sale = _sold(office, *lines, {"ItemRef": "ALE", "SalesTaxCodeRef": "Tax"}, ItemSalesTaxRef="State")
    # GIN twice, one of them in the group, and the ALE that is said to be taxable.
    assert [sale.findtext(name) for name in ("SalesTaxPercentage", "SalesTaxTotal")] == ["6.35", "17.23"]
    assert sale.findtext("BalanceRemaining") == str(Decimal(str(sale.findtext("Subtotal"))) + Decimal("17.23"))
    assert _column(sale, "SalesTaxCodeRef/FullName") == ["Tax", "Non", None, "Tax"]
    assert _sold(office, *lines).findtext("SalesTaxTotal") == "0.00"


def test_what_is_none_stays_empty_and_an_amount_stands_as_it_was_written(office: Office) -> None:
    sale = _sold(
        office,
        {"ItemRef": "GIN", "Quantity": 3, "Rate": None, "Amount": None},
        {"ItemRef": "GIN", "Quantity": 3, "Rate": None, "Amount": "10.00"},
        {"ItemRef": "GIN", "Quantity": 3, "Rate": "2.50", "Amount": "7.00"},
        {"ItemRef": "GIN", "Quantity": 3, "Amount": "10.00"},
        {"ItemRef": "GIN", "Quantity": 3, "Desc": None},
    )
    assert _column(sale, "Rate") == [None, None, "2.50", "3.33333", "120.00"]
    assert _column(sale, "Amount") == [None, "10.00", "7.00", "10.00", "360.00"]
    assert _column(sale, "Desc")[-1] is None
    assert sale.findtext("Subtotal") == "387.00"


@pytest.mark.parametrize(
    ("day", "terms", "due"),
    [
        ("2024-03-04", {"DayOfMonthDue": 10}, "2024-03-10"),
        ("2024-03-05", {"DayOfMonthDue": 10, "DueNextMonthDays": 5}, "2024-03-10"),
        ("2024-03-06", {"DayOfMonthDue": 10, "DueNextMonthDays": 5}, "2024-04-10"),
        ("2024-12-20", {"DayOfMonthDue": 10}, "2025-01-10"),
        ("2024-02-10", {"DayOfMonthDue": 31}, "2024-02-29"),
        ("2024-01-30", {"DayOfMonthDue": 31, "DueNextMonthDays": 5}, "2024-02-29"),
    ],
)
def test_terms_may_name_a_day_of_the_month(office: Office, day: str, terms: dict[str, Any], due: str) -> None:
    office.company.add("DateDrivenTerms", Name="By the month", **terms)
    sale = _sold(office, {"ItemRef": "GIN"}, date=date.fromisoformat(day), terms="By the month")
    assert sale.findtext("DueDate") == due


def test_what_was_inactive_long_ago_may_be_sold(office: Office) -> None:
    sale = _sold(office, {"ItemRef": "OLD", "Quantity": 2}, customer="Closed Tavern")
    assert sale.findtext("Subtotal") == "18.00"


@pytest.mark.parametrize(
    ("lines", "more", "error"),
    [
        ([{"ItemRef": "SODA"}], {}, Refusal(3140)),
        ([{"ItemRef": "Sampler"}], {}, Refusal(3210)),
        ([{"ItemRef": "GIN", "Quantity": -1}], {}, Refusal(3210)),
        ([{"ItemRef": "GIN", "Quantity": 9999999999, "Rate": 9999999999}], {}, Refusal(3040)),
        ([{"ItemRef": "GIN"}], {"terms": "Net 99"}, Refusal(3140)),
        ([{"ItemRef": "GIN"}], {"ref_number": "PA-20240304-1"}, ShapeError()),
        ([{"ItemRef": "GIN"}], {"Weather": "fair"}, ShapeError()),
        ([{"ItemRef": "GIN"}], {"customer": "Nobody"}, KeyError()),
        ([{"ItemRef": "GIN"}], {"customer": "Kestrel Brewing"}, KeyError()),
    ],
)
def test_what_does_not_fit_is_refused_whole(
    office: Office, lines: list[dict[str, Any]], more: dict[str, Any], error: Exception
) -> None:
    with pytest.raises(type(error)) as caught:
        _sold(office, {"ItemRef": "ALE"}, *lines, **more)
    if isinstance(caught.value, Refusal) and isinstance(error, Refusal):
        assert caught.value.code == error.code
    assert office.company.invoices() == []
    assert [one["Balance"] for one in office.company.customers()] == ["0.00", "0.00", "100.00", "0.00"]


# Changes.


def _changed(office: Office, lines: Sequence[Mapping[str, Any]] | None = None, **more: Any) -> etree._Element:
    office.clock.forward(hours=1)
    office.company.update_transaction(office.company.invoices()[-1]["TxnID"], lines=lines, **more)
    return _asked(office)


def test_fields_of_a_sale_can_be_changed(office: Office) -> None:
    before = _sold(office, {"ItemRef": "GIN"}, memo="old", po_number="PO9", custom={"Route": "12"})
    after = _changed(office, Memo=None, PONumber="PO10", RefNumber="W-8", TxnDate="2024-03-01", custom={"Team": "East"})
    assert [after.findtext(name) for name in ("Memo", "PONumber", "RefNumber")] == [None, "PO10", "W-8"]
    assert (after.findtext("TxnDate"), after.findtext("DueDate")) == ("2024-03-01", "2024-03-31")
    assert values(after, "DataExtRet/DataExtName") == ["Route", "Team"]
    assert after.findtext("TimeCreated") == before.findtext("TimeCreated") != after.findtext("TimeModified")
    assert _lines(after) == _lines(before)
    assert office.status("<InvoiceQueryRq><RefNumber>w-8</RefNumber></InvoiceQueryRq>") == 0
    assert office.status("<InvoiceQueryRq><RefNumber>1001</RefNumber></InvoiceQueryRq>") == 500


def test_a_line_that_is_named_keeps_what_is_not_said_anew(office: Office) -> None:
    office.company.add("ItemInventory", Name="RUM", SalesDesc="Rum", SalesPrice=10)
    sale = _sold(
        office,
        {"ItemRef": "GIN", "Quantity": 1, "Rate": 5, "Desc": "mine", "Other1": "one", "custom": {"Shelf": "B2"}},
        {"ItemGroupRef": "Sampler"},
        {"Desc": "words"},
        {"ItemRef": "ALE", "Quantity": 1, "Rate": None, "Amount": None},
        {"ItemRef": "Subtotal"},
        {"ItemRef": "Volume"},
    )
    ids = [{"TxnLineID": text} for text in _column(sale, "TxnLineID")]
    # The price of the list has nothing to say about what stands in a group or on a line.
    office.company.update("ItemInventory", "GIN", SalesPrice=1)
    after = _changed(office, ids)
    assert _lines(after) == _lines(sale)

    after = _changed(office, [ids[0] | {"Quantity": 2}, ids[2], {"ItemRef": "RUM"}, ids[3], *ids[4:]])
    assert _column(after, "TxnLineID")[:2] == _column(sale, "TxnLineID")[:3:2]
    assert _column(after, "Desc")[:3] == ["mine", "words", "Rum"]
    assert _column(after, "Rate")[:4] == ["5.00", None, "10.00", None]
    assert _column(after, "Amount") == ["10.00", None, "10.00", None, "20.00", "-2.00"]
    assert values(after, "InvoiceLineRet/DataExtRet/DataExtValue") == ["B2"]
    assert (after.findtext("Subtotal"), after.findtext("BalanceRemaining")) == ("18.00", "18.00")


def test_a_line_may_become_another(office: Office) -> None:
    sale = _sold(office, {"ItemRef": "GIN", "Quantity": 2, "Rate": 5}, {"ItemGroupRef": "Sampler", "Quantity": 1})
    first, group = ({"TxnLineID": text} for text in _column(sale, "TxnLineID"))
    after = _changed(office, [first | {"ItemRef": "ALE"}, group | {"Quantity": 3}])
    assert _column(after, "TxnLineID") == [first["TxnLineID"], group["TxnLineID"]]
    assert _column(after, "Desc") == ["Ale 24x12 oz", "Sampler"]
    assert _column(after, "Quantity") == ["2", "3"]
    assert values(after, "InvoiceLineGroupRet/InvoiceLineRet/Quantity") == ["3", "6"]
    assert _column(after, "Amount") == ["62.51", None]
    after = _changed(office, [first | {"Amount": "1.00"}])
    assert (_column(after, "Rate"), _column(after, "Amount")) == (["31.255"], ["1.00"])


def test_another_customer_may_be_charged(office: Office) -> None:
    _sold(office, {"ItemRef": "GIN"})
    assert _changed(office, CustomerRef="Copper Kettle").findtext("CustomerRef/FullName") == "Copper Kettle"
    balances = {one["FullName"]: one["Balance"] for one in office.company.customers()}
    assert (balances["Alder Wine"], balances["Copper Kettle"]) == ("0.00", "120.00")


def test_a_change_that_does_not_fit_changes_nothing(office: Office) -> None:
    _sold(office, {"ItemRef": "GIN"})
    before = office.company.invoices()
    for more in (
        {"Memo": "x" * 4096},
        {"SalesRepRef": "XX"},
        {"CustomerRef": "Nobody"},
        {"lines": [{"ItemRef": "SODA"}]},
    ):
        with pytest.raises((Refusal, ShapeError)):
            _changed(office, **more)
    for nobody in ("9-1709564400", "1001"):
        with pytest.raises(KeyError):
            office.company.update_transaction(nobody, Memo="x")
    assert office.company.invoices() == before
