"""The company as a whole: its file, its sessions, what it says of itself, writes to lists."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from routebooks.sandbox.company import NO_SESSION, QuickBooksError
from routebooks.sandbox.shapes import ShapeError
from routebooks.sandbox.status import Refusal
from sandbox_support import Office, furnish, message, order, schema, values

_OWNER = "{57F3B9B6-86F1-4FCC-B1FF-966DE1813D20}"
_FILE = "{90A44FB5-33D9-4815-AC85-AC86A7E7D1EB}"
_COMPANY = f"<CompanyQueryRq><OwnerID>{_OWNER}</OwnerID></CompanyQueryRq>"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path / "company.sqlite")
    furnish(made.company)
    yield made
    made.company.close()


def test_answers_have_quickbooks_texture(office: Office) -> None:
    assert office.raw(
        message('<CustomerQueryRq requestID="7"><FullName>Copper Kettle</FullName></CustomerQueryRq>')
    ) == (
        b'<?xml version="1.0" ?>\n<QBXML>\n<QBXMLMsgsRs>\n'
        b'<CustomerQueryRs requestID="7" statusCode="0" statusSeverity="Info" statusMessage="Status OK">\n'
        b"<CustomerRet>\n<ListID>80000004-1709564400</ListID>\n"
        b"<TimeCreated>2024-03-04T10:00:00-05:00</TimeCreated>\n"
        b"<TimeModified>2024-03-04T10:00:00-05:00</TimeModified>\n"
        b"<EditSequence>1709564400</EditSequence>\n<Name>Copper Kettle</Name>\n<FullName>Copper Kettle</FullName>\n"
        b"<IsActive>true</IsActive>\n<Sublevel>0</Sublevel>\n"
        b"<Balance>0.00</Balance>\n<TotalBalance>100.00</TotalBalance>\n<JobStatus>None</JobStatus>\n"
        b"</CustomerRet>\n</CustomerQueryRs>\n</QBXMLMsgsRs>\n</QBXML>\n"
    )


def test_an_empty_answer_closes_itself(office: Office) -> None:
    assert office.raw(message("<VendorQueryRq><FullName>Nobody &amp; Co</FullName></VendorQueryRq>")) == (
        b'<?xml version="1.0" ?>\n<QBXML>\n<QBXMLMsgsRs>\n<VendorQueryRs statusCode="500" statusSeverity="Warn"'
        b' statusMessage="The query request has not been fully completed. There was a required element'
        b' (&quot;Nobody &amp; Co&quot;) that could not be found in QuickBooks." />\n</QBXMLMsgsRs>\n</QBXML>\n'
    )


def test_the_company_says_who_it_is(office: Office) -> None:
    found = office.ask(_COMPANY)[0]
    assert found.findtext("CompanyName") == "Harbor Beverage Company"
    assert found.findtext("LegalCompanyName") == "Harbor Beverage Company, Inc."
    assert found.findtext("AddressBlock/Addr2") == "Port Alder, CT 06099"
    assert found.find("DataExtRet") is None


def test_the_mark_belongs_to_its_owner(office: Office) -> None:
    office.company.set_mark(_OWNER, "{old}")
    office.company.set_mark(_OWNER.lower(), _FILE)
    office.company.set_mark(_FILE, "{of another program}")
    assert values(office.ask(_COMPANY), ".//DataExtValue") == [_FILE]
    assert values(office.ask(_COMPANY), ".//DataExtName") == ["FileID"]
    assert values(office.ask("<CompanyQueryRq/>"), ".//DataExtValue") == []


def test_a_qwc_file_leaves_its_mark_once(office: Office) -> None:
    for file_id in ("{first}", "{second}", "{FIRST}"):
        office.company.admit(_OWNER, file_id)
    assert values(office.ask(_COMPANY), ".//DataExtValue") == ["{second}"]


def test_the_first_answers_of_a_session_tell_host_company_and_preferences(office: Office) -> None:
    office.company.set_mark(_OWNER, _FILE)
    office.company.set_mark(_FILE, "{of another program}")
    found = etree.fromstring(office.company.host_company_preferences())
    assert schema().validate(found)
    assert [answer.tag for answer in found[0]] == ["HostQueryRs", "CompanyQueryRs", "PreferencesQueryRs"]
    assert values(found, ".//DataExtValue") == [_FILE, "{of another program}"]
    assert values(found, ".//ProductName") == ["QuickBooks Enterprise Solutions 14.0"]
    assert values(found, ".//SupportedQBXMLVersion")[-1] == "13.0"
    owned = etree.fromstring(office.company.host_company_preferences(_OWNER))
    assert values(owned, ".//DataExtValue") == [_FILE]


def test_about_queries_can_be_asked_for_single_elements(office: Office) -> None:
    host = office.ask("<HostQueryRq><IncludeRetElement>ProductName</IncludeRetElement></HostQueryRq>")
    assert [node.tag for node in host[0]] == ["ProductName"]
    preferences = office.ask("<PreferencesQueryRq/>")
    assert values(preferences, ".//IsUsingClassTracking") == ["false"]


def test_everything_is_there_after_a_kill(office: Office) -> None:
    office.company.set_mark(_OWNER, _FILE)
    office.company.file_path = r"D:\Moved\Harbor Beverage.qbw"
    office.ask(order())
    before = (office.company.customers(), office.company.items(), office.company.sales_orders())
    office.reopen()
    assert (office.company.customers(), office.company.items(), office.company.sales_orders()) == before
    assert office.company.file_path == r"D:\Moved\Harbor Beverage.qbw"
    assert values(office.ask(_COMPANY), ".//DataExtValue") == [_FILE]
    office.ask(order())
    numbers = [one["RefNumber"] for one in office.company.sales_orders()]
    assert numbers == ["1001", "1002"]


def test_what_was_begun_and_not_ended_is_not_there(office: Office) -> None:
    before = office.company.customers()

    def break_off() -> None:
        with office.company.transaction():
            office.company.add("Customer", Name="Half Way Tavern")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert office.company.customers() == before


def test_a_file_keeps_the_edition_that_it_was_made_with(tmp_path: Path) -> None:
    office = Office(tmp_path / "company.sqlite", edition="Pro", company_name="Small Cellar", zone="America/Chicago")
    furnish(office.company)
    office.company.close()
    again = Office(tmp_path / "company.sqlite")
    assert again.company.edition == "Pro"
    assert values(again.ask("<CompanyQueryRq/>"), ".//CompanyName") == ["Small Cellar"]
    assert values(again.ask("<VendorQueryRq/>"), ".//TimeCreated") == ["2024-03-04T09:00:00-06:00"]
    assert again.status(order()) == 3250
    assert again.status("<SalesOrderQueryRq/>") == 3250
    assert again.status("<CustomerQueryRq/>") == 0
    again.company.close()


def test_a_session_that_has_ended_is_thrown_back(office: Office) -> None:
    office.company.close_session(office.session)
    office.company.close_session("never open")
    with pytest.raises(QuickBooksError) as caught:
        office.raw(message("<HostQueryRq/>"))
    assert caught.value.hresult == NO_SESSION


def test_a_backup_brings_all_back_but_the_path(office: Office, tmp_path: Path) -> None:
    copy = tmp_path / "backup.qbb"
    office.ask(order(header="<RefNumber>KEPT</RefNumber>"), newMessageSetID="kept")
    office.company.backup(copy)
    office.company.file_path = r"D:\New\Harbor.qbw"
    lost = message(order(header="<RefNumber>LOST</RefNumber>"), newMessageSetID="lost")
    office.raw(lost)
    office.company.restore(copy)
    assert [one["RefNumber"] for one in office.company.sales_orders()] == ["KEPT"]
    assert office.company.file_path == r"D:\New\Harbor.qbw"
    with pytest.raises(QuickBooksError):
        office.raw(message("<HostQueryRq/>"))
    office.session = office.company.open_session()
    assert office.send(newMessageSetID="lost", oldMessageSetID="lost").get("messageSetStatusCode") == "9002"
    assert office.send(newMessageSetID="kept", oldMessageSetID="kept").get("messageSetStatusCode") == "0"
    office.raw(lost)
    assert [one["RefNumber"] for one in office.company.sales_orders()] == ["KEPT", "LOST"]
    office.reopen()
    assert [one["RefNumber"] for one in office.company.sales_orders()] == ["KEPT", "LOST"]


def test_threads_share_a_company(office: Office) -> None:
    def post(number: int) -> None:
        session = office.company.open_session()
        for at in range(5):
            raw = message(order(header=f"<RefNumber>{number}-{at}</RefNumber>"), newMessageSetID=f"{number}-{at}")
            office.company.process(session, raw)
        office.company.close_session(session)

    threads = [threading.Thread(target=post, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    orders = office.company.sales_orders()
    assert {one["RefNumber"] for one in orders} == {f"{number}-{at}" for number in range(4) for at in range(5)}
    assert len({one["TxnID"] for one in orders}) == 20


def test_a_request_id_is_echoed_up_to_50_characters(office: Office) -> None:
    longest, longer = "x" * 50, "x" * 51
    assert office.ask(f'<HostQueryRq requestID="{longest}"/>').get("requestID") == longest
    answer = office.ask(f'<HostQueryRq requestID="{longer}"/>')
    assert (answer.get("statusCode"), answer.get("requestID")) == ("1060", None)
    assert "requestID" not in office.ask("<HostQueryRq/>").attrib


@pytest.mark.parametrize(("on_error", "statuses"), [("stopOnError", "0 3140 3231"), ("continueOnError", "0 3140 0")])
def test_on_error_decides_what_happens_to_the_rest(office: Office, on_error: str, statuses: str) -> None:
    answers = office.send(order(), order(customer="Nobody"), order(), onError=on_error)
    assert " ".join(answer.get("statusCode", "") for answer in answers) == statuses
    assert len(office.company.sales_orders()) == statuses.split().count("0")


def test_a_warning_does_not_stop_the_rest(office: Office) -> None:
    missing = "<CustomerQueryRq><FullName>Nobody</FullName></CustomerQueryRq>"
    assert [one.get("statusCode") for one in office.send(missing, "<HostQueryRq/>")] == ["500", "0"]


@pytest.mark.parametrize("code", [1000, 3175, 3180, 3260])
def test_failures_can_be_asked_for(office: Office, code: int) -> None:
    office.company.fail_next(code, times=2)
    office.company.fail_next(code, on="CustomerQuery")
    answers = [office.ask(order()) for _ in range(3)]
    assert [answer.get("statusCode") for answer in answers] == [str(code), str(code), "0"]
    assert answers[0].get("statusSeverity") == "Error"
    assert answers[0].get("statusMessage")
    assert len(office.company.sales_orders()) == 1
    assert [office.status("<CustomerQueryRq/>") for _ in range(2)] == [code, 0]


def test_data_can_be_left_out_of_the_answer(office: Office) -> None:
    answer = office.ask(order(), responseData="includeNone")
    assert (answer.get("statusCode"), len(answer)) == ("0", 0)
    assert len(office.company.sales_orders()) == 1


# Lists: names, times, edit sequences, balances.


def _customer(name: str, rest: str = "") -> str:
    return f"<CustomerAddRq><CustomerAdd><Name>{name}</Name>{rest}</CustomerAdd></CustomerAddRq>"


def test_a_customer_can_be_added(office: Office) -> None:
    answer = office.ask(
        _customer(
            "Heron Bay Grill",
            "<CompanyName>Heron Bay &#233;</CompanyName><BillAddress><Addr1>1 Quay</Addr1><Addr2/></BillAddress>"
            "<TermsRef><FullName>net 30</FullName></TermsRef><OpenBalance>12.50</OpenBalance>"
            "<AccountNumber>777</AccountNumber><CreditLimit>5000</CreditLimit><Notes>&#127866;!</Notes>",
        )
    )
    added = answer[0]
    assert added.findtext("CompanyName") == "Heron Bay é"
    assert added.findtext("TermsRef/FullName") == "Net 30"
    assert [added.findtext(name) for name in ("Balance", "CreditLimit", "Notes")] == ["12.50", "5000.00", "?!"]
    assert [node.tag for node in added.findall("BillAddress/*")] == ["Addr1"]
    assert office.company.customers()[-1]["ListID"] == added.findtext("ListID")


def test_line_ends_and_tabs_come_back_as_they_went(office: Office) -> None:
    text = "one\r\ntwo\tthree & <four>"
    office.company.update("Customer", "Alder Wine", Notes=text)
    answer = office.ask("<CustomerQueryRq><FullName>Alder Wine</FullName></CustomerQueryRq>")
    assert answer.findtext(".//Notes") == text


@pytest.mark.parametrize("name", ["Alder Wine", "ALDER WINE", "Kestrel Brewing", "North Route"])
def test_a_name_is_unique_over_all_lists_of_names(office: Office, name: str) -> None:
    answer = office.ask(_customer(name))
    assert answer.get("statusCode") == "3100"
    assert answer.get("statusMessage") == f'The name "{name}" of the list element is already in use.'


def test_a_job_may_have_a_customer_s_name(office: Office) -> None:
    answer = office.ask(_customer("Alder Wine", "<ParentRef><FullName>Copper Kettle</FullName></ParentRef>"))
    assert answer.findtext("CustomerRet/FullName") == "Copper Kettle:Alder Wine"
    assert answer.findtext("CustomerRet/Sublevel") == "1"
    assert office.status(_customer("a:b")) == 3210
    assert office.status(_customer("Job", "<ParentRef><FullName>Nobody</FullName></ParentRef>")) == 3140


def _change(office: Office, name: str, rest: str, sequence: str = "") -> etree._Element:
    found = next(one for one in office.company.customers() if one["FullName"] == name)
    head = f"<ListID>{found['ListID']}</ListID><EditSequence>{sequence or found['EditSequence']}</EditSequence>"
    return office.ask(f"<CustomerModRq><CustomerMod>{head}{rest}</CustomerMod></CustomerModRq>")


def test_a_change_needs_the_present_edit_sequence(office: Office) -> None:
    office.clock.forward(seconds=90)
    old = next(one for one in office.company.customers() if one["FullName"] == "Alder Wine")
    changed = _change(office, "Alder Wine", "<CompanyName/><AccountNumber>5</AccountNumber>")[0]
    assert changed.findtext("AccountNumber") == "5"
    assert changed.find("CompanyName") is None
    assert changed.findtext("TimeCreated") == old["TimeCreated"]
    assert changed.findtext("TimeModified") == "2024-03-04T10:01:30-05:00"
    again = _change(office, "Alder Wine", "<AccountNumber>6</AccountNumber>", old["EditSequence"])
    assert again.get("statusCode") == "3200"
    assert again.get("statusMessage") == f'The provided edit sequence "{old["EditSequence"]}" is out-of-date.'
    # Two changes within one second.
    twice = _change(office, "Alder Wine", "<AccountNumber>7</AccountNumber>")[0]
    assert int(str(twice.findtext("EditSequence"))) == int(str(changed.findtext("EditSequence"))) + 1


def test_a_change_of_nobody_is_refused(office: Office) -> None:
    for list_id in ("80000999-1446676743", "nonsense"):
        head = f"<ListID>{list_id}</ListID><EditSequence>1</EditSequence>"
        assert office.status(f"<CustomerModRq><CustomerMod>{head}</CustomerMod></CustomerModRq>") == 3120


def test_a_new_name_reaches_jobs_and_all_that_refer_to_it(office: Office) -> None:
    office.ask(order(customer="Copper Kettle:Store 1"))
    assert _change(office, "Copper Kettle", "<Name>Alder Wine</Name>").get("statusCode") == "3100"
    _change(office, "Copper Kettle", "<Name>Brass Kettle</Name>")
    assert "Brass Kettle:Store 1" in [one["FullName"] for one in office.company.customers()]
    assert office.company.sales_orders()[0]["CustomerRef"]["FullName"] == "Brass Kettle:Store 1"
    job = office.ask("<CustomerQueryRq><FullName>brass kettle:store 1</FullName></CustomerQueryRq>")[0]
    assert job.findtext("ParentRef/FullName") == "Brass Kettle"


def test_a_balance_counts_for_all_above_and_leaves_their_time_alone(office: Office) -> None:
    office.clock.forward(hours=1)
    office.company.add("Customer", Name="Till 2", ParentRef="Copper Kettle:Store 1", Balance="7.25")
    # A namesake, but no job.
    office.company.add("Customer", Name="Copper Kettles", Balance=1000)
    office.company.update("Customer", "Copper Kettle", Balance=-1)
    office.clock.forward(hours=1)
    office.company.update("Customer", "Copper Kettle:Store 1", Balance="50.00")
    found = {one["FullName"]: one for one in office.company.customers()}
    totals = {name: one["TotalBalance"] for name, one in found.items() if name.startswith("Copper")}
    assert totals == {
        "Copper Kettle": "56.25",
        "Copper Kettle:Store 1": "57.25",
        "Copper Kettle:Store 1:Till 2": "7.25",
        "Copper Kettles": "1000.00",
    }
    assert found["Copper Kettle"]["TimeModified"] == "2024-03-04T11:00:00-05:00"
    assert found["Copper Kettle:Store 1"]["TimeModified"] == "2024-03-04T12:00:00-05:00"


def test_a_customer_that_moves_takes_its_jobs_its_balance_and_its_level_along(office: Office) -> None:
    office.company.add("Customer", Name="Till 2", ParentRef="Copper Kettle:Store 1", Balance="7.25")
    office.company.update("Customer", "Copper Kettle:Store 1", ParentRef="Alder Wine", Balance="50.00")
    found = {one["FullName"]: one for one in office.company.customers()}
    assert found["Copper Kettle"]["TotalBalance"] == found["Copper Kettle"]["Balance"]
    assert found["Alder Wine"]["TotalBalance"] == "57.25"
    assert found["Alder Wine:Store 1"]["TotalBalance"] == "57.25"
    office.company.update("Customer", "Alder Wine:Store 1", ParentRef=None)
    found = {one["FullName"]: one for one in office.company.customers()}
    assert (found["Store 1"]["Sublevel"], found["Store 1:Till 2"]["Sublevel"]) == ("0", "1")
    assert found["Alder Wine"]["TotalBalance"] == "0.00"


def test_a_list_goes_five_levels_deep_and_never_below_itself(office: Office) -> None:
    office.company.add("Customer", Name="1")
    for level in range(2, 6):
        office.company.add("Customer", Name=str(level), ParentRef=":".join(map(str, range(1, level))))
    with pytest.raises(Refusal, match="3210"):
        office.company.add("Customer", Name="6", ParentRef="1:2:3:4:5")
    with pytest.raises(Refusal, match="3210"):
        office.company.update("Customer", "1", ParentRef="Alder Wine")
    for below in ("1", "1:2:3"):
        with pytest.raises(Refusal, match="3210"):
            office.company.update("Customer", "1", ParentRef=below)


def test_seeds_are_checked_as_quickbooks_would(office: Office) -> None:
    with pytest.raises(ShapeError):
        office.company.add("ItemInventory", Name="x" * 32)
    with pytest.raises(ShapeError):
        office.company.add("Customer", Name="Somebody", Prise="1.00")
    with pytest.raises(Refusal, match="3140"):
        office.company.add("Customer", Name="Somebody", TermsRef="Net 99")
    with pytest.raises(Refusal, match="3100"):
        office.company.add("ItemService", Name="gin")
    with pytest.raises(KeyError):
        office.company.update("Customer", "Somebody", Balance=1)


def test_custom_fields_can_be_changed_one_by_one(office: Office) -> None:
    office.company.update("Customer", "Alder Wine", custom={"Region": "Hills", "Team": "East"}, Phone="860-555-0101")
    answer = office.ask("<CustomerQueryRq><FullName>Alder Wine</FullName><OwnerID>0</OwnerID></CustomerQueryRq>")
    assert values(answer, ".//DataExtName") == ["Region", "Team"]
    assert values(answer, ".//DataExtValue") == ["Hills", "East"]
    assert answer.findtext(".//Phone") == "860-555-0101"
    office.company.update("Customer", "Alder Wine", custom={"Region": ""})
    answer = office.ask("<CustomerQueryRq><FullName>Alder Wine</FullName><OwnerID>0</OwnerID></CustomerQueryRq>")
    assert values(answer, ".//DataExtName") == ["Team"]


def _data_ext(bearer: str, value: str = _FILE, owner: str = _OWNER, name: str = "FileID") -> str:
    head = f"<OwnerID>{owner}</OwnerID><DataExtName>{name}</DataExtName>"
    return f"<DataExtAddRq><DataExtAdd>{head}{bearer}<DataExtValue>{value}</DataExtValue></DataExtAdd></DataExtAddRq>"


def test_a_private_field_of_the_company_can_be_added_once(office: Office) -> None:
    bearer = "<OtherDataExtType>Company</OtherDataExtType>"
    answer = office.ask(_data_ext(bearer))
    assert answer.findtext("DataExtRet/DataExtValue") == _FILE
    assert values(office.ask(_COMPANY), ".//DataExtValue") == [_FILE]
    assert office.status(_data_ext(bearer, "{other}")) == 3180
    assert office.status(_data_ext(bearer, "", name="More")) == 3210
    assert values(office.ask(_COMPANY), ".//DataExtValue") == [_FILE]


def test_custom_fields_of_list_objects_and_orders_can_be_added(office: Office) -> None:
    made = office.ask(order())
    bearers = [
        "<ListDataExtType>Item</ListDataExtType><ListObjRef><FullName>GIN</FullName></ListObjRef>",
        "<ListDataExtType>Customer</ListDataExtType><ListObjRef><FullName>Alder Wine</FullName></ListObjRef>",
        f"<TxnDataExtType>SalesOrder</TxnDataExtType><TxnID>{made.findtext('.//TxnID')}</TxnID>",
    ]
    for bearer in bearers:
        assert office.status(_data_ext(bearer, "A1", "0", "Shelf")) == 0
    found = office.ask("<SalesOrderQueryRq><OwnerID>0</OwnerID></SalesOrderQueryRq>")
    assert found.findtext("SalesOrderRet/DataExtRet/DataExtValue") == "A1"
    item = office.ask("<ItemQueryRq><FullName>GIN</FullName><OwnerID>0</OwnerID></ItemQueryRq>")
    assert item.findtext("ItemInventoryRet/DataExtRet/DataExtName") == "Shelf"
    wrong = "<ListDataExtType>Vendor</ListDataExtType><ListObjRef><FullName>GIN</FullName></ListObjRef>"
    assert office.status(_data_ext(wrong)) == 3120
