"""The table of HRESULTs that the Web Connector hands in when QuickBooks gave no answer at all.

The first five come from reference/quickbooks-desktop.md, Status codes; the others from Intuit's developer pages and
from published programs that met them, as far as `proved` says.
"""

from __future__ import annotations

from collections.abc import Mapping

from routebooks.connectors.base import Outcome
from routebooks.connectors.quickbooks_desktop.status_table import OUR_FAULT, Status
from routebooks.errors import AGAIN

_LOOKED_FOR = "A write that was on its way is looked for before it is made again; everything else is asked again."
_ALLOW = (
    "In QuickBooks, signed in as Admin with the company file open, choose Edit, Preferences, Integrated Applications, "
    "and let Routebooks in even when QuickBooks is not running."
)

#: A code that has no row.
UNSEEN = Status(
    "other",
    Outcome.UNKNOWN,
    "QuickBooks or the Web Connector failed in an unusual way.",
    f"{_LOOKED_FOR} If it stays, start QuickBooks and the Web Connector anew.",
)

HRESULTS: Mapping[int, Status] = {
    int(row.code, 16): row
    for row in (
        Status("0x80040400", Outcome.HOLD, "QuickBooks could not read the request and did nothing of it.", OUR_FAULT),
        Status(
            "0x80040401",
            Outcome.UNKNOWN,
            "The Web Connector could not reach QuickBooks.",
            f"Start QuickBooks on that computer and look whether it works. {_LOOKED_FOR}",
        ),
        Status(
            "0x80040402",
            Outcome.UNKNOWN,
            "QuickBooks failed in a way it does not explain.",
            f"{_LOOKED_FOR} If it stays, start QuickBooks and the Web Connector anew; qbsdklog.txt on that computer "
            "says more.",
        ),
        Status(
            "0x80040408",
            Outcome.RETRY,
            "The Web Connector could not start QuickBooks.",
            "Start QuickBooks by hand, open the company file and leave it open. Often somebody works in single-user "
            "mode, the file was moved, or another Windows user has QuickBooks open.",
        ),
        Status(
            "0x80040416",
            Outcome.RETRY,
            "QuickBooks is not running and nobody said which company file to open.",
            "Enter the full path of the company file in the connection, or leave QuickBooks open with that company.",
        ),
        Status(
            "0x80040403",
            Outcome.RETRY,
            "QuickBooks could not open the company file.",
            "Check the path of the company file in the connection, and open the file in QuickBooks once by hand.",
            proved=False,
        ),
        Status(
            "0x80040409",
            Outcome.STOP,
            "This QuickBooks cannot work with the company file: it belongs to another release.",
            "Open the company file in the QuickBooks it belongs to, or let that QuickBooks convert it.",
        ),
        Status(
            "0x8004040A",
            Outcome.RETRY,
            "Another company file is open in QuickBooks.",
            "Open the company file of this connection, or close the other one.",
        ),
        Status(
            "0x8004040D",
            Outcome.UNKNOWN,
            "QuickBooks dropped the session, for instance because it was restarted.",
            _LOOKED_FOR,
        ),
        Status(
            "0x80040410",
            Outcome.RETRY,
            "The company file is open in another mode, most often single-user.",
            "In QuickBooks choose File, Switch to Multi-user Mode.",
        ),
        Status(
            "0x80040414",
            Outcome.RETRY,
            "A window in QuickBooks waits for an answer and blocks everything else.",
            "Close the window on the computer where QuickBooks runs; often it offers an update or a backup.",
        ),
        Status("0x80040418", Outcome.STOP, "Routebooks was never let into this company file.", _ALLOW, proved=False),
        Status("0x8004041A", Outcome.STOP, "Routebooks is not allowed into this company file.", _ALLOW),
        Status("0x8004041B", Outcome.RETRY, "The company file was locked for a moment.", AGAIN, proved=False),
        Status(
            "0x8004041D",
            Outcome.STOP,
            "Routebooks may not sign in to this company file while QuickBooks is closed.",
            _ALLOW,
            proved=False,
        ),
        Status("0x80040420", Outcome.STOP, "Somebody refused Routebooks the access to the company file.", _ALLOW),
        Status(
            "0x80040422",
            Outcome.RETRY,
            "Another program uses the company file and does not share it.",
            f"Close the other program. {AGAIN}",
        ),
        Status(
            "0x80040423",
            Outcome.STOP,
            "This QuickBooks does not know the qbXML version of the connection.",
            "Lower the qbXML version in the connection, or update QuickBooks.",
            proved=False,
        ),
        Status("0x80040424", Outcome.RETRY, "QuickBooks was still starting.", AGAIN, proved=False),
        Status(
            "0x80040154",
            Outcome.STOP,
            "The part of QuickBooks that other programs talk to is not installed.",
            "Repair the installation of QuickBooks, then install the Web Connector again.",
        ),
        Status(
            "0x80010105",
            Outcome.UNKNOWN,
            "QuickBooks broke down while it worked.",
            f"Start QuickBooks anew. {_LOOKED_FOR}",
        ),
    )
}
