"""The qbXML codec: requests as exact bytes, answers read once, record by record. Pure: bytes in, bytes out."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from routebooks.errors import ConfigError, FatalError

#: An answer larger than this is not read; a page of 500 customers has about one megabyte.
MAX_ANSWER = 256 * 1024 * 1024

# What XML 1.0 forbids as characters, raw or as a numeric reference: QuickBooks hands out both.
_CONTROLS = bytes(code for code in range(0x20) if code not in (0x09, 0x0A, 0x0D))
_REFERENCE = re.compile(rb"&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,10}));")
_NONCHARACTER = re.compile(rb"\xef\xbf[\xbe\xbf]")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_VERSION = re.compile(r"[0-9]{1,2}\.[0-9]")


def request(version: str, body: str, *, on_error: str = "stopOnError", new_set: str = "", old_set: str = "") -> bytes:
    """A whole request around the elements in `body`, everything outside ASCII as numeric references.

    The declaration comes first, then the qbxml line (reference/quickbooks-desktop.md, Encoding). `new_set` and
    `old_set` are the message set ids of Exactly-once. Raises ConfigError for a version that is none.
    """
    if not _VERSION.fullmatch(version):
        raise ConfigError(
            f"The qbXML version {version!r} is not one.",
            hint="Write it as a number with one decimal, for instance 13.0.",
            code="qbxml-version",
        )
    sets = attribute("newMessageSetID", new_set) if new_set else ""
    sets += attribute("oldMessageSetID", old_set) if old_set else ""
    head = f'<?xml version="1.0" encoding="utf-8"?><?qbxml version="{version}"?>'
    text = f'{head}<QBXML><QBXMLMsgsRq onError="{on_error}"{sets}>{body}</QBXMLMsgsRq></QBXML>'
    return text.encode("ascii", "xmlcharrefreplace")


def leaf(tag: str, text: str) -> str:
    """An element that holds text only. Characters that XML forbids are left out."""
    return f"<{tag}>{escape(_FORBIDDEN.sub('', text))}</{tag}>"


def instant(at: datetime) -> str:
    """A DATETIMETYPE: whole seconds, offset written out, no Z. Raises FatalError for a time without a zone."""
    if at.tzinfo is None:
        raise FatalError(f"The time {at} carries no time zone.", code="qbxml-naive-time")
    return at.astimezone(UTC).isoformat(timespec="seconds")


def attribute(name: str, value: str) -> str:
    """An attribute with a blank before it."""
    return f" {name}={quoteattr(_FORBIDDEN.sub('', value))}"


@dataclass(frozen=True)
class Head:
    """What the response in an answer says of itself; `found` counts the records that are really there."""

    status: int
    severity: str
    message: str
    found: int
    announced: int | None
    iterator_id: str
    remaining: int


#: answers up to here are read as a whole tree: a tenth faster than event by event, and still small
_WHOLE = 4 * 1024 * 1024


def read(
    answer: bytes, response: str, records: Collection[str], take: Callable[[etree._Element], None]
) -> etree._Element:
    """Read an answer once from front to end, hand each record to `take` and empty it; gives the response element.

    `records` are the element names of the records, `response` the name of the response ("CustomerQueryRs").
    Raises FatalError when the answer is too large, broken off, or an answer to something else.
    """
    if len(answer) <= _WHOLE:
        found = _response(document(answer), response, answer)
        for record in found:
            if record.tag in records:
                take(record)
        return found
    _check_size(answer)
    events = etree.iterparse(
        BytesIO(clean(answer)),
        events=("end",),
        tag=tuple(records),
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        remove_comments=True,
        remove_blank_text=True,  # between elements only: a value of blanks stays
        remove_pis=True,
        huge_tree=True,
        collect_ids=False,
    )
    try:
        for _, record in events:
            take(record)
            record.clear(keep_tail=True)
    except etree.XMLSyntaxError as error:
        raise _broken(str(error), answer) from error
    return _response(events.root, response, answer)


def read_head(answer: bytes, response: str, records: Collection[str]) -> Head:
    """What an answer to a query says of itself, without looking into its records. Raises FatalError as `read` does."""
    return head(read(answer, response, records, lambda _: None))


def document(answer: bytes) -> etree._Element:
    """A small answer as a tree, for reading single values. Raises FatalError when it is not well-formed."""
    _check_size(answer)
    try:
        return etree.fromstring(answer, _parser())
    except etree.XMLSyntaxError:
        # A parser takes none of what XML forbids, so only an answer that it refuses has to be cleaned.
        cleaned = clean(answer)
    try:
        return etree.fromstring(cleaned, _parser())
    except etree.XMLSyntaxError as error:
        raise _broken(str(error), answer) from error


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )


def head(response: etree._Element) -> Head:
    """The attributes of a response element. Raises FatalError when it has no status code."""
    status = response.get("statusCode", "")
    if not re.fullmatch(r"-?[0-9]{1,9}", status):
        raise FatalError(
            f"QuickBooks answered {response.tag} without a status.",
            hint="The question is asked again. If this stays, tell whoever looks after Routebooks.",
            code="qb-no-status",
            detail=str(response.items()),
        )
    return Head(
        status=int(status),
        severity=response.get("statusSeverity", ""),
        message=response.get("statusMessage", ""),
        found=len(response),
        announced=_count(response.get("retCount")),
        iterator_id=response.get("iteratorID", ""),
        remaining=_count(response.get("iteratorRemainingCount")) or 0,
    )


def _check_size(answer: bytes) -> None:
    """Raise FatalError when an answer is too large to be read."""
    if len(answer) > MAX_ANSWER:
        raise FatalError(
            f"QuickBooks answered with {len(answer) // 1_000_000} MB, more than can be taken at once.",
            hint="Lower the page size of the connection.",
            code="qb-answer-too-large",
        )


def clean(answer: bytes) -> bytes:
    """An answer without the characters that XML forbids. Raises FatalError when it is empty."""
    answer = answer.translate(None, _CONTROLS)
    if not answer.strip():
        raise _broken("it is empty", answer)
    if b"&#" in answer:
        answer = _REFERENCE.sub(_allowed_reference, answer)
    return _NONCHARACTER.sub(b"", answer) if b"\xef\xbf" in answer else answer


def _allowed_reference(match: re.Match[bytes]) -> bytes:
    code = int(match[1], 16) if match[1] else int(match[2])
    return b"" if code > 0x10FFFF or _FORBIDDEN.match(chr(code)) else match[0]


def _response(root: etree._Element | None, response: str, answer: bytes) -> etree._Element:
    found = None if root is None or root.tag != "QBXML" else root.find(f"QBXMLMsgsRs/{response}")
    if found is None:
        raise FatalError(
            f"QuickBooks answered something else than {response}.",
            hint="The question is asked again. If this stays, tell whoever looks after Routebooks.",
            code="qb-wrong-answer",
            detail=_excerpt(answer),
        )
    return found


def _broken(reason: str, answer: bytes) -> FatalError:
    return FatalError(
        f"An answer of QuickBooks is broken: {reason}.",
        hint="The question is asked again. If this stays, lower the page size of the connection.",
        code="qb-broken-answer",
        detail=_excerpt(answer),
    )


def _count(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"[0-9]{1,9}", text) else None


def _excerpt(answer: bytes) -> str:
    return answer[:500].decode("utf-8", "replace")
