"""The commands that keep running: the sandbox's, as they are typed, and how a server's process ends."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from routebooks import app, running, server
from routebooks.errors import TransientError


def test_a_password_that_nobody_can_be_asked_for_is_asked_of_nobody(tmp_path: Path) -> None:
    (tmp_path / "harbor.qwc").write_bytes(b"<QBWCXML/>")
    (tmp_path / "company.db").touch()
    command = ["sandbox", "update", str(tmp_path), str(tmp_path / "harbor.qwc")]
    done = CliRunner().invoke(app.build(), command, input="")
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "The Web Connector's password is missing. [password-missing]",
        "  Give it on standard input, with --password-stdin.",
    ]


def test_an_update_makes_no_sandbox_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "harbor.qwc").write_bytes(b"<QBWCXML/>")
    command = ["sandbox", "update", str(tmp_path / "sandbax"), str(tmp_path / "harbor.qwc"), "--password-stdin"]
    done = CliRunner().invoke(app.build(), command, input="secret")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "[sandbox-missing]" in done.stderr
    assert not (tmp_path / "sandbax").exists()


def started(folder: Path, *args: str) -> tuple[str, str]:
    """What `sandbox start` says on both streams until it is open; then it is ended."""
    command = [sys.executable, "-m", "routebooks", "sandbox", "start", str(folder), *args]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    told = ""
    for line in running.stderr:
        told += line
        if "Ctrl-C" in line:
            break
    running.terminate()
    return running.communicate()[0], told


def test_a_sandbox_is_told_as_commands_that_can_be_typed_and_keeps_its_port(tmp_path: Path) -> None:
    folder = tmp_path / "lake side"
    said, told = started(folder, "--json")
    port = json.loads(said)["ftp"]["port"]
    assert told == "The sandbox is open. Ctrl-C stops it.\n"
    with socket.create_server(("127.0.0.1", port)):
        said, told = started(folder)
    assert f'routebooks sandbox update "{folder}" company.qwc --password-stdin' in said
    assert f'url="sqlite:///{folder}/orders.db"' in said
    assert f"The FTP server had port {port} before." in told
    assert "routebooks connection set COMPANY files port=" in told


HANGING = """
import threading
from concurrent.futures import ThreadPoolExecutor
from routebooks import running
ThreadPoolExecutor().submit(threading.Event().wait)
running._end_within(0.1)
"""


def test_a_process_ends_although_work_of_it_waits_for_ever() -> None:
    assert subprocess.run([sys.executable, "-c", HANGING], timeout=100).returncode == 1


@pytest.mark.parametrize(("begins", "cut_off"), [(True, [running.ENDING_SECONDS, running.LAST_SECONDS]), (False, [])])
def test_what_goes_on_after_a_server_has_stopped_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begins: bool, cut_off: list[float]
) -> None:
    def serve(_: Any, __: Any, sock: socket.socket, ready: Any, ending: Any) -> None:
        sock.close()
        if begins:
            ready(None)
            ending()
        raise TransientError("It is over.", code="over")

    armed: list[float] = []
    monkeypatch.setattr(running, "_end_within", armed.append)
    monkeypatch.setattr(running, "_stop_on_terminate", lambda: None)
    monkeypatch.setattr(running, "_collect_less", lambda: None)
    monkeypatch.setattr(server, "listen", lambda *_: socket.create_server(("127.0.0.1", 0)))
    monkeypatch.setattr(server, "serve", serve)
    done = CliRunner().invoke(app.build(), ["--home", str(tmp_path), "serve"])
    assert "[over]" in done.stderr
    assert armed == cut_off


def test_a_server_that_is_stopped_says_nothing_more(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = str(sock.getsockname()[1])
    command = [sys.executable, "-m", "routebooks", "--home", str(tmp_path), "serve"]
    environment = {**os.environ, "ROUTEBOOKS_PORT": port}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert b"listens" in process.stdout.readline()
        process.terminate()
        said = process.communicate(timeout=100)
    assert process.returncode == 0
    # Libraries of C++ complain of what is not given back at the end.
    assert b"leak" not in said[0] + said[1]


STUCK = """
import threading
from routebooks import app, running, server
running.ENDING_SECONDS = 0.1
server.Beat.stop = lambda beat: threading.Event().wait()
app.main()
"""


def test_a_server_that_is_stopped_ends_although_a_part_of_it_waits_for_ever(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = str(sock.getsockname()[1])
    command = [sys.executable, "-c", STUCK, "--home", str(tmp_path), "serve"]
    environment = {**os.environ, "ROUTEBOOKS_PORT": port}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert b"listens" in process.stdout.readline()
        process.terminate()
        try:
            assert process.wait(100) == 1
        finally:
            process.kill()
