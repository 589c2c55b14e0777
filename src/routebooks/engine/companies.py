"""Companies: added, changed, renamed; no two of them with one cust_id."""

from __future__ import annotations

from dataclasses import dataclass

from routebooks.engine.context import Context
from routebooks.errors import ConfigError
from routebooks.store import audit
from routebooks.store import companies as store
from routebooks.store.companies import CompanyRow
from routebooks.store.database import Tx


@dataclass(frozen=True)
class Added:
    """A company that was added; `back` when it is one of before, with its ledger."""

    id: int
    back: bool = False


def add(ctx: Context, tx: Tx, *, name: str, cust_id: str, time_zone: str, actor: str) -> Added:
    """A new company, or the removed one of this cust_id again: its ledger knows which orders were posted.

    Raises ConfigError for a name or cust_id that another company has.
    """
    _check_name(tx, name)
    _check_cust_id(tx, cust_id)
    values = {"name": name, "cust_id": cust_id, "time_zone": time_zone}
    before = store.removed_company(tx, cust_id)
    if before is None:
        company_id = store.add_company(tx, **values, now=ctx.now())
    else:
        company_id = before.id
        store.change_company(tx, company_id, **values, removed_at=None)
    audit.note(tx, company_id=company_id, actor=actor, action="add company", subject=name, now=ctx.now(), **values)
    return Added(company_id, back=before is not None)


def rename(ctx: Context, tx: Tx, row: CompanyRow, name: str, actor: str) -> None:
    """Give a company another name. Raises ConfigError for one that is taken."""
    _check_name(tx, name)
    store.change_company(tx, row.id, name=name)
    audit.note(tx, company_id=row.id, actor=actor, action="rename company", subject=row.name, now=ctx.now(), name=name)


def _check_name(tx: Tx, name: str) -> None:
    if store.company_named(tx, name) is not None:
        raise ConfigError(
            f"There is a company {name!r} already.",
            hint="`routebooks company list` shows it; take another name.",
            code="company-exists",
        )


def change(ctx: Context, tx: Tx, row: CompanyRow, values: dict[str, str], actor: str) -> None:
    """Set cust_id or time zone of a company. Raises ConfigError for a cust_id that another company has."""
    if "cust_id" in values:
        _check_cust_id(tx, values["cust_id"], but=row.id)
    store.change_company(tx, row.id, **values)
    audit.note(tx, company_id=row.id, actor=actor, action="change company", subject=row.name, now=ctx.now(), **values)


def _check_cust_id(tx: Tx, cust_id: str, *, but: int | None = None) -> None:
    """Files lie in a folder named after the cust_id: two companies of one would write over each other's."""
    for other in store.all_companies(tx):
        # Many file servers tell no letter case apart.
        if other.id != but and other.cust_id.casefold() == cust_id.casefold():
            raise ConfigError(
                f"{other.name} has the cust_id {other.cust_id!r} already; the two would write over each other's files.",
                hint="Ask Inventiv for the id of each distributor. For a trial take one of your own, such as "
                f"{cust_id}-trial.",
                code="cust-id-exists",
            )
