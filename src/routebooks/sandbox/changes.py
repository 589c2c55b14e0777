"""Writes to lists: CustomerAdd, CustomerMod, DataExtAdd."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from routebooks.sandbox import wire
from routebooks.sandbox.about import company_of
from routebooks.sandbox.answers import Answer, Wanted, answer_to, returned, wanted_of
from routebooks.sandbox.books import Books
from routebooks.sandbox.company_file import Stored
from routebooks.sandbox.objects import ITEMS, KINDS
from routebooks.sandbox.reader import Request
from routebooks.sandbox.shapes import Fields
from routebooks.sandbox.status import Refusal


def written(books: Books, request: Request, stored: Stored) -> Answer:
    """The answer to a write: the object, and its ids for the case that the same set is sent again."""
    fields = books.named_fields(stored)
    names = (KINDS[stored.kind].id_name, "TxnNumber", "EditSequence", "ExternalGUID")
    return answer_to(
        request,
        body=returned(stored.kind, fields, wanted_of(request)),
        recovery={name: fields[name] for name in names if name in fields},
    )


def add_customer(books: Books, request: Request) -> Answer:
    """Raises Refusal: 3100 for a name that is taken, 3140 for what it refers to."""
    values: Fields = dict(request.fields["CustomerAdd"])
    balance = wire.number(values.pop("OpenBalance", ""))
    values.pop("OpenBalanceDate", None)
    filled = {name: value for name, value in values.items() if value != ""}
    return written(books, request, books.add("Customer", filled | {"Balance": balance}))


def change_customer(books: Books, request: Request) -> Answer:
    """Raises Refusal: 3120 for an unknown ListID, 3200 for an edit sequence that is not the present one."""
    values: dict[str, Any] = dict(request.fields["CustomerMod"])
    list_id, sequence = values.pop("ListID"), values.pop("EditSequence")
    stored = books.file.get("Entity", list_id)
    if stored is None or stored.kind != "Customer":
        raise Refusal(3120, f'Object "{list_id}" specified in the request cannot be found.')
    if stored.fields["EditSequence"] != sequence:
        raise Refusal(3200, f'The provided edit sequence "{sequence}" is out-of-date.')
    emptied = {name: None if value == "" else value for name, value in values.items()}
    return written(books, request, books.change(stored, emptied))


def add_data_ext(books: Books, request: Request) -> Answer:
    """A field of an owner on the company, a list object or an order. Raises Refusal: 3120, 3180 for one that is there.

    QuickBooks wants a private field defined first (DataExtDefAdd); here the first value defines it.
    """
    values = request.fields["DataExtAdd"]
    if not values["DataExtValue"]:
        raise Refusal(3210, 'The value "" in the field "DataExtValue" is not valid.')
    stored = _bearer(books, values)
    made = data_ext(values["OwnerID"], values["DataExtName"], values["DataExtValue"])
    present = stored.fields.get("DataExtRet", [])
    if any(_same(made, one) for one in present):
        raise Refusal(3180, f'There was an error when saving the data extension "{made["DataExtName"]}".')
    books.change(stored, {"DataExtRet": [*present, made]})
    return answer_to(request, body=returned("DataExt", made, Wanted()), recovery={"OwnerID": made["OwnerID"]})


def data_ext(owner_id: str, name: str, value: str) -> Fields:
    """A custom field (owner 0) or a private one (the owner's GUID)."""
    return {"OwnerID": owner_id, "DataExtName": name, "DataExtType": "STR255TYPE", "DataExtValue": wire.text(value)}


def with_data_ext(present: Sequence[Fields], made: Fields) -> list[Fields]:
    """The fields with one more, which takes the place of its namesake; an empty one leaves nothing there."""
    return [one for one in present if not _same(made, one)] + ([made] if made["DataExtValue"] else [])


def _same(one: Fields, other: Fields) -> bool:
    return all(one[name].casefold() == other[name].casefold() for name in ("OwnerID", "DataExtName"))


def _bearer(books: Books, values: Fields) -> Stored:
    """The object that a DataExtAdd means."""
    if "OtherDataExtType" in values:
        return company_of(books)
    if "TxnID" in values:
        kind, key = values["TxnDataExtType"], values["TxnID"]
    else:
        kind, ref = values["ListDataExtType"], values["ListObjRef"]
        key = ref.get("ListID") or ref.get("FullName", "")
    found = books.find(ITEMS if kind == "Item" else (kind,), wire.text(key))
    if found is None:
        raise Refusal(3120, f'Object "{key}" specified in the request cannot be found.')
    return found
