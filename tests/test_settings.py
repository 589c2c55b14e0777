"""Settings: what is taken, what is refused in words of ours, and what follows from one for another."""

from __future__ import annotations

from pathlib import Path

import pytest

from routebooks.errors import ConfigError, Problem
from routebooks.settings import FILE_NAME, Settings, load


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ROUTEBOOKS_{name.upper()}", raising=False)
    monkeypatch.setenv("ROUTEBOOKS_HOME", str(tmp_path))


def refusal() -> Problem:
    with pytest.raises(ConfigError) as caught:
        load()
    return caught.value.problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("port", value) for value in ("99999", "0", "-1", "8420.5", "http")),
        *(("tick_seconds", value) for value in ("0", "-1", "nan", "inf", "soon", "3601")),
        *(("public_url", value) for value in ("books.example.com", "ftp://a", "https://a:99999", "https://[a")),
        ("home", "~nobody-of-this-name/books"),
    ],
)
def test_a_wrong_setting_is_told_with_what_may_be_written(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"ROUTEBOOKS_{name.upper()}", value)
    problem = refusal()
    assert (problem.code, problem.message) == ("setting-wrong", f"The setting {name} cannot be {value!r}.")
    assert problem.hint.startswith("Write ")
    assert f"ROUTEBOOKS_{name.upper()}" in problem.hint
    assert "input" not in problem.hint.lower()


def test_a_home_without_a_name_is_refused_where_it_is_given() -> None:
    with pytest.raises(ConfigError, match="The setting home cannot be ''"):
        load(home="")


def test_a_variable_that_is_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(f"ROUTEBOOKS_{name.upper()}", "")
    settings = load()
    assert settings.home == Path("~/.routebooks").expanduser()
    assert (settings.port, settings.host) == (8420, "127.0.0.1")


@pytest.mark.parametrize(
    ("line", "code"),
    [("prot = 1", "setting-unknown"), ("port = ", "settings-unreadable"), ("key = 1", "setting-wrong")],
)
def test_a_wrong_line_of_the_file_is_told(tmp_path: Path, line: str, code: str) -> None:
    (tmp_path / FILE_NAME).write_text(line, encoding="utf-8")
    problem = refusal()
    assert problem.code == code
    assert problem.hint


def test_the_place_of_a_mistake_in_the_file_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("port = 8500\npublic_url = http://localhost", encoding="utf-8")
    problem = refusal()
    assert "line 2" in problem.message
    assert "quotation marks" in problem.hint
    assert problem.detail == ""


def test_a_secret_that_is_wrong_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("key = 12345", encoding="utf-8")
    assert "12345" not in str(refusal())


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / FILE_NAME).write_text("port = 9001\nhost = '0.0.0.0'\n", encoding="utf-8")
    monkeypatch.setenv("ROUTEBOOKS_PORT", "9002")
    settings = load()
    assert (settings.port, settings.host) == (9002, "0.0.0.0")


def test_the_web_connector_is_sent_to_the_port_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().public_url == "http://localhost:8420"
    monkeypatch.setenv("ROUTEBOOKS_PORT", "9002")
    assert load().public_url == "http://localhost:9002"
    monkeypatch.setenv("ROUTEBOOKS_PUBLIC_URL", "https://books.example.com/rb/")
    assert load().public_url == "https://books.example.com/rb"
