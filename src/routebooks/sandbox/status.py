"""The status of an answer: QuickBooks' codes, their severity and its own words for them."""

from __future__ import annotations

OK = (0, "Status OK")
NO_MATCH = (1, "A query request did not find a matching object in QuickBooks.")

#: The words for codes that a test asks for; those that name an object are said where they arise.
WORDS = {
    1000: "There has been an internal error when processing the request.",
    1010: "System not available.",
    1030: "This request is not supported by this implementation.",
    3175: "There was an error adding, modifying or deleting an object because it is already in use.",
    3176: "There was an error adding, modifying or deleting an object because a related object is already in use.",
    3180: "There was an error when saving an object. QuickBooks error message: The list element is already in use.",
    3231: "The request has not been processed.",
    3250: "This feature is not enabled or not available in this version of QuickBooks.",
    3260: "Insufficient permission level to perform this action.",
}


class Refusal(Exception):
    """A request that QuickBooks answers with an error status; nothing of it is done."""

    def __init__(self, code: int, message: str = "") -> None:
        self.code = code
        self.message = message or WORDS.get(code, f"Status {code}.")
        super().__init__(f"{self.code} {self.message}")


def severity(code: int) -> str:
    """Info, Warn or Error, by the range of the code (the reference, "Status codes")."""
    return "Info" if code < 500 else "Warn" if code < 1000 else "Error"
