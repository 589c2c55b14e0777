"""The whole program: every command helps, shows examples that parse, and speaks JSON."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from cli_examples import commands, examples_of, parse, words_of
from routebooks import app
from routebooks.errors import ConfigError
from routebooks.settings import load
from routebooks.store import companies

ROOT: Any = get_command(app.build())


COMMANDS = dict(commands(ROOT))


def test_the_nouns_are_those_of_the_design() -> None:
    assert {path[0] for path in COMMANDS} == {
        *("company", "connection", "flow", "run", "rejected", "order", "file", "alert", "status"),
        *("serve", "sandbox", "demo"),
    }


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_helps_with_examples_and_speaks_json(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert command.help
    assert examples_of(command)
    assert "--json" in [option for parameter in command.params for option in parameter.opts]


@pytest.mark.parametrize(
    ("path", "example"),
    [((), example) for example in examples_of(ROOT)]
    + [(path, example) for path, command in COMMANDS.items() for example in examples_of(command)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_example_parses(
    path: tuple[str, ...], example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "harbor.qwc").write_bytes(b"<QBWCXML/>")
    assert parse(ROOT, words_of(example))[: len(path)] == path


def program(home: Path, *args: str, code: int = 0) -> str:
    """What a command of the whole program says, on both streams."""
    done = CliRunner().invoke(app.build(), ["--home", str(home), *args])
    assert done.exit_code == code, done.output
    return done.output


ADD = ("company", "add", "Harbor", "--cust-id", "4711")


def test_where_an_installation_begins_is_told_once(tmp_path: Path) -> None:
    home = tmp_path / "new"
    assert f"A new installation begins in {home}.\n" in program(home, *ADD)
    assert "begins" not in program(home, "company", "add", "Bay", "--cust-id", "2")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps rights in another way")
@pytest.mark.parametrize("made", [False, True])
def test_only_its_owner_reads_an_installation(tmp_path: Path, made: bool) -> None:
    home = tmp_path / "home"
    if made:
        home.mkdir()
        home.chmod(0o755)
    program(home, *ADD)
    assert home.stat().st_mode & 0o777 == (0o755 if made else 0o700)
    files = [file for file in home.iterdir() if file.is_file()]
    assert {file.name for file in files} >= {"key", "routebooks.db", "durable.db"}
    assert {file.stat().st_mode & 0o077 for file in files} == {0}


def test_a_lost_key_is_told_and_not_replaced(tmp_path: Path) -> None:
    program(tmp_path, *ADD)
    (tmp_path / "key").unlink()
    for command in (("status",), ("company", "add", "Bay", "--cust-id", "2"), ("serve",)):
        assert "key-missing" in program(tmp_path, *command, code=2)
    assert not (tmp_path / "key").exists()


@pytest.mark.parametrize("emptied", [False, True])
def test_a_lost_database_is_told_and_not_replaced(tmp_path: Path, emptied: bool) -> None:
    program(tmp_path, *ADD)
    for file in tmp_path.glob("routebooks.db*"):
        file.unlink()
    if emptied:
        (tmp_path / "routebooks.db").write_bytes(b"")
    for command in (("status",), ADD, ("serve",)):
        assert "database-missing" in program(tmp_path, *command, code=2)
    (tmp_path / "key").unlink()
    program(tmp_path, *ADD)


@pytest.mark.parametrize("command", [("status",), ("run", "list"), ("connection", "list"), ("company", "list")])
def test_a_command_that_reads_makes_no_installation(tmp_path: Path, command: tuple[str, ...]) -> None:
    home = tmp_path / "mistyped"
    assert "home-missing" in program(home, *command, code=2)
    assert not home.exists()


def test_a_key_that_could_not_be_written_at_the_first_start_is_made_at_the_next(tmp_path: Path) -> None:
    app.context(load(home=tmp_path)).store.close()
    (tmp_path / "key").unlink()
    assert f"No company yet in {tmp_path}" in program(tmp_path, "status")
    assert (tmp_path / "key").exists()


def test_on_postgresql_a_lost_key_is_told_too(tmp_path: Path, fresh_postgres: str) -> None:
    settings = load(home=tmp_path / "one", database_url=fresh_postgres)
    ctx = app.context(settings)
    with ctx.store.begin() as tx:
        companies.add_company(tx, name="Harbor", cust_id="1", time_zone="UTC", now=ctx.now())
    ctx.store.close()
    with pytest.raises(ConfigError) as caught:
        app.context(load(home=tmp_path / "two", database_url=fresh_postgres), begin=False)
    assert caught.value.problem.code == "key-missing"
    assert not (tmp_path / "two").exists()


def test_a_damaged_database_is_told_in_a_sentence(tmp_path: Path) -> None:
    settings = load(home=tmp_path)
    app.context(settings).store.close()
    (tmp_path / "routebooks.db").write_bytes(b"no database" * 1000)
    assert "database-damaged" in program(tmp_path, "status", code=1)
    assert not (tmp_path / "last-error.txt").exists()


@pytest.mark.parametrize("address", ["nonsense://place", "s3://bucket/folder"])
def test_a_place_for_artifacts_of_an_unknown_kind_is_told(tmp_path: Path, address: str) -> None:
    with pytest.raises(ConfigError) as caught:
        app.context(load(home=tmp_path, artifacts_url=address))
    assert caught.value.problem.code == "artifacts-unusable"


def test_a_home_without_a_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app.build(), ["--home", "", "status"])
    assert done.exit_code == 2
    assert "setting-wrong" in done.stderr
    assert not list(tmp_path.iterdir())
