"""How the simulated Web Connector speaks: SOAP 1.1 over HTTP as its .NET client writes it."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from lxml import etree

from routebooks.errors import ConfigError, TransientError

_NAMESPACE = "http://developer.intuit.com/"
_ENVELOPE = (
    '<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
    "<soap:Body>{}</soap:Body></soap:Envelope>"
)
_USER_AGENT = "Mozilla/4.0 (compatible; MSIE 6.0; MS Web Services Client Protocol 4.0.30319.42000)"
_MOST_BYTES = 64 * 1024 * 1024


def connect(url: str, timeout: float) -> http.client.HTTPConnection:
    """A connection to the host of an http or https address. Raises ConfigError."""
    place = urlsplit(url)
    if place.scheme == "https" and place.hostname:
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(place.hostname, place.port, timeout=timeout, context=context)
    if place.scheme == "http" and place.hostname:
        return http.client.HTTPConnection(place.hostname, place.port, timeout=timeout)
    raise ConfigError(f"{url!r} is no web address.", hint="Give one that begins with https://.", code="no-address")


def path_of(url: str) -> str:
    """Path and query of an address."""
    place = urlsplit(url)
    return (place.path or "/") + (f"?{place.query}" if place.query else "")


class SoapClient:
    """Calls the operations of one service, a new HTTP connection for each."""

    def __init__(self, url: str, *, timeout: float, expect: bool = True) -> None:
        self._url = url
        self._timeout = timeout
        #: .NET asks for "100 Continue" before it sends a body
        self._expect = expect

    def call(self, operation: str, arguments: Mapping[str, str]) -> list[str]:
        """The texts of the result: one, or for an array each of its strings. Raises TransientError."""
        inner = "".join(_element(name, text) for name, text in arguments.items())
        opening = f'<{operation} xmlns="{_NAMESPACE}"'
        call = f"{opening}>{inner}</{operation}>" if inner else f"{opening} />"
        return _read(operation, *self._post(operation, _ENVELOPE.format(call).encode()))

    def _post(self, operation: str, body: bytes) -> tuple[int, str, bytes]:
        connection = connect(self._url, self._timeout)
        try:
            connection.putrequest("POST", path_of(self._url), skip_host=True, skip_accept_encoding=True)
            connection.putheader("User-Agent", _USER_AGENT)
            connection.putheader("Content-Type", "text/xml; charset=utf-8")
            connection.putheader("SOAPAction", f'"{_NAMESPACE}{operation}"')
            connection.putheader("Host", urlsplit(self._url).netloc)
            connection.putheader("Content-Length", str(len(body)))
            if self._expect:
                connection.putheader("Expect", "100-continue")
            connection.endheaders(body)
            response = connection.getresponse()
            return response.status, response.headers.get_content_type(), response.read(_MOST_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise TransientError("The service does not answer.", code="service-away", detail=repr(error)) from error
        finally:
            connection.close()


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text, {chr(13): '&#xD;'})}</{name}>" if text else f"<{name} />"


def _read(operation: str, status: int, content_type: str, body: bytes) -> list[str]:
    if content_type != "text/xml":
        raise _unreadable(f"content type {content_type!r}, status {status}")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        envelope = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise _unreadable(str(error)) from error
    if status != 200:
        raise TransientError(envelope.findtext(".//faultstring") or f"status {status}", code="service-fault")
    result = envelope.find(f"{{*}}Body/{{{_NAMESPACE}}}{operation}Response/{{{_NAMESPACE}}}{operation}Result")
    if result is None:
        raise _unreadable(f"no {operation}Result")
    return [child.text or "" for child in result] if len(result) else [result.text or ""]


def _unreadable(detail: str) -> TransientError:
    return TransientError("The service answered what is no SOAP.", code="service-unreadable", detail=detail)
