"""Which company file answers: the first question of every session, and how its answer is read."""

from __future__ import annotations

from lxml import etree

from routebooks.connectors.base import Identity
from routebooks.connectors.quickbooks_desktop import qbxml, status_codes
from routebooks.errors import FatalError

#: The owner of our private marks in a company file: one for the product for ever, never one a version or a user.
OWNER_ID = "{c762cd16-a12e-4256-a38e-d6a2d386fb75}"
#: The private field in which the Web Connector leaves the FileID of the .qwc file.
_MARK = "FileID"
_NO_ANSWER = "Check in QuickBooks that the company file is open and works, then let the Web Connector update again."


def identity_request(version: str) -> bytes:
    """Asks for the company with our mark in it, and for the program. The second may fail without harm."""
    company = f'<CompanyQueryRq requestID="company">{qbxml.leaf("OwnerID", OWNER_ID)}</CompanyQueryRq>'
    return qbxml.request(version, f'{company}<HostQueryRq requestID="host"/>', on_error="continueOnError")


def read_identity(answer: bytes) -> Identity:
    """Who answered; `file_id` is '' where no mark of ours is in the file. Raises FatalError when it does not say."""
    root = qbxml.document(answer)
    response = root.find("QBXMLMsgsRs/CompanyQueryRs") if root.tag == "QBXML" else None
    if response is None:
        raise FatalError("QuickBooks did not say which company is open.", hint=_NO_ANSWER, code="qb-no-company")
    head = qbxml.head(response)
    company = response.find("CompanyRet")
    name = "" if company is None else (company.findtext("CompanyName") or "").strip()
    if company is None or not name:
        _, problem = status_codes.problem(head.status, head.severity, head.message)
        raise FatalError(
            f"QuickBooks did not say which company is open. {problem.message}",
            hint=_NO_ANSWER,
            code="qb-no-company",
            detail=problem.detail,
        )
    return Identity(_mark(company), name, _product(root))


def _mark(company: etree._Element) -> str:
    marks = company.iterfind("DataExtRet")
    ours = (each for each in marks if (each.findtext("OwnerID") or "").strip().lower() == OWNER_ID)
    return next((each.findtext("DataExtValue") or "" for each in ours if each.findtext("DataExtName") == _MARK), "")


def _product(root: etree._Element) -> str:
    host = root.find("QBXMLMsgsRs/HostQueryRs/HostRet")
    if host is None:
        return ""
    # "QuickBooks Enterprise Solutions 24.0", and the newest qbXML it speaks.
    release = ".".join(part for part in (host.findtext("MajorVersion"), host.findtext("MinorVersion")) if part)
    name = " ".join(part for part in (host.findtext("ProductName"), release) if part)
    spoken = [each.text for each in host.iterfind(".//SupportedQBXMLVersion") if each.text]
    newest = max(spoken, key=_version, default="")
    return f"{name}, qbXML {newest}" if newest else name


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in text.split("."))
