"""The sandbox's FTP server, tried with a plain client."""

from __future__ import annotations

import ftplib
import io
import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from routebooks.errors import ConfigError
from routebooks.sandbox.servers import SandboxFtpServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SandboxFtpServer]:
    with SandboxFtpServer(tmp_path / "ftp", password="open sesame") as started:
        yield started


@pytest.fixture
def client(server: SandboxFtpServer) -> Iterator[ftplib.FTP]:
    with ftplib.FTP(timeout=10) as ftp:
        ftp.connect(*server.address)
        ftp.login("routebooks", "open sesame")
        yield ftp


def test_what_is_uploaded_is_a_file_in_the_folder(server: SandboxFtpServer, client: ftplib.FTP) -> None:
    client.mkd("latest7")
    client.storbinary("STOR latest7/a.fil", io.BytesIO(b"1\r\n2\n"))
    assert (server.root / "latest7" / "a.fil").read_bytes() == b"1\r\n2\n"
    client.voidcmd("TYPE I")
    assert client.size("latest7/a.fil") == 5
    client.storbinary("STOR latest7/b.fil", io.BytesIO(b"new"))
    client.rename("latest7/b.fil", "latest7/a.fil")
    assert client.nlst("latest7") == ["a.fil"]
    client.delete("latest7/a.fil")
    assert list((server.root / "latest7").iterdir()) == []


def test_only_its_user_gets_in(server: SandboxFtpServer) -> None:
    with ftplib.FTP(timeout=10) as ftp:
        ftp.connect(*server.address)
        with pytest.raises(ftplib.error_perm, match="530"):
            ftp.login("routebooks", "wrong")


def test_it_can_refuse_to_rename_over_a_file(server: SandboxFtpServer, client: ftplib.FTP) -> None:
    for name in ("a", "b"):
        client.storbinary(f"STOR {name}", io.BytesIO(name.encode()))
    server.refuse_rename_over = 553
    with pytest.raises(ftplib.error_perm, match="553"):
        client.rename("a", "b")
    client.rename("a", "c")
    assert {path.name: path.read_bytes() for path in server.root.iterdir()} == {"b": b"b", "c": b"a"}


def test_it_can_know_no_size(server: SandboxFtpServer, client: ftplib.FTP) -> None:
    server.no_size = True
    client.storbinary("STOR a", io.BytesIO(b"x"))
    client.voidcmd("TYPE I")
    with pytest.raises(ftplib.error_perm, match="502"):
        client.size("a")


def test_it_can_cut_an_upload_once(server: SandboxFtpServer, client: ftplib.FTP) -> None:
    server.cut_upload_after = 100_001
    with pytest.raises((EOFError, OSError)):
        client.storbinary("STOR a", io.BytesIO(b"x" * 5_000_000))
    assert (server.root / "a").stat().st_size == 100_001
    assert server.cut_upload_after is None
    with ftplib.FTP(timeout=10) as again:
        again.connect(*server.address)
        again.login("routebooks", "open sesame")
        again.storbinary("STOR a", io.BytesIO(b"x" * 5_000_000))
    assert (server.root / "a").stat().st_size == 5_000_000


def test_stopping_ends_connections_frees_the_port_and_it_can_start_again(tmp_path: Path) -> None:
    server = SandboxFtpServer(tmp_path)
    server.stop()
    server.start()
    port = server.address[1]
    with socket.create_connection(server.address, timeout=10) as talking:
        assert talking.recv(100).startswith(b"220")
        server.stop()
        assert talking.recv(100) == b""
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(server.address, timeout=10)
    assert not [thread for thread in threading.enumerate() if thread.name == "sandbox-ftp"]
    with server:
        assert server.address[1] == port
        socket.create_connection(server.address, timeout=10).close()


def test_a_port_that_is_taken_is_told(server: SandboxFtpServer, tmp_path: Path) -> None:
    second = SandboxFtpServer(tmp_path, port=server.address[1])
    with pytest.raises(ConfigError, match=str(server.address[1])):
        second.start()
    second.stop()


def test_it_prints_and_logs_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    heard = io.StringIO()
    listener = logging.StreamHandler(heard)
    logging.getLogger().addHandler(listener)
    try:
        with SandboxFtpServer(tmp_path) as server, ftplib.FTP(timeout=10) as ftp:
            ftp.connect(*server.address)
            with pytest.raises(ftplib.error_perm):
                ftp.login("nobody", "nothing")
    finally:
        logging.getLogger().removeHandler(listener)
    assert capfd.readouterr() == ("", "")
    assert heard.getvalue() == ""
