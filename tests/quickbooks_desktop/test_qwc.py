"""The .qwc file, and what a Web Connector would refuse."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from routebooks.connectors.quickbooks_desktop.qwc import qwc_file
from routebooks.errors import ConfigError

GIVEN: dict[str, Any] = {
    "connection_name": "Café & Co",
    "url": "https://books.example.com:8443/qbwc",
    "support_url": "https://books.example.com/support",
    "user_name": "rb-7",
    "owner_id": "{c762cd16-a12e-4256-a38e-d6a2d386fb75}",
    "file_id": "2F1B6A52-8AD5-4A63-9C0E-54E8A9B7F001",
    "app_name": "Routebooks",
    "unique_name": "routebooks-7",
    "run_every_minutes": 15,
}


def test_the_file_is_these_bytes() -> None:
    assert qwc_file(**GIVEN) == (
        b'<?xml version="1.0"?>\n<QBWCXML>\n'
        b"  <AppName>Routebooks</AppName>\n"
        b"  <AppID></AppID>\n"
        b"  <AppURL>https://books.example.com:8443/qbwc</AppURL>\n"
        b"  <AppDescription>Routebooks: Caf&#233; &amp; Co</AppDescription>\n"
        b"  <AppSupport>https://books.example.com/support</AppSupport>\n"
        b"  <AppUniqueName>routebooks-7</AppUniqueName>\n"
        b"  <UserName>rb-7</UserName>\n"
        b"  <OwnerID>{c762cd16-a12e-4256-a38e-d6a2d386fb75}</OwnerID>\n"
        b"  <FileID>{2f1b6a52-8ad5-4a63-9c0e-54e8a9b7f001}</FileID>\n"
        b"  <QBType>QBFS</QBType>\n"
        b"  <PersonalDataPref>pdpNotNeeded</PersonalDataPref>\n"
        b"  <UnattendedModePref>umpRequired</UnattendedModePref>\n"
        b"  <IsReadOnly>false</IsReadOnly>\n"
        b"  <Scheduler><RunEveryNMinutes>15</RunEveryNMinutes></Scheduler>\n"
        b"</QBWCXML>\n"
    )


def test_without_minutes_the_user_sets_the_rhythm() -> None:
    file = etree.fromstring(qwc_file(**GIVEN | {"run_every_minutes": None, "read_only": True}))
    assert file.find("Scheduler") is None
    assert file.findtext("IsReadOnly") == "true"


def test_a_long_description_is_cut() -> None:
    file = etree.fromstring(qwc_file(**GIVEN | {"connection_name": "x" * 200}))
    assert len(file.findtext("AppDescription") or "") == 80


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.0.1", "[::1]"])
def test_http_is_enough_on_the_same_computer(host: str) -> None:
    url = f"http://{host}:8000/qbwc"
    assert url.encode() in qwc_file(**GIVEN | {"url": url, "support_url": f"http://{host}/"})


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"url": "http://books.example.com/qbwc"}, "qwc-https", "QBWC1010"),
        ({"support_url": "http://books.example.com/support"}, "qwc-https", "QBWC1010"),
        ({"url": "https://192.168.1.5/qbwc"}, "qwc-address", "QBWC1001"),
        ({"url": "https://[2001:db8::1]/qbwc"}, "qwc-address", "QBWC1001"),
        ({"support_url": "https://example.com/support"}, "qwc-domain", "QBWC1000"),
        ({"url": "ftp://books.example.com/"}, "qwc-url", "public_url"),
        ({"url": "books.example.com/qbwc"}, "qwc-url", "public_url"),
        ({"url": "https:///qbwc"}, "qwc-url", "public_url"),
        ({"url": "https://me:secret@books.example.com/"}, "qwc-url", "public_url"),
        ({"url": "https://books.example.com/a b"}, "qwc-url", "public_url"),
        ({"url": "https://books.example.com:port/"}, "qwc-url", "public_url"),
        ({"url": "https://[books/"}, "qwc-url", "public_url"),
        ({"owner_id": "{57F3B9B0-86F1-4fcc-B1EE-566DE1813G20}"}, "qwc-guid", "8-4-4-4-12"),
        ({"file_id": ""}, "qwc-guid", "8-4-4-4-12"),
        ({"user_name": " "}, "qwc-name", ""),
        ({"app_name": "a\nb"}, "qwc-name", ""),
        ({"unique_name": ""}, "qwc-name", ""),
        ({"run_every_minutes": 0}, "qwc-minutes", ""),
    ],
)
def test_what_a_web_connector_would_refuse_is_refused_here(change: dict[str, Any], code: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        qwc_file(**GIVEN | change)
    assert caught.value.problem.code == code
    assert words in caught.value.problem.hint
