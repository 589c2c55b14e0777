"""The way out, second half: a made file goes to its place; links, cursor and memory follow it, never before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow.compute as pc

from routebooks.connectors.base import Fetching, FileTarget, Marking, Source
from routebooks.engine import changes, codes, extracts
from routebooks.engine.context import Context
from routebooks.engine.files import KEY, without_keys
from routebooks.engine.flows import refuse_removed
from routebooks.errors import ConfigError, FatalError, TransientError
from routebooks.records import Layout
from routebooks.rows import Rows, Scratch
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
    with Scratch() as scratch:
        with ctx.store.read() as tx:
            data = ctx.artifacts.copy(tx, delivery.artifact_id, scratch.file())
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
    with Scratch() as scratch:
        with ctx.store.read() as tx:
            before, rows = (_kept(ctx, tx, at, scratch).table() for at in (last.rows_id, delivery.rows_id))
        both, file = Rows.of_table(changes.union(before, rows)), scratch.file()
        encoded = files.encode(connection, flow.target, without_keys(both), file)
        written = [
            ctx.artifacts.write(flow.company_id, kind, content, ctx.now())
            for kind, content in (("file", file), ("rows", both.parquet(scratch)))
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
    with Scratch() as scratch:
        # Read before the transaction that writes, which others wait for.
        with ctx.store.read() as tx:
            delivered = _delivered(ctx, tx, run_id, scratch)
        with ctx.store.begin() as tx:
            if run_store.is_at(tx, run_id, Phase.DELIVER):
                _end(ctx, tx, run_id, delivered)


@dataclass(frozen=True)
class _Delivered:
    """What a file was made of: its rows with their keys, and the snapshots of the streams that tell the cursor."""

    rows: Rows
    changed: Mapping[str, Rows]


def _delivered(ctx: Context, tx: Tx, run_id: int, scratch: Scratch) -> _Delivered | None:
    """Nothing of a file that was sent again: all of it is known."""
    run, delivery = run_store.run(tx, run_id), _delivery(tx, run_id)
    if delivery.resend_of is not None:
        return None
    flow = flows.flow(tx, run.flow_id)
    there = run_store.extracts_of(tx, run.night_id, flow.source_id)
    wanted = [name for name in extracts.changing(extracts.source_of(ctx, tx, flow), flow.stream) if name in there]
    found = {name: deliveries.snapshot_of(tx, there[name].id) for name in wanted}
    changed = {name: _kept(ctx, tx, each.artifact_id, scratch) for name, each in found.items() if each}
    return _Delivered(_kept(ctx, tx, delivery.rows_id, scratch), changed)


def _kept(ctx: Context, tx: Tx, artifact_id: int | None, scratch: Scratch) -> Rows:
    return Rows.of_parquet(ctx.artifacts.copy(tx, artifact_id or 0, scratch.file()))


def _end(ctx: Context, tx: Tx, run_id: int, delivered: _Delivered | None) -> None:
    run, delivery, now = run_store.run(tx, run_id), _delivery(tx, run_id), ctx.now()
    flow = flows.flow(tx, run.flow_id)
    if delivered is not None:
        _remember(ctx, tx, run, flow, delivery, delivered, now)
    written = 0 if _is_left(flow, delivery) else delivery.records
    run_store.change_run(
        tx, run_id, state=State.DONE, records_written=written, finished_at=now, waits_for="", problem=None
    )
    held = run_store.held_runs(tx, flow.id) if delivered is not None else []
    for older in (each for each in held if each.id < run_id):
        run_store.change_run(tx, older.id, state=State.SUPERSEDED, superseded_by=run_id, finished_at=now, waits_for="")


def _remember(
    ctx: Context, tx: Tx, run: Run, flow: Flow, delivery: Delivery, delivered: _Delivered, now: datetime
) -> None:
    source, rows = extracts.source_of(ctx, tx, flow), delivered.rows
    connection = ctx.connection(tx, flow.target_id)
    layout = ctx.able(connection.connector, FileTarget).layouts(connection)[flow.target]
    if flow.incremental:
        deliveries.keep_sent(tx, flow.id, delivery.id, changes.sent_rows(rows.table()))
    else:
        _keep_links(tx, flow, extracts.needs(source, flow.stream)[0], layout, delivery, rows, now)
    if flow.incremental and not extracts.reads_all(tx, run, flow, source):
        _end_rejected(tx, run, flow, source, delivered.changed, now)
    else:
        rejected.resolve(tx, flow.id, flow.stream, now, not_in_run=run.id)
    codes.check(ctx, tx, run, flow, layout, rows, now)
    _move_cursor(tx, flow, source, delivered.changed, now)


def _keep_links(tx: Tx, flow: Flow, stream: str, layout: Layout, delivery: Delivery, rows: Rows, now: datetime) -> None:
    """By each key of a file, where it has one, the id of its record."""
    keys = [column.name for column in layout.columns if column.key]
    if len(keys) != 1:
        return
    for batch in rows.batches([*keys, KEY]):
        columns: list[list[Any]] = [column.to_pylist() for column in batch.columns]
        deliveries.keep_links(
            tx,
            company_id=flow.company_id,
            connection_id=flow.source_id,
            stream=stream,
            ids=dict(zip(map(str, columns[0]), columns[1], strict=True)),
            delivery_id=delivery.id,
            now=now,
        )


def _end_rejected(tx: Tx, run: Run, flow: Flow, source: Source, changed: Mapping[str, Rows], now: datetime) -> None:
    """End what this run read and did not set aside again for the same reason."""
    fields = {name: source.streams()[name].key for name in changed}
    read = {key for name, rows in changed.items() for key in rows.table([fields[name]])[fields[name]].to_pylist()}
    listed = rejected.open_of_flow(tx, flow.id, flow.stream)
    keys = changes.keys_aside(listed, extracts.stream_of(source, flow.stream).key)
    for row in listed:
        if row.run_id != run.id and keys.get(row.id) in read:
            rejected.resolve_one(tx, row.id, now)


def _move_cursor(tx: Tx, flow: Flow, source: Source, changed: Mapping[str, Rows], now: datetime) -> None:
    """The cursor is the greatest modified time seen in each stream, never our clock."""
    cursor = dict((flows.cursor(tx, flow.id) or {}).get("modified", {}))
    for name, rows in changed.items():
        field = source.streams()[name].modified
        seen = pc.max(rows.table([field])[field]).as_py() if field is not None else None
        if seen is not None and cursor.get(name, "") < seen.isoformat():
            cursor[name] = seen.isoformat()
    flows.set_cursor(tx, flow.id, {"modified": cursor}, now)


def _mark(ctx: Context, run_id: int) -> None:
    """With the last file of the night, the marker that says so (where the connection wants one)."""
    with ctx.store.read() as tx:
        run = run_store.run(tx, run_id)
        flow = flows.flow(tx, run.flow_id)
        connection = ctx.connection(tx, flow.target_id)
        last = all(
            other.state in (State.DONE, State.SUPERSEDED)
            for other, theirs in run_store.night(tx, run.night_id)
            if other.id != run_id and theirs.target_id == flow.target_id
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
        trigger=run_store.RESEND,
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
