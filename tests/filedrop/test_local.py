"""A folder of this computer as a place for files."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from drops import got, put
from routebooks.connectors.filedrop.local import LocalDrop
from routebooks.errors import ConfigError, TransientError


@pytest.fixture
def drop(tmp_path: Path) -> LocalDrop:
    return LocalDrop(tmp_path)


def test_files_are_written_read_renamed_and_removed(drop: LocalDrop, tmp_path: Path) -> None:
    with drop:
        drop.make_folder("a/b")
        drop.make_folder("a/b")
        put(drop, "a/b", "x.part", b"1\r\n2\n")
        assert drop.size("a/b", "x.part") == 5
        assert drop.size("a/b", "x") is None
        drop.rename("a/b", "x.part", "x")
        put(drop, "a/b", "y", b"new")
        drop.rename("a/b", "y", "x")
        assert (drop.names("a/b"), got(drop, "a/b", "x")) == (["x"], b"new")
        assert (tmp_path / "a" / "b" / "x").read_bytes() == b"new"
        drop.remove("a/b", "x")
        drop.remove("a/b", "x")
        assert drop.names("/a/b/") == []
    assert drop.address("a", "x") == str(tmp_path / "a" / "x")


def test_a_root_that_is_not_there_is_never_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no folder") as caught, LocalDrop(tmp_path / "share"):
        pass
    assert caught.value.problem.code == "root-missing"
    assert not (tmp_path / "share").exists()


@pytest.mark.parametrize(("folder", "name"), [("..", "x"), ("a/../..", "x"), ("a", "../../x"), ("a", "/x")])
def test_nothing_is_written_outside_of_the_root(tmp_path: Path, folder: str, name: str) -> None:
    (tmp_path / "root").mkdir()
    with pytest.raises(ConfigError, match="leads out of"):
        put(LocalDrop(tmp_path / "root"), folder, name, b"")
    assert [path.name for path in tmp_path.rglob("*")] == ["root"]


def test_what_a_person_must_change_is_told_with_the_cure(drop: LocalDrop, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for call in (
        lambda: drop.names("missing"),
        lambda: got(drop, "", "missing"),
        lambda: put(drop, "missing", "x", b""),
        lambda: put(drop, "file", "x", b""),
        lambda: drop.rename("", "missing", "x"),
    ):
        with pytest.raises(ConfigError) as caught:
            call()
        assert caught.value.problem.code == "folder-refused"
        assert caught.value.problem.hint


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), ConfigError),
        (OSError(errno.EROFS, "Read-only file system"), ConfigError),
        (OSError(errno.ENOSPC, "No space left on device"), TransientError),
        (OSError(errno.EIO, "Input/output error"), TransientError),
    ],
)
def test_refusals_need_a_person_and_the_rest_is_tried_again(
    drop: LocalDrop, monkeypatch: pytest.MonkeyPatch, error: OSError, kind: type[Exception]
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(kind, match=str(error.strerror)):
        put(drop, "", "x", b"")


def test_a_file_that_another_program_holds_open_is_tried_again(
    drop: LocalDrop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        error = PermissionError(errno.EACCES, "Access is denied")
        error.winerror = 5  # type: ignore[attr-defined,unused-ignore]
        raise error

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(TransientError, match="Access is denied"):
        drop.rename("", "x", "y")
