"""What docs/quick-start.md tells to type is typed here, in its order: a real server process, the sandbox as another."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from handbook.made import ROOT
from pages import commands, page
from routebooks import app

DOC = page("quick-start.md")
PATIENCE = 60.0
#: what `run list` says of a run that only a call of the Web Connector can bring on
CALLED_FOR = "QuickBooks Desktop"


class Desk:
    """Somebody who types the page's commands in its third terminal."""

    def __init__(self, ports: dict[str, int]) -> None:
        self._app = app.build()
        self._ports = ports
        self._password = ""

    def types(self, line: str, *, code: int = 0) -> str:
        """Run a command as it stands on the page."""
        assert line.split()[0] == "routebooks"
        words = shlex.split(at_home(line, self._ports))[1:]
        if words[:2] == ["sandbox", "update"]:
            words.append("--password-stdin")
        done = CliRunner().invoke(self._app, words, input=self._password)
        assert done.exit_code == code, f"{line}\n{done.output}"
        if found := re.search(r"^password +(\S+)$", done.stdout, re.MULTILINE):
            self._password = found[1]
        return str(done.output)

    def sees(self, *words: str) -> list[dict[str, Any]]:
        """What a list shows, as data."""
        found: list[dict[str, Any]] = json.loads(CliRunner().invoke(self._app, [*words, "--json"]).stdout)
        return found

    def until_called_for(self, *runs: int) -> None:
        """Look at `run list` until these runs wait for QuickBooks."""
        end = time.monotonic() + PATIENCE
        while not all(f" {CALLED_FOR}," in self._line(run) for run in runs):
            assert time.monotonic() < end, self.types("routebooks run list")
            time.sleep(0.1)

    def _line(self, run: int) -> str:
        (line,) = re.findall(rf"^{run} .*", self.types("routebooks run list"), re.MULTILINE)
        return str(line)


def at_home(line: str, ports: dict[str, int]) -> str:
    """A command of the page with the folder that it is typed in and the ports that are free here."""
    for told, free in ports.items():
        line = line.replace(told, str(free))
    return line.replace("$PWD", str(Path.cwd()))


@contextmanager
def another_terminal(line: str, ports: dict[str, int], sign: str) -> Iterator[None]:
    """A command of the page that keeps running, from the moment that it shows the sign."""
    command = [sys.executable, "-m", "routebooks", *shlex.split(at_home(line, ports))[1:]]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert running.stdout is not None
        assert any(sign in said for said in running.stdout), f"{line} ended"
        yield
    finally:
        running.terminate()
        running.communicate()


@pytest.fixture
def ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROUTEBOOKS_HOME", str(tmp_path / "home"))
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("ROUTEBOOKS_PORT", str(one.getsockname()[1]))
        return {"2121": other.getsockname()[1]}


def test_the_quick_start(ports: dict[str, int]) -> None:
    sandbox, server = commands(DOC, "2. Start the sandbox and the server")
    with another_terminal(sandbox, ports, "sandbox update"), another_terminal(server, ports, "Ctrl-C"):
        desk = Desk(ports)
        for line in commands(DOC, "3. Connect a company"):
            desk.types(line)
        a_night(desk)
        a_rejected_order(desk)


def a_night(desk: Desk) -> None:
    ask, look, first, watch_files, files, show, second, watch_orders, orders = commands(DOC, "4. A night")
    desk.types(ask)
    desk.until_called_for(1, 2, 3, 4)
    assert "its turn" in desk.types(look).splitlines()[1]
    desk.types(first)
    desk.types(watch_files, code=3)
    desk.types(files)
    made = {file["address"].rpartition("/")[2]: file["records"] for file in desk.sees("file", "list")}
    assert made == {name: int(count) for name, count in re.findall(r"^\| (\w+\.fil) \| (\d+) \|", DOC, re.MULTILINE)}
    assert all((Path("sandbox/ftp/latest4711") / name).is_file() for name in made)
    assert re.search(r"^Company ID +4711$", desk.types(show), re.MULTILINE)
    desk.until_called_for(5)
    desk.types(second)
    desk.types(watch_orders, code=3)
    desk.types(orders)
    states = [order["state"] for order in desk.sees("order", "list")]
    assert ("Six orders stand in QuickBooks" in DOC, states.count("posted")) == (True, 6)
    assert ("Ten do not" in DOC, len(states)) == (True, 6 + 10)


def a_rejected_order(desk: Desk) -> None:
    listed, shown, cure, retry, call, watch, orders = commands(DOC, "5. Mend a rejected order")
    assert "PA-10243" in desk.types(listed)
    assert "unit-unknown" in desk.types(shown)
    desk.types(cure)
    desk.types(retry)
    desk.until_called_for(6)
    desk.types(call)
    desk.types(watch, code=3)
    desk.types(orders)
    left = {order["key"]: order["state"] for order in desk.sees("order", "list") if order["state"] != "posted"}
    assert sorted(left) == re.findall(r"^\| (PA-\d+) \|", DOC, re.MULTILINE)
    assert ("and six more with it" in DOC, 16 - len(left)) == (True, 6 + 1 + 6)
    for order, line in re.findall(r"^\| (PA-\d+) \|.*`(routebooks order .*)`", DOC, re.MULTILINE):
        assert order in line
        desk.types(line)


@pytest.mark.skipif(sys.platform == "win32", reason="./run is a shell script")
def test_the_first_commands(tmp_path: Path) -> None:
    install, *prepare = commands(DOC, "1. Install")
    assert install == "./run --version"
    environment = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run(shlex.split(install), cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout.startswith("Routebooks "), done.stderr
    script = "\n".join([*prepare, 'echo "$PATH"', 'echo "$ROUTEBOOKS_HOME"'])
    shell = subprocess.run(["/bin/sh", "-e", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    path, home = shell.stdout.splitlines()
    assert path.startswith(f"{tmp_path}/.venv/bin:")
    assert home == f"{tmp_path}/trial/home"
