"""File servers of other people, from unpacked Debian packages: vsftpd, ProFTPD and OpenSSH, a process a connection.

ROUTEBOOKS_SERVERS names the folder that the packages were unpacked into; .ci/run does that.
"""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import asyncssh
import pytest

USER, PASSWORD = "harbor", "open sesame"
#: the password, as ProFTPD wants it (openssl passwd -5)
_CRYPTED = "$5$routebooks$cYYjEOHUtvC1Z1WxHl1eoULgeVx2uA71KLQBF18FMyA"


@dataclass(frozen=True)
class _Account:
    """Who the servers run as: daemon where the tests run as root, so that a refusal is one.

    Of nobody, systemd says that the account is locked, and OpenSSH would not let it in.
    """

    name: str
    uid: int
    group: str
    gid: int
    #: whether the servers change to it
    other: bool


@cache
def _account() -> _Account:
    import grp  # not on every system that runs the other tests
    import pwd

    root = os.geteuid() == 0
    user = pwd.getpwnam("daemon") if root else pwd.getpwuid(os.geteuid())
    return _Account(user.pw_name, user.pw_uid, grp.getgrgid(user.pw_gid).gr_name, user.pw_gid, root)


@dataclass
class FileServer:
    """A server that answers on a port of 127.0.0.1; its files are below `root`."""

    port: int
    root: Path
    user: str = USER
    #: the process of the next connection is killed as soon as a file is longer than this many blocks of 512 bytes
    cut_at: int | None = None
    #: of an SFTP server: the fingerprint of its key of each kind
    host_keys: dict[str, str] = field(default_factory=dict)
    #: what it had written to standard error when it ended
    log: str = ""
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def names(self) -> list[str]:
        """The files there are, with their folders."""
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file())


def unpacked(*parts: str) -> Path:
    """A file of the unpacked packages; the test skips with a reason where it is absent."""
    folder = os.environ.get("ROUTEBOOKS_SERVERS")
    if not folder:
        pytest.skip("ROUTEBOOKS_SERVERS names no folder with servers; .ci/run makes one")
    path = Path(folder, *parts)
    assert path.exists(), f"{path} is not there"
    return path


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that the servers may read and write, with an empty folder `files` in it."""
    made = Path(tempfile.mkdtemp(prefix="routebooks-server-", dir="/tmp" if _account().other else None))
    try:
        (made / "files").mkdir()
        yield made
    finally:
        shutil.rmtree(made)


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    """A file of the server's own."""
    path.write_bytes(text.encode())
    path.chmod(mode)
    return path


@contextmanager
def serving(place: Path, command: Sequence[str | Path], user: str = USER) -> Iterator[FileServer]:
    """Start the command for every connection, its standard input and output the connection, as inetd does."""
    if _account().other:
        for path in (place, *place.rglob("*")):
            shutil.chown(path, _account().uid, _account().gid)
    listening = socket.create_server(("127.0.0.1", 0))
    server = FileServer(listening.getsockname()[1], place / "files", user)

    done = threading.Event()

    def answer() -> None:
        while not done.is_set():
            connection, _ = listening.accept()
            with connection:
                if not done.is_set():
                    server.children.append(_start(place, command, connection, server.cut_at))
            server.cut_at = None

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield server
    finally:
        done.set()
        socket.create_connection(("127.0.0.1", server.port)).close()
        thread.join()
        listening.close()
        for child in server.children:
            child.kill()
            child.wait()
        server.log = (place / "output").read_text(encoding="utf-8", errors="replace") if server.children else ""


def _start(
    place: Path, command: Sequence[str | Path], connection: socket.socket, cut_at: int | None
) -> subprocess.Popen[bytes]:
    us = _account()
    limit = "unlimited" if cut_at is None else str(cut_at)
    with (place / "output").open("ab") as output:
        return subprocess.Popen(
            ["/bin/sh", "-c", f'ulimit -f {limit}; exec "$@"', "sh", *map(str, command)],
            cwd=place,
            env=environment(),
            stdin=connection.fileno(),
            stdout=connection.fileno(),
            stderr=output,
            user=us.uid if us.other else None,
            group=us.gid if us.other else None,
            extra_groups=[] if us.other else None,
        )


def environment() -> Mapping[str, str]:
    """What a server is started with, so that it finds the libraries that were unpacked with it."""
    libraries = [str(path) for parts in ("lib", "usr/lib") for path in unpacked().glob(f"{parts}/*-linux-gnu*")]
    return {"PATH": os.defpath, "LD_LIBRARY_PATH": ":".join(libraries)}


@dataclass(frozen=True)
class Secure:
    """TLS of a server: its private key and certificate, and whether it begins at once."""

    key: str
    certificate: str
    implicit: bool = False

    def context(self) -> ssl.SSLContext:
        """The same for a server of the tests' own."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as place:
            both = write(Path(place, "both.pem"), self.key + self.certificate)
            made.load_cert_chain(both)
        return made


@contextmanager
def vsftpd(secure: Secure | None = None, **settings: str) -> Iterator[FileServer]:
    """vsftpd; with TLS, it demands it and the reuse of its session. `settings` are lines of its configuration."""
    program = unpacked("usr", "sbin", "vsftpd")
    with folder() as place:
        lines = {
            "listen": "NO",
            "listen_ipv6": "NO",
            "run_as_launching_user": "YES",
            # an account that is in no system's list of users: the anonymous one, with a list of passwords
            "anonymous_enable": "YES",
            "secure_email_list_enable": "YES",
            "email_password_file": str(write(place / "passwords", f"{PASSWORD}\n")),
            "ftp_username": _account().name,
            "anon_root": str(place / "files"),
            "allow_writeable_chroot": "YES",
            "anon_world_readable_only": "NO",
            "write_enable": "YES",
            "anon_upload_enable": "YES",
            "anon_mkdir_write_enable": "YES",
            "anon_other_write_enable": "YES",
            "anon_umask": "022",
            "seccomp_sandbox": "NO",
            "tcp_wrappers": "NO",
        }
        if secure:
            lines |= {
                "ssl_enable": "YES",
                "allow_anon_ssl": "YES",
                "force_anon_data_ssl": "YES",
                "force_anon_logins_ssl": "YES",
                "require_ssl_reuse": "YES",
                "implicit_ssl": "YES" if secure.implicit else "NO",
                "ssl_ciphers": "HIGH",
                "rsa_private_key_file": str(write(place / "key.pem", secure.key)),
                "rsa_cert_file": str(write(place / "certificate.pem", secure.certificate)),
            }
        text = "".join(f"{name}={value}\n" for name, value in (lines | settings).items())
        with serving(place, [program, write(place / "vsftpd.conf", text)], user="anonymous") as server:
            yield server


@contextmanager
def proftpd(secure: Secure | None = None, *lines: str) -> Iterator[FileServer]:
    """ProFTPD; with TLS, it demands it and (its default) the reuse of its session. `lines` are of its configuration."""
    with folder() as place:
        text = _proftpd(place, lines)
        if secure:
            text += [
                "LoadModule mod_tls.c",
                "TLSEngine on",
                "TLSRequired on",
                f"TLSECCertificateKeyFile {write(place / 'key.pem', secure.key)}",
                f"TLSECCertificateFile {write(place / 'certificate.pem', secure.certificate)}",
                *(["TLSOptions UseImplicitSSL"] if secure.implicit else []),
            ]
        with _configured(place, "proftpd", "-c", text) as server:
            yield server


def _proftpd(place: Path, lines: Sequence[str]) -> list[str]:
    us = _account()
    known = f"{USER}:{_CRYPTED}:{us.uid}:{us.gid}::{place / 'files'}:/bin/false\n"
    return [
        f"ModulePath {unpacked('usr', 'lib', 'proftpd')}",
        "ServerType inetd",
        f"User {us.name}",
        f"Group {us.group}",
        f"PidFile {place / 'pid'}",
        f"ScoreboardFile {place / 'scoreboard'}",
        f"SystemLog {place / 'log'}",
        "WtmpLog off",
        "TransferLog none",
        "UseReverseDNS off",
        "AuthOrder mod_auth_file.c",
        f"AuthUserFile {write(place / 'accounts', known)}",
        "RequireValidShell off",
        "DelayEngine off",
        *(line for line in ("AllowOverwrite on", "AllowStoreRestart on") if line.replace(" on", " off") not in lines),
        *lines,
    ]


@contextmanager
def proftpd_sftp(*lines: str) -> Iterator[FileServer]:
    """ProFTPD that speaks SFTP, by password. `lines` are of its configuration."""
    with folder() as place:
        keys = _host_keys(place)
        text = ["LoadModule mod_sftp.c", "SFTPEngine on", *(f"SFTPHostKey {key}" for key in keys), *lines]
        with _configured(place, "proftpd", "-c", _proftpd(place, text)) as server:
            server.host_keys = _fingerprints(keys)
            yield server


@contextmanager
def openssh(authorized: str, *lines: str, options: str = "") -> Iterator[FileServer]:
    """OpenSSH for whoever has the key of `authorized`; `lines` are of its configuration, `options` of its SFTP part."""
    with folder() as place:
        keys = _host_keys(place)
        text = [
            *lines,
            *(f"HostKey {key}" for key in keys),
            f"AuthorizedKeysFile {write(place / 'authorized', authorized)}",
            "UsePAM no",
            "StrictModes no",
            "PasswordAuthentication no",
            "PidFile none",
            f"ForceCommand internal-sftp -d {place / 'files'} {options}",
            "Subsystem sftp internal-sftp",
        ]
        with _configured(place, "sshd", "-ief", text) as server:
            server.user, server.host_keys = _account().name, _fingerprints(keys)
            yield server


def _configured(place: Path, program: str, option: str, lines: Sequence[str]) -> AbstractContextManager[FileServer]:
    configuration = write(place / f"{program}.conf", "".join(f"{line}\n" for line in lines))
    return serving(place, [unpacked("usr", "sbin", program), option, configuration])


@cache
def _host_key(kind: str) -> asyncssh.SSHKey:
    return asyncssh.generate_private_key(kind)


def _host_keys(place: Path) -> list[Path]:
    """The files of one host key of each kind, in the order in which a client prefers them."""
    kinds = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa")
    return [write(place / f"{kind}.key", _host_key(kind).export_private_key().decode()) for kind in kinds]


def _fingerprints(keys: Sequence[Path]) -> dict[str, str]:
    return {path.stem: _host_key(path.stem).get_fingerprint() for path in keys}
