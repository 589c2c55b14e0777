"""Real places for files: a folder, and a sandbox FTP server with its quirks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from routebooks.connectors.filedrop.ftp import FtpDrop
from routebooks.sandbox.servers import SandboxFtpServer

PASSWORD = "open sesame"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SandboxFtpServer]:
    with SandboxFtpServer(tmp_path / "ftp", password=PASSWORD) as started:
        yield started


@pytest.fixture
def ftp_drop(server: SandboxFtpServer) -> FtpDrop:
    host, port = server.address
    return FtpDrop(host=host, port=port, user="routebooks", password=PASSWORD, timeout=10)
