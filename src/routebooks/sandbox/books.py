"""The books: names, references, times and numbers of the objects in a company file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from routebooks.sandbox import wire
from routebooks.sandbox.company_file import CompanyFile, Stored
from routebooks.sandbox.objects import KINDS, REFERENCES
from routebooks.sandbox.shapes import LINES, Fields
from routebooks.sandbox.status import Refusal

_ID = re.compile(r"[0-9A-F]{1,8}-\d{9,10}", re.IGNORECASE)
#: Lists go five levels deep (the reference, section 2: five names of 41 characters with colons are a FullName of 209).
_LEVELS = 5
_ADDRESSES = ("BillAddress", "ShipAddress", "VendorAddress", "Address")

#: Lists count their ids from here, transactions from one, as in `80000003-1446676743` and `4C-1415942229`.
_FIRST_LIST_ID = 0x80000001


class Books:
    """What the requests work on: an open company file, with the clock and the zone of its workstation."""

    def __init__(self, file: CompanyFile, clock: Callable[[], datetime], zone: str) -> None:
        self.file = file
        self.zone = ZoneInfo(zone)
        self._clock = clock

    @property
    def percent_signs(self) -> bool:
        """Whether price levels show percentages as `18.0%`."""
        return self.file.setting("percent signs") == "true"

    @percent_signs.setter
    def percent_signs(self, shown: bool) -> None:
        self.file.set_setting("percent signs", str(shown).lower())

    def now(self) -> int:
        """The present second, since 1970."""
        return int(self._clock().timestamp())

    def today(self) -> date:
        """The present day at the workstation."""
        return datetime.fromtimestamp(self.now(), self.zone).date()

    def stamp(self, second: int) -> str:
        """A second as QuickBooks writes it, with the workstation's offset: `2015-11-04T14:39:03-08:00`."""
        return datetime.fromtimestamp(second, self.zone).isoformat(timespec="seconds")

    def second(self, written: str, *, end: bool = False) -> int:
        """The second that a DATETIMETYPE says. What it leaves out is midnight, or the day's end for the end of a range.

        Raises Refusal 3020 for a moment that the calendar does not have.
        """
        try:
            return int(wire.moment(written, self.zone, end=end).timestamp())
        except (ValueError, OverflowError) as error:
            message = f'There was an error when converting the date value "{written}" in the field "date".'
            raise Refusal(3020, message) from error

    def next_id(self, family: str, second: int) -> str:
        """A new id of a family: a hexadecimal count and the second of its making."""
        first = 1 if family == "Txn" else _FIRST_LIST_ID
        return f"{self.file.next_number(family, first):X}-{second}"

    def find(self, kinds: Sequence[str], key: str) -> Stored | None:
        """The object of some kinds that has this id or, failing that, this name."""
        for lookup in (self.file.get, self.file.named):
            for family in dict.fromkeys(KINDS[kind].family for kind in kinds):
                found = lookup(family, key)
                if found and found.kind in kinds:
                    return found
        return None

    def resolve(self, name: str, ref: Fields, where: str) -> Stored:
        """The object that a reference points to; its ListID counts before its FullName.

        Raises Refusal 3000 (the id is none) and 3140 (there is no such object).
        """
        kinds = REFERENCES.get(name, ())
        list_id, full_name = ref.get("ListID", ""), wire.text(ref.get("FullName", ""))
        if list_id and not _ID.fullmatch(list_id):
            raise Refusal(3000, f'The given object ID "{list_id}" in the field "list id" is invalid.')
        found = None
        if list_id and kinds:
            found = self.file.get(KINDS[kinds[0]].family, list_id)
        elif full_name and kinds:
            found = self.file.named(KINDS[kinds[0]].family, full_name)
        if found is None or found.kind not in kinds:
            raise Refusal(
                3140,
                f'There is an invalid reference to QuickBooks {name.removesuffix("Ref")} "{list_id or full_name}"'
                f" in the {where}.  QuickBooks error message: Invalid argument.  The specified record does not exist"
                " in the list.",
            )
        return found

    def add(self, kind: str, values: Mapping[str, Any]) -> Stored:
        """Adds an object of a list. References may be given by name. Raises Refusal, ShapeError."""
        known, second = KINDS[kind], self.now()
        made: Fields = {"IsActive": "true"} if kind != "Company" else {}
        made |= wire.fields(known.ret, self._with_references(kind, values))
        parent = self._parent(kind, made)
        stored = Stored(known.family, self.next_id(known.family, second), kind, "", True, second, made)
        return self._save(self._named(stored, parent), new=True)

    def insert(self, kind: str, object_id: str, label: str, values: Mapping[str, Any]) -> Stored:
        """Adds a transaction that has been worked out. Raises ShapeError when a value is too long for it."""
        second = self.now()
        made = wire.fields(KINDS[kind].ret, values)
        return self._save(Stored(KINDS[kind].family, object_id, kind, label, True, second, made), new=True)

    def change(self, stored: Stored, values: Mapping[str, Any], *, touch: bool = True) -> Stored:
        """Changes fields; None takes one away. Raises Refusal, ShapeError.

        Without `touch` time and edit sequence stay, as in QuickBooks when only a balance or a quantity moved.
        """
        new = wire.fields(KINDS[stored.kind].ret, self._with_references(stored.kind, values))
        kept = {name: value for name, value in stored.fields.items() if name not in values}
        made = replace(stored, fields=kept | new, modified=self.now() if touch else stored.modified)
        if KINDS[stored.kind].transaction:
            made = replace(made, label=made.fields.get("RefNumber", ""))
        else:
            made = self._named(made, self._parent(stored.kind, made.fields))
        saved = self._save(made, touch=touch)
        if saved.label != stored.label:
            for inner in self.file.below(stored):
                self._rename(inner, f"{saved.label}{inner.label[len(stored.label) :]}")
            if saved.kind == "Customer":
                # Its jobs count for those above it now, and no longer for those that were above it.
                self._total(saved)
                self.retotal(stored)
        return self.file.get(saved.family, saved.id) or saved

    def users_of(self, stored: Stored) -> Iterator[Stored]:
        """The objects that refer to one of a list; a transaction has none."""
        if not KINDS[stored.kind].transaction:
            # An id is an id of its family only: the first customer's may be the first item's, too.
            found = self.file.holding(json.dumps(stored.id))
            yield from (one for one in found if _refers(one.kind, one.fields, stored))

    def retotal(self, gone: Stored) -> None:
        """Brings the balances of those above a customer up to date, when it is gone."""
        if gone.kind == "Customer":
            self._total(self._parent("Customer", gone.fields))

    def named_fields(self, stored: Stored) -> Fields:
        """An object's fields with the present names of all that it refers to."""
        return {name: self._name_inside(stored.kind, name, value) for name, value in stored.fields.items()}

    def _name_inside(self, kind: str, name: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._name_inside(kind, name, inner) for inner in value]
        if not isinstance(value, dict):
            return value
        kinds = (kind,) if name == "ParentRef" else REFERENCES.get(name)
        if kinds is None:
            return {inner: self._name_inside(kind, inner, one) for inner, one in value.items()}
        found = self.file.get(KINDS[kinds[0]].family, value["ListID"])
        return {**value, "FullName": found.label} if found else value

    def _with_references(self, kind: str, values: Mapping[str, Any]) -> Fields:
        """The values with every reference, given by name or by fields, turned into the id alone."""
        made: Fields = {}
        for name, value in values.items():
            if isinstance(value, list | tuple) and name != LINES:
                made[name] = [self._reference(kind, name, one) for one in value]
            else:
                made[name] = self._reference(kind, name, value)
        return made

    def _reference(self, kind: str, name: str, value: Any) -> Any:
        if name == "ParentRef" or name in REFERENCES:
            if value is None:
                return None
            ref = {"FullName": value} if isinstance(value, str) else value
            if name == "ParentRef":
                found = self.find((kind,), ref.get("ListID") or ref.get("FullName", ""))
                if found is None:
                    raise Refusal(3140, f'There is an invalid reference to QuickBooks {kind} "{value}" in the {kind}.')
            else:
                found = self.resolve(name, ref, kind)
            return {"ListID": found.id}
        return self._with_references(kind, value) if isinstance(value, dict) else value

    def _parent(self, kind: str, made: Fields) -> Stored | None:
        return self.file.get(KINDS[kind].family, made["ParentRef"]["ListID"]) if "ParentRef" in made else None

    def _named(self, stored: Stored, parent: Stored | None) -> Stored:
        """With its full name, its level and, for a customer, its balances. Raises Refusal 3100, 3210."""
        known, made = KINDS[stored.kind], dict(stored.fields)
        name = made.get(known.label, "")
        if not name or ":" in name:
            raise Refusal(3210, f'The value "{name}" in the field "{known.label}" is not a name.')
        label = f"{parent.label}:{name}" if parent else name
        other = self.file.named(known.family, label)
        if other and other.id != stored.id:
            raise Refusal(3100, f'The name "{name}" of the list element is already in use.')
        if known.nested:
            self._check_place(stored, parent, label)
            made |= {"FullName": label, "Sublevel": str(label.count(":"))}
        if stored.kind == "Customer":
            made = {"JobStatus": "None", "Balance": "0.00", **made}
        active = made.get("IsActive") != "false"
        return replace(stored, label=label, active=active, fields=made)

    def _check_place(self, stored: Stored, parent: Stored | None, label: str) -> None:
        """Raises Refusal 3210 for a place below itself, or one with too many levels."""
        inner = self.file.below(stored) if stored.label else []
        if parent and parent.id in (stored.id, *(one.id for one in inner)):
            raise Refusal(3210, f'The {stored.kind} "{stored.label}" cannot stand below itself.')
        deepest = max((one.label.count(":") - stored.label.count(":") for one in inner), default=0)
        if label.count(":") + deepest >= _LEVELS:
            raise Refusal(3210, f'The {stored.kind} "{label}" would have more than {_LEVELS} levels.')

    def _rename(self, stored: Stored, label: str) -> None:
        fields = {**stored.fields, "FullName": label, "Sublevel": str(label.count(":"))}
        self.file.put(replace(stored, label=label, fields=fields))

    def _save(self, stored: Stored, *, new: bool = False, touch: bool = True) -> Stored:
        """Writes an object, its address blocks and, unless untouched, its times and edit sequence."""
        known, made = KINDS[stored.kind], dict(stored.fields)
        for name in _ADDRESSES:
            if name in made and any(element.name == f"{name}Block" for element in known.ret.elements()):
                made[f"{name}Block"] = address_block(made[name])
        if stored.kind != "Company" and touch:
            # Two changes in one second still have to differ.
            sequence = max(stored.modified, int(made.get("EditSequence", 0)) + 1)
            stamp = self.stamp(stored.modified)
            made |= {known.id_name: stored.id, "TimeModified": stamp, "EditSequence": str(sequence)}
            if new:
                made["TimeCreated"] = stamp
        saved = replace(stored, fields=made)
        self.file.put(saved)
        if saved.kind == "Customer":
            self._total(saved)
            saved = self.file.get(saved.family, saved.id) or saved
        return saved

    def _total(self, customer: Stored | None) -> None:
        """Brings TotalBalance of a customer and of those above it up to date: its own balance and its jobs'."""
        while customer:
            balances = [one.fields["Balance"] for one in (customer, *self.file.below(customer))]
            total = wire.amount(sum(map(wire.number, balances), wire.number("0")))
            if customer.fields.get("TotalBalance") != total:
                self.file.put(replace(customer, fields={**customer.fields, "TotalBalance": total}))
            customer = self._parent("Customer", customer.fields)


def _refers(kind: str, value: Any, stored: Stored) -> bool:
    """Whether fields of an object of some kind hold a reference to another."""
    if isinstance(value, list):
        return any(_refers(kind, inner, stored) for inner in value)
    if not isinstance(value, dict):
        return False
    for name, inner in value.items():
        kinds = (kind,) if name == "ParentRef" else REFERENCES.get(name, ())
        refs = inner if isinstance(inner, list) else [inner]
        if stored.kind in kinds and any(ref["ListID"] == stored.id for ref in refs):
            return True
        if _refers(kind, inner, stored):
            return True
    return False


def address_block(address: Fields) -> Fields:
    """An address as the lines that stand on paper: at most five."""
    lines = [address[f"Addr{number}"] for number in range(1, 6) if address.get(f"Addr{number}")]
    place = ", ".join(address[name] for name in ("City", "State") if address.get(name))
    last = " ".join(part for part in (place, address.get("PostalCode", "")) if part)
    lines += [line for line in (last, address.get("Country", "")) if line]
    return {f"Addr{number}": line[:41] for number, line in enumerate(lines[:5], start=1)}
