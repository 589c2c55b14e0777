"""Alerts: told once, told again when it is another, told when it is well, by a real webhook and by mail."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from hypothesis import given, settings
from hypothesis import strategies as st

from house import Books, House, record
from routebooks.engine import alerts, notify
from routebooks.engine.health import Trouble
from routebooks.errors import ConfigError, TransientError
from routebooks.store import alerts as store
from routebooks.store import flows as flow_store
from routebooks.store.alerts import Told
from support import serve

TROUBLES = st.lists(
    st.builds(
        Trouble,
        company_id=st.integers(1, 2),
        subject=st.sampled_from(("flow items", "connection office", "rejected records")),
        kind=st.sampled_from(("late", "failed x", "open")),
        needs=st.text(max_size=5),
        amount=st.integers(1, 3),
    ),
    max_size=5,
    unique_by=lambda each: (each.company_id, each.subject),
)


@settings(deadline=None, max_examples=100)
@given(st.lists(TROUBLES, max_size=6))
def test_each_trouble_is_told_when_it_begins_and_when_it_is_well_and_never_between(looks: list[list[Trouble]]) -> None:
    told: tuple[Told, ...] = ()
    before: dict[tuple[int, str], Trouble] = {}
    for there in [*looks, []]:
        found = alerts.news(told, there)
        now = {(each.company_id, each.subject): each for each in there}
        expected = [
            each
            for key, each in now.items()
            if key not in before or before[key].kind != each.kind or before[key].amount < each.amount
        ]
        assert list(found.begun) == expected
        assert {(each.company_id, each.subject) for each in found.well} == before.keys() - now.keys()
        told, before = found.told, now
    assert told == ()


class Hook:
    """A webhook that keeps what it was sent, and can be out of order."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.status = 200
        self.app = FastAPI()
        self.app.post("/hook/{token}")(self._take)

    async def _take(self, request: Request) -> Response:
        if self.status == 200:
            self.got.append(json.loads(await request.body()))
        return Response(status_code=self.status)


@pytest.fixture
def hook() -> Iterator[tuple[Hook, str]]:
    made = Hook()
    with serve(made.app) as address:
        yield made, address.replace("http://", "json://") + "/hook/token-4711"


def add(house: House, address: str, company_id: int | None = None) -> None:
    with house.ctx.store.begin() as tx:
        store.add_alert(
            tx,
            name="office",
            company_id=company_id,
            kind=notify.kind_of(address),
            address=house.ctx.vault.seal({alerts.ADDRESS: address}),
            now=house.clock(),
        )


def test_a_failed_flow_is_told_once_and_then_that_it_is_well(house: House, hook: tuple[Hook, str]) -> None:
    made, address = hook
    add(house, address)
    house.visit(Books())
    assert alerts.look(house.ctx, notify.send) == 0
    house.run("customers")
    house.visit(Books({"customers": [record("")]}))
    house.tick()
    assert alerts.look(house.ctx, notify.send) == 1
    (first,) = made.got
    assert first["title"].startswith("Routebooks, Harbor: ")
    assert "! rejected records: 1 record." in first["message"]
    assert alerts.look(house.ctx, notify.send) == 0
    house.run("customers")
    house.visit(Books({"customers": [record("1")]}))
    house.tick()
    assert alerts.look(house.ctx, notify.send) == 1
    assert "+ rejected records: well again" in made.got[-1]["message"]
    assert len(made.got) == 2


def test_a_silent_connector_is_told(house: House, hook: tuple[Hook, str]) -> None:
    made, address = hook
    add(house, address, house.company_id)
    house.visit(Books())
    house.clock.on(days=2)
    assert alerts.look(house.ctx, notify.send) == 1
    assert "The Web Connector has not called for 2 days" in made.got[0]["message"]
    house.visit(Books())
    assert alerts.look(house.ctx, notify.send) == 1
    assert "well again" in made.got[1]["title"]


def test_a_night_that_never_came_is_told(house: House, hook: tuple[Hook, str]) -> None:
    made, address = hook
    add(house, address)
    house.visit(Books())
    with house.ctx.store.begin() as tx:
        flow_store.change_flow(tx, house.flows["items"], schedule={"kind": "at", "time": "02:00"})
    house.clock.on(hours=29)
    house.visit(Books())
    assert alerts.look(house.ctx, notify.send) == 1
    assert "! flow items: It was due" in made.got[0]["message"]


def test_what_could_not_be_sent_is_sent_the_next_time(house: House, hook: tuple[Hook, str]) -> None:
    made, address = hook
    add(house, address)
    made.status = 503
    house.visit(Books())
    house.clock.on(days=2)
    assert alerts.look(house.ctx, notify.send) == 0
    with house.ctx.store.read() as tx:
        (row,) = store.all_alerts(tx)
    assert row.problem is not None
    assert row.problem["code"] == "alert-not-sent"
    assert "token-4711" not in str(row.problem)
    made.status = 200
    assert alerts.look(house.ctx, notify.send) == 1
    with house.ctx.store.read() as tx:
        (row,) = store.all_alerts(tx)
    assert row.problem is None


def test_a_test_message_is_sent(house: House, hook: tuple[Hook, str]) -> None:
    made, address = hook
    add(house, address)
    alerts.send_test(house.ctx, notify.send, "office")
    assert made.got[0]["title"] == "Routebooks: a test"
    with pytest.raises(ConfigError, match="no alert"):
        alerts.send_test(house.ctx, notify.send, "nobody")


class _Mail(socketserver.StreamRequestHandler):
    """Just enough SMTP to take a message."""

    def handle(self) -> None:
        taken: list[bytes] = self.server.taken  # type: ignore[attr-defined]
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                text = b""
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    text += line
                taken.append(text)
            self.wfile.write(b"250 ok\r\n")


@contextmanager
def mail_server() -> Iterator[tuple[int, list[bytes]]]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mail) as server:
        taken: list[bytes] = []
        server.taken = taken  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1], taken
        finally:
            server.shutdown()
            thread.join()


def test_a_message_goes_by_mail() -> None:
    with mail_server() as (port, taken):
        notify.send(f"mailto://127.0.0.1:{port}?from=rb@example.com&to=office@example.com", "Title", "Body\nmore")
    assert len(taken) == 1
    assert b"Subject: Title" in taken[0]


def test_an_address_that_is_none_is_refused_and_one_that_is_away_is_no_traceback() -> None:
    with pytest.raises(ConfigError, match="no address"):
        notify.kind_of("office@example.com")
    with pytest.raises(TransientError) as caught:
        notify.send("json://user:geheimnis@127.0.0.1:1/secret-path", "t", "b")
    assert "geheimnis" not in str(caught.value.problem)
    assert "secret-path" not in str(caught.value.problem)
