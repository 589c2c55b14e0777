"""The pages of complete extracts (or what a called source gives) as snapshots: typed records, each key once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from routebooks.connectors.base import CallingSource, PulledSource, Source
from routebooks.engine import changes, extracts
from routebooks.engine.context import Context
from routebooks.errors import FatalError
from routebooks.records import Stream
from routebooks.rows import Hashes, Rows, Scratch, Spool
from routebooks.store import deliveries, flows, rejected
from routebooks.store import runs as run_store
from routebooks.store.database import Tx
from routebooks.store.runs import ExtractRow, Run


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
        answers: Iterable[bytes] = (_artifact(ctx, artifact_id) for artifact_id in pages)
    else:
        asked = extracts.whole(extract, int(connection.settings.get("page_size") or 1))
        answers = ctx.able(connection.connector, PulledSource).extract(connection, asked)
    with Scratch() as scratch:
        rows = gathered(source.parse(extract.stream, answers), source.streams()[extract.stream], scratch)
        if extract.modified_since is not None:
            rows = _with_set_aside(ctx, run, source, extract, rows, scratch)
        written = ctx.artifacts.write(run.company_id, "snapshot", rows.parquet(scratch), ctx.now())
    with ctx.store.begin() as tx:
        deliveries.keep_snapshot(
            tx,
            company_id=run.company_id,
            connection_id=extract.connection_id,
            stream=extract.stream,
            extract_id=extract.id,
            artifact_id=ctx.artifacts.record(tx, written),
            records=rows.count,
            whole=extract.modified_since is None,
            taken_at=ctx.now(),
        )
        if not isinstance(source, CallingSource):
            run_store.change_extract(tx, extract.id, state="complete")


def gathered(tables: Iterable[pa.Table], shape: Stream, scratch: Scratch) -> Rows:
    """The records of all tables of an extract in one Parquet file; of a key that was seen again its last sight only.

    First the stream's own fields, then the others, blank where a table lacks them; the metadata of all schemas.
    """
    schema = pa.schema([pa.field(field.name, field.arrow) for field in shape.fields])
    spools: list[Spool] = []
    keys = Hashes()
    metadata: dict[bytes, bytes] = {}
    for table in tables:
        whole = _widened(schema, table)
        if not spools or whole.schema != schema:
            schema = whole.schema
            spools.append(Spool(scratch, schema))
        spools[-1].add(whole)
        keys.add(_keys(whole, shape))
        metadata |= table.schema.metadata or {}
    spools = spools or [Spool(scratch, schema)]
    repeated = keys.repeated()
    if len(spools) == 1 and not repeated:
        # As nearly always: what was written on the way is the file.
        return Rows.of_parquet(spools[0].end(metadata))
    parts = [spool.rows() for spool in spools]
    once = Spool(scratch, schema)
    for batch in _last_sights(parts, shape, repeated):
        once.add(_widened(schema, batch))
    return Rows.of_parquet(once.end(metadata))


def _widened(schema: pa.Schema, table: pa.Table) -> pa.Table:
    """The table with the columns of a schema, then its others."""
    return pa.concat_tables([schema.empty_table(), table], promote_options="default")


def _last_sights(parts: Sequence[Rows], shape: Stream, repeated: Collection[int]) -> Iterator[pa.Table]:
    """The rows of the last sight of each record, and of all without a key; keys that repeat have one of the hashes."""
    earlier = pa.array(sorted(_earlier_sights(parts, shape, repeated)), pa.int64())
    begun = 0
    for part in parts:
        for batch in part.batches():
            begins = _begins(batch, shape)
            records: Any = pc.add(pc.cumulative_sum(begins.cast(pa.int64())), pa.scalar(begun - 1))
            yield batch.filter(pc.invert(pc.is_in(records, value_set=earlier)))
            begun += begins.true_count


def _earlier_sights(parts: Sequence[Rows], shape: Stream, repeated: Collection[int]) -> set[int]:
    """The numbers of the records that were seen again later."""
    last: dict[Any, int] = {}
    earlier: set[int] = set()
    number = 0
    for part in parts if repeated else ():
        for batch in part.batches([shape.key] if shape.line is None else [shape.key, shape.line]):
            for key in _keys(batch, shape):
                if key is not None and hash(key) in repeated:
                    if key in last:
                        earlier.add(last[key])
                    last[key] = number
                number += 1
    return earlier


def _keys(table: pa.Table, shape: Stream) -> list[Any]:
    """The keys of the records that begin in a table."""
    keys = table[shape.key]
    return (keys if shape.line is None else keys.filter(_begins(table, shape))).to_pylist()


def _begins(table: pa.Table, shape: Stream) -> Any:
    """Which rows are the first of their record."""
    if shape.line is None:
        return pa.repeat(pa.scalar(True), table.num_rows)
    number: Any = table[shape.line].combine_chunks()
    return pc.fill_null(pc.equal(number, pa.scalar(1)), pa.scalar(True))


def _with_set_aside(ctx: Context, run: Run, source: Source, extract: ExtractRow, rows: Rows, scratch: Scratch) -> Rows:
    """What changed, and with it what incremental flows have set aside of this stream."""
    aside: set[str] = set()
    with ctx.store.read() as tx:
        last = deliveries.newest_snapshot(tx, extract.connection_id, extract.stream)
        for flow in flows.flows_of(tx, run.company_id):
            ours = flow.incremental and flow.source_id == extract.connection_id
            if ours and extract.stream in extracts.changing(source, flow.stream):
                key = extracts.stream_of(source, flow.stream).key
                aside.update(changes.keys_aside(rejected.open_of_flow(tx, flow.id, flow.stream), key).values())
        if last is None or not aside:
            return rows
        before = Rows.of_parquet(ctx.artifacts.copy(tx, last.artifact_id, scratch.file()))
    return changes.carried(before, rows, source.streams()[extract.stream].key, aside)


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
