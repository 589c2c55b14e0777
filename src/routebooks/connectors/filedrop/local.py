"""A folder of this computer, or one that is mounted on it, as a place for files."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Self

from routebooks.connectors.filedrop.base import UNSURE
from routebooks.errors import AGAIN, ConfigError, TransientError

#: what Windows says while another program has the file open; over an open file, a rename is "access denied" (5)
_IN_USE = (32, 33)
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR)


@dataclass(frozen=True)
class LocalDrop:
    """Files under a root folder. The root itself is never made: an unmounted share must not become a folder."""

    root: Path

    def __enter__(self) -> Self:
        if not self.root.is_dir():
            raise ConfigError(
                f"There is no folder '{self.root}'.",
                hint="Make the folder, connect the network drive, or correct the folder in the connection.",
                code="root-missing",
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def address(self, folder: str = "", name: str = "") -> str:
        """The path."""
        return str(self._path(folder, name))

    def trust(self) -> str:
        """Nothing: a folder proves nothing."""
        return ""

    def names(self, folder: str) -> list[str]:
        """What is in a folder, sorted."""
        with _told(f"list the folder '{folder}'"):
            return sorted(entry.name for entry in self._path(folder).iterdir())

    def size(self, folder: str, name: str) -> int | None:
        """The bytes of a file; None when it is not there."""
        with _told(f"look at '{name}'"):
            try:
                return self._path(folder, name).stat().st_size
            except FileNotFoundError:
                return None

    def make_folder(self, folder: str) -> None:
        """Make the folder and those above it, up to the root."""
        with _told(f"make the folder '{folder}'"):
            self._path(folder).mkdir(parents=True, exist_ok=True)

    def write(self, folder: str, name: str, data: IO[bytes], start: int = 0) -> None:
        """Write a file and see it to the disk."""
        with _told(f"write '{name}'"), self._path(folder, name).open("r+b" if start else "wb") as file:
            file.seek(start)
            data.seek(start)
            shutil.copyfileobj(data, file, UNSURE)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())

    def read(self, folder: str, name: str, take: Callable[[bytes], object]) -> None:
        """Hand the bytes of a file to `take`, block by block."""
        with _told(f"read '{name}'"), self._path(folder, name).open("rb") as file:
            while block := file.read(UNSURE):
                take(block)

    def rename(self, folder: str, old: str, new: str) -> None:
        """Rename, over a file of the new name, in one step."""
        with _told(f"rename '{old}' to '{new}'", in_use=(5, *_IN_USE)):
            self._path(folder, old).replace(self._path(folder, new))
            _see_to_disk(self._path(folder))

    def remove(self, folder: str, name: str) -> None:
        """Remove a file; one that is not there is no error."""
        with _told(f"remove '{name}'"):
            self._path(folder, name).unlink(missing_ok=True)

    def _path(self, folder: str, name: str = "") -> Path:
        parts = [*PurePosixPath(folder.lstrip("/")).parts, *PurePosixPath(name).parts]
        if ".." in parts or name.startswith("/"):
            raise ConfigError(f"'{folder}/{name}' leads out of '{self.root}'.", code="folder-outside")
        return self.root.joinpath(*parts)


def _see_to_disk(folder: Path) -> None:
    """A rename outlives a power cut once its folder is on disk; Windows cannot open a folder."""
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            with suppress(OSError):  # some network file systems know no such thing
                os.fsync(opened)
        finally:
            os.close(opened)


@contextmanager
def _told(doing: str, in_use: tuple[int, ...] = _IN_USE) -> Iterator[None]:
    """An error of the operating system, in the words of the house."""
    try:
        yield
    except OSError as error:
        message = f"Could not {doing}: {error.strerror or error}."
        if getattr(error, "winerror", None) in in_use or error.errno not in _REFUSED:
            raise TransientError(
                message,
                hint=f"{AGAIN} If it stays so, look at the disk and at programs that hold the file open.",
                code="folder-trouble",
                detail=str(error),
            ) from error
        raise ConfigError(
            message,
            hint="Let the account that Routebooks runs under read and write there, or correct the folder.",
            code="folder-refused",
            detail=str(error),
        ) from error
