"""`sandbox update` as it is typed, against a server that runs."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from installation import Make
from routebooks import app
from routebooks.sandbox.company import SandboxCompany


def empty(company: SandboxCompany) -> None:
    pass


def test_a_log_in_that_is_refused_is_told_with_what_to_do(installed: Make, tmp_path: Path) -> None:
    made = installed(fill=empty)
    (tmp_path / "harbor.qwc").write_bytes(made.qwc)
    command = ["sandbox", "update", str(tmp_path / "sandbox"), str(tmp_path / "harbor.qwc"), "--password-stdin"]
    done = CliRunner().invoke(app.build(), command, input="wrong\n")
    assert done.exit_code == 1
    assert done.stdout.startswith("not_valid: The log-in was refused: the password is wrong")
    assert "`routebooks connection password`" in done.stdout
