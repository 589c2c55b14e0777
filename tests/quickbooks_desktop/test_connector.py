"""The connector as the engine sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from lxml import etree

from routebooks.connectors.base import CallingSource, Connection, Connector, DocumentTarget, Outcome, Source
from routebooks.connectors.quickbooks_desktop.connector import QuickBooksDesktop
from routebooks.errors import ConfigError
from routebooks.records import Document, Extract

QUICKBOOKS = QuickBooksDesktop()
ORDER = Document("PA-17", {"CustomerRef.ListID": "1-1"}, ({"ItemRef.ListID": "2-2", "Quantity": 1},))
SET_ID = "0123456789abcdefghijkl"
NOW = datetime(2026, 1, 31, tzinfo=UTC)


def with_settings(connection: Connection, **settings: Any) -> Connection:
    return replace(connection, settings={**connection.settings, **settings})


def test_it_is_what_it_says() -> None:
    connector: Connector = QUICKBOOKS
    source: CallingSource = QUICKBOOKS
    target: DocumentTarget = QUICKBOOKS
    for protocol in (Connector, Source, CallingSource, DocumentTarget):
        assert isinstance(QUICKBOOKS, protocol)
    assert connector.name == "quickbooks_desktop"
    assert set(source.streams()) >= {"customers", "items"}
    assert set(target.targets()) == {"sales_orders"}


def test_it_keeps_nothing() -> None:
    assert vars(QUICKBOOKS) == {}


def test_the_defaults_of_the_settings_pass_the_check(connection: Connection) -> None:
    defaults = {setting.name: setting.default for setting in QUICKBOOKS.settings}
    assert defaults.items() >= dict(connection.settings).items()
    checks = QUICKBOOKS.check(replace(connection, settings=defaults))
    assert len(checks) >= 4
    assert all(check.ok for check in checks)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"company_file": "company.qbw"}, "File to open"),
        ({"company_file": r"C:\QB\company.txt"}, "File to open"),
        ({"page_size": 0}, "Page size"),
        ({"page_size": True}, "Page size"),
        ({"page_size": "many"}, "Page size"),
        ({"order_key_field": "FOB"}, "Order key"),
        ({"qbxml_version": "13"}, "qbXML version"),
    ],
)
def test_a_wrong_setting_is_named_with_its_cure_and_the_check_stops(
    connection: Connection, settings: dict[str, Any], name: str
) -> None:
    checks = QUICKBOOKS.check(with_settings(connection, **settings))
    assert [check.ok for check in checks] == [True] * (len(checks) - 1) + [False]
    assert checks[-1].name == name
    assert checks[-1].message
    assert checks[-1].hint


@pytest.mark.parametrize("path", [r"C:\QB\Example Wine.QBW", r"\\server\books\example.qbw"])
def test_a_full_path_of_a_company_file_passes(connection: Connection, path: str) -> None:
    assert all(check.ok for check in QUICKBOOKS.check(with_settings(connection, company_file=path)))


def test_every_request_speaks_the_version_of_the_connection_and_is_taken_by_the_schema(
    connection: Connection, validated: Callable[[bytes], etree._Element]
) -> None:
    connection = with_settings(connection, qbxml_version="12.0")
    requests = [
        QUICKBOOKS.first_request(connection, Extract("customers", 100)),
        QUICKBOOKS.first_request(connection, Extract("items", 100, NOW)),
        QUICKBOOKS.identity_request(connection),
        QUICKBOOKS.write_request(connection, "sales_orders", ORDER, SET_ID),
        QUICKBOOKS.clear_request(connection, SET_ID),
        QUICKBOOKS.find_request(connection, "sales_orders", ORDER, NOW),
    ]
    for request in requests:
        assert b'<?qbxml version="12.0"?>' in request
        validated(request)


def test_a_page_leads_to_the_next_one_and_to_records(
    connection: Connection, validated: Callable[[bytes], etree._Element]
) -> None:
    extract = Extract("customers", 1)
    answer = (
        b'<?xml version="1.0" ?><QBXML><QBXMLMsgsRs><CustomerQueryRs statusCode="0" statusSeverity="Info" retCount="1" '
        b'iteratorRemainingCount="1" iteratorID="{i}"><CustomerRet><ListID>1-1</ListID></CustomerRet>'
        b"</CustomerQueryRs></QBXMLMsgsRs></QBXML>"
    )
    page = QUICKBOOKS.read_page(connection, extract, answer)
    assert (page.outcome, page.records) == (Outcome.OK, 1)
    assert page.next_request is not None
    validated(page.next_request)
    (table,) = QUICKBOOKS.parse("customers", [answer])
    assert table["ListID"].to_pylist() == ["1-1"]


def test_the_key_goes_into_the_field_of_the_connection_and_is_found_there(connection: Connection) -> None:
    connection = with_settings(connection, order_key_field="PONumber")
    assert b"<PONumber>PA-17</PONumber>" in QUICKBOOKS.write_request(connection, "sales_orders", ORDER, SET_ID)
    answer = (
        b'<QBXML><QBXMLMsgsRs><SalesOrderQueryRs statusCode="0" statusSeverity="Info"><SalesOrderRet><TxnID>7</TxnID>'
        b"<PONumber>PA-17</PONumber></SalesOrderRet></SalesOrderQueryRs></QBXMLMsgsRs></QBXML>"
    )
    assert QUICKBOOKS.read_found(connection, "sales_orders", answer, "PA-17").external_id == "7"
    assert QUICKBOOKS.read_found(connection, "sales_orders", answer, "PA-1").outcome is Outcome.EMPTY


def test_a_field_that_cannot_carry_the_key_writes_and_finds_nothing(connection: Connection) -> None:
    connection = with_settings(connection, order_key_field="FOB")
    with pytest.raises(ConfigError, match="FOB"):
        QUICKBOOKS.write_request(connection, "sales_orders", ORDER, SET_ID)
    with pytest.raises(ConfigError, match="FOB"):
        QUICKBOOKS.read_found(connection, "sales_orders", b"", "PA-17")


def test_an_unknown_target_is_refused(connection: Connection) -> None:
    with pytest.raises(ConfigError, match="'bills'"):
        QUICKBOOKS.write_request(connection, "bills", ORDER, SET_ID)
    with pytest.raises(ConfigError, match="'bills'"):
        QUICKBOOKS.find_request(connection, "bills", ORDER, NOW)


def test_no_mark_is_left_by_us(connection: Connection) -> None:
    target: CallingSource = QUICKBOOKS
    assert target.mark_request(connection, "{f}") is None


def test_a_refusal_of_the_web_connector_is_told() -> None:
    outcome, problem = QUICKBOOKS.read_refusal("0x80040400", "QuickBooks found an error when parsing the XML.")
    assert (outcome, problem.code) == (Outcome.HOLD, "qb-0x80040400")
