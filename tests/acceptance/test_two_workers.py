"""Two real server processes on one PostgreSQL: what one of them cannot do any more goes on in the other, once.

Not on Windows, which has no SIGKILL and no SIGSTOP; there the same code runs.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from installation import PATIENCE, files_are_right, install, orders_stand_once
from routebooks import app, server
from routebooks.sandbox import servers
from routebooks.sandbox.update import Result
from routebooks.sandbox.web_connector import WebConnector
from routebooks.sandbox.world import SandboxWorld
from routebooks.settings import Settings, load
from routebooks.store import deliveries, workers
from routebooks.store.runs import State
from routebooks.store.workers import WorkerRow
from server_process import Process

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL, no SIGSTOP")

#: long enough for a machine that has much to do, short enough to wait for
SILENCE = 5.0


class Pair:
    """Two servers, with a home each, on one database, one place for artifacts and one key."""

    def __init__(self, folder: Path, database_url: str, world: SandboxWorld) -> None:
        artifacts = str(folder / "artifacts")
        environment = {
            "ROUTEBOOKS_DATABASE_URL": database_url,
            "ROUTEBOOKS_ARTIFACTS_URL": artifacts,
            "ROUTEBOOKS_SILENCE_SECONDS": str(SILENCE),
        }
        self.settings = [_settings(folder / name, database_url, artifacts) for name in ("one", "two")]
        self.installation = install(
            self.settings[0], world, quickbooks={"page_size": "30", "plain_unit": "case"}, files={"temporary": "suffix"}
        )
        self.settings[1].home.mkdir()
        shutil.copy(self.settings[0].home / app.KEY, self.settings[1].home / app.KEY)
        self.processes = [Process(settings, **environment) for settings in self.settings]

    def start(self) -> None:
        """Start both, and wait until each is sure enough of itself to take over from the other."""
        for process in self.processes:
            process.start()

    def stop(self) -> None:
        """Stop both at once."""
        for process in self.processes:
            process.kill()
        self.installation.ctx.store.close()

    def connector(self, at: int, on_turn: Callable[[str], None] | None = None) -> WebConnector:
        """The Web Connector, calling one of the two."""
        first, wanted = (f"localhost:{self.settings[each].port}/".encode() for each in (0, at))
        made = self.installation
        return made.world.connector(made.qwc.replace(first, wanted), made.password, on_turn=on_turn)

    def workers(self) -> list[WorkerRow]:
        """Who is at work, as the database knows."""
        with self.installation.ctx.store.read() as tx:
            return workers.all_workers(tx)

    def deliverer(self) -> int:
        """Which of the two delivers a file at this moment."""
        query = "SELECT executor_id FROM dbos.workflow_status WHERE status = 'PENDING' AND workflow_uuid LIKE :deliver"
        with self.installation.ctx.store.read() as tx:
            (executor,) = tx.execute(sa.text(query), {"deliver": "run-%-deliver-%"}).scalars()
        (home,) = [each.home for each in self.workers() if each.id == executor]
        return [str(settings.home) for settings in self.settings].index(home)

    def delivered(self) -> list[str]:
        """The layouts of the files that went to their place."""
        with self.installation.ctx.store.read() as tx:
            lines = deliveries.list_deliveries(tx)
        return sorted(line.delivery.layout for line in lines if line.delivery.state == "delivered")


def _settings(home: Path, database_url: str, artifacts: str) -> Settings:
    with server.listen("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
    return load(
        home=home,
        port=port,
        public_url=f"http://localhost:{port}",
        database_url=database_url,
        artifacts_url=artifacts,
    )


@pytest.fixture
def pair(tmp_path: Path, fresh_postgres: str) -> Iterator[Pair]:
    """Two servers, not started yet, with a seeded sandbox."""
    with ExitStack() as stack:
        world = SandboxWorld(tmp_path / "sandbox")
        stack.callback(world.stop)
        world.start()
        made = Pair(tmp_path, fresh_postgres, world)
        stack.callback(made.stop)
        yield made


def wait_for(reached: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_killed_server_is_relieved_by_the_other_and_no_effect_comes_twice(pair: Pair) -> None:
    installation, ftp, killed = pair.installation, pair.installation.world.ftp, list[int]()

    def kill_the_deliverer() -> None:
        killed.append(pair.deliverer())
        pair.processes[killed[0]].kill()

    ftp.cut_upload_after, ftp.on_cut = 5000, kill_the_deliverer
    pair.start()
    night = installation.ask("customers", "items", "invoices")
    installation.until_called_for(night)
    assert pair.connector(0).update().result is Result.DONE
    installation.until_ended(night)
    assert {installation.run(run_id).state for run_id in night} == {State.DONE}
    assert {installation.run(run_id).tries for run_id in night} == {0}
    assert pair.delivered() == ["customer", "invoice", "item"]
    files_are_right(installation, "invoice.fil")
    assert [each.home for each in pair.workers()] == [str(pair.settings[1 - killed[0]].home)]

    pair.processes[killed[0]].start()
    assert len(pair.workers()) == 2
    company = installation.world.company
    carried_out = company.process

    def process_and_kill(session: str, request: bytes) -> bytes:
        answer = carried_out(session, request)
        if b"SalesOrderAddRq" in request:
            pair.processes[0].kill()
        return answer

    orders = installation.ask("orders")
    installation.until_called_for(orders)
    company.process = process_and_kill  # type: ignore[method-assign]
    assert pair.connector(0).update().result is Result.ERROR
    assert len(company.sales_orders()) == 1
    company.process = carried_out  # type: ignore[method-assign]
    # The other one serves the Web Connector, and does the rest.
    assert pair.connector(1).update().result is Result.DONE
    installation.until_ended(orders)
    orders_stand_once(installation)


def test_a_server_that_stood_still_puts_nothing_in_place_when_it_comes_to_itself(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation, still = pair.installation, list[int]()
    answer = servers._Handler.ftp_SIZE

    def stand_still(handler: Any, path: str) -> None:
        # It asks before the upload: later it would find its temporary file renamed by the other one.
        if not still and path.endswith(".part"):
            still.append(pair.deliverer())
            pair.processes[still[0]].stand_still()
        answer(handler, path)

    monkeypatch.setattr(servers._Handler, "ftp_SIZE", stand_still)
    pair.start()
    night = installation.ask("customers")
    installation.until_called_for(night)
    assert pair.connector(0).update().result is Result.DONE
    installation.until_ended(night)
    assert installation.run(night[0]).state is State.DONE
    assert pair.delivered() == ["customer"]
    taken = installation.world.ftp_root / "latest4711" / "customer.fil"
    taken.unlink()

    code, said = pair.processes[still[0]].go_on()
    assert code == 1
    assert "server-replaced" in said
    assert not taken.exists()
    assert installation.run(night[0]).state is State.DONE
    assert [each.home for each in pair.workers()] == [str(pair.settings[1 - still[0]].home)]


def test_status_shows_both_and_a_stranger_is_refused(pair: Pair, tmp_path: Path) -> None:
    pair.start()
    installed = pair.settings[0]
    environment = {
        "ROUTEBOOKS_DATABASE_URL": installed.database_url.get_secret_value(),
        "ROUTEBOOKS_ARTIFACTS_URL": installed.artifacts_url,
    }
    said = CliRunner().invoke(app.build(), ["--home", str(installed.home), "status", "--json"], env=environment)
    assert said.exit_code == 0, said.output
    shown = json.loads(said.stdout)["workers"]
    assert {each["home"] for each in shown} == {str(settings.home) for settings in pair.settings}
    assert all(each["seconds_ago"] < PATIENCE and each["needs"] == "" for each in shown)

    stranger = tmp_path / "stranger"
    assert "key-missing" in _refused(stranger, environment)
    stranger.mkdir(exist_ok=True)
    shutil.copy(installed.home / app.KEY, stranger / app.KEY)
    assert "artifacts-elsewhere" in _refused(stranger, {**environment, "ROUTEBOOKS_ARTIFACTS_URL": str(stranger / "a")})
    key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    assert "key-differs" in _refused(stranger, {**environment, "ROUTEBOOKS_KEY": key})
    assert len(pair.workers()) == 2


def _refused(home: Path, environment: dict[str, str]) -> str:
    with server.listen("127.0.0.1", 0) as sock:
        port = str(sock.getsockname()[1])
    done = CliRunner().invoke(app.build(), ["--home", str(home), "serve"], env={**environment, "ROUTEBOOKS_PORT": port})
    assert done.exit_code == 2, done.output
    return done.stderr
