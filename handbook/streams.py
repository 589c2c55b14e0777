"""The page of the streams: what can be read of QuickBooks, field by field, and what a sales order can hold."""

from __future__ import annotations

from collections.abc import Iterable

from handbook import markdown
from routebooks.connectors.base import View, Viewing
from routebooks.connectors.quickbooks_desktop.connector import QuickBooksDesktop
from routebooks.records import Field, Kind, Stream, Target

_INTRODUCTION = """
A map takes its values from these fields: `=[Name]`. A **stream** is read as QuickBooks has it. A **view** is
made of several streams. A stream with lines is one row a line, the record's own fields repeated.

Fields of your own in QuickBooks (custom fields) come behind these, as `Custom.` and their name. The columns of
the orders database are those of its query: [connect the orders database](../connect-orders-database.md).
"""


def made() -> str:
    """The page."""
    books = QuickBooksDesktop()
    views = books.views() if isinstance(books, Viewing) else {}
    return markdown.page(
        "Streams and their fields",
        _INTRODUCTION,
        "## Streams of QuickBooks Desktop",
        *(_stream(stream) for stream in books.streams().values()),
        "## Views of QuickBooks Desktop",
        *(_view(name, view) for name, view in views.items()),
        "## What a map can fill in QuickBooks Desktop",
        *(_target(target) for target in books.targets().values()),
    )


def _stream(stream: Stream) -> str:
    facts = [f"Known by {markdown.code(stream.key)}, to a person by {markdown.code(stream.label)}."]
    if stream.modified:
        facts.append(f"Its last change stands in {markdown.code(stream.modified)}.")
    if stream.line:
        facts.append(f"{markdown.code(stream.line)} numbers its lines.")
    return f"### {stream.name}\n\n{' '.join(facts)}\n\n{_fields(stream.fields)}"


def _view(name: str, view: View) -> str:
    needs = f"Made of {', '.join(map(markdown.code, view.needs))}."
    return f"### {name}\n\n{needs}\n\n{_fields(view.stream.fields)}"


def _target(target: Target) -> str:
    rows = []
    for column in target.columns:
        marks = ["must be filled"] if column.required else []
        marks += ["the key"] if column.key else []
        marks += ["one a line"] if column.line else []
        marks += [f"the key that went out of {column.link}"] if column.link else []
        rows.append((markdown.code(column.name), kind(column), ", ".join(marks)))
    return f"### {target.name}\n\n{markdown.table(('column', 'kind', ''), rows)}"


def _fields(fields: Iterable[Field]) -> str:
    return markdown.table(("field", "kind"), [(markdown.code(each.name), kind(each)) for each in fields])


def kind(field: Field) -> str:
    """The kind of a field's values with its limits."""
    match field.kind:
        case Kind.DECIMAL:
            return f"number, {field.scale} digits after the point"
        case Kind.TEXT if field.max_length:
            return f"text, at most {field.max_length}"
        case Kind.BOOLEAN:
            return "true or false"
        case Kind.INTEGER:
            return "whole number"
        case Kind.TIMESTAMP:
            return "instant"
    return field.kind.value
