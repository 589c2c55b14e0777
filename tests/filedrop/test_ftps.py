"""FTP with TLS, against vsftpd and ProFTPD, which both want data connections in the session of the commands."""

from __future__ import annotations

import ftplib
import io
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from typing import Any, Literal

import pytest

from certificates import Authority, fingerprint
from drops import place, put
from file_servers import PASSWORD, FileServer, Secure, proftpd, vsftpd
from ftp_talker import PLAIN, talker
from routebooks.connectors.filedrop.ftp import FtpDrop
from routebooks.connectors.filedrop.place import check, fetch
from routebooks.connectors.filedrop.tls import Tls
from routebooks.errors import ConfigError, TransientError

AUTHORITY = Authority()
KEY, CERTIFICATE = AUTHORITY.vouch("localhost", "127.0.0.1")
BIG = bytes(range(256)) * 8_000
NAMES = ["reach", "trust", "log in", "list", "write", "rename", "remove"]
SERVERS: dict[str, Callable[[Secure], Any]] = {"vsftpd": vsftpd, "proftpd": proftpd}


@pytest.fixture(params=SERVERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[False, True], ids=["explicit", "implicit"])
def implicit(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def server(kind: str, implicit: bool) -> Iterator[FileServer]:
    with SERVERS[kind](Secure(KEY, CERTIFICATE, implicit)) as started:
        yield started


def drop(server: FileServer, **tls: Any) -> FtpDrop:
    return FtpDrop(
        host="127.0.0.1",
        port=server.port,
        user=server.user,
        password=PASSWORD,
        tls=Tls(**({"authorities": AUTHORITY.pem} | tls)),
        timeout=20,
    )


@pytest.mark.parametrize("passive", [True, False], ids=["passive", "active"])
@pytest.mark.parametrize("newest", ["1.2", "1.3"])
def test_files_go_to_servers_that_demand_the_same_session(
    server: FileServer, implicit: bool, newest: Literal["1.2", "1.3"], passive: bool
) -> None:
    secured = replace(drop(server, implicit=implicit, newest=newest), passive=passive)
    for data in (BIG, b"", BIG[::-1]):
        with secured:
            placed = place(secured, "latest7", "customer.fil", data)
            assert placed.address == f"ftps://127.0.0.1:{server.port}/latest7/customer.fil"
            assert fetch(secured, "latest7", "customer.fil") == data
            assert secured.names("latest7") == ["customer.fil"]
        assert server.names() == ["latest7/customer.fil"]
        assert (server.root / "latest7" / "customer.fil").read_bytes() == data


def test_the_test_of_a_connection_shows_the_certificate(server: FileServer, kind: str, implicit: bool) -> None:
    for temporary in ("suffix", "folder"):
        lines = check(drop(server, implicit=implicit), "latest7", temporary)
        assert [(line.name, line.ok) for line in lines] == [(name, True) for name in NAMES], lines
        assert lines[1].message.startswith("TLSv1.3; ")
        assert fingerprint(CERTIFICATE) in lines[1].message
    assert server.names() == []


def test_a_client_without_that_session_gets_nowhere(kind: str) -> None:
    """The two servers do ask for what the tests above are about."""
    context = ssl.create_default_context(cadata=AUTHORITY.pem)
    with (
        SERVERS[kind](Secure(KEY, CERTIFICATE)) as server,
        closing(ftplib.FTP_TLS(context=context, timeout=20)) as stock,
    ):
        stock.connect("127.0.0.1", server.port)
        stock.login(server.user, PASSWORD)
        stock.prot_p()
        with pytest.raises((ftplib.Error, OSError)):
            stock.storbinary("STOR x", io.BytesIO(BIG))
        assert BIG not in [path.read_bytes() for path in server.root.rglob("*")]


def test_one_certificate_can_be_trusted_whoever_vouches_for_it_and_whatever_name_it_has(kind: str) -> None:
    key, certificate = Authority().vouch("elsewhere.example", days=-1)
    shown = fingerprint(certificate).replace(":", "").lower()
    with SERVERS[kind](Secure(key, certificate)) as server:
        pinned = drop(server, authorities="", fingerprint=shown)
        with pinned:
            place(pinned, "latest7", "customer.fil", BIG)
        assert (server.root / "latest7" / "customer.fil").read_bytes() == BIG
        with (
            pytest.raises(ConfigError, match="another one than expected") as caught,
            drop(server, fingerprint="0" * 64),
        ):
            pass
        assert caught.value.problem.code == "server-not-trusted"
        assert f"certificate={fingerprint(certificate)}" in caught.value.problem.hint


@pytest.mark.parametrize(
    ("authority", "host", "days", "says"),
    [
        (Authority("Somebody else"), "127.0.0.1", 30, "unable to get"),
        (AUTHORITY, "elsewhere.example", 30, "not valid for '127.0.0.1'"),
        (AUTHORITY, "127.0.0.1", -1, "expired"),
    ],
)
@pytest.mark.parametrize("implicit", [False, True])
def test_a_certificate_that_is_not_trusted_is_shown_so_that_a_person_can_confirm_it(
    implicit: bool, authority: Authority, host: str, days: int, says: str
) -> None:
    key, certificate = authority.vouch(host, days=days)
    with vsftpd(Secure(key, certificate, implicit)) as server:
        reach, trust = check(drop(server, implicit=implicit), "latest7")
    assert (reach.name, reach.ok, trust.name, trust.ok) == ("reach", True, "trust", False)
    assert says in trust.message
    assert fingerprint(certificate) in trust.message
    assert trust.confirm == f"certificate={fingerprint(certificate)}"
    assert trust.confirm in trust.hint


def test_nothing_is_trusted_because_nothing_was_set() -> None:
    with vsftpd(Secure(KEY, CERTIFICATE)) as server, pytest.raises(ConfigError) as caught, drop(server, authorities=""):
        pass
    assert caught.value.problem.code == "server-not-trusted"


SECURE = PLAIN | {"AUTH": "234 go on", "PBSZ": "200 0", "PROT": "200 P", "TYPE": "200 I"}


def talked_to(port: int, **tls: Any) -> FtpDrop:
    return FtpDrop(
        host="127.0.0.1",
        port=port,
        user="u",
        password="s3cret",
        tls=Tls(**({"authorities": AUTHORITY.pem} | tls)),
        timeout=20,
    )


def test_a_server_that_is_not_trusted_hears_neither_user_nor_password() -> None:
    heard: list[str] = []
    secure = Secure(*Authority().vouch("127.0.0.1"))
    with talker(SECURE, heard=heard, secure=secure, times=2) as port, pytest.raises(ConfigError), talked_to(port):
        pass
    assert heard == ["AUTH TLS", "AUTH TLS", "QUIT"]
    heard.clear()
    other = "0" * 64
    with (
        talker(SECURE, heard=heard, secure=secure) as port,
        pytest.raises(ConfigError),
        talked_to(port, fingerprint=other),
    ):
        pass
    assert heard == ["AUTH TLS"]


@pytest.mark.parametrize(
    ("answers", "heard_last"),
    [(SECURE | {"AUTH": "502 what?"}, "AUTH TLS"), (SECURE | {"PROT": "536 no"}, "PROT P")],
)
def test_nothing_goes_unencrypted_where_the_server_does_not_encrypt(answers: dict[str, str], heard_last: str) -> None:
    heard: list[str] = []
    with talker(answers, heard=heard, secure=Secure(KEY, CERTIFICATE)) as port:
        lines = check(talked_to(port), "latest7")
    assert [(line.name, line.ok) for line in lines] == [("reach", True), ("trust", False)]
    assert "drop" in lines[-1].hint
    assert heard_last in heard[-2:]
    assert not {"STOR", "PASV"} & {line.split()[0] for line in heard}


def test_a_server_that_does_not_encrypt_from_the_start_is_told() -> None:
    with (
        talker(SECURE) as port,
        pytest.raises(ConfigError, match="TLS cannot be begun") as caught,
        talked_to(port, implicit=True),
    ):
        pass
    assert caught.value.problem.code == "tls-refused"
    assert "ftps" in caught.value.problem.hint


def test_a_server_that_waits_for_encryption_from_the_start_is_tried_again() -> None:
    with (
        proftpd(Secure(KEY, CERTIFICATE, implicit=True)) as server,
        pytest.raises(TransientError) as caught,
        replace(drop(server), timeout=1),
    ):
        pass
    assert "drop" in caught.value.problem.hint


def test_a_wrong_password_is_told_and_not_shown(kind: str) -> None:
    with SERVERS[kind](Secure(KEY, CERTIFICATE)) as server:
        lines = check(replace(drop(server), password="wrong horse"), "latest7")
    assert [(line.name, line.ok) for line in lines] == [("reach", True), ("log in", False)]
    assert "password" in lines[-1].hint
    assert "wrong horse" not in str(lines)


@contextmanager
def data_taker(secure: Secure) -> Iterator[tuple[str, list[bytes]]]:
    """Takes what comes on one data connection, and hangs up without a goodbye; yields the answer to PASV."""
    got: list[bytes] = []

    def take_in() -> None:
        plain, _ = listening.accept()
        with suppress(OSError), secure.context().wrap_socket(plain, True) as data:
            while part := data.recv(65_536):
                got.append(part)

    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]
        taker = threading.Thread(target=take_in)
        taker.start()
        yield f"227 (127,0,0,1,{port >> 8},{port & 255})", got
        taker.join()


@pytest.mark.parametrize("pinned", [False, True])
def test_a_data_connection_to_another_server_is_not_taken(pinned: bool) -> None:
    """Somebody between us and the passive port has a certificate of its own."""
    trust = {"fingerprint": fingerprint(CERTIFICATE).replace(":", "").lower()} if pinned else {}
    with data_taker(Secure(*Authority().vouch("127.0.0.1"))) as (passive, got):
        answers = SECURE | {"PASV": passive, "STOR": "150 go on"}
        with (
            talker(answers, secure=Secure(KEY, CERTIFICATE)) as port,
            pytest.raises(ConfigError),
            talked_to(port, **trust) as secured,
        ):
            put(secured, "", "x", b"orders")
    assert not b"".join(got)


def test_a_server_that_hangs_up_without_a_goodbye_has_the_file() -> None:
    """As many do; what counts is its answer."""
    with data_taker(Secure(KEY, CERTIFICATE)) as (passive, got):
        answers = SECURE | {"PASV": passive, "STOR": "150 go on\r\n226 done"}
        with talker(answers, secure=Secure(KEY, CERTIFICATE)) as port, talked_to(port) as secured:
            put(secured, "", "x", BIG)
    assert b"".join(got) == BIG
