"""The product runs where Python runs: nothing of one system only, no bytes changed by text mode, own zone files."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "routebooks"


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


POSIX_MODULES = words("curses fcntl grp posix pty pwd readline resource syslog termios tty")
POSIX_NAMES = {
    "os": words(
        "chown chroot fchmod fchown fork forkpty getegid geteuid getgid getpgid getuid killpg lchown mkfifo mknod nice"
        " setgid setpgid setsid setuid statvfs sync uname wait WNOHANG"
    ),
    "signal": words("SIGALRM SIGCHLD SIGHUP SIGKILL SIGQUIT SIGUSR1 SIGUSR2 alarm pause sigwait"),
    "time": words("tzset"),
}


def posix_only(source: str) -> set[str]:
    """The names in a module that Windows does not have."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found |= {alias.name for alias in names if alias.name.partition(".")[0] in POSIX_MODULES}
            case ast.ImportFrom(module=str(module), level=0, names=names):
                found |= {module} if module.partition(".")[0] in POSIX_MODULES else set()
                found |= {f"{module}.{alias.name}" for alias in names if alias.name in POSIX_NAMES.get(module, ())}
            case ast.Attribute(value=ast.Name(id=module), attr=name) if name in POSIX_NAMES.get(module, ()):
                found.add(f"{module}.{name}")
    return found


def text_writes(source: str) -> list[int]:
    """The lines of a module that write a file in text mode."""
    return sorted(node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and _is_text(node))


def _is_text(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name == "write_text":
        return True
    if name not in {"open", "fdopen", "NamedTemporaryFile", "TemporaryFile"}:
        return False
    arguments = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    modes = [a.value for a in arguments if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    return any(set(mode) <= set("rwaxbt+") and set(mode) & set("wax+") and "b" not in mode for mode in modes)


def modules(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import fcntl", {"fcntl"}),
        ("def f():\n    import pwd as p", {"pwd"}),
        ("from resource import getrusage", {"resource"}),
        ("from os import fork, path", {"os.fork"}),
        ("import os\nos.killpg(1, 9)", {"os.killpg"}),
        ("import signal\nsignal.signal(signal.SIGHUP, None)", {"signal.SIGHUP"}),
        ("import os\nos.replace('a', 'b')\nfrom . import resource", set()),
    ],
)
def test_the_search_finds_what_windows_lacks(source: str, found: set[str]) -> None:
    assert posix_only(source) == found


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("open(name, 'w')", [1]),
        ("x\nopen(name, mode='a+')", [2]),
        ("path.open('w', encoding='utf-8')", [1]),
        ("path.write_text('a')", [1]),
        ("gzip.open(name, 'wt')", [1]),
        ("open(name); path.open('rb'); path.open('wb'); open('was'); path.write_bytes(b'')", []),
    ],
)
def test_the_search_finds_text_writes(source: str, lines: list[int]) -> None:
    assert text_writes(source) == lines


def test_no_module_needs_one_system() -> None:
    found = {name: used for name, source in modules(SOURCE) if (used := posix_only(source))}
    assert found == {}


def test_connectors_write_bytes_only() -> None:
    found = {name: lines for name, source in modules(SOURCE / "connectors") if (lines := text_writes(source))}
    assert found == {}


def test_zone_files_come_along() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "tzdata" in project["dependencies"]
