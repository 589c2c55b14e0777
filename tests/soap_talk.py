"""Calls of the Web Connector as bytes, and operations that note how they were called."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI
from lxml import etree
from starlette.types import ASGIApp

from routebooks.webconnector.desk import Desk
from routebooks.webconnector.http import with_web_connector

NAMESPACE = "http://developer.intuit.com/"
REQUEST = b'<?xml version="1.0"?><?qbxml version="13.0"?>\n<QBXML> &#233; </QBXML>'
XML = "text/xml; charset=utf-8"


@dataclass
class Recorder:
    """Operations that note how they were called."""

    calls: list[tuple[Any, ...]] = field(default_factory=list)

    def server_version(self) -> str:
        self.calls.append(("server_version",))
        return "1.2.3"

    def client_version(self, version: str) -> str:
        self.calls.append(("client_version", version))
        return ""

    def authenticate(self, user_name: str, password: str, address: str) -> list[str]:
        self.calls.append(("authenticate", user_name, password, address))
        return ["ticket", "", "", "60"]

    def send_request_xml(
        self, ticket: str, hcp_response: str, company_file: str, country: str, major: int, minor: int
    ) -> bytes | str:
        self.calls.append(("send_request_xml", ticket, hcp_response, company_file, country, major, minor))
        return REQUEST

    def receive_response_xml(self, ticket: str, response: bytes, hresult: str, message: str) -> int:
        self.calls.append(("receive_response_xml", ticket, response, hresult, message))
        return 100 if self.is_open(ticket) else -1

    def connection_error(self, ticket: str, hresult: str, message: str) -> str:
        self.calls.append(("connection_error", ticket, hresult, message))
        return "done"

    def get_last_error(self, ticket: str) -> str:
        if ticket == "broken":
            raise KeyError("secret of the house")
        self.calls.append(("get_last_error", ticket))
        return " Müller & Söhne\r\n"

    def close_connection(self, ticket: str) -> str:
        self.calls.append(("close_connection", ticket))
        return "Done."

    def is_open(self, ticket: str) -> bool:
        return ticket.startswith("ticket")


def app(operations: Recorder, **options: Any) -> ASGIApp:
    return with_web_connector(FastAPI(), Desk(operations, **options), public_url="https://books.example.com/")


def envelope(inner: str) -> bytes:
    opening = '<E:Envelope xmlns:E="http://schemas.xmlsoap.org/soap/envelope/"><E:Body>'
    return f"{opening}{inner}</E:Body></E:Envelope>".encode()


def fault_of(answer: httpx.Response) -> str:
    """The text of a fault, after a look at everything round it."""
    assert answer.headers["content-type"] == XML
    text = etree.fromstring(answer.content).findtext(".//faultstring")
    assert text
    assert "Traceback" not in text
    return text
