"""One update of the simulated Web Connector, from serverVersion to closeConnection as the real one does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from lxml import etree

from routebooks.errors import TransientError
from routebooks.sandbox.soap_client import SoapClient

_VERSION = "2.3.0.207"
_PAUSE_SECONDS = 5
#: a service that never has work, nor says so, would hold a test for ever
_MOST_PAUSES = 100
_OPEN_TRIES = 3
#: the connector's own number for an exception in each call
_NUMBERS = {
    "authenticate": 1012,
    "sendRequestXML": 1041,
    "receiveResponseXML": 1042,
    "getLastError": 1043,
    "closeConnection": 1044,
    "connectionError": 1045,
}


class QuickBooks(Protocol):
    """QuickBooks with one company file. A refusal is an exception with the attributes `hresult` and `message`."""

    file_path: str

    def open_session(self) -> str:
        """Begin a session; its name."""
        ...

    def close_session(self, session: str) -> None:
        """End a session, and every iterator in it."""
        ...

    def host_company_preferences(self) -> bytes:
        """The answer to the connector's own host, company and preferences queries."""
        ...

    def process(self, session: str, request: bytes) -> bytes:
        """The answer to a qbXML request."""
        ...


class Result(StrEnum):
    """How an update ended."""

    DONE = "done"
    NO_WORK = "no_work"
    NOT_VALID = "not_valid"
    BUSY = "busy"
    POSTPONED = "postponed"
    ERROR = "error"
    #: by one of the faults: the service heard nothing more
    BROKEN_OFF = "broken_off"


@dataclass(frozen=True)
class Update:
    """What became of one update: turns are answers whose receipt the service confirmed."""

    result: Result
    turns: int = 0
    progress: tuple[int, ...] = ()
    #: what closeConnection said
    message: str = ""
    #: what getLastError said, or the connector's own error
    last_error: str = ""
    postpone_seconds: int = 0
    least_interval_seconds: int = 0


@dataclass(frozen=True, kw_only=True)
class Faults:
    """Where an update breaks off, each after so many whole turns; None: nowhere."""

    #: the next request is taken, but never reaches QuickBooks
    drop_request_after: int | None = None
    #: QuickBooks carries out the next request, but its answer is never delivered
    drop_answer_after: int | None = None
    #: the next answer is delivered, but what the service says of it is lost
    lose_reply_to_answer: int | None = None
    #: between two turns
    stop_after_turns: int | None = None


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a person set up in the connector: the service, its user and the company file."""

    client: SoapClient
    user_name: str
    password: str
    company: QuickBooks
    #: whether QuickBooks shows the file; without that only its path opens it
    file_is_open: bool
    sleep: Callable[[float], object]
    on_turn: Callable[[str], None]


class _BrokenOffError(Exception):
    """A fault of the test: say no more."""


class _FailedError(Exception):
    """The update cannot go on; the text is the connector's."""


class Session:
    """The state of one update."""

    def __init__(self, setup: Setup, faults: Faults) -> None:
        self.setup = setup
        self.company = setup.company
        self.faults = faults
        self.ticket = ""
        self.progress: list[int] = []
        self.message = ""
        self.last_error = ""
        self.delays = [0, 0]

    def run(self) -> Update:
        """The whole update. Raises only what the company raises without being a refusal."""
        try:
            result = self._update()
        except _BrokenOffError:
            result = Result.BROKEN_OFF
        except _FailedError as failure:
            result, self.last_error = Result.ERROR, str(failure)
        progress = tuple(self.progress)
        return Update(result, len(progress), progress, self.message, self.last_error, *self.delays)

    def _update(self) -> Result:
        self._tell_versions()
        wanted, postponed = self._authenticate()
        early = {"nvu": Result.NOT_VALID, "none": Result.NO_WORK, "busy": Result.BUSY}.get(wanted.lower())
        if early is None and postponed:
            early = Result.POSTPONED
        return self._close(early if early is not None else self._exchange(wanted))

    def _tell_versions(self) -> None:
        """Both calls are optional: a service without them is asked no more."""
        try:
            self.setup.client.call("serverVersion", {})
            answer = self.setup.client.call("clientVersion", {"strVersion": _VERSION})[0]
        except TransientError as error:
            if error.problem.code != "service-fault":
                raise _failed("authenticate", error) from error
            return
        # 'W:' asks the person, who says yes; 'E:' and 'O:' end the update
        if answer.startswith(("E:", "O:")):
            raise _FailedError(answer[2:])
        if answer and not answer.startswith("W:"):
            raise _FailedError(f"QBWC1046: clientVersion returned {answer!r}")

    def _authenticate(self) -> tuple[str, bool]:
        """What the service wants opened, and whether it wants this update later."""
        answer = self._call("authenticate", strUserName=self.setup.user_name, strPassword=self.setup.password)
        if not 2 <= len(answer) <= 4:
            raise _FailedError(f"QBWC1012: authenticate returned {len(answer)} strings")
        self.ticket, wanted, postpone, interval = (*answer, "", "")[:4]
        self.delays = [_seconds(postpone), _seconds(interval)]
        return wanted, bool(postpone)

    def _exchange(self, wanted: str) -> Result:
        session = self._open(wanted)
        if session is None:
            return Result.ERROR
        try:
            host = self.company.host_company_preferences().decode()
            while (request := self._next_request(host)) is not None:
                host = ""
                if (result := self._turn(session, request)) is not None:
                    return result
            return Result.ERROR
        finally:
            self.company.close_session(session)

    def _open(self, wanted: str) -> str | None:
        """A session with QuickBooks; None when the service gives up on it, or says nothing new a few times."""
        for _ in range(_OPEN_TRIES):
            refusal = self._cannot_open(wanted)
            if refusal is None:
                try:
                    return self.company.open_session()
                except Exception as error:
                    refusal = _refusal(error)
            self.last_error = refusal["message"]
            wanted = self._call("connectionError", ticket=self.ticket, **refusal)[0]
            if wanted.lower() == "done":
                break
        return None

    def _cannot_open(self, wanted: str) -> dict[str, str] | None:
        if wanted.lower() == self.company.file_path.lower() or (not wanted and self.setup.file_is_open):
            return None
        if not wanted:
            return {"hresult": "0x80040416", "message": "QuickBooks is not running and no company file was named."}
        if self.setup.file_is_open:
            return {"hresult": "0x8004040A", "message": "Another company file is open in QuickBooks."}
        return {"hresult": "0x80040401", "message": "Could not access QuickBooks."}

    def _next_request(self, host: str) -> str | None:
        """The next request, after as many pauses as the service asks for; None when it has an error to show."""
        for _ in range(_MOST_PAUSES):
            request = self._call(
                "sendRequestXML",
                ticket=self.ticket,
                strHCPResponse=host,
                strCompanyFileName=self.company.file_path,
                qbXMLCountry="US",
                qbXMLMajorVers="13",
                qbXMLMinorVers="0",
            )[0]
            if request and request.lower() != "noop":
                return request
            self.last_error = self._call("getLastError", ticket=self.ticket)[0]
            if self.last_error.lower() != "noop":
                return None
            host = ""
            self.setup.sleep(_PAUSE_SECONDS)
        raise _FailedError(f"The service had no request {_MOST_PAUSES} times.")

    def _turn(self, session: str, request: str) -> Result | None:
        """One request and its answer; the result when the update is over."""
        turns, faults = len(self.progress), self.faults
        _break_off(faults.drop_request_after == turns)
        answer = {"response": "", "hresult": "", "message": ""}
        try:
            answer["response"] = self.company.process(session, request.encode()).decode()
        except Exception as error:
            answer |= _refusal(error)
        _break_off(faults.drop_answer_after == turns)
        progress = _whole_number(self._call("receiveResponseXML", ticket=self.ticket, **answer)[0])
        _break_off(faults.lose_reply_to_answer == turns)
        self.progress.append(progress)
        self.setup.on_turn(f"{_kind_of(request)} {f'{progress} %' if progress >= 0 else 'failed'}")
        _break_off(faults.stop_after_turns == turns + 1)
        if progress < 0:
            self.last_error = self._call("getLastError", ticket=self.ticket)[0]
            return Result.ERROR
        return Result.DONE if progress >= 100 else None

    def _close(self, result: Result) -> Result:
        self.message = self._call("closeConnection", ticket=self.ticket)[0]
        return result

    def _call(self, operation: str, **arguments: str) -> list[str]:
        try:
            return self.setup.client.call(operation, arguments)
        except TransientError as error:
            raise _failed(operation, error) from error


def _break_off(now: bool) -> None:
    if now:
        raise _BrokenOffError


def _failed(operation: str, error: TransientError) -> _FailedError:
    problem = error.problem
    return _FailedError(f"QBWC{_NUMBERS[operation]}: {operation}: {problem.message} {problem.detail}".rstrip())


def _refusal(error: Any) -> dict[str, str]:
    """What QuickBooks says when it throws; any other exception is a mistake of the simulation and goes up."""
    if not hasattr(error, "hresult"):
        raise error
    return {"hresult": error.hresult, "message": error.message}


def _seconds(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise _FailedError(f"QBWC1042: receiveResponseXML returned {text!r}") from None


def _kind_of(request: str) -> str:
    """The name of the first message, for people to watch."""
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        root = etree.fromstring(request.encode(), parser)
    except etree.XMLSyntaxError:
        return "request"
    message = root.find("*/*")
    return "request" if message is None else etree.QName(message).localname
