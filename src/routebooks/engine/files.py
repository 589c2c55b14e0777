"""The way out, first half: pages to snapshots, through view and map to the bytes of a file, and what holds it back."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from routebooks.connectors.base import (
    CallingSource,
    Connection,
    FileTarget,
    Fitting,
    PulledSource,
    Source,
    View,
    Viewing,
)
from routebooks.engine import changes, extracts
from routebooks.engine.context import Context, as_json
from routebooks.engine.flows import map_of
from routebooks.errors import FatalError, Problem
from routebooks.mapping.apply import Fit, Mapped, apply_map, as_it_is
from routebooks.records import Layout, Rejected, Stream
from routebooks.store import deliveries, flows, rejected
from routebooks.store import runs as run_store
from routebooks.store.database import Tx
from routebooks.store.flows import Flow
from routebooks.store.runs import ExtractRow, Phase, Run, State

#: in the kept rows of a file: the id that the record's own system knows it by
KEY = "__key"
#: a whole file with less than this share of the last one's records is held (setting guard_percent)
GUARD_PERCENT = 70


def take_snapshots(ctx: Context, run_id: int) -> None:
    """Read the pages of each complete extract (or call the source) into a snapshot, unless another run has done so.

    Raises FatalError when a page cannot be read, TransientError when a source that is called does not answer.
    """
    with ctx.store.read() as tx:
        run = run_store.run(tx, run_id)
        flow = flows.flow(tx, run.flow_id)
        source = extracts.source_of(ctx, tx, flow)
        there = run_store.extracts_of(tx, run.night_id, flow.source_id)
        wanted = [there[stream] for stream in extracts.needs(source, flow.stream)]
        missing = [extract for extract in wanted if deliveries.snapshot_of(tx, extract.id) is None]
    for extract in missing:
        _take(ctx, run, source, extract)
    with ctx.store.begin() as tx:
        # What a view only looks things up in is not counted as read.
        told = extracts.changing(source, flow.stream) or extracts.needs(source, flow.stream)[:1]
        found = [deliveries.snapshot_of(tx, extract.id) for extract in wanted if extract.stream in told]
        run_store.change_run(tx, run_id, records_read=sum(snapshot.records for snapshot in found if snapshot))


def _take(ctx: Context, run: Run, source: Source, extract: ExtractRow) -> None:
    with ctx.store.read() as tx:
        connection = ctx.connection(tx, extract.connection_id)
        pages = _page_ids(tx, extract) if isinstance(source, CallingSource) else None
    if pages is not None:
        table = source.parse(extract.stream, (_artifact(ctx, artifact_id) for artifact_id in pages))
    else:
        asked = extracts.whole(extract, int(connection.settings.get("page_size") or 1))
        table = source.parse(extract.stream, ctx.able(connection.connector, PulledSource).extract(connection, asked))
    if extract.modified_since is not None:
        table = _with_set_aside(ctx, run, source, extract, table)
    written = ctx.artifacts.write(run.company_id, "snapshot", parquet(table), ctx.now())
    with ctx.store.begin() as tx:
        deliveries.keep_snapshot(
            tx,
            company_id=run.company_id,
            connection_id=extract.connection_id,
            stream=extract.stream,
            extract_id=extract.id,
            artifact_id=ctx.artifacts.record(tx, written),
            records=table.num_rows,
            whole=extract.modified_since is None,
            taken_at=ctx.now(),
        )
        if not isinstance(source, CallingSource):
            run_store.change_extract(tx, extract.id, state="complete")


def _with_set_aside(ctx: Context, run: Run, source: Source, extract: ExtractRow, table: pa.Table) -> pa.Table:
    """What changed, and with it what incremental flows have set aside of this stream."""
    aside: set[str] = set()
    with ctx.store.read() as tx:
        last = deliveries.newest_snapshot(tx, extract.connection_id, extract.stream)
        for flow in flows.flows_of(tx, run.company_id):
            ours = flow.incremental and flow.source_id == extract.connection_id
            if ours and extract.stream in extracts.changing(source, flow.stream):
                key = extracts.stream_of(source, flow.stream).key
                aside.update(changes.keys_aside(rejected.open_of_flow(tx, flow.id, flow.stream), key).values())
        before = from_parquet(ctx.artifacts.get(tx, last.artifact_id)) if last and aside else None
    return table if before is None else changes.carried(before, table, source.streams()[extract.stream].key, aside)


def _page_ids(tx: Tx, extract: ExtractRow) -> list[int]:
    complete = [attempt for attempt in run_store.attempts_of(tx, extract.id) if attempt.state == "complete"]
    if not complete:
        raise FatalError(
            f"The extract of {extract.stream} is not complete.", hint="Run the flow again.", code="extract-incomplete"
        )
    # One of the whole, or one of each slice, in the order they were read.
    return [page.artifact_id for attempt in complete for page in run_store.pages_of(tx, attempt.id)]


def _artifact(ctx: Context, artifact_id: int) -> bytes:
    with ctx.store.read() as tx:
        return ctx.artifacts.get(tx, artifact_id)


def parquet(table: pa.Table) -> bytes:
    """A table as Parquet."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def from_parquet(data: bytes) -> pa.Table:
    """A table from Parquet."""
    return pq.read_table(io.BytesIO(data))


@dataclass(frozen=True)
class Made:
    """What a run maps, and what comes of it: the mapped rows with the key of each, and who was set aside."""

    rows: pa.Table
    rejected: tuple[Rejected, ...]
    left_out: int
    notes: tuple[Problem, ...] = ()


def make_file(ctx: Context, run_id: int) -> None:
    """Map the snapshots and make the bytes of the file. It then waits for its turn in the night, or for a person.

    Raises ConfigError for a map that does not fit, FatalError for bytes that do not hold what they should.
    """
    with ctx.store.read() as tx:
        run = run_store.run(tx, run_id)
        flow = flows.flow(tx, run.flow_id)
        source = extracts.source_of(ctx, tx, flow)
        books, connection = ctx.connection(tx, flow.source_id), ctx.connection(tx, flow.target_id)
        tables = tables_of(ctx, tx, run, flow, source)
    files = ctx.able(connection.connector, FileTarget)
    layout = files.layouts(connection)[flow.target]
    fit = partial(files.fit, connection, flow.target) if isinstance(files, Fitting) else as_it_is
    made = _mapped(ctx, flow, source, books, tables, layout, fit)
    if flow.incremental:
        made = _only_changes(ctx, run, flow, source, tables, layout, made)
    _keep(ctx, run, flow, files, connection, made)


def tables_of(ctx: Context, tx: Tx, run: Run, flow: Flow, source: Source) -> Mapping[str, pa.Table]:
    """The snapshots that a run reads, by stream. Raises FatalError when one was not taken."""
    tables = {}
    there = run_store.extracts_of(tx, run.night_id, flow.source_id)
    for stream in extracts.needs(source, flow.stream):
        snapshot = deliveries.snapshot_of(tx, there[stream].id)
        if snapshot is None:
            raise FatalError(f"{stream} has no snapshot.", hint="Run the flow again.", code="snapshot-missing")
        tables[stream] = from_parquet(ctx.artifacts.get(tx, snapshot.artifact_id))
    return changes.without_deleted(_view(source, flow), tables)


def _view(source: Source, flow: Flow) -> View | None:
    return source.views().get(flow.stream) if isinstance(source, Viewing) else None


def _mapped(
    ctx: Context,
    flow: Flow,
    source: Source,
    books: Connection,
    tables: Mapping[str, pa.Table],
    layout: Layout,
    fit: Fit,
) -> Made:
    table, aside = source_table(ctx, flow, source, books, tables)
    stream, mapped = map_table(flow, source, books, table, layout, fit)
    return Made(_with_keys(mapped, table, stream), (*aside, *mapped.rejected), mapped.left_out, mapped.notes)


def source_table(
    ctx: Context, flow: Flow, source: Source, books: Connection, tables: Mapping[str, pa.Table]
) -> tuple[pa.Table, tuple[Rejected, ...]]:
    """The stream or view that a flow reads, from its snapshots; and what the view set aside."""
    if isinstance(source, Viewing) and flow.stream in source.views():
        today = ctx.now().astimezone(ZoneInfo(books.company.time_zone)).date()
        return source.view(books, flow.stream, tables, today)
    return tables[flow.stream], ()


def map_table(
    flow: Flow, source: Source, books: Connection, table: pa.Table, layout: Layout, fit: Fit = as_it_is
) -> tuple[Stream, Mapped]:
    """What a flow reads, through its map; and the stream that says what its fields are."""
    stream = extracts.stream_of(source, flow.stream)
    parameters = {"Company.CustId": books.company.cust_id, "Company.Name": books.company.name}
    # Of records with lines two may share what a person knows them by (an invoice and a credit memo of one number).
    known_by = stream.key if stream.line is not None else stream.label
    return stream, apply_map(map_of(flow), table, layout, parameters, key_field=known_by, fit=fit)


def _with_keys(mapped: Mapped, table: pa.Table, stream: Stream) -> pa.Table:
    return mapped.table.append_column(KEY, pc.take(table[stream.key], mapped.source_rows))


def _only_changes(
    ctx: Context,
    run: Run,
    flow: Flow,
    source: Source,
    tables: Mapping[str, pa.Table],
    layout: Layout,
    made: Made,
) -> Made:
    """Of an incremental flow: what was delivered as it is now is left out; what was deleted is told."""
    view = _view(source, flow)
    key = extracts.stream_of(source, flow.stream).key
    aside = {each.record[key] for each in made.rejected if key in each.record}
    with ctx.store.read() as tx:
        whole = extracts.reads_all(tx, run, flow, source)
        gone = changes.deleted(tx, flow, view, tables, made.rows, aside, whole=whole)
        kept, unchanged = changes.suppress(tx, flow, made.rows)
        rows, never = changes.tell_deleted(tx, flow, layout, kept, gone)
    return replace(made, rows=rows, rejected=(*made.rejected, *never), left_out=made.left_out + unchanged)


def _keep(ctx: Context, run: Run, flow: Flow, files: FileTarget, connection: Connection, made: Made) -> None:
    table = made.rows.drop_columns([KEY])
    encoded = files.encode(connection, flow.target, table)
    data = ctx.artifacts.write(run.company_id, "file", encoded.data, ctx.now())
    rows = ctx.artifacts.write(run.company_id, "rows", parquet(made.rows), ctx.now())
    folder, name = files.file_name(connection, flow.target)
    now = ctx.now()
    with ctx.store.begin() as tx:
        if not run_store.is_at(tx, run.id, Phase.LOAD):
            return
        reason = _guard(tx, flow, encoded.records)
        deliveries.keep_delivery(
            tx,
            company_id=run.company_id,
            flow_id=flow.id,
            run_id=run.id,
            layout=flow.target,
            address=f"{folder}/{name}",
            artifact_id=ctx.artifacts.record(tx, data),
            rows_id=ctx.artifacts.record(tx, rows),
            records=encoded.records,
            state="held" if reason else "made",
            problem=as_json(reason) if reason else None,
            made_at=now,
        )
        _list_rejected(tx, run, flow, made.rejected, ctx)
        run_store.change_run(
            tx,
            run.id,
            phase=Phase.DELIVER,
            state=State.HELD if reason else State.WAITING,
            problem=as_json(reason) if reason else None,
            waits_for="a person" if reason else "its turn in the night",
            tries=0,
            records_rejected=len(made.rejected),
            records_left_out=made.left_out,
            notes=[
                {"code": note.code, "message": note.message, "hint": note.hint}
                for note in (*made.notes, *encoded.notes)
            ],
        )


def _list_rejected(tx: Tx, run: Run, flow: Flow, records: tuple[Rejected, ...], ctx: Context) -> None:
    rejected.keep_rejected(
        tx,
        company_id=run.company_id,
        flow_id=flow.id,
        run_id=run.id,
        stream=flow.stream,
        records=records,
        now=ctx.now(),
    )


def _guard(tx: Tx, flow: Flow, records: int) -> Problem | None:
    """Why a whole file is held: it is empty, or lost most of the records of the last one."""
    if flow.incremental:
        return None
    last = deliveries.last_delivered(tx, flow.id)
    least = flow.settings.get("guard_percent", GUARD_PERCENT)
    if records and (last is None or records * 100 >= last.records * least):
        return None
    before = f"; the last one had {last.records}" if last else ""
    return Problem(
        "file-shrunk" if records else "file-empty",
        f"The file of {flow.name} has {records} records{before}. It was not sent.",
        "Look whether QuickBooks shows all of them. If this is right, send it: `routebooks file release`.",
    )
