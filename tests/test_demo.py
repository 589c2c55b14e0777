"""The demo's folder, and Ctrl-C at any moment: no traceback, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from typer.testing import CliRunner

from routebooks import app, demo

interrupts = pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to a console, not to a process")


def interrupted(word: str, **environment: str) -> tuple[int, str]:
    """How a demo ends that gets a Ctrl-C as soon as it says a word on standard error, and all it said."""
    command = [sys.executable, "-m", "routebooks", "demo"]
    environment = {**os.environ, **environment}
    # A shell that runs the tests in the background ignores Ctrl-C, and so would the child.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        said = b""
        for line in process.stderr:
            said += line
            if word.encode() in line:
                process.send_signal(signal.SIGINT)
                break
        said += process.stderr.read()
    return process.returncode, said.decode()


@interrupts
def test_interrupted_while_it_begins_it_leaves_nothing_behind(tmp_path: Path) -> None:
    code, said = interrupted("Starting the sandbox", TMPDIR=str(tmp_path))
    assert code == 130
    assert "Traceback" not in said
    assert "is removed" in said
    assert not list(tmp_path.iterdir())


@interrupts
def test_interrupted_while_the_program_is_loaded_it_just_ends(tmp_path: Path) -> None:
    """A library that takes for ever to load."""
    slow = "import sys, threading\nprint('loading', file=sys.stderr, flush=True)\nthreading.Event().wait()\n"
    (tmp_path / "typer.py").write_text(slow, encoding="utf-8")
    code, said = interrupted("loading", PYTHONPATH=str(tmp_path))
    assert (code, said) == (-signal.SIGINT, "loading\n")


def test_a_folder_that_holds_something_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "routebooks.db").write_bytes(b"precious")
    done = CliRunner().invoke(app.build(), ["--home", str(tmp_path), "demo"])
    assert done.exit_code == 2
    assert "demo-folder-full" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["routebooks.db"]


@pytest.mark.parametrize(("given", "keep", "kept"), [(True, False, True), (False, True, True), (False, False, False)])
def test_a_folder_is_kept_where_somebody_asked_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: bool, keep: bool, kept: bool
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    said: list[str] = []
    with ExitStack() as stack:
        home = demo.place(stack, str(tmp_path / "new") if given else None, said.append, keep=keep)
        (home / "sandbox").mkdir(parents=True)
    assert home.parent == tmp_path
    assert home.exists() is kept
    assert [("kept in" in line, str(home) in line) for line in said] == [(kept, True)]
