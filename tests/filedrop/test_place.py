"""Putting files in place: whole or not at all, again and again, on servers with quirks."""

from __future__ import annotations

import io
import re
import threading
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import pytest

from drops import place
from routebooks.connectors.base import Check, Placed
from routebooks.connectors.filedrop.base import RENAME_REFUSED, FileDrop
from routebooks.connectors.filedrop.ftp import FtpDrop
from routebooks.connectors.filedrop.local import LocalDrop
from routebooks.connectors.filedrop.place import check
from routebooks.errors import ConfigError, TransientError
from routebooks.sandbox.servers import SandboxFtpServer

OLD, NEW = b"old\r\n" * 60_000, b"brand new\r\n" * 90_000
QUIRKS = ("local", "ftp", "ftp without size", "ftp without replacing", "ftp without either")


@pytest.fixture(params=QUIRKS)
def quirk(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def drop(quirk: str, server: SandboxFtpServer, ftp_drop: FtpDrop) -> FileDrop:
    server.no_size = quirk in ("ftp without size", "ftp without either")
    server.refuse_rename_over = 553 if quirk in ("ftp without replacing", "ftp without either") else None
    return LocalDrop(server.root) if quirk == "local" else ftp_drop


def files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("temporary", ["suffix", "folder"])
@pytest.mark.parametrize("folder", ["latest7", "deep/latest7", ""])
def test_a_file_is_put_in_place_and_replaced(
    drop: FileDrop, server: SandboxFtpServer, folder: str, temporary: str
) -> None:
    path = f"{folder}/customer.fil".lstrip("/")
    for data in (OLD, NEW, NEW):
        with drop:
            placed = place(drop, folder, "customer.fil", data, temporary)
        assert placed == Placed(drop.address(folder, "customer.fil"), len(data))
        assert files(server.root) == {path: data}


def test_what_may_not_go_any_more_is_asked_for_last_and_keeps_the_old_file(
    drop: FileDrop, server: SandboxFtpServer
) -> None:
    arrived: list[dict[str, bytes]] = []

    def forbid() -> None:
        arrived.append(files(server.root))
        raise TransientError("not any more")

    with drop:
        place(drop, "latest7", "customer.fil", OLD)
        with pytest.raises(TransientError, match="not any more"):
            place(drop, "latest7", "customer.fil", NEW, before=forbid)
    assert sorted(arrived[0].values()) == sorted([OLD, NEW])
    assert files(server.root)["latest7/customer.fil"] == OLD


@pytest.mark.parametrize("temporary", ["suffix", "folder"])
def test_an_upload_that_is_cut_off_leaves_the_old_file_and_the_next_one_succeeds(
    server: SandboxFtpServer, ftp_drop: FtpDrop, temporary: str
) -> None:
    with ftp_drop as drop:
        place(drop, "latest7", "customer.fil", OLD, temporary)
    server.cut_upload_after = 300_000
    with pytest.raises(TransientError), ftp_drop as drop:
        place(drop, "latest7", "customer.fil", NEW, temporary)
    assert server.cut_upload_after is None
    assert files(server.root)["latest7/customer.fil"] == OLD
    with ftp_drop as drop:
        place(drop, "latest7", "customer.fil", NEW, temporary)
    assert files(server.root) == {"latest7/customer.fil": NEW}


class Dying:
    """A drop that breaks off in place of its nth change."""

    def __init__(self, inner: FileDrop, changes: int) -> None:
        self.inner = inner
        self.left = changes

    def __getattr__(self, name: str) -> Any:
        if name in ("write", "rename", "remove", "make_folder"):
            self.left -= 1
            if self.left < 0:
                raise TransientError("gone")
        return getattr(self.inner, name)


@pytest.mark.parametrize("temporary", ["suffix", "folder"])
def test_broken_off_anywhere_the_file_is_whole_or_the_next_call_makes_it_so(
    drop: FileDrop, server: SandboxFtpServer, quirk: str, temporary: str
) -> None:
    """The next call comes with other bytes and breaks off at its upload: still there is a whole file."""
    absent, changes = 0, 0
    with drop:
        place(drop, "f", "c.fil", OLD, temporary)
        while True:
            try:
                place(Dying(drop, changes), "f", "c.fil", NEW, temporary)
            except TransientError:
                after = files(server.root).get("f/c.fil")
                assert after in (OLD, NEW, None)
                absent += after is None
                folders = 1 if temporary == "suffix" else 2
                finishing = sum(".ready" in name for name in files(server.root))
                with pytest.raises(TransientError):
                    place(Dying(drop, folders + finishing), "f", "c.fil", b"other", temporary)
                assert files(server.root)["f/c.fil"] in (OLD, NEW)
                place(drop, "f", "c.fil", OLD, temporary)
                assert files(server.root) == {"f/c.fil": OLD}
                changes += 1
            else:
                break
    assert files(server.root) == {"f/c.fil": NEW}
    # between removing the old file and renaming the new one, and nowhere else
    assert absent == (1 if "without" in quirk and quirk != "ftp without size" else 0)


class Shortening:
    """A drop that loses the last byte of what is written, as a full disk does."""

    def __init__(self, inner: FileDrop) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def write(self, folder: str, name: str, data: IO[bytes], start: int = 0) -> None:
        data.seek(0)
        self.inner.write(folder, name, io.BytesIO(data.read()[:-1]), start)


def test_a_file_that_did_not_arrive_whole_is_not_put_in_place(drop: FileDrop, server: SandboxFtpServer) -> None:
    with drop:
        place(drop, "f", "c.fil", OLD)
        with pytest.raises(TransientError, match=f"{len(NEW) - 1} of {len(NEW)} bytes"):
            place(Shortening(drop), "f", "c.fil", NEW)
    assert files(server.root) == {"f/c.fil": OLD}


def test_an_old_file_is_not_removed_when_the_rename_is_refused_for_another_reason(
    server: SandboxFtpServer, ftp_drop: FtpDrop
) -> None:
    (server.root / "f" / "c.fil").mkdir(parents=True)
    with ftp_drop as drop, pytest.raises(ConfigError) as caught:
        place(drop, "f", "c.fil", NEW)
    assert caught.value.problem.code == "rename-refused"
    assert (server.root / "f" / "c.fil").is_dir()


def test_a_new_file_whose_name_is_refused_stays_under_its_temporary_one(
    server: SandboxFtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = LocalDrop.rename

    def choosy(drop: LocalDrop, folder: str, old: str, new: str) -> None:
        if new == "c.fil":
            raise ConfigError("not this name", code=RENAME_REFUSED)
        rename(drop, folder, old, new)

    monkeypatch.setattr(LocalDrop, "rename", choosy)
    with LocalDrop(server.root) as drop, pytest.raises(ConfigError, match="not this name"):
        place(drop, "f", "c.fil", NEW)
    ((name, there),) = files(server.root).items()
    assert there == NEW
    assert re.fullmatch(r"f/c\.fil\.[0-9a-f]{12}\.part", name)


def test_an_old_file_stays_when_nothing_can_be_renamed(
    server: SandboxFtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ConfigError("no", code=RENAME_REFUSED)

    with LocalDrop(server.root) as drop:
        place(drop, "f", "c.fil", OLD)
        monkeypatch.setattr(LocalDrop, "rename", refuse)
        with pytest.raises(ConfigError):
            place(drop, "f", "c.fil", NEW)
    assert files(server.root)["f/c.fil"] == OLD


def test_a_reader_never_sees_a_part_of_a_file(drop: FileDrop, server: SandboxFtpServer, quirk: str) -> None:
    target = server.root / "latest7" / "customer.fil"
    with drop:
        place(drop, "latest7", "customer.fil", OLD)
    seen: set[bytes | None] = set()
    done = threading.Event()

    def read() -> None:
        for _ in range(100_000):
            try:
                seen.add(target.read_bytes())
            except FileNotFoundError:
                seen.add(None)
            if done.is_set():
                return

    reader = threading.Thread(target=read)
    reader.start()
    try:
        with drop:
            for data in (NEW, OLD) * 6:
                place(drop, "latest7", "customer.fil", data)
    finally:
        done.set()
        reader.join()
    if "without" in quirk:
        seen.discard(None)
    assert seen
    assert seen <= {OLD, NEW}


NAMES = ["reach", "log in", "list", "write", "rename", "remove"]


@pytest.mark.parametrize("temporary", ["suffix", "folder"])
def test_a_connection_that_works_is_shown_step_by_step(
    drop: FileDrop, server: SandboxFtpServer, quirk: str, temporary: str
) -> None:
    for _ in range(2):
        lines = check(drop, "latest7", temporary)
        assert [(line.name, line.ok) for line in lines] == [(name, True) for name in NAMES]
        replaces = not server.refuse_rename_over or quirk == "local"
        assert ("in one step" in lines[4].message) is replaces
        assert files(server.root) == {}


def test_the_test_stops_at_a_server_that_is_not_there(server: SandboxFtpServer, ftp_drop: FtpDrop) -> None:
    server.stop()
    (line,) = check(ftp_drop, "latest7")
    assert (line.name, line.ok, bool(line.hint)) == ("reach", False, True)


def test_the_test_stops_at_a_wrong_password_and_does_not_show_it(ftp_drop: FtpDrop) -> None:
    reach, log_in = check(replace(ftp_drop, password="wrong horse"), "latest7")
    assert reach == Check("reach", True, f"{ftp_drop.address()} answers.")
    assert (log_in.name, log_in.ok) == ("log in", False)
    assert "password" in log_in.hint
    assert "wrong horse" not in str(log_in)


@pytest.mark.parametrize(("refused", "step"), [("names", "list"), ("write", "write"), ("rename", "rename")])
@pytest.mark.parametrize(
    "error", [ConfigError("may not", hint="ask"), TransientError("lost", hint="wait"), ValueError("odd")]
)
def test_the_test_stops_at_the_step_that_fails_and_raises_nothing(
    server: SandboxFtpServer, monkeypatch: pytest.MonkeyPatch, refused: str, step: str, error: Exception
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(LocalDrop, refused, refuse)
    lines = check(LocalDrop(server.root), "latest7")
    assert [line.name for line in lines] == NAMES[: NAMES.index(step) + 1]
    assert [line.ok for line in lines] == [True] * (len(lines) - 1) + [False]
    assert lines[-1].message
    assert lines[-1].hint
    if isinstance(error, ConfigError):
        assert files(server.root) == {}


def test_the_test_tells_when_nothing_can_be_removed(server: SandboxFtpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ConfigError("may not", hint="ask")

    monkeypatch.setattr(LocalDrop, "remove", refuse)
    for _ in range(2):
        lines = check(LocalDrop(server.root), "latest7")
        assert [(line.name, line.ok) for line in lines] == [(name, name != "remove") for name in NAMES]
