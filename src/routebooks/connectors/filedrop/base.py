"""What every place that takes files can do."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import IO, Protocol, Self

from routebooks.errors import ConfigError

#: the codes of the refusals that callers tell apart
FOLDER_MISSING = "folder-missing"
LOG_IN_REFUSED = "log-in-refused"
NOT_TRUSTED = "server-not-trusted"
TLS_REFUSED = "tls-refused"

#: so many bytes at the end of an upload that broke off may not be what was sent: they are sent again
UNSURE = 256 * 1024

#: the cure when a server refuses
RIGHTS = (
    "Ask whoever runs the server for the right to list, write, rename and remove in this folder, or correct the folder."
)
RENAME_REFUSED = "rename-refused"


class FileDrop(Protocol):
    """A place that takes files; connected inside its `with` block.

    A folder is a path with "/" from where the log-in lands; a name may have a subfolder of it in front ("sub/name").
    Every call raises TransientError (out of reach, too slow, connection lost) or ConfigError (log-in or rights refused,
    no such folder, a server that is not the known one) with its cure; none of them shows the password.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def address(self, folder: str = "", name: str = "") -> str:
        """Where a file lies, for a person to read."""
        ...

    def trust(self) -> str:
        """How the server proved who it is, once connected, for a person to read; empty where nothing does."""
        ...

    def names(self, folder: str) -> list[str]:
        """What is in a folder."""
        ...

    def size(self, folder: str, name: str) -> int | None:
        """The bytes of a file as the place has it now; None when it is not there."""
        ...

    def make_folder(self, folder: str) -> None:
        """Make the folder and those above it, where they are missing."""
        ...

    def write(self, folder: str, name: str, data: IO[bytes], start: int = 0) -> None:
        """Write a file under this very name; one that is there is overwritten. `data` is read in blocks.

        With `start` it has the first bytes already, so many at least: only what comes after them is sent, where the
        place can do that.
        """
        ...

    def read(self, folder: str, name: str, take: Callable[[bytes], object]) -> None:
        """Hand the bytes of a file to `take`, block by block."""
        ...

    def rename(self, folder: str, old: str, new: str) -> None:
        """Rename, over a file of the new name; ConfigError with code RENAME_REFUSED when the place will not."""
        ...

    def remove(self, folder: str, name: str) -> None:
        """Remove a file; one that is not there is no error."""
        ...


def not_trusted(message: str, setting: str, shown: str, hint: str = "") -> ConfigError:
    """The refusal of a server that shows what is not known; its detail is the setting that would trust it."""
    return ConfigError(
        message,
        hint="Ask whoever runs the server, by telephone or letter, whether that is theirs. If so, set "
        f"{setting}={shown}; if not, somebody may be in between.{hint}",
        code=NOT_TRUSTED,
        detail=f"{setting}={shown}",
    )
