"""Exactly once: a message set with an id is run the first time and told from memory after that."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from routebooks.sandbox.answers import Answer, remembered, replayed
from routebooks.sandbox.company_file import CompanyFile
from routebooks.sandbox.reader import MessageSet

# The codes of messageSetStatusCode (the reference, "Exactly-once").
DONE = 0
UNKNOWN_OLD_ID = 600
OTHER_CONTENT = 9001
NOTHING_STORED = 9002
ID_TOO_LONG = 9004

_LONGEST_ID = 24


@dataclass(frozen=True)
class Outcome:
    """The answers to a message set, and its own status: None when the set had no id at all."""

    answers: list[Answer]
    status: int | None = None


def run(file: CompanyFile, message_set: MessageSet, raw: bytes, execute: Callable[[], list[Answer]]) -> Outcome:
    """Runs a message set, or tells what became of it when it was run before.

    Call it inside a transaction: what is written and what is remembered stand or fall together.
    """
    new_id, old_id = message_set.new_id, message_set.old_id
    if any(len(one) > _LONGEST_ID for one in (new_id, old_id) if one is not None):
        return Outcome([], ID_TOO_LONG)
    if new_id is None and old_id is None:
        return Outcome(execute())
    if new_id is None:
        cleared = old_id is not None and file.clear_message_sets(old_id)
        return Outcome(execute(), DONE if cleared else UNKNOWN_OLD_ID)
    kept = file.message_set(new_id)
    if new_id == old_id:
        return Outcome(replayed(kept[1]), DONE) if kept else Outcome([], NOTHING_STORED)
    checksum = hashlib.sha256(raw).hexdigest()
    if kept:
        return Outcome(replayed(kept[1]), DONE) if kept[0] == checksum else Outcome([], OTHER_CONTENT)
    if old_id is not None:
        file.clear_message_sets(old_id)
    answers = execute()
    file.keep_message_set(new_id, checksum, remembered(answers))
    return Outcome(answers, DONE)
