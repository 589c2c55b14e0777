"""The real server process, killed (SIGKILL) in the worst moments: after a restart the files are right, orders once.

Not on Windows, which has no SIGKILL; there the same code runs, and the same ledger.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from installation import PATIENCE, Installation, files_are_right, install, orders_stand_once
from routebooks import server
from routebooks.sandbox.update import Result
from routebooks.sandbox.world import SandboxWorld
from routebooks.settings import Settings, load
from routebooks.store import runs as run_store
from routebooks.store.runs import Phase, State
from server_process import Process

#: a server that ticks once, at its start, and then hardly ever: what is ready after that stays ready
ONE_TICK = 3600.0


class Killed(Process):
    """The server of an installation."""

    def __init__(self, settings: Settings, installation: Installation) -> None:
        super().__init__(settings)
        self.installation = installation


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Killed]:
    """A server process, not started yet, with a seeded sandbox."""
    with ExitStack() as stack:
        world = SandboxWorld(tmp_path / "sandbox")
        stack.callback(world.stop)
        world.start()
        sock = server.listen("127.0.0.1", 0)
        port = sock.getsockname()[1]
        sock.close()
        settings = load(home=tmp_path / "home", public_url=f"http://localhost:{port}", port=port)
        installation = install(settings, world, quickbooks={"page_size": "30", "plain_unit": "case"})
        stack.callback(installation.ctx.store.close)
        made = Killed(settings, installation)
        stack.callback(made.kill)
        yield made


def night(process: Killed, *more: str) -> None:
    """A night to its end, whatever happened before."""
    installation = process.installation
    made = [run.id for run in active(installation)]
    installation.until_called_for(made)
    assert installation.connector().update().result in (Result.DONE, Result.NO_WORK)
    installation.until_ended(made)
    assert {installation.run(run_id).state for run_id in made} == {State.DONE}
    files_are_right(installation, *more)


def active(installation: Installation) -> list[run_store.Run]:
    with installation.ctx.store.read() as tx:
        return run_store.active_runs(tx)


def test_killed_in_mid_extract(process: Killed) -> None:
    process.installation.ask("customers", "items")
    process.start()
    process.installation.until_called_for([run.id for run in active(process.installation)])
    turns: list[str] = []

    def kill_after_three(kind: str) -> None:
        turns.append(kind)
        if len(turns) == 4:
            process.kill()

    assert process.installation.connector(kill_after_three).update().result is Result.ERROR
    assert {run.phase for run in active(process.installation)} == {Phase.EXTRACT}
    process.start()
    night(process)


def test_killed_after_the_last_page_and_before_the_work(process: Killed) -> None:
    process.installation.ask("customers", "items")
    process.start(ONE_TICK)
    process.installation.until_called_for([run.id for run in active(process.installation)])
    assert process.installation.connector().update().result is Result.DONE
    assert {run.state for run in active(process.installation)} == {State.READY}
    process.again()
    night(process)


def test_a_night_goes_on_as_its_work_ends_and_waits_for_no_tick(process: Killed) -> None:
    made = process.installation.ask("customers", "items")
    process.start(ONE_TICK)
    process.installation.until_called_for(made)
    assert process.installation.connector().update().result is Result.DONE
    process.kill()
    process.start(ONE_TICK)
    process.installation.until_ended(made)
    files_are_right(process.installation)


def test_killed_in_mid_upload(process: Killed) -> None:
    ftp = process.installation.world.ftp
    ftp.cut_upload_after = 5000
    killed: list[bool] = []

    def kill() -> None:
        process.kill()
        killed.append(True)

    ftp.on_cut = kill
    process.installation.ask("customers", "items")
    process.start()
    process.installation.until_called_for([run.id for run in active(process.installation)])
    process.installation.connector().update()
    end = time.monotonic() + PATIENCE
    while not killed:
        assert time.monotonic() < end
        time.sleep(0.02)
    process.start()
    night(process)


def first_night(process: Killed) -> Installation:
    # The invoices bring the units of measure that orders are written in.
    process.installation.ask("customers", "items", "invoices")
    process.start()
    night(process, "invoice.fil")
    process.installation.ask("orders")
    installation = process.installation
    installation.until_called_for([run.id for run in active(installation)])
    return installation


def test_killed_after_an_order_was_handed_out_and_before_its_answer(process: Killed) -> None:
    installation = first_night(process)
    company = installation.world.company
    carried_out = company.process

    def process_and_kill(session: str, request: bytes) -> bytes:
        answer = carried_out(session, request)
        if b"SalesOrderAddRq" in request:
            process.kill()
        return answer

    company.process = process_and_kill  # type: ignore[method-assign]
    assert installation.connector().update().result is Result.ERROR
    assert len(company.sales_orders()) == 1
    company.process = carried_out  # type: ignore[method-assign]
    process.start()
    installation.connector().update()
    installation.until_ended([run.id for run in active(installation)])
    orders_stand_once(installation)


def test_killed_after_the_answer_and_before_the_write_back(process: Killed) -> None:
    installation = first_night(process)
    process.again(ONE_TICK)
    (run,) = active(installation)
    assert run.phase is Phase.POST
    installation.connector().update()
    assert installation.run(run.id).phase is Phase.CONFIRM
    assert all(order.told is None for order in map(installation.order, posted_keys(installation)) if order is not None)
    process.again()
    installation.until_ended([run.id])
    orders_stand_once(installation)


def posted_keys(installation: Installation) -> list[str]:
    return [str(order["Other"]) for order in installation.world.company.sales_orders()]


def test_a_second_server_on_the_same_folder_is_refused(process: Killed) -> None:
    process.start()
    settings = process.installation.settings
    command = [sys.executable, "-m", "routebooks", "--home", str(settings.home), "serve"]
    with server.listen("127.0.0.1", 0) as sock:
        port = str(sock.getsockname()[1])
    second = subprocess.run(command, env={**os.environ, "ROUTEBOOKS_PORT": port}, capture_output=True, timeout=60)
    assert (second.returncode, second.stdout) == (2, b"")
    assert b"server-runs" in second.stderr
    assert b"Traceback" not in second.stderr
