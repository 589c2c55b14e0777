"""Settings of the installation: environment over file over default."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from routebooks.errors import ConfigError

FILE_NAME = "routebooks.toml"


class Settings(BaseSettings):
    """What an installation is told; every one has a twin ROUTEBOOKS_<NAME> in the environment."""

    model_config = SettingsConfigDict(env_prefix="ROUTEBOOKS_", extra="forbid")

    #: the folder of the database, the artifacts, the key and routebooks.toml
    home: Path = Path("~/.routebooks")
    #: our own database; empty: SQLite in the home folder
    database_url: SecretStr = SecretStr("")
    #: where artifacts are kept, any address fsspec knows; empty: a folder in the home folder
    artifacts_url: str = ""
    #: the master key; empty: the file `key` in the home folder
    key: SecretStr = SecretStr("")
    #: the address under which the Web Connector reaches us
    public_url: str = "http://localhost:8420"
    host: str = "127.0.0.1"
    port: int = 8420
    #: how often the server looks for work that is due
    tick_seconds: float = 1.0

    @field_validator("home")
    @classmethod
    def _expanded(cls, value: Path) -> Path:
        return value.expanduser()

    @field_validator("public_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("write it as https://name or https://name:port/folder")
        return value.rstrip("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The file lies in the home folder, which only the environment (or a command) can move."""
        given = init_settings().get("home") or os.environ.get("ROUTEBOOKS_HOME") or cls.model_fields["home"].default
        file = Path(given).expanduser() / FILE_NAME
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)

    @property
    def store_url(self) -> str:
        """The address of our database."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.home / 'routebooks.db'}"

    @property
    def durable_url(self) -> str:
        """The address of the durable engine's own database: beside ours on SQLite, in the same one on PostgreSQL."""
        if self.store_url.startswith("sqlite"):
            return f"sqlite:///{self.home / 'durable.db'}"
        return self.store_url

    @property
    def artifacts_place(self) -> str:
        """The address of the artifacts."""
        return self.artifacts_url or str(self.home / "artifacts")


def load(**given: Any) -> Settings:
    """The settings, with some given outright. Raises ConfigError that names the setting and what is wrong with it."""
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"The setting {name} is wrong: {first['msg']}.",
            hint=f"Change ROUTEBOOKS_{name.upper()} or the line in {FILE_NAME}.",
            code="setting-wrong",
        ) from error
    except ValueError as error:
        raise ConfigError(
            f"{FILE_NAME} cannot be read.", hint="Look at the line that the detail names.", detail=str(error)
        ) from error
