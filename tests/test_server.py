"""The server process: its beats, its lock, its socket, and what it says when it cannot start."""

from __future__ import annotations

import threading

from structlog.testing import capture_logs

from routebooks.server import Beat


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
