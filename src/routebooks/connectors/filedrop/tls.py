"""FTP with TLS (RFC 4217): asked for or from the first byte, data connections within the session of the commands."""

from __future__ import annotations

import ftplib
import hashlib
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from routebooks.connectors.filedrop.base import TLS_REFUSED, not_trusted
from routebooks.errors import ConfigError, ended


@dataclass(frozen=True, kw_only=True)
class Tls:
    """How a server is asked to encrypt, and what it has to show to be the right one."""

    #: TLS from the first byte on, as on port 990; else it is asked for with AUTH TLS
    implicit: bool = False
    #: the authorities to trust, as PEM; empty: those that this computer trusts
    authorities: str = ""
    #: SHA-256 of the one certificate that is trusted, 64 hexadecimal digits (lower case); nothing else counts then
    fingerprint: str = ""
    newest: Literal["1.2", "1.3"] = "1.3"


class TlsFtp(ftplib.FTP_TLS):
    """An FTP client whose every connection is encrypted, to a server that has proved who it is."""

    sock: ssl.SSLSocket

    def __init__(self, tls: Tls, *, timeout: int, encoding: str) -> None:
        super().__init__(context=_context(tls), timeout=timeout, encoding=encoding)
        self._tls = tls

    def connect(
        self, host: str = "", port: int = 0, timeout: float = -999, source_address: tuple[str, int] | None = None
    ) -> str:
        """Connect, encrypt, and see that it is the right server.

        Raises ConfigError with code TLS_REFUSED or NOT_TRUSTED, and what ftplib raises.
        """
        try:
            self._encrypt(host, port)
        except ssl.SSLCertVerificationError as error:
            self.close()
            raise self._not_trusted(error) from error
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            raise
        except ssl.SSLError as error:
            raise _refused(f"TLS cannot be begun with {host} on port {port}: {error.reason}.", error) from error
        if self._tls.fingerprint:
            self._prove(self.sock)
        return self.welcome or ""

    def login(self, user: str = "", passwd: str = "", acct: str = "", secure: bool = True) -> str:
        """Log in, and ask for encrypted data, too. Raises ConfigError with code TLS_REFUSED, and what ftplib raises."""
        answer = super().login(user, passwd, acct, secure)
        try:
            self.prot_p()
        except ftplib.error_perm as error:
            raise _refused(f"{self.host} does not encrypt the files: {ended(str(error))}", error) from error
        return answer

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        """As ftplib's, but in the session of the commands: vsftpd and ProFTPD take no other data connection."""
        plain, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321
        try:
            data = self.context.wrap_socket(plain, server_hostname=self.host, session=self.sock.session)
        except BaseException:
            plain.close()
            raise
        if self._tls.fingerprint:
            self._prove(data)
        return data, size

    def shown(self) -> str:
        """The SHA-256 of the certificate that the server shows, in the way that openssl writes it."""
        return _sha256(self.sock)

    def _encrypt(self, host: str, port: int) -> None:
        if self._tls.implicit:
            self.host, self.port = host, port
            plain = socket.create_connection((host, port), self.timeout)
            self.sock, self.af = self.context.wrap_socket(plain, server_hostname=host), plain.family
            self.file = self.sock.makefile("r", encoding=self.encoding)
            self.welcome = self.getresp()
            return
        super().connect(host, port)
        try:
            self.auth()
        except ftplib.error_perm as error:
            raise _refused(f"{host} does not speak TLS on port {port}: {ended(str(error))}", error) from error

    def _prove(self, connection: ssl.SSLSocket) -> None:
        shown = _sha256(connection)
        if shown.replace(":", "").lower() != self._tls.fingerprint:
            connection.close()
            raise not_trusted(
                f"The certificate of {self.host} is another one than expected: its SHA-256 is {shown}.",
                "certificate",
                shown,
            )

    def _not_trusted(self, error: ssl.SSLCertVerificationError) -> ConfigError:
        """What to tell of a certificate that nobody vouches for: fetched once more, only to be shown."""
        assert isinstance(self.timeout, int)
        with TlsFtp(self._tls, timeout=self.timeout, encoding=self.encoding) as again:
            again.context.check_hostname = False
            again.context.verify_mode = ssl.CERT_NONE
            again._encrypt(self.host, self.port)
            shown = again.shown()
        return not_trusted(
            f"The certificate of {self.host} is not trusted: {error.verify_message}. Its SHA-256 is {shown}.",
            "certificate",
            shown,
            hint=" Or set authorities to the certificate of the authority that vouches for it, or host to its name.",
        )


def _refused(message: str, error: Exception) -> ConfigError:
    return ConfigError(
        message,
        hint="Set drop to the kind of server and port to its port, as whoever runs it says: ftps is asked to encrypt, "
        "mostly on port 21; ftps_implicit encrypts from the start, mostly on port 990.",
        code=TLS_REFUSED,
        detail=str(error),
    )


class _Connection(ssl.SSLSocket):
    """A connection that ends without a goodbye where the server gives none, as many do."""

    def unwrap(self) -> socket.socket:
        # whether all arrived, the answer on the command connection and the size tell
        with suppress(OSError):
            return super().unwrap()
        return self


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=tls.authorities or None)
    # authorities of an office's own seldom carry all that Python 3.13 began to ask for
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.sslsocket_class = _Connection
    if tls.newest == "1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if tls.fingerprint:
        # TlsFtp._prove looks at every certificate in place of this
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _sha256(connection: ssl.SSLSocket) -> str:
    return hashlib.sha256(connection.getpeercert(binary_form=True) or b"").digest().hex(":").upper()
