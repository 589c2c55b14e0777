"""Uploads that break off: the next call goes on where the last one came to, and what is put in place is whole."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import asyncssh
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certificates import Authority
from drops import place
from file_servers import PASSWORD, FileServer, Secure, openssh, proftpd, proftpd_sftp, vsftpd
from routebooks.connectors.filedrop.base import UNSURE, FileDrop
from routebooks.connectors.filedrop.ftp import FtpDrop
from routebooks.connectors.filedrop.local import LocalDrop
from routebooks.connectors.filedrop.sftp import SftpDrop
from routebooks.connectors.filedrop.tls import Tls
from routebooks.errors import ConfigError, TransientError

AUTHORITY = Authority()
SECURE = Secure(*AUTHORITY.vouch("127.0.0.1"))
KEY = asyncssh.generate_private_key("ssh-ed25519")
OLD = b"old\r\n" * 1_000
NEW = bytes(range(256)) * 16_000


class Noting:
    """A drop that notes from which byte on each upload begins, and may break one off after so many bytes of it."""

    def __init__(self, inner: FileDrop, break_after: int | None = None) -> None:
        self.inner = inner
        self.break_after = break_after
        self.starts: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def write(self, folder: str, name: str, data: IO[bytes], start: int = 0) -> None:
        self.starts.append(start)
        if self.break_after is None:
            self.inner.write(folder, name, data, start)
            return
        data.seek(0)
        self.inner.write(folder, name, io.BytesIO(data.read()[: start + self.break_after]), start)
        raise TransientError("cut")


def ftp(server: FileServer, tls: Tls | None = None) -> FtpDrop:
    return FtpDrop(host="127.0.0.1", port=server.port, user=server.user, password=PASSWORD, tls=tls, timeout=20)


def sftp(server: FileServer) -> SftpDrop:
    return SftpDrop(
        host="127.0.0.1",
        port=server.port,
        user=server.user,
        password=PASSWORD,
        private_key=KEY,
        host_key=server.host_keys["ssh-ed25519"],
        timeout=20,
    )


@contextmanager
def vsftpd_tls() -> Iterator[tuple[FileServer, FileDrop]]:
    with vsftpd(SECURE) as server:
        yield server, ftp(server, Tls(authorities=AUTHORITY.pem))


@contextmanager
def proftpd_tls() -> Iterator[tuple[FileServer, FileDrop]]:
    with proftpd(SECURE) as server:
        yield server, ftp(server, Tls(authorities=AUTHORITY.pem))


@contextmanager
def proftpd_plain() -> Iterator[tuple[FileServer, FileDrop]]:
    with proftpd() as server:
        yield server, ftp(server)


@contextmanager
def openssh_sftp() -> Iterator[tuple[FileServer, FileDrop]]:
    with openssh(KEY.export_public_key().decode()) as server:
        yield server, sftp(server)


@contextmanager
def proftpd_ssh() -> Iterator[tuple[FileServer, FileDrop]]:
    with proftpd_sftp() as server:
        yield server, sftp(server)


SERVERS = [vsftpd_tls, proftpd_tls, proftpd_plain, openssh_sftp, proftpd_ssh]


@pytest.mark.parametrize(("serving", "temporary"), [*((each, "suffix") for each in SERVERS), (openssh_sftp, "folder")])
def test_a_server_that_dies_in_the_middle_gets_the_rest(serving: Callable[[], Any], temporary: str) -> None:
    with serving() as (server, drop):
        with drop:
            place(drop, "latest7", "customer.fil", OLD, temporary)
        server.cut_at = 4_000
        with pytest.raises(TransientError), drop:
            place(drop, "latest7", "customer.fil", NEW, temporary)
        names = server.names()
        assert len(names) == 2
        assert (server.root / "latest7" / "customer.fil").read_bytes() == OLD
        (left,) = [server.root / name for name in names if name != "latest7/customer.fil"]
        there = left.stat().st_size
        assert 0 < there <= 4_000 * 512
        noting = Noting(drop)
        with drop:
            place(noting, "latest7", "customer.fil", NEW, temporary)
        assert noting.starts == [there - UNSURE]
        assert server.names() == ["latest7/customer.fil"]
        assert (server.root / "latest7" / "customer.fil").read_bytes() == NEW


@settings(deadline=None, max_examples=20)
@given(
    size=st.sampled_from([0, 1, UNSURE - 1, UNSURE, UNSURE + 1, 3 * UNSURE]),
    breaks=st.lists(st.integers(0, 4 * UNSURE), max_size=5),
    temporary=st.sampled_from(["suffix", "folder"]),
)
def test_however_often_it_breaks_off_the_file_is_whole_in_the_end(size: int, breaks: list[int], temporary: str) -> None:
    data = (b"0123456789\r\n" * (size // 12 + 1))[:size]
    with tempfile.TemporaryDirectory() as root:
        drop = LocalDrop(Path(root))
        with drop:
            for after in breaks:
                with pytest.raises(TransientError):
                    place(Noting(drop, after), "f", "c.fil", data, temporary)
                assert not Path(root, "f", "c.fil").exists()
            noting = Noting(drop)
            place(noting, "f", "c.fil", data, temporary)
        assert noting.starts[0] <= max(0, size - UNSURE)
        assert [path.name for path in Path(root).rglob("*") if path.is_file()] == ["c.fil"]
        assert Path(root, "f", "c.fil").read_bytes() == data


@pytest.mark.parametrize("temporary", ["suffix", "folder"])
def test_what_another_file_left_is_neither_taken_up_nor_left_lying(tmp_path: Path, temporary: str) -> None:
    drop = LocalDrop(tmp_path)
    for data in (NEW, NEW[:-1]):
        with pytest.raises(TransientError), drop:
            place(Noting(drop, 3 * UNSURE), "f", "c.fil", data, temporary)
        assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1
    others = [tmp_path / "f" / "c.fil.part", tmp_path / "f" / "c.fil.0123456789ag.part", tmp_path / "f" / "d.fil"]
    for other in others:
        other.write_bytes(b"of somebody else")
    with drop:
        place(drop, "f", "c.fil", OLD, temporary)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == {tmp_path / "f" / "c.fil", *others}


def test_what_lies_there_is_not_trusted_by_its_size(tmp_path: Path) -> None:
    """A server that went down may have kept the size and lost the bytes."""
    drop = LocalDrop(tmp_path)
    with pytest.raises(TransientError), drop:
        place(Noting(drop, 3 * UNSURE), "f", "c.fil", NEW)
    (left,) = (tmp_path / "f").iterdir()
    left.write_bytes(bytes(3 * UNSURE))
    with pytest.raises(TransientError, match="bytes differ") as caught, drop:
        place(drop, "f", "c.fil", NEW)
    assert caught.value.problem.code == "upload-incomplete"
    assert list((tmp_path / "f").iterdir()) == []
    with drop:
        place(drop, "f", "c.fil", NEW)
    assert (tmp_path / "f" / "c.fil").read_bytes() == NEW


NO_RESTART, NO_OVERWRITE = "AllowStoreRestart off", "AllowOverwrite off"


@pytest.mark.parametrize("came_to", [100, 3 * UNSURE])
@pytest.mark.parametrize("lines", [(NO_RESTART,), (NO_OVERWRITE,), (NO_RESTART, NO_OVERWRITE)])
def test_a_server_that_goes_on_in_no_file_or_overwrites_none_gets_the_whole_again(
    lines: tuple[str, ...], came_to: int
) -> None:
    with proftpd(None, *lines) as server:
        drop = ftp(server)
        with pytest.raises(TransientError), drop:
            place(Noting(drop, came_to), "f", "c.fil", NEW)
        assert len(server.names()) == 1
        for data in (NEW, OLD):
            with drop:
                place(drop, "f", "c.fil", data)
            assert server.names() == ["f/c.fil"]
            assert (server.root / "f" / "c.fil").read_bytes() == data


def test_where_nothing_may_be_read_or_listed_the_size_is_what_counts() -> None:
    """A letter box: files can be brought, and nothing else."""
    limits = ["<Limit RETR NLST LIST MLSD>", "DenyAll", "</Limit>"]
    with proftpd(None, *limits) as server:
        drop = ftp(server)
        with drop:
            place(drop, "f", "c.fil", OLD)
        with pytest.raises(TransientError), drop:
            place(Noting(drop, 3 * UNSURE), "f", "c.fil", NEW)
        noting = Noting(drop)
        with drop:
            place(noting, "f", "c.fil", NEW)
        assert noting.starts == [2 * UNSURE]
        assert (server.root / "f" / "c.fil").read_bytes() == NEW
        with pytest.raises(ConfigError), drop:
            place(drop, "f", "c.fil", OLD, read_back=True)
        assert (server.root / "f" / "c.fil").read_bytes() == NEW
