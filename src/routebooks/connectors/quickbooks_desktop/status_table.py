"""The table of QuickBooks' status codes: for each what follows for us, plain words, and the cure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from routebooks.connectors.base import Outcome
from routebooks.errors import AGAIN

OUR_FAULT = "This is a fault of ours: keep the raw answer and show it to whoever looks after Routebooks."
_FIX_VALUE = "Correct the value at its source or in the map."
AGAIN_VERIFY = f"{AGAIN} If it stays: in QuickBooks choose File, Utilities, Verify Data, and rebuild when it says so."


@dataclass(frozen=True)
class Status:
    """One row of the table: the code as a person reads it, what follows for us, in plain words what to do."""

    code: str
    outcome: Outcome
    message: str
    cure: str
    #: seen in Intuit's reference or in recorded traffic; False: from memory only
    proved: bool = True


_OK, _EMPTY, _PARTIAL, _RETRY = Outcome.OK, Outcome.EMPTY, Outcome.PARTIAL, Outcome.RETRY
_HOLD, _STOP, _UNKNOWN = Outcome.HOLD, Outcome.STOP, Outcome.UNKNOWN

#: Each code of reference/quickbooks-desktop.md, Status codes and Exactly-once (messageSetStatusCode).
CODES: Mapping[int, Status] = {
    int(row.code): row
    for row in (
        Status("0", _OK, "QuickBooks did what was asked.", "Nothing is to be done."),
        Status(
            "1",
            _EMPTY,
            "QuickBooks found nothing that matches.",
            "Nothing is to be done, unless there should be something: then check which company file is open.",
        ),
        Status(
            "500",
            _PARTIAL,
            "QuickBooks did not find some of what was asked for; the rest came.",
            "A record deleted in QuickBooks drops out at the next full run by itself.",
        ),
        Status(
            "501",
            _PARTIAL,
            "QuickBooks holds something here that this version of its interface cannot show.",
            "If something is missing that you need, raise the qbXML version of the connection.",
        ),
        Status(
            "510",
            _PARTIAL,
            "QuickBooks did the work but could not hand the record back.",
            "Look at the record in QuickBooks.",
        ),
        Status(
            "530",
            _PARTIAL,
            "QuickBooks does not know a field that was sent, and left it out.",
            "Empty that field in the map, or update QuickBooks.",
        ),
        Status(
            "531",
            _PARTIAL,
            "QuickBooks does not know a value that was sent, and left it out.",
            "Correct the value in the map, or update QuickBooks.",
        ),
        Status(
            "550",
            _PARTIAL,
            "QuickBooks saved the record, but not its notes.",
            "Add the notes in QuickBooks by hand.",
        ),
        Status(
            "560",
            _PARTIAL,
            "QuickBooks took a field that will go away in a later release.",
            "Nothing is to be done now; tell whoever looks after the map.",
        ),
        Status(
            "570",
            _PARTIAL,
            "QuickBooks saved the record but could not link it: the other transaction is closed already.",
            "Link the two in QuickBooks by hand if they belong together.",
        ),
        Status(
            "600",
            _UNKNOWN,
            "QuickBooks remembers nothing of this write: it was not made here, or a backup was restored.",
            "Routebooks looks for the order in QuickBooks before it writes again.",
        ),
        Status("1000", _RETRY, "QuickBooks met an internal error.", AGAIN_VERIFY),
        Status("1010", _RETRY, "QuickBooks is not available at the moment.", AGAIN),
        Status(
            "1030",
            _HOLD,
            "This QuickBooks cannot do what was asked of it.",
            "Sales orders need QuickBooks Premier or Enterprise. In an old release, lower the qbXML version of the "
            "connection.",
        ),
        Status("1060", _HOLD, "QuickBooks refused the id of a request as too long.", OUR_FAULT),
        Status(
            "3000",
            _HOLD,
            "QuickBooks refused an id as impossible.",
            "Run the customers and items flows again so that the ids are fresh.",
        ),
        Status("3010", _HOLD, "QuickBooks could not read a yes-or-no value.", _FIX_VALUE),
        Status("3020", _HOLD, "QuickBooks could not read a date.", _FIX_VALUE),
        Status("3030", _HOLD, "QuickBooks refused a range of dates that ends before it begins.", OUR_FAULT),
        Status("3031", _HOLD, "QuickBooks refused a range of names that ends before it begins.", OUR_FAULT),
        Status("3035", _HOLD, "QuickBooks could not read a length of time.", _FIX_VALUE),
        Status("3040", _HOLD, "QuickBooks could not read an amount of money.", _FIX_VALUE, proved=False),
        Status("3045", _HOLD, "QuickBooks could not read a price.", _FIX_VALUE),
        Status("3050", _HOLD, "QuickBooks could not read a percentage.", _FIX_VALUE, proved=False),
        Status("3060", _HOLD, "QuickBooks could not read a quantity.", _FIX_VALUE, proved=False),
        Status(
            "3070",
            _HOLD,
            "QuickBooks refused a text that is too long for its field.",
            "Shorten the text at its source.",
            proved=False,
        ),
        Status(
            "3085",
            _HOLD,
            "QuickBooks could not read a number, for instance an exchange rate.",
            _FIX_VALUE,
            proved=False,
        ),
        Status(
            "3100",
            _HOLD,
            "The name is taken in QuickBooks: customers, vendors, employees and other names share one list of names.",
            "Link the record to the one in QuickBooks, or change one of the two names.",
        ),
        Status(
            "3120",
            _HOLD,
            "QuickBooks does not have a record any more that was asked for by its id.",
            "Run the customers and items flows again. If the record was deleted or merged in QuickBooks, choose "
            "another.",
        ),
        Status(
            "3140",
            _HOLD,
            "QuickBooks does not know a name this order refers to (a customer, an item, terms, a sales rep).",
            "Create it in QuickBooks or correct it in the map, then try the order again.",
        ),
        Status("3150", _HOLD, "QuickBooks misses a value that it needs.", _FIX_VALUE, proved=False),
        Status("3151", _HOLD, "QuickBooks was sent a value that has no place here.", _FIX_VALUE, proved=False),
        Status(
            "3160",
            _HOLD,
            "QuickBooks cannot delete a record that is in use.",
            "Make it inactive in QuickBooks instead.",
            proved=False,
        ),
        Status(
            "3170",
            _HOLD,
            "QuickBooks does not let this record be changed or added.",
            "Look whether its date lies in a closed period, or a list that it uses was changed; then try again.",
        ),
        Status(
            "3175",
            _RETRY,
            "Somebody has this record open in QuickBooks.",
            f"{AGAIN} If it stays, close the record on every computer.",
            proved=False,
        ),
        Status(
            "3176",
            _RETRY,
            "Somebody has a record open in QuickBooks that this one refers to.",
            f"{AGAIN} If it stays, close the customer, item or order on every computer.",
            proved=False,
        ),
        Status(
            "3180",
            _RETRY,
            "QuickBooks could not save the record; often a customer or an item in it is open somewhere.",
            f"{AGAIN} If it stays, close open windows in QuickBooks and read what QuickBooks says below.",
        ),
        Status("3200", _RETRY, "The record was changed in QuickBooks meanwhile.", AGAIN),
        Status(
            "3210",
            _HOLD,
            "A value breaks a rule of QuickBooks.",
            "Read what QuickBooks says, and correct the value at its source or in the map.",
        ),
        Status("3231", _RETRY, "QuickBooks did not come to this request: one before it failed.", AGAIN, proved=False),
        Status(
            "3250",
            _STOP,
            "The feature that this needs is switched off in QuickBooks.",
            "Switch it on in QuickBooks under Edit, Preferences (for sales orders: Sales & Customers), then go on.",
        ),
        Status(
            "3260",
            _STOP,
            "QuickBooks does not permit this to the user it runs under.",
            "Give that user the right in QuickBooks (Company, Users), or connect with another user, then go on.",
        ),
        Status(
            "3261",
            _STOP,
            "QuickBooks does not permit this to Routebooks.",
            "In QuickBooks, signed in as Admin, choose Edit, Preferences, Integrated Applications and allow access.",
        ),
        Status(
            "3391",
            _RETRY,
            "QuickBooks has forgotten how far the list had been read.",
            "The list is read again from the start by itself.",
        ),
        Status(
            "9001",
            _UNKNOWN,
            "QuickBooks knows this write under other contents.",
            "Routebooks looks for the order in QuickBooks before it writes again.",
        ),
        Status(
            "9002",
            _UNKNOWN,
            "QuickBooks made this write but kept no answer to it.",
            "Routebooks looks for the order in QuickBooks before it writes again.",
        ),
        Status("9004", _STOP, "QuickBooks refused the id of a write as too long.", OUR_FAULT),
        Status(
            "9005",
            _UNKNOWN,
            "QuickBooks could not store its answer to this write.",
            f"Routebooks looks for the order in QuickBooks before it writes again. {AGAIN_VERIFY}",
        ),
    )
}

#: What holds for a code that has no row of its own (Intuit's ranges). The first that fits counts.
RANGES: tuple[tuple[range, Status], ...] = (
    (range(500), Status("0-499", _OK, "QuickBooks did what was asked.", "Nothing is to be done.")),
    (
        range(500, 1000),
        Status("500-999", _PARTIAL, "QuickBooks did what was asked, with a warning.", "Read what QuickBooks says."),
    ),
    (range(1000, 2000), Status("1000-1999", _RETRY, "QuickBooks met a general error.", AGAIN_VERIFY)),
    (
        range(2000, 3000),
        Status(
            "2000-2999",
            _HOLD,
            "This QuickBooks does not support what was asked of it.",
            "Update QuickBooks, or lower the qbXML version of the connection.",
        ),
    ),
    (range(3000, 3100), Status("3000-3099", _HOLD, "QuickBooks could not read a value.", _FIX_VALUE)),
    (
        range(9000, 9100),
        Status(
            "9000-9099",
            _UNKNOWN,
            "QuickBooks does not say clearly what became of this write.",
            "Routebooks looks for the order in QuickBooks before it writes again.",
        ),
    ),
    (
        range(3100, 9000),
        Status(
            "3100-8999",
            _HOLD,
            "QuickBooks refused the record.",
            "Read what QuickBooks says, correct it, then try again.",
        ),
    ),
    (range(9100, 9200), Status("9100-9199", _HOLD, "QuickBooks could not follow a reference inside.", OUR_FAULT)),
)
OTHER = Status("other", _UNKNOWN, "QuickBooks answered with a code that nobody has described.", OUR_FAULT)
