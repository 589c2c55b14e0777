"""Every status has a kind and a cure."""

from __future__ import annotations

import pytest

from routebooks.connectors.base import Outcome
from routebooks.connectors.quickbooks_desktop.status_codes import problem, refusal, status, table
from routebooks.connectors.quickbooks_desktop.status_table import CODES, OTHER

#: Every code that the reference names, with what follows.
NAMED = {
    Outcome.OK: (0,),
    Outcome.EMPTY: (1,),
    Outcome.PARTIAL: (500, 501, 510, 530, 531, 550, 560, 570),
    Outcome.RETRY: (1000, 1010, 3175, 3176, 3180, 3200, 3231, 3391),
    Outcome.HOLD: (
        *(1030, 1060, 3000, 3010, 3020, 3030, 3031, 3035, 3040, 3045, 3050, 3060, 3070, 3085),
        *(3100, 3120, 3140, 3150, 3151, 3160, 3170, 3210),
    ),
    Outcome.STOP: (3250, 3260, 3261, 9004),
    Outcome.UNKNOWN: (600, 9001, 9002, 9005),
}


def test_the_table_holds_the_codes_of_the_reference_and_no_others() -> None:
    assert {code: outcome for outcome, codes in NAMED.items() for code in codes} == {
        code: row.outcome for code, row in CODES.items()
    }


def test_every_row_has_plain_words_and_a_cure() -> None:
    for row in table():
        for words in (row.message, row.cure):
            assert words[0].isupper(), row.code
            assert words.endswith("."), row.code
            assert len(words) > 10, row.code
    assert len({row.code for row in table()}) == len(table())


@pytest.mark.parametrize("code", CODES)
def test_every_code_tells_its_problem(code: int) -> None:
    outcome, told = problem(code, "Error", "There was an error in the field Rate.")
    assert outcome is CODES[code].outcome
    assert told.code == f"qb-{code}"
    assert told.message == f"{CODES[code].message} QuickBooks says: There was an error in the field Rate."
    assert told.hint == CODES[code].cure
    assert str(code) in told.detail


@pytest.mark.parametrize(
    ("code", "severity", "outcome"),
    [
        (2, "Info", Outcome.OK),
        (2, "Error", Outcome.UNKNOWN),
        (777, "Warn", Outcome.PARTIAL),
        (777, "Error", Outcome.UNKNOWN),
        (1999, "Error", Outcome.RETRY),
        (2000, "Error", Outcome.HOLD),
        (3099, "Error", Outcome.HOLD),
        (3333, "Error", Outcome.HOLD),
        (9050, "Error", Outcome.UNKNOWN),
        (9100, "Error", Outcome.HOLD),
        (9200, "Error", Outcome.UNKNOWN),
        (-1, "", Outcome.UNKNOWN),
    ],
)
def test_a_code_without_a_row_follows_its_range(code: int, severity: str, outcome: Outcome) -> None:
    found, told = problem(code, severity, "")
    assert found is outcome
    assert told.code == f"qb-{code}"
    assert told.hint


def test_no_code_is_without_a_row() -> None:
    unnamed = [code for code in range(-5, 9300) if status(code) is OTHER]
    assert unnamed == [-5, -4, -3, -2, -1, *range(9200, 9300)]


def test_what_quickbooks_says_is_not_said_twice() -> None:
    words = "Another company file is open in QuickBooks."
    assert refusal("0x8004040A", words)[1].message == words
    assert refusal("0x8004040A", "Harbor.qbw is open.")[1].message == f"{words} It says: Harbor.qbw is open."


def test_what_quickbooks_says_is_cut_in_the_message_and_whole_in_the_detail() -> None:
    _, told = problem(3210, "Error", "x" * 5000)
    assert len(told.message) < 700
    assert "x" * 5000 in told.detail


@pytest.mark.parametrize(
    ("hresult", "outcome", "code"),
    [
        ("0x80040400", Outcome.HOLD, "qb-0x80040400"),
        ("0x80040401", Outcome.UNKNOWN, "qb-0x80040401"),
        ("80040402", Outcome.UNKNOWN, "qb-0x80040402"),
        (" 0X80040408 ", Outcome.RETRY, "qb-0x80040408"),
        ("-2147220458", Outcome.RETRY, "qb-0x80040416"),
        ("0x8004041A", Outcome.STOP, "qb-0x8004041A"),
        ("0x80041234", Outcome.UNKNOWN, "qb-0x80041234"),
        ("", Outcome.UNKNOWN, "qb-no-code"),
        ("not a code", Outcome.UNKNOWN, "qb-not a code"),
    ],
)
def test_an_hresult_tells_its_problem(hresult: str, outcome: Outcome, code: str) -> None:
    found, told = refusal(hresult, "QuickBooks found an error.")
    assert (found, told.code) == (outcome, code)
    assert "QuickBooks found an error." in told.message
    assert told.hint
    assert hresult in told.detail
