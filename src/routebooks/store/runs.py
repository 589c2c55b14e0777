"""Runs, their extract attempts and the pages of those."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from routebooks.store import rows
from routebooks.store.database import Tx, from_row, is_id, one
from routebooks.store.flows import Flow
from routebooks.store.tables import companies, extract_attempts, extracts, flows, nights, pages, runs


class State(StrEnum):
    """Where a run stands."""

    #: for its turn, or for a system that calls us; `waits_for` says which
    WAITING = "waiting"
    #: everything is here; the next tick starts the work
    READY = "ready"
    RUNNING = "running"
    #: its file is held back until a person says so
    HELD = "held"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    #: a newer run of the same flow took its place
    SUPERSEDED = "superseded"
    #: it could not start before its time was over
    EXPIRED = "expired"


#: what still has something to do by itself; a held file waits for a person and keeps no other run from its turn
ACTIVE = (State.WAITING, State.READY, State.RUNNING)


class Phase(StrEnum):
    """Which part of its way a run is on."""

    #: not begun: the requests are not made yet
    PLAN = "plan"
    #: pages are coming in
    EXTRACT = "extract"
    #: map and make the file (out), or read and prepare the orders (back)
    LOAD = "load"
    #: the file is made; it waits for its turn in the night, or for a person, then goes to the target
    DELIVER = "deliver"
    #: the writes are on their way into the other system
    POST = "post"
    #: the answers are here: tell the orders database, close the run
    CONFIRM = "confirm"


#: the trigger of a run that sends a kept file again, and reads nothing
RESEND = "resend"


@dataclass(frozen=True)
class Run:
    """One execution of a flow."""

    id: int
    company_id: int
    flow_id: int
    night_id: int
    trigger: str
    phase: Phase
    state: State
    waits_for: str
    tries: int
    not_before: datetime
    late_after: datetime
    expires_at: datetime
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    records_read: int
    records_written: int
    records_rejected: int
    records_left_out: int
    notes: list[dict[str, str]]
    problem: dict[str, str] | None
    superseded_by: int | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "phase", Phase(self.phase))
        object.__setattr__(self, "state", State(self.state))

    @property
    def workflow_id(self) -> str:
        """The name of the durable work of this phase; the same for every start of it, so that it is done once."""
        return f"run-{self.id}-{self.phase}-{self.tries}"

    @property
    def active(self) -> bool:
        """Whether it still has something to do."""
        return self.state in ACTIVE


@dataclass(frozen=True)
class ExtractRow:
    """The reading of one stream, for the runs of a night that need it."""

    id: int
    night_id: int
    connection_id: int
    stream: str
    state: str
    modified_since: datetime | None
    slices: list[dict[str, Any]] | None
    created_at: datetime


@dataclass(frozen=True)
class ExtractAttempt:
    """One try to read a stream to its end."""

    id: int
    extract_id: int
    number: int
    slice: int
    state: str
    page_size: int
    started_at: datetime
    ended_at: datetime | None
    problem: dict[str, str] | None


@dataclass(frozen=True)
class PageRow:
    """One page of an attempt, as kept."""

    id: int
    attempt_id: int
    number: int
    artifact_id: int
    records: int
    remaining: int | None
    stored_at: datetime


def add_run(tx: Tx, **values: Any) -> int:
    """A new run; its id."""
    return rows.add(tx, runs, values)


def change_run(tx: Tx, run_id: int, *, only_if: Collection[State] | None = None, **values: Any) -> bool:
    """Set columns of a run, if it is in one of the given states; whether it was."""
    return rows.change(tx, runs, run_id, values, only_if=only_if)


def run(tx: Tx, run_id: int, *, lock: bool = False) -> Run:
    """The run with this id."""
    return rows.get(tx, Run, runs, run_id, lock=lock)


def is_at(tx: Tx, run_id: int, phase: Phase) -> bool:
    """Whether a run is being worked on in this phase; locked to the end of the transaction, so that it stays so."""
    found = run(tx, run_id, lock=True)
    return found.state is State.RUNNING and found.phase is phase


def find_run(tx: Tx, run_id: int) -> Run | None:
    """The run with this id, if there is one."""
    return rows.find(tx, Run, runs, id=run_id) if is_id(run_id) else None


def active_runs(
    tx: Tx, flow_id: int | None = None, *, phase: Phase | None = None, state: State | None = None
) -> list[Run]:
    """The runs that still have something to do, of one flow, phase or state where asked, oldest first."""
    query = sa.select(runs).where(runs.c.state.in_(ACTIVE if state is None else (state,))).order_by(runs.c.id)
    if flow_id is not None:
        query = query.where(runs.c.flow_id == flow_id)
    if phase is not None:
        query = query.where(runs.c.phase == phase)
    return [from_row(Run, row) for row in tx.execute(query)]


def ready_runs(tx: Tx, now: datetime) -> Iterator[Run]:
    """The runs that a tick has to start now, oldest first; each is read when it is looked at, for there may be many."""
    query = sa.select(runs).where(runs.c.state == State.READY, runs.c.not_before <= now).order_by(runs.c.id)
    return (from_row(Run, row) for row in tx.execute(query))


def late_runs(tx: Tx, now: datetime) -> list[Run]:
    """The active runs that expire by now, and those of a schedule that are late, oldest first."""
    late = sa.and_(runs.c.trigger == "schedule", runs.c.late_after < now)
    query = sa.select(runs).where(runs.c.state.in_(ACTIVE), sa.or_(runs.c.expires_at <= now, late))
    return [from_row(Run, row) for row in tx.execute(query.order_by(runs.c.id))]


def busy_flows(tx: Tx) -> set[int]:
    """The flows of which a run is under way: begun and not ended."""
    query = sa.select(runs.c.flow_id).where(runs.c.state.in_(ACTIVE), runs.c.phase != Phase.PLAN)
    return set(tx.execute(query).scalars())


def night(tx: Tx, night_id: int) -> list[tuple[Run, Flow]]:
    """The runs of a night with their flows, oldest first."""
    found = tx.execute(_NIGHT, {"night_id": night_id})
    return [(run, flow) for run, flow in (rows.parts(row, Run, Flow) for row in found)]


def held_runs(tx: Tx, flow_id: int) -> list[Run]:
    """The runs of a flow whose file waits for a person."""
    return rows.every(tx, Run, runs, flow_id=flow_id, state=State.HELD)


def last_run(tx: Tx, flow_id: int, *, trigger: str | None = None, state: State | None = None) -> Run | None:
    """The newest run of a flow, of one trigger or in one state where asked."""
    query = sa.select(runs).where(runs.c.flow_id == flow_id).order_by(runs.c.id.desc()).limit(1)
    if trigger is not None:
        query = query.where(runs.c.trigger == trigger)
    if state is not None:
        query = query.where(runs.c.state == state)
    row = tx.execute(query).one_or_none()
    return from_row(Run, row) if row else None


def tried_again_at(tx: Tx, connection_id: int) -> list[Run]:
    """The runs that met a problem at a connection and are to be tried again, newest first."""
    delivers = sa.and_(runs.c.phase == Phase.DELIVER, flows.c.target_id == connection_id)
    reads = sa.and_(
        runs.c.phase.in_((Phase.LOAD, Phase.CONFIRM)), flows.c.direction == "back", flows.c.source_id == connection_id
    )
    query = sa.select(runs).join(flows, flows.c.id == runs.c.flow_id).where(sa.or_(delivers, reads))
    query = query.where(runs.c.state.in_(ACTIVE), runs.c.tries > 0, runs.c.problem.is_not(None))
    return [from_row(Run, row) for row in tx.execute(query.order_by(runs.c.id.desc()))]


def last_delivery(tx: Tx, connection_id: int) -> Run | None:
    """The newest run that sent something to a connection, or failed to."""
    query = sa.select(runs).join(flows, flows.c.id == runs.c.flow_id).where(flows.c.target_id == connection_id)
    failed = sa.and_(runs.c.state == State.FAILED, runs.c.phase == Phase.DELIVER)
    sent = sa.and_(runs.c.state == State.DONE, runs.c.phase == Phase.DELIVER, runs.c.records_written > 0)
    row = tx.execute(query.where(sa.or_(failed, sent)).order_by(runs.c.id.desc()).limit(1)).one_or_none()
    return from_row(Run, row) if row else None


def any_done_at(tx: Tx, connection_id: int, *, since: datetime | None = None) -> bool:
    """Whether a run from a connection, or one that sent something to it, came to a good end, ever or since."""
    sent = sa.and_(flows.c.target_id == connection_id, runs.c.records_written > 0)
    ends = sa.or_(flows.c.source_id == connection_id, sent)
    query = sa.select(runs.c.id).join(flows, flows.c.id == runs.c.flow_id).where(ends, runs.c.state == State.DONE)
    if since is not None:
        query = query.where(runs.c.finished_at > since)
    return tx.execute(query.limit(1)).one_or_none() is not None


def last_scheduled(tx: Tx, company_id: int | None = None) -> dict[int, datetime]:
    """For when the newest scheduled run was due, by flow of a company or of all; of flows that had one."""
    newest = (
        sa.select(runs.c.not_before)
        .where(runs.c.flow_id == flows.c.id, runs.c.trigger == "schedule")
        .order_by(runs.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = sa.select(flows.c.id, newest)
    if company_id is not None:
        query = query.where(flows.c.company_id == company_id)
    return {flow_id: due for flow_id, due in tx.execute(query) if due is not None}


@dataclass(frozen=True)
class RunLine:
    """A run with the names that a person knows it by."""

    run: Run
    company: str
    flow: str


def list_runs(
    tx: Tx,
    *,
    company_id: int | None = None,
    flow_id: int | None = None,
    flow_name: str | None = None,
    limit: int = 50,
) -> list[RunLine]:
    """The newest runs first."""
    query = (
        sa.select(runs, companies.c.name.label("company_name"), flows.c.name.label("flow_name"))
        .join(companies, companies.c.id == runs.c.company_id)
        .join(flows, flows.c.id == runs.c.flow_id)
        .order_by(runs.c.id.desc())
        .limit(limit)
    )
    if company_id is not None:
        query = query.where(runs.c.company_id == company_id)
    if flow_id is not None:
        query = query.where(runs.c.flow_id == flow_id)
    if flow_name is not None:
        query = query.where(flows.c.name == flow_name)
    return [RunLine(from_row(Run, row), row.company_name, row.flow_name) for row in tx.execute(query)]


def add_night(tx: Tx, company_id: int, now: datetime) -> int:
    """A new night; its id."""
    return rows.add(tx, nights, {"company_id": company_id, "created_at": now})


def add_extract(
    tx: Tx, *, night_id: int, connection_id: int, stream: str, modified_since: datetime | None, now: datetime
) -> int:
    """A new extract; its id."""
    values = {
        "night_id": night_id,
        "connection_id": connection_id,
        "stream": stream,
        "state": "open",
        "modified_since": modified_since,
        "created_at": now,
    }
    return rows.add(tx, extracts, values)


def change_extract(tx: Tx, extract_id: int, **values: Any) -> None:
    """Set columns of an extract."""
    rows.change(tx, extracts, extract_id, values)


def extract(tx: Tx, extract_id: int) -> ExtractRow:
    """The extract with this id."""
    return rows.get(tx, ExtractRow, extracts, extract_id)


def extracts_of(tx: Tx, night_id: int, connection_id: int | None = None) -> dict[str, ExtractRow]:
    """The extracts of a night by stream, in the order they were made."""
    known: dict[str, Any] = {"night_id": night_id} | ({} if connection_id is None else {"connection_id": connection_id})
    return {extract.stream: extract for extract in rows.every(tx, ExtractRow, extracts, **known)}


def add_attempt(tx: Tx, *, extract_id: int, number: int, slice: int, page_size: int, now: datetime) -> int:
    """A new extract attempt; its id."""
    values = {
        "extract_id": extract_id,
        "number": number,
        "slice": slice,
        "state": "open",
        "page_size": page_size,
        "started_at": now,
    }
    return rows.add(tx, extract_attempts, values)


def end_attempt(tx: Tx, attempt_id: int, state: str, now: datetime, problem: dict[str, str] | None = None) -> None:
    """Close an attempt as complete or broken."""
    rows.change(tx, extract_attempts, attempt_id, {"state": state, "ended_at": now, "problem": problem})


def reading(tx: Tx, attempt_id: int) -> tuple[ExtractAttempt, ExtractRow]:
    """The attempt with this id, and the extract that it reads."""
    row = tx.execute(_READING, {"attempt_id": attempt_id}).one_or_none()
    attempt, extract = rows.parts(one(row, f"extract_attempts {attempt_id}"), ExtractAttempt, ExtractRow)
    return attempt, extract


def attempts_of(tx: Tx, extract_id: int) -> list[ExtractAttempt]:
    """The attempts of an extract, in order."""
    return rows.every(tx, ExtractAttempt, extract_attempts, "number", extract_id=extract_id)


def add_page(tx: Tx, **values: Any) -> None:
    """Keep a page with its attempt."""
    rows.add(tx, pages, values)


def pages_of(tx: Tx, attempt_id: int) -> Sequence[PageRow]:
    """The pages of an attempt, in order."""
    return rows.every(tx, PageRow, pages, "number", attempt_id=attempt_id)


def last_page(tx: Tx, attempt_id: int) -> PageRow | None:
    """The newest page of an attempt, if there is one."""
    row = tx.execute(_LAST_PAGE, {"attempt_id": attempt_id}).one_or_none()
    return from_row(PageRow, row) if row else None


# Asked in every call of a connector, so built once.
_NIGHT = (
    sa.select(*rows.columns(Run, runs), *rows.columns(Flow, flows))
    .join(flows, flows.c.id == runs.c.flow_id)
    .where(runs.c.night_id == sa.bindparam("night_id"))
    .order_by(runs.c.id)
)
_READING = (
    sa.select(*rows.columns(ExtractAttempt, extract_attempts), *rows.columns(ExtractRow, extracts))
    .join(extracts, extracts.c.id == extract_attempts.c.extract_id)
    .where(extract_attempts.c.id == sa.bindparam("attempt_id"))
)
_LAST_PAGE = (
    sa.select(pages).where(pages.c.attempt_id == sa.bindparam("attempt_id")).order_by(pages.c.number.desc()).limit(1)
)
