"""Bytes that runs took in or gave out: kept compressed, with their checksum, in a folder or an object store."""

from __future__ import annotations

import hashlib
import io
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import IO, Any, TypeVar

import fsspec

from routebooks.clock import random_id
from routebooks.errors import ConfigError, FatalError
from routebooks.store import rows
from routebooks.store.database import Tx
from routebooks.store.tables import artifacts

T = TypeVar("T")

#: the file by which a place is known again
MARK = "place"
#: fast, and qbXML still shrinks to a tenth
_LEVEL = 1
#: where files lie until they are whole, each under a name of its own: all in one folder, which is soon looked through
_PARTS = "parts"
#: what lies there for longer than this was left by a process that was killed
_LEFT = timedelta(days=1)
#: bytes that are held at once
_BLOCK = 1024 * 1024


@dataclass(frozen=True)
class Written:
    """Where bytes lie and what they must be."""

    company_id: int
    kind: str
    path: str
    size: int
    sha256: str
    created_at: datetime


class ArtifactStore:
    """The place of the bytes, any that fsspec can reach; their list is in the database."""

    def __init__(self, url: str) -> None:
        """Nothing is written yet. Raises ConfigError for an address of a kind that is not known here."""
        try:
            self._fs, self._root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise _no_place(error) from error

    def check(self) -> None:
        """Write, read and remove a few bytes. Raises ConfigError when the place cannot be used."""
        try:
            path = self._part()
            # Here once, whatever a place says of a folder that is missing.
            self._fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
            self._fs.pipe_file(path, b"check")
            kept = self._fs.cat_file(path)
            self._fs.rm_file(path)
        except Exception as error:  # every kind of place has errors of its own
            raise _no_place(error) from error
        if kept != b"check":
            raise _no_place(ValueError("other bytes came back"))

    def sweep(self, now: datetime) -> None:
        """Remove what killed processes left; what cannot be removed stays."""
        left: list[str] = []
        with suppress(OSError):
            left = self._fs.ls(f"{self._root}/{_PARTS}", detail=False)
        for path in left:
            # another server may sweep at the same time
            with suppress(OSError, NotImplementedError):
                if self._fs.modified(path) < now - _LEFT:
                    self._fs.rm_file(path)

    def mark(self) -> str:
        """What tells this place from every other; a place without a mark is given one. Raises ConfigError."""
        path = f"{self._root}/{MARK}"
        try:
            if not self._fs.exists(path):
                self._fs.makedirs(self._root, exist_ok=True)
                self._fs.pipe_file(path, random_id().encode())
            return str(self._fs.cat_file(path).decode("ascii")).strip()
        except Exception as error:  # every kind of place has errors of its own
            raise _no_place(error) from error

    def write(self, company_id: int, kind: str, data: bytes | IO[bytes], now: datetime) -> Written:
        """Put bytes, or a whole file, on disk, outside of any transaction: they are there when this returns.

        The same bytes lie there once.
        """
        file = io.BytesIO(data) if isinstance(data, bytes) else data
        size, digest = 0, hashlib.sha256()
        for block in _blocks(file):
            size += len(block)
            digest.update(block)
        path = f"{company_id}/{now:%Y%m}/{kind}/{digest.hexdigest()}.z"
        self._write(path, file)
        return Written(company_id, kind, path, size, digest.hexdigest(), now)

    def record(self, tx: Tx, written: Written) -> int:
        """List bytes that lie on disk; the artifact's id."""
        return rows.add(tx, artifacts, asdict(written))

    def get(self, tx: Tx, artifact_id: int) -> bytes:
        """The bytes again, checked against their checksum. Raises FatalError when they are gone or changed."""
        file = io.BytesIO()
        self.copy(tx, artifact_id, file)
        return file.getvalue()

    def copy(self, tx: Tx, artifact_id: int, file: IO[bytes]) -> IO[bytes]:
        """Write the bytes into a file, which comes back. Raises FatalError as `get` does; the file is no good then."""
        for block in self._read(rows.get(tx, Written, artifacts, artifact_id)):
            # Outside of what reads: a disk that is full here says nothing against the artifact.
            file.write(block)
        return file

    def _read(self, artifact: Written) -> Iterator[bytes]:
        digest = hashlib.sha256()
        try:
            with self._fs.open(f"{self._root}/{artifact.path}", "rb") as kept:
                for block in _unpacked(kept):
                    digest.update(block)
                    yield block
        except (OSError, zlib.error) as error:
            raise _damaged(artifact) from error
        if digest.hexdigest() != artifact.sha256:
            raise _damaged(artifact)

    def _write(self, path: str, file: IO[bytes]) -> None:
        full = f"{self._root}/{path}"
        if self._fs.exists(full):
            return
        # Written elsewhere, then moved: a killed process leaves no half artifact under a whole one's name.
        part = self._part()
        packer = zlib.compressobj(_LEVEL)
        try:
            with self._in_folder(part, lambda: self._fs.open(part, "wb")) as kept:
                for block in _blocks(file):
                    kept.write(packer.compress(block))
                kept.write(packer.flush())
                _to_disk(kept)
            self._in_folder(full, lambda: self._fs.mv(part, full))
        except BaseException:
            # On a full disk every try would leave less room.
            with suppress(OSError):
                self._fs.rm_file(part)
            raise

    def _part(self) -> str:
        return f"{self._root}/{_PARTS}/{random_id()}"

    def _in_folder(self, path: str, do: Callable[[], T]) -> T:
        try:
            return do()
        except FileNotFoundError:
            # The first of its kind this month; all others find the folder.
            self._fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
            return do()


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while block := file.read(_BLOCK):
        yield block


def _unpacked(file: IO[bytes]) -> Iterator[bytes]:
    """The blocks of a compressed file as they were; also of little that became much, one at a time."""
    packer = zlib.decompressobj()
    for packed in _blocks(file):
        while packed:
            yield packer.decompress(packed, _BLOCK)
            packed = packer.unconsumed_tail
    yield packer.flush()


def _to_disk(file: Any) -> None:
    # An object store has no disk of ours: what is there when the file is closed stays there.
    with suppress(io.UnsupportedOperation):
        number = file.fileno()
        file.flush()
        os.fsync(number)


def _no_place(error: Exception) -> ConfigError:
    return ConfigError(
        "Artifacts cannot be kept where artifacts_url says.",
        hint="Set ROUTEBOOKS_ARTIFACTS_URL to a folder that you may write to; the detail says what others lack.",
        code="artifacts-unusable",
        detail=f"{type(error).__name__}: {error}",
    )


def _damaged(artifact: Written) -> FatalError:
    return FatalError(
        f"A kept {artifact.kind} is damaged or gone.",
        hint="Run the flow again; restore the artifacts folder from a backup if you need the old one.",
        code="artifact-damaged",
        detail=artifact.path,
    )
