"""Reads a .qwc file as the Web Connector does when a person adds it, with the connector's own error numbers."""

from __future__ import annotations

import http.client
import ipaddress
import re
from urllib.parse import urlsplit

from lxml import etree

from routebooks.errors import ConfigError
from routebooks.sandbox.soap_client import connect, path_of

_GUID = r"\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}"
_BOOLEAN = "true|false"
#: what must be there, and what its text must be (QBWC guide, the .qwc reference)
_REQUIRED = {
    "AppName": ".+",
    "AppID": ".*",
    "AppURL": ".+",
    "AppDescription": ".+",
    "AppSupport": ".+",
    "UserName": ".+",
    "OwnerID": _GUID,
    "FileID": _GUID,
    "QBType": "QBFS|QBPOS",
}
_OPTIONAL = {
    "AuthFlags": r"0x[0-9A-Fa-f]+|\d+",
    "IsReadOnly": _BOOLEAN,
    "Notify": _BOOLEAN,
    "PersonalDataPref": "pdpNotNeeded|pdpOptional|pdpRequired",
    "UnattendedModePref": "umpRequired|umpOptional",
    "Style": "Document|DocWrapped|RPC",
    "RunEveryNMinutes": r"\d+",
    "RunEveryNSeconds": r"\d+",
}

#: what is at fault where the file is not
_CURES = {
    1003: "Start the server, `routebooks serve`, then try again; if it runs, see that its public_url leads to it.",
    1004: "See that public_url leads to Routebooks and to no other server.",
}


def load_qwc(data: bytes, *, timeout: float = 10) -> dict[str, str]:
    """The elements of a .qwc file by name; of a scheduler the first element counts.

    Asks the support address, as the connector does. Raises ConfigError with a code such as qbwc-1039.
    """
    elements = _elements(data)
    missing = [name for name in _REQUIRED if name not in elements]
    if missing:
        raise _refused(1039, f"without {', '.join(missing)}")
    for name, pattern in (_REQUIRED | _OPTIONAL).items():
        if name in elements and not re.fullmatch(pattern, elements[name]):
            raise _refused(1039, f"{name} is {elements[name]!r}")
    _check_addresses(elements["AppURL"], elements["AppSupport"])
    _ask(elements["AppSupport"], timeout)
    return elements


def _elements(data: bytes) -> dict[str, str]:
    if not data.startswith(b"<"):  # a byte order mark is refused too
        raise _refused(1039, "the file does not begin with an element or a declaration")
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True))
    except etree.XMLSyntaxError as error:
        raise _refused(1039, str(error)) from error
    if root.tag != "QBWCXML":
        raise _refused(1039, f"the file holds {root.tag!r}")
    found: dict[str, str] = {}
    for child in root:
        element = child[0] if child.tag == "Scheduler" and len(child) else child
        found.setdefault(str(element.tag), (element.text or "").strip())
    return found


def _check_addresses(app: str, support: str) -> None:
    hosts = [urlsplit(address).hostname or "" for address in (app, support)]
    for number, host in zip((1001, 1002), hosts, strict=True):
        if _is_ip(host):
            raise _refused(number, f"{host} is an IP address, not a name")
    for address, host in zip((app, support), hosts, strict=True):
        if urlsplit(address).scheme != "https" and host != "localhost":
            raise _refused(1010, f"{address} is not https")
    if hosts[0] != hosts[1]:
        raise _refused(1000, f"AppURL is at {hosts[0]}, AppSupport at {hosts[1]}")


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _ask(url: str, timeout: float) -> None:
    """The support address must answer 200 or 202."""
    connection = connect(url, timeout)
    try:
        connection.request("GET", path_of(url))
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise _refused(1003, f"{url} does not answer: {error}") from error
    finally:
        connection.close()
    if status not in {200, 202}:
        raise _refused(1004, f"{url} answers {status}")


def _refused(number: int, detail: str) -> ConfigError:
    return ConfigError(
        f"QBWC{number}: the Web Connector does not take this .qwc file: {detail}.",
        hint=_CURES.get(number, "Make a new one with Routebooks, for the address under which it is reached."),
        code=f"qbwc-{number}",
        detail=detail,
    )
