"""What docs/connect-pocketadvantage.md tells to type is typed here, against the servers that it is about."""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from certificates import Authority
from file_servers import PASSWORD, FileServer, Secure, openssh, proftpd, proftpd_sftp, unpacked
from pages import commands, page
from routebooks import app
from routebooks.connectors.filedrop.settings import SETTINGS, open_drop
from routebooks.connectors.pocketadvantage.files import PocketAdvantageFiles as FILES

DOC = page("connect-pocketadvantage.md")
STEPS = ["reach", "log in", "list", "write", "rename", "remove"]
SHOWN = re.compile(r"SHA256:[A-Za-z0-9+/]{43}|(?:[0-9A-F]{2}:){31}[0-9A-F]{2}")


def section(title: str) -> list[str]:
    """The commands under a heading."""
    return commands(DOC, title)


class Desk:
    """Somebody who types the page's commands in a folder of their own."""

    def __init__(self) -> None:
        self._app = app.build()
        self._shown = ""

    def types(self, line: str) -> list[str]:
        """Run a command of the page; of a test, the steps that failed."""
        words, _, file = line.partition(" < ")
        stdin = Path(file).read_text(encoding="utf-8") if file else f"{PASSWORD}\n"
        args = shlex.split(words.replace("FINGERPRINT", self._shown))[1:]
        if args[:2] == ["connection", "add"] and "drop=local" not in args and not file:
            args += ["password=-", "--secret-stdin"]
        done = CliRunner().invoke(self._app, args, input=stdin)
        assert PASSWORD not in done.output
        if args[:2] != ["connection", "test"]:
            assert done.exit_code == 0, f"{line}\n{done.output}"
            return []
        steps = re.findall(r"^(\S+(?: in)?) +(ok|failed)", done.stdout, re.MULTILINE)
        failed = [step for step, state in steps if state == "failed"]
        assert done.exit_code == (1 if failed else 0), done.output
        if failed:
            self._shown = SHOWN.findall(done.stderr)[-1]
        else:
            assert [step for step, _ in steps if step != "trust"] == [
                "reach",
                "log in",
                "list",
                "write",
                "rename",
                "remove",
            ]
        return failed


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("ROUTEBOOKS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    made = Desk()
    made.types("routebooks company add Harbor --cust-id 4711")
    return made


@contextmanager
def named(server: AbstractContextManager[FileServer], host: str, port: int) -> Iterator[FileServer]:
    """The server, at the name and the port that the page has for it."""
    real = socket.getaddrinfo
    with server as started, pytest.MonkeyPatch.context() as patch:

        def look_up(asked: Any, at: Any, *args: Any, **kwargs: Any) -> Any:
            if (asked, at) == (host, port):
                asked, at = "127.0.0.1", started.port
            return real(asked, at, *args, **kwargs)

        patch.setattr(socket, "getaddrinfo", look_up)
        yield started


def test_plain_ftp(desk: Desk) -> None:
    with named(proftpd(), "ftp.example.com", 21):
        assert [desk.types(line) for line in section("Plain FTP")] == [[], []]


def test_ftps(desk: Desk) -> None:
    authority = Authority()
    Path("office.pem").write_bytes(authority.pem.encode())
    with named(proftpd(Secure(*authority.vouch("ftp.example.com"))), "ftp.example.com", 21):
        assert [desk.types(line) for line in section("FTPS")] == [[], ["trust"], [], [], [], []]


def test_sftp_with_a_password(desk: Desk) -> None:
    with named(proftpd_sftp(), "sftp.example.com", 22):
        assert [desk.types(line) for line in section("SFTP with a password")] == [[], ["trust"], [], []]


def test_sftp_with_a_key(desk: Desk) -> None:
    generate, *lines = section("SFTP with a key")
    program = unpacked("usr", "bin", "ssh-keygen")
    subprocess.run([program, *shlex.split(generate)[1:]], check=True)
    # the user of OpenSSH is an account of this computer
    with named(openssh(Path("harbor-key.pub").read_text(encoding="utf-8")), "sftp.example.com", 22) as server:
        lines = [line.replace("user=harbor", f"user={server.user}") for line in lines]
        desk._shown = server.host_keys["ssh-ed25519"]
        assert [desk.types(line) for line in lines] == [[], [], []]


def test_a_folder(desk: Desk, tmp_path: Path) -> None:
    add, test = section("A folder")
    assert "root=/srv/pocketadvantage" in add
    desk.types(add.replace("/srv/pocketadvantage", str(tmp_path)))
    assert desk.types(test) == []


def test_the_files_of_every_night(desk: Desk, tmp_path: Path) -> None:
    other = ["connection", "add", "Harbor", "quickbooks", "quickbooks_desktop"]
    assert CliRunner().invoke(app.build(), other).exit_code == 0
    desk.types(section("A folder")[0].replace("/srv/pocketadvantage", str(tmp_path)))
    for line in section("The files of every night"):
        desk.types(line)


def test_every_page_calls_the_connections_of_harbor_by_the_same_names() -> None:
    pages = [page(f"connect-{name}.md") for name in ("quickbooks-desktop", "pocketadvantage", "orders-database")]
    named = re.findall(r"routebooks connection \w+ Harbor (\S+)", "\n".join([*pages, page("quick-start.md")]))
    assert {name.strip("`.,") for name in named} == {"quickbooks", "files", "orders"}
    assert all("\n## Next\n" in each for each in pages)


def test_every_setting_of_the_place_is_told_with_what_it_is_at_first() -> None:
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \| ?([^|]*)\|", DOC.split("## All settings")[1], re.MULTILINE)
    told: dict[str, str] = {}
    for names, values in rows:
        told |= dict(zip_longest(parts(names), parts(values), fillvalue=""))
    words = {True: "yes", False: "no"}
    declared = {
        setting.name: words[setting.default] if isinstance(setting.default, bool) else str(setting.default)
        for setting in FILES.settings
        if setting in SETTINGS or setting.name in ("folder", "temporary", "read_back")
    }
    assert told == declared


def parts(cell: str) -> list[str]:
    return [part.strip(" `") for part in cell.split(",")]


def test_every_kind_of_place_is_told_with_its_usual_port() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]* \| ?(\d*) ?\|", DOC.split("## Set it up")[0], re.MULTILINE)
    told = {kind: int(port or 0) for kind, port in rows}
    assert set(told) == set(SETTINGS[0].choices)
    for kind in set(told) - {"local"}:
        drop = open_drop({each.name: each.default for each in SETTINGS} | {"drop": kind, "host": "h"}, {})
        assert f"//h:{told[kind]}/" in drop.address()
