"""connection: added with settings and secrets, listed, shown, changed, tested."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cli_program import Program
from house import Books, House, record
from routebooks.cli import given
from routebooks.connectors.base import Check, Connection, Setting
from routebooks.connectors.registry import CONNECTORS
from routebooks.store import companies


class Locked:
    """A system with secrets, one of them required."""

    name = "locked"
    title = "A locked system"
    settings: tuple[Setting, ...] = (
        Setting(name="host", help="Its address.", default="here"),
        Setting(name="port", help="Its port.", default=21, minimum=1, maximum=65535),
        Setting(name="ending", help="What ends a line.", default="crlf", choices=("crlf", "lf"), assumed=True),
        Setting(name="password", help="Its password.", secret=True),
    )

    def check(self, connection: Connection) -> list[Check]:
        known = connection.secrets.get("password") == "right"
        if connection.settings["host"] == "elsewhere":
            return [Check("trust", False, "Its name is NEW.", "Ask.", confirm="host=NEW")]
        return [Check("log in", known, "" if known else "The password is wrong.", "" if known else "Enter it again.")]


class TwiceLocked(Locked):
    name = "twice_locked"
    settings = (*Locked.settings, Setting(name="key", help="Its key.", secret=True, default=""))


class KeyLocked(Locked):
    """It takes a key, too, where its ending is lf."""

    name = "key_locked"
    settings = (
        *Locked.settings[:-1],
        Setting(name="password", help="Its password.", secret=True, default=""),
        Setting(name="key", help="Its key.", secret=True, default="", only_with=("ending", "lf")),
    )


class Shelf(Locked):
    """Orders that two must not read."""

    name = "shelf"
    settings = (
        Setting(name="url", help="Its address.", secret=True, of_one_reader=True),
        Setting(name="query", help="What is asked.", default="all", of_one_reader=True),
        Setting(name="pace", help="How fast.", default=1),
    )


@pytest.fixture
def house(house: House) -> Iterator[House]:
    connectors: Any = house.ctx.connectors
    own = (Locked(), TwiceLocked(), KeyLocked(), Shelf())
    connectors |= {**CONNECTORS, **{kind.name: kind for kind in own}}
    return house  # type: ignore[return-value]


def password_of(house: House, name: str) -> str | None:
    return secret_of(house, name, "password")


def secret_of(house: House, name: str, secret: str) -> str | None:
    with house.ctx.store.read() as tx:
        row = companies.connection_named(tx, house.company_id, name)
        assert row is not None
        assert "right" not in row.secrets
        return house.ctx.vault.open(row.secrets).get(secret)


def test_a_connection_that_is_called_shows_its_password_once(program: Program) -> None:
    said = program("connection", "add", "Harbor", "office", "toy_caller", "page_size=50")
    password = said.stdout.split("password")[1].split()[0]
    assert len(password) == 22
    assert said.stdout.splitlines()[1].startswith("user name  rb-")
    assert "Next: `routebooks connection qwc Harbor office`." in said.stderr
    assert password not in program("connection", "show", "Harbor", "office").output
    with program.house.ctx.store.read() as tx:
        row = companies.connection_named(tx, program.house.company_id, "office")
        caller = companies.caller(tx, row.id) if row else None
    assert caller is not None
    assert program.house.ctx.vault.matches(password, caller.password_hash)


def test_the_password_is_in_json_too(program: Program) -> None:
    added = program.json("connection", "add", "Harbor", "office", "toy_caller")
    assert set(added) == {"id", "company", "name", "connector", "user_name", "password"}


def test_a_secret_is_taken_as_typed_or_from_standard_input(program: Program) -> None:
    program("connection", "add", "Harbor", "typed", "locked", "password=right=way", "port=2121")
    assert password_of(program.house, "typed") == "right=way"
    program("connection", "add", "Harbor", "piped", "locked", "--secret-stdin", stdin="right\nmore\n")
    assert password_of(program.house, "piped") == "right"
    said = program("connection", "show", "Harbor", "piped").output
    assert "right" not in said
    assert "(set)" in said


def test_nobody_is_asked_where_nobody_sits(program: Program) -> None:
    said = program.refused("connection", "add", "Harbor", "new", "locked")
    assert "A locked system needs password. [setting-missing]" in said


def test_at_a_terminal_a_missing_secret_is_asked_for(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "at_terminal", lambda: True)
    said = program("connection", "add", "Harbor", "asked", "locked", stdin="right\n")
    assert password_of(program.house, "asked") == "right"
    assert "right" not in said.output
    program("connection", "add", "Harbor", "two", "twice_locked", "password=right", stdin="\n")
    assert password_of(program.house, "two") == "right"
    program("connection", "set", "Harbor", "asked", "--secret-stdin", stdin="right again\n")
    assert password_of(program.house, "asked") == "right again"


def test_standard_input_is_for_one_secret(program: Program) -> None:
    for connector in ("twice_locked", "toy_orders"):
        said = program.refused("connection", "add", "Harbor", "new", connector, "--secret-stdin")
        assert "[secret-not-one]" in said
    program("connection", "add", "Harbor", "new", "twice_locked", "key=k", "--secret-stdin", stdin="right\n")
    assert password_of(program.house, "new") == "right"


def test_a_secret_that_says_nothing_is_neither_asked_for_nor_in_the_way(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("connection", "add", "Harbor", "plain", "key_locked", "--secret-stdin", stdin="right\n")
    assert password_of(program.house, "plain") == "right"
    program.refused("connection", "add", "Harbor", "new", "key_locked", "ending=lf", "--secret-stdin")
    program("connection", "set", "Harbor", "plain", "ending=lf")
    said = program.refused("connection", "set", "Harbor", "plain", "--secret-stdin")
    assert "password and key can be given" in said
    monkeypatch.setattr(given, "at_terminal", lambda: True)
    said = program("connection", "add", "Harbor", "asked", "key_locked", stdin="right\n").output
    assert "Its password" in said
    assert "Its key" not in said


def test_of_several_secrets_one_is_read_to_its_end(program: Program) -> None:
    typed = ("connection", "add", "Harbor", "keyed", "key_locked", "ending=lf", "key=-", "--secret-stdin")
    program(*typed, stdin="-----BEGIN\nright\n-----END\n")
    assert secret_of(program.house, "keyed", "key") == "-----BEGIN\nright\n-----END"
    program("connection", "set", "Harbor", "keyed", "password=-", "--secret-stdin", stdin="right\n")
    assert password_of(program.house, "keyed") == "right"


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (["port"], "setting-unreadable"),
        (["=1"], "setting-unreadable"),
        (["port=1", "port=2"], "setting-unreadable"),
        (["prot=1"], "setting-unknown"),
        (["port=one"], "setting-not-a-number"),
        (["ending=cr"], "setting-choice"),
    ],
)
def test_settings_that_do_not_fit_are_refused(program: Program, settings: list[str], code: str) -> None:
    said = program.refused("connection", "add", "Harbor", "new", "locked", "password=x", *settings)
    assert f"[{code}]" in said
    assert "[connection-unknown]" in program.refused("connection", "show", "Harbor", "new")


def test_what_may_be_a_secret_is_not_repeated(program: Program) -> None:
    said = program.refused("connection", "add", "Harbor", "new", "locked", "host=a", "s3cret")
    assert "Setting number 2" in said
    assert "s3cret" not in said


def test_unknown_names_are_told(program: Program) -> None:
    assert "Did you mean 'toy_files'?" in program.refused("connection", "show", "Harbor", "toyfiles")
    assert "[connector-unknown]" in program.refused("connection", "add", "Harbor", "new", "nonsense")
    assert "[company-unknown]" in program.refused("connection", "add", "Port", "new", "locked")
    assert "[text-unfit]" in program.refused("connection", "add", "Harbor", "", "toy_orders")
    assert "[connection-exists]" in program.refused("connection", "add", "Harbor", "toy_orders", "toy_orders")


def test_connections_are_listed_with_their_state(program: Program) -> None:
    house = program.house
    listed = program.json("connection", "list")
    assert set(listed[0]) == {
        *("id", "company", "name", "connector", "state", "needs"),
        *("window", "paused_at", "last_seen_at", "tested_at", "test_problem", "test_in_words"),
    }
    states = {row["name"]: row["state"] for row in listed}
    assert states == {"toy_caller": "not seen", "toy_files": "not used", "toy_orders": "not used"}
    house.visit(Books())
    assert program.json("connection", "list", "--company", "Harbor")[0]["state"] == "ready"
    house.clock.on(days=3)
    listed = program.json("connection", "list")
    assert (listed[0]["state"], listed[0]["last_seen_at"]) == ("silent", "2026-03-02T06:00:00+00:00")
    assert "has not called for 3 days" in program("connection", "list").stdout


def test_how_long_a_web_connector_may_be_away_is_set(program: Program) -> None:
    house = program.house
    house.visit(Books())
    house.serve()
    house.clock.on(minutes=31)
    program("status", "--check")
    assert program.json("connection", "silent-after", "Harbor", "toy_caller", "30")["state"] == "silent"
    assert program.json("connection", "show", "Harbor", "toy_caller")["caller"]["silent_after_minutes"] == 30
    assert program.audit()[-1] == ("command line", "set silent after", "toy_caller")
    said = program.json("status", "--check", code=1)
    assert said["companies"][0]["needs"] == [
        "toy_caller: The Web Connector has not called for 31 minutes: see that its PC is on and logged in."
    ]
    refused = program("connection", "silent-after", "Harbor", "toy_files", "30", code=2)
    assert "[connection-not-called]" in refused.stderr
    program("connection", "silent-after", "Harbor", "toy_caller", "0", code=2)


def test_show_marks_what_is_assumed_until_somebody_sets_it(program: Program) -> None:
    program("connection", "add", "Harbor", "new", "locked", "password=right")
    shown = program.json("connection", "show", "Harbor", "new")
    settings = {setting["name"]: setting for setting in shown["settings"]}
    assert settings["ending"] == {
        **{"name": "ending", "value": "crlf", "given": False},
        **{"secret": False, "assumed": True},
    }
    assert settings["password"] == {
        **{"name": "password", "value": None, "given": True},
        **{"secret": True, "assumed": False},
    }
    assert shown["caller"] is None
    assert "ending    crlf   (assumed)" in program("connection", "show", "Harbor", "new").stdout
    program("connection", "set", "Harbor", "new", "ending=crlf")
    assert "(assumed)" not in program("connection", "show", "Harbor", "new").stdout


def test_show_tells_who_calls(program: Program) -> None:
    house = program.house
    house.visit(Books())
    caller = program.json("connection", "show", "Harbor", "toy_caller")["caller"]
    assert (caller["bound_company"], caller["bound_path"]) == ("Toy Company", "C:/books")
    assert "password_hash" not in caller
    house.run("customers")
    house.visit(Books(name="Other"))
    said = program("connection", "show", "Harbor", "toy_caller").stdout
    assert "refused               QuickBooks answers as 'Other'" in said
    assert "bound at              2026-03-02 06:00 UTC" in said


def test_settings_are_changed_and_the_others_stay(program: Program) -> None:
    program("connection", "add", "Harbor", "new", "locked", "password=right", "host=there")
    changed = program.json("connection", "set", "Harbor", "new", "port=2121")
    assert changed == {"company": "Harbor", "name": "new", "changed": ["port"]}
    values = {s["name"]: s["value"] for s in program.json("connection", "show", "Harbor", "new")["settings"]}
    assert (values["host"], values["port"]) == ("there", 2121)
    assert password_of(program.house, "new") == "right"
    program("connection", "set", "Harbor", "new", "--secret-stdin", stdin="right too")
    assert password_of(program.house, "new") == "right too"
    assert "[nothing-to-change]" in program.refused("connection", "set", "Harbor", "new")
    assert program.audit()[-1] == ("command line", "change connection", "new")


def test_a_connectors_settings_are_listed(program: Program) -> None:
    listed = {setting["name"]: setting for setting in program.json("connection", "settings", "locked")}
    assert set(listed["port"]) == {
        *("name", "help", "default", "required", "choices", "minimum", "maximum", "secret", "assumed")
    }
    assert (listed["port"]["default"], listed["port"]["required"]) == (21, False)
    lines = program("connection", "settings", "locked").stdout.splitlines()
    assert lines[2].endswith("Its port. A number from 1 to 65535.")
    assert lines[3].split("  ")[-1].strip() == "What ends a line. One of: crlf, lf."
    assert "(assumed)" in lines[3]
    assert "(required, secret)" in lines[4]
    assert {"name": "locked", "title": "A locked system"} in program.json("connection", "settings")
    assert "A locked system" in program("connection", "settings").stdout


def test_a_test_ends_with_1_when_a_step_fails(program: Program, tmp_path: Path) -> None:
    program("connection", "add", "Harbor", "new", "locked", "password=wrong")
    assert program.json("connection", "test", "Harbor", "new", code=1) == [
        {"name": "log in", "ok": False, "message": "The password is wrong.", "hint": "Enter it again.", "confirm": ""}
    ]
    said = program("connection", "test", "Harbor", "new", code=1).stdout.splitlines()
    assert said[1].split("  ") == ["log in", "failed", "The password is wrong.", "Enter it again."]
    program("connection", "set", "Harbor", "new", "password=right")
    assert "ok" in program("connection", "test", "Harbor", "new").stdout


def test_a_test_is_remembered_until_a_setting_changes(program: Program) -> None:
    def shown() -> tuple[str, str, str]:
        view = program.json("connection", "show", "Harbor", "new")
        return view["state"], view["test_in_words"], view["needs"]

    program("connection", "add", "Harbor", "new", "locked", "password=wrong")
    assert shown() == ("not used", "", "")
    program("connection", "test", "Harbor", "new", code=1)
    program.house.clock.on(minutes=5)
    assert shown() == ("failing", "5 minutes ago, failed", "The password is wrong. Enter it again.")
    program("connection", "set", "Harbor", "new", "password=right")
    assert shown() == ("not used", "", "")
    program("connection", "test", "Harbor", "new")
    program.house.clock.on(minutes=7)
    assert shown() == ("ready", "7 minutes ago, works", "")
    assert "tested     7 minutes ago, works" in program("connection", "show", "Harbor", "new").stdout
    assert re.search(r"new +ready +tested 7 minutes ago, works", program("status").stdout)


def test_a_test_of_settings_that_were_changed_meanwhile_is_not_remembered(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("connection", "add", "Harbor", "new", "locked", "password=right")
    tried = Locked.check

    def slow(self: Locked, connection: Connection) -> list[Check]:
        monkeypatch.setattr(Locked, "check", tried)
        program("connection", "set", "Harbor", "new", "host=elsewhere")
        return tried(self, connection)

    monkeypatch.setattr(Locked, "check", slow)
    program("connection", "test", "Harbor", "new")
    assert program.json("connection", "show", "Harbor", "new")["tested_at"] is None


def test_of_a_system_that_calls_us_its_visits_are_shown_and_no_test(program: Program) -> None:
    program("connection", "test", "Harbor", "toy_caller", code=1)
    shown = program.json("connection", "show", "Harbor", "toy_caller")
    assert (shown["state"], shown["tested_at"]) == ("not seen", None)


def test_an_empty_standard_input_is_no_secret(program: Program) -> None:
    program("connection", "add", "Harbor", "new", "locked", "password=right")
    said = program("connection", "set", "Harbor", "new", "--secret-stdin", stdin="\n", code=2).stderr
    assert "[secret-missing]" in said
    assert "Nothing came from standard input for password." in said
    assert "ok" in program("connection", "test", "Harbor", "new").stdout


def test_the_sign_for_standard_input_is_no_secret(program: Program) -> None:
    assert "[secret-not-read]" in program.refused("connection", "add", "Harbor", "new", "locked", "password=-")
    program("connection", "add", "Harbor", "new", "locked", "password=right")
    said = program.refused("connection", "set", "Harbor", "new", "password=-")
    assert "Add --secret-stdin." in said
    assert password_of(program.house, "new") == "right"
    program("connection", "set", "Harbor", "new", "host=-")


def test_what_cannot_be_meant_is_refused_when_it_is_set(program: Program, tmp_path: Path) -> None:
    orders = ("connection", "add", "Harbor", "orders", "pocketadvantage_orders")
    said = program.refused(*orders, "url=/srv/orders.db")
    assert "[orders-address]" in said
    assert "sqlite:///" in said
    assert "[orders-driver]" in program.refused(*orders, "url=oracel://host/db")
    program(*orders, "url=postgres://rep:secret@host/orders")
    assert "[orders-address]" in program.refused("connection", "set", "Harbor", "orders", "url=orders.db")
    files = ("connection", "add", "Harbor", "files", "pocketadvantage", "drop=local")
    assert "[root-not-whole]" in program.refused(*files, "root=relative")
    program(*files, f"root={tmp_path}")


def test_a_test_promises_no_other_try_and_ends_what_a_system_says_with_one_point(program: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    where = ("host=127.0.0.1", f"port={port}", "user=x")
    program("connection", "add", "Harbor", "gone", "pocketadvantage", *where)
    (step,) = program.json("connection", "test", "Harbor", "gone", code=1)
    assert re.search(r"Could not reach 127\.0\.0\.1 on port \d+: .*[^.]\.$", step["message"])
    assert step["hint"].startswith("If it stays so, check host")


def test_what_a_person_is_to_confirm_is_shown_as_the_command_that_does_it(program: Program) -> None:
    program("connection", "add", "Harbor", "new one", "locked", "password=right", "host=elsewhere")
    said = program("connection", "test", "Harbor", "new one", code=1).stderr
    assert said == 'Once confirmed: `routebooks connection set Harbor "new one" host=NEW`.\n'
    assert program.json("connection", "test", "Harbor", "new one", code=1)[0]["confirm"] == "host=NEW"


def test_a_test_tells_what_visits_have_shown(program: Program) -> None:
    house = program.house
    assert "No server runs" in program("connection", "test", "Harbor", "toy_caller", code=1).stdout
    house.serve()
    assert "has not called yet" in program("connection", "test", "Harbor", "toy_caller", code=1).stdout
    house.visit(Books({"customers": [record("1")]}))
    program("connection", "test", "Harbor", "toy_caller")
    house.clock.time += timedelta(days=2)
    assert "Auto-Run" in program("connection", "test", "Harbor", "toy_caller", code=1).stdout


def test_the_same_orders_are_read_by_one_connection_only(program: Program) -> None:
    program("company", "add", "Second", "--cust-id", "2")
    program("connection", "add", "Harbor", "shelf", "shelf", "url=here")
    for company in ("Harbor", "Second"):
        refused = program("connection", "add", company, "other", "shelf", "url=here", "pace=2", code=2)
        assert "orders-read-already" in refused.stderr
        assert "shelf of Harbor" in refused.stderr
    program("connection", "add", "Second", "other", "shelf", "url=here", "query=mine")
    assert "orders-read-already" in program("connection", "set", "Second", "other", "query=all", code=2).stderr
    program("connection", "set", "Second", "other", "pace=3")
    program("connection", "remove", "Harbor", "shelf", "--yes")
    program("connection", "set", "Second", "other", "query=all")


def test_another_way_to_write_an_address_does_not_make_the_same_orders_others(program: Program) -> None:
    orders = ("connection", "add", "Harbor")
    program(*orders, "first", "pocketadvantage_orders", "url=postgresql://rep:old@db/orders")
    said = program.refused(*orders, "second", "pocketadvantage_orders", "url=postgres://rep:new@db:5432/orders")
    assert "[orders-read-already]" in said
    program(*orders, "third", "pocketadvantage_orders", "url=postgresql://rep:old@elsewhere/orders")


def test_blanks_in_a_query_do_not_make_the_same_orders_others(program: Program) -> None:
    program("connection", "add", "Harbor", "shelf", "shelf", "url=here", "query=all of them")
    refused = program("connection", "add", "Harbor", "other", "shelf", "url=here", "query=all  of\n them ", code=2)
    assert "orders-read-already" in refused.stderr
