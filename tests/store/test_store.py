"""The repositories, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from routebooks.errors import ConfigError, FatalError, Problem
from routebooks.records import Rejected
from routebooks.store import audit, companies, deliveries, exchange, flows, ledger, rejected, rows, runs
from routebooks.store.artifacts import ArtifactStore
from routebooks.store.database import MIGRATIONS, Store, Tx
from routebooks.store.ledger import OrderState
from routebooks.store.runs import Phase, State
from routebooks.store.tables import metadata

NOW = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Ids:
    """A company with a connection and a flow."""

    company: int
    connection: int
    flow: int


def furnish(tx: Tx, name: str = "Harbor") -> Ids:
    company = companies.add_company(tx, name=name, cust_id="4711", time_zone="UTC", now=NOW)
    connection = companies.add_connection(
        tx, company_id=company, name="books", connector="toy", settings={"a": 1}, secrets="sealed", now=NOW
    )
    flow = flows.add_flow(
        tx,
        company_id=company,
        name="customers",
        direction="out",
        source_id=connection,
        target_id=connection,
        stream="customers",
        target="customer",
        map_name="customers",
        enabled=True,
        incremental=False,
        settings={},
        late_after_minutes=60,
        expires_after_minutes=1440,
        created_at=NOW,
    )
    return Ids(company, connection, flow)


def add_run(tx: Tx, ids: Ids) -> int:
    return runs.add_run(
        tx,
        company_id=ids.company,
        flow_id=ids.flow,
        night_id=runs.add_night(tx, ids.company, NOW),
        trigger="person",
        phase=Phase.PLAN,
        state=State.WAITING,
        waits_for="its turn",
        not_before=NOW,
        late_after=NOW,
        expires_at=NOW,
        created_at=NOW,
        notes=[{"code": "é"}],
    )


def test_the_migrations_make_the_tables_that_the_code_uses(store: Store) -> None:
    with store.read() as tx:
        assert compare_metadata(MigrationContext.configure(tx, opts={"compare_type": True}), metadata) == []
    store.migrate()


def test_a_database_of_the_first_version_is_brought_up_with_what_it_holds(store: Store) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with store.begin() as tx:
        metadata.drop_all(tx)
        tx.execute(sa.text("DELETE FROM alembic_version"))
        config.attributes["connection"] = tx
        command.upgrade(config, "0001")
        values = {"name": "Harbor", "cust_id": "1", "time_zone": "UTC", "created_at": NOW}
        company = rows.add(tx, metadata.tables["companies"], values)
        values = {"company_id": company, "name": "files", "connector": "toy", "settings": {}, "secrets": ""}
        rows.add(tx, metadata.tables["connections"], {**values, "created_at": NOW})
    store.migrate()
    with store.read() as tx:
        [row] = companies.connections_of(tx, company)
    assert (row.name, row.tested_at, row.test_problem) == ("files", None, None)


def test_a_database_of_a_newer_version_is_refused(store: Store) -> None:
    with store.begin() as tx:
        tx.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError) as caught:
        store.migrate()
    assert caught.value.problem.code == "database-newer"


def test_companies_are_kept_apart(store: Store) -> None:
    with store.begin() as tx:
        first, second = furnish(tx, "Harbor"), furnish(tx, "Summit")
        companies.add_caller(
            tx,
            connection_id=first.connection,
            user_name="rb-1",
            password_hash="h",
            file_id="{1}",
            silent_after_minutes=60,
        )
    with store.read() as tx:
        assert [row.name for row in companies.all_companies(tx)] == ["Harbor", "Summit"]
        assert [row.id for row in companies.connections_of(tx, second.company)] == [second.connection]
        assert [row.id for row in flows.flows_of(tx, first.company)] == [first.flow]
        found = companies.caller_named(tx, "rb-1")
        assert found is not None
        assert found.connection_id == first.connection
        assert companies.caller_named(tx, "rb-2") is None
        assert companies.connection_named(tx, first.company, "nothing") is None


def test_an_instant_comes_back_as_it_was_in_utc_and_a_naive_one_is_refused(store: Store) -> None:
    local = datetime(2026, 3, 2, 1, 30, tzinfo=timezone(timedelta(hours=-5)))
    with store.begin() as tx:
        ids = furnish(tx)
        companies.change_connection(tx, ids.connection, paused_at=local)
        assert companies.connection(tx, ids.connection).paused_at == NOW
        naive = NOW.replace(tzinfo=None)
        with pytest.raises(sa.exc.StatementError, match="naive"):
            companies.change_connection(tx, ids.connection, paused_at=naive)


def test_a_transaction_that_raises_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.begin() as tx:
        _ = furnish(tx).flow // 0
    with store.read() as tx:
        assert companies.all_companies(tx) == []


def test_a_run_changes_state_only_from_where_it_may(store: Store) -> None:
    with store.begin() as tx:
        run_id = add_run(tx, furnish(tx))
        assert not runs.change_run(tx, run_id, only_if=[State.READY], state=State.RUNNING)
        assert runs.change_run(tx, run_id, only_if=[State.WAITING], state=State.READY)
        assert [run.id for run in runs.ready_runs(tx, NOW)] == [run_id]
        assert list(runs.ready_runs(tx, NOW - timedelta(seconds=1))) == []
        found = runs.run(tx, run_id)
    assert (found.phase, found.notes, found.active) == (Phase.PLAN, [{"code": "é"}], True)
    assert found.workflow_id == f"run-{run_id}-plan-0"
    with store.read() as tx, pytest.raises(FatalError):
        runs.run(tx, run_id + 1)


def test_only_late_runs_are_looked_at_again_and_busy_flows_are_those_with_a_run_under_way(store: Store) -> None:
    later = NOW + timedelta(seconds=1)
    with store.begin() as tx:
        ids = furnish(tx)
        expired, scheduled, waiting, ended = (add_run(tx, ids) for _ in range(4))
        for run_id in (scheduled, waiting):
            runs.change_run(tx, run_id, expires_at=NOW + timedelta(days=1))
        runs.change_run(tx, scheduled, trigger="schedule")
        runs.change_run(tx, ended, state=State.DONE, phase=Phase.DELIVER)
        assert [run.id for run in runs.late_runs(tx, NOW)] == [expired]
        assert [run.id for run in runs.late_runs(tx, later)] == [expired, scheduled]
        assert runs.busy_flows(tx) == set()
        runs.change_run(tx, waiting, phase=Phase.EXTRACT)
        assert runs.busy_flows(tx) == {ids.flow}
        assert [run.id for run in runs.active_runs(tx, phase=Phase.EXTRACT)] == [waiting]
        assert [run.id for run in runs.active_runs(tx, state=State.WAITING)] == [expired, scheduled, waiting]
        assert runs.active_runs(tx, ids.flow + 1) == []


def test_the_connection_of_a_session_is_found_by_its_ticket(store: Store) -> None:
    with store.begin() as tx:
        ids = furnish(tx)
        exchange.add_session(tx, connection_id=ids.connection, ticket_hash="known", address="", now=NOW)
        found = exchange.called(tx, "known")
        assert found is not None
        row = companies.connection(tx, ids.connection)
        assert (found.session, found.connection) == (exchange.session_with(tx, "known"), row)
        assert (found.company, found.caller) == (companies.company(tx, row.company_id), None)
        assert found.request is None
        assert exchange.called(tx, "unknown") is None


def test_what_a_session_took_is_its_own_until_it_is_answered(store: Store) -> None:
    with store.begin() as tx:
        ids = furnish(tx)
        values = {"connection_id": ids.connection, "address": "", "now": NOW}
        mine, other = (exchange.add_session(tx, ticket_hash=ticket, **values) for ticket in ("mine", "other"))  # type: ignore[arg-type]
        companies.add_caller(
            tx, connection_id=ids.connection, user_name="u", password_hash="", file_id="", silent_after_minutes=1
        )
        for session_id in (mine, other):
            request_id = exchange.add_request(tx, connection_id=ids.connection, kind="page", request=b"1", now=NOW)
            exchange.change_request(tx, request_id, state="out", session_id=session_id)
        found = exchange.called(tx, "mine")
        assert found is not None
        assert found.caller == companies.caller(tx, ids.connection)
        assert found.request is not None
        assert found.request == exchange.request(tx, found.request.id)
        assert found.request.session_id == mine
        exchange.change_request(tx, found.request.id, state="answered")
        answered = exchange.called(tx, "mine")
        assert answered is not None
        assert answered.request is None


def test_an_open_iterator_goes_first_then_in_order(store: Store) -> None:
    with store.begin() as tx:
        ids = furnish(tx)
        values = {"connection_id": ids.connection, "now": NOW}
        first = exchange.add_request(tx, kind="page", request=b"1", **values)  # type: ignore[arg-type]
        exchange.add_request(tx, kind="write", request=b"2", **values)  # type: ignore[arg-type]
        urgent = exchange.add_request(tx, kind="page", request=b"3", urgent=True, **values)  # type: ignore[arg-type]
        order = []
        while (request := exchange.next_waiting(tx, ids.connection, clear_before=NOW)) is not None:
            order.append(request.id)
            exchange.change_request(tx, request.id, state="answered")
            if len(order) == 2:
                assert exchange.next_waiting(tx, ids.connection, clear_before=NOW, writes=False) is None
        assert order == [urgent, first, first + 1]


def test_links_are_written_anew_and_old_keys_stay(store: Store, tmp_path: Path) -> None:
    artifacts = ArtifactStore(str(tmp_path / "artifacts"))
    with store.begin() as tx:
        ids = furnish(tx)
        run_id = add_run(tx, ids)
        artifact_id = artifacts.record(tx, artifacts.write(ids.company, "file", b"x", NOW))
        deliveries.keep_delivery(
            tx,
            company_id=ids.company,
            flow_id=ids.flow,
            run_id=run_id,
            layout="customer",
            address="a",
            artifact_id=artifact_id,
            records=1,
            state="made",
            made_at=NOW,
        )
        made = deliveries.delivery_of_run(tx, run_id)
        assert made is not None
        many = {str(number): f"id-{number}" for number in range(5000)}
        for keys in (many, {"7": "other"}):
            deliveries.keep_links(
                tx,
                company_id=ids.company,
                connection_id=ids.connection,
                stream="customers",
                ids=keys,
                delivery_id=made.id,
                now=NOW,
            )
        found = deliveries.find_links(
            tx, company_id=ids.company, connection_id=ids.connection, stream="customers", keys=[*many, "absent"]
        )
        assert found == {**many, "7": "other"}
        deliveries.delivered(tx, made.id, "there", NOW)
        (line,) = deliveries.list_deliveries(tx)
        assert (line.company, line.delivery.state, line.delivery.address) == ("Harbor", "delivered", "there")


def test_a_rejected_record_is_listed_once_and_counted(store: Store) -> None:
    with store.begin() as tx:
        ids = furnish(tx)
        for _ in range(2):
            run_id = add_run(tx, ids)
            for _ in range(2):
                rejected.keep_rejected(
                    tx,
                    company_id=ids.company,
                    flow_id=ids.flow,
                    run_id=run_id,
                    stream="customers",
                    records=[Rejected("7", Problem("key-blank", "No key.", "Give one."), {"Name": "x"})],
                    now=NOW,
                )
        (line,) = rejected.list_rejected(tx)
        assert (line.rejected.times, line.rejected.hint) == (2, "Give one.")
        assert rejected.resolve(tx, ids.flow, "customers", NOW, not_in_run=run_id) == 0
        assert rejected.resolve(tx, ids.flow, "customers", NOW, keys=["7"]) == 1
        assert rejected.list_rejected(tx) == []


def test_the_ledger_gives_what_may_be_written(store: Store) -> None:
    with store.begin() as tx:
        ids = furnish(tx)
        made = {}
        for state in OrderState:
            made[state] = ledger.add_order(
                tx,
                company_id=ids.company,
                flow_id=ids.flow,
                key=state.value,
                stamp=NOW,
                source=[{"a": "1"}],
                state=state,
                read_at=NOW,
            )
        ledger.change_order(tx, made[OrderState.RETRY], not_before=NOW + timedelta(minutes=1))
        assert {o.key for o in ledger.orders_to_prepare(tx, ids.flow, NOW)} == {"new", "held"}
        later = ledger.orders_to_prepare(tx, ids.flow, NOW + timedelta(minutes=1))
        assert {o.key for o in later} == {"new", "held", "retry"}
        assert {o.key for o in ledger.orders_to_tell(tx, ids.flow)} == {
            "held",
            "refused",
            "dropped",
            "posted",
            "vanished",
        }
    with pytest.raises(sa.exc.IntegrityError), store.begin() as tx:
        ledger.add_order(
            tx,
            company_id=ids.company,
            flow_id=ids.flow,
            key="new",
            stamp=NOW,
            source=[],
            state=OrderState.NEW,
            read_at=NOW,
        )


def test_a_set_id_is_never_used_twice(store: Store) -> None:
    with store.begin() as tx:
        ids = furnish(tx)
        run_id = add_run(tx, ids)
        order_id = ledger.add_order(
            tx,
            company_id=ids.company,
            flow_id=ids.flow,
            key="1",
            stamp=NOW,
            source=[],
            state=OrderState.NEW,
            read_at=NOW,
        )
        ledger.add_write_attempt(tx, ledger_id=order_id, run_id=run_id, number=1, set_id="s", request=b"\x00\xff")
        assert ledger.write_attempts_of(tx, order_id)[0].request == b"\x00\xff"
    with pytest.raises(sa.exc.IntegrityError), store.begin() as tx:
        ledger.add_write_attempt(tx, ledger_id=order_id, run_id=run_id, number=2, set_id="s", request=b"")


def test_cursor_and_audit(store: Store) -> None:
    with store.begin() as tx:
        ids = furnish(tx)
        assert flows.cursor(tx, ids.flow) is None
        for value in ({"modified": "a"}, {"modified": "b"}):
            flows.set_cursor(tx, ids.flow, value, NOW)
        assert flows.cursor(tx, ids.flow) == {"modified": "b"}
        audit.note(tx, company_id=None, actor="test", action="try", subject="x", now=NOW, more=[1])


def test_writers_wait_for_each_other(store: Store) -> None:
    with store.begin() as tx:
        ids = furnish(tx)

    def count() -> None:
        for _ in range(20):
            with store.begin() as tx:
                row = companies.connection(tx, ids.connection, lock=True)
                companies.change_connection(tx, ids.connection, settings={"a": row.settings["a"] + 1})

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as tx:
        assert companies.connection(tx, ids.connection).settings == {"a": 81}


def test_other_databases_are_refused() -> None:
    for url in ("mysql://x/y", "nonsense"):
        with pytest.raises(ConfigError):
            Store(url)
