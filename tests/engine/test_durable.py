"""How durable work ends with its server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from routebooks.engine import durable
from routebooks.engine.durable import Durable

WAIT = 20


class Engine:
    """What Durable uses of DBOS: it answers what goes on, and keeps how long it was to wait for that."""

    def __init__(self, ask: Callable[[], list[int]]) -> None:
        self._ask = ask
        self.waited: list[int] = []

    def __call__(self, **_: Any) -> None:
        pass

    def workflow(self, **_: Any) -> Callable[[Any], Any]:
        return lambda function: function

    def list_workflows(self, **_: Any) -> list[int]:
        return self._ask()

    def destroy(self, *, workflow_completion_timeout_sec: int, **_: Any) -> None:
        self.waited.append(workflow_completion_timeout_sec)


@pytest.fixture
def away() -> Iterator[Callable[[], list[int]]]:
    """A database that is asked for ever."""
    over = threading.Event()
    yield lambda: [over.wait()]
    over.set()


def broken() -> list[int]:
    raise ConnectionError


def waited(monkeypatch: pytest.MonkeyPatch, ask: Callable[[], list[int]]) -> list[int]:
    engine = Engine(ask)
    monkeypatch.setattr(durable, "DBOS", engine)
    Durable("sqlite://", lambda *_: (), "worker", lambda: None).stop(WAIT)
    return engine.waited


def test_a_stop_waits_for_work_that_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert waited(monkeypatch, lambda: [7]) == [WAIT]
    assert waited(monkeypatch, list) == [0]


def test_a_stop_waits_for_nothing_that_cannot_be_kept_because_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch, away: Callable[[], list[int]]
) -> None:
    monkeypatch.setattr(durable, "ANSWER_SECONDS", 0.01)
    assert waited(monkeypatch, away) == [0]
    assert waited(monkeypatch, broken) == [0]
