"""Every error a person can meet, sorted by what is to be done about it."""

from __future__ import annotations

from dataclasses import dataclass

#: the beginning of the hint of what passes by itself while a run is at work
AGAIN = "It is tried again by itself."


def ended(text: str) -> str:
    """What another system said, with one point at its end."""
    return f"{text.rstrip(' .')}."


@dataclass(frozen=True)
class Problem:
    """What went wrong, in the user's words: the message, what to do now, a stable code and the raw answer."""

    code: str
    message: str
    hint: str = ""
    detail: str = ""


class RoutebooksError(Exception):
    """The base of all our errors; raise one of the four kinds below, never this one."""

    def __init__(self, message: str, *, hint: str = "", code: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(code or self.default_code, message, hint, detail)

    default_code = "error"

    @classmethod
    def of(cls, problem: Problem) -> RoutebooksError:
        """The error that carries a problem which is already at hand."""
        return cls(problem.message, hint=problem.hint, code=problem.code, detail=problem.detail)


class ConfigError(RoutebooksError):
    """A setting, a map or a command is wrong: a person changes it, then tries again."""

    default_code = "config"


class TransientError(RoutebooksError):
    """It may well work later (a server is away, a record is in use): wait and try again."""

    default_code = "transient"


class RecordError(RoutebooksError):
    """One record cannot go: set it aside with its cure, go on with the others."""

    default_code = "record"


class FatalError(RoutebooksError):
    """Going on could do harm (wrong company file, a broken file): stop and tell."""

    default_code = "fatal"
