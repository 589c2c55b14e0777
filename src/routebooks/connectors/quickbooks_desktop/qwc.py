"""The .qwc file that makes a Web Connector know us (reference/quickbooks-desktop.md section 3, .qwc)."""

from __future__ import annotations

import ipaddress
import re
import uuid
from urllib.parse import SplitResult, urlsplit

from routebooks.connectors.quickbooks_desktop.qbxml import leaf
from routebooks.errors import ConfigError

_SERVER = "Set public_url to the https address under which the computer with QuickBooks reaches this server."


def qwc_file(
    *,
    connection_name: str,
    url: str,
    support_url: str,
    user_name: str,
    owner_id: str,
    file_id: str,
    app_name: str,
    unique_name: str,
    run_every_minutes: int | None,
    read_only: bool = False,
) -> bytes:
    """The file of one connection, without a byte order mark and without a password.

    `unique_name` belongs to the connection: a Web Connector that knows it replaces its entry instead of adding one.
    `owner_id` is the product's, `file_id` the connection's GUID, with braces or without. `read_only` is written as it
    is named, as every sample does; the guide's sentence says the contrary. Raises ConfigError for what a Web
    Connector would refuse, with the number of its own message where there is one.
    """
    for name, value in (("app_name", app_name), ("unique_name", unique_name), ("user_name", user_name)):
        if not value.strip() or not value.isprintable():
            raise ConfigError(f"{name} is {value!r}: it needs a name without line breaks.", code="qwc-name")
    _check_urls(url, support_url)
    fields = [
        ("AppName", app_name),
        ("AppID", ""),
        ("AppURL", url),
        ("AppDescription", f"{app_name}: {connection_name}"[:80]),
        ("AppSupport", support_url),
        ("AppUniqueName", unique_name),
        ("UserName", user_name),
        ("OwnerID", _guid("owner_id", owner_id)),
        ("FileID", _guid("file_id", file_id)),
        ("QBType", "QBFS"),
        ("PersonalDataPref", "pdpNotNeeded"),
        # At night QuickBooks is closed: this asks its owner for that right at the first connect, not at two o'clock.
        ("UnattendedModePref", "umpRequired"),
        ("IsReadOnly", "true" if read_only else "false"),
    ]
    lines = [f"  {leaf(tag, value)}\n" for tag, value in fields]
    if run_every_minutes is not None:
        if run_every_minutes < 1:
            raise ConfigError(
                f"A Web Connector cannot run every {run_every_minutes} minutes.",
                hint="Use 1 or more, or leave it to the user.",
                code="qwc-minutes",
            )
        lines.append(f"  <Scheduler>{leaf('RunEveryNMinutes', str(run_every_minutes))}</Scheduler>\n")
    text = f'<?xml version="1.0"?>\n<QBWCXML>\n{"".join(lines)}</QBWCXML>\n'
    return text.encode("ascii", "xmlcharrefreplace")


def _guid(name: str, text: str) -> str:
    inner = text.removeprefix("{").removesuffix("}")
    if not re.fullmatch(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", inner):
        raise ConfigError(
            f"{name} is {text!r}, which is not a GUID.",
            hint="It has the form {8-4-4-4-12} of the digits 0-9 and the letters A-F.",
            code="qwc-guid",
        )
    return f"{{{uuid.UUID(inner)}}}"


def _check_urls(url: str, support_url: str) -> None:
    service, support = _split("url", url), _split("support_url", support_url)
    if service.hostname != support.hostname:
        raise ConfigError(
            f"The service is at {service.hostname} and its support page at {support.hostname}.",
            hint="Both have to be in the same domain, or the Web Connector refuses the file (QBWC1000).",
            code="qwc-domain",
        )


def _split(name: str, url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in ("http", "https") or not host or parts.username or not re.fullmatch(r"[!-~]+", url):
        raise ConfigError(f"{name} is {url!r}, which is not a web address.", hint=_SERVER, code="qwc-url")
    if _loopback(host):
        return parts
    if _is_address(host):
        raise ConfigError(
            f"{name} names a number ({host}) in place of a host name.",
            hint=f"{_SERVER} A host name is needed, or the Web Connector refuses the file (QBWC1001).",
            code="qwc-address",
        )
    if parts.scheme != "https":
        raise ConfigError(
            f"{name} begins with http, and that works on the same computer only (localhost).",
            hint=f"{_SERVER} Without https the Web Connector refuses the file (QBWC1010).",
            code="qwc-https",
        )
    return parts


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)
