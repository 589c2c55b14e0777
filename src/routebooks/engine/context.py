"""What every part of the engine is given: the store, the connectors, time and chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TypeVar

from routebooks import clock
from routebooks.connectors.base import Company, Connection, Connector
from routebooks.errors import ConfigError, Problem
from routebooks.store import companies
from routebooks.store.artifacts import ArtifactStore
from routebooks.store.companies import CompanyRow, ConnectionRow
from routebooks.store.database import Store, Tx
from routebooks.store.secrets import Vault

P = TypeVar("P")


@dataclass(frozen=True)
class Context:
    """The engine's surroundings; made once, in app.py or in a test."""

    store: Store
    artifacts: ArtifactStore
    vault: Vault
    connectors: Mapping[str, Connector]
    public_url: str
    now: clock.Clock = clock.now
    new_id: Callable[[int], str] = clock.random_id

    def connector(self, name: str) -> Connector:
        """The connector of this name. Raises ConfigError."""
        found = self.connectors.get(name)
        if found is None:
            raise ConfigError(
                f"There is no connector {name!r}.",
                hint=f"Choose one of: {', '.join(sorted(self.connectors))}.",
                code="connector-unknown",
            )
        return found

    def able(self, name: str, protocol: type[P]) -> P:
        """The connector of this name, if it can do what the protocol says. Raises ConfigError."""
        found = self.connector(name)
        if not isinstance(found, protocol):
            raise ConfigError(
                f"{found.title} cannot be used here.",
                hint="Choose another connection for this side of the flow.",
                code="connector-unfit",
                detail=f"{name} is no {protocol.__name__}",
            )
        return found

    def connection(self, tx: Tx, connection_id: int) -> Connection:
        """A connection as its connector takes it: every setting filled, the secrets opened."""
        row = companies.connection(tx, connection_id)
        return self.opened(row, companies.company(tx, row.company_id))

    def opened(self, row: ConnectionRow, company: CompanyRow) -> Connection:
        """The same of a connection whose rows are at hand."""
        declared = {setting.name: setting.default for setting in self.connector(row.connector).settings}
        return Connection(
            id=row.id,
            name=row.name,
            connector=row.connector,
            company=Company(company.id, company.name, company.cust_id, company.time_zone),
            settings={**declared, **row.settings},
            secrets=self.vault.open(row.secrets),
        )


def as_json(problem: Problem) -> dict[str, str]:
    """A problem as it is stored."""
    return asdict(problem)
