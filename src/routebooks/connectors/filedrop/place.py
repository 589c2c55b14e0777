"""Puts a file in place so that nobody ever reads half of it, reads it back, and tries whether that works at all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from routebooks.connectors.base import Check, Placed
from routebooks.connectors.filedrop.base import (
    FOLDER_MISSING,
    LOG_IN_REFUSED,
    NOT_TRUSTED,
    RENAME_REFUSED,
    TLS_REFUSED,
    FileDrop,
)
from routebooks.errors import ConfigError, RoutebooksError, TransientError

#: the folder of temporary files, where they are not to lie beside the file
INCOMING = ".incoming"
#: a name that PocketAdvantage does not read
_PROBE = ".routebooks-probe"
_PROBE_DATA = b"Routebooks tests this connection.\r\n"


def place(drop: FileDrop, folder: str, name: str, data: bytes, temporary: str = "suffix") -> Placed:
    """Write under a temporary name, check the size, rename over; the folder is made when missing. Repeatable.

    `temporary` is "suffix" (name.part, beside the file) or "folder" (.incoming/name). The file is always a whole one.
    Where the server refuses to rename over a file, the old one is removed first; should we break off just then, the new
    one lies complete under the temporary name with .ready behind, and the next call finishes that rename first.
    Raises TransientError, ConfigError.
    """
    temp = _temporary_name(name, temporary)
    ready = f"{temp}.ready"
    _make_folders(drop, folder, temporary)
    _finish(drop, folder, ready, name)
    drop.write(folder, temp, data)
    _check_size(drop, folder, temp, len(data))
    try:
        drop.rename(folder, temp, name)
    except ConfigError as error:
        if error.problem.code != RENAME_REFUSED or drop.size(folder, name) is None:
            raise
        drop.rename(folder, temp, ready)
        drop.remove(folder, name)
        drop.rename(folder, ready, name)
    return Placed(drop.address(folder, name), len(data))


def fetch(drop: FileDrop, folder: str, name: str) -> bytes | None:
    """The bytes of a file; None when it is not there, its folder included. Raises TransientError, ConfigError."""
    try:
        return drop.read(folder, name)
    except ConfigError as error:
        if error.problem.code == FOLDER_MISSING or drop.size(folder, name) is None:
            return None
        raise


def check(drop: FileDrop, folder: str, temporary: str = "suffix") -> list[Check]:
    """Do with a small probe file what `place` does: one line a step, ending at the first that fails. Raises nothing."""
    done: list[Check] = []
    reached = Check("reach", True, f"{drop.address()} answers.")
    step = "reach"
    try:
        with drop:
            done.append(reached)
            if trust := drop.trust():
                done.append(Check("trust", True, trust))
            done.append(Check("log in", True))
            try:
                for step, attempt in _STEPS.items():
                    done.append(Check(step, True, attempt(drop, folder, temporary)))
            except ConfigError:
                _clear_probe(drop, folder, temporary)
                raise
    except RoutebooksError as error:
        if error.problem.code in _AFTER_REACH:
            done.append(reached)
            step = _AFTER_REACH[error.problem.code]
        done.append(Check(step, False, error.problem.message, error.problem.hint))
    except Exception as error:  # a test shows what it met; it never breaks the page that shows it
        done.append(Check(step, False, f"Unexpected: {type(error).__name__}.", "Tell the makers of Routebooks."))
    return done


def _try_list(drop: FileDrop, folder: str, temporary: str) -> str:
    _make_folders(drop, folder, temporary)
    return f"{drop.address(folder)} holds {len(drop.names(folder))} files and folders."


def _try_write(drop: FileDrop, folder: str, temporary: str) -> str:
    temp = _temporary_name(_PROBE, temporary)
    drop.write(folder, temp, _PROBE_DATA)
    _check_size(drop, folder, temp, len(_PROBE_DATA))
    return "A small file arrived whole."


def _try_rename(drop: FileDrop, folder: str, temporary: str) -> str:
    temp = _temporary_name(_PROBE, temporary)
    if drop.size(folder, _PROBE) is None:
        drop.rename(folder, temp, _PROBE)
        drop.write(folder, temp, _PROBE_DATA)
    try:
        drop.rename(folder, temp, _PROBE)
    except ConfigError as error:
        if error.problem.code != RENAME_REFUSED:
            raise
        return "It works, but not over an existing file: the old file is removed first and is absent for a moment."
    return "A file is replaced in one step."


def _try_remove(drop: FileDrop, folder: str, temporary: str) -> str:
    drop.remove(folder, _PROBE)
    drop.remove(folder, _temporary_name(_PROBE, temporary))
    return "The small file is gone again."


_STEPS: dict[str, Callable[[FileDrop, str, str], str]] = {
    "list": _try_list,
    "write": _try_write,
    "rename": _try_rename,
    "remove": _try_remove,
}
#: where a test stands that the server refused before the first step, by the code of the refusal
_AFTER_REACH = {LOG_IN_REFUSED: "log in", NOT_TRUSTED: "trust", TLS_REFUSED: "trust"}


def _clear_probe(drop: FileDrop, folder: str, temporary: str) -> None:
    for name in (_PROBE, _temporary_name(_PROBE, temporary)):
        with suppress(RoutebooksError):
            drop.remove(folder, name)


def _temporary_name(name: str, temporary: str) -> str:
    return f"{name}.part" if temporary == "suffix" else f"{INCOMING}/{name}"


def _make_folders(drop: FileDrop, folder: str, temporary: str) -> None:
    drop.make_folder(folder)
    if temporary != "suffix":
        drop.make_folder(f"{folder.rstrip('/')}/{INCOMING}" if folder else INCOMING)


def _finish(drop: FileDrop, folder: str, ready: str, name: str) -> None:
    """Finish a rename that an earlier call could not; or clear away what it left when the old file is still there."""
    if drop.size(folder, ready) is None:
        return
    if drop.size(folder, name) is None:
        drop.rename(folder, ready, name)
    else:
        drop.remove(folder, ready)


def _check_size(drop: FileDrop, folder: str, name: str, expected: int) -> None:
    size = drop.size(folder, name)
    if size == expected:
        return
    with suppress(RoutebooksError):
        drop.remove(folder, name)
    raise TransientError(
        f"'{name}' did not arrive whole: {size or 0} of {expected} bytes.",
        hint="It is sent again by itself. If it stays so, the server may be full or may change line ends.",
        code="upload-incomplete",
    )
