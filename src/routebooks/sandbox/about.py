"""Answers about the installation and the company: HostQuery, CompanyQuery, PreferencesQuery, and the three at once."""

from __future__ import annotations

from collections.abc import Mapping

from routebooks.sandbox.answers import Answer, answer_to, document, returned, wanted_of
from routebooks.sandbox.books import Books
from routebooks.sandbox.company_file import Stored
from routebooks.sandbox.reader import VERSION, Request
from routebooks.sandbox.shapes import Fields

PRODUCTS: Mapping[str, str] = {
    "Enterprise": "QuickBooks Enterprise Solutions 14.0",
    "Premier": "QuickBooks Premier Edition 2014",
    "Pro": "QuickBooks Pro 2014",
}

_VERSIONS = ["1.0", "1.1", "2.0", "2.1", "3.0", "4.0", "4.1", *(f"{major}.0" for major in range(5, VERSION[0] + 1))]

_PREFERENCES: Fields = {
    "AccountingPreferences": {
        "IsUsingAccountNumbers": "false",
        "IsRequiringAccounts": "true",
        "IsUsingClassTracking": "false",
        "IsUsingAuditTrail": "true",
        "IsAssigningJournalEntryNumbers": "true",
    },
    "MultiCurrencyPreferences": {"IsMultiCurrencyOn": "false"},
    "SalesAndCustomersPreferences": {
        "IsTrackingReimbursedExpensesAsIncome": "false",
        "IsAutoApplyingPayments": "true",
    },
    "CurrentAppAccessRights": {"IsAutomaticLoginAllowed": "true", "IsPersonalDataAccessAllowed": "false"},
}

ABOUT = ("HostQueryRq", "CompanyQueryRq", "PreferencesQueryRq")


def company_of(books: Books) -> Stored:
    """The object that holds what the company says of itself."""
    return books.file.of_kinds(("Company",))[0]


def answer(books: Books, request: Request, edition: str) -> Answer:
    """The answer to one of the three queries."""
    kind = request.name.removesuffix("QueryRq")
    host = {
        "ProductName": PRODUCTS[edition],
        "MajorVersion": "24",
        "MinorVersion": "0",
        "Country": "US",
        "SupportedQBXMLVersion": _VERSIONS,
        "IsAutomaticLogin": "false",
        "QBFileMode": "MultiUser",
    }
    fields = {"Host": host, "Preferences": _PREFERENCES}.get(kind) or company_of(books).fields
    return answer_to(request, body=returned(kind, fields, wanted_of(request)))


def host_company_preferences(books: Books, edition: str, owner_id: str) -> bytes:
    """What the Web Connector hands over with the first call of a session (the reference, section 3, sendRequestXML).

    The company carries the private fields of one owner; of all owners when none is named.
    """
    known = [ext["OwnerID"] for ext in company_of(books).fields.get("DataExtRet", [])]
    asked: Mapping[str, Fields] = {"CompanyQueryRq": {"OwnerID": [owner_id] if owner_id else known}}
    requests = [Request(name, {"requestID": str(at)}, asked.get(name, {})) for at, name in enumerate(ABOUT)]
    return document(answer(books, request, edition) for request in requests)
