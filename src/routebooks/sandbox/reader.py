"""Reads a request as strictly as QuickBooks does: anything out of order is refused whole, with one HRESULT."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from routebooks.sandbox.requests import REQUESTS, RequestShape
from routebooks.sandbox.shapes import Fields, ShapeError, read

PARSE_ERROR = "0x80040400"
#: by memory: the reference names no code for a version that is too new
UNKNOWN_VERSION = "0x80040409"

#: The newest qbXML that the company understands; the schemas that its answers are checked by are of this version.
VERSION = (13, 0)

_MAX_BYTES = 64 * 1024 * 1024
_VERSION = re.compile(r"""version\s*=\s*["'](\d{1,2})\.(\d)["']""")
_MACRO = re.compile(r"(ListID|TxnID):.+")
_MESSAGE_SET = {"onError", "newMessageSetID", "oldMessageSetID", "responseData"}


class QuickBooksError(Exception):
    """What QuickBooks throws in place of an answer. `reason` is the sandbox's own help; QuickBooks does not tell it."""

    def __init__(self, hresult: str, message: str, reason: str = "") -> None:
        super().__init__(f"{hresult} {message} {reason}".strip())
        self.hresult = hresult
        self.message = message
        self.reason = reason


@dataclass(frozen=True)
class Request:
    """One request of a message set."""

    name: str
    attributes: Mapping[str, str]
    fields: Fields

    @property
    def answer_name(self) -> str:
        """The name of the element that answers it."""
        return f"{self.name[:-2]}Rs"


@dataclass(frozen=True)
class MessageSet:
    """The requests of one QBXMLMsgsRq, and what its attributes say."""

    requests: tuple[Request, ...]
    stop_on_error: bool
    include_data: bool
    new_id: str | None
    old_id: str | None


def read_message_set(request: bytes) -> MessageSet:
    """The message set that stands in a request. Raises QuickBooksError where QuickBooks would not even begin."""
    try:
        return _message_set(_root(request))
    except (ShapeError, etree.XMLSyntaxError) as error:
        message = "QuickBooks found an error when parsing the provided XML text stream."
        raise QuickBooksError(PARSE_ERROR, message, str(error)) from error


def _root(request: bytes) -> etree._Element:
    if len(request) > _MAX_BYTES:
        raise ShapeError(f"longer than {_MAX_BYTES} bytes")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    root = etree.fromstring(request, parser)
    if getattr(root.getroottree().docinfo, "doctype", "") or any(not isinstance(node.tag, str) for node in root.iter()):
        raise ShapeError("no document type, entity or instruction may stand there")
    _check_version(root.getprevious())
    return root


def _check_version(instruction: etree._Element | None) -> None:
    if instruction is None or getattr(instruction, "target", "") != "qbxml":
        raise ShapeError('<?qbxml version="13.0"?> is missing')
    version = _VERSION.fullmatch((instruction.text or "").strip())
    if not version:
        raise ShapeError("the qbxml instruction tells no version")
    if (int(version[1]), int(version[2])) > VERSION:
        message = "The version of qbXML that was requested is not supported or is unknown."
        raise QuickBooksError(UNKNOWN_VERSION, message)


def _message_set(root: etree._Element) -> MessageSet:
    if root.tag != "QBXML" or root.attrib or [child.tag for child in root] != ["QBXMLMsgsRq"]:
        raise ShapeError("QBXML must hold one QBXMLMsgsRq")
    outer = root[0]
    attributes = {str(name): str(value) for name, value in outer.attrib.items()}
    if set(attributes) - _MESSAGE_SET:
        raise ShapeError("QBXMLMsgsRq has an attribute it may not have")
    # rollbackOnError stands in the schema; Intuit's guide says that it is not valid.
    _one_of(attributes, "onError", ("stopOnError", "continueOnError"))
    _one_of({"responseData": "includeAll", **attributes}, "responseData", ("includeAll", "includeNone"))
    return MessageSet(
        requests=tuple(_request(node) for node in outer),
        stop_on_error=attributes["onError"] == "stopOnError",
        include_data=attributes.get("responseData") != "includeNone",
        new_id=attributes.get("newMessageSetID"),
        old_id=attributes.get("oldMessageSetID"),
    )


def _one_of(attributes: Mapping[str, str], name: str, values: tuple[str, ...]) -> None:
    if attributes.get(name) not in values:
        raise ShapeError(f"{name} must be one of {', '.join(values)}")


def _request(node: etree._Element) -> Request:
    known = REQUESTS.get(str(node.tag))
    if known is None:
        raise ShapeError(f"{node.tag} is no request")
    attributes = {str(name): str(value) for name, value in node.attrib.items()}
    _check_attributes(attributes, known)
    for inner in node.iter():
        if not _MACRO.fullmatch(str(inner.get("defMacro", "TxnID:none"))):
            raise ShapeError("a macro is TxnID: or ListID: and a name")
    return Request(str(node.tag), attributes, read(known.content, node))


def _check_attributes(attributes: Mapping[str, str], known: RequestShape) -> None:
    allowed = {"requestID"}
    if known.metadata:
        allowed.add("metaData")
        values = ("NoMetaData", "MetaDataOnly", "MetaDataAndResponseData")
        _one_of({"metaData": "NoMetaData", **attributes}, "metaData", values)
    if known.iterator:
        allowed |= {"iterator", "iteratorID"}
        _one_of({"iterator": "Start", **attributes}, "iterator", ("Start", "Continue", "Stop"))
    if set(attributes) - allowed:
        raise ShapeError(f"no attribute {', '.join(sorted(set(attributes) - allowed))} may stand there")
