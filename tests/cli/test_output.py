"""What reaches standard output: whole when piped, within the terminal where there is one, harmless always."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import RenderableType

from routebooks.cli.output import cell, facts, heading, output, plain, record, say, table

Lines = Callable[..., list[str]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    def shown(*items: Any) -> list[str]:
        output(None, False, *items)
        return capsys.readouterr().out.splitlines()

    return shown


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch, width: int, made: Callable[[], RenderableType]) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    screen = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    output(None, False, made())
    monkeypatch.undo()
    return re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue()).splitlines()


def test_json_has_instants_as_iso_and_all_else_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    data = {"at": datetime(2026, 3, 1, 2, tzinfo=UTC), "day": date(2026, 3, 1), "sum": Decimal("1.50"), "none": None}
    output(data, True, "not shown")
    said = json.loads(capsys.readouterr().out)
    assert said == {"at": "2026-03-01T02:00:00+00:00", "day": "2026-03-01", "sum": "1.50", "none": None}


def test_a_piped_table_is_never_cut(lines: Lines) -> None:
    long = "word " * 200 + "end"
    shown = lines(table(("a", "b"), [("1", long), ("22", "x")], "none", wrap=("b",)))
    assert shown == ["a   b", f"1   {long}", "22  x"]


def test_a_table_without_rows_is_its_sentence(lines: Lines) -> None:
    assert lines(table(("a",), [], "Nothing yet.")) == ["Nothing yet."]


def test_names_that_look_like_markup_are_shown_as_they_are(lines: Lines) -> None:
    assert lines(table(("a",), [("[red]x[/red] :smile:",)], ""))[1] == "[red]x[/red] :smile:"
    assert lines(heading("[b]")) == ["", "[b]"]


def test_sentences_wrap_on_a_terminal_and_the_rest_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("A-1001", "one two three four five six seven eight nine")]
    shown = on_terminal(monkeypatch, 40, lambda: table(("number", "why"), rows, "", wrap=("why",)))
    assert [line.rstrip() for line in shown] == [
        "number  why",
        "A-1001  one two three four five six",
        "        seven eight nine",
    ]


def test_a_terminal_too_narrow_cuts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    row = ("a" * 30, "b" * 30, "some words that may wrap if need be")
    shown = on_terminal(monkeypatch, 40, lambda: table(("x", "y", "z"), [row], "", wrap=("z",)))
    assert " ".join(" ".join(shown[1:]).split()) == " ".join(row)
    assert len(shown) > 2


def test_facts_leave_out_what_is_not_there(lines: Lines) -> None:
    pairs = [("name", "Harbor"), ("none", None), ("empty", ""), ("on", True), ("off", False), ("zero", 0)]
    assert lines(facts(pairs)) == ["name  Harbor", "on    yes", "off   no", "zero  0"]


def test_a_record_shows_values_and_rows(lines: Lines) -> None:
    shown = lines(*record({"Name": "Ann", "rows": [{"a": 1}, {"a": 2, "b": 3}], "more": {"x": [1]}}))
    assert shown[:6] == ["Name  Ann", "", "rows", "a  b", "1", "2  3"]
    assert shown[6:8] == ["", "more"]
    assert json.loads("".join(shown[8:])) == {"x": [1]}
    assert lines(*record("plain")) == ["plain"]


@given(st.text())
def test_nothing_shown_holds_a_control_character(text: str) -> None:
    assert plain(text).isprintable()
    assert cell(text).isprintable()
    assert len(plain(text)) == len(text)


def test_say_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    say("one\x1b two")
    assert capsys.readouterr() == ("", "one  two\n")


def test_all_wraps_at_blanks_where_sentences_alone_cannot_make_it_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    row = ("Harbor", "2026-03-02 06:00 UTC", "the file of items, which is held back by a person")
    made = partial(table, ("company", "last run", "why"), [row], "", wrap=("why",))
    assert on_terminal(monkeypatch, 55, made)[1:] == [
        "Harbor   2026-03-02 06:00 UTC  the file of items, which",
        "                               is held back by a person",
    ]
    assert [line.rstrip() for line in on_terminal(monkeypatch, 36, made)] == [
        "company  last run      why",
        "Harbor   2026-03-02    the file of",
        "         06:00 UTC     items, which",
        "                       is held back",
        "                       by a person",
    ]


def test_rows_of_many_columns_say_once_what_is_the_same(lines: Lines) -> None:
    head = dict.fromkeys(("order", "customer", "date", "rep", "status"), "x")
    assert lines(*record({"rows": [{**head, "line": 1, "item": "a"}, {**head, "line": 2, "item": "b"}]})) == [
        *("", "rows", "order     x", "customer  x", "date      x", "rep       x", "status    x"),
        *("line  item", "1     a", "2     b"),
    ]
    assert lines(*record({"rows": [{**head, "line": 1, "item": "a"}]}))[-2:] == ["line      1", "item      a"]


def test_no_word_is_broken_but_in_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    row = ("quickbooks_desktop -> pocketadvantage", "/srv/pocketadvantage/drop/customer.fil")
    made = partial(table, ("from -> to", "address"), [row], "", wrap=("address",))
    assert [line.rstrip() for line in on_terminal(monkeypatch, 32, made)] == [
        "from -> to          address",
        "quickbooks_desktop  /srv/pocketa",
        "-> pocketadvantage  dvantage/dro",
        "                    p/customer.f",
        "                    il",
    ]
