"""The sandbox as a folder: two folders are two companies."""

from __future__ import annotations

from pathlib import Path

import pytest

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
