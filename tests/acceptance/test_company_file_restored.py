"""An older copy of the company file is put back: the orders it lacks are shown as vanished, and posted when asked."""

from __future__ import annotations

import json
from pathlib import Path

from installation import Installation, Make, orders_stand_once
from routebooks.store.ledger import OrderState


def night(installation: Installation, *names: str) -> None:
    made = installation.ask(*names)
    installation.until_called_for(made)
    installation.connector().update()
    installation.until_ended(made)


def orders(installation: Installation, state: OrderState) -> list[str]:
    shown = installation.command("order", "list", "--state", state, "--json").stdout
    return [order["key"] for order in json.loads(shown)]


def test_orders_that_a_restored_company_file_lacks_are_shown_and_posted_when_asked(
    installed: Make, tmp_path: Path
) -> None:
    installation = installed(quickbooks={"plain_unit": "case"})
    night(installation, "codes", "items", "customers", "invoices")
    installation.world.company.backup(tmp_path / "company.qbb")
    night(installation, "orders")
    orders_stand_once(installation)
    posted = orders(installation, OrderState.POSTED)

    installation.world.company.restore(tmp_path / "company.qbb")
    installation.connector().update()
    assert orders(installation, OrderState.VANISHED) == posted
    listed = json.loads(installation.command("rejected", "list", "--limit", "100", "--json").stdout)
    assert [each["key"] for each in listed if each["code"] == "order-vanished"] == posted
    night(installation, "orders")
    assert orders(installation, OrderState.VANISHED) == posted
    assert not list(installation.world.company.sales_orders())

    run = json.loads(installation.command("order", "retry", "Harbor", posted[0], "--json").stdout)["run"]
    installation.until_called_for([run])
    installation.connector().update()
    assert [order["Other"] for order in installation.world.company.sales_orders()] == posted[:1]
    assert orders(installation, OrderState.POSTED) == posted[:1]
