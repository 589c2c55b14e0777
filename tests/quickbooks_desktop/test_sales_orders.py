"""Sales orders: their exact bytes, their answers, their look-up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from routebooks.connectors.base import Outcome, WriteAnswer
from routebooks.connectors.quickbooks_desktop.order_elements import GROUP, HEADER, LINE, SETTLED
from routebooks.connectors.quickbooks_desktop.order_keys import KEY_FIELDS
from routebooks.connectors.quickbooks_desktop.sales_orders import (
    TARGETS,
    add_request,
    clear_request,
    find_request,
    read_found,
    read_standing,
    read_write,
)
from routebooks.errors import FatalError, RecordError
from routebooks.records import Document, Kind
from sandbox_support import Office, furnish
from sandbox_support import order as sandbox_order

HEAD = b'<?xml version="1.0" encoding="utf-8"?><?qbxml version="13.0"?><QBXML>'
SET_ID = "0123456789abcdefghijkl"
CUSTOMER = {"CustomerRef.ListID": "80000003-1446676743"}
Validate = Callable[[bytes], etree._Element]


def order(header: Mapping[str, Any] = CUSTOMER, *lines: Mapping[str, Any], key: str = "PA-17") -> Document:
    return Document(key, header, lines or ({"ItemRef.ListID": "9"},))


def written(document: Document, key_field: str = "Other") -> bytes:
    return add_request("13.0", key_field, document, SET_ID)


# The target


def test_the_target_has_a_column_for_every_field_once() -> None:
    columns = TARGETS["sales_orders"].columns
    names = [column.name for column in columns]
    assert len(set(names)) == len(names)
    assert [column.position for column in columns] == list(range(1, len(columns) + 1))
    assert set(names) == {"Key", *(element.column for element in (*HEADER, *LINE, *GROUP, *SETTLED))}


def test_the_columns_tell_a_map_what_they_take() -> None:
    columns = {column.name: column for column in TARGETS["sales_orders"].columns}
    assert [name for name, column in columns.items() if column.required] == ["Key", "CustomerRef.ListID"]
    assert [name for name, column in columns.items() if column.key] == ["Key"]
    assert {name: column.link for name, column in columns.items() if column.link} == {
        "CustomerRef.ListID": "customers",
        "ItemRef.ListID": "items",
        "ItemGroupRef.ListID": "items",
    }
    assert (columns["Quantity"].kind, columns["Quantity"].scale, columns["Quantity"].line) == (Kind.DECIMAL, 5, True)
    assert (columns["Amount"].scale, columns["Rate"].scale) == (2, 5)
    assert columns["Desc"].max_length == 4095
    assert (columns["PONumber"].max_length, columns["PONumber"].line) == (25, False)
    assert columns["Line.ClassRef.FullName"].line
    assert not columns["ClassRef.FullName"].line


# Writing


def test_an_order_is_these_bytes(validated: Validate) -> None:
    document = Document(
        "PA-17",
        {
            "Key": "PA-17",
            "Memo": "Café <after 5>",
            "PONumber": "P-1",
            "ShipAddress.City": "Des Moines",
            "ShipAddress.Addr1": "1 Main St",
            "TxnDate": date(2026, 1, 31),
            "CustomerRef.ListID": "80000003-1446676743",
            "IsToBePrinted": False,
            "Other": None,
        },
        (
            {"Rate": Decimal("12.50000"), "Quantity": Decimal("3.00000"), "ItemRef.ListID": "110000-1232697602"},
            {"Desc": "Thank you\r\nfor your order"},
            {"ItemGroupRef.ListID": "G-1", "Quantity": 2},
            {"ItemRef.FullName": "Gin", "Amount": Decimal(-5), "Line.ClassRef.FullName": "East"},
        ),
    )
    request = written(document)
    assert request == (
        HEAD + b'<QBXMLMsgsRq onError="stopOnError" newMessageSetID="0123456789abcdefghijkl">'
        b'<SalesOrderAddRq requestID="sales_orders"><SalesOrderAdd>'
        b"<CustomerRef><ListID>80000003-1446676743</ListID></CustomerRef><TxnDate>2026-01-31</TxnDate>"
        b"<ShipAddress><Addr1>1 Main St</Addr1><City>Des Moines</City></ShipAddress><PONumber>P-1</PONumber>"
        b"<Memo>Caf&#233; &lt;after 5&gt;</Memo><IsToBePrinted>false</IsToBePrinted><Other>PA-17</Other>"
        b"<SalesOrderLineAdd><ItemRef><ListID>110000-1232697602</ListID></ItemRef><Quantity>3</Quantity>"
        b"<Rate>12.5</Rate></SalesOrderLineAdd>"
        b"<SalesOrderLineAdd><Desc>Thank you\nfor your order</Desc></SalesOrderLineAdd>"
        b"<SalesOrderLineGroupAdd><ItemGroupRef><ListID>G-1</ListID></ItemGroupRef><Quantity>2</Quantity>"
        b"</SalesOrderLineGroupAdd>"
        b"<SalesOrderLineAdd><ItemRef><FullName>Gin</FullName></ItemRef><ClassRef><FullName>East</FullName></ClassRef>"
        b"<Amount>-5.00</Amount></SalesOrderLineAdd>"
        b"</SalesOrderAdd></SalesOrderAddRq></QBXMLMsgsRq></QBXML>"
    )
    validated(request)
    assert written(document) == request


@pytest.mark.parametrize("field", KEY_FIELDS)
def test_the_key_stands_in_the_field_of_the_connection(field: str, validated: Validate) -> None:
    root = validated(written(order(), field))
    assert root.findtext(f".//SalesOrderAdd/{field}") == "PA-17"


@pytest.mark.parametrize(
    ("document", "code", "words"),
    [
        (order({}), "qb-field-missing", "CustomerRef.ListID"),
        (order(CUSTOMER | {"RefNumber": "123456789012"}), "qb-field-too-long", "RefNumber"),
        (order(CUSTOMER | {"Quantity": 1}), "qb-field-unknown", "Quantity"),
        (order(CUSTOMER | {"Other": "x"}), "qb-order-key-clash", "Other"),
        (order(key=""), "qb-order-key", "blank"),
        (Document("1", CUSTOMER, ()), "qb-order-empty", "no lines"),
        (order(CUSTOMER, {"Desc": "x"}, {"Rate": None, "Desc": " "}), "qb-order-line-empty", "Line 2"),
        (order(CUSTOMER, {"Desc": "x"}, {"Rate": Decimal("1.123456")}), "qb-field-format", "Line 2: Rate"),
        (order(CUSTOMER, {"Rate": 1, "RatePercent": 2}), "qb-field-clash", "Rate and RatePercent"),
        (order(CUSTOMER, {"PriceLevelRef.ListID": "1", "Rate": 2}), "qb-field-clash", "PriceLevelRef.ListID and Rate"),
        (order(CUSTOMER, {"SerialNumber": "1", "LotNumber": "2"}), "qb-field-clash", "SerialNumber and LotNumber"),
        (order(CUSTOMER, {"ItemGroupRef.FullName": "G", "Rate": 2}), "qb-field-unknown", "Line 1: Rate"),
        (order(CUSTOMER, {"PONumber": "1"}), "qb-field-unknown", "Line 1: PONumber"),
        (order(CUSTOMER, {"Desc": "x", "Cases": 2}), "qb-field-unknown", "Line 1: Cases"),
    ],
)
def test_what_quickbooks_would_not_take_is_a_rejected_record_with_its_cure(
    document: Document, code: str, words: str
) -> None:
    with pytest.raises(RecordError) as caught:
        written(document)
    assert caught.value.problem.code == code
    assert words in caught.value.problem.message
    assert caught.value.problem.hint


def test_both_names_of_one_reference_do_not_exclude_each_other(validated: Validate) -> None:
    validated(written(order(CUSTOMER, {"PriceLevelRef.ListID": "1", "PriceLevelRef.FullName": "Gold", "Rate": ""})))


@pytest.mark.parametrize("set_id", ["", "x" * 25, "{5f0e}", 'a"b', "a b"])
def test_a_set_id_that_quickbooks_would_not_take_is_fatal(set_id: str) -> None:
    with pytest.raises(FatalError, match="set id"):
        add_request("13.0", "Other", order(), set_id)
    with pytest.raises(FatalError, match="set id"):
        clear_request("13.0", set_id)


def test_a_set_id_may_have_24_characters() -> None:
    assert b"x" * 24 in add_request("13.0", "Other", order(), "x" * 24)


def test_clearing_is_these_bytes(validated: Validate) -> None:
    request = clear_request("13.0", SET_ID)
    assert request == (
        HEAD + b'<QBXMLMsgsRq onError="stopOnError" oldMessageSetID="0123456789abcdefghijkl"></QBXMLMsgsRq></QBXML>'
    )
    validated(request)


# Any order


def values(kind: Kind, longest: int | None) -> st.SearchStrategy[Any]:
    """Values of which most fit, and some do not."""
    match kind:
        case Kind.DECIMAL:
            fits = st.decimals(-10_000, 10_000, places=2)
            return fits | fits | st.decimals(allow_nan=True, allow_infinity=True)
        case Kind.BOOLEAN:
            return st.booleans()
        case Kind.DATE:
            return st.dates() | st.just("2026-01-31") | st.datetimes()
    text = st.text(st.characters(codec="cp1252"), max_size=min(longest or 50, 50))
    return (
        text | text | text | st.text(max_size=60) | st.sampled_from(["Zero", "{C762CD16-a12e-4256-a38e-d6a2d386fb75}"])
    )


def filled(line: bool) -> st.SearchStrategy[dict[str, Any]]:
    columns = [column for column in TARGETS["sales_orders"].columns if column.line is line and not column.key]
    strategies = {column.name: st.none() | values(column.kind, column.max_length) for column in columns}
    return st.lists(st.sampled_from(columns), max_size=6, unique_by=lambda column: column.name).flatmap(
        lambda chosen: st.fixed_dictionaries({column.name: strategies[column.name] for column in chosen})
    )


DOCUMENTS = st.builds(
    Document,
    st.integers(0, 10**6).map(str),
    filled(False).map(lambda header: CUSTOMER | header),
    st.lists(filled(True).map(lambda line: {"Desc": "x"} | line), min_size=1, max_size=3).map(tuple),
)


@settings(deadline=None, max_examples=250)
@given(DOCUMENTS, st.sampled_from(sorted(KEY_FIELDS)))
def test_any_order_is_taken_by_the_schema_or_rejected_with_a_cure(
    schema: etree.XMLSchema, document: Document, field: str
) -> None:
    try:
        request = written(document, field)
    except RecordError as error:
        problem = error.problem
    else:
        root = etree.fromstring(request)
        assert schema.validate(root), schema.error_log
        assert len(root.findall(".//SalesOrderAdd/*")) >= len(document.lines) + 2
        return
    assert problem.message
    assert problem.hint


# Answers to a write

RET = "<SalesOrderRet><TxnID>4C-1415942229</TxnID><RefNumber>1001</RefNumber></SalesOrderRet>"
RECOVERY = "<ErrorRecovery><TxnID>4C-1415942229</TxnID><EditSequence>1</EditSequence></ErrorRecovery>"


def answer(
    inner: str,
    code: int = 0,
    severity: str = "Info",
    response: str = "SalesOrderAddRs",
    of_set: str = "0",
    more: str = "",
) -> bytes:
    status = f'statusCode="{code}" statusSeverity="{severity}" statusMessage="said"{more}'
    return (
        f'<?xml version="1.0" ?><QBXML><QBXMLMsgsRs newMessageSetID="{SET_ID}" messageSetStatusCode="{of_set}">'
        f"<{response} {status}>{inner}</{response}></QBXMLMsgsRs></QBXML>"
    ).encode()


def told(read: WriteAnswer) -> tuple[Outcome, str, str, str]:
    return read.outcome, read.external_id, read.number, read.problem.code if read.problem else ""


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (answer(RET), (Outcome.OK, "4C-1415942229", "1001", "")),
        (answer(RECOVERY), (Outcome.OK, "4C-1415942229", "", "")),
        (answer(RET).replace(b' messageSetStatusCode="0"', b""), (Outcome.OK, "4C-1415942229", "1001", "")),
        (answer(RET, 550, "Warn"), (Outcome.PARTIAL, "4C-1415942229", "1001", "qb-550")),
        (answer(RET, 3180, "Error"), (Outcome.PARTIAL, "4C-1415942229", "1001", "qb-3180")),
        (answer("", 3140, "Error"), (Outcome.HOLD, "", "", "qb-3140")),
        (answer("", 3175, "Error"), (Outcome.RETRY, "", "", "qb-3175")),
        (answer("", 3260, "Error"), (Outcome.STOP, "", "", "qb-3260")),
        (answer("", 1000, "Error"), (Outcome.UNKNOWN, "", "", "qb-1000")),
        (answer("", 0), (Outcome.UNKNOWN, "", "", "qb-0")),
        (answer("", 1), (Outcome.UNKNOWN, "", "", "qb-1")),
        (answer("<SalesOrderRet/>", 530, "Warn"), (Outcome.UNKNOWN, "", "", "qb-530")),
        (answer("", of_set="600"), (Outcome.UNKNOWN, "", "", "qb-600")),
        (answer("", of_set="9001"), (Outcome.UNKNOWN, "", "", "qb-9001")),
        (answer("", of_set="9002"), (Outcome.UNKNOWN, "", "", "qb-9002")),
        (answer("", of_set="9004"), (Outcome.STOP, "", "", "qb-9004")),
        (answer("", of_set="9005"), (Outcome.UNKNOWN, "", "", "qb-9005")),
        (answer("", of_set="3140"), (Outcome.UNKNOWN, "", "", "qb-3140")),
        (answer("", of_set="odd"), (Outcome.UNKNOWN, "", "", "qb--1")),
        (b'<QBXML><QBXMLMsgsRs messageSetStatusCode="9002"/></QBXML>', (Outcome.UNKNOWN, "", "", "qb-9002")),
        (b"<QBXML><QBXMLMsgsRs/></QBXML>", (Outcome.UNKNOWN, "", "", "qb-wrong-answer")),
        (b"<html/>", (Outcome.UNKNOWN, "", "", "qb-wrong-answer")),
        (b"", (Outcome.UNKNOWN, "", "", "qb-broken-answer")),
        (answer(RET)[:-12], (Outcome.UNKNOWN, "", "", "qb-broken-answer")),
        (answer(RET).replace(b'statusCode="0"', b""), (Outcome.UNKNOWN, "", "", "qb-no-status")),
    ],
)
def test_what_became_of_a_write(data: bytes, expected: tuple[Outcome, str, str, str]) -> None:
    assert told(read_write(data)) == expected


# Looking for an order


def test_looking_for_an_order_is_these_bytes(validated: Validate) -> None:
    since = datetime(2026, 1, 31, 23, 30, tzinfo=timezone(timedelta(hours=-6)))
    request = find_request("13.0", "PONumber", since)
    assert request == (
        HEAD + b'<QBXMLMsgsRq onError="stopOnError"><SalesOrderQueryRq requestID="sales_orders">'
        b"<ModifiedDateRangeFilter><FromModifiedDate>2026-02-01T03:30:00+00:00</FromModifiedDate>"
        b"</ModifiedDateRangeFilter><IncludeLineItems>false</IncludeLineItems>"
        b"<IncludeRetElement>TxnID</IncludeRetElement><IncludeRetElement>RefNumber</IncludeRetElement>"
        b"<IncludeRetElement>PONumber</IncludeRetElement></SalesOrderQueryRq></QBXMLMsgsRq></QBXML>"
    )
    validated(request)


@pytest.mark.parametrize("field", KEY_FIELDS)
def test_an_order_that_belongs_to_another_customer_now_is_found(tmp_path: Path, field: str) -> None:
    office = Office(tmp_path / "company.sqlite")
    furnish(office.company)
    written_at = office.clock()
    office.ask(sandbox_order(header=f"<{field}>PA-17</{field}>", customer="Copper Kettle"))
    office.clock.forward(hours=9)
    answer = office.raw(find_request("13.0", field, written_at))
    office.company.close()
    (stands,) = etree.fromstring(answer).iter("SalesOrderRet")
    assert told(read_found(field, answer, "PA-17")) == (
        *(Outcome.OK, stands.findtext("TxnID"), stands.findtext("RefNumber"), ""),
    )
    assert read_found(field, answer, "PA-1").outcome is Outcome.EMPTY
    assert read_standing(answer) == {stands.findtext("TxnID")}


def found(*orders: tuple[str, str], code: int = 0, severity: str = "Info", count: int | None = None) -> bytes:
    """An answer with orders of these ids and keys (in Other and in Memo with a note)."""
    inner = "".join(
        f"<SalesOrderRet><TxnID>{txn}</TxnID><RefNumber>N{txn}</RefNumber><Memo>{key} | note</Memo><Other>{key}</Other>"
        "</SalesOrderRet>"
        for txn, key in orders
    )
    more = f' retCount="{len(orders) if count is None else count}"'
    return answer(inner, code, severity, "SalesOrderQueryRs", more=more)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (found(("1", "x"), ("2", "k-1"), ("3", "y")), (Outcome.OK, "2", "N2", "")),
        (found(("1", "k-1"), ("2", "k-1")), (Outcome.OK, "1", "N1", "qb-order-double")),
        (found(("1", "k-10"), ("2", "K-1"), ("3", "")), (Outcome.EMPTY, "", "", "")),
        (found(code=1), (Outcome.EMPTY, "", "", "")),
        (found(code=1, severity="Warn"), (Outcome.EMPTY, "", "", "")),
        (found(("1", "x"), count=2), (Outcome.UNKNOWN, "", "", "qb-0")),
        (found(("1", "x"), code=500, severity="Warn"), (Outcome.UNKNOWN, "", "", "qb-500")),
        (found(("1", "k-1"), code=500, severity="Warn"), (Outcome.OK, "1", "N1", "")),
        (found(code=1010, severity="Error"), (Outcome.RETRY, "", "", "qb-1010")),
        (found(code=3260, severity="Error"), (Outcome.STOP, "", "", "qb-3260")),
        (found()[:-9], (Outcome.UNKNOWN, "", "", "qb-broken-answer")),
        (answer(RET), (Outcome.UNKNOWN, "", "", "qb-wrong-answer")),
        (b"", (Outcome.UNKNOWN, "", "", "qb-broken-answer")),
    ],
)
@pytest.mark.parametrize("field", ["Other", "Memo"])
def test_an_order_is_found_by_its_key_or_surely_not_there_or_unknown(
    field: str, data: bytes, expected: tuple[Outcome, str, str, str]
) -> None:
    assert told(read_found(field, data, "k-1")) == expected


def test_the_orders_that_stand_are_all_or_an_error() -> None:
    assert read_standing(found(("1", "x"), ("2", ""))) == {"1", "2"}
    assert read_standing(found(code=1)) == frozenset()


@pytest.mark.parametrize(
    "data", [found(("1", "x"), count=2), found(("1", "x"), code=500, severity="Warn"), found(code=3180), b"<QBXML/>"]
)
def test_an_answer_that_may_lack_orders_is_an_error(data: bytes) -> None:
    with pytest.raises(FatalError):
        read_standing(data)


@pytest.mark.parametrize("blank", [" ", ""])
def test_a_blank_group_makes_no_group_line(blank: str) -> None:
    assert b"<SalesOrderLineAdd><Desc>x</Desc></SalesOrderLineAdd>" in written(
        order(CUSTOMER, {"Desc": "x", "ItemGroupRef.ListID": blank})
    )


def test_a_group_of_a_sign_that_is_left_out_is_never_a_group_line() -> None:
    with pytest.raises(RecordError):
        written(order(CUSTOMER, {"Desc": "x", "ItemGroupRef.ListID": "\x07"}))
