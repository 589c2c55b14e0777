"""The codec: requests as bytes, answers as heads and documents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from routebooks.connectors.quickbooks_desktop import qbxml
from routebooks.errors import ConfigError, FatalError

HEAD = b'<?xml version="1.0" encoding="utf-8"?><?qbxml version="13.0"?>'
OK = 'statusCode="0" statusSeverity="Info" statusMessage="Status OK"'


def answer(inner: str, attributes: str = OK) -> bytes:
    return f'<?xml version="1.0" ?><QBXML><QBXMLMsgsRs><XRs {attributes}>{inner}</XRs></QBXMLMsgsRs></QBXML>'.encode()


def names(data: bytes) -> list[str | None]:
    found: list[str | None] = []
    qbxml.read(data, "XRs", ("R",), lambda record: found.append(record.findtext("N")))
    return found


def test_a_request_is_these_bytes() -> None:
    body = qbxml.leaf("FullName", "Café <A&B> €")
    assert qbxml.request("13.0", body, new_set="abc") == (
        HEAD + b'<QBXML><QBXMLMsgsRq onError="stopOnError" newMessageSetID="abc">'
        b"<FullName>Caf&#233; &lt;A&amp;B&gt; &#8364;</FullName></QBXMLMsgsRq></QBXML>"
    )


def test_the_old_message_set_and_the_reaction_to_errors_can_be_named() -> None:
    request = qbxml.request("16.0", "", on_error="continueOnError", old_set="x")
    assert b'<?qbxml version="16.0"?>' in request
    assert b'<QBXMLMsgsRq onError="continueOnError" oldMessageSetID="x"></QBXMLMsgsRq>' in request


@pytest.mark.parametrize("version", ["", "13", '13.0"?><x>', "thirteen"])
def test_a_version_that_is_none_is_refused(version: str) -> None:
    with pytest.raises(ConfigError, match="qbXML version"):
        qbxml.request(version, "")


@settings(deadline=None, max_examples=100)
@given(st.text())
def test_any_text_comes_through_less_what_xml_forbids(text: str) -> None:
    request = qbxml.request("13.0", qbxml.leaf("Name", text))
    request.decode("ascii")
    allowed = "".join(
        char
        for char in text
        if char in "\t\n\r" or " " <= char <= "\ud7ff" or "\ue000" <= char <= "\ufffd" or char >= "\U00010000"
    )
    read = etree.fromstring(request).findtext("QBXMLMsgsRq/Name")
    assert read == allowed.replace("\r\n", "\n").replace("\r", "\n")


def test_an_attribute_is_escaped() -> None:
    assert qbxml.attribute("iteratorID", '<a "b\x01"&') == " iteratorID='&lt;a \"b\"&amp;'"


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (datetime(2026, 1, 31, 23, 0, 0, 999_999, tzinfo=UTC), "2026-01-31T23:00:00+00:00"),
        (datetime(2026, 1, 31, 23, 0, tzinfo=timezone(timedelta(hours=-6))), "2026-02-01T05:00:00+00:00"),
    ],
)
def test_an_instant_has_an_offset_and_no_fraction(at: datetime, written: str) -> None:
    assert qbxml.instant(at) == written


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(FatalError, match="no time zone"):
        qbxml.instant(datetime(2026, 1, 31))  # noqa: DTZ001


def test_a_head_tells_of_status_paging_and_what_is_there() -> None:
    data = answer("<R/><R/>", f'{OK} retCount="2" iteratorRemainingCount="7" iteratorID="{{id}}"')
    head = qbxml.read_head(data, "XRs", ("R",))
    assert head == qbxml.Head(
        status=0, severity="Info", message="Status OK", found=2, announced=2, iterator_id="{id}", remaining=7
    )


def test_records_of_other_names_are_counted_too() -> None:
    assert qbxml.read_head(answer("<R/><Unknown/><R/>"), "XRs", ("R",)).found == 3


@pytest.fixture(autouse=True, params=["as a tree", "event by event"])
def both_ways_of_reading(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small answer is read as a tree, a large one event by event: they must say the same."""
    if request.param == "event by event":
        monkeypatch.setattr(qbxml, "_WHOLE", 0)


def test_records_of_a_large_answer_come_in_order_and_are_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qbxml, "_WHOLE", 0)
    taken: list[etree._Element] = []
    qbxml.read(answer("<R><N>1</N></R>\n<R><N>2</N></R>"), "XRs", ("R",), taken.append)
    assert [record.tag for record in taken] == ["R", "R"]
    assert [len(record) for record in taken] == [0, 0]
    assert names(answer("<R><N>1</N></R>\n<R><N>2</N></R>")) == ["1", "2"]


@pytest.mark.parametrize(
    "mess",
    ["&#1;", "&#x1;", "&#x1F;", "&#0;", "&#xD800;", "&#xFFFE;", "&#65535;", "&#9999999999;", "\x01", "\x0b", "\uffff"],
)
def test_characters_that_xml_forbids_do_not_break_an_answer(mess: str) -> None:
    assert names(answer(f"<R><N>a{mess}b</N></R>")) == ["ab"]
    assert qbxml.document(answer(f"<N>a{mess}b</N>")).findtext(".//N") == "ab"


# Bytes, references and what is allowed, in any order, as they can stand in a value and in an attribute.
MESSES = st.lists(
    st.one_of(
        st.integers(0, 0x110010).map(lambda code: f"&#{code};"),
        st.integers(0, 0x20).map(lambda code: f"&#x{code:x};"),
        st.integers(0, 0x1F).map(chr),
        st.sampled_from(["\ufffe", "\uffff", "é", "a", " "]),
    ),
    min_size=1,
    max_size=5,
).map("".join)


@settings(deadline=None, max_examples=300)
@given(MESSES, MESSES)
def test_an_answer_reads_as_if_it_were_cleaned_first(value: str, note: str) -> None:
    data = answer(f"<N>{value}</N>", f'{OK} note="{note}"')
    assert etree.tostring(qbxml.document(data)) == etree.tostring(etree.fromstring(qbxml.clean(data)))


def test_allowed_references_stay() -> None:
    assert names(answer("<R><N>&#233;&#xE9;&#9;&#13;&#x1F377;&amp;</N></R>")) == ["éé\t\r🍷&"]


def test_a_declared_encoding_does_not_count_because_the_bytes_are_utf_8() -> None:
    data = answer("<R><N>é</N></R>").replace(b'version="1.0"', b'version="1.0" encoding="windows-1252"')
    assert names(data) == ["é"]


def test_comments_do_not_cut_a_value_in_two() -> None:
    assert names(answer("<R><N>a<!-- x -->b</N></R>")) == ["ab"]


BOMB = b'<!DOCTYPE q [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize("entity", ["b", "f"])
def test_entities_are_not_followed(entity: str) -> None:
    data = answer(f"<R><N>x&{entity};</N></R>").replace(b"<QBXML>", BOMB + b"<QBXML>")
    assert names(data) == ["x"]
    assert qbxml.document(data).findtext(".//N") == "x"


@pytest.mark.parametrize("data", [b"", b" \n", b"<QBXML><QBXMLMsgsRs>", answer("<R>")[:-20], b"\xff\xfe<", b"no xml"])
def test_a_broken_answer_is_fatal(data: bytes) -> None:
    with pytest.raises(FatalError) as caught:
        qbxml.read_head(data, "XRs", ("R",))
    assert caught.value.problem.code == "qb-broken-answer"
    with pytest.raises(FatalError):
        qbxml.document(data)


@pytest.mark.parametrize("data", [answer("").replace(b"XRs", b"YRs"), b"<html/>", b"<QBXML/>"])
def test_an_answer_to_something_else_is_fatal(data: bytes) -> None:
    with pytest.raises(FatalError) as caught:
        qbxml.read_head(data, "XRs", ("R",))
    assert caught.value.problem.code == "qb-wrong-answer"


@pytest.mark.parametrize("attributes", ["", 'statusCode=""', 'statusCode="ok"'])
def test_a_response_without_status_is_fatal(attributes: str) -> None:
    with pytest.raises(FatalError) as caught:
        qbxml.read_head(answer("", attributes), "XRs", ("R",))
    assert caught.value.problem.code == "qb-no-status"


def test_an_answer_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data = answer("<R/>")
    monkeypatch.setattr(qbxml, "MAX_ANSWER", len(data))
    assert qbxml.read_head(data, "XRs", ("R",)).found == 1
    monkeypatch.setattr(qbxml, "MAX_ANSWER", len(data) - 1)
    with pytest.raises(FatalError, match="more than can be taken"):
        qbxml.read_head(data, "XRs", ("R",))


def test_a_text_larger_than_ten_megabytes_is_read() -> None:
    assert names(answer(f"<R><N>{'x' * 11_000_000}</N></R>")) == ["x" * 11_000_000]
