"""The server process: its beats, its lock, its socket, and what it says when it cannot start."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import httpx
import pytest
from structlog.testing import capture_logs

import house as houses
import support
from routebooks import app, server
from routebooks.engine import runs, workers
from routebooks.engine.durable import Durable
from routebooks.errors import ConfigError
from routebooks.server import Beat
from routebooks.settings import Settings, load
from routebooks.store import flows as flow_store
from routebooks.webconnector.desk import Desk
from routebooks.webconnector.service import WebConnectorService


def test_a_part_of_the_tick_that_fails_keeps_no_other_from_its_turn() -> None:
    turns = threading.Semaphore(0)

    def fail() -> None:
        raise RuntimeError("this part is broken")

    beat = Beat("tick", 0.001, fail, turns.release, fail, turns.release)
    with capture_logs() as logs:
        beat.start()
        assert all(turns.acquire(timeout=30) for _ in range(6))
        beat.stop()
    assert {(entry["event"], entry["log_level"]) for entry in logs} == {("tick failed", "error")}


def test_a_turn_that_is_due_comes_before_its_time_and_a_beat_stops_at_once() -> None:
    turns, due = threading.Semaphore(0), threading.Event()
    beat = Beat("turns that are due", 24 * 3600, turns.release, due=due)
    beat.start()
    for _ in range(3):
        assert turns.acquire(timeout=30)
        due.set()
    beat.stop()
    assert "turns that are due" not in [thread.name for thread in threading.enumerate()]


class Crowd:
    """A desk where calls always stand in line."""

    looks = 0

    @property
    def is_crowded(self) -> bool:
        self.looks += 1
        return True


class Kept:
    """Notes what was started, and after how many looks at the desk; does nothing of it."""

    def __init__(self, crowd: Crowd) -> None:
        self.begun: list[tuple[int, int]] = []
        self.has_begun = threading.Event()
        self._crowd = crowd

    def start(self, _: str, run_id: int, __: str) -> None:
        self.begun.append((run_id, self._crowd.looks))
        self.has_begun.set()

    def ended(self, _: Sequence[str]) -> set[str]:
        return set()


def test_work_waits_for_connectors_that_stand_in_line_but_not_for_ever(tmp_path: Path) -> None:
    house, crowd = houses.build(tmp_path), Crowd()
    kept = Kept(crowd)
    with house.ctx.store.begin() as tx:
        wanted = [flow_store.flow(tx, house.flows["orders"])]
        (run_id,) = runs.create(house.ctx, tx, wanted, "person", house.clock())
    beat = server.tick(house.ctx, cast(Durable, kept), 0.001, cast(Desk, crowd), threading.Event())
    beat.start()
    assert kept.has_begun.wait(30)
    beat.stop()
    house.ctx.store.close()
    assert kept.begun[0] == (run_id, server.MOST_HELD + 1)


def test_a_taken_port_and_an_impossible_host_are_told_apart() -> None:
    with server.listen("127.0.0.1", 0) as taken:
        assert refused("127.0.0.1", taken.getsockname()[1]) == "port-taken"
        assert server.address(taken) == f"http://127.0.0.1:{taken.getsockname()[1]}"
    for host in ("192.0.2.1", "no-such-host.invalid", "a..b", "2001:db8::1"):
        assert refused(host, 0) == "host-wrong"


def refused(host: str, port: int) -> str:
    with pytest.raises(ConfigError) as caught:
        server.listen(host, port)
    assert caught.value.problem.hint
    return caught.value.problem.code


def test_a_port_that_this_user_may_not_use_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(*_: object, **__: object) -> socket.socket:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "create_server", forbid)
    assert refused("127.0.0.1", 443) == "port-forbidden"


def test_a_lock_file_that_is_none_is_told_apart_from_a_server_that_runs(tmp_path: Path) -> None:
    with server.alone(tmp_path), pytest.raises(ConfigError) as second, server.alone(tmp_path):
        pass
    assert second.value.problem.code == "server-runs"
    (tmp_path / server.LOCK).write_bytes(b"no database" * 1000)
    with pytest.raises(ConfigError) as damaged, server.alone(tmp_path):
        pass
    assert damaged.value.problem.code == "lock-unusable"


def served(settings: Settings) -> None:
    """A server that is to fail before it says that it listens."""
    ctx = app.context(settings)
    try:
        server.serve(ctx, settings, server.listen("127.0.0.1", 0), lambda _: pytest.fail("it began"))
    finally:
        ctx.store.close()


def test_a_server_beside_another_does_not_begin(tmp_path: Path) -> None:
    with server.alone(tmp_path), pytest.raises(ConfigError) as caught:
        served(load(home=tmp_path))
    assert caught.value.problem.code == "server-runs"


def test_a_place_for_artifacts_that_cannot_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError) as caught:
        served(load(home=tmp_path / "home", artifacts_url=str(tmp_path / "file" / "artifacts")))
    assert caught.value.problem.code == "artifacts-unusable"


def test_what_a_killed_server_left_beside_the_artifacts_is_gone_after_a_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / "artifacts" / "parts" / "half"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    os.utime(left, (0, 0))

    def refuse(*_: object) -> None:
        raise ConfigError("No more than this is tried.", code="enough")

    monkeypatch.setattr(workers, "joined", refuse)
    with pytest.raises(ConfigError, match="No more"):
        served(load(home=tmp_path))
    assert not left.exists()


def test_a_damaged_database_of_the_durable_work_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "durable.db").write_bytes(b"no database" * 1000)
    with server.listen("127.0.0.1", 0) as sock:
        port = str(sock.getsockname()[1])
    # A process of its own: the durable engine keeps the stream that it first logged to.
    command = [sys.executable, "-m", "routebooks", "--home", str(tmp_path), "serve"]
    done = subprocess.run(command, env={**os.environ, "ROUTEBOOKS_PORT": port}, capture_output=True, timeout=100)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"database-damaged" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    ctx = app.context(load(home=tmp_path))
    with support.serve(server.web(ctx, Desk(WebConnectorService(ctx)))) as base:
        yield base
    ctx.store.close()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 200), ("HEAD", "/", 200), ("GET", "/nowhere", 404), ("GET", "/docs", 404), ("PUT", "/", 405)],
)
def test_whoever_looks_in_finds_a_page(address: str, method: str, path: str, status: int) -> None:
    answer = httpx.request(method, address + path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert ("<h1>Routebooks</h1>" in answer.text) is (method != "HEAD")
    assert ("allow" in answer.headers) is (status == 405)
