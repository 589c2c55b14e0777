"""Where calls are taken: little from anybody, much only within an open session, and few in memory at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, TypeVar

import anyio
import structlog

from routebooks.errors import ConfigError
from routebooks.webconnector import soap
from routebooks.webconnector.operations import Operations

#: What anybody may send. The longest call that holds no answer is the first sendRequestXML, some twenty kB.
FREE_BYTES = 64 * 1024
FREE_SECONDS = 60.0
#: What is longer than this is worked on by few at once, for it takes memory; most pages are shorter.
LONG_BYTES = 1024 * 1024
#: An answer on a slow line; a session is ended after as long a silence.
LONG_SECONDS = 30 * 60.0

_PIECE = 256 * 1024
_FAILED = "Routebooks could not answer this call. Its log says why."

_log = structlog.get_logger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """What goes back: the HTTP status and the envelope."""

    status: int
    body: bytes


class _Line:
    """So many threads, and a line of those who wait for one: each takes the next as soon as it is free."""

    def __init__(self, threads: int) -> None:
        self._count = threads
        self._threads = ThreadPoolExecutor(threads, "desk")
        #: changed by the loop only
        self._here = 0

    @property
    def waiting(self) -> int:
        """How many stand in line; to be asked by any thread."""
        return max(0, self._here - self._count)

    async def do(self, work: Callable[[], T]) -> T:
        """Have work done when its turn comes."""
        self._here += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._here -= 1


class Desk:
    """Takes calls and has them answered in threads: so many short ones and so few long ones at once, in turn.

    What is more than anybody may send lies on disk until its turn comes. Who waits is never sent away.
    """

    def __init__(
        self, operations: Operations, *, short: int = 6, long: int = 4, max_bytes: int = soap.MAX_BYTES
    ) -> None:
        self._operations = operations
        self._short, self._long = _Line(short), _Line(long)
        # Looking a ticket up is quick. In the line of the short calls, one with a page would stand there twice.
        self._looks = _Line(2)
        self._max_bytes = max_bytes
        self._arriving: set[str] = set()

    @property
    def is_crowded(self) -> bool:
        """Whether calls stand in line; to be asked by any thread."""
        return self._short.waiting > 0

    async def answer(self, body: AsyncIterator[bytes], address: str) -> Answer:
        """Take a call and answer it. Raises what the body raises when its sender goes away."""
        try:
            return await self._take(body, address)
        except ConfigError as error:
            return _refuse(error, address)
        except TimeoutError:
            return Answer(408, soap.write_fault("Client", "The call did not arrive in time."))
        except OSError:
            _log.exception("webconnector_call_not_kept", address=address)
            return Answer(500, soap.write_fault("Server", _FAILED))

    async def _take(self, body: AsyncIterator[bytes], address: str) -> Answer:
        with anyio.fail_after(FREE_SECONDS):
            head = await _head(body)
        if len(head) <= FREE_BYTES:
            return await self._short.do(lambda: self._done(soap.read_call(head), address))
        begun, is_open = await self._looks.do(lambda: self._look(head))
        if not is_open:
            # Answered as any call of a session that has ended; the rest of the body is thrown away as it arrives.
            return await self._short.do(lambda: self._done(begun, address))
        return await self._take_long(begun.arguments["ticket"], head, body, address)

    def _look(self, head: bytes) -> tuple[soap.Call, bool]:
        """The beginning of a call, and whether its session is open. Raises ConfigError for a call without a ticket."""
        begun = soap.Reader(head).so_far()
        ticket = begun.arguments.get("ticket") if begun else None
        if begun is None or not ticket:
            raise soap.too_large_for_anybody()
        return begun, self._operations.is_open(ticket)

    async def _take_long(self, ticket: str, head: bytes, body: AsyncIterator[bytes], address: str) -> Answer:
        if ticket in self._arriving:
            raise soap.too_many()
        self._arriving.add(ticket)
        try:
            async with anyio.TemporaryFile() as file:
                with anyio.fail_after(LONG_SECONDS):
                    size = await self._keep(head, body, file)
                line = self._long if size > LONG_BYTES else self._short
                return await line.do(lambda: self._done(_read(file.wrapped), address))
        finally:
            self._arriving.remove(ticket)

    async def _keep(self, head: bytes, body: AsyncIterator[bytes], file: anyio.AsyncFile[bytes]) -> int:
        """Write the whole body down; its size."""
        size = await file.write(head)
        async for chunk in body:
            size += len(chunk)
            if size > self._max_bytes:
                raise soap.too_large()
            await file.write(chunk)
        return size

    def _done(self, call: soap.Call, address: str) -> Answer:
        """Have a call done, write its result. Raises nothing."""
        try:
            return Answer(200, soap.write_result(call.operation, _dispatch(self._operations, call, address)))
        except Exception:
            _log.exception("webconnector_call_failed", operation=call.operation, address=address)
            return Answer(500, soap.write_fault("Server", _FAILED))


async def _head(body: AsyncIterator[bytes]) -> bytes:
    """The body, or what has come of it when it is longer than anybody may send."""
    head = bytearray()
    async for chunk in body:
        head += chunk
        if len(head) > FREE_BYTES:
            break
    return bytes(head)


def _read(file: IO[bytes]) -> soap.Call:
    file.seek(0)
    reader = soap.Reader(file.read(_PIECE))
    while piece := file.read(_PIECE):
        reader.feed(piece)
    return reader.close()


def _refuse(error: ConfigError, address: str) -> Answer:
    problem = error.problem
    _log.warning("webconnector_call_refused", code=problem.code, detail=problem.detail[:200], address=address)
    status = 413 if problem.code == "soap-too-large" else 500
    return Answer(status, soap.write_fault("Client", f"{problem.message} {problem.hint}"))


def _dispatch(operations: Operations, call: soap.Call, address: str) -> soap.Value:
    sent = call.arguments
    ticket = sent.get("ticket", "")
    match call.operation:
        case "serverVersion":
            return operations.server_version()
        case "clientVersion":
            return operations.client_version(sent["strVersion"])
        case "authenticate":
            return operations.authenticate(sent["strUserName"], sent["strPassword"], address)
        case "sendRequestXML":
            versions = _number(sent["qbXMLMajorVers"]), _number(sent["qbXMLMinorVers"])
            texts = sent["strHCPResponse"], sent["strCompanyFileName"], sent["qbXMLCountry"]
            return operations.send_request_xml(ticket, *texts, *versions)
        case "receiveResponseXML":
            response = soap.document(sent["response"])
            return operations.receive_response_xml(ticket, response, sent["hresult"], sent["message"])
        case "connectionError":
            return operations.connection_error(ticket, sent["hresult"], sent["message"])
        case "getLastError":
            return operations.get_last_error(ticket)
        case "closeConnection":
            return operations.close_connection(ticket)
    raise LookupError(call.operation)


def _number(text: str) -> int:
    """A version number; 0 where the caller sent none or no number."""
    return int(text) if text.strip().isdecimal() else 0
