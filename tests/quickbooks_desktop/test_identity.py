"""Which company file answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lxml import etree

from routebooks.connectors.base import Identity
from routebooks.connectors.quickbooks_desktop.identity import OWNER_ID, identity_request, read_identity
from routebooks.errors import FatalError

OK = 'statusCode="0" statusSeverity="Info" statusMessage="Status OK"'
HOST = (
    f'<HostQueryRs requestID="host" {OK}><HostRet><ProductName>QuickBooks Enterprise Solutions</ProductName>'
    "<MajorVersion>24</MajorVersion><MinorVersion>0</MinorVersion><Country>US</Country>"
    "<SupportedQBXMLVersionList><SupportedQBXMLVersion>1.0</SupportedQBXMLVersion>"
    "<SupportedQBXMLVersion>13.0</SupportedQBXMLVersion><SupportedQBXMLVersion>9.0</SupportedQBXMLVersion>"
    "</SupportedQBXMLVersionList></HostRet></HostQueryRs>"
)


def mark(name: str, value: str, owner: str = OWNER_ID) -> str:
    return (
        f"<DataExtRet><OwnerID>{owner}</OwnerID><DataExtName>{name}</DataExtName>"
        f"<DataExtType>STR255TYPE</DataExtType><DataExtValue>{value}</DataExtValue></DataExtRet>"
    )


def answer(company: str, host: str = "") -> bytes:
    body = f'<CompanyQueryRs requestID="company" {OK}>{company}</CompanyQueryRs>{host}'
    return f'<?xml version="1.0" ?><QBXML><QBXMLMsgsRs>{body}</QBXMLMsgsRs></QBXML>'.encode()


def test_the_question_is_these_bytes(validated: Callable[[bytes], etree._Element]) -> None:
    request = identity_request("13.0")
    assert request == (
        b'<?xml version="1.0" encoding="utf-8"?><?qbxml version="13.0"?>'
        b'<QBXML><QBXMLMsgsRq onError="continueOnError"><CompanyQueryRq requestID="company">'
        b"<OwnerID>{c762cd16-a12e-4256-a38e-d6a2d386fb75}</OwnerID></CompanyQueryRq>"
        b'<HostQueryRq requestID="host"/></QBXMLMsgsRq></QBXML>'
    )
    validated(request)


def test_mark_name_and_program_are_read() -> None:
    company = f"<CompanyRet><CompanyName>Example Wine</CompanyName>{mark('FileID', '{f1}')}</CompanyRet>"
    assert read_identity(answer(company, HOST)) == Identity(
        "{f1}", "Example Wine", "QuickBooks Enterprise Solutions 24.0, qbXML 13.0"
    )


def test_braces_of_the_owner_may_be_written_in_capitals() -> None:
    company = f"<CompanyRet><CompanyName>X</CompanyName>{mark('FileID', '{f1}', OWNER_ID.upper())}</CompanyRet>"
    assert read_identity(answer(company)).file_id == "{f1}"


@pytest.mark.parametrize("other", ["", mark("Other", "x"), mark("FileID", "x", "0"), mark("FileID", "")])
def test_without_our_mark_there_is_no_file_id(other: str) -> None:
    company = f"<CompanyRet><CompanyName>X</CompanyName>{other}</CompanyRet>"
    assert read_identity(answer(company)) == Identity("", "X", "")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<QBXML/>",
        answer(""),
        answer("<CompanyRet/>"),
        answer("<CompanyRet><CompanyName> </CompanyName></CompanyRet>"),
        answer("").replace(b'statusCode="0"', b'statusCode="3260"'),
        answer("").replace(b'statusCode="0"', b""),
    ],
)
def test_an_answer_that_does_not_say_who_is_fatal(data: bytes) -> None:
    with pytest.raises(FatalError) as caught:
        read_identity(data)
    assert caught.value.problem.hint
