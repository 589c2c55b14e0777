"""Two connections that read the same orders would have them posted twice: the second one is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from routebooks.connectors.base import Connector, Setting
from routebooks.engine.context import Context
from routebooks.errors import ConfigError
from routebooks.store import companies
from routebooks.store.database import Tx


def check(ctx: Context, tx: Tx, kind: Connector, values: Mapping[str, Any], *, but: int | None = None) -> None:
    """Raises ConfigError when a connection, of whatever company, reads what one with these values would read."""
    wanted = _read_by(kind, values)
    if not wanted:
        return
    for row in companies.connections_of(tx):
        if row.connector != kind.name or row.id == but:
            continue
        if _read_by(kind, {**row.settings, **ctx.vault.open(row.secrets)}) == wanted:
            company = companies.company(tx, row.company_id).name
            raise ConfigError(
                f"The connection {row.name} of {company} reads the same orders: each would be posted twice.",
                hint="Let the query of each name its own orders, or end the other: `routebooks connection remove`.",
                code="orders-read-already",
            )


def _read_by(kind: Connector, values: Mapping[str, Any]) -> dict[str, str]:
    return {
        each.name: _meant(each, str(values.get(each.name, each.default)))
        for each in kind.settings
        if each.of_one_reader
    }


def _meant(setting: Setting, text: str) -> str:
    # Blanks and new lines say nothing in an address or a query.
    return " ".join((text if setting.alike is None else setting.alike(text)).split())
