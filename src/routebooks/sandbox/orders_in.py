"""Takes a sales order in, as an application sends it."""

from __future__ import annotations

from routebooks.sandbox import sales
from routebooks.sandbox.answers import Answer
from routebooks.sandbox.books import Books
from routebooks.sandbox.changes import written
from routebooks.sandbox.lines import Form
from routebooks.sandbox.reader import Request
from routebooks.sandbox.shapes import LINES, Fields


def add_sales_order(books: Books, request: Request) -> Answer:
    """Raises Refusal: 3000 and 3140 for references, 3210 for what is inactive or does not fit, 3040 for amounts."""
    wanted = _filled(request.fields["SalesOrderAdd"])
    lines = [_filled(line) for entry in wanted.pop(LINES) for line in entry.values()]
    customer = Form(books, "SalesOrder", asked=True).find("CustomerRef", wanted["CustomerRef"])
    paper = sales.form(books, "SalesOrder", customer, asked=True)
    return written(books, request, sales.add(paper, customer, wanted, lines))


def _filled(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if value != ""}
