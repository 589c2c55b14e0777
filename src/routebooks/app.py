"""The entry point and the only module that knows all: settings -> store -> registry -> engine -> faces, sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import typer

from routebooks import cli, running
from routebooks.clock import random_id
from routebooks.connectors.base import Connector
from routebooks.connectors.registry import CONNECTORS
from routebooks.engine.context import Context
from routebooks.errors import ConfigError
from routebooks.settings import Settings
from routebooks.store import alerts, companies
from routebooks.store.artifacts import ArtifactStore
from routebooks.store.database import Store, file_of
from routebooks.store.secrets import Vault

#: the file of the master key in the home folder
KEY = "key"


def context(settings: Settings, connectors: Mapping[str, Connector] = CONNECTORS, *, begin: bool = True) -> Context:
    """The engine's surroundings, with the database brought up to date. Raises ConfigError.

    Only with `begin` is an installation made where there is none; nothing is made anew beside the rest of an old one.
    """
    _look_for(settings, begin)
    if begin:
        _make(settings.home)
        for url in (settings.store_url, settings.durable_url):
            _make_private(file_of(url))
    store = Store(settings.store_url, name=random_id(12))
    try:
        store.migrate()
        return Context(
            store=store,
            artifacts=ArtifactStore(settings.artifacts_place),
            vault=_vault(settings, store),
            connectors=connectors,
            public_url=settings.public_url,
        )
    except BaseException:
        store.close()
        raise


def _look_for(settings: Settings, begin: bool) -> None:
    """Raises ConfigError when the database is a file that is not there, or blank, and should be."""
    file = file_of(settings.store_url)
    if file is None or (file.exists() and file.stat().st_size > 0):
        return
    if (settings.home / KEY).exists():
        raise ConfigError(
            f"The database of this installation is gone: {file}.",
            hint="Put it back from a backup, or set ROUTEBOOKS_DATABASE_URL as it was. "
            f"To begin anew, move the file {settings.home / KEY} away.",
            code="database-missing",
        )
    if not begin:
        raise ConfigError(
            f"There is no Routebooks in {settings.home}.",
            hint="See that --home or ROUTEBOOKS_HOME names the right folder. "
            "`routebooks company add` begins a new one there.",
            code="home-missing",
        )


def _make(home: Path) -> None:
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"The folder {home} cannot be made.",
            hint="Set ROUTEBOOKS_HOME to a folder that you may write to.",
            code="home-unusable",
            detail=str(error),
        ) from error


def _make_private(file: Path | None) -> None:
    """Begin the file of a database as one that only its owner reads; SQLite gives its other files the same rights."""
    if file is not None and file.parent.is_dir() and not file.exists():
        # what stands in the way, whoever opens it tells
        with suppress(OSError):
            file.touch(mode=0o600)


def _vault(settings: Settings, store: Store) -> Vault:
    """The keys that are set, else those of the file; a new file only as long as nothing was sealed."""
    key = settings.key.get_secret_value()
    if key:
        return Vault(key.split())
    file = settings.home / KEY
    with store.read() as tx:
        in_use = bool(companies.all_companies(tx) or alerts.all_alerts(tx))
    if in_use and not file.exists():
        raise ConfigError(
            f"The key of this installation is gone: {file}.",
            hint="Put the key file back, or set ROUTEBOOKS_KEY; a new key could read no password.",
            code="key-missing",
        )
    _make(settings.home)
    return Vault.from_file(file)


def build() -> typer.Typer:
    """The whole command line."""
    program = cli.build(context)
    running.add_to(program, context)
    return program


def main() -> None:
    """Run a command; the exit code says how it ended."""
    cli.run(build())
