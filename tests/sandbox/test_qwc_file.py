"""Adding a .qwc file to the simulated Web Connector: what it takes, and what it refuses under which number."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from routebooks.errors import ConfigError
from routebooks.sandbox.web_connector import load_qwc


class Support(BaseHTTPRequestHandler):
    """Answers with the status that its path names."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.removeprefix("/")))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the test's output clean."""


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Support) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


def qwc(base: str, **changes: str | None) -> bytes:
    standard: dict[str, str | None] = {
        "AppName": "Routebooks",
        "AppID": "",
        "AppURL": f"{base}/webconnector",
        "AppDescription": "Customers & items",
        "AppSupport": f"{base}/200",
        "UserName": "user",
        "OwnerID": "{60A44FB7-33D9-4815-AC85-AC86A7E7D1E0}",
        "FileID": "{47f3b9b6-86f1-4fcc-b1ff-967de1813d28}",
        "QBType": "QBFS",
    }
    elements = (standard | changes).items()
    inner = "".join(f"<{name}>{text.replace('&', '&amp;')}</{name}>" for name, text in elements if text is not None)
    scheduler = "<Scheduler><RunEveryNMinutes>5</RunEveryNMinutes><RunEveryNSeconds>9</RunEveryNSeconds></Scheduler>"
    return f'<?xml version="1.0"?><QBWCXML>{inner}{scheduler}<IsReadOnly>false</IsReadOnly></QBWCXML>'.encode()


def code_of(data: bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        load_qwc(data)
    problem = caught.value.problem
    assert problem.hint
    assert problem.message.startswith(problem.code.upper().replace("-", "") + ":")
    return problem.code


@pytest.mark.parametrize("status", [200, 202])
def test_a_good_file_is_taken(base: str, status: int) -> None:
    elements = load_qwc(qwc(base, AppSupport=f"{base}/{status}"))
    assert elements["AppDescription"] == "Customers & items"
    assert elements["AppID"] == ""
    assert elements["FileID"] == "{47f3b9b6-86f1-4fcc-b1ff-967de1813d28}"
    assert elements["RunEveryNMinutes"] == "5"
    assert "RunEveryNSeconds" not in elements


@pytest.mark.parametrize(
    "name", ["AppName", "AppID", "AppURL", "AppDescription", "AppSupport", "UserName", "OwnerID", "FileID", "QBType"]
)
def test_every_required_element_must_be_there(base: str, name: str) -> None:
    assert code_of(qwc(base, **{name: None})) == "qbwc-1039"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("OwnerID", "{60A44FB7-33D9-4815-AC85-AC86A7E7D1EG}"),
        ("OwnerID", "60A44FB7-33D9-4815-AC85-AC86A7E7D1E0"),
        ("FileID", "{47f3b9b6}"),
        ("QBType", "QBX"),
        ("UserName", ""),
        ("AuthFlags", "all"),
        ("Notify", "yes"),
        ("PersonalDataPref", "never"),
        ("UnattendedModePref", "always"),
        ("Style", "document"),
    ],
)
def test_bad_values_are_refused(base: str, name: str, text: str) -> None:
    assert code_of(qwc(base, **{name: text})) == "qbwc-1039"


@pytest.mark.parametrize("data", [b"", b"nonsense", b"<QBWCXML>", b"<other/>", b"\xef\xbb\xbf<QBWCXML/>"])
def test_what_is_no_qwc_is_refused(data: bytes) -> None:
    assert code_of(data) == "qbwc-1039"


def test_a_byte_order_mark_is_refused(base: str) -> None:
    assert code_of(b"\xef\xbb\xbf" + qwc(base)) == "qbwc-1039"


@pytest.mark.parametrize(
    ("app", "support", "code"),
    [
        ("https://a.example.com/x", "https://b.example.com/y", "qbwc-1000"),
        ("https://192.0.2.7/x", "https://a.example.com/y", "qbwc-1001"),
        ("https://a.example.com/x", "https://[2001:db8::1]/y", "qbwc-1002"),
        ("http://a.example.com/x", "https://a.example.com/y", "qbwc-1010"),
        ("https://a.example.com/x", "http://a.example.com/y", "qbwc-1010"),
    ],
)
def test_addresses_are_checked(base: str, app: str, support: str, code: str) -> None:
    assert code_of(qwc(base, AppURL=app, AppSupport=support)) == code


@pytest.mark.parametrize("status", [204, 302, 401, 404, 500])
def test_the_support_page_must_be_there(base: str, status: int) -> None:
    assert code_of(qwc(base, AppSupport=f"{base}/{status}")) == "qbwc-1004"


def test_the_support_page_must_answer() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        with pytest.raises(ConfigError) as caught:
            load_qwc(qwc(f"http://localhost:{silent.getsockname()[1]}"))
    assert caught.value.problem.code == "qbwc-1003"
    assert "`routebooks serve`" in caught.value.problem.hint
