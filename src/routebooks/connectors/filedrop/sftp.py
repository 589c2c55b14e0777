"""A folder of an SFTP server as a place for files (draft-ietf-secsh-filexfer-02, with what OpenSSH added to it).

The event loop of asyncssh stays in here: it turns only while one of the calls is under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Self, TypeVar, cast

import asyncssh

from routebooks.connectors.filedrop.base import (
    FOLDER_MISSING,
    LOG_IN_REFUSED,
    RENAME_REFUSED,
    RIGHTS,
    UNSURE,
    not_trusted,
)
from routebooks.connectors.filedrop.sftp_keys import KINDS, Proof
from routebooks.errors import AGAIN, ConfigError, TransientError, ended

T = TypeVar("T")

_MISSING = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)
#: what stays so until a person does something
_REFUSED = (
    *_MISSING,
    asyncssh.SFTPPermissionDenied,
    asyncssh.SFTPOpUnsupported,
    asyncssh.SFTPWriteProtect,
    asyncssh.SFTPNotADirectory,
    asyncssh.SFTPFileIsADirectory,
    asyncssh.SFTPInvalidFilename,
    asyncssh.SFTPInvalidParameter,
    asyncssh.SFTPCannotDelete,
    asyncssh.KeyExchangeFailed,
    asyncssh.IllegalUserName,
    asyncssh.ChannelOpenError,
    ValueError,
)
#: how servers of SFTP 3 say that there is a file of that name already
_IN_THE_WAY = (asyncssh.SFTPFailure, asyncssh.SFTPFileAlreadyExists)


@dataclass(kw_only=True)
class SftpDrop:
    """Files on an SFTP server, over one connection. `timeout` is in seconds, for every wait."""

    host: str
    port: int = 22
    user: str
    password: str = field(default="", repr=False)
    private_key: asyncssh.SSHKey | None = field(default=None, repr=False)
    #: the fingerprint of the server's key, as OpenSSH writes it (SHA256:...); empty: it is not known, so nobody logs in
    host_key: str
    timeout: int = 30
    _runner: asyncio.Runner = field(init=False, repr=False)
    _proof: Proof = field(init=False, repr=False)
    _connection: asyncssh.SSHClientConnection | None = field(init=False, repr=False, default=None)
    _sftp: asyncssh.SFTPClient = field(init=False, repr=False)

    def __enter__(self) -> Self:
        self._runner = asyncio.Runner()
        try:
            self._connect()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection:
            # a polite end would wait for an answer that a lost connection never gives
            if error is None or isinstance(error, ConfigError):
                self._connection.close()
                with suppress(asyncssh.Error, OSError):
                    self._wait(self._connection.wait_closed())
            self._connection.abort()
            self._connection = None
        self._runner.close()

    def address(self, folder: str = "", name: str = "") -> str:
        """The address, without user and password."""
        path = "/".join(part for part in (folder.strip("/"), name) if part)
        return f"sftp://{self.host}:{self.port}/{path}"

    def trust(self) -> str:
        """Which host key the server has shown."""
        return f"Its host key is the known one: {self._proof.shown} ({self._proof.kind})."

    def names(self, folder: str) -> list[str]:
        """What is in a folder, sorted."""
        with self._told(f"list the folder '{folder}'", missing=FOLDER_MISSING):
            listed = self._wait(self._sftp.listdir(_path(folder)))
        return sorted({*map(str, listed)} - {".", ".."})

    def size(self, folder: str, name: str) -> int | None:
        """The bytes of a file; None when it is not there."""
        with self._told(f"ask for the size of '{name}'"):
            try:
                return self._wait(self._sftp.stat(_path(folder, name))).size
            except _MISSING:
                return None

    def make_folder(self, folder: str) -> None:
        """Make the folder and those above it, one after the other."""
        with self._told(f"make the folder '{folder}'"):
            if self._wait(self._sftp.isdir(_path(folder))):
                return
            made = "/" if folder.startswith("/") else ""
            for part in filter(None, folder.split("/")):
                made = f"{made}{part}/"
                if not self._wait(self._sftp.isdir(made)):
                    self._wait(self._sftp.mkdir(made))

    def write(self, folder: str, name: str, data: IO[bytes], start: int = 0) -> None:
        """Write a file and, where the server can, see it to its disk."""
        with self._told(f"write '{name}' to the folder '{folder}'"):
            self._runner.run(self._write(_path(folder, name), data, start))

    def read(self, folder: str, name: str, take: Callable[[bytes], object]) -> None:
        """Hand the bytes of a file to `take`, block by block."""
        with self._told(f"read '{name}' in the folder '{folder}'"):
            self._runner.run(self._read(_path(folder, name), take))

    def rename(self, folder: str, old: str, new: str) -> None:
        """Rename, over a file of the new name where the server knows OpenSSH's posix-rename (or SFTP 5)."""
        old_path, new_path = _path(folder, old), _path(folder, new)
        doing = f"rename '{old}' to '{new}' in the folder '{folder}'"
        with self._told(doing, refusals=_IN_THE_WAY, refused=RENAME_REFUSED):
            try:
                self._wait(self._sftp.posix_rename(old_path, new_path))
            except asyncssh.SFTPOpUnsupported:
                self._wait(self._sftp.rename(old_path, new_path))

    def remove(self, folder: str, name: str) -> None:
        """Remove a file; one that is not there is no error."""
        with self._told(f"remove '{name}' in the folder '{folder}'"), suppress(*_MISSING):
            self._wait(self._sftp.remove(_path(folder, name)))

    def _connect(self) -> None:
        self._proof = Proof(self.host_key)
        with self._told(f"reach {self.host} on port {self.port}", lost="sftp-unreachable"):
            try:
                self._connection = self._runner.run(self._log_in([name for kind in KINDS for name in kind]))
            except asyncssh.HostKeyNotVerifiable:
                first = self._proof.shown
                kind = self._kind_of_known_key()
                if not kind:
                    raise self._not_trusted(first) from None
                self._connection = self._runner.run(self._log_in(kind))
        with self._told(f"begin SFTP at {self.host}"):
            self._sftp = self._wait(self._connection.start_sftp_client(path_errors="surrogateescape"))

    async def _log_in(self, kinds: Sequence[str]) -> asyncssh.SSHClientConnection:
        return await asyncssh.connect(
            self.host,
            self.port,
            client_factory=lambda: self._proof,
            known_hosts=lambda *_: ([], [], []),
            server_host_key_algs=kinds,
            username=self.user,
            password=self.password or None,
            client_keys=[self.private_key] if self.private_key else None,
            connect_timeout=self.timeout,
            login_timeout=self.timeout,
            # what lies about on this computer is kept out of it: settings, keys and agents of whoever runs us
            config=None,
            agent_path=None,
            gss_host=None,
        )

    def _kind_of_known_key(self) -> Sequence[str] | None:
        """The kind of host key that the known one is, where the server has several and showed another one first."""
        for kind in KINDS if self.host_key else ():
            asked = asyncssh.get_server_host_key(self.host, self.port, server_host_key_algs=kind, config=None)
            with suppress(asyncssh.KeyExchangeFailed):
                key = self._wait(asked)
                if key and key.get_fingerprint() == self.host_key:
                    return kind
        return None

    async def _write(self, path: str, data: IO[bytes], start: int) -> None:
        file = await self._in_time(self._sftp.open(path, "r+b" if start else "wb"))
        # within a block, a server may write the end before the beginning; none is begun before the last is there
        data.seek(start)
        while block := data.read(UNSURE):
            await self._in_time(file.write(block, start))
            start += len(block)
        with suppress(asyncssh.SFTPOpUnsupported):
            await self._in_time(file.fsync())
        await self._in_time(file.close())

    async def _read(self, path: str, take: Callable[[bytes], object]) -> None:
        there = 0
        file = await self._in_time(self._sftp.open(path, "rb"))
        while block := cast(bytes, await self._in_time(file.read(UNSURE, there))):
            take(block)
            there += len(block)
        await self._in_time(file.close())

    def _wait(self, call: Awaitable[T]) -> T:
        return self._runner.run(self._in_time(call))

    async def _in_time(self, call: Awaitable[T]) -> T:
        return await asyncio.wait_for(call, self.timeout)

    def _not_trusted(self, shown: str) -> ConfigError:
        known = "is another one than expected" if self.host_key else "is not known yet"
        return not_trusted(f"The host key of {self.host} {known}: it is {shown}.", "host_key", shown)

    @contextmanager
    def _told(
        self,
        doing: str,
        *,
        refusals: tuple[type[Exception], ...] = (),
        refused: str = "sftp-refused",
        missing: str = "sftp-refused",
        lost: str = "sftp-lost",
    ) -> Iterator[None]:
        """What the server or the net says, in the words of the house."""
        refusals = (*_REFUSED, *refusals)
        try:
            yield
        except asyncssh.PermissionDenied as error:
            hint = "Correct the user, the password or the private key of the connection, then test it again."
            doing = f"log in at {self.host} as '{self.user}'"
            raise ConfigError(**self._problem(doing, error), hint=hint, code=LOG_IN_REFUSED) from error
        except refusals as error:
            code = missing if isinstance(error, _MISSING) else refused
            raise ConfigError(**self._problem(doing, error), hint=RIGHTS, code=code) from error
        except (asyncssh.Error, OSError) as error:
            raise TransientError(
                **self._problem(doing, error),
                hint=f"{AGAIN} If it stays so, check host, port and the kind of server (drop), and "
                "ask whoever runs the server.",
                code=lost,
            ) from error

    def _problem(self, doing: str, error: Exception) -> dict[str, str]:
        said = str(error) or "no answer in time"
        if self.password:
            said = said.replace(self.password, "***")
        return {"message": f"Could not {doing}: {ended(said)}", "detail": said}


def _path(folder: str, name: str = "") -> str:
    """A path as the server takes it: one that does not begin with "/" begins where the log-in lands."""
    return f"{folder.rstrip('/')}/{name}" if folder.strip("/") and name else folder + name or "."
