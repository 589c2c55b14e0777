"""The words that the field tables are written in, one for each type of value in qbXML."""

from __future__ import annotations

from routebooks.connectors.quickbooks_desktop.columns import ListField
from routebooks.records import Kind


def text(name: str, max_length: int | None = None, *at: str, otherwise: str = "") -> ListField:
    """A text. `at` are the paths where its value may stand; none: where the name says, dots for levels."""
    return ListField(name=name, max_length=max_length, at=at, otherwise=otherwise)


def money(name: str, *at: str) -> ListField:
    """An AMTTYPE: two decimals."""
    return ListField(name=name, kind=Kind.DECIMAL, scale=2, at=at)


def number(name: str, *at: str) -> ListField:
    """A PRICETYPE, QUANTYPE or PERCENTTYPE: up to five decimals."""
    return ListField(name=name, kind=Kind.DECIMAL, scale=5, at=at)


def flag(name: str, *at: str) -> ListField:
    """A BOOLTYPE."""
    return ListField(name=name, kind=Kind.BOOLEAN, at=at)


def integer(name: str) -> ListField:
    """An INTTYPE."""
    return ListField(name=name, kind=Kind.INTEGER)


def day(name: str, *at: str) -> ListField:
    """A DATETYPE."""
    return ListField(name=name, kind=Kind.DATE, at=at)


def moment(name: str) -> ListField:
    """A DATETIMETYPE with its offset, kept in UTC."""
    return ListField(name=name, kind=Kind.TIMESTAMP)


def ref(name: str, max_length: int | None = None, *at: str) -> tuple[ListField, ListField]:
    """A reference to a record of another list: its ListID, and its FullName of at most `max_length` characters."""
    return (
        text(f"{name}.ListID", 36, *(f"{path}/ListID" for path in at)),
        text(f"{name}.FullName", max_length, *(f"{path}/FullName" for path in at)),
    )


def address(name: str) -> tuple[ListField, ...]:
    """An address; QuickBooks keeps five free lines and the parts it could tell apart."""
    lines = tuple(text(f"{name}.Addr{line}", 41) for line in range(1, 6))
    parts = (("City", 31), ("State", 21), ("PostalCode", 13), ("Country", 31), ("Note", 41))
    return lines + tuple(text(f"{name}.{part}", length) for part, length in parts)


#: What every record of a list begins with.
LIST_CORE = (text("ListID", 36), moment("TimeCreated"), moment("TimeModified"), text("EditSequence", 16))
