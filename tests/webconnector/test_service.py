"""The operations on a real engine: who gets in, and what each call answers in every order of calls."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

import house as houses
from house import House
from routebooks.engine import connections, sessions
from routebooks.store import companies
from routebooks.store import exchange as exchange_store
from routebooks.webconnector import service
from routebooks.webconnector.service import WebConnectorService

HOME = "192.0.2.1"
ELSEWHERE = "192.0.2.99"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = houses.build(tmp_path)
    yield built
    built.ctx.store.close()


@pytest.fixture
def operations(house: House) -> WebConnectorService:
    return WebConnectorService(house.ctx)


def enter(house: House, operations: WebConnectorService) -> str:
    answer = operations.authenticate(house.user_name, house.password, HOME)
    assert answer[1] == ""
    return answer[0]


def test_a_ticket_always_and_no_word_about_which_half_was_wrong(house: House, operations: WebConnectorService) -> None:
    wrong = [("nobody", house.password), (house.user_name, "wrong"), ("", "")]
    answers = [operations.authenticate(name, password, HOME) for name, password in wrong]
    assert all(answer[0] for answer in answers)
    assert {tuple(answer[1:]) for answer in answers} == {("nvu",)}
    assert operations.send_request_xml(answers[0][0], "", "C:/books", "US", 13, 0) == b""


def test_a_wrong_password_is_told_until_the_right_one_comes(house: House, operations: WebConnectorService) -> None:
    def told() -> list[str]:
        return [check.message for check in connections.test(house.ctx, house.books) if check.name == "password"]

    with capture_logs() as logs:
        operations.authenticate(house.user_name, "not-the-password", ELSEWHERE)
        operations.authenticate("nobody", house.password, ELSEWHERE)
    assert [(each["reason"], each["user_name"], each["address"]) for each in logs] == [
        ("wrong password", house.user_name, ELSEWHERE),
        ("unknown user name", "nobody", ELSEWHERE),
    ]
    assert house.password not in str(logs)
    assert "not-the-password" not in str(logs)
    house.clock.on(minutes=3)
    assert told() == [f"A log-in as {house.user_name} was refused 3 minutes ago, for its password was wrong."]
    enter(house, operations)
    assert told() == []


def test_too_many_failures_shut_a_name_out_for_a_while(house: House, operations: WebConnectorService) -> None:
    def told() -> list[str]:
        return [check.message for check in connections.test(house.ctx, house.books) if "so many" in check.message]

    for _ in range(service.MAX_FAILURES):
        assert told() == []
        operations.authenticate(house.user_name, "wrong", ELSEWHERE)
    assert operations.authenticate(house.user_name, house.password, HOME)[1] == "nvu"
    house.clock.on(minutes=4)
    assert operations.authenticate(house.user_name, house.password, HOME)[1] == "nvu"
    (wait,) = told()
    assert wait.endswith("After so many wrong ones the right one is refused, too, for 1 minute more.")
    house.clock.on(minutes=2)
    enter(house, operations)


def test_a_new_password_need_not_wait_for_the_failures_of_the_old_one(
    house: House, operations: WebConnectorService
) -> None:
    for _ in range(service.MAX_FAILURES):
        operations.authenticate(house.user_name, "wrong", ELSEWHERE)
    with house.ctx.store.begin() as tx:
        new = connections.new_password(house.ctx, tx, companies.connection(tx, house.books), "test")
    assert [check for check in connections.test(house.ctx, house.books) if check.name == "password"] == []
    assert operations.authenticate(house.user_name, str(new.password), HOME)[1] == ""


def test_unknown_names_shut_out_their_address_only(house: House, operations: WebConnectorService) -> None:
    for number in range(service.MAX_FAILURES * 2):
        operations.authenticate(f"nobody-{number}", "wrong", HOME)
    enter(house, operations)


def test_what_is_remembered_of_failures_is_bounded(house: House) -> None:
    limits = service.Limits()
    for number in range(service._REMEMBERED + 50):
        limits.failed(str(number), house.clock())
    assert len(limits._failures) == service._REMEMBERED


def test_an_unbound_connection_has_work_and_a_bound_one_without_any_has_none(
    house: House, operations: WebConnectorService
) -> None:
    enter(house, operations)
    house.clock.on(minutes=2)
    house.visit(houses.Books())
    assert operations.authenticate(house.user_name, house.password, HOME)[1:] == ["none"]


def test_outside_of_the_window_the_connector_is_asked_to_stay_away(
    house: House, operations: WebConnectorService
) -> None:
    house.run("customers")
    with house.ctx.store.begin() as tx:
        companies.change_connection(tx, house.books, window={"from": "06:20", "to": "07:00"})
    assert operations.authenticate(house.user_name, house.password, HOME)[1:] == ["none", str(20 * 60)]
    with house.ctx.store.begin() as tx:
        companies.change_connection(tx, house.books, window={"from": "05:00", "to": "05:30"})
    assert operations.authenticate(house.user_name, house.password, HOME)[1:] == ["none", str(60 * 60)]


def test_the_company_file_of_the_settings_is_named(house: House, operations: WebConnectorService) -> None:
    with house.ctx.store.begin() as tx:
        companies.change_connection(tx, house.books, settings={"company_file": "C:/a.qbw"})
    assert operations.authenticate(house.user_name, house.password, HOME)[1] == "C:/a.qbw"


def test_a_second_connector_waits_while_the_first_is_at_work(house: House, operations: WebConnectorService) -> None:
    ticket = enter(house, operations)
    assert operations.authenticate(house.user_name, house.password, ELSEWHERE)[1:] == ["busy"]
    assert operations.send_request_xml(ticket, "", "C:/books", "US", 13, 0) != b""
    house.clock.time += timedelta(minutes=2)
    assert operations.authenticate(house.user_name, house.password, ELSEWHERE)[1:] == [""]
    assert operations.send_request_xml(ticket, "", "C:/books", "US", 13, 0) == b""


def test_calls_out_of_sequence_do_no_harm(house: House, operations: WebConnectorService) -> None:
    assert operations.receive_response_xml("no ticket", b"{}", "", "") < 0
    assert "Update Selected" in operations.get_last_error("no ticket")
    assert operations.close_connection("no ticket") == "OK"
    ticket = enter(house, operations)
    assert operations.receive_response_xml(ticket, b"{}", "", "") < 0
    assert operations.get_last_error(ticket) == "An answer came for which nothing was asked."
    first = operations.send_request_xml(ticket, "", "C:/books", "US", 13, 0)
    assert operations.send_request_xml(ticket, "", "C:/books", "US", 13, 0) == first
    operations.close_connection(ticket)
    assert operations.send_request_xml(ticket, "", "C:/books", "US", 13, 0) == b""
    assert operations.receive_response_xml(ticket, b"{}", "", "") < 0


def test_a_session_is_open_from_its_log_in_to_its_good_bye(house: House, operations: WebConnectorService) -> None:
    ticket = enter(house, operations)
    assert operations.is_open(ticket)
    assert not operations.is_open("no ticket")
    operations.close_connection(ticket)
    assert not operations.is_open(ticket)


def test_a_silent_session_is_ended_unless_it_speaks_that_very_moment(
    house: House, operations: WebConnectorService, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = enter(house, operations)
    with house.ctx.store.read() as tx:
        as_listed = exchange_store.open_sessions(tx)
    house.clock.on(minutes=31)
    assert operations.send_request_xml(ticket, "", "C:/books", "US", 13, 0) != b""
    with monkeypatch.context() as late:
        late.setattr(exchange_store, "open_sessions", lambda tx: as_listed)
        sessions.end_silent(house.ctx)
    assert operations.is_open(ticket)
    house.clock.on(minutes=31)
    sessions.end_silent(house.ctx)
    assert not operations.is_open(ticket)


def test_a_company_file_that_cannot_be_opened_is_told(house: House, operations: WebConnectorService) -> None:
    ticket = enter(house, operations)
    assert operations.connection_error(ticket, "0x80040408", "Could not start QuickBooks.") == "done"
    assert operations.get_last_error(ticket) == "Could not start QuickBooks."
    with house.ctx.store.read() as tx:
        caller = companies.caller(tx, house.books)
    assert caller is not None
    assert caller.last_problem is not None
    assert caller.last_problem["message"] == "Could not start QuickBooks."
    enter(house, operations)


@pytest.mark.parametrize(
    ("version", "answer"), [("2.3.0.215", ""), ("2.2.0.71", ""), ("1.5.0.1", "O:2.0"), ("", ""), ("strange", "")]
)
def test_client_versions(operations: WebConnectorService, version: str, answer: str) -> None:
    assert operations.client_version(version) == answer
    assert operations.server_version().startswith("Routebooks ")


def test_a_visit_without_work_is_told_why(house: House, operations: WebConnectorService) -> None:
    def told() -> str:
        ticket, work, *_ = operations.authenticate(house.user_name, house.password, HOME)
        assert work == "none"
        return operations.close_connection(ticket)

    with house.ctx.store.begin() as tx:
        companies.change_caller(tx, house.books, bound_at=house.clock(), standing_at=house.clock())
    assert told() == "There is nothing to do now."
    with house.ctx.store.begin() as tx:
        row = companies.connection(tx, house.books)
        connections.pause(house.ctx, tx, row, "test", paused=True)
    assert told() == "Nothing is done now. This connection is paused."
    with house.ctx.store.begin() as tx:
        hour = house.clock().hour
        window = {"from": f"{(hour + 2) % 24:02}:00", "to": f"{(hour + 3) % 24:02}:00"}
        companies.change_connection(tx, house.books, paused_at=None, window=window)
    assert told().startswith("Nothing is done now. The window of this connection opens in ")
