"""Which QuickBooks has sales orders: Premier and Enterprise have, Pro and what is below it have not."""

from __future__ import annotations

import re

from routebooks.connectors.base import Check

_WITH = re.compile(r"\b(premier|enterprise|accountant)\b", re.IGNORECASE)
_WITHOUT = re.compile(r"\b(pro|basic|simple\s*start|mac)\b", re.IGNORECASE)


def can_write(product: str) -> Check:
    """Whether the QuickBooks that said this of itself (Identity.product) takes sales orders; what to do if not.

    By memory (reference/quickbooks-desktop.md, SalesOrderAdd). One that says nothing known is not stopped: it answers
    the first order itself.
    """
    name = "Sales orders"
    if _WITH.search(product):
        return Check(name, True, f"{product} has sales orders.")
    if _WITHOUT.search(product):
        return Check(
            name,
            False,
            f"{product} has no sales orders, so orders cannot be written into it.",
            "Customers, items and invoices go out all the same. Switch the orders flow off (`routebooks flow off`), or "
            "move to QuickBooks Premier or Enterprise: orders that are not taken wait in their database until then.",
        )
    said = f"“{product}” does not tell" if product else "QuickBooks has not said what it is"
    return Check(name, True, f"{said}; whether it has sales orders shows with the first order.")
