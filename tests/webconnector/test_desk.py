"""Long calls, slow calls and many calls: who may send how much, and that nobody waits for somebody else's body."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import httpx
import pytest
from starlette.requests import ClientDisconnect

from routebooks.webconnector import desk as desks
from routebooks.webconnector import soap
from routebooks.webconnector.desk import FREE_BYTES, LONG_BYTES, Desk
from soap_talk import Recorder, app, envelope, fault_of
from support import serve

LONG = "<é>&lt;QBXML/&gt;</é>\r\n".replace("<é>", "é").replace("</é>", "&amp;é") * 60_000
CONNECTORS = 300


@pytest.fixture
def operations() -> Recorder:
    return Recorder()


@pytest.fixture
def address(operations: Recorder) -> Iterator[str]:
    with serve(app(operations)) as base:
        yield f"{base}/webconnector"


def bringing(response: str, ticket: str = "ticket") -> bytes:
    inner = f"<ticket>{ticket}</ticket><response>{response}</response><hresult/><message/>"
    return envelope(f"<receiveResponseXML>{inner}</receiveResponseXML>")


async def pieces(body: bytes, size: int = 50_000) -> AsyncIterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]


def ask(desk: Desk, body: AsyncIterator[bytes]) -> desks.Answer:
    async def answer() -> desks.Answer:
        return await desk.answer(body, "192.0.2.1")

    return anyio.run(answer)


def test_a_long_answer_of_an_open_session_comes_through_whole(operations: Recorder, address: str) -> None:
    assert httpx.post(address, content=bringing(LONG)).status_code == 200
    expected = "é<QBXML/>&é\n" * 60_000
    assert operations.calls == [("receive_response_xml", "ticket", expected.encode(), "", "")]


@pytest.mark.parametrize("size", [FREE_BYTES - 1, FREE_BYTES, FREE_BYTES + 1])
def test_an_answer_at_the_limit_comes_through(operations: Recorder, size: int) -> None:
    filling = "x" * (size - len(bringing("")))
    body = bringing(filling)
    assert len(body) == size
    assert ask(Desk(operations), pieces(body)).status == 200
    assert operations.calls == [("receive_response_xml", "ticket", filling.encode(), "", "")]


def test_of_a_session_that_has_ended_a_long_answer_is_not_kept(operations: Recorder, address: str) -> None:
    answer = httpx.post(address, content=bringing(LONG, "ended"))
    assert answer.status_code == 200
    assert b"<receiveResponseXMLResult>-1<" in answer.content
    assert operations.calls == [("receive_response_xml", "ended", b"", "", "")]


@pytest.mark.parametrize(
    "call",
    [
        "<authenticate><strUserName>{}</strUserName></authenticate>",
        "<clientVersion><strVersion>{}</strVersion></clientVersion>",
        "<receiveResponseXML><response>{}</response><ticket>ticket</ticket></receiveResponseXML>",
    ],
)
def test_nobody_else_may_send_much(operations: Recorder, address: str, call: str) -> None:
    answer = httpx.post(address, content=envelope(call.format("x" * 1_000_000)))
    assert answer.status_code == 413
    assert "outside of a session" in fault_of(answer)
    assert operations.calls == []


@pytest.mark.parametrize("chunked", [False, True])
def test_too_long_an_answer_is_refused_while_it_is_read(operations: Recorder, chunked: bool) -> None:
    fits = bringing("x" * 300_000)
    with serve(app(operations, max_bytes=len(fits))) as base:
        assert httpx.post(f"{base}/webconnector", content=fits).status_code == 200
        more = fits + b" "
        answer = httpx.post(f"{base}/webconnector", content=iter([more[:9], more[9:]]) if chunked else more)
    assert answer.status_code == 413
    assert "64 MB" in fault_of(answer)
    assert len(operations.calls) == 1


def test_a_flood_of_elements_is_refused(operations: Recorder, address: str) -> None:
    for body in (envelope("<a/>" * 10_000), bringing("<a/>" * 500_000)):
        answer = httpx.post(address, content=body)
        assert answer.status_code == 500
        assert ".qwc" in fault_of(answer)
    assert operations.calls == []


def begin(address: str, body: bytes, length: int = 50_000_000) -> socket.socket:
    """A call of which so much is sent."""
    place = urlsplit(address)
    head = (
        f"POST {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )
    client = socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=60)
    client.sendall(head.encode() + body)
    return client


def end(client: socket.socket) -> bytes:
    """What is answered."""
    with client.makefile("rb") as stream:
        return stream.read()


def test_all_connectors_are_served_at_the_full_hour_whatever_stands_about(operations: Recorder, address: str) -> None:
    log_in = envelope("<authenticate><strUserName>u</strUserName><strPassword>p</strPassword></authenticate>")
    with ExitStack() as stack:
        for number in range(25):
            stack.enter_context(begin(address, envelope("<serverVersion/>")[:60]))
            stack.enter_context(begin(address, bringing("x" * 200_000, f"ticket {number}")[:150_000]))
        clients = [stack.enter_context(begin(address, log_in, len(log_in))) for _ in range(CONNECTORS)]
        assert {end(client)[:13] for client in clients} == {b"HTTP/1.1 200 "}
    assert len(operations.calls) == CONNECTORS


def test_long_calls_wait_for_their_turn_and_short_ones_do_not_wait_for_them() -> None:
    free, inside = threading.Event(), threading.Semaphore(0)

    class Busy(Recorder):
        def receive_response_xml(self, ticket: str, response: bytes, hresult: str, message: str) -> int:
            inside.release()
            free.wait(30)
            return super().receive_response_xml(ticket, response, hresult, message)

    operations = Busy()
    desk = Desk(operations, long=2)
    body = "x" * LONG_BYTES

    async def go() -> list[int]:
        statuses = []

        async def bring(ticket: str) -> None:
            statuses.append((await desk.answer(pieces(bringing(body, ticket)), "")).status)

        async with anyio.create_task_group() as tasks:
            for number in range(5):
                tasks.start_soon(bring, f"ticket {number}")
            for _ in range(2):
                assert await anyio.to_thread.run_sync(inside.acquire, True, 30)
            short = await desk.answer(pieces(envelope("<serverVersion/>")), "")
            assert (short.status, statuses) == (200, [])
            assert not inside.acquire(blocking=False)
            free.set()
        return statuses

    assert anyio.run(go) == [200] * 5
    assert len(operations.calls) == 1 + 5


def test_a_page_of_usual_length_does_not_wait_for_long_calls() -> None:
    free, inside = threading.Event(), threading.Semaphore(0)

    class Busy(Recorder):
        def receive_response_xml(self, ticket: str, response: bytes, hresult: str, message: str) -> int:
            if len(response) > FREE_BYTES:
                inside.release()
                free.wait(30)
            return super().receive_response_xml(ticket, response, hresult, message)

    operations = Busy()
    desk = Desk(operations, long=1)

    async def go() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(desk.answer, pieces(bringing("x" * LONG_BYTES)), "")
            assert await anyio.to_thread.run_sync(inside.acquire, True, 30)
            await desk.answer(pieces(bringing("x" * FREE_BYTES, "ticket of another")), "")
            free.set()

    anyio.run(go)
    assert [len(call[2]) for call in operations.calls] == [FREE_BYTES, LONG_BYTES]


def test_a_session_brings_one_answer_at_a_time(operations: Recorder) -> None:
    desk, body = Desk(operations), bringing("x" * FREE_BYTES)

    async def go() -> tuple[desks.Answer, desks.Answer]:
        asked, go_on = anyio.Event(), anyio.Event()
        answers = []

        async def slow() -> AsyncIterator[bytes]:
            yield body[: FREE_BYTES + 1]
            asked.set()
            await go_on.wait()
            yield body[FREE_BYTES + 1 :]

        async def first() -> None:
            answers.append(await desk.answer(slow(), ""))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(first)
            await asked.wait()
            second = await desk.answer(pieces(body), "")
            go_on.set()
        return answers[0], second

    first, second = anyio.run(go)
    assert (first.status, second.status) == (200, 500)
    assert b"already on its way" in second.body
    assert len(operations.calls) == 1


def test_a_desk_is_crowded_as_long_as_a_call_stands_in_line() -> None:
    asked, go_on = threading.Event(), threading.Event()

    class Slow(Recorder):
        def server_version(self) -> str:
            asked.set()
            assert go_on.wait(30)
            return "slow"

    async def go() -> list[bool]:
        desk, seen = Desk(Slow(), short=1), []
        async with anyio.create_task_group() as tasks:
            for _ in range(2):
                tasks.start_soon(desk.answer, pieces(envelope("<serverVersion/>")), "")
                assert await anyio.to_thread.run_sync(asked.wait, 30)
                await anyio.wait_all_tasks_blocked()
                seen.append(desk.is_crowded)
            go_on.set()
        return [*seen, desk.is_crowded]

    assert anyio.run(go) == [False, True, False]


def test_an_answer_that_broke_off_may_come_again(operations: Recorder) -> None:
    desk, body = Desk(operations), bringing("x" * FREE_BYTES)

    async def broken() -> AsyncIterator[bytes]:
        yield body[: FREE_BYTES + 1]
        raise ClientDisconnect

    with pytest.raises(ClientDisconnect):
        ask(desk, broken())
    assert ask(desk, pieces(body)).status == 200
    assert len(operations.calls) == 1


def test_a_body_that_does_not_arrive_in_time_is_given_up(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desks, "FREE_SECONDS", 0.05)
    with begin(address, b"<") as client:
        assert end(client).startswith(b"HTTP/1.1 408 ")


def test_a_disk_that_is_full_is_a_fault_of_ours(operations: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(anyio, "TemporaryFile", full)
    answer = ask(Desk(operations), pieces(bringing("x" * FREE_BYTES)))
    assert answer == desks.Answer(500, soap.write_fault("Server", desks._FAILED))
