"""An FTP server on this computer, with real files in a folder, to try deliveries against."""

from __future__ import annotations

import logging
import socket
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from routebooks.errors import ConfigError

with warnings.catch_warnings():
    # pyftpdlib stands on asyncore, which Python 3.11 deprecates; later ones get it as a package of its own
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import DTPHandler, FTPHandler
    from pyftpdlib.ioloop import IOLoop
    from pyftpdlib.servers import FTPServer

_HOST = "127.0.0.1"
#: seconds between looks at whether to stop, when nobody calls
_IDLE = 0.5

# without a handler of its own, pyftpdlib sets one up that writes to stderr
logging.getLogger("pyftpdlib").addHandler(logging.NullHandler())
logging.getLogger("pyftpdlib").propagate = False


class SandboxFtpServer:
    """An FTP server on the loopback address, run by a thread of its own; start and stop it, or use it in `with`.

    Port 0 takes a free one. The switches may be thrown at any time and hold from the next command on.
    """

    def __init__(self, root: Path, user: str = "routebooks", password: str = "routebooks", port: int = 0) -> None:  # noqa: S107
        self.root = root
        self.user = user
        self.password = password
        self.port = port
        #: answer a rename over an existing file with this code (550, 553)
        self.refuse_rename_over: int | None = None
        #: know no SIZE command
        self.no_size = False
        #: cut both connections once an upload has come to this many bytes; once, then the switch falls back
        self.cut_upload_after: int | None = None
        #: called when an upload was cut, before anything else is done
        self.on_cut: Callable[[], object] = lambda: None
        self._server: Any = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, once it is started."""
        return (_HOST, self.port)

    def start(self) -> None:
        """Make the folder where it is missing, listen, and serve. Raises ConfigError when the port is taken."""
        self.root.mkdir(parents=True, exist_ok=True)
        authorizer = DummyAuthorizer()
        authorizer.add_user(self.user, self.password, str(self.root), perm="elradfmwMT")
        handler = type("Handler", (_Handler,), {"authorizer": authorizer, "sandbox": self})
        loop = IOLoop()
        try:
            self._server = FTPServer((_HOST, self.port), handler, ioloop=loop)
        except OSError as error:
            loop.close()
            raise ConfigError(
                f"The sandbox's FTP server cannot use port {self.port}.",
                hint="Choose another port, or 0 for any free one.",
                code="sandbox-port",
                detail=str(error),
            ) from error
        self.port = self._server.address[1]
        self._stopping.clear()
        self._thread = threading.Thread(target=self._serve, name="sandbox-ftp", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End all connections and free the port; nothing happens when it is not running."""
        if self._thread is None:
            return
        self._stopping.set()
        with suppress(OSError):  # a call wakes the loop at once
            socket.create_connection(self.address, timeout=1).close()
        self._thread.join()
        self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _serve(self) -> None:
        soonest = None
        try:
            while not self._stopping.is_set():
                soonest = self._server.ioloop.loop(_IDLE if soonest is None else min(soonest, _IDLE), blocking=False)
        finally:
            self._server.close_all()


class _Data(DTPHandler):  # type: ignore[misc]
    """A data connection that can break off at a given byte."""

    def handle_read(self) -> None:
        sandbox: SandboxFtpServer = self.cmd_channel.sandbox
        limit = sandbox.cut_upload_after
        if limit is not None:
            self.ac_in_buffer_size = max(1, min(DTPHandler.ac_in_buffer_size, limit - self.tot_bytes_received))
        super().handle_read()
        if limit is not None and self.tot_bytes_received >= limit and not self.transfer_finished:
            sandbox.cut_upload_after = None
            sandbox.on_cut()
            command = self.cmd_channel
            self.close()
            command.close()

    # the loop calls this name; pyftpdlib binds it to its own handle_read
    handle_read_event = handle_read


class _Handler(FTPHandler):  # type: ignore[misc]
    """The command connection, with the sandbox's switches."""

    sandbox: SandboxFtpServer
    dtp_handler = _Data
    banner = "Routebooks sandbox."
    auth_failed_timeout = 0

    def ftp_SIZE(self, path: str) -> None:
        if self.sandbox.no_size:
            self.respond("502 SIZE is not implemented.")
        else:
            super().ftp_SIZE(path)

    def ftp_RNTO(self, path: str) -> Any:
        if self.sandbox.refuse_rename_over and Path(path).exists():
            self._rnfr = None
            self.respond(f"{self.sandbox.refuse_rename_over} The file exists already.")
            return None
        return super().ftp_RNTO(path)
