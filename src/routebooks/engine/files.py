"""The way out: pages to a snapshot, through the map to the bytes of a file, into place, then links and cursor."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from routebooks.connectors.base import CallingSource, FileTarget, PulledSource
from routebooks.engine import runs
from routebooks.engine.context import Context
from routebooks.engine.flows import map_of
from routebooks.errors import FatalError
from routebooks.mapping.apply import Mapped, apply_map
from routebooks.records import Stream, Target
from routebooks.store import deliveries, flows, rejected
from routebooks.store import runs as run_store
from routebooks.store.database import Tx
from routebooks.store.flows import Flow
from routebooks.store.runs import Run, State


def take_snapshot(ctx: Context, run_id: int) -> None:
    """Read the pages of the one complete attempt (or call the source) into a snapshot.

    Raises FatalError when a page cannot be read, TransientError when a source that is called does not answer.
    """
    with ctx.store.read() as tx:
        run = run_store.run(tx, run_id)
        flow = flows.flow(tx, run.flow_id)
        source = runs.source_of(ctx, tx, flow)
        connection = ctx.connection(tx, flow.source_id)
        extract = runs.extract_of(tx, run, int(connection.settings.get("page_size") or 1))
        pages = _page_ids(tx, run_id) if isinstance(source, CallingSource) else None
    if pages is not None:
        table = source.parse(flow.stream, (_page(ctx, artifact_id) for artifact_id in pages))
    else:
        table = source.parse(flow.stream, ctx.able(connection.connector, PulledSource).extract(connection, extract))
    written = ctx.artifacts.write(run.company_id, "snapshot", parquet(table), ctx.now())
    with ctx.store.begin() as tx:
        artifact_id = ctx.artifacts.record(tx, written)
        deliveries.keep_snapshot(
            tx,
            company_id=run.company_id,
            connection_id=flow.source_id,
            stream=flow.stream,
            run_id=run_id,
            artifact_id=artifact_id,
            records=table.num_rows,
            taken_at=ctx.now(),
        )
        run_store.change_run(tx, run_id, records_read=table.num_rows)


def _page_ids(tx: Tx, run_id: int) -> list[int]:
    complete = [attempt for attempt in run_store.attempts_of(tx, run_id) if attempt.state == "complete"]
    if not complete:
        raise FatalError("The run has no complete extract.", hint="Run the flow again.", code="extract-incomplete")
    return [page.artifact_id for page in run_store.pages_of(tx, complete[-1].id)]


def _page(ctx: Context, artifact_id: int) -> bytes:
    with ctx.store.read() as tx:
        return ctx.artifacts.get(tx, artifact_id)


def parquet(table: pa.Table) -> bytes:
    """A table as Parquet."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def make_file(ctx: Context, run_id: int) -> None:
    """Map the snapshot and make the bytes of the file; rejected records and the keys of the good ones are kept."""
    with ctx.store.read() as tx:
        run = run_store.run(tx, run_id)
        flow = flows.flow(tx, run.flow_id)
        source = runs.source_of(ctx, tx, flow)
        stream = source.streams()[flow.stream]
        connection = ctx.connection(tx, flow.target_id)
        snapshot = deliveries.snapshot_of_run(tx, run_id)
        if snapshot is None:
            raise FatalError("The run has no snapshot.", hint="Run the flow again.", code="snapshot-missing")
        table = pq.read_table(io.BytesIO(ctx.artifacts.get(tx, snapshot.artifact_id)))
    files = ctx.able(connection.connector, FileTarget)
    layout = files.layouts()[flow.target]
    parameters = {"Company.CustId": connection.company.cust_id, "Company.Name": connection.company.name}
    mapped = apply_map(map_of(flow), table, layout, parameters, key_field=stream.label)
    encoded = files.encode(connection, flow.target, mapped.table)
    data = ctx.artifacts.write(run.company_id, "file", encoded.data, ctx.now())
    keys = ctx.artifacts.write(run.company_id, "keys", _keys(mapped, table, layout, stream), ctx.now())
    folder, name = files.file_name(connection, flow.target)
    with ctx.store.begin() as tx:
        deliveries.keep_delivery(
            tx,
            company_id=run.company_id,
            flow_id=flow.id,
            run_id=run_id,
            layout=flow.target,
            address=f"{folder}/{name}",
            artifact_id=ctx.artifacts.record(tx, data),
            keys_id=ctx.artifacts.record(tx, keys),
            records=encoded.records,
            made_at=ctx.now(),
        )
        rejected.keep_rejected(
            tx,
            company_id=run.company_id,
            flow_id=flow.id,
            run_id=run_id,
            stream=flow.stream,
            records=mapped.rejected,
            now=ctx.now(),
        )
        run_store.change_run(
            tx,
            run_id,
            records_rejected=len(mapped.rejected),
            records_left_out=mapped.left_out,
            notes=[{"code": note.code, "message": note.message, "hint": note.hint} for note in encoded.notes],
        )


def _keys(mapped: Mapped, table: pa.Table, target: Target, stream: Stream) -> bytes:
    """The key of every record in the file, with the id that its system knows it by."""
    column = next((column.name for column in target.columns if column.key), None)
    if column is None:
        return b"{}"
    ids = pc.take(table[stream.key], mapped.source_rows)
    pairs = dict(zip(mapped.table[column].to_pylist(), ids.to_pylist(), strict=True))
    return json.dumps(pairs).encode()


def place_file(ctx: Context, run_id: int) -> None:
    """Put the file in place at the target. Raises TransientError when the server is away; safe to repeat."""
    with ctx.store.read() as tx:
        run = run_store.run(tx, run_id)
        flow = flows.flow(tx, run.flow_id)
        connection = ctx.connection(tx, flow.target_id)
        delivery = deliveries.delivery_of_run(tx, run_id)
        if delivery is None:
            raise FatalError("The run has no file.", hint="Run the flow again.", code="file-missing")
        data = ctx.artifacts.get(tx, delivery.artifact_id)
    placed = ctx.able(connection.connector, FileTarget).place(connection, flow.target, data)
    with ctx.store.begin() as tx:
        deliveries.delivered(tx, delivery.id, placed.address, ctx.now())


def finish(ctx: Context, run_id: int) -> None:
    """After the file lies in place, all at once: links, cursor, what is no longer rejected, and the run's end."""
    with ctx.store.begin() as tx:
        run = run_store.run(tx, run_id)
        flow = flows.flow(tx, run.flow_id)
        delivery = deliveries.delivery_of_run(tx, run_id)
        if delivery is None or delivery.keys_id is None:
            raise FatalError("The run has no file.", hint="Run the flow again.", code="file-missing")
        ids: Mapping[str, str] = json.loads(ctx.artifacts.get(tx, delivery.keys_id))
        now = ctx.now()
        deliveries.keep_links(
            tx,
            company_id=run.company_id,
            connection_id=flow.source_id,
            stream=flow.stream,
            ids=ids,
            delivery_id=delivery.id,
            now=now,
        )
        if not flow.incremental:
            rejected.resolve(tx, flow.id, flow.stream, now, not_in_run=run_id)
        _move_cursor(ctx, tx, run, flow)
        run_store.change_run(
            tx,
            run_id,
            state=State.DONE,
            records_written=delivery.records,
            finished_at=now,
            waits_for="",
            problem=None,
        )


def _move_cursor(ctx: Context, tx: Tx, run: Run, flow: Flow) -> None:
    """The cursor is the greatest modified time seen, never our clock."""
    stream = runs.source_of(ctx, tx, flow).streams()[flow.stream]
    snapshot = deliveries.snapshot_of_run(tx, run.id)
    if stream.modified is None or snapshot is None:
        return
    table = pq.read_table(io.BytesIO(ctx.artifacts.get(tx, snapshot.artifact_id)), columns=[stream.modified])
    seen = pc.max(table[stream.modified]).as_py()
    before = flows.cursor(tx, flow.id)
    if seen is not None and (before is None or before["modified"] < seen.isoformat()):
        flows.set_cursor(tx, flow.id, {"modified": seen.isoformat()}, ctx.now())
