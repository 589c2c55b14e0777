"""The settings of a place for files, and the place that they lead to."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from routebooks.connectors.base import Setting
from routebooks.connectors.filedrop.base import FileDrop
from routebooks.connectors.filedrop.ftp import FtpDrop
from routebooks.connectors.filedrop.local import LocalDrop
from routebooks.connectors.filedrop.sftp import SftpDrop
from routebooks.connectors.filedrop.sftp_keys import read_private_key
from routebooks.connectors.filedrop.tls import Tls
from routebooks.errors import ConfigError

#: the kinds of places, and the usual port of each
_PORTS = {"ftp": 21, "ftps": 21, "ftps_implicit": 990, "sftp": 22, "local": 0}


def _full(path: str) -> None:
    """That a folder is named from the beginning: the server may run in another folder than whoever sets it."""
    if not Path(path).is_absolute():
        raise ConfigError(
            f"root cannot be {path!r}: the server may run in another folder than you are in.",
            hint="Write the whole path of the folder, such as /srv/pocketadvantage or P:\\pocketadvantage.",
            code="root-not-whole",
        )


SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="drop",
        default="ftp",
        choices=tuple(_PORTS),
        help="Where the files go: an FTP server that encrypts nothing (ftp), that is asked to encrypt (ftps) or that "
        "encrypts from the start (ftps_implicit), an SFTP server (sftp), or a folder of this computer (local).",
    ),
    Setting(name="host", default="", help="Name or address of the server."),
    Setting(
        name="port",
        default=0,
        minimum=0,
        maximum=65535,
        help="Port of the server; 0: the usual one (21, of ftps_implicit 990, of sftp 22).",
    ),
    Setting(name="user", default="", help="User name at the server."),
    Setting(name="password", default="", secret=True, help="Password at the server."),
    Setting(
        name="passive",
        default=True,
        help="FTP: the server is called for every file (passive). No: it calls us, only where it demands that.",
    ),
    Setting(
        name="timeout",
        default=30,
        minimum=1,
        maximum=3600,
        help="Seconds to wait for the server before the attempt counts as failed.",
    ),
    Setting(
        name="certificate",
        default="",
        help="FTPS: SHA-256 fingerprint of the one certificate to trust, as the connection test shows it. Empty: it "
        "must be vouched for by an authority and have the name of the host in it.",
    ),
    Setting(
        name="authorities",
        default="",
        help="FTPS: the certificates of authorities to trust, as PEM text or a file of this computer; empty: those "
        "that this computer trusts.",
    ),
    Setting(
        name="tls_newest",
        default="1.3",
        choices=("1.3", "1.2"),
        help="FTPS: the newest version of TLS to speak. 1.2 where a server breaks off transfers with 1.3.",
    ),
    Setting(
        name="host_key",
        default="",
        help="SFTP: fingerprint of the server's host key (SHA256:...), as the connection test shows it. Nobody logs in "
        "before it is set.",
    ),
    Setting(
        name="private_key",
        default="",
        secret=True,
        only_with=("drop", "sftp"),
        help="SFTP: a private key to log in with, as text (OpenSSH or PEM) or a file of this computer.",
    ),
    Setting(
        name="passphrase",
        default="",
        secret=True,
        only_with=("drop", "sftp"),
        help="SFTP: the passphrase of the private key.",
    ),
    Setting(
        name="root",
        default="",
        help="For a folder of this computer: the folder that the one below lies in.",
        judge=_full,
    ),
)


def open_drop(said: Mapping[str, Any], secrets: Mapping[str, str]) -> FileDrop:
    """The place that the settings (a value for each of SETTINGS) lead to, not connected yet. Raises ConfigError."""
    kind = said["drop"]
    if kind == "local":
        if not said["root"].strip():
            raise _wrong("no folder is set", "Set root to the folder that the files go to.")
        return LocalDrop(Path(said["root"]))
    if not said["host"].strip():
        raise _wrong("no server is set", "Set host to the name of the server that Inventiv told you.")
    host, port = said["host"].strip(), said["port"] or _PORTS[kind]
    if kind == "sftp":
        return SftpDrop(
            host=host,
            port=port,
            user=said["user"],
            password=secrets.get("password", ""),
            private_key=_private_key(secrets),
            host_key=_host_key(said["host_key"]),
            timeout=said["timeout"],
        )
    return FtpDrop(
        host=host,
        port=port,
        user=said["user"],
        password=secrets.get("password", ""),
        tls=_tls(said) if kind != "ftp" else None,
        passive=said["passive"],
        timeout=said["timeout"],
    )


def _tls(said: Mapping[str, Any]) -> Tls:
    return Tls(
        implicit=said["drop"] == "ftps_implicit",
        authorities=_authorities(said["authorities"].strip()),
        fingerprint=_fingerprint(said["certificate"]),
        newest=said["tls_newest"],
    )


def _fingerprint(text: str) -> str:
    """64 hexadecimal digits of what a person copied, from openssl ("sha256 Fingerprint=AB:CD:...") or a browser."""
    digits = re.sub(r"[\s:]", "", text.rpartition("=")[2]).lower()
    if digits and not re.fullmatch("[0-9a-f]{64}", digits):
        raise _wrong(
            "certificate is not a SHA-256 fingerprint",
            "It has 64 digits and letters A to F. `routebooks connection test` shows that of the server.",
        )
    return digits


def _authorities(text: str) -> str:
    if not text:
        return ""
    pem = text if "-----BEGIN" in text else _file("authorities", text)
    try:
        ssl.create_default_context(cadata=pem)
    except (ssl.SSLError, ValueError) as error:
        raise _wrong(
            "authorities holds no certificate",
            "Set it to PEM text (-----BEGIN CERTIFICATE-----) or to the name of a file with such a text.",
        ) from error
    return pem


def _host_key(text: str) -> str:
    """The fingerprint in what a person copied from ssh-keygen ("256 SHA256:... host (ED25519)") or the test."""
    found = re.search(r"SHA256:([A-Za-z0-9+/]{43})(?![A-Za-z0-9+/])", text)
    if text.strip() and not found:
        raise _wrong(
            "host_key is not a fingerprint of a host key",
            "It begins with SHA256: and has 43 letters and digits behind it. `routebooks connection test` shows that "
            "of the server.",
        )
    return found[0] if found else ""


def _private_key(secrets: Mapping[str, str]) -> Any:
    text = secrets.get("private_key", "").strip()
    if not text:
        return None
    if "-----BEGIN" not in text:
        text = _file("private_key", text)
    return read_private_key(text, secrets.get("passphrase", ""))


def _file(setting: str, name: str) -> str:
    try:
        return Path(name).expanduser().read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise _wrong(
            f"the file that {setting} names cannot be read",
            "Give the whole path of a text file that the account which Routebooks runs under may read.",
            detail=str(error) if isinstance(error, OSError) else "",
        ) from error


def _wrong(why: str, hint: str, detail: str = "") -> ConfigError:
    return ConfigError(
        f"The place for files cannot be used: {why}.", hint=hint, code="file-place-setting", detail=detail
    )
