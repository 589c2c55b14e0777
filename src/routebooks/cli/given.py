"""Settings as they are typed: name=value, a secret from standard input, or asked for at the terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from routebooks.connectors.base import Connector, Setting
from routebooks.errors import ConfigError


def pairs(texts: Sequence[str]) -> dict[str, str]:
    """name=value, each name once. Raises ConfigError, which does not repeat what may have been meant as a secret."""
    given: dict[str, str] = {}
    for number, text in enumerate(texts, start=1):
        name, equals, value = text.partition("=")
        if not equals or not name or name in given:
            raise ConfigError(
                f"Setting number {number} of those given is not name=value, or its name is given twice.",
                hint="Write each setting once, as name=value; quote it when the value has blanks.",
                code="setting-unreadable",
            )
        given[name] = value
    return given


def secret_from_stdin(
    kind: Connector, given: dict[str, str], before: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """With a secret from standard input: the one given as NAME=-, else the only one that was not typed.

    `before` are the settings of a connection that is being changed. Raises ConfigError when it is not one secret.
    """
    marked = [setting for setting in kind.settings if setting.secret and given.get(setting.name) == "-"]
    open_ones = marked or _open_secrets(kind, given, before)
    if len(open_ones) != 1:
        names = " and ".join(setting.name for setting in open_ones) or "none"
        raise ConfigError(
            f"--secret-stdin is for one secret setting, but of {kind.title} {names} can be given.",
            hint="Write NAME=- for the one that it is, or give the other secrets as name=value.",
            code="secret-not-one",
        )
    setting = open_ones[0]
    if at_terminal():
        return {**given, setting.name: ask(setting)}
    # a private key has several lines
    value = (sys.stdin.read() if marked else sys.stdin.readline()).rstrip("\r\n")
    if not value:
        raise ConfigError(
            f"Nothing came from standard input for {setting.name}.",
            hint=f"Send it there: `printf %s SECRET | routebooks …`. `{setting.name}=` makes it empty.",
            code="secret-missing",
        )
    return {**given, setting.name: value}


def no_dash(kind: Connector, given: Mapping[str, str]) -> None:
    """That no secret is the sign which stands for standard input, where that is not read. Raises ConfigError."""
    marked = [setting.name for setting in kind.settings if setting.secret and given.get(setting.name) == "-"]
    if marked:
        raise ConfigError(
            f"{marked[0]}=- means that {marked[0]} comes from standard input, and nothing was told to read it.",
            hint="Add --secret-stdin.",
            code="secret-not-read",
        )


def asked_secrets(kind: Connector, given: dict[str, str]) -> dict[str, str]:
    """What was typed, and at a terminal the answers for the secrets that were not; an empty answer gives none."""
    if not at_terminal():
        return given
    answers = {setting.name: ask(setting) for setting in _open_secrets(kind, given)}
    return {**given, **{name: answer for name, answer in answers.items() if answer}}


def _open_secrets(kind: Connector, given: dict[str, str], before: Mapping[str, Any] | None = None) -> list[Setting]:
    said = {setting.name: setting.default for setting in kind.settings} | dict(before or {}) | given
    return [
        setting
        for setting in kind.settings
        if setting.secret
        and setting.name not in given
        and (setting.only_with is None or said.get(setting.only_with[0]) == setting.only_with[1])
    ]


def at_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()


def ask(setting: Setting) -> str:
    """A secret, typed unseen; asked on standard error, so that standard output holds the answer alone."""
    none = "" if setting.default is None else "; Enter for none"
    text = f"{setting.name} ({setting.help.rstrip('.')}{none})"
    return str(typer.prompt(text, default="", hide_input=True, show_default=False, err=True))


def confirmed(name: str, yes: bool) -> None:
    """That a person means what is to be removed: said with --yes, or by typing its name again. Raises ConfigError."""
    if yes:
        return
    if not at_terminal():
        raise ConfigError(
            f"Nobody has confirmed that {name} is to be removed.",
            hint="Say it with --yes where nobody can be asked.",
            code="not-confirmed",
        )
    # Not Typer's prompt: for a text that is seen it writes to standard output as well.
    typer.echo(f"Type {name} to remove it: ", nl=False, err=True)
    if sys.stdin.readline().strip() != name:
        raise ConfigError(f"That is not {name}; nothing was removed.", code="not-confirmed")


def nothing() -> ConfigError:
    """What to raise when nothing was typed."""
    return ConfigError("Nothing is to be changed.", hint="Give settings as name=value.", code="nothing-to-change")


def word(what: str, text: str) -> str:
    """A name or id that can be typed again and put into a list. Raises ConfigError."""
    if not text.strip() or text != text.strip() or not text.isprintable():
        raise ConfigError(
            f"{what} cannot be {text!r}.",
            hint="Write letters, digits and signs that can be seen, without blanks around them.",
            code="text-unfit",
        )
    return text
