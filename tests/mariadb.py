"""A MariaDB server for tests, from the unpacked Debian package (ROUTEBOOKS_SERVERS names the folder)."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pymysql
import sqlalchemy as sa

from certificates import Authority
from file_servers import environment, unpacked, write

#: nothing here outlives a test: no waiting for the disk, little memory
_OPTIONS = (
    "--innodb-flush-method=nosync",
    "--skip-innodb-doublewrite",
    "--innodb-buffer-pool-size=8M",
    "--innodb-log-file-size=4M",
)
#: systemd's way to hand a listening socket over, which the server knows: no port is looked for, and whoever connects
#: waits until the server takes calls
_HAND_OVER = 'exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"'


@dataclass(frozen=True)
class MariaDB:
    """A server that listens on a port of 127.0.0.1; root has no password. It speaks TLS with whoever asks."""

    port: int
    #: the certificate of the authority that vouches for it
    authority: Path

    def url(self, database: str, user: str = "root", password: str | None = None) -> str:
        """The SQLAlchemy address of a database."""
        url = sa.URL.create("mysql+pymysql", user, password, "127.0.0.1", self.port, database)
        return url.render_as_string(hide_password=False)

    def run(self, *statements: str, database: str | None = None) -> None:
        """Run statements as root."""
        with pymysql.connect(
            host="127.0.0.1", port=self.port, user="root", database=database, autocommit=True, read_timeout=60
        ) as connection:
            for statement in statements:
                connection.cursor().execute(statement)

    def user(self, name: str, password: str, *grants: str, requires: str = "NONE") -> None:
        """A user, new or anew, with these rights, such as "SELECT ON orders.*"."""
        self.run(
            f"CREATE OR REPLACE USER {name} IDENTIFIED BY '{password}' REQUIRE {requires}",
            *(f"GRANT {grant} TO {name}" for grant in grants),
        )

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """The address of a database until the end of the block."""
        self.run(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        yield self.url(name)
        self.run(f"DROP DATABASE {name}")


@contextmanager
def running() -> Iterator[MariaDB]:
    """A fresh server until the end of the block."""
    place = Path(tempfile.mkdtemp(prefix="routebooks-mariadb-"))
    try:
        command = _command(place)
        _bootstrap(place, command)
        with socket.create_server(("127.0.0.1", 0)) as listening, (place / "output").open("ab") as output:
            server = MariaDB(listening.getsockname()[1], place / "authority.pem")
            process = subprocess.Popen(
                ["/bin/sh", "-c", _HAND_OVER, "sh", *command, *_secure(place)],
                env=environment(),
                stdin=listening.fileno(),
                stdout=output,
                stderr=output,
            )
        try:
            _wait(place, server)
            yield server
        finally:
            process.kill()
            process.wait()
    finally:
        shutil.rmtree(place)


def _command(place: Path) -> Sequence[str]:
    (place / "data").mkdir()
    return (
        str(unpacked("usr", "sbin", "mariadbd")),
        "--no-defaults",
        f"--datadir={place / 'data'}",
        f"--tmpdir={place}",
        f"--lc-messages-dir={unpacked('usr', 'share', 'mysql')}",
        f"--character-sets-dir={unpacked('usr', 'share', 'mysql', 'charsets')}",
        *(["--user=root"] if os.geteuid() == 0 else []),
        *_OPTIONS,
    )


def _secure(place: Path) -> Sequence[str]:
    authority = Authority()
    key, certificate = authority.vouch("127.0.0.1")
    write(place / "authority.pem", authority.pem)
    return f"--ssl-key={write(place / 'key.pem', key)}", f"--ssl-cert={write(place / 'certificate.pem', certificate)}"


def _bootstrap(place: Path, command: Sequence[str]) -> None:
    """The server's own tables, as mariadb-install-db makes them, without help texts and examples."""
    parts = [unpacked("usr", "share", "mysql", f"mysql_system_tables{part}.sql") for part in ("", "_data")]
    script = b"".join([b"CREATE DATABASE mysql;\nUSE mysql;\n", *(part.read_bytes() for part in parts)])
    done = subprocess.run([*command, "--bootstrap"], input=script, env=environment(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")


def _wait(place: Path, server: MariaDB) -> None:
    try:
        server.run("SELECT 1")
    except pymysql.Error as error:
        raise AssertionError((place / "output").read_text(encoding="utf-8", errors="replace")) from error
