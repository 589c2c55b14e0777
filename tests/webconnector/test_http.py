"""The Web Connector's address, over real HTTP: a client made from Intuit's WSDL, and the connector's own habits."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from lxml import etree
from structlog.testing import capture_logs
from zeep import Client
from zeep.exceptions import Fault
from zeep.transports import Transport

from routebooks.sandbox.web_connector import Result, WebConnector
from soap_talk import NAMESPACE, REQUEST, XML, Recorder, app, envelope, fault_of
from support import serve, shared


@pytest.fixture
def operations() -> Recorder:
    return Recorder()


@pytest.fixture
def address(operations: Recorder) -> Iterator[str]:
    with serve(app(operations)) as base:
        yield f"{base}/webconnector"


@pytest.fixture
def zeep_client() -> Iterator[Any]:
    """Makes SOAP clients from a WSDL, and closes their connections."""
    transport = Transport()  # type: ignore[no-untyped-call]
    yield lambda path: Client(str(path), transport=transport)  # type: ignore[no-untyped-call]
    transport.session.close()


def test_a_client_made_from_the_connectors_own_wsdl_calls_everything(
    operations: Recorder, address: str, zeep_client: Any
) -> None:
    client = zeep_client(shared("wire", "QBWebConnectorSvc.wsdl"))
    service = client.create_service(f"{{{NAMESPACE}}}TroubleshootWebServiceFSSoap", address)
    assert service.serverVersion() == "1.2.3"
    assert service.clientVersion("2.2.0.71") in {"", None}
    assert [text or "" for text in service.authenticate("user", "p&<>ß")] == ["ticket", "", "", "60"]
    assert service.sendRequestXML("ticket", "<hcp/>", "C:\\a b.qbw", "US", 13, 0) == REQUEST.decode()
    assert service.receiveResponseXML("ticket", '<?xml version="1.0" ?>\n<A>é</A>', "", "") == 100
    assert service.connectionError("ticket", "0x80040408", "Could not start") == "done"
    assert service.getLastError("ticket") == " Müller & Söhne\r\n"
    assert service.closeConnection("ticket") == "Done."
    assert operations.calls == [
        ("server_version",),
        ("client_version", "2.2.0.71"),
        ("authenticate", "user", "p&<>ß", "127.0.0.1"),
        ("send_request_xml", "ticket", "<hcp/>", "C:\\a b.qbw", "US", 13, 0),
        ("receive_response_xml", "ticket", "<A>é</A>".encode(), "", ""),
        ("connection_error", "ticket", "0x80040408", "Could not start"),
        ("get_last_error", "ticket"),
        ("close_connection", "ticket"),
    ]
    with pytest.raises(Fault, match="log says why"):
        service.getLastError("broken")


def signatures(client: Any, binding: str) -> dict[str, tuple[str, str, str, str]]:
    """Everything that decides the bytes of a call: action, style, input and output."""
    operations = client.wsdl.bindings[f"{{{NAMESPACE}}}{binding}"].all().items()
    return {
        name: (operation.soapaction, operation.style, operation.input.signature(), operation.output.signature())
        for name, operation in operations
    }


def test_our_wsdl_says_what_intuits_says(address: str, zeep_client: Any) -> None:
    ours = zeep_client(f"{address}?wsdl")
    theirs = zeep_client(shared("wire", "QBWebConnectorSvc.wsdl"))
    expected = signatures(theirs, "TroubleshootWebServiceFSSoap")
    assert len(expected) == 8
    assert signatures(ours, "QBWebConnectorSvcSoap") == expected
    assert set(ours.wsdl.messages) == set(theirs.wsdl.messages)
    mine, given = ({str(e.qname): e.signature(c.wsdl.types) for e in c.wsdl.types.elements} for c in (ours, theirs))
    assert len(given) == 1 + 2 * 8  # zeep counts the schema itself
    assert mine == given


def test_our_wsdl_names_the_public_address(address: str) -> None:
    answer = httpx.get(f"{address}?WSDL")
    assert answer.headers["content-type"] == XML
    place = etree.fromstring(answer.content).find(".//{http://schemas.xmlsoap.org/wsdl/soap/}address")
    assert place is not None
    assert place.get("location") == "https://books.example.com/webconnector"


@pytest.mark.parametrize("action", [None, '"http://developer.intuit.com/authenticate"', '""', "nonsense"])
def test_the_soap_action_does_not_matter(operations: Recorder, address: str, action: str | None) -> None:
    headers = {"Content-Type": "text/xml; charset=utf-8"} | ({"SOAPAction": action} if action else {})
    answer = httpx.post(address, content=envelope("<serverVersion/>"), headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, XML)
    assert operations.calls == [("server_version",)]


def test_versions_that_are_no_numbers_are_zero(operations: Recorder, address: str) -> None:
    call = "<sendRequestXML><ticket>t</ticket><qbXMLMajorVers>13.0</qbXMLMajorVers></sendRequestXML>"
    assert httpx.post(address, content=envelope(call)).status_code == 200
    assert operations.calls == [("send_request_xml", "t", "", "", "", 0, 0)]


def test_the_body_may_wait_for_our_continue(operations: Recorder, address: str) -> None:
    place = urlsplit(address)
    body = envelope("<clientVersion><strVersion>2.3</strVersion></clientVersion>")
    head = (
        f"POST {place.path} HTTP/1.1\r\nUser-Agent: Mozilla/4.0 (MS Web Services Client Protocol)\r\n"
        f'Content-Type: text/xml; charset=utf-8\r\nSOAPAction: "{NAMESPACE}clientVersion"\r\nHost: {place.netloc}\r\n'
        f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=30) as client:
        client.sendall(head.encode())
        with client.makefile("rb") as stream:
            assert stream.readline() == b"HTTP/1.1 100 Continue\r\n"
            assert operations.calls == []
            client.sendall(body)
            assert b"clientVersionResult" in stream.read()
    assert operations.calls == [("client_version", "2.3")]


@pytest.mark.parametrize("body", [b"", b"<html>", envelope("<getServerVersion/>")])
def test_what_is_no_call_gets_a_fault_for_people(operations: Recorder, address: str, body: bytes) -> None:
    with capture_logs() as logs:
        answer = httpx.post(address, content=body)
    assert answer.status_code == 500
    assert ".qwc" in fault_of(answer)
    assert operations.calls == []
    assert [entry["log_level"] for entry in logs] == ["warning"]


def test_a_broken_operation_is_logged_and_says_nothing_of_itself(address: str) -> None:
    with capture_logs() as logs:
        answer = httpx.post(address, content=envelope("<getLastError><ticket>broken</ticket></getLastError>"))
    assert answer.status_code == 500
    assert fault_of(answer) == "Routebooks could not answer this call. Its log says why."
    assert b"soap:Server" in answer.content
    assert [(entry["event"], entry["operation"]) for entry in logs] == [("webconnector_call_failed", "getLastError")]


class Books:
    """The least of a QuickBooks."""

    file_path = "C:\\Müller & Co.qbw"

    def open_session(self) -> str:
        return "session"

    def close_session(self, session: str) -> None:
        pass

    def host_company_preferences(self) -> bytes:
        return b"<hcp/>"

    def process(self, session: str, request: bytes) -> bytes:
        assert request == REQUEST
        return '<?xml version="1.0" ?>\n<A>\r\n é </A>'.encode()


def test_the_simulated_connector_comes_through(operations: Recorder, address: str) -> None:
    update = WebConnector(address, "user", "päss&", Books()).update()
    assert (update.result, update.message, update.least_interval_seconds) == (Result.DONE, "Done.", 60)
    assert operations.calls[2:] == [
        ("authenticate", "user", "päss&", "127.0.0.1"),
        ("send_request_xml", "ticket", "<hcp/>", "C:\\Müller & Co.qbw", "US", 13, 0),
        ("receive_response_xml", "ticket", "<A>\r\n é </A>".encode(), "", ""),
        ("close_connection", "ticket"),
    ]


class Meeting(Recorder):
    """Answers only once two calls are in it at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.barrier = threading.Barrier(2)

    def server_version(self) -> str:
        self.barrier.wait(timeout=30)
        return "met"


def test_a_blocked_operation_blocks_nobody_else() -> None:
    with serve(app(Meeting())) as base:
        answers: list[int] = []

        def call() -> None:
            answers.append(httpx.post(f"{base}/webconnector", content=envelope("<serverVersion/>")).status_code)

        first = threading.Thread(target=call)
        first.start()
        assert httpx.get(f"{base}/webconnector").status_code == 200
        call()
        first.join()
    assert answers == [200, 200]


@pytest.mark.parametrize("path", ["", "/support"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_pages_that_the_set_up_asks_for_answer(address: str, path: str, method: str) -> None:
    answer = httpx.request(method, address + path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert ("<h1>Routebooks" in answer.text) is (method == "GET")
