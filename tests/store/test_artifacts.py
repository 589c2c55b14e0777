"""Kept bytes come back as they were, or not at all."""

from __future__ import annotations

import errno
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routebooks.errors import FatalError, TransientError
from routebooks.rows import Scratch
from routebooks.store import artifacts as store_module
from routebooks.store import companies
from routebooks.store.artifacts import ArtifactStore
from routebooks.store.database import Store

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=20)
@given(st.binary(max_size=2000))
def test_bytes_come_back(store: Store, tmp_path: Path, data: bytes) -> None:
    artifacts = ArtifactStore(str(tmp_path / "artifacts"))
    with store.begin() as tx:
        company = companies.company_named(tx, "A")
        company_id = (
            company.id if company else companies.add_company(tx, name="A", cust_id="1", time_zone="UTC", now=NOW)
        )
        artifact_id = artifacts.record(tx, artifacts.write(company_id, "page", data, NOW))
    with store.read() as tx:
        assert artifacts.get(tx, artifact_id) == data


def test_a_place_without_files_of_a_disk_keeps_bytes_as_well(store: Store) -> None:
    artifacts = ArtifactStore("memory://kept")
    artifacts.check()
    with store.begin() as tx:
        company_id = companies.add_company(tx, name="A", cust_id="1", time_zone="UTC", now=NOW)
        artifact_id = artifacts.record(tx, artifacts.write(company_id, "page", b"page", NOW))
        assert artifacts.get(tx, artifact_id) == b"page"
    artifacts.sweep(NOW)


@pytest.mark.parametrize("harm", ["gone", "changed", "cut"])
def test_damage_is_told(store: Store, tmp_path: Path, harm: str) -> None:
    artifacts = ArtifactStore(str(tmp_path / "artifacts"))
    with store.begin() as tx:
        company_id = companies.add_company(tx, name="A", cust_id="1", time_zone="UTC", now=NOW)
        written = artifacts.write(company_id, "page", b"x" * 1000, NOW)
        artifact_id = artifacts.record(tx, written)
    file = tmp_path / "artifacts" / written.path
    if harm == "gone":
        file.unlink()
    elif harm == "cut":
        file.write_bytes(file.read_bytes()[:5])
    else:
        other = artifacts.write(company_id, "page", b"y", NOW)
        file.write_bytes((tmp_path / "artifacts" / other.path).read_bytes())
    with store.read() as tx, pytest.raises(FatalError) as caught:
        artifacts.get(tx, artifact_id)
    assert caught.value.problem.code == "artifact-damaged"


class Full(io.BytesIO):
    """A file on a full disk."""

    def write(self, data: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_no_damage_of_what_is_copied_to_it(store: Store, tmp_path: Path) -> None:
    artifacts = ArtifactStore(str(tmp_path / "artifacts"))
    with store.begin() as tx:
        company_id = companies.add_company(tx, name="A", cust_id="1", time_zone="UTC", now=NOW)
        artifact_id = artifacts.record(tx, artifacts.write(company_id, "page", b"x", NOW))
    with store.read() as tx, pytest.raises(TransientError) as caught, Scratch():
        artifacts.copy(tx, artifact_id, Full())
    assert caught.value.problem.code == "disk-full"


def test_what_could_not_be_written_whole_takes_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store_module, "_to_disk", fail)
    with pytest.raises(OSError, match="No space"):
        ArtifactStore(str(tmp_path / "artifacts")).write(1, "page", b"x", NOW)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_same_bytes_lie_there_once_and_no_part_is_left(store: Store, tmp_path: Path) -> None:
    artifacts = ArtifactStore(str(tmp_path / "artifacts"))
    first, second = (artifacts.write(1, "page", b"same", NOW) for _ in range(2))
    assert first == second
    assert len([path for path in (tmp_path / "artifacts").rglob("*") if path.is_file()]) == 1


class Killed(BaseException):
    """The end of a process that could clean up nothing."""


def test_what_a_killed_process_left_is_swept_a_day_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artifacts = ArtifactStore(str(tmp_path))
    whole = artifacts.write(1, "page", b"whole", NOW)

    def kill(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as killed:
        killed.setattr(store_module, "_to_disk", kill)
        killed.setattr(type(artifacts._fs), "rm_file", kill)
        with pytest.raises(Killed):
            artifacts.write(1, "page", b"half", NOW)
    [left] = [path for path in tmp_path.rglob("*") if path.is_file() and path != tmp_path / whole.path]
    artifacts.check()
    written = datetime.fromtimestamp(left.stat().st_mtime, UTC)
    artifacts.sweep(written + timedelta(days=1))
    assert left.exists()
    artifacts.sweep(written + timedelta(days=1, seconds=1))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / whole.path]


def test_a_place_in_which_nothing_was_written_has_nothing_to_sweep(tmp_path: Path) -> None:
    ArtifactStore(str(tmp_path / "artifacts")).sweep(NOW)
    assert list(tmp_path.iterdir()) == []


def test_two_that_write_the_same_bytes_at_once_do_not_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artifacts = ArtifactStore(str(tmp_path / "artifacts"))
    both_written = threading.Barrier(2, timeout=20)
    sync = store_module._to_disk

    def meet(file: Any) -> None:
        sync(file)
        both_written.wait()

    monkeypatch.setattr(store_module, "_to_disk", meet)
    with ThreadPoolExecutor(2) as pool:
        written = list(pool.map(lambda _: artifacts.write(1, "page", b"same", NOW), range(2)))
    assert written[0] == written[1]
    assert len([path for path in (tmp_path / "artifacts").rglob("*") if path.is_file()]) == 1
