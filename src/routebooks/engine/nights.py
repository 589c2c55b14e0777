"""The night: the files of a company that belong together go in order, after all of them are made and checked."""

from __future__ import annotations

from datetime import datetime

from routebooks.engine.context import Context
from routebooks.store import companies
from routebooks.store import runs as store
from routebooks.store.database import Tx
from routebooks.store.flows import Flow
from routebooks.store.runs import Phase, Run, State

#: codes before what uses them, items and customers before the invoices that name them
ORDER = ("detail", "item", "customer", "invoice")


def give_turns(ctx: Context, tx: Tx, now: datetime) -> None:
    """Let those files go whose turn it is: every file of the night is made, and those before it are delivered."""
    waiting = store.active_runs(tx, phase=Phase.DELIVER, state=State.WAITING)
    for night_id in dict.fromkeys(run.night_id for run in waiting):
        files = _files(tx, night_id)
        for run, flow in files:
            if run.phase is Phase.DELIVER and run.state is State.WAITING:
                reason = _waits_for(ctx, tx, run, flow, files)
                if reason:
                    store.change_run(tx, run.id, waits_for=reason)
                else:
                    store.change_run(tx, run.id, state=State.READY, not_before=now, waits_for="", tries=0)


def _files(tx: Tx, night_id: int) -> list[tuple[Run, Flow]]:
    files = (pair for pair in store.night(tx, night_id) if pair[1].direction == "out")
    return sorted(files, key=lambda pair: _place(pair[1]))


def _place(flow: Flow) -> int:
    return ORDER.index(flow.target) if flow.target in ORDER else len(ORDER)


def _waits_for(ctx: Context, tx: Tx, run: Run, flow: Flow, files: list[tuple[Run, Flow]]) -> str:
    """What keeps a made file from going; '' when nothing does."""
    others = [(other, theirs) for other, theirs in files if other.id != run.id]
    # What needs a person comes first: the files before this one wait for the same.
    for other, theirs in others:
        if other.state in (State.HELD, State.FAILED, State.EXPIRED) and _together(ctx, tx, flow):
            return f"the file of {theirs.name}, which is {other.state}"
    for other, theirs in others:
        if other.active and other.phase is not Phase.DELIVER:
            return f"the file of {theirs.name} to be made"
        # One after the other, also of one place: the last of them is known by it, and sets the marker.
        if other.active and (_place(theirs), other.id) < (_place(flow), run.id):
            return f"the file of {theirs.name} to be delivered"
    return ""


def _together(ctx: Context, tx: Tx, flow: Flow) -> bool:
    """Whether the company wants all of its files or none; a setting of the connection that takes them."""
    row = companies.connection(tx, flow.target_id)
    return bool(ctx.connection(tx, row.id).settings.get("all_or_none", False))
