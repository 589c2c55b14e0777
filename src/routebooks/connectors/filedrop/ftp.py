"""A folder of an FTP server (RFC 959, RFC 3659) as a place for files: binary always, passive unless told otherwise."""

from __future__ import annotations

import ftplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Self

from routebooks.connectors.filedrop.base import FOLDER_MISSING, LOG_IN_REFUSED, RENAME_REFUSED, RIGHTS
from routebooks.connectors.filedrop.tls import Tls, TlsFtp
from routebooks.errors import AGAIN, ConfigError, TransientError, ended

_UNREACHABLE = "ftp-unreachable"


@dataclass(kw_only=True)
class FtpDrop:
    """Files on an FTP server, over one connection. `timeout` is in seconds, for every wait."""

    host: str
    port: int = 21
    user: str
    password: str = field(repr=False)
    #: None: nothing is encrypted
    tls: Tls | None = None
    passive: bool = True
    timeout: int = 30
    _ftp: ftplib.FTP = field(init=False, repr=False)
    _home: str = field(init=False, repr=False, default="/")
    _folder: str | None = field(init=False, repr=False, default=None)
    _utf8: bool = field(init=False, repr=False, default=False)

    def __enter__(self) -> Self:
        # latin-1 carries every byte both ways; which bytes a name is, _to_wire and _from_wire decide
        if self.tls:
            self._ftp = TlsFtp(self.tls, timeout=self.timeout, encoding="latin-1")
        else:
            self._ftp = ftplib.FTP(timeout=self.timeout, encoding="latin-1")  # noqa: S321
        self._folder = None
        try:
            self._connect()
        except BaseException:
            self._ftp.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # a polite QUIT would wait for an answer that a lost connection never gives
        if error is None or isinstance(error, ConfigError):
            with suppress(*ftplib.all_errors):
                self._ftp.quit()
        self._ftp.close()

    def address(self, folder: str = "", name: str = "") -> str:
        """The address, without user and password."""
        path = "/".join(part for part in (folder.strip("/"), name) if part)
        return f"{'ftps' if self.tls else 'ftp'}://{self.host}:{self.port}/{path}"

    def trust(self) -> str:
        """The version of TLS, and which certificate."""
        if not isinstance(self._ftp, TlsFtp):
            return ""
        return f"{self._ftp.sock.version()}; the certificate is trusted, its SHA-256 is {self._ftp.shown()}."

    def names(self, folder: str) -> list[str]:
        """What is in a folder, sorted; servers that refuse to list an empty one are understood."""
        self._enter(folder)
        with self._told(f"list the folder '{folder}'"):
            try:
                listed = self._ftp.nlst()
            except (ftplib.error_perm, ftplib.error_temp) as error:
                if not any(words in str(error).lower() for words in ("no files", "no such file", "not found")):
                    raise
                listed = []
        return sorted({self._from_wire(line).rsplit("/", 1)[-1] for line in listed} - {".", ".."})

    def size(self, folder: str, name: str) -> int | None:
        """The bytes of a file by SIZE (RFC 3659, chapter 4); where there is no answer, by reading it back."""
        self._enter(folder)
        with self._told(f"ask for the size of '{name}'"):
            # many servers refuse SIZE while the type is ASCII, which a listing leaves behind
            self._ftp.voidcmd("TYPE I")
            try:
                told = self._ftp.size(self._to_wire(name))
            except (ftplib.error_perm, ValueError):
                told = None
        if told is not None:
            return told
        there = 0

        def count(block: bytes) -> None:
            nonlocal there
            there += len(block)

        try:
            self.read(folder, name, count)
        except ConfigError:
            return None
        return there

    def make_folder(self, folder: str) -> None:
        """Make the folder and those above it, one after the other."""
        try:
            self._enter(folder)
        except ConfigError:
            self._folder = None
            with self._told(f"make the folder '{folder}'"):
                self._ftp.cwd("/" if folder.startswith("/") else self._home)
                for part in filter(None, folder.split("/")):
                    try:
                        self._ftp.cwd(self._to_wire(part))
                    except ftplib.error_perm:
                        self._ftp.mkd(self._to_wire(part))
                        self._ftp.cwd(self._to_wire(part))

    def write(self, folder: str, name: str, data: IO[bytes], start: int = 0) -> None:
        """Upload a file under this very name; from `start` on by REST (RFC 3659, chapter 5) where the server can."""
        self._enter(folder)
        with self._told(f"write '{name}' to the folder '{folder}'"):
            if start:
                try:
                    self._store(name, data, start)
                    return
                except ftplib.Error:
                    # a server that goes on in no file may overwrite none either
                    with suppress(ftplib.Error):
                        self._ftp.delete(self._to_wire(name))
            self._store(name, data)

    def _store(self, name: str, data: IO[bytes], start: int = 0) -> None:
        data.seek(start)
        self._ftp.storbinary(f"STOR {self._to_wire(name)}", data, blocksize=65536, rest=start or None)

    def read(self, folder: str, name: str, take: Callable[[bytes], object]) -> None:
        """Download a file."""
        self._enter(folder)
        with self._told(f"read '{name}' in the folder '{folder}'"):
            self._ftp.retrbinary(f"RETR {self._to_wire(name)}", take, blocksize=65536)

    def rename(self, folder: str, old: str, new: str) -> None:
        """RNFR and RNTO; over a file of the new name where the server does that."""
        self._enter(folder)
        with self._told(f"rename '{old}' in the folder '{folder}'"):
            self._ftp.sendcmd(f"RNFR {self._to_wire(old)}")
        with self._told(f"rename '{old}' to '{new}' in the folder '{folder}'", refused=RENAME_REFUSED):
            self._ftp.voidcmd(f"RNTO {self._to_wire(new)}")

    def remove(self, folder: str, name: str) -> None:
        """Remove a file; a refusal counts only when the file is still there."""
        self._enter(folder)
        try:
            with self._told(f"remove '{name}' in the folder '{folder}'"):
                self._ftp.delete(self._to_wire(name))
        except ConfigError:
            if self.size(folder, name) is not None:
                raise

    def _connect(self) -> None:
        with self._told(f"reach {self.host} on port {self.port}", refused=_UNREACHABLE, lost=_UNREACHABLE):
            self._ftp.connect(self.host, self.port)
        with self._told(f"log in at {self.host} as '{self.user}'", refused=LOG_IN_REFUSED):
            self._utf8 = self._speaks_utf8()
            self._ftp.login(self._to_wire(self.user), self._to_wire(self.password))
            self._ftp.set_pasv(self.passive)
            self._home = self._ftp.pwd()
            # some servers tell nothing before the log-in
            self._utf8 = self._utf8 or self._speaks_utf8()

    def _speaks_utf8(self) -> bool:
        """Whether names are UTF-8 (FEAT, RFC 2640); a server that does not know the question means no."""
        with suppress(ftplib.Error):
            if "UTF8" in self._ftp.sendcmd("FEAT").upper():
                with suppress(ftplib.Error):
                    self._ftp.sendcmd("OPTS UTF8 ON")
                return True
        return False

    def _enter(self, folder: str) -> None:
        """Go into a folder by its whole path; names alone are what every server takes."""
        if self._folder == folder:
            return
        self._folder = None
        with self._told(f"open the folder '{folder}'", refused=FOLDER_MISSING):
            self._ftp.cwd(self._home)
            if folder:
                self._ftp.cwd(self._to_wire(folder))
        self._folder = folder

    def _to_wire(self, name: str) -> str:
        """A name as the bytes the server reads, carried in latin-1 (RFC 2640: UTF-8 where the server says so)."""
        if self._utf8:
            return name.encode("utf-8").decode("latin-1")
        return name

    def _from_wire(self, name: str) -> str:
        try:
            return name.encode("latin-1").decode("utf-8")
        except UnicodeDecodeError:
            return name

    @contextmanager
    def _told(self, doing: str, *, refused: str = "ftp-refused", lost: str = "ftp-lost") -> Iterator[None]:
        """What the server or the net says, in the words of the house; 5xx needs a person, the rest is tried again."""
        try:
            yield
        except (ftplib.error_perm, ValueError) as error:
            # ValueError: a line end, or a letter that the server's old encoding has not, in a name or a password
            raise ConfigError(
                f"Could not {doing}: {ended(self._scrubbed(error))}",
                hint=_cure(refused),
                code=refused,
                detail=self._scrubbed(error),
            ) from error
        except ftplib.all_errors as error:
            raise TransientError(
                f"Could not {doing}: {ended(self._scrubbed(error))}",
                hint=f"{AGAIN} If it stays so, check host, port, the kind of server (drop) and the "
                "passive setting, and ask whoever runs the server.",
                code=lost,
                detail=self._scrubbed(error),
            ) from error

    def _scrubbed(self, error: BaseException) -> str:
        said = str(error) or "the connection was closed"
        return said.replace(self.password, "***") if self.password else said


def _cure(code: str) -> str:
    """What to do about a refusal."""
    if code == LOG_IN_REFUSED:
        return "Correct the user and the password of the connection, then test it again."
    if code == _UNREACHABLE:
        return (
            "Check host, port and the kind of server (drop), and ask whoever runs the server whether it lets this "
            "machine in."
        )
    return RIGHTS
