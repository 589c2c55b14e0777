"""What a server that runs lets others see."""

from __future__ import annotations

from installation import Make
from routebooks.store import workers
from routebooks.store.runs import Phase


def test_a_server_at_work_is_seen(installed: Make) -> None:
    installation = installed()
    installation.until(installation.ask("orders"), lambda run: run.phase is not Phase.PLAN)
    with installation.ctx.store.read() as tx:
        assert len(workers.living(tx)) == 1
