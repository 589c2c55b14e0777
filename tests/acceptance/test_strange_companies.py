"""Companies with strange names: what the sandbox holds is what the files say."""

from __future__ import annotations

from pathlib import Path

from nights import Nights, NightServer


def test_keys_that_the_file_writes_alike_are_set_aside_and_the_others_go(
    nights_at: NightServer, tmp_path: Path
) -> None:
    at = Nights(nights_at, tmp_path, files={"encoding": "ascii"})
    numbers = {"Plain": "100", "One": "Ø1", "Two": "O1", "Nothing": "\N{SOFT HYPHEN}"}
    for name, number in numbers.items():
        at.books.add("Customer", Name=name, AccountNumber=number)
    run = at.night("customers")["customers"]
    assert [row[1] for row in at.rows("customers")] == ["100"]
    assert at.rejected("customers", "customers_with_past_due") == {
        ("O1", "key-double"): 2,
        ("Nothing", "key-blank"): 1,
    }
    assert [note["code"] for note in run.notes] == ["text-replaced"]
    at.close()
