"""Servers that lie, that stall, that are slow, and those behind a router that changes addresses."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from certificates import Authority
from drops import place
from file_servers import PASSWORD, FileServer, Secure, proftpd, vsftpd
from routebooks.connectors.filedrop.base import UNSURE
from routebooks.connectors.filedrop.ftp import FtpDrop
from routebooks.connectors.filedrop.place import check
from routebooks.connectors.filedrop.tls import Tls
from routebooks.errors import TransientError
from routebooks.sandbox.servers import SandboxFtpServer

AUTHORITY = Authority()
SECURE = Secure(*AUTHORITY.vouch("127.0.0.1"))
OLD, NEW = b"old\r\n" * 1_000, b"brand new\r\n" * 90_000


def odd(server: SandboxFtpServer, data: dict[str, Any] | None = None, **commands: Any) -> None:
    """Make a server behave otherwise, in its commands and on its data connections, from the next log-in on."""
    usual = server._server.handler
    data_handler = type("OddData", (usual.dtp_handler,), data or {})
    server._server.handler = type("Odd", (usual,), {"dtp_handler": data_handler} | commands)


def files(server: SandboxFtpServer) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in server.root.rglob("*") if path.is_file()}


def says(size: int) -> Callable[[Any, str], None]:
    """An answer to SIZE that is always the same, where there is a file."""

    def answer(handler: Any, path: str) -> None:
        handler.respond(f"213 {size}" if Path(path).exists() else "550 No such file.")

    return answer


def keeps_half(handler: Any, path: str) -> None:
    os.truncate(path, Path(path).stat().st_size // 2)


def changes_line_ends(handler: Any, path: str) -> None:
    Path(path).write_bytes(Path(path).read_bytes().replace(b"\r\n", b"\n"))


@pytest.mark.parametrize("received", [keeps_half, changes_line_ends])
@pytest.mark.parametrize("read_back", [False, True])
def test_what_is_said_to_be_there_and_is_not_is_found(
    server: SandboxFtpServer, ftp_drop: FtpDrop, received: Callable[..., None], read_back: bool
) -> None:
    with ftp_drop as drop:
        place(drop, "f", "c.fil", OLD)
    odd(server, on_file_received=received)
    with pytest.raises(TransientError) as caught, ftp_drop as drop:
        place(drop, "f", "c.fil", NEW, read_back=read_back)
    assert caught.value.problem.code == "upload-incomplete"
    assert f"of {len(NEW)} bytes" in caught.value.problem.message
    assert files(server) == {"c.fil": OLD}


def test_a_server_that_lies_about_the_size_too_is_found_by_reading_back(
    server: SandboxFtpServer, ftp_drop: FtpDrop
) -> None:
    with ftp_drop as drop:
        place(drop, "f", "c.fil", OLD)
    odd(server, on_file_received=keeps_half, ftp_SIZE=says(len(NEW)))
    with pytest.raises(TransientError) as caught, ftp_drop as drop:
        place(drop, "f", "c.fil", NEW, read_back=True)
    assert caught.value.problem.code == "upload-incomplete"
    assert files(server) == {"c.fil": OLD}
    assert [line.name for line in check(ftp_drop, "f", read_back=True) if not line.ok] == ["write"]


def test_a_server_that_cannot_count_is_not_refused_what_is_all_there(
    server: SandboxFtpServer, ftp_drop: FtpDrop
) -> None:
    odd(server, ftp_SIZE=says(7))
    for data in (OLD, NEW, b""):
        with ftp_drop as drop:
            place(drop, "f", "c.fil", data)
        assert files(server) == {"c.fil": data}


def test_a_server_that_forgets_where_to_go_on_gets_the_whole_again(server: SandboxFtpServer, ftp_drop: FtpDrop) -> None:
    server.cut_upload_after = 700_000
    with pytest.raises(TransientError), ftp_drop as drop:
        place(drop, "f", "c.fil", NEW)
    odd(server, ftp_REST=lambda handler, line: handler.respond("350 Going on."))
    with pytest.raises(TransientError) as caught, ftp_drop as drop:
        place(drop, "f", "c.fil", NEW)
    assert caught.value.problem.code == "upload-incomplete"
    assert files(server) == {}
    with ftp_drop as drop:
        place(drop, "f", "c.fil", NEW)
    assert files(server) == {"c.fil": NEW}


def test_a_slow_server_gets_everything_in_the_end(server: SandboxFtpServer, ftp_drop: FtpDrop) -> None:
    """It takes in 600,000 bytes of an upload and then no more in time; each attempt goes on where the last came to."""
    usual = server._server.handler
    starts: list[int] = []

    def take_in(data: Any) -> None:
        if data.tot_bytes_received < 600_000:
            usual.dtp_handler.handle_read(data)
        else:
            data.ioloop.unregister(data._fileno)

    def go_on(handler: Any, line: str) -> None:
        starts.append(int(line))
        usual.ftp_REST(handler, line)

    odd(server, {"handle_read": take_in, "handle_read_event": take_in}, ftp_REST=go_on)
    lost = []
    for _ in range(10):
        try:
            with replace(ftp_drop, timeout=1) as drop:
                place(drop, "f", "c.fil", NEW)
            break
        except TransientError as error:
            lost.append(error.problem.code)
    assert lost
    assert set(lost) == {"ftp-lost"}
    assert len(starts) == len(lost)
    assert starts == sorted(set(starts))
    assert starts[0] >= 600_000 - UNSURE
    assert files(server) == {"c.fil": NEW}


NAT: dict[str, Callable[..., AbstractContextManager[FileServer]]] = {
    "vsftpd": lambda secure: vsftpd(secure, pasv_address="10.255.255.1"),
    "proftpd": lambda secure: proftpd(secure, "MasqueradeAddress 10.255.255.1"),
}


@pytest.mark.parametrize("secure", [None, SECURE], ids=["ftp", "ftps"])
@pytest.mark.parametrize("kind", NAT)
def test_the_address_that_a_server_behind_a_router_gives_is_not_called(kind: str, secure: Secure | None) -> None:
    with NAT[kind](secure) as server:
        tls = Tls(authorities=AUTHORITY.pem) if secure else None
        drop = FtpDrop(host="127.0.0.1", port=server.port, user=server.user, password=PASSWORD, tls=tls, timeout=10)
        with drop:
            assert "10,255,255,1" in drop._ftp.sendcmd("PASV")
            place(drop, "f", "c.fil", NEW)
        assert (server.root / "f" / "c.fil").read_bytes() == NEW
