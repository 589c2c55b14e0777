"""Extracts: each stream of a night is read once, in attempts, for all the runs that need it.

A session that breaks off ends its attempt; a new one begins at the start. A run uses one complete attempt only; one of
each slice, where an extract broke so often that it is read in slices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from routebooks.connectors.base import CallingSource, Outcome, Page, Source, Viewing
from routebooks.engine.context import Context, as_json
from routebooks.errors import ConfigError, Problem, RoutebooksError
from routebooks.records import Extract, Stream
from routebooks.store import companies, exchange, flows
from routebooks.store import runs as store
from routebooks.store.database import Tx
from routebooks.store.flows import Flow
from routebooks.store.runs import ExtractAttempt, ExtractRow, PageRow, Phase, Run, State

#: payments touch invoices late, and an offset around daylight saving is wrong by an hour (design section 3)
OVERLAP = timedelta(hours=2)
#: QuickBooks forgets deletions after 90 days: after a longer gap than this everything is read and compared
MAX_GAP = timedelta(days=80)
#: broken attempts after which a stream, or the slice under way, is cut: a break then costs one slice and not the whole.
#: Two sizes of page were tried twice by then: where they did not help, the session dies of its length
CUT_AFTER = 4
#: attempts at the whole, or at one slice and what was cut of it, after which an extract gives up
MAX_ATTEMPTS = 16
MIN_PAGE_SIZE = 10


def source_of(ctx: Context, tx: Tx, flow: Flow) -> Source:
    """The connector that a flow reads from. Raises ConfigError."""
    return ctx.able(companies.connection(tx, flow.source_id).connector, Source)


def stream_of(source: Source, name: str) -> Stream:
    """The fields of a stream or view. Raises ConfigError when the source has none of that name."""
    views = source.views() if isinstance(source, Viewing) else {}
    found = views[name].stream if name in views else source.streams().get(name)
    if found is None:
        raise ConfigError(
            f"There is nothing called {name!r} to read.",
            hint=f"There are: {', '.join([*source.streams(), *views])}.",
            code="stream-unknown",
        )
    return found


def needs(source: Source, name: str) -> tuple[str, ...]:
    """The streams that a stream or view is made of."""
    views = source.views() if isinstance(source, Viewing) else {}
    return views[name].needs if name in views else (name,)


def changing(source: Source, name: str) -> tuple[str, ...]:
    """The streams of which an incremental flow reads only what changed."""
    views = source.views() if isinstance(source, Viewing) else {}
    return views[name].changes if name in views else (name,)


def reads_all(tx: Tx, run: Run, flow: Flow, source: Source) -> bool:
    """Whether the night of a run reads all records of its flow, not only what changed."""
    there = store.extracts_of(tx, run.night_id, flow.source_id)
    return all(there[name].modified_since is None for name in changing(source, flow.stream))


def ensure(ctx: Context, tx: Tx, run: Run, flow: Flow, now: datetime) -> None:
    """Make the extracts that a run needs and its night does not have yet; of a calling system, with their requests."""
    source = source_of(ctx, tx, flow)
    there = store.extracts_of(tx, run.night_id, flow.source_id)
    for stream in needs(source, flow.stream):
        if stream in there:
            continue
        extract_id = store.add_extract(
            tx,
            night_id=run.night_id,
            connection_id=flow.source_id,
            stream=stream,
            modified_since=_since(tx, flow, source, stream, now),
            now=now,
        )
        if isinstance(source, CallingSource):
            _new_attempt(ctx, tx, store.extract(tx, extract_id), now)


def _since(tx: Tx, flow: Flow, source: Source, stream: str, now: datetime) -> datetime | None:
    if not flow.incremental or stream not in changing(source, flow.stream):
        return None
    cursor = (flows.cursor(tx, flow.id) or {}).get("modified", {})
    newest = max(map(datetime.fromisoformat, cursor.values()), default=None)
    if newest is not None and now - newest > MAX_GAP:
        return None
    start = datetime.fromisoformat(flow.settings["start_date"]) if flow.settings.get("start_date") else None
    seen = datetime.fromisoformat(cursor[stream]) - OVERLAP if stream in cursor else start
    again = now - timedelta(days=flow.settings.get("resend_days", 0))
    return min(seen, again) if seen is not None and flow.settings.get("resend_days") else seen


@dataclass(frozen=True)
class Reading:
    """What the next page of an attempt belongs to, and the page before it."""

    attempt: ExtractAttempt
    extract: ExtractRow
    last: PageRow | None


def reading(tx: Tx, attempt_id: int) -> Reading:
    """Where the reading of an attempt stands."""
    return Reading(*store.reading(tx, attempt_id), store.last_page(tx, attempt_id))


def request_of(extract: ExtractRow, attempt: ExtractAttempt) -> Extract:
    """What an attempt at an extract, or at one slice of it, asks its source for."""
    return _part(extract, attempt.slice, attempt.page_size)


def whole(extract: ExtractRow, page_size: int) -> Extract:
    """What an extract asks its source for where it is not sliced."""
    return Extract(stream=extract.stream, page_size=page_size, modified_since=extract.modified_since)


def _part(extract: ExtractRow, slice: int, page_size: int) -> Extract:
    if extract.slices is None:
        return whole(extract, page_size)
    kept = extract.slices[slice]
    since, until, cut_at = (kept[name] and datetime.fromisoformat(kept[name]) for name in ("since", "until", "cut_at"))
    names = (kept["names"][0], kept["names"][1]) if kept["names"] else None
    return Extract(extract.stream, page_size, since, names, until, below=kept["below"], cut_at=cut_at)


def _kept(part: Extract) -> dict[str, Any]:
    times = {"since": part.modified_since, "until": part.modified_until, "cut_at": part.cut_at}
    names = list(part.name_range) if part.name_range else None
    return {name: at and at.isoformat() for name, at in times.items()} | {"names": names, "below": part.below}


def _new_attempt(ctx: Context, tx: Tx, extract: ExtractRow, now: datetime) -> None:
    connection = ctx.connection(tx, extract.connection_id)
    source = ctx.able(connection.connector, CallingSource)
    attempts = store.attempts_of(tx, extract.id)
    # Slices are read one after the other, each to its end.
    slice = sum(attempt.state == "complete" for attempt in attempts)
    broken = sum(attempt.state == "broken" and attempt.slice == slice for attempt in attempts)
    if broken and broken % CUT_AFTER == 0:
        extract = _cut(tx, source, extract, slice, now)
    # Two breaks at one size may be chance; after them a smaller page still gets a slow file through.
    halvings = (broken + CUT_AFTER * (slice > 0)) // 2
    size = max(MIN_PAGE_SIZE, int(connection.settings["page_size"]) // 2**halvings)
    try:
        request = source.first_request(connection, _part(extract, slice, size))
    except RoutebooksError as error:
        # A setting that was changed meanwhile may not fit: that ends this extract, not the tick of every company.
        fail(ctx, tx, extract, error.problem, now)
        return
    attempt_id = store.add_attempt(
        tx, extract_id=extract.id, number=len(attempts) + 1, slice=slice, page_size=size, now=now
    )
    exchange.add_request(
        tx,
        connection_id=connection.id,
        kind="page",
        request=request,
        now=now,
        attempt_id=attempt_id,
    )


def _cut(tx: Tx, source: CallingSource, extract: ExtractRow, slice: int, now: datetime) -> ExtractRow:
    """Cut the slice that broke (or the whole) into smaller ones; those before it and after it stay."""
    parts = [_kept(part) for part in source.slices(_part(extract, slice, MIN_PAGE_SIZE), now)]
    if len(parts) == 1:
        return extract
    before = extract.slices or []
    store.change_extract(tx, extract.id, slices=[*before[:slice], *parts, *before[slice + 1 :]])
    return store.extract(tx, extract.id)


def skipped(last: PageRow, page: Page) -> bool:
    """Whether a page between these two of one attempt is missing, by how many records the system says remain.

    A request that goes out twice, one answer lost, moves an iterator on twice. What was deleted since the start is
    missing as well, and nobody knows whether an iterator counts it: so a few records less are no page. But a page is
    as full as the one before it; and behind the last, which may be short, an iterator has nothing more to hand out.
    """
    if last.remaining is None or page.remaining is None or page.outcome is Outcome.PARTIAL:
        # PARTIAL: the system itself says that it left records out.
        return False
    missing = last.remaining - page.remaining - page.records
    return missing > 0 and (page.records == 0 or 2 * missing >= last.records)


def read_besides(tx: Tx, extract: ExtractRow, parts: tuple[Extract, ...]) -> ExtractRow:
    """Read these after all slices of an extract, which comes back; what stands among them already is not read twice."""
    slices = extract.slices or []
    new = [part for part in map(_kept, parts) if part not in slices]
    if not new:
        return extract
    store.change_extract(tx, extract.id, slices=[*slices, *new])
    return replace(extract, slices=[*slices, *new])


def break_attempt(ctx: Context, tx: Tx, attempt_id: int, problem: Problem, now: datetime) -> None:
    """An attempt ended before its last page: a new one begins at the start, or the extract gives up."""
    attempt, extract = store.reading(tx, attempt_id)
    if attempt.state != "open":
        _drop_requests(tx, attempt_id, now)
        return
    _end_attempt(tx, attempt_id, "broken", now, problem)
    if extract.state != "open":
        return
    if sum(each.slice == attempt.slice for each in store.attempts_of(tx, extract.id)) >= MAX_ATTEMPTS:
        fail(ctx, tx, extract, problem, now)
    else:
        _new_attempt(ctx, tx, extract, now)


def _end_attempt(tx: Tx, attempt_id: int, state: str, now: datetime, problem: Problem | None = None) -> None:
    store.end_attempt(tx, attempt_id, state, now, as_json(problem) if problem else None)
    _drop_requests(tx, attempt_id, now)


def _drop_requests(tx: Tx, attempt_id: int, now: datetime) -> None:
    for request in exchange.requests_of(tx, attempt_id=attempt_id):
        exchange.change_request(tx, request.id, state="dropped", answered_at=now)


def complete(ctx: Context, tx: Tx, source: Source, extract: ExtractRow, attempt: ExtractAttempt, now: datetime) -> None:
    """The last page is in: the next slice is asked for, or the runs that now have all their streams are ready.

    That happens in the page's own transaction.
    """
    store.end_attempt(tx, attempt.id, "complete", now)
    if attempt.slice + 1 < len(extract.slices or ()):
        _new_attempt(ctx, tx, extract, now)
        return
    store.change_extract(tx, extract.id, state="complete")
    there = store.extracts_of(tx, extract.night_id, extract.connection_id)
    for run, wanted in _waiting(tx, source, extract):
        _make_ready(tx, run, wanted, there, now)


def make_ready(ctx: Context, tx: Tx, run: Run, now: datetime) -> None:
    """A run that waits for pages is ready as soon as every stream it needs is there."""
    flow = flows.flow(tx, run.flow_id)
    there = store.extracts_of(tx, run.night_id, flow.source_id)
    _make_ready(tx, run, needs(source_of(ctx, tx, flow), flow.stream), there, now)


def _make_ready(tx: Tx, run: Run, wanted: Sequence[str], there: Mapping[str, ExtractRow], now: datetime) -> None:
    if all(stream in there and there[stream].state == "complete" for stream in wanted):
        store.change_run(
            tx,
            run.id,
            only_if=[State.WAITING],
            phase=Phase.LOAD,
            state=State.READY,
            waits_for="",
            not_before=now,
        )


def waiting_for(ctx: Context, tx: Tx, extract: ExtractRow) -> list[Run]:
    """The runs that cannot go on without this extract."""
    source = ctx.able(companies.connection(tx, extract.connection_id).connector, Source)
    return [run for run, _ in _waiting(tx, source, extract)]


def _waiting(tx: Tx, source: Source, extract: ExtractRow) -> list[tuple[Run, Sequence[str]]]:
    """The same, each with all the streams that it needs."""
    found = [
        (run, needs(source, flow.stream))
        for run, flow in store.night(tx, extract.night_id)
        if run.phase is Phase.EXTRACT and run.active and flow.source_id == extract.connection_id
    ]
    return [(run, wanted) for run, wanted in found if extract.stream in wanted]


def of_run(ctx: Context, tx: Tx, run: Run) -> list[ExtractRow]:
    """The extracts that a run reads; none of an orders database."""
    flow = flows.flow(tx, run.flow_id)
    source = ctx.connector(companies.connection(tx, flow.source_id).connector)
    wanted = needs(source, flow.stream) if isinstance(source, Source) else ()
    return [each for each in store.extracts_of(tx, run.night_id, flow.source_id).values() if each.stream in wanted]


def fail(ctx: Context, tx: Tx, extract: ExtractRow, problem: Problem, now: datetime) -> None:
    """The stream cannot be read: the runs that need it fail with the reason; the others of the night go on."""
    waiting = waiting_for(ctx, tx, extract)
    _end(tx, extract, "failed", now)
    for run in waiting:
        store.change_run(tx, run.id, state=State.FAILED, problem=as_json(problem), finished_at=now, waits_for="")
    release(ctx, tx, extract.night_id, now)


def release(ctx: Context, tx: Tx, night_id: int, now: datetime) -> None:
    """Take back the extracts of a night that no run waits for any more."""
    for extract in store.extracts_of(tx, night_id).values():
        if extract.state == "open" and not waiting_for(ctx, tx, extract):
            _end(tx, extract, "dropped", now)


def _end(tx: Tx, extract: ExtractRow, state: str, now: datetime) -> None:
    store.change_extract(tx, extract.id, state=state)
    for attempt in store.attempts_of(tx, extract.id):
        if attempt.state == "open":
            _end_attempt(tx, attempt.id, "broken", now)


def begun(tx: Tx, run: Run) -> bool:
    """Whether anything was handed out for the extracts that a run waits for."""
    for extract in store.extracts_of(tx, run.night_id).values():
        attempts = store.attempts_of(tx, extract.id)
        if extract.state == "complete" or len(attempts) > 1:
            return True
        if any(exchange.requests_of(tx, attempt_id=attempt.id, states=("out", "answered")) for attempt in attempts):
            return True
    return False
