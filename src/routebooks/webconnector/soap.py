"""The SOAP 1.1 of the Web Connector, read leniently, written exactly: bytes in, bytes out (QBWC guide; its WSDL)."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Literal

from lxml import etree

from routebooks.errors import ConfigError
from routebooks.webconnector.operations import NAMESPACE, SIGNATURES

#: The greatest envelope we read. A page of some hundred invoices is a few MB.
MAX_BYTES = 64 * 1024 * 1024

Value = str | bytes | int | list[str]
FaultCode = Literal["Client", "Server"]

_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_OPENING = f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{_ENVELOPE}"><soap:Body>'.encode()
_CLOSING = b"</soap:Body></soap:Envelope>"
_SPACE = NAMESPACE.encode()

_DECLARATION = re.compile(r"\ufeff?\s*<\?xml\s[^>]*?\?>\s*")
_DECLARED = re.compile(rb"<\?xml\s[^>]*?encoding\s*=\s*[\"']([\w.-]+)[\"']")
_ONE_BYTE = re.compile(rb"iso-8859-\d+|(windows-|cp)125\d|(us-)?ascii|latin-?1", re.IGNORECASE)
#: what XML 1.0 forbids, as bytes of UTF-8 (a C0 control stands for itself there) and as references
_CONTROLS = bytes(code for code in range(0x20) if code not in b"\t\n\r")
_NONCHARACTERS = ("\ufffe".encode(), "\uffff".encode())
_REFERENCES = re.compile(
    rb"&#(?:x0*(?:[0-8bcefBCEF]|1[0-9a-fA-F]|[dD][89a-fA-F][0-9a-fA-F]{2}|[fF]{3}[eEfF])|0*(?:[0-8]|1[124-9]|2\d|3[01]));"
)


@dataclass(frozen=True)
class Call:
    """One call as it came: the operation, and a text for each of its parameters ('' where none was sent)."""

    operation: str
    arguments: dict[str, str]


def read_call(body: bytes) -> Call:
    """Read an envelope. Any prefixes, any order, self-closed, missing and unknown parameters are taken.

    Raises ConfigError, with the codes soap-too-large, soap-malformed and soap-unknown-operation.
    """
    if len(body) > MAX_BYTES:
        raise too_large()
    operation = _operation(_parse(document(_decode(body))))
    name = etree.QName(operation).localname
    signature = SIGNATURES.get(name)
    if signature is None:
        raise ConfigError(
            f"The call {name[:80]!r} is none of the Web Connector's.", code="soap-unknown-operation", hint=_HINT
        )
    sent = {etree.QName(child).localname: child.text or "" for child in operation}
    return Call(name, {parameter: sent.get(parameter, "") for parameter, _ in signature.parameters})


def document(text: str) -> bytes:
    """An XML document that was a string, as UTF-8 bytes that a parser takes: no declaration, nothing XML forbids.

    A declaration inside a string names an encoding that the string no longer has; without one, UTF-8 holds.
    """
    declaration = _DECLARATION.match(text)
    return _REFERENCES.sub(b"", _allowed(text[declaration.end() if declaration else 0 :]))


def write_result(operation: str, value: Value) -> bytes:
    """The answer to a call, in one line: whitespace is significant to the Web Connector."""
    if isinstance(value, list):
        inner = b"".join(b"<string>%b</string>" % _escape(text) for text in value)
    else:
        inner = _escape(value.decode() if isinstance(value, bytes) else str(value))
    name = operation.encode()
    return _envelope(
        b'<%bResponse xmlns="%b"><%bResult>%b</%bResult></%bResponse>' % (name, _SPACE, name, inner, name, name)
    )


def write_fault(code: FaultCode, text: str) -> bytes:
    """A SOAP fault: Client when the call is wrong, Server when we are. The text is shown to a person."""
    parts = (code.encode(), _escape(text))
    return _envelope(b"<soap:Fault><faultcode>soap:%b</faultcode><faultstring>%b</faultstring></soap:Fault>" % parts)


def too_large() -> ConfigError:
    """The error for an envelope over the limit."""
    return ConfigError(
        f"The answer is over {MAX_BYTES // (1024 * 1024)} MB.",
        hint="Let the connection ask for smaller pages.",
        code="soap-too-large",
    )


_HINT = "Point the Web Connector at this address by the .qwc file that Routebooks made."


def _malformed(detail: str) -> ConfigError:
    return ConfigError("This is not a call of the Web Connector.", hint=_HINT, code="soap-malformed", detail=detail)


def _decode(body: bytes) -> str:
    """The text of an envelope: by its byte order mark, its zero bytes, its declaration, else UTF-8.

    Decoding it ourselves leaves no encoding in which a document type could hide from the check in _parse.
    """
    declared = _DECLARED.match(body)
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif body[:1] == b"\0" or body[1:2] == b"\0":
        encoding = "utf-16-be" if body[:1] == b"\0" else "utf-16-le"
    elif declared and _ONE_BYTE.fullmatch(declared[1]):
        encoding = declared[1].decode()
    else:
        encoding = "utf-8"
    try:
        return body.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise _malformed(str(error)) from error


def _parse(data: bytes) -> etree._Element:
    # SOAP 1.1, section 3: a message has no document type. Refused before it is parsed, so no entity is ever declared.
    if b"<!DOCTYPE" in data:
        raise _malformed("a document type declaration")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=True, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise _malformed(str(error)) from error


def _operation(envelope: etree._Element) -> etree._Element:
    """The first child of the body, by local names."""
    if etree.QName(envelope).localname == "Envelope":
        for child in envelope:
            if etree.QName(child).localname == "Body" and len(child):
                return child[0]
    raise _malformed("no envelope with a body and a call in it")


def _envelope(inner: bytes) -> bytes:
    return b"%b%b%b" % (_OPENING, inner, _CLOSING)


def _escape(text: str) -> bytes:
    """Text for an element, UTF-8. A carriage return is kept; a parser would make a line feed of a bare one."""
    data = _allowed(text)
    for character, reference in ((b"&", b"&amp;"), (b"<", b"&lt;"), (b">", b"&gt;"), (b"\r", b"&#13;")):
        data = data.replace(character, reference)
    return data


def _allowed(text: str) -> bytes:
    """Text as UTF-8 without the characters that XML 1.0 forbids."""
    data = text.encode("utf-8", "ignore").translate(None, _CONTROLS)
    for noncharacter in _NONCHARACTERS:
        data = data.replace(noncharacter, b"")
    return data
