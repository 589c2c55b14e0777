"""Connectors that all call at once: the sandbox's Web Connector as often as there are companies, each call timed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from threading import Lock, Thread

from routebooks.errors import TransientError
from routebooks.sandbox.company import SandboxCompany
from routebooks.sandbox.soap_client import SoapClient
from routebooks.sandbox.update import Faults, Result, Session, Setup

_TIMEOUT = 120.0


@dataclass(frozen=True)
class Connector:
    """What a person entered in one Web Connector, and how long after the others it begins."""

    url: str
    user_name: str
    password: str
    delay: float


@dataclass(frozen=True)
class Call:
    """One call, from sending it to its answer."""

    operation: str
    seconds: float
    failed: bool


@dataclass(frozen=True)
class Visit:
    """One whole visit; `error` says why it did not end well, `own_seconds` is the connector's own work."""

    calls: tuple[Call, ...]
    error: str
    own_seconds: float


class _TimedClient(SoapClient):
    """Notes how long each call takes."""

    def __init__(self, url: str) -> None:
        super().__init__(url, timeout=_TIMEOUT)
        self.calls: list[Call] = []

    def call(self, operation: str, arguments: Mapping[str, str]) -> list[str]:
        begun, failed = time.perf_counter(), False
        try:
            return super().call(operation, arguments)
        except TransientError:
            failed = True
            raise
        finally:
            self.calls.append(Call(operation, time.perf_counter() - begun, failed))


class _Answers:
    """QuickBooks on every PC. Each answer is worked out once: the PCs' own work is not to fall to this machine."""

    def __init__(self, company: SandboxCompany) -> None:
        self.file_path = company.file_path
        self._company = company
        # One session for all, so that an iterator that one of them began goes on for the others.
        self._session = company.open_session()
        self._about = company.host_company_preferences()
        self._known: dict[bytes, bytes] = {}
        self._lock = Lock()

    def open_session(self) -> str:
        return self._session

    def close_session(self, session: str) -> None:
        pass

    def host_company_preferences(self) -> bytes:
        return self._about

    def process(self, session: str, request: bytes) -> bytes:
        with self._lock:
            if request not in self._known:
                self._known[request] = self._company.process(session, request)
            return self._known[request]


def call_all(connectors: Sequence[Connector], company: Path, start: Barrier, done: Queue[Visit]) -> None:
    """Let these connectors call, each in a thread of its own: all begin when all of all processes stand at `start`."""
    books = SandboxCompany(company)
    answers = _Answers(books)
    threads = [Thread(target=_call, args=(each, answers, start, done)) for each in connectors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    books.close()


def _call(connector: Connector, answers: _Answers, start: Barrier, done: Queue[Visit]) -> None:
    client = _TimedClient(connector.url)
    setup = Setup(
        client=client,
        user_name=connector.user_name,
        password=connector.password,
        company=answers,
        file_is_open=True,
        sleep=time.sleep,
        on_turn=lambda _: None,
    )
    start.wait()
    time.sleep(connector.delay)
    begun = time.thread_time()
    try:
        update = Session(setup, Faults()).run()
        error = "" if update.result is Result.DONE else f"{update.result}: {update.last_error or update.message}"
    except Exception as unforeseen:
        error = repr(unforeseen)
    done.put(Visit(tuple(client.calls), error, time.thread_time() - begun))
