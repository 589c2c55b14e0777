"""SFTP, against OpenSSH (by key) and ProFTPD (by password)."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from drops import got, place, put
from file_servers import PASSWORD, FileServer, openssh, proftpd_sftp
from ftp_talker import talker
from routebooks.connectors.filedrop.place import check, fetch
from routebooks.connectors.filedrop.sftp import SftpDrop
from routebooks.connectors.filedrop.sftp_keys import read_private_key
from routebooks.errors import ConfigError, TransientError

KEY = asyncssh.generate_private_key("ssh-ed25519")
OTHER_KEY = asyncssh.generate_private_key("ssh-ed25519")
AUTHORIZED = KEY.export_public_key().decode()
BIG = bytes(range(256)) * 8_000
NAMES = ["reach", "trust", "log in", "list", "write", "rename", "remove"]
SERVERS: dict[str, Callable[[], Any]] = {"openssh": lambda: openssh(AUTHORIZED), "proftpd": proftpd_sftp}


@pytest.fixture(params=SERVERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(kind: str) -> Iterator[FileServer]:
    with SERVERS[kind]() as started:
        yield started


@pytest.fixture
def drop(server: FileServer, kind: str) -> SftpDrop:
    return by_key(server) if kind == "openssh" else replace(by_key(server), password=PASSWORD, private_key=None)


def by_key(server: FileServer) -> SftpDrop:
    return SftpDrop(
        host="127.0.0.1",
        port=server.port,
        user=server.user,
        private_key=KEY,
        host_key=server.host_keys["ssh-ed25519"],
        timeout=20,
    )


@pytest.mark.parametrize("temporary", ["suffix", "folder"])
def test_a_file_is_put_in_place_and_replaced(server: FileServer, drop: SftpDrop, temporary: str) -> None:
    for data in (BIG, b"", BIG[::-1]):
        with drop:
            placed = place(drop, "deep/latest7", "customer.fil", data, temporary)
            assert placed.address == f"sftp://127.0.0.1:{server.port}/deep/latest7/customer.fil"
            assert fetch(drop, "deep/latest7", "customer.fil") == data
            assert fetch(drop, "deep/latest7", "item.fil") is None
            assert fetch(drop, "nowhere", "item.fil") is None
        assert server.names() == ["deep/latest7/customer.fil"]
        assert (server.root / "deep" / "latest7" / "customer.fil").read_bytes() == data


def test_the_test_of_a_connection_shows_the_host_key(server: FileServer, drop: SftpDrop) -> None:
    for temporary in ("suffix", "folder"):
        lines = check(drop, "latest7", temporary)
        assert [(line.name, line.ok) for line in lines] == [(name, True) for name in NAMES], lines
        assert server.host_keys["ssh-ed25519"] in lines[1].message
        assert "in one step" in lines[5].message
    assert server.names() == []


def test_any_of_the_keys_of_a_server_may_be_the_known_one(server: FileServer, drop: SftpDrop) -> None:
    for kind, known in server.host_keys.items():
        with replace(drop, host_key=known) as connected:
            place(connected, "latest7", f"{kind}.fil", b"x")
            assert known in connected.trust()
    assert len(server.names()) == 3


@pytest.mark.parametrize(("known", "says"), [("", "not known yet"), ("SHA256:other", "another one than expected")])
def test_a_host_key_that_is_not_known_is_shown_before_anybody_logs_in(known: str, says: str) -> None:
    with openssh(AUTHORIZED, "LogLevel DEBUG1", "PasswordAuthentication yes") as server:
        drop = SftpDrop(
            host="127.0.0.1", port=server.port, user="harbor", password="s3cret", host_key=known, timeout=20
        )
        reach, trust = check(drop, "latest7")
        shown = server.host_keys["ssh-ed25519"]
        assert (reach.name, reach.ok, trust.name, trust.ok) == ("reach", True, "trust", False)
        assert says in trust.message
        assert shown in trust.message
        assert trust.confirm == f"host_key={shown}"
        assert trust.confirm in trust.hint
        with pytest.raises(ConfigError) as caught, drop:
            pass
        assert caught.value.problem.code == "server-not-trusted"
        assert "s3cret" not in str(caught.value.problem)
    assert "userauth-request" not in server.log
    with openssh(AUTHORIZED, "LogLevel DEBUG1") as server, by_key(server):
        pass
    assert "userauth-request" in server.log


@pytest.mark.parametrize(
    "changes", [{"password": "wrong horse", "private_key": OTHER_KEY}, {"password": "", "private_key": None}]
)
def test_a_refused_log_in_is_told_without_the_password(drop: SftpDrop, changes: dict[str, Any]) -> None:
    wrong = replace(drop, **changes)
    reach, log_in = check(wrong, "latest7")
    assert (reach.name, reach.ok, log_in.name, log_in.ok) == ("reach", True, "log in", False)
    assert "password or the private key" in log_in.hint
    assert "wrong horse" not in f"{log_in} {wrong!r}"


def test_keys_of_whoever_runs_us_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the home folder opens nothing, and a known_hosts file there vouches for nobody."""
    monkeypatch.setenv("HOME", str(tmp_path))
    ssh = tmp_path / ".ssh"
    ssh.mkdir(mode=0o700)
    KEY.write_private_key(ssh / "id_ed25519")
    agent = socket.socket(socket.AF_UNIX)
    agent.bind(str(tmp_path / "agent"))
    agent.listen()
    agent.setblocking(False)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    with closing(agent), openssh(AUTHORIZED) as server:
        host_key = asyncssh.read_private_key(server.root.parent / "ssh-ed25519.key").export_public_key()
        (ssh / "known_hosts").write_bytes(f"[127.0.0.1]:{server.port} ".encode() + host_key)
        keyless = replace(by_key(server), private_key=None)
        assert [line.name for line in check(keyless, "latest7") if not line.ok] == ["log in"]
        assert [line.name for line in check(replace(keyless, host_key=""), "latest7") if not line.ok] == ["trust"]
        stranger = replace(keyless, private_key=OTHER_KEY, timeout=5)
        assert [line.name for line in check(stranger, "latest7") if not line.ok] == ["log in"]
        with pytest.raises(BlockingIOError):
            agent.accept()


def test_what_is_refused_is_told_with_the_cure(server: FileServer, drop: SftpDrop) -> None:
    (server.root / "folder").mkdir()
    (server.root / "locked").mkdir(mode=0o555)
    with drop:
        for call, code in (
            (lambda: drop.names("missing"), "folder-missing"),
            (lambda: got(drop, "", "missing"), "sftp-refused"),
            (lambda: put(drop, "locked", "x", b""), "sftp-refused"),
            (lambda: drop.make_folder("locked/sub"), "sftp-refused"),
            (lambda: drop.rename("", "missing", "x"), "sftp-refused"),
        ):
            with pytest.raises(ConfigError) as caught:
                call()
            assert (caught.value.problem.code, bool(caught.value.problem.hint)) == (code, True)
        drop.remove("", "missing")
        assert drop.size("", "missing") is None
        assert drop.names("/") != []


def test_a_test_tells_when_the_folder_cannot_be_written(server: FileServer, drop: SftpDrop) -> None:
    (server.root / "locked").mkdir(mode=0o555)
    lines = check(drop, "locked")
    assert [line.name for line in lines if not line.ok] == ["write"]
    assert "right to" in lines[-1].hint


@pytest.mark.parametrize("temporary", ["suffix", "folder"])
def test_a_server_that_cannot_rename_over_a_file_gets_the_old_one_out_of_the_way(temporary: str) -> None:
    with openssh(AUTHORIZED, options="-P posix-rename") as server:
        drop = by_key(server)
        for data in (BIG, b"x", BIG):
            with drop:
                place(drop, "latest7", "customer.fil", data, temporary)
            assert server.names() == ["latest7/customer.fil"]
            assert (server.root / "latest7" / "customer.fil").read_bytes() == data
        lines = check(drop, "latest7", temporary)
        assert all(line.ok for line in lines)
        assert "removed first" in lines[5].message


def test_a_server_without_sftp_is_told() -> None:
    with openssh(AUTHORIZED, "ForceCommand exit 1") as server:
        drop = by_key(server)
        with pytest.raises((ConfigError, TransientError), match="begin SFTP"), drop:
            pass


def unknown(port: int) -> SftpDrop:
    return SftpDrop(host="127.0.0.1", port=port, user="u", host_key="SHA256:x", timeout=1)


def test_what_is_no_ssh_server_or_not_there_is_tried_again() -> None:
    with talker({}) as port, pytest.raises(TransientError, match="reach") as caught, unknown(port):
        pass
    assert "drop" in caught.value.problem.hint
    with pytest.raises(TransientError, match=f"on port {port}"), unknown(port):
        pass


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as silent,
        pytest.raises(TransientError) as caught,
        unknown(silent.getsockname()[1]),
    ):
        pass
    assert caught.value.problem.code == "sftp-unreachable"


def test_a_host_name_that_cannot_be_one_needs_a_person() -> None:
    with pytest.raises(ConfigError, match="reach"), SftpDrop(host="sftp..example", user="u", host_key="SHA256:x"):
        pass


def test_private_keys_are_taken_in_their_usual_forms() -> None:
    rsa = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
    for key in (KEY, rsa):
        for form in ("openssh", "pkcs8-pem", *(["pkcs1-pem"] if key is rsa else [])):
            text = key.export_private_key(form).decode()
            assert read_private_key(text, "").get_fingerprint() == key.get_fingerprint()
            assert read_private_key(f"{text}\n", "not needed").get_fingerprint() == key.get_fingerprint()
        locked = key.export_private_key("pkcs8-pem", "s3cret").decode()
        assert read_private_key(locked, "s3cret").get_fingerprint() == key.get_fingerprint()


@pytest.mark.parametrize(
    ("text", "passphrase", "says"),
    [
        (KEY.export_private_key("pkcs8-pem", "s3cret").decode(), "", "passphrase"),
        (KEY.export_private_key("pkcs8-pem", "s3cret").decode(), "wrong horse", "passphrase"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nno\n-----END OPENSSH PRIVATE KEY-----\n", "", "no known form"),
        (KEY.export_public_key().decode(), "", "no known form"),
        ("hello", "", "no known form"),
    ],
    ids=["no passphrase", "wrong passphrase", "broken", "public", "text"],
)
def test_a_private_key_that_cannot_be_used_is_told_and_not_shown(text: str, passphrase: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        read_private_key(text, passphrase)
    assert caught.value.problem.hint
    assert not {"s3cret", "wrong horse", text} & set(str(caught.value.problem).split())
