"""Queries for sales: which ones are meant, page by page, each once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from routebooks.sandbox.desk import LineGiven
from sandbox_support import Office, furnish, message, refused, values

_KINDS = ("Invoice", "CreditMemo", "SalesReceipt")


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A company that only queries touch: of each kind four sales, an hour apart."""
    office = Office(tmp_path_factory.mktemp("queries") / "company.sqlite")
    furnish(office.company)
    buyers = ("Alder Wine", "Copper Kettle", "Copper Kettle:Store 1", "Alder Wine")
    for number, customer in enumerate(buyers, start=1):
        office.clock.forward(hours=1)
        for add in (office.company.add_invoice, office.company.add_credit_memo, office.company.add_sales_receipt):
            lines: list[LineGiven] = [{"ItemRef": "GIN", "Quantity": number}, {"Desc": "words"}]
            sold = add(customer, lines, date=date(2024, 3, number), ref_number=f"W-{number}", custom={"Route": "12"})
            if add == office.company.add_invoice and number in (1, 3):
                office.company.pay(sold, 120)
    yield office
    office.company.close()


@pytest.fixture
def office(furnished: Office) -> Office:
    furnished.session = furnished.company.open_session()
    return furnished


def _ask(office: Office, kind: str, inner: str = "", attributes: str = "") -> etree._Element:
    return office.ask(f"<{kind}QueryRq{attributes}>{inner}</{kind}QueryRq>")


def _modified(first: str, last: str = "") -> str:
    end = f"<ToModifiedDate>{last}</ToModifiedDate>" if last else ""
    return f"<ModifiedDateRangeFilter><FromModifiedDate>{first}</FromModifiedDate>{end}</ModifiedDateRangeFilter>"


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize(
    ("inner", "numbers"),
    [
        ("", "1 2 3 4"),
        ("<RefNumber>w-2</RefNumber><RefNumber>W-1</RefNumber>", "2 1"),
        ("<RefNumberCaseSensitive>w-2</RefNumberCaseSensitive>", ""),
        (_modified("2024-03-04T12:00:00-05:00"), "2 3 4"),
        (_modified("2024-03-04T12:00:00", "2024-03-04T13:00:00"), "2 3"),
        ("<TxnDateRangeFilter><FromTxnDate>2024-03-02</FromTxnDate><ToTxnDate>2024-03-03</ToTxnDate></TxnDateRangeFilter>",
         "2 3"),
        ("<EntityFilter><FullName>Copper Kettle</FullName></EntityFilter>", "2"),
        ("<EntityFilter><FullNameWithChildren>Copper Kettle</FullNameWithChildren></EntityFilter>", "2 3"),
        ("<RefNumberFilter><MatchCriterion>EndsWith</MatchCriterion><RefNumber>-3</RefNumber></RefNumberFilter>", "3"),
        ("<RefNumberRangeFilter><FromRefNumber>W-2</FromRefNumber><ToRefNumber>W-3</ToRefNumber></RefNumberRangeFilter>",
         "2 3"),
        ("<MaxReturned>1</MaxReturned>", "1"),
    ],
)  # fmt: skip
def test_sales_can_be_filtered(office: Office, kind: str, inner: str, numbers: str) -> None:
    answer = _ask(office, kind, inner)
    assert values(answer, f"{kind}Ret/RefNumber") == [f"W-{number}" for number in numbers.split()]


@pytest.mark.parametrize(("status", "numbers"), [("All", "1 2 3 4"), ("PaidOnly", "1"), ("NotPaidOnly", "2 3 4")])
def test_invoices_can_be_told_by_whether_they_are_paid(office: Office, status: str, numbers: str) -> None:
    answer = _ask(office, "Invoice", f"<PaidStatus>{status}</PaidStatus>")
    assert values(answer, "*/RefNumber") == [f"W-{number}" for number in numbers.split()]
    both = _ask(office, "Invoice", f"{_modified('2024-03-04T13:00:00')}<PaidStatus>{status}</PaidStatus>")
    assert set(values(both, "*/RefNumber")) == {"W-3", "W-4"} & {f"W-{number}" for number in numbers.split()}


@pytest.mark.parametrize(
    ("kind", "inner", "status"),
    [
        ("Invoice", "<TxnID>9-1709564400</TxnID>", 500),
        ("CreditMemo", "<EntityFilter><FullName>Nobody</FullName></EntityFilter>", 3120),
        ("SalesReceipt", "<CurrencyFilter><FullName>Euro</FullName></CurrencyFilter>", 3250),
        ("Invoice", _modified("2024-03-05", "2024-03-04"), 3030),
        ("Invoice", _modified("2024-03-05"), 1),
    ],
)
def test_what_is_not_there_is_told(office: Office, kind: str, inner: str, status: int) -> None:
    assert _ask(office, kind, inner).get("statusCode") == str(status)


def test_a_sale_is_found_by_its_id_among_its_kind_only(office: Office) -> None:
    sold = office.company.invoices()[1]["TxnID"]
    assert values(_ask(office, "Invoice", f"<TxnID>{sold.lower()}</TxnID>"), "*/RefNumber") == ["W-2"]
    assert _ask(office, "CreditMemo", f"<TxnID>{sold}</TxnID>").get("statusCode") == "500"


@pytest.mark.parametrize("kind", _KINDS)
def test_metadata_counts(office: Office, kind: str) -> None:
    only = _ask(office, kind, attributes=' metaData="MetaDataOnly"')
    assert (only.get("retCount"), len(only)) == ("4", 0)
    both = _ask(office, kind, "<MaxReturned>3</MaxReturned>", ' metaData="MetaDataAndResponseData"')
    assert (both.get("retCount"), len(both)) == ("3", 3)


@pytest.mark.parametrize(
    "request_",
    [
        "<SalesReceiptQueryRq><IncludeLinkedTxns>true</IncludeLinkedTxns></SalesReceiptQueryRq>",
        "<CreditMemoQueryRq><PaidStatus>All</PaidStatus></CreditMemoQueryRq>",
        "<InvoiceQueryRq><FromModifiedDate>2024-03-04</FromModifiedDate></InvoiceQueryRq>",
        "<InvoiceQueryRq><ActiveStatus>All</ActiveStatus></InvoiceQueryRq>",
        "<InvoiceQueryRq><IncludeLineItems>true</IncludeLineItems><PaidStatus>All</PaidStatus></InvoiceQueryRq>",
        "<TxnDeletedQueryRq/>",
        "<ListDeletedQueryRq><ListDelType>Invoice</ListDelType></ListDeletedQueryRq>",
        '<TxnDeletedQueryRq iterator="Start"><TxnDelType>Invoice</TxnDelType></TxnDeletedQueryRq>',
        '<SalesRepQueryRq iterator="Start"><MaxReturned>5</MaxReturned></SalesRepQueryRq>',
        '<TermsQueryRq iterator="Start"><MaxReturned>5</MaxReturned></TermsQueryRq>',
        "<UnitOfMeasureSetQueryRq><OwnerID>0</OwnerID></UnitOfMeasureSetQueryRq>",
    ],
)
def test_what_the_schema_does_not_know_is_thrown_back(office: Office, request_: str) -> None:
    error = refused(office.company, message(request_))
    assert error
    assert error.hresult == "0x80040400"


@given(size=st.integers(1, 6), kind=st.sampled_from(_KINDS), lines=st.booleans())
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_iterator_returns_every_sale_once(office: Office, size: int, kind: str, lines: bool) -> None:
    inner = f"<MaxReturned>{size}</MaxReturned><IncludeLineItems>{str(lines).lower()}</IncludeLineItems>"
    page = _ask(office, kind, inner, ' iterator="Start"')
    seen = list(page)
    while page.get("iteratorRemainingCount") != "0":
        before = int(str(page.get("iteratorRemainingCount")))
        page = _ask(office, kind, inner, f' iterator="Continue" iteratorID="{page.get("iteratorID")}"')
        assert len(page) == before - int(str(page.get("iteratorRemainingCount"))) == min(size, before)
        seen += list(page)
    assert [one.findtext("RefNumber") for one in seen] == ["W-1", "W-2", "W-3", "W-4"]
    assert {len(one.findall(f"{kind}LineRet")) for one in seen} == {2 if lines else 0}
