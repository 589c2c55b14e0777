"""Sales orders: what they refer to, what they come to, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from sandbox_support import Office, furnish, line, order, values


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path / "company.sqlite")
    furnish(made.company)
    yield made
    made.company.close()


def _made(office: Office, *lines: str, header: str = "", customer: str = "Alder Wine") -> etree._Element:
    answer = office.ask(order(*lines, header=header, customer=customer))
    assert answer.get("statusCode") == "0", answer.get("statusMessage")
    return answer[0]


def _line_values(made: etree._Element, name: str) -> list[str | None]:
    return [node.findtext(name) for node in made.findall("SalesOrderLineRet")]


def _group(item: str, quantity: str = "") -> str:
    many = f"<Quantity>{quantity}</Quantity>" if quantity else ""
    ref = f"<ItemGroupRef><FullName>{item}</FullName></ItemGroupRef>"
    return f"<SalesOrderLineGroupAdd>{ref}{many}</SalesOrderLineGroupAdd>"


def test_an_order_takes_over_what_it_says(office: Office) -> None:
    header = (
        "<TxnDate>2024-02-29</TxnDate><RefNumber>PA-10240</RefNumber>"
        "<ShipAddress><Addr1>Back door</Addr1><City>Heron Bay</City></ShipAddress>"
        "<PONumber>PO7</PONumber><FOB>dock</FOB><ShipDate>2024-03-05</ShipDate><Memo>Caf&#233; &#9749;</Memo>"
        "<Other>PA-10240</Other>"
    )
    made = _made(office, header=header)
    for name, text in {
        "TxnDate": "2024-02-29", "RefNumber": "PA-10240", "PONumber": "PO7", "FOB": "dock", "ShipDate": "2024-03-05",
        "Memo": "Café ?", "Other": "PA-10240", "ShipAddress/City": "Heron Bay", "ShipAddressBlock/Addr2": "Heron Bay",
        "Subtotal": "240.00", "TotalAmount": "240.00", "TxnNumber": "1", "IsFullyInvoiced": "false",
    }.items():  # fmt: skip
        assert made.findtext(name) == text
    stored = office.company.sales_orders()[0]
    assert (stored["TxnID"], stored["Memo"]) == (made.findtext("TxnID"), "Café ?")
    assert stored["lines"][0]["ItemRef"]["FullName"] == "GIN"


def test_an_order_takes_the_rest_from_its_customer(office: Office) -> None:
    made = _made(office)
    assert made.findtext("TxnDate") == made.findtext("ShipDate") == "2024-03-04"
    assert made.findtext("TermsRef/FullName") == "Net 30"
    assert made.findtext("DueDate") == "2024-04-03"
    assert made.findtext("SalesRepRef/FullName") == "NR"
    assert made.findtext("BillAddressBlock/Addr3") == "Port Alder, CT"
    plain = _made(office, customer="Copper Kettle")
    assert plain.findtext("DueDate") == "2024-03-04"
    assert plain.find("TermsRef") is None


def test_numbers_and_ids_count_up(office: Office) -> None:
    made = [_made(office), _made(office, header="<RefNumber>MINE</RefNumber>"), _made(office)]
    assert [one.findtext("RefNumber") for one in made] == ["1001", "MINE", "1002"]
    assert [one.findtext("TxnNumber") for one in made] == ["1", "2", "3"]
    ids = [id_ for one in made for id_ in (one.findtext("TxnID"), *_line_values(one, "TxnLineID"))]
    assert len(set(ids)) == 6
    assert all(str(id_).endswith("-1709564400") for id_ in ids)


def test_the_day_is_the_workstation_s(office: Office) -> None:
    office.clock.forward(hours=13)
    assert _made(office).findtext("TxnDate") == "2024-03-04"
    office.clock.forward(hours=1)
    assert _made(office).findtext("TxnDate") == "2024-03-05"


@pytest.mark.parametrize(
    ("quantity", "rest", "rate", "amount"),
    [
        (3, "", "31.255", "93.77"),
        (None, "", "31.255", "31.26"),
        ("0.5", "<Rate>10.01</Rate>", "10.01", "5.01"),
        (-3, "<Rate>31.255</Rate>", "31.255", "-93.77"),
        (3, "<Amount>10.00</Amount>", "3.33333", "10.00"),
        (0, "<Amount>10.00</Amount>", None, "10.00"),
        (2, "<Rate>5</Rate><Amount>10</Amount>", "5.00", "10.00"),
        (0, "", "31.255", "0.00"),
        (9999999999, "<Rate>100</Rate>", "100.00", "999999999900.00"),
    ],
)
def test_amounts_are_quantity_times_rate(
    office: Office, quantity: object, rest: str, rate: str | None, amount: str
) -> None:
    made = _made(office, line("ALE", quantity, rest))
    assert (_line_values(made, "Rate"), _line_values(made, "Amount")) == ([rate], [amount])
    assert made.findtext("TotalAmount") == amount


def test_quantities_are_unpadded(office: Office) -> None:
    made = _made(office, line("GIN", "02.500"), line("GIN", "10"))
    assert _line_values(made, "Quantity") == ["2.5", "10"]


def test_discounts_subtotals_and_charges_look_at_the_lines_above(office: Office) -> None:
    made = _made(
        office, line("GIN", 1), line("ALE", 2), line("Subtotal"), line("Volume"), line("Rebate"), line("Subtotal"),
        line("Surcharge"), line("Delivery", 1),
    )  # fmt: skip
    assert _line_values(made, "Amount") == ["120.00", "62.51", "182.51", "-18.25", "-5.00", "-23.25", "-0.58", "15.00"]
    assert _line_values(made, "RatePercent") == [None, None, None, "-10.00", None, None, "2.50", None]
    assert _line_values(made, "Rate")[4] == "-5.00"
    assert made.findtext("TotalAmount") == "173.68"


def test_a_rate_in_percent_is_one_of_the_line_above(office: Office) -> None:
    made = _made(office, line("GIN", 1), line("Volume", None, "<RatePercent>-25</RatePercent>"))
    assert _line_values(made, "Amount") == ["120.00", "-30.00"]
    first = _made(office, line("Volume"))
    assert first.findtext("TotalAmount") == "0.00"


def test_a_line_may_be_words_only(office: Office) -> None:
    words = "<SalesOrderLineAdd><Desc>Thank you</Desc></SalesOrderLineAdd>"
    money = "<SalesOrderLineAdd><Desc>Credit</Desc><Rate>-2</Rate></SalesOrderLineAdd>"
    made = _made(office, line("GIN", 1), words, money)
    assert _line_values(made, "Desc") == ["Gin 12x750 ml", "Thank you", "Credit"]
    assert _line_values(made, "Amount") == ["120.00", None, "-2.00"]
    assert made.findtext("TotalAmount") == "118.00"


def test_a_group_opens_into_its_members(office: Office) -> None:
    made = _made(office, line("GIN", 1), _group("Sampler", "2"), line("ALE", 1))
    assert [node.tag for node in made if "Line" in node.tag] == [
        "SalesOrderLineRet",
        "SalesOrderLineGroupRet",
        "SalesOrderLineRet",
    ]
    group = made.find("SalesOrderLineGroupRet")
    assert group is not None
    assert values(group, "SalesOrderLineRet/Quantity") == ["2", "4"]
    assert group.findtext("TotalAmount") == "365.02"
    assert made.findtext("TotalAmount") == "516.28"
    assert _made(office, _group("Sampler")).findtext("TotalAmount") == "182.51"


def test_a_subtotal_in_a_group_adds_nothing(office: Office) -> None:
    members = [{"ItemRef": name} for name in ("GIN", "Subtotal", "Volume")]
    office.company.add("ItemGroup", Name="Offer", ItemGroupLine=members)
    group = _made(office, line("ALE", 1), _group("Offer")).find("SalesOrderLineGroupRet")
    assert group is not None
    assert values(group, "SalesOrderLineRet/Amount") == ["120.00", "120.00", "-12.00"]
    assert group.findtext("TotalAmount") == "108.00"


def test_what_is_ordered_counts_at_the_item_and_leaves_its_time_alone(office: Office) -> None:
    office.clock.forward(hours=1)
    _made(office, line("GIN", 1), line("GIN", "1.5"), _group("Sampler", "2"), line("Delivery", 1))
    gin = next(item for item in office.company.items() if item["Name"] == "GIN")
    assert gin["QuantityOnSalesOrder"] == "4.5"
    assert (gin["TimeModified"], gin["EditSequence"]) == ("2024-03-04T10:00:00-05:00", "1709564400")


def test_references_go_by_list_id_before_name(office: Office) -> None:
    gin, ale = (item["ListID"] for item in office.company.items()[:2])
    both = f"<SalesOrderLineAdd><ItemRef><ListID>{ale}</ListID><FullName>GIN</FullName></ItemRef></SalesOrderLineAdd>"
    lower = f"<SalesOrderLineAdd><ItemRef><ListID>{gin.lower()}</ListID></ItemRef></SalesOrderLineAdd>"
    made = _made(office, both, lower, line("gin"), line("gin", rest="", before="<Desc>mine</Desc>"))
    assert values(made, ".//ItemRef/FullName") == ["ALE", "GIN", "GIN", "GIN"]
    assert _line_values(made, "Desc")[-1] == "mine"


def test_line_fields_of_one_s_own_come_back_to_their_owner(office: Office) -> None:
    ext = "<DataExt><OwnerID>0</OwnerID><DataExtName>Shelf</DataExtName><DataExtValue>B2</DataExtValue></DataExt>"
    made = _made(office, line("GIN", 1, f"<Other1>one</Other1><Other2>two</Other2>{ext}"))
    assert (made.findtext(".//Other1"), made.findtext(".//Other2")) == ("one", "two")
    assert values(made, ".//DataExtValue") == []
    inner = "<IncludeLineItems>true</IncludeLineItems><OwnerID>0</OwnerID>"
    found = office.ask(f"<SalesOrderQueryRq>{inner}</SalesOrderQueryRq>")
    assert values(found, "*/SalesOrderLineRet/DataExtRet/DataExtValue") == ["B2"]


_CUSTOMER_ID = "<CustomerRef><ListID>{}</ListID></CustomerRef>"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (order(customer="Nobody"), 3140),
        (order(customer="Kestrel Brewing"), 3140),
        (order(customer=""), 3140),
        (order(customer="Closed Tavern"), 3210),
        (order(line("SODA", 1)), 3140),
        (order(line("OLD", 1)), 3210),
        (order(line("Sampler", 1)), 3210),
        (order(_group("GIN")), 3140),
        (order(header="<TermsRef><FullName>Net 99</FullName></TermsRef>"), 3140),
        (order(header="<SalesRepRef><FullName>XX</FullName></SalesRepRef>"), 3140),
        (order(header="<ClassRef><FullName>Wine</FullName></ClassRef>"), 3140),
        (order(line("GIN", 1, "<PriceLevelRef><FullName>Gold</FullName></PriceLevelRef>")), 3140),
        (order(line("GIN", 2, "<Rate>5</Rate><Amount>11.00</Amount>")), 3210),
        (order(line("GIN", 9999999999, "<Rate>9999999999</Rate>")), 3040),
        (order(*[line("GIN", 9999999999, "<Rate>900</Rate>")] * 2), 3040),
        (order().replace("<FullName>Alder Wine</FullName>", "<ListID>80000099-1446676743</ListID>"), 3140),
        (order().replace("<FullName>Alder Wine</FullName>", "<ListID>ALDER-1</ListID>"), 3000),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_of_it_done(office: Office, request_: str, status: int) -> None:
    before = office.company.items()
    answer = office.ask(request_)
    assert (answer.get("statusCode"), answer.get("statusSeverity"), len(answer)) == (str(status), "Error", 0)
    assert office.company.sales_orders() == []
    assert office.company.items() == before
    made = _made(office)
    assert [made.findtext(name) for name in ("RefNumber", ".//TxnLineID", "TxnID")] == [
        "1001",
        "1-1709564400",
        "2-1709564400",
    ]


def test_a_refusal_names_what_is_missing(office: Office) -> None:
    answer = office.ask(order(line("SODA", 1)))
    assert answer.get("statusMessage") == (
        'There is an invalid reference to QuickBooks Item "SODA" in the SalesOrder line.  QuickBooks error message:'
        " Invalid argument.  The specified record does not exist in the list."
    )


def test_parts_of_the_answer_can_be_chosen(office: Office) -> None:
    chosen = "".join(f"<IncludeRetElement>{name}</IncludeRetElement>" for name in ("TxnID", "RefNumber"))
    made = office.ask(order().replace("</SalesOrderAdd>", f"</SalesOrderAdd>{chosen}"))[0]
    assert [node.tag for node in made] == ["TxnID", "RefNumber"]
