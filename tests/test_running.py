"""The sandbox's commands, as they are typed."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from routebooks import app


def test_a_password_that_nobody_can_be_asked_for_is_asked_of_nobody(tmp_path: Path) -> None:
    (tmp_path / "harbor.qwc").write_bytes(b"<QBWCXML/>")
    command = ["sandbox", "update", str(tmp_path / "sandbox"), str(tmp_path / "harbor.qwc")]
    done = CliRunner().invoke(app.build(), command, input="")
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "The Web Connector's password is missing. [password-missing]",
        "  Give it on standard input, with --password-stdin.",
    ]
    assert not (tmp_path / "sandbox").exists()
