"""The sandbox as a folder: two folders are two companies."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from routebooks.errors import ConfigError
from routebooks.sandbox.company import SandboxCompany
from routebooks.sandbox.world import SandboxWorld, name_after


def empty(company: SandboxCompany) -> None:
    pass


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("dock", "Dock Beverage Company"),
        ("/tmp/my_second-try", "My Second Try Beverage Company"),
        ("...", "Harbor Beverage Company"),
        ("x" * 99, f"X{'x' * 35} Beverage Company"),
    ],
)
def test_a_company_is_named_after_its_folder(folder: str, name: str) -> None:
    assert name_after(Path(folder)) == name
    assert len(name) <= 59


def test_the_port_of_the_last_start_is_taken_again_if_it_is_free(tmp_path: Path) -> None:
    def start(port: int | None) -> tuple[int, int]:
        world = SandboxWorld(tmp_path, fill=empty, ftp_port=port)
        try:
            world.start()
            return world.last_port, world.ftp.port
        finally:
            world.stop()

    before, first = start(None)
    assert before == 0
    assert start(None) == (first, first)
    with socket.create_server(("127.0.0.1", first)):
        with pytest.raises(ConfigError):
            start(first)
        before, second = start(None)
    assert (before, second != first) == (first, True)
    assert start(None) == (second, second)


def test_two_folders_are_two_companies_and_a_folder_stays_what_it_is(tmp_path: Path) -> None:
    seen = []
    for folder, wanted in (("dock", ""), ("pier", ""), ("dock", "Another Company")):
        world = SandboxWorld(tmp_path / folder, fill=empty, company_name=wanted)
        seen.append((world.company.company_name, world.company.file_path))
        world.stop()
    assert seen == [
        ("Dock Beverage Company", r"C:\QuickBooks\Dock Beverage.qbw"),
        ("Pier Beverage Company", r"C:\QuickBooks\Pier Beverage.qbw"),
        ("Dock Beverage Company", r"C:\QuickBooks\Dock Beverage.qbw"),
    ]
