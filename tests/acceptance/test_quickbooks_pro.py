"""QuickBooks Pro, which has no sales orders: it is said before the first night, and all that is possible goes."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from installation import Installation, Make
from routebooks.sandbox import orders_db
from routebooks.sandbox.company import SandboxCompany
from routebooks.store.runs import Run, State

OUT = {"codes": "detail.fil", "items": "item.fil", "customers": "customer.fil", "invoices": "invoice.fil"}


def fill(company: SandboxCompany) -> None:
    """A customer who bought something."""
    company.add("Customer", Name="Quay Bar", AccountNumber="100")
    company.add("ItemInventory", Name="GIN", SalesPrice="10.00")
    company.add_invoice("Quay Bar", [{"ItemRef": "GIN", "Quantity": 2}])


def said(installation: Installation, *command: str, code: int = 0) -> Any:
    return json.loads(installation.command(*command, "--json", code=code).stdout)


def sales_orders(installation: Installation, code: int = 1) -> Any:
    """The line of the connection's test about sales orders; None where it says nothing of them."""
    lines = said(installation, "connection", "test", "Harbor", "quickbooks", code=code)
    return next((line for line in lines if line["name"] == "Sales orders"), None)


def states(installation: Installation) -> dict[str, str]:
    return {flow["name"]: flow["state"] for flow in said(installation, "flow", "list")}


def night(installation: Installation) -> dict[str, Run]:
    """All flows of a night, orders too."""
    made = installation.ask(*OUT, "orders")
    installation.until_called_for(made[:-1])
    assert installation.connector().update().last_error == ""
    installation.until_called_for(made)
    installation.connector().update()
    installation.until_ended(made)
    return dict(zip((*OUT, "orders"), map(installation.run, made), strict=True))


def test_pro_is_told_before_the_first_night_and_takes_part_in_all_that_it_can(installed: Make) -> None:
    installation = installed(fill, edition="Pro", quickbooks={"plain_unit": "bottle"})
    company, url = installation.world.company, installation.world.orders_url
    line = orders_db.OrderLine(item_key="GIN", quantity=Decimal(3), unit="bottle", price=Decimal("10.00"))
    order = orders_db.Order(order_no="A-1", customer_key="100", order_date=date(2026, 1, 1), lines=(line,))
    orders_db.add_orders(url, [order], datetime(2026, 1, 1, tzinfo=UTC))
    asked: list[bytes] = []
    process = company.process

    def listen(session: str, request: bytes) -> bytes:
        asked.append(request)
        return process(session, request)

    company.process = listen  # type: ignore[method-assign]

    # Nobody knows yet. One press of Update Selected, and it is said: by the test, by the flow, on the one screen.
    assert sales_orders(installation) is None
    assert set(states(installation).values()) == {"never ran"}
    assert installation.connector().update().last_error == ""
    check = sales_orders(installation)
    assert not check["ok"]
    assert "has no sales orders" in check["message"]
    assert "Customers, items and invoices go out all the same." in check["hint"]
    assert states(installation) == dict.fromkeys(OUT, "never ran") | {"orders": "unable"}
    flow = said(installation, "flow", "show", "Harbor", "orders")
    assert flow["needs"] == f"{check['message']} {check['hint']}"
    status = said(installation, "status", "--check", code=1)
    assert status["companies"][0]["needs"] == [f"orders: {flow['needs']}"]

    # What is possible goes; orders stay where they are, and QuickBooks is not asked for one.
    ended = night(installation)
    assert {name: run.state for name, run in ended.items()} == dict.fromkeys(OUT, State.DONE) | {"orders": State.FAILED}
    assert (ended["orders"].problem or {})["code"] == "no-sales-orders"
    assert all(installation.file(name) for name in OUT.values())
    assert not any(b"SalesOrder" in request for request in asked)
    assert said(installation, "order", "list") == []
    assert [each.sync_status for each in orders_db.orders(url)] == [None]

    # Who wants no orders switches them off, and has peace.
    installation.command("flow", "off", "Harbor", "orders")
    assert sales_orders(installation, code=0) == check | {"ok": True}
    assert said(installation, "status", "--check")["companies"][0]["needs"] == []

    # Who moves to Premier has them after the next visit, the order that waited first.
    installation.command("flow", "on", "Harbor", "orders")
    company.edition = "Premier"
    installation.until_ended(visit(installation, "customers"))
    assert sales_orders(installation, code=0)["ok"]
    installation.until_ended(visit(installation, "orders"))
    assert [each["Other"] for each in company.sales_orders()] == ["A-1"]
    assert states(installation)["orders"] == "done"


def visit(installation: Installation, name: str) -> list[int]:
    """A run of a flow, and a visit of the Web Connector for it."""
    made = installation.ask(name)
    installation.until_called_for(made)
    assert installation.connector().update().last_error == ""
    return made
