"""What docs/run-as-a-service.md tells: the unit is one, and its backup can be put back, word for word."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli_program import call
from pages import blocks, cells, commands, page
from routebooks.app import context
from routebooks.settings import FILE_NAME, Settings, load

DOC = page("run-as-a-service.md")
DATA = "/var/lib/routebooks"


def unit() -> dict[str, list[str]]:
    """The unit's lines by name; some names stand twice."""
    (text,) = blocks(DOC, "Linux", "ini")
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def test_the_unit_serves_the_home_that_the_page_makes() -> None:
    made = unit()
    given = dict(line.split("=", 1) for line in made["Environment"])
    assert set(given) <= {f"ROUTEBOOKS_{name.upper()}" for name in Settings.model_fields}
    assert given["ROUTEBOOKS_HOME"] == DATA
    assert made["ReadWritePaths"] == made["WorkingDirectory"] == [DATA]
    assert made["ExecStart"] == ["/opt/routebooks/.venv/bin/routebooks serve"]
    (user, folder, install, *others) = commands(DOC, "Linux")
    assert f"--home-dir {DATA} " in user
    assert user.endswith(f" {made['User'][0]}")
    assert folder.endswith(DATA)
    assert install == "sudo /opt/routebooks/run --version"
    assert others[-1] == f"sudo -u routebooks ROUTEBOOKS_HOME={DATA} /opt/routebooks/.venv/bin/routebooks status"


def test_all_that_lies_in_the_home_is_named() -> None:
    assert set(cells(DOC, "Backup")) == {"routebooks.db", "durable.db", "artifacts", "key", FILE_NAME}


@pytest.mark.skipif(sys.platform == "win32", reason="the commands are those of Linux")
def test_a_backup_is_made_and_put_back(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "backups").mkdir()
    home = tmp_path / "lib" / "routebooks"
    added = call(context(load(home=home)), "company", "add", "Harbor", "--cust-id", "4711")
    assert "Harbor" in added.stdout
    kept = {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()}
    typed(commands(DOC, "Backup"), tmp_path)
    shutil.rmtree(home)
    home.mkdir()
    (home / "routebooks.db").write_bytes(b"damaged")
    typed(commands(DOC, "Restore"), tmp_path)
    assert {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()} == kept
    assert (tmp_path / "lib" / "routebooks.before" / "routebooks.db").read_bytes() == b"damaged"
    assert "Harbor" in call(context(load(home=home), begin=False), "company", "list").stdout


def typed(lines: list[str], place: Path) -> None:
    """The commands between the stop and the start of the service, in a place of the test's own."""
    assert lines[0] == "sudo systemctl stop routebooks"
    assert lines[-1] == "sudo systemctl start routebooks"
    for line in lines[1:-1]:
        words = line.replace("/var/lib", f"{place}/lib").replace("/var/backups", f"{place}/backups").split()
        assert words.pop(0) == "sudo"
        subprocess.run(words, check=True, capture_output=True)
