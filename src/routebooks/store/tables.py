"""The tables of our own database. docs/architecture.md draws them."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept in UTC on every database."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive datetime: it would silently mean the zone of the machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive datetime cannot be stored: {value}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """SQLite forgets the zone; it is always UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _id() -> sa.Column[int]:
    return sa.Column("id", _Id, primary_key=True, autoincrement=True)


def _ref(name: str, target: str, *, optional: bool = False) -> sa.Column[int]:
    return sa.Column(name, _Id, sa.ForeignKey(f"{target}.id"), nullable=optional)


def _instant(name: str, *, optional: bool = True) -> sa.Column[datetime]:
    return sa.Column(name, Instant(), nullable=optional)


def _text(name: str, *, optional: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=optional)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default="0")


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


companies = sa.Table(
    "companies",
    metadata,
    _id(),
    sa.Column("name", sa.Text(), nullable=False, unique=True),
    _text("cust_id"),
    _text("time_zone"),
    _instant("created_at", optional=False),
    _instant("removed_at"),  # a removed one is kept for its ledger and history, under a name that frees its own
)

connections = sa.Table(
    "connections",
    metadata,
    _id(),
    _ref("company_id", "companies"),
    _text("name"),
    _text("connector"),
    sa.Column("settings", sa.JSON(), nullable=False),
    _text("secrets"),  # encrypted
    sa.Column("window", sa.JSON(none_as_null=True)),  # {"from": "19:00", "to": "07:00"}, company's zone
    _instant("paused_at"),
    _instant("created_at", optional=False),
    _instant("removed_at"),
    _instant("tested_at"),  # its last test, with the settings it has
    sa.Column("test_problem", sa.JSON(none_as_null=True)),  # the first step of it that failed
    sa.UniqueConstraint("company_id", "name"),
)

#: the other half of a connection whose system calls us: who it is, which company file it is bound to, when it was seen
callers = sa.Table(
    "callers",
    metadata,
    sa.Column("connection_id", _Id, sa.ForeignKey("connections.id"), primary_key=True),
    sa.Column("user_name", sa.Text(), nullable=False, unique=True),
    _text("password_hash"),
    _text("file_id"),
    _text("bound_company", optional=True),
    _text("bound_path", optional=True),
    _instant("bound_at"),
    _text("seen_path", optional=True),  # another path than the bound one: writes are held until a person confirms
    _text("product", optional=True),  # "QuickBooks Pro 2024", as it said of itself
    sa.Column("refused", sa.JSON(none_as_null=True)),  # why the company file that answered is not the bound one
    sa.Column("last_problem", sa.JSON(none_as_null=True)),
    _instant("last_seen_at"),
    _instant("away_from"),  # its last long absence, or what a restored backup does not know of
    _instant("away_until"),
    _instant("standing_at"),  # when it was last asked which of our documents it has
    _instant("wrong_password_at"),  # when the last log-in with a wrong password was tried
    _instant("shut_out_until"),  # after too many of them even the right one is refused
    sa.Column("silent_after_minutes", sa.Integer(), nullable=False),
)

flows = sa.Table(
    "flows",
    metadata,
    _id(),
    _ref("company_id", "companies"),
    _text("name"),
    _text("direction"),  # out | back
    _ref("source_id", "connections"),
    _ref("target_id", "connections"),
    _text("stream"),
    _text("target"),  # layout or target name
    _text("map_name"),
    _text("map_text", optional=True),  # the company's own map; None takes the template
    _flag("enabled"),
    _flag("incremental"),
    sa.Column("settings", sa.JSON(), nullable=False),
    sa.Column("schedule", sa.JSON(none_as_null=True)),
    sa.Column("late_after_minutes", sa.Integer(), nullable=False),
    sa.Column("expires_after_minutes", sa.Integer(), nullable=False),
    _instant("created_at", optional=False),
    _instant("removed_at"),
    sa.UniqueConstraint("company_id", "name"),
)

cursors = sa.Table(
    "cursors",
    metadata,
    sa.Column("flow_id", _Id, sa.ForeignKey("flows.id"), primary_key=True),
    sa.Column("value", sa.JSON(), nullable=False),
    _instant("updated_at", optional=False),
)

#: runs that read the same extracts and whose files are delivered in order; a run by itself is a night of one
nights = sa.Table(
    "nights",
    metadata,
    _id(),
    _ref("company_id", "companies"),
    _instant("created_at", optional=False),
)

#: the reading of one stream, for all runs of a night that need it
extracts = sa.Table(
    "extracts",
    metadata,
    _id(),
    _ref("night_id", "nights"),
    _ref("connection_id", "connections"),
    _text("stream"),
    _text("state"),  # open | complete | failed | dropped
    _instant("modified_since"),
    sa.Column("slices", sa.JSON(none_as_null=True)),  # the parts it is read in, in their order; none: it is read whole
    _instant("created_at", optional=False),
    sa.UniqueConstraint("night_id", "connection_id", "stream"),
)

runs = sa.Table(
    "runs",
    metadata,
    _id(),
    _ref("company_id", "companies"),
    _ref("flow_id", "flows"),
    _ref("night_id", "nights"),
    _text("trigger"),  # schedule | person | resend
    _text("phase"),  # plan | extract | load | deliver | post | confirm
    _text("state"),
    _text("waits_for"),
    _count("tries"),
    _instant("not_before", optional=False),
    _instant("late_after", optional=False),
    _instant("expires_at", optional=False),
    _instant("created_at", optional=False),
    _instant("started_at"),
    _instant("finished_at"),
    _count("records_read"),
    _count("records_written"),
    _count("records_rejected"),
    _count("records_left_out"),
    sa.Column("notes", sa.JSON(), nullable=False),
    sa.Column("problem", sa.JSON(none_as_null=True)),
    _ref("superseded_by", "runs", optional=True),
    sa.Index(None, "flow_id", "state"),
    sa.Index(None, "flow_id", "trigger", "id"),  # every tick asks for the last scheduled run of every flow
    sa.Index(None, "state", "not_before"),
    sa.Index(None, "night_id"),
)

extract_attempts = sa.Table(
    "extract_attempts",
    metadata,
    _id(),
    _ref("extract_id", "extracts"),
    sa.Column("number", sa.Integer(), nullable=False),
    _count("slice"),  # the place of the slice that it reads; 0 as well where the extract is read whole
    _text("state"),  # open | complete | broken
    sa.Column("page_size", sa.Integer(), nullable=False),
    _instant("started_at", optional=False),
    _instant("ended_at"),
    sa.Column("problem", sa.JSON(none_as_null=True)),
    sa.UniqueConstraint("extract_id", "number"),
)

artifacts = sa.Table(
    "artifacts",
    metadata,
    _id(),
    _ref("company_id", "companies"),
    _text("kind"),  # page | answer | file | snapshot | keys
    _text("path"),
    sa.Column("size", sa.BigInteger(), nullable=False),
    _text("sha256"),
    _instant("created_at", optional=False),
)

pages = sa.Table(
    "pages",
    metadata,
    _id(),
    _ref("attempt_id", "extract_attempts"),
    sa.Column("number", sa.Integer(), nullable=False),
    _ref("artifact_id", "artifacts"),
    _count("records"),
    sa.Column("remaining", sa.Integer()),  # behind it, as the system said
    _instant("stored_at", optional=False),
    sa.UniqueConstraint("attempt_id", "number"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    _id(),
    _ref("connection_id", "connections"),
    sa.Column("ticket_hash", sa.Text(), nullable=False, unique=True),
    _text("state"),  # open | closed | dropped
    _flag("verified"),
    _text("address"),
    _text("path", optional=True),
    _count("turns"),
    _text("last_error", optional=True),
    _instant("opened_at", optional=False),
    _instant("last_at", optional=False),
    _instant("closed_at"),
    sa.Index(None, "connection_id", "state"),
    sa.Index(None, "state"),
)

ledger = sa.Table(
    "ledger",
    metadata,
    _id(),
    _ref("company_id", "companies"),
    _ref("flow_id", "flows"),
    _text("key"),
    _instant("stamp", optional=False),
    sa.Column("source", sa.JSON(), nullable=False),
    sa.Column("document", sa.JSON(none_as_null=True)),
    _text("state"),
    _text("external_id", optional=True),
    _text("number", optional=True),
    _count("tries"),
    sa.Column("problem", sa.JSON(none_as_null=True)),
    _instant("not_before"),
    _instant("read_at", optional=False),
    _instant("posted_at"),
    _text("told", optional=True),  # the state last written back to the orders database; none: not so, or not why
    sa.Column("later", sa.JSON(none_as_null=True)),  # how it was read while it was on its way, if otherwise
    sa.UniqueConstraint("flow_id", "key"),
    sa.Index(None, "flow_id", "state"),
)

write_attempts = sa.Table(
    "write_attempts",
    metadata,
    _id(),
    _ref("ledger_id", "ledger"),
    _ref("run_id", "runs"),
    sa.Column("number", sa.Integer(), nullable=False),
    sa.Column("set_id", sa.Text(), nullable=False, unique=True),
    sa.Column("request", sa.LargeBinary(), nullable=False),
    _text("state"),  # waiting | out | unknown | answered | cleared | withdrawn
    _text("outcome", optional=True),
    _instant("first_out_at"),
    _count("sendings"),
    _instant("answered_at"),
    _ref("answer_id", "artifacts", optional=True),
    sa.Column("problem", sa.JSON(none_as_null=True)),
    sa.UniqueConstraint("ledger_id", "number"),
    sa.Index(None, "run_id", "state"),
    sa.Index(None, "state"),
)

exchange = sa.Table(
    "exchange",
    metadata,
    _id(),
    _ref("connection_id", "connections"),
    _ref("run_id", "runs", optional=True),
    _text("kind"),  # identity | page | write | find | clear
    _ref("attempt_id", "extract_attempts", optional=True),
    _ref("write_attempt_id", "write_attempts", optional=True),
    _flag("urgent"),  # goes before the others: the next page of an iterator that is open
    _text("state"),  # waiting | out | answered | dropped
    sa.Column("request", sa.LargeBinary(), nullable=False),
    _ref("session_id", "sessions", optional=True),
    _instant("created_at", optional=False),
    _instant("out_at"),
    _instant("answered_at"),
    sa.Index(None, "connection_id", "state"),
    sa.Index(None, "state"),  # what is open is little beside what was answered
)

snapshots = sa.Table(
    "snapshots",
    metadata,
    _id(),
    _ref("company_id", "companies"),
    _ref("connection_id", "connections"),
    _text("stream"),
    sa.Column("extract_id", _Id, sa.ForeignKey("extracts.id"), nullable=False, unique=True),
    _ref("artifact_id", "artifacts"),
    sa.Column("records", sa.Integer(), nullable=False),
    sa.Column("whole", sa.Boolean(), nullable=False),  # of all records, not only of what changed
    _instant("taken_at", optional=False),
    sa.Index(None, "connection_id", "stream"),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    _id(),
    _ref("company_id", "companies"),
    _ref("flow_id", "flows"),
    sa.Column("run_id", _Id, sa.ForeignKey("runs.id"), nullable=False, unique=True),
    _text("layout"),
    _text("address"),
    _ref("artifact_id", "artifacts"),
    _ref("rows_id", "artifacts", optional=True),  # the mapped rows behind the bytes, with the keys of their records
    _ref("resend_of", "deliveries", optional=True),
    sa.Column("records", sa.Integer(), nullable=False),
    _text("state"),  # made | held | delivered
    sa.Column("problem", sa.JSON(none_as_null=True)),  # why it is held
    _instant("made_at", optional=False),
    _instant("delivered_at"),
)

links = sa.Table(
    "links",
    metadata,
    sa.Column("company_id", _Id, sa.ForeignKey("companies.id"), primary_key=True),
    sa.Column("connection_id", _Id, sa.ForeignKey("connections.id"), primary_key=True),
    sa.Column("stream", sa.Text(), primary_key=True),
    sa.Column("key", sa.Text(), primary_key=True),
    _text("external_id"),
    _ref("delivery_id", "deliveries"),
    _instant("updated_at", optional=False),
)

#: what was last delivered of each transaction, so that an unchanged one is not sent again and a deleted one can be told
sent = sa.Table(
    "sent",
    metadata,
    sa.Column("flow_id", _Id, sa.ForeignKey("flows.id"), primary_key=True),
    sa.Column("key", sa.Text(), primary_key=True),
    _text("fingerprint"),
    sa.Column("rows", sa.JSON(), nullable=False),
    _ref("delivery_id", "deliveries"),
)

rejected = sa.Table(
    "rejected",
    metadata,
    _id(),
    _ref("company_id", "companies"),
    _ref("flow_id", "flows"),
    _ref("run_id", "runs"),
    _text("stream"),
    _text("key"),
    _text("code"),
    _text("message"),
    _text("hint"),
    _text("detail"),
    sa.Column("record", sa.JSON(), nullable=False),
    _text("state"),  # open | resolved
    _count("times"),
    _instant("first_at", optional=False),
    _instant("last_at", optional=False),
    _instant("resolved_at"),
    sa.Index(None, "flow_id", "state"),
)

audit = sa.Table(
    "audit",
    metadata,
    _id(),
    _instant("at", optional=False),
    _ref("company_id", "companies", optional=True),
    _text("actor"),
    _text("action"),
    _text("subject"),
    sa.Column("detail", sa.JSON(), nullable=False),
)

#: the server processes at work on this database; who is here no more, or was silent for too long, has no row
workers = sa.Table(
    "workers",
    metadata,
    sa.Column("id", sa.Text(), primary_key=True),
    _text("host"),
    _text("home"),
    _text("address"),
    _text("key_mark"),
    _instant("started_at", optional=False),
    _instant("seen_at", optional=False),
    _instant("good_until", optional=False),
)

#: what all workers must share, by its name
marks = sa.Table(
    "marks",
    metadata,
    sa.Column("name", sa.Text(), primary_key=True),
    _text("value"),
)

#: where it is told that something needs a person
alerts = sa.Table(
    "alerts",
    metadata,
    _id(),
    sa.Column("name", sa.Text(), nullable=False, unique=True),
    _ref("company_id", "companies", optional=True),  # none: of all companies
    _text("kind"),  # what the address leads to: "E-Mail", "Slack"
    _text("address"),  # encrypted
    sa.Column("problem", sa.JSON(none_as_null=True)),  # why the last message could not be sent
    _instant("created_at", optional=False),
)

#: what an alert has told and not yet told to be well again
alerts_told = sa.Table(
    "alerts_told",
    metadata,
    sa.Column("alert_id", _Id, sa.ForeignKey("alerts.id"), primary_key=True),
    sa.Column("company_id", _Id, sa.ForeignKey("companies.id"), primary_key=True),
    sa.Column("subject", sa.Text(), primary_key=True),
    _text("kind"),
    _count("amount"),
    _instant("told_at", optional=False),
)
