"""Bytes handed to a person: into a file that is not written over, or to standard output."""

from __future__ import annotations

from pathlib import Path

from routebooks.errors import ConfigError


def write(path: Path, data: bytes, *, force: bool) -> None:
    """Write a file. Raises ConfigError when it is there already (unless forced) or cannot be written."""
    try:
        with path.open("wb" if force else "xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise ConfigError(
            f"There is a file {path} already.",
            hint="Choose another name with --out, or write over it with --force.",
            code="file-exists",
        ) from error
    except OSError as error:
        raise ConfigError(
            f"The file {path} cannot be written.",
            hint="Choose a place that you may write to with --out.",
            code="file-unwritable",
            detail=str(error),
        ) from error
