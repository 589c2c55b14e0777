"""The program as a whole: its help, its examples, its global options, and how it ends."""

from __future__ import annotations

import errno
import json
import logging
import re
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
import typer
from typer.main import get_command
from typer.testing import CliRunner

from cli_examples import commands, examples_of, parse
from routebooks import __version__, cli
from routebooks.cli.output import facts, output
from routebooks.cli.params import Json, examples
from routebooks.cli.state import state_of
from routebooks.engine.context import Context
from routebooks.errors import ConfigError, FatalError, RecordError, RoutebooksError, TransientError
from routebooks.settings import Settings


def untouched(settings: Settings, *, begin: bool = True) -> Context:
    raise AssertionError("the context was made")


APP = cli.build(untouched)
ROOT = get_command(APP)


COMMANDS = dict(commands(ROOT))


def test_the_commands_are_those_of_the_design() -> None:
    nouns: dict[str, set[str]] = {}
    for path in COMMANDS:
        nouns.setdefault(path[0], set()).update(path[1:])
    assert nouns == {
        "company": {"add", "list", "set", "rename", "remove"},
        "connection": {
            *("add", "list", "show", "set", "settings", "test", "qwc", "password"),
            *("pause", "resume", "window", "silent-after", "confirm", "rebind", "rename", "remove"),
        },
        "flow": {"add", "list", "show", "set", "on", "off", "late-after", "map", "schedule", "run", "rename", "remove"},
        "run": {"list", "show", "watch", "cancel"},
        "rejected": {"list", "show", "resolve"},
        "order": {"list", "show", "retry", "drop"},
        "file": {"list", "get", "show", "release", "resend"},
        "alert": {"add", "list", "test", "remove"},
        "status": set(),
    }


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_a_sentence_and_examples_and_json(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert command.help[0].isupper()
    assert command.help.endswith(".")
    assert examples_of(command)
    assert all(line.startswith(f"routebooks {' '.join(path)}") for line in examples_of(command))
    assert "--json" in [opt for param in command.params for opt in param.opts]
    assert all(param.help for param in command.params)


def test_an_example_with_a_wrong_option_would_not_parse() -> None:
    with pytest.raises(typer.TyperException):
        parse(ROOT, ["run", "list", "--nonsense"])


@pytest.mark.parametrize("path", [(), *sorted({path[:1] for path in COMMANDS}), *COMMANDS], ids=" ".join)
def test_help_touches_nothing(path: tuple[str, ...], tmp_path: Path) -> None:
    result = CliRunner().invoke(APP, ["--home", str(tmp_path / "none"), *path, "--help"])
    assert result.exit_code == 0
    assert "Usage: " in result.stdout
    assert not [line for line in result.stdout.splitlines() if re.search(r"[a-z]\.\.\.$", line)], "a sentence is cut"
    assert not (tmp_path / "none").exists()
    if not path or path in COMMANDS:
        assert "\n  Examples:\n    routebooks " in result.stdout


def test_the_version_is_told() -> None:
    result = CliRunner().invoke(APP, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"Routebooks {__version__}\n")


@pytest.mark.parametrize(
    "args", [["run", "shwo"], ["nonsense"], ["run", "list", "--limit", "0"], ["run", "show", "one"], ["company", "add"]]
)
def test_wrong_usage_ends_with_2(args: list[str]) -> None:
    result = CliRunner().invoke(APP, args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error: " in result.stderr


def test_a_misspelt_command_is_guessed() -> None:
    assert "Did you mean 'show'?" in CliRunner().invoke(APP, ["run", "shwo", "1"]).stderr


def test_home_is_handed_to_the_settings(tmp_path: Path) -> None:
    seen: list[Path] = []

    def make(settings: Settings, *, begin: bool = True) -> Context:
        seen.append(settings.home)
        raise ConfigError("Enough seen.")

    CliRunner().invoke(cli.build(make), ["--home", str(tmp_path / "there"), "company", "list"])
    CliRunner().invoke(cli.build(make), ["company", "list"])
    assert seen == [tmp_path / "there", tmp_path / "home"]


def failing(error: BaseException) -> typer.Typer:
    def make(settings: Settings, *, begin: bool = True) -> Context:
        raise error

    return cli.build(make)


@pytest.mark.parametrize(("kind", "code"), [(ConfigError, 2), (TransientError, 1), (FatalError, 1), (RecordError, 1)])
def test_an_error_is_a_sentence_with_hint_and_code(kind: type[RoutebooksError], code: int) -> None:
    error = kind("It is away.", hint="Wait a while.", code="so-it-is", detail="raw")
    result = CliRunner().invoke(failing(error), ["company", "list", "--json"])
    assert result.exit_code == code
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert lines[:2] == ["It is away. [so-it-is]", "  Wait a while."]
    assert "raw" not in result.stderr
    assert "--verbose" in lines[2]
    shown = CliRunner().invoke(failing(error), ["--verbose", "company", "list"]).stderr
    assert "  Detail: raw" in shown.splitlines()


def test_a_foreign_text_in_an_error_cannot_steer_the_terminal() -> None:
    result = CliRunner().invoke(failing(FatalError("Bad \x1b[2J name", hint="a\x07b")), ["company", "list"])
    assert "\x1b" not in result.stderr
    assert "\x07" not in result.stderr


def test_an_unforeseen_error_is_one_sentence_and_its_detail_is_kept(tmp_path: Path) -> None:
    app = failing(KeyError("hidden words"))
    result = CliRunner().invoke(app, ["company", "list"])
    kept = tmp_path / "home" / "last-error.txt"
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "Something went wrong inside Routebooks (KeyError). [internal]" in result.stderr
    assert str(kept) in result.stderr
    assert "hidden words" not in result.stderr
    assert "KeyError: 'hidden words'" in kept.read_text()
    assert "hidden words" in CliRunner().invoke(app, ["--verbose", "company", "list"]).stderr


def test_an_unforeseen_error_without_a_home_leads_to_verbose(tmp_path: Path) -> None:
    result = CliRunner().invoke(failing(KeyError("x")), ["--home", str(tmp_path / "none"), "company", "list"])
    assert result.exit_code == 1
    assert "`--verbose` shows the detail" in result.stderr
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (sa.exc.OperationalError("SELECT 1", {}, Exception("disk is full")), "database-away"),
        (PermissionError(13, "Permission denied", "the key"), "file-unusable"),
    ],
)
def test_trouble_of_the_computer_is_named(error: Exception, code: str) -> None:
    result = CliRunner().invoke(failing(error), ["company", "list"])
    assert result.exit_code == 1
    assert f"[{code}]" in result.stderr
    assert "Routebooks (" not in result.stderr


def test_ctrl_c_ends_quietly_with_130() -> None:
    result = CliRunner().invoke(failing(KeyboardInterrupt()), ["company", "list"])
    assert (result.exit_code, result.output) == (130, "")


def test_a_prompt_that_is_broken_off_ends_with_130() -> None:
    result = CliRunner().invoke(failing(typer.Abort()), ["company", "list"])
    assert (result.exit_code, result.output) == (130, "")


def test_a_reader_that_went_away_is_no_error() -> None:
    result = CliRunner().invoke(failing(BrokenPipeError(errno.EPIPE, "Broken pipe")), ["company", "list"])
    assert (result.exit_code, result.output) == (1, "")


def test_run_takes_what_was_typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["anything", "--version"])
    with pytest.raises(SystemExit) as ended:
        cli.run(APP)
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("Routebooks ")


def test_commands_can_be_mounted(tmp_path: Path) -> None:
    app = cli.build(untouched)

    @app.command(epilog=examples("extra"))
    def extra(ctx: typer.Context, as_json: Json = False) -> None:
        """Say where home is."""
        home = str(state_of(ctx).settings.home)
        output({"home": home}, as_json, facts([("home", home)]))

    said = CliRunner().invoke(app, ["extra", "--json"]).stdout
    assert json.loads(said) == {"home": str(tmp_path / "home")}
    assert CliRunner().invoke(app, ["extra"]).stdout == f"home  {tmp_path / 'home'}\n"


def test_a_logged_traceback_shows_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    cli.log_to_stderr(logging.INFO)

    def sign_in(password: str) -> int:
        return len(password) // 0

    try:
        sign_in("-".join(["open", "sesame"]))
    except ZeroDivisionError:
        structlog.get_logger().exception("sign in failed")
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert "open-sesame" not in said
