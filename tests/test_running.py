"""The sandbox's commands, as they are typed."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from routebooks import app


def test_a_password_that_nobody_can_be_asked_for_is_asked_of_nobody(tmp_path: Path) -> None:
    (tmp_path / "harbor.qwc").write_bytes(b"<QBWCXML/>")
    (tmp_path / "company.db").touch()
    command = ["sandbox", "update", str(tmp_path), str(tmp_path / "harbor.qwc")]
    done = CliRunner().invoke(app.build(), command, input="")
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "The Web Connector's password is missing. [password-missing]",
        "  Give it on standard input, with --password-stdin.",
    ]


def test_an_update_makes_no_sandbox_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "harbor.qwc").write_bytes(b"<QBWCXML/>")
    command = ["sandbox", "update", str(tmp_path / "sandbax"), str(tmp_path / "harbor.qwc"), "--password-stdin"]
    done = CliRunner().invoke(app.build(), command, input="secret")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "[sandbox-missing]" in done.stderr
    assert not (tmp_path / "sandbax").exists()
