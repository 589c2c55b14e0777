"""The eight operations that the Web Connector calls, as a table and as the protocol of the logic behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

#: The namespace of every element below the SOAP body (Intuit's WSDL).
NAMESPACE = "http://developer.intuit.com/"

Type = Literal["string", "int", "ArrayOfString"]


@dataclass(frozen=True)
class Signature:
    """One operation on the wire: its parameters in order, with their types, and the type of its result."""

    name: str
    parameters: tuple[tuple[str, Type], ...] = ()
    result: Type = "string"


_TICKET: tuple[str, Type] = ("ticket", "string")
_REFUSAL: tuple[tuple[str, Type], ...] = (("hresult", "string"), ("message", "string"))

#: All operations by name (QBWC guide, the callback web methods; Intuit's WSDL).
SIGNATURES = {
    signature.name: signature
    for signature in (
        Signature("serverVersion"),
        Signature("clientVersion", (("strVersion", "string"),)),
        Signature("authenticate", (("strUserName", "string"), ("strPassword", "string")), "ArrayOfString"),
        Signature(
            "sendRequestXML",
            (
                _TICKET,
                ("strHCPResponse", "string"),
                ("strCompanyFileName", "string"),
                ("qbXMLCountry", "string"),
                ("qbXMLMajorVers", "int"),
                ("qbXMLMinorVers", "int"),
            ),
        ),
        Signature("receiveResponseXML", (_TICKET, ("response", "string"), *_REFUSAL), "int"),
        Signature("connectionError", (_TICKET, *_REFUSAL)),
        Signature("getLastError", (_TICKET,)),
        Signature("closeConnection", (_TICKET,)),
    )
}


class Operations(Protocol):
    """The logic behind the calls. Every method is an ordinary function that may block; it runs in a thread."""

    def server_version(self) -> str:
        """Our version, for the connector's log."""
        ...

    def client_version(self, version: str) -> str:
        """'' goes on; 'W:text' asks the user, 'E:text' and 'O:version' end the update."""
        ...

    def authenticate(self, user_name: str, password: str, address: str) -> list[str]:
        """The ticket, then '' | a path | nvu | none | busy, then seconds to postpone, then the least interval.

        `address` is the caller's IP address, for limits.
        """
        ...

    def send_request_xml(
        self, ticket: str, hcp_response: str, company_file: str, country: str, major: int, minor: int
    ) -> bytes | str:
        """The next qbXML request; '' makes the connector ask get_last_error. Only the first call has `hcp_response`."""
        ...

    def receive_response_xml(self, ticket: str, response: bytes, hresult: str, message: str) -> int:
        """Take an answer (UTF-8, empty when QuickBooks refused): 0 to 99 goes on, 100 is done, negative is an error."""
        ...

    def connection_error(self, ticket: str, hresult: str, message: str) -> str:
        """QuickBooks could not be opened: 'done' stops, '' tries the open file, other text is a path to try."""
        ...

    def get_last_error(self, ticket: str) -> str:
        """A short text for the connector's window; 'NoOp' makes it wait five seconds and ask for a request again."""
        ...

    def close_connection(self, ticket: str) -> str:
        """The text for the connector's status column."""
        ...

    def is_open(self, ticket: str) -> bool:
        """No call of the connector: whether a ticket is of an open session, and a long call of it is to be taken."""
        ...
