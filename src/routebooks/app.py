"""The entry point and the only module that knows all: settings -> store -> registry -> engine -> faces, sandbox."""

from __future__ import annotations

from collections.abc import Mapping

import typer

from routebooks import cli, running
from routebooks.connectors.base import Connector
from routebooks.connectors.registry import CONNECTORS
from routebooks.engine.context import Context
from routebooks.errors import ConfigError
from routebooks.settings import Settings
from routebooks.store.artifacts import ArtifactStore
from routebooks.store.database import Store
from routebooks.store.secrets import Vault


def context(settings: Settings, connectors: Mapping[str, Connector] = CONNECTORS) -> Context:
    """The engine's surroundings, with the database brought up to date. Raises ConfigError."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"The folder {settings.home} cannot be made.",
            hint="Set ROUTEBOOKS_HOME to a folder that you may write to.",
            code="home-unusable",
            detail=str(error),
        ) from error
    key = settings.key.get_secret_value()
    if not key and (settings.home / "routebooks.db").exists() and not (settings.home / "key").exists():
        raise ConfigError(
            f"The key of this installation is gone: {settings.home / 'key'}.",
            hint="Put the key file back, or set ROUTEBOOKS_KEY; a new key could read no password.",
            code="key-missing",
        )
    vault = Vault(key.split()) if key else Vault.from_file(settings.home / "key")
    store = Store(settings.store_url)
    store.migrate()
    return Context(
        store=store,
        artifacts=ArtifactStore(settings.artifacts_place),
        vault=vault,
        connectors=connectors,
        public_url=settings.public_url,
    )


def build() -> typer.Typer:
    """The whole command line."""
    program = cli.build(context)
    running.add_to(program, context)
    return program


def main() -> None:
    """Run a command; the exit code says how it ended."""
    cli.run(build())
