"""The ./run script, with a Python that only notes what it is asked: when it installs, what it says, what it starts."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL

import pytest

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("python3.13", "python3.12", "python3.11", "python3")

#: stands for every Python on the path and for the environment's own
PYTHON = r"""#!/bin/sh
case "$*" in
  "-m venv --clear "*)
    echo venv >>"$NOTES"
    mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
  "-m pip install "*)
    for last; do :; done
    echo "install $(basename "$last")" >>"$NOTES"
    echo "the registry says no" && [ -z "${PIP_FAILS:-}" ] ;;
  "- "*)
    cat >/dev/null
    printf '#!/bin/sh\necho "routebooks $*"\nexit 7\n' >"$(dirname "$0")/routebooks"
    chmod +x "$(dirname "$0")/routebooks" ;;
  "-m pytest "*) echo "$*" ;;
  "-c import venv"*) [ -z "${NO_VENV:-}" ] ;;
  "-c import sys; sys.exit"*) [ -z "${TOO_OLD:-}" ] ;;
  "-c import sys; print"*) echo "${VERSION:-3.11}" ;;
  *) echo "not foreseen: $*" >&2; exit 99 ;;
esac
"""


@dataclass(frozen=True)
class Clone:
    """A folder with the script and lock files, and a path on which every Python is the noting one."""

    folder: Path
    notes: Path
    environment: dict[str, str]

    def command(self, *arguments: str) -> list[str]:
        return [shutil.which("bash") or "bash", str(self.folder / "run"), *arguments]

    def run(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        environment = self.environment | changes
        return subprocess.run(
            self.command(*arguments), env=environment, cwd="/", capture_output=True, text=True, check=False
        )

    def done(self) -> list[str]:
        """What was done since the last look."""
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        self.notes.unlink(missing_ok=True)
        return lines


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    folder, programs = tmp_path / "a clone", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    shutil.copy(ROOT / "run", folder / "run")
    for lock in ("requirements.lock", "requirements-test.lock"):
        (folder / lock).write_text(f"{lock}\n")
    for name in NAMES:
        (programs / name).write_text(PYTHON)
        (programs / name).chmod(0o755)
    notes = tmp_path / "notes"
    path = os.pathsep.join([str(programs), "/usr/bin", "/bin"])
    return Clone(folder, notes, {"PATH": path, "HOME": "", "NOTES": str(notes)})


def test_it_installs_once_and_then_only_starts(clone: Clone) -> None:
    first = clone.run("orders", "list", "a b")
    assert (first.returncode, first.stdout) == (7, "routebooks orders list a b\n")
    assert [line.split(":")[0] for line in first.stderr.splitlines()] == ["run", "run"]
    assert clone.done() == ["venv", "install requirements.lock"]
    again = clone.run("orders")
    assert (again.returncode, again.stderr) == (7, "")
    assert clone.done() == []
    assert not (clone.folder / ".venv.lock").is_symlink()


def test_the_packages_of_the_tests_serve_for_both(clone: Clone) -> None:
    tests = clone.run("test", "-k", "a b")
    assert (tests.returncode, tests.stdout[:9], tests.stdout[-7:]) == (0, "-m pytest", "-k a b\n")
    assert clone.run("demo").returncode == 7
    assert clone.done() == ["venv", "install requirements-test.lock"]


def test_a_changed_lock_is_installed_over(clone: Clone) -> None:
    clone.run("demo")
    (clone.folder / "requirements.lock").write_text("changed\n")
    clone.run("demo")
    assert clone.done() == ["venv", "install requirements.lock", "install requirements.lock"]


def test_another_python_makes_another_environment(clone: Clone) -> None:
    clone.run("demo")
    clone.done()
    assert clone.run("demo", VERSION="3.12").returncode == 7
    assert clone.done() == ["venv", "install requirements.lock"]


def test_the_environment_can_lie_elsewhere(clone: Clone, tmp_path: Path) -> None:
    assert clone.run("demo", ROUTEBOOKS_VENV=str(tmp_path / "else where" / "env")).returncode == 7
    assert (tmp_path / "else where" / "env" / "bin" / "routebooks").exists()
    assert not (clone.folder / ".venv").exists()


def test_a_failed_install_is_shown_and_tried_again(clone: Clone) -> None:
    failed = clone.run("demo", PIP_FAILS="1")
    assert failed.returncode == 1
    assert "the registry says no" in failed.stderr
    assert "could not be installed" in failed.stderr.splitlines()[-1]
    clone.done()
    fine = clone.run("demo")
    assert fine.returncode == 7
    assert "the registry" not in fine.stderr
    assert clone.done() == ["install requirements.lock"]


@pytest.mark.parametrize(
    ("lack", "package"), [("TOO_OLD", "apt install python3 python3-venv"), ("NO_VENV", "apt install python3-venv")]
)
def test_what_is_missing_is_said_in_one_sentence(clone: Clone, lack: str, package: str) -> None:
    failed = clone.run("demo", **{lack: "1"})
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 1
    assert package in failed.stderr
    assert clone.done() == []


def test_two_at_once_install_once(clone: Clone) -> None:
    both = [
        subprocess.Popen(clone.command("demo"), env=clone.environment, stdout=DEVNULL, stderr=DEVNULL) for _ in range(2)
    ]
    assert [process.wait() for process in both] == [7, 7]
    assert clone.done() == ["venv", "install requirements.lock"]


def test_a_lock_whose_holder_is_gone_is_taken_away(clone: Clone) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    (clone.folder / ".venv.lock").symlink_to(str(gone.pid))
    assert clone.run("demo").returncode == 7
    assert not (clone.folder / ".venv.lock").is_symlink()
