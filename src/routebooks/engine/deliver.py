"""The way out, second half: a made file goes to its place; links, cursor and memory follow it, never before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from routebooks.connectors.base import Fetching, FileTarget, Marking, Source
from routebooks.engine import changes, codes, extracts
from routebooks.engine.context import Context
from routebooks.engine.files import KEY, from_parquet, parquet
from routebooks.engine.flows import refuse_removed
from routebooks.errors import ConfigError, FatalError, TransientError
from routebooks.store import audit, deliveries, flows, rejected
from routebooks.store import runs as run_store
from routebooks.store.database import Tx
from routebooks.store.deliveries import Delivery
from routebooks.store.flows import Flow
from routebooks.store.runs import Phase, Run, State


def place_file(ctx: Context, run_id: int) -> None:
    """Put the file in place at the target. Raises TransientError when the server is away; safe to repeat."""
    with ctx.store.read() as tx:
        run = run_store.run(tx, run_id)
        flow = flows.flow(tx, run.flow_id)
        connection = ctx.connection(tx, flow.target_id)
        delivery = _delivery(tx, run_id)
    if delivery.state == "delivered" or _is_left(flow, delivery):
        return
    if _overtaken(ctx, run, flow, delivery):
        return
    if flow.incremental:
        delivery = _with_what_was_not_taken(ctx, flow, delivery)
    with ctx.store.read() as tx:
        data = ctx.artifacts.get(tx, delivery.artifact_id)
    placed = ctx.able(connection.connector, FileTarget).place(connection, flow.target, data, before=ctx.store.check)
    with ctx.store.begin() as tx:
        deliveries.delivered(tx, delivery.id, placed.address, ctx.now())


def _overtaken(ctx: Context, run: Run, flow: Flow, delivery: Delivery) -> bool:
    """Whether a newer file of the flow lies in place already: this one, released late, must not turn it back."""
    with ctx.store.begin() as tx:
        last = deliveries.last_delivered(tx, flow.id)
        if delivery.resend_of is not None or last is None or last.resend_of is not None or last.run_id < run.id:
            return False
        run_store.change_run(
            tx, run.id, state=State.SUPERSEDED, superseded_by=last.run_id, finished_at=ctx.now(), waits_for=""
        )
    return True


def _delivery(tx: Tx, run_id: int) -> Delivery:
    found = deliveries.delivery_of_run(tx, run_id)
    if found is None:
        raise FatalError("The run has no file.", hint="Run the flow again.", code="file-missing")
    return found


def _is_left(flow: Flow, delivery: Delivery) -> bool:
    """Whether an empty night leaves the old file where it is."""
    return flow.incremental and delivery.records == 0 and flow.settings.get("empty_night", "leave") == "leave"


def _with_what_was_not_taken(ctx: Context, flow: Flow, delivery: Delivery) -> Delivery:
    """Where taken files vanish, the last one that still lies there was not taken: it goes again together with this.

    A file that is sent again stays as it was. Raises TransientError: it waits until the one that lies there was taken.
    """
    with ctx.store.read() as tx:
        connection = ctx.connection(tx, flow.target_id)
        files = ctx.able(connection.connector, FileTarget)
        last = deliveries.last_delivered(tx, flow.id)
        if not connection.settings.get("taken_files_vanish") or not isinstance(files, Fetching) or last is None:
            return delivery
        data = ctx.artifacts.get(tx, last.artifact_id)
        if files.fetch(connection, flow.target) != data or last.rows_id is None or delivery.rows_id is None:
            return delivery
        if delivery.resend_of is not None:
            return _when_taken(delivery, last)
        before, rows = (from_parquet(ctx.artifacts.get(tx, at)) for at in (last.rows_id, delivery.rows_id))
    both = changes.union(before, rows)
    encoded = files.encode(connection, flow.target, both.drop_columns([KEY]))
    written = [
        ctx.artifacts.write(flow.company_id, kind, content, ctx.now())
        for kind, content in (("file", encoded.data), ("rows", parquet(both)))
    ]
    with ctx.store.begin() as tx:
        artifact_id, rows_id = (ctx.artifacts.record(tx, each) for each in written)
        deliveries.change_delivery(tx, delivery.id, artifact_id=artifact_id, rows_id=rows_id, records=encoded.records)
        found = deliveries.delivery(tx, delivery.id)
    return found or delivery


def _when_taken(delivery: Delivery, last: Delivery) -> Delivery:
    if delivery.artifact_id == last.artifact_id:
        return delivery
    raise TransientError(
        f"File {last.id} still lies there: it was not taken yet, and would be lost.",
        hint="This one goes by itself once that one was taken; should that take many hours, send it again then.",
        code="file-not-taken",
    )


def finish(ctx: Context, run_id: int) -> None:
    """After the file lies in place, all at once: links, cursor, what is no longer rejected, and the run's end.

    Raises TransientError when the server is away just when the marker is due.
    """
    # First, for a run that is done gets no other try.
    _mark(ctx, run_id)
    with ctx.store.begin() as tx:
        if not run_store.is_at(tx, run_id, Phase.DELIVER):
            return
        run = run_store.run(tx, run_id)
        flow = flows.flow(tx, run.flow_id)
        delivery = _delivery(tx, run_id)
        now = ctx.now()
        if delivery.resend_of is None:
            _remember(ctx, tx, run, flow, delivery, now)
        written = 0 if _is_left(flow, delivery) else delivery.records
        run_store.change_run(
            tx, run_id, state=State.DONE, records_written=written, finished_at=now, waits_for="", problem=None
        )
        held = run_store.held_runs(tx, flow.id) if delivery.resend_of is None else []
        for older in (each for each in held if each.id < run_id):
            run_store.change_run(
                tx, older.id, state=State.SUPERSEDED, superseded_by=run_id, finished_at=now, waits_for=""
            )


def _remember(ctx: Context, tx: Tx, run: Run, flow: Flow, delivery: Delivery, now: datetime) -> None:
    source = extracts.source_of(ctx, tx, flow)
    rows = from_parquet(ctx.artifacts.get(tx, delivery.rows_id or 0))
    connection = ctx.connection(tx, flow.target_id)
    layout = ctx.able(connection.connector, FileTarget).layouts(connection)[flow.target]
    keys = [column.name for column in layout.columns if column.key]
    base = extracts.needs(source, flow.stream)[0]
    if len(keys) == 1 and not flow.incremental:
        deliveries.keep_links(
            tx,
            company_id=run.company_id,
            connection_id=flow.source_id,
            stream=base,
            ids={str(row[keys[0]]): row[KEY] for row in rows.select([keys[0], KEY]).to_pylist()},
            delivery_id=delivery.id,
            now=now,
        )
    changed = _changed(ctx, tx, run, flow, source)
    if flow.incremental:
        deliveries.keep_sent(tx, flow.id, delivery.id, changes.sent_rows(rows))
    if flow.incremental and not extracts.reads_all(tx, run, flow, source):
        _end_rejected(tx, run, flow, source, changed, now)
    else:
        rejected.resolve(tx, flow.id, flow.stream, now, not_in_run=run.id)
    codes.check(ctx, tx, run, flow, layout, rows, now)
    _move_cursor(tx, flow, source, changed, now)


def _end_rejected(tx: Tx, run: Run, flow: Flow, source: Source, changed: Mapping[str, pa.Table], now: datetime) -> None:
    """End what this run read and did not set aside again for the same reason."""
    read = {key for name, table in changed.items() for key in table[source.streams()[name].key].to_pylist()}
    listed = rejected.open_of_flow(tx, flow.id, flow.stream)
    keys = changes.keys_aside(listed, extracts.stream_of(source, flow.stream).key)
    for row in listed:
        if row.run_id != run.id and keys.get(row.id) in read:
            rejected.resolve_one(tx, row.id, now)


def _changed(ctx: Context, tx: Tx, run: Run, flow: Flow, source: Source) -> dict[str, pa.Table]:
    """The snapshots of the streams of which an incremental flow reads what changed."""
    there = run_store.extracts_of(tx, run.night_id, flow.source_id)
    wanted = [name for name in extracts.changing(source, flow.stream) if name in there]
    found = {name: deliveries.snapshot_of(tx, there[name].id) for name in wanted}
    return {
        name: from_parquet(ctx.artifacts.get(tx, snapshot.artifact_id)) for name, snapshot in found.items() if snapshot
    }


def _move_cursor(tx: Tx, flow: Flow, source: Source, changed: Mapping[str, pa.Table], now: datetime) -> None:
    """The cursor is the greatest modified time seen in each stream, never our clock."""
    cursor = dict((flows.cursor(tx, flow.id) or {}).get("modified", {}))
    for name, table in changed.items():
        field = source.streams()[name].modified
        seen = pc.max(table[field]).as_py() if field is not None else None
        if seen is not None and cursor.get(name, "") < seen.isoformat():
            cursor[name] = seen.isoformat()
    flows.set_cursor(tx, flow.id, {"modified": cursor}, now)


def _mark(ctx: Context, run_id: int) -> None:
    """With the last file of the night, the marker that says so (where the connection wants one)."""
    with ctx.store.read() as tx:
        run = run_store.run(tx, run_id)
        flow = flows.flow(tx, run.flow_id)
        connection = ctx.connection(tx, flow.target_id)
        others = [other for other in run_store.runs_of_night(tx, run.night_id) if other.id != run_id]
        last = all(
            other.state in (State.DONE, State.SUPERSEDED)
            for other in others
            if flows.flow(tx, other.flow_id).target_id == flow.target_id
        )
    files = ctx.connector(connection.connector)
    if last and isinstance(files, Marking):
        ctx.store.check()
        files.mark_done(connection)


def release(tx: Tx, delivery_id: int, actor: str, now: datetime) -> int:
    """A person says that a held file is right: it goes. Returns its run. Raises ConfigError."""
    delivery = _known(tx, delivery_id)
    refuse_removed(flows.flow(tx, delivery.flow_id))
    run = run_store.run(tx, delivery.run_id)
    if delivery.state != "held" or run.state is not State.HELD:
        raise ConfigError(f"File {delivery_id} is not held ({delivery.state}).", code="file-not-held")
    deliveries.change_delivery(tx, delivery_id, state="made", problem=None)
    run_store.change_run(tx, run.id, state=State.READY, not_before=now, waits_for="", problem=None)
    _note(tx, delivery, actor, "release file", now)
    return run.id


def resend(tx: Tx, delivery_id: int, actor: str, now: datetime) -> int:
    """Send a kept file again as it was; links, cursor and memory stay as they are. Returns the new run."""
    delivery = _known(tx, delivery_id)
    flow = flows.flow(tx, delivery.flow_id)
    refuse_removed(flow)
    values = {"not_before": now, "late_after": now, "created_at": now, "notes": []}
    run_id = run_store.add_run(
        tx,
        company_id=flow.company_id,
        flow_id=flow.id,
        night_id=run_store.add_night(tx, flow.company_id, now),
        trigger="person",
        phase=Phase.DELIVER,
        state=State.READY,
        waits_for="",
        expires_at=now + (run_store.run(tx, delivery.run_id).expires_at - delivery.made_at),
        **values,
    )
    deliveries.keep_delivery(
        tx,
        company_id=flow.company_id,
        flow_id=flow.id,
        run_id=run_id,
        layout=delivery.layout,
        address=delivery.address,
        artifact_id=delivery.artifact_id,
        rows_id=delivery.rows_id,
        resend_of=delivery.id,
        records=delivery.records,
        state="made",
        made_at=now,
    )
    _note(tx, delivery, actor, "resend file", now)
    return run_id


def _known(tx: Tx, delivery_id: int) -> Delivery:
    found = deliveries.delivery(tx, delivery_id)
    if found is None:
        raise ConfigError(
            f"There is no file {delivery_id}.", hint="`routebooks file list` shows them.", code="file-unknown"
        )
    return found


def _note(tx: Tx, delivery: Delivery, actor: str, action: str, now: datetime) -> None:
    audit.note(tx, company_id=delivery.company_id, actor=actor, action=action, subject=delivery.address, now=now)
