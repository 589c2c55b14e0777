"""Puts a file in place so that nobody ever reads half of it, reads it back, and tries whether that works at all."""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Callable
from contextlib import suppress
from typing import IO

from routebooks.connectors.base import Check, Placed, at_once
from routebooks.connectors.filedrop.base import (
    FOLDER_MISSING,
    LOG_IN_REFUSED,
    NOT_TRUSTED,
    RENAME_REFUSED,
    TLS_REFUSED,
    UNSURE,
    FileDrop,
)
from routebooks.errors import ConfigError, RoutebooksError, TransientError

#: the folder of temporary files, where they are not to lie beside the file
INCOMING = ".incoming"
#: a name that PocketAdvantage does not read
_PROBE = ".routebooks-probe"
_PROBE_DATA = b"Routebooks tests this connection.\r\n"
#: hexadecimal digits that tell the bytes of one upload from those of another
_MARK_DIGITS = 12


def place(
    drop: FileDrop,
    folder: str,
    name: str,
    data: IO[bytes],
    temporary: str = "suffix",
    *,
    read_back: bool = False,
    before: Callable[[], None] = at_once,
) -> Placed:
    """Write under a temporary name, see that all arrived, rename over; the folder is made when missing. Repeatable.

    `temporary` is "suffix" (name.mark.part, beside the file) or "folder" (.incoming/name.mark). The mark is made of the
    bytes, so that a call with the same ones goes on where one before broke off. `read_back` compares every byte and not
    only the size. `before` is called when all is there, just before the file takes its place. The file is always a
    whole one. Where the server refuses to rename over a file, the old one is removed first; should we break off just
    then, the new one lies complete under the mark "ready", and the next call finishes that rename first. Raises
    TransientError, ConfigError, and what `before` raises.
    """
    mark = _mark(data)
    temp, ready = (_temporary_name(name, each, temporary) for each in (mark, "ready"))
    _make_folders(drop, folder, temporary)
    _finish(drop, folder, ready, name)
    _clear_others(drop, folder, name, mark, temporary)
    _upload(drop, folder, temp, data, read_back)
    before()
    try:
        drop.rename(folder, temp, name)
    except ConfigError as error:
        if error.problem.code != RENAME_REFUSED or drop.size(folder, name) is None:
            raise
        drop.rename(folder, temp, ready)
        drop.remove(folder, name)
        drop.rename(folder, ready, name)
    return Placed(drop.address(folder, name), _size(data))


def fetch(drop: FileDrop, folder: str, name: str) -> bytes | None:
    """The bytes of a file; None when it is not there, its folder included. Raises TransientError, ConfigError."""
    blocks: list[bytes] = []
    try:
        drop.read(folder, name, blocks.append)
        return b"".join(blocks)
    except ConfigError as error:
        if error.problem.code == FOLDER_MISSING or drop.size(folder, name) is None:
            return None
        raise


def check(drop: FileDrop, folder: str, temporary: str = "suffix", *, read_back: bool = False) -> list[Check]:
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
                    done.append(Check(step, True, attempt(drop, folder, temporary, read_back)))
            except ConfigError:
                _clear_probe(drop, folder, temporary)
                raise
    except RoutebooksError as error:
        problem = error.problem
        if problem.code in _AFTER_REACH:
            done.append(reached)
            step = _AFTER_REACH[problem.code]
        confirm = problem.detail if problem.code == NOT_TRUSTED else ""
        done.append(Check(step, False, problem.message, problem.hint, confirm))
    except Exception as error:  # a test shows what it met; it never breaks the page that shows it
        done.append(Check(step, False, f"Unexpected: {type(error).__name__}.", "Tell the makers of Routebooks."))
    return done


def _try_list(drop: FileDrop, folder: str, temporary: str, _: bool) -> str:
    _make_folders(drop, folder, temporary)
    return f"{drop.address(folder)} holds {len(drop.names(folder))} files and folders."


def _try_write(drop: FileDrop, folder: str, temporary: str, read_back: bool) -> str:
    _upload(drop, folder, _probe(temporary), io.BytesIO(_PROBE_DATA), read_back)
    return "A small file arrived whole" + (", and can be read back." if read_back else ".")


def _try_rename(drop: FileDrop, folder: str, temporary: str, read_back: bool) -> str:
    temp = _probe(temporary)
    if drop.size(folder, _PROBE) is None:
        drop.rename(folder, temp, _PROBE)
        _upload(drop, folder, temp, io.BytesIO(_PROBE_DATA), read_back)
    try:
        drop.rename(folder, temp, _PROBE)
    except ConfigError as error:
        if error.problem.code != RENAME_REFUSED:
            raise
        return "It works, but not over an existing file: the old file is removed first and is absent for a moment."
    return "A file is replaced in one step."


def _try_remove(drop: FileDrop, folder: str, temporary: str, _: bool) -> str:
    drop.remove(folder, _PROBE)
    drop.remove(folder, _probe(temporary))
    return "The small file is gone again."


_STEPS: dict[str, Callable[[FileDrop, str, str, bool], str]] = {
    "list": _try_list,
    "write": _try_write,
    "rename": _try_rename,
    "remove": _try_remove,
}
#: where a test stands that the server refused before the first step, by the code of the refusal
_AFTER_REACH = {LOG_IN_REFUSED: "log in", NOT_TRUSTED: "trust", TLS_REFUSED: "trust"}


def _probe(temporary: str) -> str:
    return _temporary_name(_PROBE, _mark(io.BytesIO(_PROBE_DATA)), temporary)


def _clear_probe(drop: FileDrop, folder: str, temporary: str) -> None:
    for name in (_PROBE, _probe(temporary)):
        with suppress(RoutebooksError):
            drop.remove(folder, name)


def _mark(data: IO[bytes]) -> str:
    data.seek(0)
    digest = hashlib.sha256()
    while block := data.read(UNSURE):
        digest.update(block)
    return digest.hexdigest()[:_MARK_DIGITS]


def _size(data: IO[bytes]) -> int:
    return data.seek(0, os.SEEK_END)


class _Comparison:
    """Takes what comes back and compares it with what was sent, block by block."""

    def __init__(self, sent: IO[bytes]) -> None:
        self._sent = sent
        self._sent.seek(0)
        self._same = True
        self.arrived = 0

    def __call__(self, block: bytes) -> None:
        self._same = self._same and block == self._sent.read(len(block))
        self.arrived += len(block)

    def is_whole(self) -> bool:
        """Whether every byte came back, and no other."""
        return self._same and not self._sent.read(1)


def _temporary_name(name: str, mark: str, temporary: str) -> str:
    return f"{name}.{mark}.part" if temporary == "suffix" else f"{INCOMING}/{name}.{mark}"


def _make_folders(drop: FileDrop, folder: str, temporary: str) -> None:
    drop.make_folder(folder)
    if temporary != "suffix":
        drop.make_folder(_incoming(folder))


def _incoming(folder: str) -> str:
    return f"{folder.rstrip('/')}/{INCOMING}" if folder else INCOMING


def _finish(drop: FileDrop, folder: str, ready: str, name: str) -> None:
    """Finish a rename that an earlier call could not; or clear away what it left when the old file is still there."""
    if drop.size(folder, ready) is None:
        return
    if drop.size(folder, name) is None:
        drop.rename(folder, ready, name)
    else:
        drop.remove(folder, ready)


def _clear_others(drop: FileDrop, folder: str, name: str, mark: str, temporary: str) -> None:
    """Remove what uploads of other bytes left when they broke off."""
    if temporary != "suffix":
        folder = _incoming(folder)
    ending = r"\.part" if temporary == "suffix" else ""
    left = re.compile(rf"{re.escape(name)}\.(?!{mark})[0-9a-f]{{{_MARK_DIGITS}}}{ending}")
    # nothing depends on it, so a server may refuse
    with suppress(ConfigError):
        for other in filter(left.fullmatch, drop.names(folder)):
            drop.remove(folder, other)


def _upload(drop: FileDrop, folder: str, temp: str, data: IO[bytes], read_back: bool) -> None:
    """Write the file, or the rest of it where an upload of the same bytes broke off; then see that all is there."""
    there, whole = drop.size(folder, temp), _size(data)
    start = max(0, there - UNSURE) if there is not None and there <= whole else 0
    if there is not None and not start:
        # a server that refuses to overwrite gets it out of the way
        with suppress(ConfigError):
            drop.remove(folder, temp)
    drop.write(folder, temp, data, start)
    size = drop.size(folder, temp)
    if size == whole and not read_back and not start:
        return
    compared = _Comparison(data)
    try:
        drop.read(folder, temp, compared)
    except ConfigError:
        # where nothing may be read, the size is all there is
        if read_back or size != whole:
            raise
        return
    if not compared.is_whole():
        with suppress(RoutebooksError):
            drop.remove(folder, temp)
        raise _incomplete(temp, compared.arrived, whole)


def _incomplete(name: str, arrived: int, expected: int) -> TransientError:
    what = f"whole: {arrived} of {expected} bytes" if arrived != expected else "as it was sent: its bytes differ"
    return TransientError(
        f"'{name}' did not arrive {what}.",
        hint="It is sent again by itself. If it stays so, the server may be full or may change line ends.",
        code="upload-incomplete",
    )
