"""The examples in the help that only look: each is run as it stands, on an installation that has what they name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import house as houses
from cli_examples import commands, examples_of, words_of
from cli_program import APP, Program
from house import Books, record, records
from routebooks.cli import output
from routebooks.connectors.registry import CONNECTORS
from routebooks.store import alerts

COMMANDS = dict(commands(get_command(APP)))

#: the verbs that change nothing in the installation
LOOKING = {"list", "show", "settings", "get", "status", "watch"}
#: commands of other verbs that change nothing
ALSO_LOOKING = {("connection", "test"), ("connection", "qwc")}
CHANGING = {
    *("add", "set", "rename", "remove", "password", "pause", "resume", "window", "confirm", "rebind"),
    *("silent-after", "late-after"),
    *("on", "off", "run", "schedule", "cancel", "resolve", "drop", "retry", "release", "resend", "test", "map"),
}
EXAMPLES = [
    example
    for path, command in COMMANDS.items()
    if path[-1] in LOOKING or path in ALSO_LOOKING
    for example in examples_of(command)
]
#: of a command that changes things, the example that looks
ALSO = [
    f"routebooks flow {words}" for words in ("schedule Harbor items", "set Harbor customers", "map Harbor customers")
]
EXAMPLES += ALSO


def test_every_command_is_known_to_look_or_to_change() -> None:
    verbs = {path[-1] for path in COMMANDS}
    assert verbs == LOOKING | CHANGING | {path[-1] for path in ALSO_LOOKING}
    assert set(ALSO) <= {example for command in COMMANDS.values() for example in examples_of(command)}


@pytest.fixture(scope="module")
def harbor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A company as the examples name it: twelve runs, seven files, rejected records, an alert, and two orders."""
    house = houses.build(tmp_path_factory.mktemp("harbor"))
    connectors: Any = house.ctx.connectors
    connectors |= CONNECTORS
    program = Program(house)
    for before, name in (("toy_caller", "quickbooks"), ("toy_files", "files"), ("toy_orders", "orders")):
        program("connection", "rename", "Harbor", before, name)
    bad = [record("", f"Nameless {number}") for number in range(3)]
    books = Books({"customers": [record("1"), *bad], "items": records([1])})
    for name in ("customers", "items") * 5:
        house.run(name)
        house.visit(books)
        house.tick()
    for key in ("A-1001", "A-1002"):
        house.orders.put(key, "1", "1")
    house.run("orders")
    house.visit(lambda asked: {"outcome": "hold"} if asked.get("key") == "A-1002" else books(asked))
    house.tick()
    with house.ctx.store.begin() as tx:
        alerts.add_alert(tx, name="office", company_id=None, kind="JSON", address="", now=house.clock())
    house.serve()
    house.run("customers")
    house.visit(books)
    house.tick()
    yield program
    house.ctx.store.close()


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_that_looks_shows_something(
    harbor: Program, example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = harbor.audit()
    words = words_of(example)
    # Something needs a person, and records were rejected.
    code = {"--check": 1, "watch": 3}
    said = harbor(*words, code=next((code[word] for word in words if word in code), 0))
    assert said.stdout.strip() or list(tmp_path.iterdir())
    if "--json" in words:
        assert json.loads(said.stdout)
    assert not [line for line in said.stdout.splitlines() if line.startswith("No ")]
    assert harbor.audit() == before


@pytest.mark.parametrize("example", [each for each in EXAMPLES if not each.endswith(("--json", "customer.fil"))])
def test_what_is_shown_fits_a_hundred_columns(
    harbor: Program, example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(output, "on_screen", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")
    words = words_of(example)
    shown = harbor(*words, code=3 if "watch" in words else 0).stdout.splitlines()
    assert [line for line in shown if len(re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip()) > 100] == []
