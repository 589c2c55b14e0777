"""The strict reader against Intuit's own schema: what one of them refuses, the other must refuse, too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from routebooks.sandbox.reader import PARSE_ERROR, UNKNOWN_VERSION, QuickBooksError, read_message_set
from routebooks.sandbox.requests import REQUESTS
from routebooks.sandbox.shapes import Element, Group, Leaf
from sandbox_support import Office, message, order, refused, schema

_SPECIMENS = {
    "text": "Gin & Co", "id": "80000003-1446676743", "bool": "true", "date": "2024-03-04", "amount": "10.50",
    "datetime": "2024-03-04T05:06:07-05:00", "price": "10.5", "quantity": "3", "percent": "2.5", "float": "1.25",
    "count": "25", "guid": "{57F3B9B6-86F1-4FCC-B1FF-966DE1813D20}",
}  # fmt: skip

_TEXTS = st.sampled_from(
    [*_SPECIMENS.values(), "", "0", "10", "-1.00", "10.555", "2024-02-30", "2024-3-4", "x" * 12, "x" * 42, "x" * 210,
     "All", "StartsWith", "Zero", "Company", "2024-03-04T05:06:07Z", "+12.5", "1.234567", "yes"]
)  # fmt: skip


#: Of so many parts, which one; with None: how often (none or once) an optional part stands there.
Choose = Callable[[int | None], int]
#: The elements with a text that stand in a specimen, each with what it may hold.
Leaves = list[tuple[etree._Element, Leaf]]


def _specimen(part: Element | Group, choose: Choose, leaves: Leaves) -> list[etree._Element]:
    """Elements of a shape, by the choices made."""
    if isinstance(part, Element):
        return [_element(part, choose, leaves) for _ in range(max(part.least, choose(None)))]
    rounds = max(part.least, choose(None)) if part.choice else 1
    made: list[etree._Element] = []
    for _ in range(rounds):
        inner = [part.parts[choose(len(part.parts))]] if part.choice else part.parts
        made += [node for one in inner for node in _specimen(one, choose, leaves)]
    return made


def _element(part: Element, choose: Choose, leaves: Leaves) -> etree._Element:
    node = etree.Element(part.name)
    if isinstance(part.content, Leaf):
        node.text = (part.content.values or (_SPECIMENS[part.content.kind],))[0][: part.content.limit]
        leaves.append((node, part.content))
    else:
        node.extend(_specimen(part.content, choose, leaves))
    return node


def _request(name: str, choose: Choose, leaves: Leaves | None = None) -> etree._Element:
    node = etree.Element(name, requestID="1")
    node.extend(_specimen(REQUESTS[name].content, choose, [] if leaves is None else leaves))
    return node


@st.composite
def _requests(draw: st.DrawFn) -> etree._Element:
    name = draw(st.sampled_from(sorted(REQUESTS)))
    return _request(name, lambda count: draw(st.integers(0, 1 if count is None else count - 1)))


@st.composite
def _spoilt(draw: st.DrawFn) -> etree._Element:
    node = draw(_requests())
    inner = [one for one in node.iter() if one is not node]
    for _ in range(draw(st.integers(0, 2)) if inner else 0):
        one = draw(st.sampled_from(inner))
        parent = one.getparent()
        if parent is None:
            continue
        match draw(st.sampled_from(["drop", "double", "move", "text"])):
            case "drop":
                parent.remove(one)
            case "double":
                parent.append(etree.fromstring(etree.tostring(one)))
            case "move":
                parent.insert(draw(st.integers(0, len(parent))), one)
            case _ if not len(one):
                one.text = draw(_TEXTS)
    return node


def _taken(raw: bytes) -> bool:
    try:
        read_message_set(raw)
    except QuickBooksError as error:
        return error.hresult != PARSE_ERROR
    return True


@given(_requests())
@settings(deadline=None, max_examples=150)
def test_every_request_of_our_shapes_is_valid_qbxml(node: etree._Element) -> None:
    raw = message(etree.tostring(node, encoding="unicode"))
    assert schema().validate(etree.fromstring(raw)), schema().error_log
    assert _taken(raw)


@given(_spoilt())
@settings(deadline=None, max_examples=300)
def test_reader_and_schema_refuse_the_same_requests(node: etree._Element) -> None:
    raw = message(etree.tostring(node, encoding="unicode"))
    assert _taken(raw) == schema().validate(etree.fromstring(raw)), node


def _texts_at_the_edge(leaf: Leaf) -> list[str]:
    if leaf.values:
        return [*leaf.values, leaf.values[0].lower(), f"{leaf.values[0]}s"]
    if leaf.limit is not None:
        return ["x" * leaf.limit, "x" * (leaf.limit + 1)]
    return (
        ["x" * 36, "x" * 37, "x" * 5000] if leaf.kind in ("text", "id") else ["x", "10", "10.5", "10.55", "10.123456"]
    )


@pytest.mark.parametrize("name", sorted(REQUESTS))
@pytest.mark.parametrize("choice", [0, 1, 2])
def test_every_text_ends_where_the_schema_ends_it(name: str, choice: int) -> None:
    leaves: Leaves = []
    node = _request(name, lambda count: 1 if count is None else min(choice, count - 1), leaves)
    seen = set()
    for inner, leaf in leaves:
        path = node.getroottree().getpath(inner)
        if path in seen:
            continue
        seen.add(path)
        before = inner.text
        for text in _texts_at_the_edge(leaf):
            inner.text = text
            raw = message(etree.tostring(node, encoding="unicode"))
            assert _taken(raw) == schema().validate(etree.fromstring(raw)), (path, text)
        inner.text = before


# github.com/jsgoupil/quickbooks-sync/issues/29, as the reference tells it: each of these failed in a real QuickBooks.
_LINE = "<SalesOrderLineAdd>{}</SalesOrderLineAdd>"
_ITEM, _RATE = "<ItemRef><FullName>GIN</FullName></ItemRef>", "<Rate>1.00</Rate>"
_CUSTOMER = "<CustomerRef><FullName>Alder Wine</FullName></CustomerRef>"


def _order(inner: str, attributes: str = "") -> str:
    return f"<SalesOrderAddRq><SalesOrderAdd{attributes}>{inner}</SalesOrderAdd></SalesOrderAddRq>"


_INVALID = {
    "rate before item": _order(_CUSTOMER + _LINE.format(_RATE + _ITEM)),
    "lines before customer": _order(_LINE.format(_ITEM) + _CUSTOMER),
    "no line": _order(_CUSTOMER),
    "rate and percent": _order(_CUSTOMER + _LINE.format(f"{_ITEM}{_RATE}<RatePercent>1</RatePercent>")),
    "long RefNumber": _order(f"{_CUSTOMER}<RefNumber>PA-20240304-1</RefNumber>{_LINE.format(_ITEM)}"),
    "amount with one decimal": _order(_CUSTOMER + _LINE.format(f"{_ITEM}<Amount>10.5</Amount>")),
    "header custom field": _order(f"{_CUSTOMER}<DataExt><OwnerID>0</OwnerID></DataExt>{_LINE.format(_ITEM)}"),
    "iterator on sales reps": '<SalesRepQueryRq iterator="Start"><MaxReturned>5</MaxReturned></SalesRepQueryRq>',
    "owner on sales reps": "<SalesRepQueryRq><OwnerID>0</OwnerID></SalesRepQueryRq>",
    "page of nothing": "<CustomerQueryRq><MaxReturned>0</MaxReturned></CustomerQueryRq>",
    "moment with Z": "<ItemQueryRq><FromModifiedDate>2024-03-04T00:00:00Z</FromModifiedDate></ItemQueryRq>",
    "range filter on a list": (
        "<CustomerQueryRq><ModifiedDateRangeFilter><FromModifiedDate>2024-03-04</FromModifiedDate>"
        "</ModifiedDateRangeFilter></CustomerQueryRq>"
    ),
    "no request": "<CustomerFindRq/>",
    "unknown attribute": '<CustomerQueryRq page="1"/>',
    "unknown metaData": '<CustomerQueryRq metaData="All"/>',
    "unknown iterator": '<CustomerQueryRq iterator="Next"/>',
}


@pytest.mark.parametrize("request_", _INVALID.values(), ids=list(_INVALID))
def test_invalid_requests_are_thrown_back_whole(request_: str, tmp_path: Path) -> None:
    office = Office(tmp_path / "company.sqlite")
    raw = message("<HostQueryRq/>", request_)
    error = refused(office.company, raw)
    assert error
    assert error.hresult == "0x80040400"
    assert error.message == "QuickBooks found an error when parsing the provided XML text stream."
    assert error.reason
    assert not schema().validate(etree.fromstring(raw))


_GOOD = message("<HostQueryRq/>")

_MALFORMED = {
    "empty": b"",
    "not xml": b"select * from customers",
    "cut off": _GOOD[:-9],
    "no qbxml line": _GOOD.replace(b'<?qbxml version="13.0"?>', b""),
    "qbxml line without version": _GOOD.replace(b' version="13.0"', b""),
    "foreign instruction": _GOOD.replace(b"<?qbxml", b"<?qbposxml"),
    "no onError": _GOOD.replace(b' onError="stopOnError"', b""),
    "unknown onError": _GOOD.replace(b"stopOnError", b"goOn"),
    "unknown attribute": _GOOD.replace(b"onError=", b'when="now" onError='),
    "unknown responseData": _GOOD.replace(b"onError=", b'responseData="some" onError='),
    "two message sets": _GOOD.replace(b"</QBXML>", b'<QBXMLMsgsRq onError="stopOnError"/></QBXML>'),
    "document type": _GOOD.replace(b"<QBXML>", b"<!DOCTYPE QBXML><QBXML>"),
    "entity": _GOOD.replace(b"<QBXML>", b'<!DOCTYPE QBXML [<!ENTITY e "HostQueryRq">]><QBXML>'),
    "instruction inside": _GOOD.replace(b"<HostQueryRq/>", b"<?go on?><HostQueryRq/>"),
    "wrong bytes": _GOOD.replace(b"<HostQueryRq/>", b'<HostQueryRq requestID="\xe9"/>'),
    "control character": _GOOD.replace(b"<HostQueryRq/>", b'<HostQueryRq requestID="&#7;"/>'),
}


@pytest.mark.parametrize("raw", _MALFORMED.values(), ids=list(_MALFORMED))
def test_malformed_sets_are_thrown_back(raw: bytes) -> None:
    assert not _taken(raw)


def test_what_the_schema_allows_and_quickbooks_does_not() -> None:
    # Intuit's guide: rollbackOnError is not valid. The literal MACROTYPE of the examples is no macro either.
    assert not _taken(message("<HostQueryRq/>", onError="rollbackOnError"))
    line = _LINE.format(_ITEM)
    assert not _taken(message(_order(_CUSTOMER + line, ' defMacro="MACROTYPE"')))
    assert _taken(message(_order(_CUSTOMER + line, ' defMacro="TxnID:first"')))
    # A day with an offset is a day to the schema.
    assert not _taken(message(order(header="<TxnDate>2024-03-04Z</TxnDate>")))


@pytest.mark.parametrize(("version", "taken"), [("2.0", True), ("13.0", True), ("13.1", False), ("16.0", False)])
def test_versions_up_to_the_host_s_are_taken(version: str, taken: bool) -> None:
    raw = message("<HostQueryRq/>", version=version)
    if taken:
        assert _taken(raw)
    else:
        with pytest.raises(QuickBooksError) as caught:
            read_message_set(raw)
        assert caught.value.hresult == UNKNOWN_VERSION


def test_comments_and_white_space_do_not_count() -> None:
    raw = message("\n  <!-- who is there -->\n  <HostQueryRq/>\n")
    assert [request.name for request in read_message_set(raw).requests] == ["HostQueryRq"]


def test_a_set_s_attributes_are_read() -> None:
    raw = message("<HostQueryRq/>", onError="continueOnError", newMessageSetID="A", responseData="includeNone")
    found = read_message_set(raw)
    assert (found.stop_on_error, found.include_data, found.new_id, found.old_id) == (False, False, "A", None)
