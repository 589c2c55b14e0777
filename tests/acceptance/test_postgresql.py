"""The whole way with Routebooks' own state, and that of the durable engine, on PostgreSQL."""

from __future__ import annotations

from installation import Make
from routebooks.store.runs import State


def test_out_and_back(fresh_postgres: str, installed: Make) -> None:
    installation = installed(database_url=fresh_postgres, quickbooks={"plain_unit": "case"})
    for names in (("codes", "items", "customers", "invoices"), ("orders",)):
        made = installation.ask(*names)
        installation.until_called_for(made)
        installation.connector().update()
        installation.until_ended(made)
        assert {installation.run(run_id).state for run_id in made} == {State.DONE}
    posted = [order["Other"] for order in installation.world.company.sales_orders()]
    assert len(posted) == len(set(posted)) >= 9
    assert not (installation.settings.home / "routebooks.db").exists()
    assert not (installation.settings.home / "durable.db").exists()
