"""The repository keeps its own rules: sizes, docstrings, lock files that agree, nothing of its machine."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "requirements-test.lock")
#: a home folder, and the place where this clone lies; written so that this file does not hold them itself
HOMES = re.compile("/" + r"(home|Users)/[\w.-]+/|[A-Z]:\\Users\\")
REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)==(\S+)(?: ;.*)? \\")


@cache
def files() -> tuple[Path, ...]:
    """What is, or would be, in the repository; without git, what a clone would not ignore."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listing.returncode == 0:
        paths = [ROOT / os.fsdecode(name) for name in listing.stdout.split(b"\0") if name]
    else:
        ignored = re.compile(r"(^|/)(\.venv|\.git|\.hypothesis|__pycache__|dist|\.\w+_cache)/")
        paths = [path for path in ROOT.rglob("*") if not ignored.search(path.relative_to(ROOT).as_posix())]
    return tuple(path for path in paths if path.is_file())


def names(paths: tuple[Path, ...] | list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


@cache
def python() -> dict[str, ast.Module]:
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in files()
        if path.suffix == ".py"
    }


def normal(name: str) -> str:
    """A package name as the registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match, requirement
    return normal(match[0])


def locked(lock: str) -> dict[str, set[str]]:
    """The versions of each package in a lock file."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / lock).read_text(encoding="utf-8").splitlines():
        if match := REQUIREMENT.fullmatch(line):
            found.setdefault(normal(match[1]), set()).add(match[2])
    return found


def test_the_listing_is_not_empty() -> None:
    assert {"pyproject.toml", "run", ".ci/run", "tests/test_repo.py", "src/routebooks/errors.py"} <= set(
        names([*files()])
    )
    assert "src/routebooks/errors.py" in python()


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_files_hold_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "http" not in re.sub(r"(?m)^[\w.-]+==.*$", "", text)
    requirements = [part for part in re.split(r"\n(?! )", text) if part.strip()]
    assert len(requirements) > 10
    assert [part for part in requirements if not re.match(r"\S+==\S+", part) or "--hash=sha256:" not in part] == []


def test_lock_files_agree_with_the_project() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)
    runtime = {wanted(requirement) for requirement in project["project"]["dependencies"]}
    tests = {wanted(requirement) for requirement in project["dependency-groups"]["test"]}
    assert runtime - set(locked(LOCKS[0])) == set()
    assert (runtime | tests) - set(locked(LOCKS[1])) == set()


def test_the_tests_run_on_what_is_shipped() -> None:
    shipped, tested = locked(LOCKS[0]), locked(LOCKS[1])
    assert {name: versions for name, versions in shipped.items() if tested.get(name) != versions} == {}


def test_nothing_names_this_machine() -> None:
    here = f"{ROOT}/".encode()
    beside = f"{ROOT.parent}/".encode() if len(ROOT.parent.parts) > 1 and ROOT.parent.name != "tmp" else here
    found = []
    for path in files():
        data = path.read_bytes()
        if here in data or beside in data or HOMES.search(data.decode("utf-8", "replace")):
            found.append(path)
    assert names(found) == []


def test_the_readme_can_be_read_in_one_go() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def test_every_module_says_what_it_is() -> None:
    assert [name for name, tree in python().items() if not ast.get_docstring(tree)] == []


def test_modules_stay_short() -> None:
    lengths = {name: (ROOT / name).read_bytes().count(b"\n") for name in python()}
    assert {name: length for name, length in lengths.items() if length > 500} == {}


def test_functions_stay_short() -> None:
    found = []
    for name, tree in python().items():
        if "/migrations/versions/" in name:  # what a database once was, column by column: never edited again
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > 60:
                    found.append(f"{name}:{node.lineno} {node.name} {length}")
    assert found == []
