"""The SOAP 1.1 of the Web Connector, read leniently, written exactly: bytes in, bytes out (QBWC guide; its WSDL)."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Literal, cast

from lxml import etree

from routebooks.errors import ConfigError
from routebooks.webconnector.operations import NAMESPACE, SIGNATURES

#: The greatest envelope we read. A page of some hundred invoices is a few MB.
MAX_BYTES = 64 * 1024 * 1024
#: A call has a dozen elements; its texts may be long, its elements not many.
MAX_ELEMENTS = 250
#: So much is parsed before the elements are counted again.
_PIECE = 64 * 1024
#: The longest reference, or beginning of a tag that matters, which may be cut through between two pieces.
_CUT = 64

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


class Reader:
    """Reads an envelope piece by piece and keeps of it only what the call needs.

    Made, fed and closed in one thread: parsers of lxml share their thread's table of names, and nothing guards it.
    """

    def __init__(self, head: bytes) -> None:
        """Begin with the first bytes, a whole declaration at least. Raises ConfigError, as `feed` does."""
        self._operation = ""
        #: the parameters that have come to their end so far
        self._arguments: dict[str, str] = {}
        self._open: list[etree._Element] = []
        self._call: etree._Element | None = None
        self._elements = 0
        self._decoder = codecs.getincrementaldecoder(_encoding(head))()
        self._held = ""
        self._begun = False
        self._parser = etree.XMLPullParser(
            ("start", "end"),
            resolve_entities=False,
            no_network=True,
            huge_tree=True,
            remove_comments=True,
            remove_pis=True,
        )
        self.feed(head)

    def feed(self, data: bytes) -> None:
        """Read on. Raises ConfigError, with the codes soap-malformed and soap-unknown-operation."""
        for at in range(0, len(data), _PIECE):
            self._read(data[at : at + _PIECE])

    def so_far(self) -> Call | None:
        """The call, with '' for each parameter that has not come; None before it is named."""
        if not self._operation:
            return None
        names = (name for name, _ in SIGNATURES[self._operation].parameters)
        return Call(self._operation, {name: self._arguments.get(name, "") for name in names})

    def close(self) -> Call:
        """The call, after the last bytes. Raises ConfigError."""
        self._read(b"", final=True)
        try:
            self._parser.close()
        except etree.XMLSyntaxError as error:
            raise _malformed(str(error)) from error
        call = self.so_far()
        if call is None:
            raise _malformed("no envelope with a body and a call in it")
        return call

    def _read(self, data: bytes, *, final: bool = False) -> None:
        try:
            text = self._held + self._decoder.decode(data, final)
        except UnicodeDecodeError as error:
            raise _malformed(str(error)) from error
        if not self._begun:
            text, self._begun = _undeclared(text), True
        # What could be half a reference or half a document type waits for its other half.
        cut = len(text) if final else max(text.rfind(sign, max(0, len(text) - _CUT)) for sign in "<&")
        text, self._held = (text, "") if cut < 0 else (text[:cut], text[cut:])
        # SOAP 1.1, section 3: a message has no document type. Refused unparsed, so that no entity is ever declared.
        if "<!DOCTYPE" in text:
            raise _malformed("a document type declaration")
        try:
            self._parser.feed(_REFERENCES.sub(b"", _allowed(text)))
        except etree.XMLSyntaxError as error:
            raise _malformed(str(error)) from error
        for event, element in self._parser.read_events():
            seen = cast(etree._Element, element)
            self._started(seen) if event == "start" else self._ended(seen)

    def _started(self, element: etree._Element) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise _malformed(f"more than {MAX_ELEMENTS} elements")
        self._open.append(element)
        if self._call is None and [_local(each) for each in self._open[:-1]] == ["Envelope", "Body"]:
            self._call, name = element, _local(element)
            if name not in SIGNATURES:
                raise ConfigError(
                    f"The call {name[:80]!r} is none of the Web Connector's.", code="soap-unknown-operation", hint=_HINT
                )
            self._operation = name

    def _ended(self, element: etree._Element) -> None:
        self._open.pop()
        if self._call is not None and self._open and self._open[-1] is self._call:
            self._arguments[_local(element)] = element.text or ""
            element.clear()


def read_call(body: bytes) -> Call:
    """Read an envelope. Any prefixes, any order, self-closed, missing and unknown parameters are taken.

    Raises ConfigError, with the codes soap-too-large, soap-malformed and soap-unknown-operation.
    """
    if len(body) > MAX_BYTES:
        raise too_large()
    return Reader(body).close()


def document(text: str) -> bytes:
    """An XML document that was a string, as UTF-8 bytes that a parser takes: no declaration, nothing XML forbids.

    A declaration inside a string names an encoding that the string no longer has; without one, UTF-8 holds.
    """
    return _REFERENCES.sub(b"", _allowed(_undeclared(text)))


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


def too_large_for_anybody() -> ConfigError:
    """The error for an envelope that only an open session may send, before which no ticket stands."""
    return ConfigError(
        "This call is longer than one outside of a session may be.",
        hint="Press Update Selected again.",
        code="soap-too-large",
    )


def too_many() -> ConfigError:
    """The error for a long envelope while another of the same session is still arriving."""
    return ConfigError(
        "An answer of this session is already on its way.",
        hint="Press Update Selected again.",
        code="soap-too-many",
    )


_HINT = "Point the Web Connector at this address by the .qwc file that Routebooks made."


def _malformed(detail: str) -> ConfigError:
    return ConfigError("This is not a call of the Web Connector.", hint=_HINT, code="soap-malformed", detail=detail)


def _encoding(head: bytes) -> str:
    """The encoding of an envelope: by its byte order mark, its zero bytes, its declaration, else UTF-8.

    Decoding it ourselves leaves no encoding in which a document type could hide from the Reader.
    """
    declared = _DECLARED.match(head)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head[:1] == b"\0" or head[1:2] == b"\0":
        return "utf-16-be" if head[:1] == b"\0" else "utf-16-le"
    if declared and _ONE_BYTE.fullmatch(declared[1]):
        try:
            return codecs.lookup(declared[1].decode()).name
        except LookupError as error:
            raise _malformed(str(error)) from error
    return "utf-8"


def _undeclared(text: str) -> str:
    declaration = _DECLARATION.match(text)
    return text[declaration.end() if declaration else 0 :]


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


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
