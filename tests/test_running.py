"""The sandbox's commands, as they are typed."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from routebooks import app


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
