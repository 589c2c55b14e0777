"""Another company's file is open at the PC: nothing is read from it and nothing written into it."""

from __future__ import annotations

from pathlib import Path

from installation import Make
from routebooks.engine import connections
from routebooks.sandbox.world import SandboxWorld
from routebooks.store import companies


def test_a_second_sandbox_is_another_company(installed: Make, tmp_path: Path) -> None:
    installation = installed()
    assert installation.connector().update().result == "done"
    other = SandboxWorld(tmp_path / "dock", fill=lambda company: None)
    try:
        run_ids = installation.ask("customers")
        installation.until_called_for(run_ids)
        other.connector(installation.qwc, installation.password).update()
    finally:
        other.stop()
    with installation.ctx.store.read() as tx:
        (row,) = (each for each in companies.connections_of(tx) if each.name == "quickbooks")
        caller = companies.caller(tx, row.id)
    assert caller is not None
    assert caller.bound_company == "Sandbox Beverage Company"
    failed = [check for check in connections.test(installation.ctx, row.id) if not check.ok]
    assert "Dock Beverage Company" in failed[0].message
    installation.connector().update()
    installation.until_ended(run_ids)
    assert installation.run(run_ids[0]).state == "done"
