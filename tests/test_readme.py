"""What README.md tells a newcomer to type is typed here."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from routebooks import app
from routebooks.sandbox import orders_db
from routebooks.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block_with(words: str) -> list[str]:
    """The commands of the block that holds these words."""
    blocks = re.findall(r"^```\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if words in block]
    return [line for line in found.splitlines() if line.strip()]


def test_the_first_commands_stand_alone() -> None:
    assert block_with("./run demo") == ["./run demo"]
    assert block_with("./run test") == ["./run test"]


@pytest.mark.skipif(sys.platform == "win32", reason="./run is a shell script")
def test_the_demo_runs(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    program, *words = shlex.split(block_with("./run demo")[0])
    command = [program, "--home", str(tmp_path / "a demo"), *words, "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=110)
    assert done.returncode == 0, done.stderr.decode()
    report = json.loads(done.stdout)
    assert [(flow["flow"], flow["state"]) for flow in report["flows"]] == [
        ("codes", "done"),
        ("items", "done"),
        ("customers", "done"),
        ("invoices", "done"),
        ("orders", "done"),
    ]
    assert all(Path(file["path"]).is_file() for file in report["files"])
    assert report["orders"]
    assert all(record["reason"] and record["cure"] for record in report["rejected"])
    assert b"Traceback" not in done.stderr
    tried = shlex.split(report["next"])
    assert tried[0] == "./run"
    assert CliRunner().invoke(app.build(), tried[1:]).exit_code == 0


def test_connecting_a_company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUTEBOOKS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    secrets = {"pocketadvantage": "secret\n", "pocketadvantage_orders": f"sqlite:///{tmp_path / 'orders.db'}\n"}
    orders_db.create(secrets["pocketadvantage_orders"].strip())
    lines = block_with("routebooks company add")
    assert lines[-1] == "routebooks serve"
    for line in lines[:-1]:
        words = shlex.split(line)[1:]
        secret = next((text for name, text in secrets.items() if name in words), None)
        if secret is not None:
            words.append("--secret-stdin")
        done = CliRunner().invoke(app.build(), words, input=secret)
        assert done.exit_code == 0, f"{line}\n{done.output}"
    assert (tmp_path / "harbor.qwc").read_bytes().startswith(b"<?xml")
    for line in ("routebooks connection test Harbor quickbooks", "routebooks status"):
        assert f"`{line}`" in README.replace("\n", " ")
        done = CliRunner().invoke(app.build(), shlex.split(line)[1:])
        assert done.exit_code in (0, 1)
        assert "Traceback" not in done.output


def test_the_settings_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| ([a-z_, ]+) \| `ROUTEBOOKS", README, re.MULTILINE)
    named = {name.strip() for row in rows for name in row.split(",")}
    assert named == set(Settings.model_fields)
