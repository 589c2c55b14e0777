"""What an answer of QuickBooks or a failure of the Web Connector means for us, and how a person is told."""

from __future__ import annotations

from routebooks.connectors.base import Outcome
from routebooks.connectors.quickbooks_desktop.hresults import HRESULTS, UNSEEN
from routebooks.connectors.quickbooks_desktop.status_table import CODES, OTHER, RANGES, Status
from routebooks.errors import Problem


def status(code: int) -> Status:
    """The row that holds for a status code."""
    return CODES.get(code) or next((row for codes, row in RANGES if code in codes), OTHER)


def problem(status_code: int, severity: str, message: str) -> tuple[Outcome, Problem]:
    """What a status means for us, and the problem to show. QuickBooks' own words often name the field or the name."""
    row = status(status_code)
    outcome = row.outcome
    # The range of a code without a row is a guess; that it is an error is none.
    if status_code not in CODES and severity.lower() == "error" and outcome in (Outcome.OK, Outcome.PARTIAL):
        row, outcome = OTHER, OTHER.outcome
    says = _said("QuickBooks", message, row.message)
    detail = f"{severity or 'Status'} {status_code}: {message}".strip()
    return outcome, Problem(f"qb-{status_code}", row.message + says, row.cure, detail)


def refusal(hresult: str, message: str) -> tuple[Outcome, Problem]:
    """What it means when the Web Connector hands in an HRESULT ("0x80040400", or the same as a number).

    UNKNOWN speaks of a write that was on its way; a question in its place can just be asked again.
    """
    code = _hresult(hresult)
    row = UNSEEN if code is None else HRESULTS.get(code, UNSEEN)
    name = hresult.strip()[:20] if code is None else f"0x{code:08X}"
    says = _said("It", message, row.message)
    return row.outcome, Problem(f"qb-{name or 'no-code'}", row.message + says, row.cure, f"{hresult}: {message}")


def _said(who: str, message: str, ours: str) -> str:
    """What another program said, after our own words; nothing where it said the same."""
    words = message.strip()[:500]
    return "" if words.rstrip(".") in ("", ours.rstrip(".")) else f" {who} says: {words}"


def _hresult(text: str) -> int | None:
    text = text.strip().lower()
    try:
        return int(text, 10 if text.startswith("-") else 16) & 0xFFFFFFFF
    except ValueError:
        return None


def table() -> tuple[Status, ...]:
    """All rows in order, for the documentation: the codes, their ranges, the HRESULTs."""
    return (*CODES.values(), *(row for _, row in RANGES), *HRESULTS.values())
