"""The SOAP codec: recorded habits of the Web Connector in, exact bytes out, strings unharmed both ways."""

from __future__ import annotations

import xml.sax.saxutils

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from routebooks.errors import ConfigError
from routebooks.webconnector import soap
from routebooks.webconnector.operations import NAMESPACE, SIGNATURES

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'
#: how the connector (.NET) opens every envelope
OPENING = (
    f'<soap:Envelope xmlns:soap="{SOAP}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soap:Body>'
)
CLOSING = "</soap:Body></soap:Envelope>"

#: every character that XML can carry, without the carriage return (a parser turns a bare one into a line feed)
TEXT = st.text(
    st.characters(exclude_categories=["Cs"]).filter(lambda c: c in "\t\n" or (c >= " " and c not in "\ufffe\uffff")),
    max_size=40,
)


def recorded(call: str) -> bytes:
    return (DECLARATION + OPENING + call + CLOSING).encode()


def refusal(body: bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        soap.read_call(body)
    assert caught.value.problem.message
    assert caught.value.problem.hint
    return caught.value.problem.code


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        (f'<serverVersion xmlns="{NAMESPACE}" />', soap.Call("serverVersion", {})),
        (
            f'<clientVersion xmlns="{NAMESPACE}"><strVersion>2.2.0.71</strVersion></clientVersion>',
            soap.Call("clientVersion", {"strVersion": "2.2.0.71"}),
        ),
        (
            f'<authenticate xmlns="{NAMESPACE}"><strUserName>a&amp;b</strUserName><strPassword> p </strPassword>'
            "</authenticate>",
            soap.Call("authenticate", {"strUserName": "a&b", "strPassword": " p "}),
        ),
        (
            f'<sendRequestXML xmlns="{NAMESPACE}"><ticket>t</ticket><strHCPResponse /><strCompanyFileName>C:\\x.qbw'
            "</strCompanyFileName><qbXMLCountry>US</qbXMLCountry><qbXMLMajorVers>13</qbXMLMajorVers>"
            "<qbXMLMinorVers>0</qbXMLMinorVers></sendRequestXML>",
            soap.Call(
                "sendRequestXML",
                {
                    "ticket": "t",
                    "strHCPResponse": "",
                    "strCompanyFileName": "C:\\x.qbw",
                    "qbXMLCountry": "US",
                    "qbXMLMajorVers": "13",
                    "qbXMLMinorVers": "0",
                },
            ),
        ),
        (
            f'<receiveResponseXML xmlns="{NAMESPACE}"><ticket>t</ticket><response>&lt;QBXML /&gt;\n</response>'
            "<hresult /><message /></receiveResponseXML>",
            soap.Call("receiveResponseXML", {"ticket": "t", "response": "<QBXML />\n", "hresult": "", "message": ""}),
        ),
    ],
)
def test_the_recorded_calls_are_read(inner: str, expected: soap.Call) -> None:
    assert soap.read_call(recorded(inner)) == expected


@pytest.mark.parametrize(
    "inner",
    [
        f'<n:closeConnection xmlns:n="{NAMESPACE}"><n:ticket>t</n:ticket></n:closeConnection>',
        "<closeConnection><ticket>t</ticket></closeConnection>",
        '<closeConnection xmlns="urn:other"><ticket>t</ticket></closeConnection>',
        f'<closeConnection xmlns="{NAMESPACE}"><extra>1</extra><ticket>t</ticket></closeConnection><another />',
        f'<!-- a --><closeConnection xmlns="{NAMESPACE}"><ticket><![CDATA[t]]></ticket><?pi?></closeConnection>',
        f'\n  <closeConnection xmlns="{NAMESPACE}">\n    <ticket><!-- a -->t</ticket>\n  </closeConnection>\n',
    ],
)
def test_prefixes_order_and_strangers_do_not_matter(inner: str) -> None:
    assert soap.read_call(recorded(inner)) == soap.Call("closeConnection", {"ticket": "t"})


def test_missing_empty_and_nil_parameters_are_empty_texts() -> None:
    nil = f'<connectionError xmlns="{NAMESPACE}"><ticket xsi:nil="true" /><message></message></connectionError>'
    assert soap.read_call(recorded(nil)).arguments == {"ticket": "", "hresult": "", "message": ""}


def test_a_header_before_the_body_is_passed_over() -> None:
    envelope = f'<E:Envelope xmlns:E="{SOAP}"><E:Header><x/></E:Header><E:Body><serverVersion/></E:Body></E:Envelope>'
    assert soap.read_call(envelope.encode()).operation == "serverVersion"


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", ""),
        ("utf-8-sig", '<?xml version="1.0"?>'),
        ("utf-8-sig", '<?xml version="1.0" encoding="utf-8"?>'),
        ("utf-8", '<?xml version="1.0" encoding="utf-16"?>'),  # a .NET string's declaration on bytes that are UTF-8
        ("utf-16", '<?xml version="1.0" encoding="utf-16"?>'),
        ("utf-16-le", '<?xml version="1.0" encoding="utf-16"?>'),
        ("utf-16-be", ""),
        ("iso-8859-1", "<?xml version='1.0' encoding='ISO-8859-1'?>"),
        ("windows-1252", '<?xml version="1.0" encoding="windows-1252" standalone="yes"?>'),
    ],
)
def test_every_declaration_is_read(encoding: str, declared: str) -> None:
    inner = f'<getLastError xmlns="{NAMESPACE}"><ticket>é</ticket></getLastError>'
    assert soap.read_call((declared + OPENING + inner + CLOSING).encode(encoding)).arguments == {"ticket": "é"}


def test_control_characters_that_dotnet_lets_through_are_dropped() -> None:
    inner = "<ticket>a&#x1F;b&#7;c\x0bd&#xFFFF;\ufffe&#65;&#x10FFFF;</ticket>"
    assert soap.read_call(recorded(f"<getLastError>{inner}</getLastError>")).arguments == {"ticket": "abcdA\U0010ffff"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"<html></html>",
        b"\xff\xfe\x00",
        b"\x80\x81",
        b'<?xml version="1.0" encoding="windows-1255"?>\xff<a/>',
        f'<E:Envelope xmlns:E="{SOAP}"/>'.encode(),
        f'<E:Envelope xmlns:E="{SOAP}"><E:Body/></E:Envelope>'.encode(),
        f'<E:Envelope xmlns:E="{SOAP}"><E:Body>text</E:Body></E:Envelope>'.encode(),
        recorded("<serverVersion>")[:-5],
    ],
)
def test_what_is_no_envelope_is_refused(body: bytes) -> None:
    assert refusal(body) == "soap-malformed"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-7"])
def test_a_document_type_is_refused_in_every_encoding(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY e "secret">]>'
    body = f"{text}{OPENING}<getLastError><ticket>&e;</ticket></getLastError>{CLOSING}"
    assert refusal(body.encode(encoding)) == "soap-malformed"


def test_an_operation_of_another_service_is_refused() -> None:
    assert refusal(recorded(f'<getInteractiveURL xmlns="{NAMESPACE}" />')) == "soap-unknown-operation"


def test_the_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    body = recorded("<serverVersion />")
    monkeypatch.setattr(soap, "MAX_BYTES", len(body))
    assert soap.read_call(body).operation == "serverVersion"
    assert refusal(body + b"\n") == "soap-too-large"


@pytest.mark.parametrize(
    "declaration",
    ["", '<?xml version="1.0" ?>\r\n', '\ufeff<?xml version="1.0" encoding="utf-16"?>', "\n<?xml version='1.0'?>"],
)
def test_an_answer_inside_a_string_becomes_bytes_that_a_parser_takes(declaration: str) -> None:
    data = soap.document(declaration + "<QBXML><Name>Müller &#233; &#x1;</Name></QBXML>")
    assert data == "<QBXML><Name>Müller &#233; </Name></QBXML>".encode()
    assert etree.fromstring(data).findtext("Name") == "Müller é "


def test_no_answer_is_no_bytes() -> None:
    assert soap.document("") == b""


def test_an_instruction_that_is_no_declaration_stays() -> None:
    assert soap.document('<?xml-stylesheet href="x"?><a/>') == b'<?xml-stylesheet href="x"?><a/>'


PREFIX = f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{SOAP}"><soap:Body>'


@pytest.mark.parametrize(
    ("operation", "value", "inner"),
    [
        ("serverVersion", "1.0", "<serverVersionResult>1.0</serverVersionResult>"),
        ("clientVersion", "", "<clientVersionResult></clientVersionResult>"),
        (
            "authenticate",
            ["t", "", "60"],
            "<authenticateResult><string>t</string><string></string><string>60</string></authenticateResult>",
        ),
        (
            "sendRequestXML",
            b'<Q a="1">\n&#233; \xc3\xa9</Q>',
            '<sendRequestXMLResult>&lt;Q a="1"&gt;\n&amp;#233; é&lt;/Q&gt;</sendRequestXMLResult>',
        ),
        ("receiveResponseXML", -7, "<receiveResponseXMLResult>-7</receiveResponseXMLResult>"),
        ("getLastError", " a\r\nb\x00\x1f\ufffe\ud800 ", "<getLastErrorResult> a&#13;\nb </getLastErrorResult>"),
    ],
)
def test_results_are_written_in_one_line(operation: str, value: soap.Value, inner: str) -> None:
    response = f'<{operation}Response xmlns="{NAMESPACE}">{inner}</{operation}Response>'
    assert soap.write_result(operation, value) == (PREFIX + response + CLOSING).encode()


def test_faults_are_short_and_escaped() -> None:
    fault = "<soap:Fault><faultcode>soap:Client</faultcode><faultstring>a &lt; b</faultstring></soap:Fault>"
    assert soap.write_fault("Client", "a < b\x08") == (PREFIX + fault + CLOSING).encode()


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(SIGNATURES)), st.data())
def test_arguments_come_in_as_they_were_sent(operation: str, data: st.DataObject) -> None:
    sent = {name: data.draw(TEXT) for name, _ in SIGNATURES[operation].parameters}
    inner = "".join(f"<{name}>{xml.sax.saxutils.escape(text)}</{name}>" for name, text in sent.items())
    assert soap.read_call(recorded(f"<{operation}>{inner}</{operation}>")) == soap.Call(operation, sent)


@settings(deadline=None, max_examples=60)
@given(st.lists(TEXT | st.just("a\r\nb\r"), max_size=4))
def test_results_go_out_as_they_were_given(texts: list[str]) -> None:
    read = etree.fromstring(soap.write_result("authenticate", texts))
    assert [element.text or "" for element in read.iter(f"{{{NAMESPACE}}}string")] == texts


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=40))
def test_whatever_we_write_is_well_formed(text: str) -> None:
    assert etree.fromstring(soap.write_result("getLastError", text)).tag == f"{{{SOAP}}}Envelope"


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_call_or_refused(body: bytes) -> None:
    assert refusal(body) == "soap-malformed"


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_it_does_not_matter_where_an_envelope_is_cut(data: st.DataObject) -> None:
    encoding = data.draw(st.sampled_from(["utf-8", "utf-16", "utf-16-be", "windows-1252"]))
    text = data.draw(st.text("aé\t<&;#x0👋]", max_size=30)) if encoding != "windows-1252" else "é<&"
    inner = f"<ticket>{xml.sax.saxutils.escape(text)}&#x0001F;&#65;</ticket><!-- & < --><x a='&amp;'><y/>z</x>"
    declaration = f'<?xml version="1.0" encoding="{encoding}"?>'
    body = f"{declaration}{OPENING}<getLastError>{inner}</getLastError>{CLOSING}".encode(encoding)
    cuts = sorted(data.draw(st.sets(st.integers(2 * len(declaration) + 2, len(body)))))
    first, *others = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    reader = soap.Reader(first)
    for piece in others:
        reader.feed(piece)
    assert reader.close() == soap.read_call(body) == soap.Call("getLastError", {"ticket": f"{text}A"})


@pytest.mark.parametrize("at", range(1, 10))
def test_a_document_type_is_refused_wherever_it_is_cut(at: int) -> None:
    reader = soap.Reader(b"<?xml version='1.0'?>" + b" " * 200 + b"<!DOCTYPE"[:at])
    with pytest.raises(ConfigError) as caught:
        reader.feed(b"<!DOCTYPE"[at:] + b" x [<!ENTITY e 'secret'>]><x>&e;</x>")
    assert caught.value.problem.detail == "a document type declaration"


def test_the_beginning_of_a_call_tells_what_has_come_of_it() -> None:
    whole = recorded("<receiveResponseXML><ticket>t</ticket><response>a</response><hresult>h</hresult>")
    assert soap.Reader(whole[:60]).so_far() is None
    begun = soap.Reader(whole[: whole.index(b"a</response>")]).so_far()
    empty = {"response": "", "hresult": "", "message": ""}
    assert begun == soap.Call("receiveResponseXML", {"ticket": "t"} | empty)


@pytest.mark.parametrize("inner", ["<a/>" * 1000, "<a>" * 240 + " " * 99_999 + "<a>" * 20, "<ticket/>" * 1000])
def test_the_number_of_elements_is_bounded(inner: str) -> None:
    with pytest.raises(ConfigError) as caught:
        soap.Reader(f"{OPENING}<getLastError>{inner}".encode())
    assert "elements" in caught.value.problem.detail
