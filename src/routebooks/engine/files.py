"""The way out, first half: snapshots through view and map to the bytes of a file, and what holds it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from zoneinfo import ZoneInfo

from routebooks.connectors.base import Connection, FileTarget, Fitting, Source, View, Viewing
from routebooks.engine import changes, extracts
from routebooks.engine.context import Context, as_json
from routebooks.engine.flows import map_of
from routebooks.errors import FatalError, Problem
from routebooks.mapping.apply import Fit, Mapped, as_it_is, map_rows
from routebooks.records import Layout, Rejected
from routebooks.rows import Rows, Scratch
from routebooks.store import deliveries, flows, rejected
from routebooks.store import runs as run_store
from routebooks.store.database import Tx
from routebooks.store.flows import Flow
from routebooks.store.runs import Phase, Run, State

#: in the kept rows of a file: the id that the record's own system knows it by
KEY = "__key"
#: a whole file with less than this share of the last one's records is held (setting guard_percent)
GUARD_PERCENT = 70


@dataclass(frozen=True)
class Made:
    """What comes of what a run maps: the mapped rows with the key of each, and who was set aside."""

    rows: Rows
    rejected: tuple[Rejected, ...]
    left_out: int
    notes: tuple[Problem, ...] = ()


def make_file(ctx: Context, run_id: int) -> None:
    """Map the snapshots and make the bytes of the file. It then waits for its turn in the night, or for a person.

    Raises ConfigError for a map that does not fit, FatalError for bytes that do not hold what they should.
    """
    with Scratch() as scratch:
        with ctx.store.read() as tx:
            run = run_store.run(tx, run_id)
            flow = flows.flow(tx, run.flow_id)
            source = extracts.source_of(ctx, tx, flow)
            books, connection = ctx.connection(tx, flow.source_id), ctx.connection(tx, flow.target_id)
            sources = sources_of(ctx, tx, run, flow, source, scratch)
        files = ctx.able(connection.connector, FileTarget)
        layout = files.layouts(connection)[flow.target]
        fit = partial(files.fit, connection, flow.target) if isinstance(files, Fitting) else as_it_is
        rows, aside = source_rows(ctx, flow, source, books, sources)
        mapped = mapped_rows(flow, source, books, rows, layout, scratch, fit)
        made = Made(mapped.rows, (*aside, *mapped.rejected), mapped.left_out, mapped.notes)
        if flow.incremental:
            made = _only_changes(ctx, run, flow, source, sources, layout, made)
        _keep(ctx, run, flow, files, connection, made, scratch)


def sources_of(ctx: Context, tx: Tx, run: Run, flow: Flow, source: Source, scratch: Scratch) -> Mapping[str, Rows]:
    """The snapshots that a run reads, by stream. Raises FatalError when one was not taken."""
    found = {}
    there = run_store.extracts_of(tx, run.night_id, flow.source_id)
    for stream in extracts.needs(source, flow.stream):
        snapshot = deliveries.snapshot_of(tx, there[stream].id)
        if snapshot is None:
            raise FatalError(f"{stream} has no snapshot.", hint="Run the flow again.", code="snapshot-missing")
        found[stream] = Rows.of_parquet(ctx.artifacts.copy(tx, snapshot.artifact_id, scratch.file()))
    return changes.without_deleted(_view(source, flow), found)


def _view(source: Source, flow: Flow) -> View | None:
    return source.views().get(flow.stream) if isinstance(source, Viewing) else None


def source_rows(
    ctx: Context, flow: Flow, source: Source, books: Connection, sources: Mapping[str, Rows]
) -> tuple[Rows, tuple[Rejected, ...]]:
    """The stream or view that a flow reads, from its snapshots; and what the view set aside."""
    if isinstance(source, Viewing) and flow.stream in source.views():
        today = ctx.now().astimezone(ZoneInfo(books.company.time_zone)).date()
        return source.view(books, flow.stream, sources, today)
    return sources[flow.stream], ()


def mapped_rows(
    flow: Flow, source: Source, books: Connection, rows: Rows, layout: Layout, scratch: Scratch, fit: Fit = as_it_is
) -> Mapped:
    """What a flow reads, through its map; with the key of each record."""
    stream = extracts.stream_of(source, flow.stream)
    parameters = {"Company.CustId": books.company.cust_id, "Company.Name": books.company.name}
    # Of records with lines two may share what a person knows them by (an invoice and a credit memo of one number).
    known_by = stream.key if stream.line is not None else stream.label
    beside = {KEY: stream.key}
    return map_rows(map_of(flow), rows, layout, parameters, key_field=known_by, scratch=scratch, fit=fit, beside=beside)


def _only_changes(
    ctx: Context,
    run: Run,
    flow: Flow,
    source: Source,
    sources: Mapping[str, Rows],
    layout: Layout,
    made: Made,
) -> Made:
    """Of an incremental flow: what was delivered as it is now is left out; what was deleted is told."""
    view = _view(source, flow)
    key = extracts.stream_of(source, flow.stream).key
    aside = {each.record[key] for each in made.rejected if key in each.record}
    # As one table: it is what changed since the last time.
    rows = made.rows.table()
    with ctx.store.read() as tx:
        whole = extracts.reads_all(tx, run, flow, source)
        gone = changes.deleted(tx, flow, view, sources, rows, aside, whole=whole)
        kept, unchanged = changes.suppress(tx, flow, rows)
        told, never = changes.tell_deleted(tx, flow, layout, kept, gone)
    left_out = made.left_out + unchanged
    return replace(made, rows=Rows.of_table(told), rejected=(*made.rejected, *never), left_out=left_out)


def _keep(
    ctx: Context, run: Run, flow: Flow, files: FileTarget, connection: Connection, made: Made, scratch: Scratch
) -> None:
    file = scratch.file()
    encoded = files.encode(connection, flow.target, without_keys(made.rows), file)
    data = ctx.artifacts.write(run.company_id, "file", file, ctx.now())
    rows = ctx.artifacts.write(run.company_id, "rows", made.rows.parquet(scratch), ctx.now())
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


def without_keys(rows: Rows) -> Rows:
    """Kept rows as they stand in the file."""
    return rows.select([name for name in rows.schema.names if name != KEY])


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
