"""Queries: which objects, in which pages, shown how."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from sandbox_support import Office, furnish, line, order, values


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A company that only queries touch."""
    office = Office(tmp_path_factory.mktemp("queries") / "company.sqlite")
    furnish(office.company)
    office.clock.forward(hours=1)
    office.company.update("Customer", "Alder Wine", Phone="860-555-0101")
    for number, customer in enumerate(("Alder Wine", "Copper Kettle", "Copper Kettle:Store 1", "Alder Wine"), start=1):
        office.clock.forward(hours=1)
        header = f"<TxnDate>2024-03-0{number}</TxnDate><RefNumber>W-{number}</RefNumber>"
        office.ask(order(customer=customer, header=header))
    yield office
    office.company.close()


@pytest.fixture
def office(furnished: Office) -> Office:
    furnished.session = furnished.company.open_session()
    return furnished


def _names(office: Office, inner: str, kind: str = "Customer", attributes: str = "") -> list[str]:
    answer = office.ask(f"<{kind}QueryRq{attributes}>{inner}</{kind}QueryRq>")
    return [node.findtext("FullName") or node.findtext("Name") or node.findtext("Initial") or "" for node in answer]


def _orders(office: Office, inner: str) -> list[str]:
    return values(office.ask(f"<SalesOrderQueryRq>{inner}</SalesOrderQueryRq>"), "*/RefNumber")


def test_only_active_objects_come_unless_asked_for(office: Office) -> None:
    active = ["Alder Wine", "Copper Kettle", "Copper Kettle:Store 1"]
    assert _names(office, "") == active
    assert _names(office, "<ActiveStatus>ActiveOnly</ActiveStatus>") == active
    assert _names(office, "<ActiveStatus>InactiveOnly</ActiveStatus>") == ["Closed Tavern"]
    assert _names(office, "<ActiveStatus>All</ActiveStatus>") == ["Alder Wine", "Closed Tavern", *active[1:]]


def test_every_list_has_its_query(office: Office) -> None:
    assert _names(office, "", "Vendor") == ["Kestrel Brewing"]
    assert _names(office, "", "SalesRep") == ["NR"]
    assert _names(office, "", "StandardTerms") == ["Net 30"]
    assert _names(office, "", "CustomerType") == ["Off Premise"]
    rep = office.ask("<SalesRepQueryRq/>")[0]
    assert rep.findtext("SalesRepEntityRef/FullName") == "North Route"


def test_items_of_all_kinds_come_in_one_answer(office: Office) -> None:
    answer = office.ask("<ItemQueryRq><ActiveStatus>All</ActiveStatus><OwnerID>0</OwnerID></ItemQueryRq>")
    assert {node.tag for node in answer} == {
        "ItemInventoryRet", "ItemServiceRet", "ItemOtherChargeRet", "ItemDiscountRet", "ItemSubtotalRet",
        "ItemGroupRet",
    }  # fmt: skip
    assert values(answer, ".//DataExtValue") == ["Kestrel"]
    assert values(answer, "ItemGroupRet/FullName") == []


def test_look_ups_find_active_or_not_and_tell_the_first_that_is_missing(office: Office) -> None:
    assert _names(office, "<FullName>closed tavern</FullName><FullName>ALDER WINE</FullName>") == [
        "Closed Tavern",
        "Alder Wine",
    ]
    answer = office.ask(
        "<CustomerQueryRq><FullName>Alder Wine</FullName><FullName>Nobody</FullName><FullName>None</FullName>"
        "</CustomerQueryRq>"
    )
    assert (answer.get("statusCode"), answer.get("statusSeverity"), len(answer)) == ("500", "Warn", 1)
    assert '("Nobody")' in str(answer.get("statusMessage"))
    listed = {one["FullName"]: one["ListID"] for one in office.company.customers()}
    assert _names(office, f"<ListID>{listed['Copper Kettle'].lower()}</ListID>") == ["Copper Kettle"]
    assert office.status("<CustomerQueryRq><ListID>Alder Wine</ListID></CustomerQueryRq>") == 500
    assert office.status("<CustomerQueryRq><FullName>Store 1</FullName></CustomerQueryRq>") == 500


def test_nothing_found_is_status_1(office: Office) -> None:
    answer = office.ask("<CustomerQueryRq><FromModifiedDate>2030-01-01</FromModifiedDate></CustomerQueryRq>")
    assert (answer.get("statusCode"), answer.get("statusSeverity")) == ("1", "Info")
    assert answer.get("statusMessage") == "A query request did not find a matching object in QuickBooks."
    assert len(answer) == 0


@pytest.mark.parametrize(
    ("inner", "names"),
    [
        ("<FromModifiedDate>2024-03-04T11:00:00-05:00</FromModifiedDate>", ["Alder Wine"]),
        ("<FromModifiedDate>2024-03-04T16:00:00+00:00</FromModifiedDate>", ["Alder Wine"]),
        ("<FromModifiedDate>2024-03-04T11:00:01</FromModifiedDate>", []),
        ("<ToModifiedDate>2024-03-04T10:00:00</ToModifiedDate>", ["Copper Kettle", "Copper Kettle:Store 1"]),
        ("<ToModifiedDate>2024-03-03</ToModifiedDate>", []),
        ("<FromModifiedDate>2024-03-04</FromModifiedDate><ToModifiedDate>2024-03-04</ToModifiedDate>",
         ["Alder Wine", "Copper Kettle", "Copper Kettle:Store 1"]),
    ],
)  # fmt: skip
def test_modified_dates_include_both_ends(office: Office, inner: str, names: list[str]) -> None:
    assert _names(office, inner) == names


def _name_filter(criterion: str, name: str) -> str:
    return f"<NameFilter><MatchCriterion>{criterion}</MatchCriterion><Name>{name}</Name></NameFilter>"


@pytest.mark.parametrize(
    ("inner", "names"),
    [
        (_name_filter("StartsWith", "copper"), ["Copper Kettle", "Copper Kettle:Store 1"]),
        (_name_filter("Contains", "Wine"), ["Alder Wine"]),
        (_name_filter("EndsWith", "1"), ["Copper Kettle:Store 1"]),
        ("<NameRangeFilter><FromName>B</FromName></NameRangeFilter>", ["Copper Kettle", "Copper Kettle:Store 1"]),
        ("<NameRangeFilter><ToName>copper kettle</ToName></NameRangeFilter>", ["Alder Wine", "Copper Kettle"]),
        ("<NameRangeFilter><FromName>alder wine</FromName><ToName>b</ToName></NameRangeFilter>", ["Alder Wine"]),
    ],
)
def test_names_can_be_filtered(office: Office, inner: str, names: list[str]) -> None:
    assert _names(office, inner) == names


@pytest.mark.parametrize(
    ("operator", "count"),
    [("Equal", 2), ("GreaterThan", 0), ("GreaterThanEqual", 2), ("LessThan", 1), ("LessThanEqual", 3)],
)
def test_balances_can_be_filtered(office: Office, operator: str, count: int) -> None:
    inner = f"<TotalBalanceFilter><Operator>{operator}</Operator><Amount>100.00</Amount></TotalBalanceFilter>"
    assert len(_names(office, inner)) == count


@pytest.mark.parametrize(
    ("inner", "status"),
    [
        ("<FromModifiedDate>2024-03-05</FromModifiedDate><ToModifiedDate>2024-03-04</ToModifiedDate>", 3030),
        ("<FromModifiedDate>2024-02-30</FromModifiedDate>", 3020),
        ("<FromModifiedDate>0000-01-01</FromModifiedDate>", 3020),
        ("<NameRangeFilter><FromName>b</FromName><ToName>a</ToName></NameRangeFilter>", 3031),
        ("<CurrencyFilter><FullName>Euro</FullName></CurrencyFilter>", 3250),
        ("<ClassFilter><FullName>Wine</FullName></ClassFilter>", 3250),
    ],
)
def test_ranges_and_features_that_are_not_there_are_refused(office: Office, inner: str, status: int) -> None:
    assert office.status(f"<CustomerQueryRq>{inner}</CustomerQueryRq>") == status


def test_max_returned_cuts_off(office: Office) -> None:
    assert _names(office, "<MaxReturned>2</MaxReturned>") == ["Alder Wine", "Copper Kettle"]


def test_metadata_counts(office: Office) -> None:
    only = office.ask('<CustomerQueryRq metaData="MetaDataOnly"/>')
    assert (only.get("retCount"), len(only)) == ("3", 0)
    both = office.ask(
        '<CustomerQueryRq metaData="MetaDataAndResponseData"><MaxReturned>2</MaxReturned></CustomerQueryRq>'
    )
    assert (both.get("retCount"), len(both)) == ("2", 2)
    assert office.ask("<CustomerQueryRq/>").get("retCount") is None


def test_single_elements_can_be_asked_for(office: Office) -> None:
    inner = "<FullName>Alder Wine</FullName><IncludeRetElement>Name</IncludeRetElement>"
    ret = office.ask(f"<CustomerQueryRq>{inner}<OwnerID>0</OwnerID></CustomerQueryRq>")[0]
    assert [node.tag for node in ret] == ["Name"]
    more = "<IncludeRetElement>DataExtRet</IncludeRetElement><IncludeRetElement>Phone</IncludeRetElement>"
    ret = office.ask(f"<CustomerQueryRq>{inner}{more}<OwnerID>0</OwnerID></CustomerQueryRq>")[0]
    assert [node.tag for node in ret] == ["Name", "Phone", "DataExtRet"]


# Transactions.


def test_orders_come_without_lines_unless_asked_for(office: Office) -> None:
    assert values(office.ask("<SalesOrderQueryRq/>"), ".//TxnLineID") == []
    inner = "<RefNumber>W-1</RefNumber><IncludeLineItems>true</IncludeLineItems>"
    assert len(values(office.ask(f"<SalesOrderQueryRq>{inner}</SalesOrderQueryRq>"), ".//TxnLineID")) == 1


def _modified(first: str, last: str = "") -> str:
    end = f"<ToModifiedDate>{last}</ToModifiedDate>" if last else ""
    return f"<ModifiedDateRangeFilter><FromModifiedDate>{first}</FromModifiedDate>{end}</ModifiedDateRangeFilter>"


@pytest.mark.parametrize(
    ("inner", "numbers"),
    [
        ("", "1 2 3 4"),
        ("<RefNumber>w-2</RefNumber><RefNumber>W-1</RefNumber>", "2 1"),
        ("<RefNumberCaseSensitive>W-2</RefNumberCaseSensitive>", "2"),
        ("<RefNumberCaseSensitive>w-2</RefNumberCaseSensitive>", ""),
        (_modified("2024-03-04T13:00:00-05:00"), "2 3 4"),
        (_modified("2024-03-04T13:00:00", "2024-03-04T14:00:00"), "2 3"),
        ("<TxnDateRangeFilter><FromTxnDate>2024-03-02</FromTxnDate></TxnDateRangeFilter>", "2 3 4"),
        ("<TxnDateRangeFilter><ToTxnDate>2024-03-02</ToTxnDate></TxnDateRangeFilter>", "1 2"),
        ("<EntityFilter><FullName>Copper Kettle</FullName></EntityFilter>", "2"),
        ("<EntityFilter><FullName>Copper Kettle</FullName><FullName>Alder Wine</FullName></EntityFilter>", "1 2 4"),
        ("<EntityFilter><FullNameWithChildren>Copper Kettle</FullNameWithChildren></EntityFilter>", "2 3"),
        (_modified("2024-03-04T13:00:00") + "<EntityFilter><FullName>Alder Wine</FullName></EntityFilter>", "4"),
        ("<RefNumberFilter><MatchCriterion>EndsWith</MatchCriterion><RefNumber>-3</RefNumber></RefNumberFilter>", "3"),
        ("<RefNumberRangeFilter><FromRefNumber>W-2</FromRefNumber><ToRefNumber>W-3</ToRefNumber></RefNumberRangeFilter>",
         "2 3"),
        ("<MaxReturned>1</MaxReturned>", "1"),
    ],
)  # fmt: skip
def test_orders_can_be_filtered(office: Office, inner: str, numbers: str) -> None:
    assert _orders(office, inner) == [f"W-{number}" for number in numbers.split()]


def test_orders_can_be_found_by_ids(office: Office) -> None:
    first, second = office.company.sales_orders()[:2]
    assert _orders(office, f"<TxnID>{second['TxnID']}</TxnID>") == ["W-2"]
    by_customer = (
        f"<EntityFilter><ListIDWithChildren>{second['CustomerRef']['ListID']}</ListIDWithChildren></EntityFilter>"
    )
    assert _orders(office, by_customer) == ["W-2", "W-3"]
    by_customer = f"<EntityFilter><ListID>{first['CustomerRef']['ListID']}</ListID></EntityFilter>"
    assert _orders(office, by_customer) == ["W-1", "W-4"]
    # A number is no id, and an id no number.
    assert office.status("<SalesOrderQueryRq><TxnID>W-2</TxnID></SalesOrderQueryRq>") == 500
    assert office.status(f"<SalesOrderQueryRq><RefNumber>{first['TxnID']}</RefNumber></SalesOrderQueryRq>") == 500


def test_an_unknown_entity_and_a_turned_range_are_refused(office: Office) -> None:
    entity = "<EntityFilter><FullName>Nobody</FullName></EntityFilter>"
    dates = "<FromTxnDate>2024-03-05</FromTxnDate><ToTxnDate>2024-03-04</ToTxnDate>"
    assert office.status(f"<SalesOrderQueryRq>{entity}</SalesOrderQueryRq>") == 3120
    turned = f"<SalesOrderQueryRq><TxnDateRangeFilter>{dates}</TxnDateRangeFilter></SalesOrderQueryRq>"
    assert office.status(turned) == 3030


# Iterators.


def _page(
    office: Office, attributes: str, inner: str = "<MaxReturned>2</MaxReturned>", kind: str = "Item"
) -> etree._Element:
    return office.ask(f"<{kind}QueryRq {attributes}>{inner}</{kind}QueryRq>")


def test_an_iterator_goes_page_by_page_to_its_end(office: Office) -> None:
    first = _page(office, 'iterator="Start" requestID="1"', "<MaxReturned>5</MaxReturned>")
    iterator = str(first.get("iteratorID"))
    assert (first.get("iteratorRemainingCount"), len(first)) == ("3", 5)
    assert iterator.startswith("{")
    assert iterator.endswith("}")
    last = _page(office, f'iterator="Continue" iteratorID="{iterator}"', "<MaxReturned>5</MaxReturned>")
    assert (last.get("iteratorRemainingCount"), last.get("iteratorID"), len(last)) == ("0", iterator, 3)
    over = _page(office, f'iterator="Continue" iteratorID="{iterator}"', "<MaxReturned>5</MaxReturned>")
    assert (over.get("statusCode"), over.get("iteratorRemainingCount"), len(over)) == ("1", "0", 0)


def _started(office: Office) -> str:
    return str(_page(office, 'iterator="Start"').get("iteratorID"))


def test_an_iterator_is_its_session_s_own(office: Office) -> None:
    iterator = _started(office)
    office.session = office.company.open_session()
    answer = _page(office, f'iterator="Continue" iteratorID="{iterator}"')
    assert answer.get("statusCode") == "3391"
    assert answer.get("statusMessage") == f'The iteratorID "{iterator}" is not valid.'


@pytest.mark.parametrize(
    ("kind", "inner"),
    [
        ("Item", "<MaxReturned>3</MaxReturned>"),
        ("Item", ""),
        ("Item", "<MaxReturned>2</MaxReturned><ActiveStatus>All</ActiveStatus>"),
        ("Item", "<MaxReturned>2</MaxReturned><OwnerID>0</OwnerID>"),
        ("Vendor", "<MaxReturned>2</MaxReturned>"),
    ],
)
def test_an_iterator_wants_the_same_request_again(office: Office, kind: str, inner: str) -> None:
    iterator = _started(office)
    assert _page(office, f'iterator="Continue" iteratorID="{iterator}"', inner, kind).get("statusCode") == "3391"
    assert _page(office, f'iterator="Continue" iteratorID="{iterator}"').get("statusCode") == "0"


def test_an_iterator_can_be_stopped(office: Office) -> None:
    iterator = _started(office)
    assert _page(office, f'iterator="Stop" iteratorID="{iterator}"').get("statusCode") == "0"
    assert _page(office, f'iterator="Continue" iteratorID="{iterator}"').get("statusCode") == "3391"
    assert _page(office, 'iterator="Continue"').get("statusCode") == "3391"
    assert _page(office, 'iterator="Continue" iteratorID="{nonsense}"').get("statusCode") == "3391"


def test_two_iterators_do_not_know_each_other(office: Office) -> None:
    first, second = _started(office), _started(office)
    assert first != second
    pages = [_page(office, f'iterator="Continue" iteratorID="{one}"') for one in (first, second)]
    assert values(pages[0], "*/ListID") == values(pages[1], "*/ListID")


def test_an_iterator_shows_what_is_there_when_its_page_comes(tmp_path: Path) -> None:
    office = Office(tmp_path / "company.sqlite")
    furnish(office.company)
    iterator = _page(office, 'iterator="Start"', "<MaxReturned>1</MaxReturned>", "Customer").get("iteratorID")
    office.company.add("Customer", Name="Aaa Tavern")
    office.company.update("Customer", "Copper Kettle", Phone="860-555-0177")
    page = _page(office, f'iterator="Continue" iteratorID="{iterator}"', "<MaxReturned>1</MaxReturned>", "Customer")
    assert values(page, "*/Phone") == ["860-555-0177"]
    office.company.close()


@given(
    size=st.integers(1, 12),
    status=st.sampled_from(["ActiveOnly", "InactiveOnly", "All"]),
    kind=st.sampled_from(["Item", "Customer"]),
)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_iterator_returns_every_record_once(office: Office, size: int, status: str, kind: str) -> None:
    inner = f"<MaxReturned>{size}</MaxReturned><ActiveStatus>{status}</ActiveStatus>"
    page = _page(office, 'iterator="Start"', inner, kind)
    seen = values(page, "*/ListID")
    while page.get("iteratorRemainingCount") != "0":
        before = int(str(page.get("iteratorRemainingCount")))
        page = _page(office, f'iterator="Continue" iteratorID="{page.get("iteratorID")}"', inner, kind)
        assert len(page) == before - int(str(page.get("iteratorRemainingCount"))) == min(size, before)
        seen += values(page, "*/ListID")
    objects = office.company.items() if kind == "Item" else office.company.customers()
    active = {"ActiveOnly": ("true",), "InactiveOnly": ("false",)}.get(status, ("true", "false"))
    assert sorted(seen) == sorted(one["ListID"] for one in objects if one["IsActive"] in active)


def test_line_of_an_order_shows_present_names(tmp_path: Path) -> None:
    office = Office(tmp_path / "company.sqlite")
    furnish(office.company)
    office.ask(order(line("GIN", 1)))
    office.company.update("ItemInventory", "GIN", Name="GIN-12")
    answer = office.ask("<SalesOrderQueryRq><IncludeLineItems>1</IncludeLineItems></SalesOrderQueryRq>")
    assert values(answer, ".//ItemRef/FullName") == ["GIN-12"]
    office.company.close()
