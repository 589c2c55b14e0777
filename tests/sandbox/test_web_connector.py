"""The simulated Web Connector against a tiny SOAP server of the test's own."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from xml.sax.saxutils import escape, unescape

import pytest

from routebooks.sandbox.web_connector import Faults, Result, Update, WebConnector

REQUEST = '<?xml version="1.0"?><?qbxml version="13.0"?><QBXML><QBXMLMsgsRq><CustomerQueryRq/></QBXMLMsgsRq></QBXML>'
HAPPY = ["serverVersion", "clientVersion", "authenticate"]


@dataclass
class Heard:
    """One call as it came over the wire."""

    operation: str
    arguments: dict[str, str]
    headers: list[tuple[str, str]]
    body: str


@dataclass
class Service:
    """A service that plays back what a test wants; a list is used up one a call, its last element stays."""

    answers: dict[str, Any] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    content_type: str = "text/xml; charset=utf-8"

    def answer(self, operation: str) -> Any:
        standard = {
            "serverVersion": "1",
            "clientVersion": "",
            "authenticate": ("ticket", ""),
            "sendRequestXML": REQUEST,
            "receiveResponseXML": "100",
            "getLastError": "",
            "closeConnection": "bye",
            "connectionError": "done",
        }
        given = (standard | self.answers)[operation]
        if isinstance(given, list):
            return given.pop(0) if len(given) > 1 else given[0]
        return given

    def operations(self) -> list[str]:
        return [call.operation for call in self.heard]

    def arguments(self, operation: str) -> list[dict[str, str]]:
        return [call.arguments for call in self.heard if call.operation == operation]


class Handler(BaseHTTPRequestHandler):
    """Reads with regular expressions on purpose: it shall not agree with us about XML by sharing a parser."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        inner = re.findall(r"<soap:Body>(.*)</soap:Body>", body, re.DOTALL)[0]
        operation = re.findall(r"<(\w+) ", inner)[0]
        arguments = {
            name: unescape(text or "", {"&#xD;": "\r"})
            for name, text in re.findall(r"<(\w+)(?: />|>(.*?)</\1>)", inner[1:], re.DOTALL)
        }
        service = self.server.service
        service.heard.append(Heard(operation, arguments, self.headers.items(), body))
        self.reply(operation, service.answer(operation), service.content_type)

    def reply(self, operation: str, answer: Any, content_type: str) -> None:
        if isinstance(answer, Exception):
            status, result = (
                500,
                f"<s:Fault><faultcode>s:Server</faultcode><faultstring>{answer}</faultstring></s:Fault>",
            )
        else:
            strings = "".join(f"<string>{escape(text)}</string>" for text in answer)
            inner = strings if isinstance(answer, tuple) else escape(answer)
            result = f"<{operation}Result>{inner}</{operation}Result>"
            status, result = (
                200,
                f'<{operation}Response xmlns="http://developer.intuit.com/">{result}</{operation}Response>',
            )
        opening = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        data = f"{opening}{result}</s:Body></s:Envelope>".encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the test's output clean."""


class Server(ThreadingHTTPServer):
    """The HTTP server that knows its service."""

    service: Service


@contextmanager
def running(service: Service) -> Iterator[str]:
    with Server(("127.0.0.1", 0), Handler) as server:
        server.service = service
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/soap?x=1"
        finally:
            server.shutdown()
            thread.join()


class RefusedError(Exception):
    """What QuickBooks throws."""

    def __init__(self, hresult: str, message: str) -> None:
        super().__init__(message)
        self.hresult = hresult
        self.message = message


@dataclass
class Books:
    """A QuickBooks that notes what it is asked."""

    file_path: str = "C:\\Books\\Müller & Co.QBW"
    done: list[str] = field(default_factory=list)
    answers: list[bytes | Exception] = field(default_factory=list)
    open_refusals: list[Exception] = field(default_factory=list)

    def open_session(self) -> str:
        if self.open_refusals:
            raise self.open_refusals.pop(0)
        self.done.append("open")
        return "s1"

    def close_session(self, session: str) -> None:
        self.done.append(f"close {session}")

    def host_company_preferences(self) -> bytes:
        return "<HCP>é</HCP>".encode()

    def process(self, session: str, request: bytes) -> bytes:
        self.done.append(f"process {session} {request.decode()[-20:]}")
        answer = self.answers.pop(0) if self.answers else b'<?xml version="1.0" ?>\n<QBXML/>\r\n'
        if isinstance(answer, Exception):
            raise answer
        return answer


def run(
    service: Service, books: Books | None = None, faults: Faults | None = None, **options: Any
) -> tuple[Update, Books]:
    books = books or Books()
    with running(service) as url:
        return WebConnector(url, "user", "p<>&", books, **options).update(faults), books


def test_a_whole_update() -> None:
    service = Service({"receiveResponseXML": ["40", "100"], "authenticate": ("ticket", "", "", "300")})
    seen: list[str] = []
    update, books = run(service, on_turn=seen.append)
    assert update == Update(Result.DONE, 2, (40, 100), "bye", "", 0, 300)
    assert service.operations() == [*HAPPY, *["sendRequestXML", "receiveResponseXML"] * 2, "closeConnection"]
    assert service.arguments("authenticate") == [{"strUserName": "user", "strPassword": "p<>&"}]
    first, second = service.arguments("sendRequestXML")
    assert first == {
        "ticket": "ticket",
        "strHCPResponse": "<HCP>é</HCP>",
        "strCompanyFileName": "C:\\Books\\Müller & Co.QBW",
        "qbXMLCountry": "US",
        "qbXMLMajorVers": "13",
        "qbXMLMinorVers": "0",
    }
    assert second["strHCPResponse"] == ""
    answer = {"ticket": "ticket", "response": '<?xml version="1.0" ?>\n<QBXML/>\r\n', "hresult": "", "message": ""}
    assert service.arguments("receiveResponseXML") == [answer, answer]
    assert books.done == ["open", *["process s1 QBXMLMsgsRq></QBXML>"] * 2, "close s1"]
    assert seen == ["CustomerQueryRq 40 %", "CustomerQueryRq 100 %"]


def test_a_turn_that_fails_is_told_in_words() -> None:
    seen: list[str] = []
    update, _ = run(Service({"receiveResponseXML": "-1"}), on_turn=seen.append)
    assert update.result is Result.ERROR
    assert seen == ["CustomerQueryRq failed"]


def test_the_bytes_are_those_of_the_recorded_client() -> None:
    service = Service({"authenticate": ("", "none")})
    run(service)
    version, credentials = service.heard[0], service.heard[2]
    opening = (
        '<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soap:Body>'
    )
    assert version.body == (
        f'{opening}<serverVersion xmlns="http://developer.intuit.com/" /></soap:Body></soap:Envelope>'
    )
    assert credentials.body == (
        f'{opening}<authenticate xmlns="http://developer.intuit.com/"><strUserName>user</strUserName>'
        "<strPassword>p&lt;&gt;&amp;</strPassword></authenticate></soap:Body></soap:Envelope>"
    )
    assert [name for name, _ in version.headers] == [
        "User-Agent",
        "Content-Type",
        "SOAPAction",
        "Host",
        "Content-Length",
        "Expect",
    ]
    headers = dict(version.headers)
    assert "MS Web Services Client Protocol" in headers["User-Agent"]
    assert headers["Content-Type"] == "text/xml; charset=utf-8"
    assert headers["SOAPAction"] == '"http://developer.intuit.com/serverVersion"'


@pytest.mark.parametrize(
    ("answer", "result", "delays"),
    [
        (("t", "NONE"), Result.NO_WORK, (0, 0)),
        (("t", "nvu", "", ""), Result.NOT_VALID, (0, 0)),
        (("t", "busy"), Result.BUSY, (0, 0)),
        (("t", "", "120"), Result.POSTPONED, (120, 0)),
        (("t", "none", "120", "60"), Result.NO_WORK, (120, 60)),
    ],
)
def test_no_session_without_work(answer: tuple[str, ...], result: Result, delays: tuple[int, int]) -> None:
    service = Service({"authenticate": answer})
    update, books = run(service)
    assert update == Update(result, message="bye", postpone_seconds=delays[0], least_interval_seconds=delays[1])
    assert service.operations() == [*HAPPY, "closeConnection"]
    assert books.done == []


@pytest.mark.parametrize("version", ["E:too old", "O:9.9", "nonsense"])
def test_a_version_can_end_the_update(version: str) -> None:
    service = Service({"clientVersion": version})
    update, _ = run(service)
    assert update.result is Result.ERROR
    assert version.split(":")[-1] in update.last_error
    assert service.operations() == HAPPY[:2]


@pytest.mark.parametrize("answers", [{"clientVersion": "W:old"}, {"serverVersion": RuntimeError("no such method")}])
def test_a_version_can_be_passed_over(answers: dict[str, Any]) -> None:
    update, _ = run(Service(answers))
    assert update.result is Result.DONE


def test_a_path_opens_the_file_that_is_not_open() -> None:
    service = Service({"authenticate": ("t", Books.file_path.upper())})
    update, _ = run(service, file_is_open=False)
    assert update.result is Result.DONE


@pytest.mark.parametrize(
    ("wanted", "is_open", "hresult"),
    [("", False, "0x80040416"), ("C:\\other.qbw", True, "0x8004040A"), ("C:\\other.qbw", False, "0x80040401")],
)
def test_a_file_that_cannot_be_opened_ends_the_update_on_done(wanted: str, is_open: bool, hresult: str) -> None:
    service = Service({"authenticate": ("t", wanted)})
    update, books = run(service, file_is_open=is_open)
    assert (update.result, update.message) == (Result.ERROR, "bye")
    (error,) = service.arguments("connectionError")
    assert error == {"ticket": "t", "hresult": hresult, "message": update.last_error}
    assert service.operations()[-2:] == ["connectionError", "closeConnection"]
    assert books.done == []


def test_the_service_can_name_another_file_to_try() -> None:
    service = Service({"authenticate": ("t", "C:\\other.qbw"), "connectionError": ["C:\\third.qbw", ""]})
    update, _ = run(service)
    assert (update.result, len(service.arguments("connectionError"))) == (Result.DONE, 2)


def test_it_does_not_try_for_ever() -> None:
    service = Service({"connectionError": ""})
    update, _ = run(service, Books(open_refusals=[RefusedError("0x80040408", "Could not start")] * 9))
    assert (update.result, update.last_error) == (Result.ERROR, "Could not start")
    assert len(service.arguments("connectionError")) == 3


def test_noop_waits_five_seconds_and_asks_again() -> None:
    service = Service({"sendRequestXML": ["", "NoOp", REQUEST], "getLastError": "NoOp"})
    slept: list[float] = []
    update, _ = run(service, sleep=slept.append)
    assert (update.result, slept) == (Result.DONE, [5, 5])
    assert [call["strHCPResponse"] != "" for call in service.arguments("sendRequestXML")] == [True, False, False]


def test_an_empty_request_shows_the_last_error() -> None:
    service = Service({"sendRequestXML": "", "getLastError": "Sorry."})
    update, books = run(service)
    assert update == Update(Result.ERROR, message="bye", last_error="Sorry.")
    assert books.done == ["open", "close s1"]


def test_pauses_come_to_an_end() -> None:
    service = Service({"sendRequestXML": "", "getLastError": "NoOp"})
    update, _ = run(service, sleep=lambda _: None)
    assert update.result is Result.ERROR
    assert "100 times" in update.last_error


def test_a_negative_answer_asks_why_and_closes() -> None:
    service = Service({"receiveResponseXML": "-1", "getLastError": "Wrong file."})
    update, books = run(service)
    assert update == Update(Result.ERROR, 1, (-1,), "bye", "Wrong file.")
    assert service.operations()[-3:] == ["receiveResponseXML", "getLastError", "closeConnection"]
    assert books.done[-1] == "close s1"


def test_what_quickbooks_throws_goes_to_the_service() -> None:
    service = Service()
    update, _ = run(service, Books(answers=[RefusedError("0x80040400", "Parse error")]))
    assert update.result is Result.DONE
    assert service.arguments("receiveResponseXML") == [
        {"ticket": "ticket", "response": "", "hresult": "0x80040400", "message": "Parse error"}
    ]


def test_a_mistake_of_the_simulation_is_not_hidden() -> None:
    books = Books(answers=[ZeroDivisionError()])
    with pytest.raises(ZeroDivisionError):
        run(Service(), books)
    assert books.done[-1] == "close s1"


@pytest.mark.parametrize(
    ("faults", "turns", "processed", "last_call"),
    [
        (Faults(drop_request_after=1), 1, 1, "sendRequestXML"),
        (Faults(drop_answer_after=1), 1, 2, "sendRequestXML"),
        (Faults(drop_answer_after=0), 0, 1, "sendRequestXML"),
        (Faults(lose_reply_to_answer=1), 1, 2, "receiveResponseXML"),
        (Faults(stop_after_turns=1), 1, 1, "receiveResponseXML"),
        (Faults(stop_after_turns=3), 3, 3, "receiveResponseXML"),
    ],
)
def test_faults_break_off_without_a_word(faults: Faults, turns: int, processed: int, last_call: str) -> None:
    service = Service({"receiveResponseXML": "10"})
    update, books = run(service, faults=faults)
    assert update == Update(Result.BROKEN_OFF, turns, (10,) * turns)
    assert sum(entry.startswith("process") for entry in books.done) == processed
    assert service.operations()[-1] == last_call
    assert books.done[-1] == "close s1"


@pytest.mark.parametrize(
    ("operation", "answers", "number"),
    [
        ("authenticate", {}, "QBWC1012"),
        ("sendRequestXML", {}, "QBWC1041"),
        ("receiveResponseXML", {}, "QBWC1042"),
        ("getLastError", {"sendRequestXML": ""}, "QBWC1043"),
        ("closeConnection", {}, "QBWC1044"),
        ("connectionError", {"authenticate": ("t", "C:\\x.qbw")}, "QBWC1045"),
    ],
)
def test_a_fault_of_the_service_has_the_connectors_number(operation: str, answers: dict[str, Any], number: str) -> None:
    update, _ = run(Service(answers | {operation: RuntimeError("it broke")}))
    assert update.result is Result.ERROR
    assert update.last_error == f"{number}: {operation}: it broke"


@pytest.mark.parametrize(
    ("answers", "number"),
    [
        ({"authenticate": ("only one",)}, "QBWC1012"),
        ({"authenticate": ("1", "2", "3", "4", "5")}, "QBWC1012"),
        ({"receiveResponseXML": "much"}, "QBWC1042"),
    ],
)
def test_answers_of_the_wrong_shape_are_errors(answers: dict[str, Any], number: str) -> None:
    update, _ = run(Service(answers))
    assert update.result is Result.ERROR
    assert update.last_error.startswith(number)


def test_only_text_xml_is_read() -> None:
    update, _ = run(Service(content_type="application/xml"))
    assert update.result is Result.ERROR
    assert "QBWC1012" in update.last_error
    assert "application/xml" in update.last_error


def test_a_service_that_is_away_is_an_error_not_an_exception() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        update = WebConnector(f"http://127.0.0.1:{silent.getsockname()[1]}/", "user", "pass", Books()).update()
    assert update.result is Result.ERROR
    assert "does not answer" in update.last_error


def test_it_runs_until_it_is_told_to_stop() -> None:
    service = Service({"receiveResponseXML": "100"})
    stop = threading.Event()

    def count(_: str) -> None:
        if service.operations().count("authenticate") == 3:
            stop.set()

    with running(service) as url:
        WebConnector(url, "user", "pass", Books(), on_turn=count).run_forever(stop, 0)
    assert service.operations().count("closeConnection") == 3
