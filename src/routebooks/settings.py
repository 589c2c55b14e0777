"""Settings of the installation: environment over file over default."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from routebooks.errors import ConfigError

FILE_NAME = "routebooks.toml"


class Settings(BaseSettings):
    """What an installation is told; every one has a twin ROUTEBOOKS_<NAME> in the environment.

    The description of a field says what may be written there, as the end of "Write ...".
    """

    model_config = SettingsConfigDict(env_prefix="ROUTEBOOKS_", env_ignore_empty=True, extra="forbid")

    #: the folder of the database, the artifacts, the key and routebooks.toml
    home: Path = Field(Path("~/.routebooks"), description="the path of a folder")
    #: our own database; empty: SQLite in the home folder
    database_url: SecretStr = Field(SecretStr(""), description="sqlite:///folder/name.db or postgresql://…")
    #: where artifacts are kept, any address fsspec knows; empty: a folder in the home folder
    artifacts_url: str = Field("", description="the path of a folder, or an address such as s3://bucket/folder")
    #: the master key; empty: the file `key` in the home folder
    key: SecretStr = Field(SecretStr(""), description="what stands in the file `key`")
    #: the address under which the Web Connector reaches us; empty: this machine, at our port
    public_url: str = Field("", description="https://name or https://name:port/folder")
    host: str = Field("127.0.0.1", min_length=1, description="an address of this machine, or 0.0.0.0 for all it has")
    port: int = Field(8420, ge=1, le=65535, description="a whole number from 1 to 65535")
    #: how often the server looks for work that is due
    tick_seconds: float = Field(1.0, ge=0.01, le=3600, description="a number of seconds from 0.01 to 3600")

    #: on PostgreSQL: after so long without a word of it, the others take over the work of a server
    silence_seconds: float = Field(30.0, ge=1, le=3600, description="a number of seconds from 1 to 3600")

    @field_validator("home", mode="before")
    @classmethod
    def _expanded(cls, value: str | Path) -> Path:
        if not str(value):
            raise ValueError("empty")
        try:
            return Path(value).expanduser()
        except RuntimeError as error:
            raise ValueError("nobody's folder") from error

    @field_validator("public_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment):
            raise ValueError("no address")
        if parts.port == 0:
            raise ValueError("no port")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _reached_here(self) -> Self:
        self.public_url = self.public_url or f"http://localhost:{self.port}"
        return self

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
        try:
            file = Path(given).expanduser() / FILE_NAME
        except RuntimeError:  # the validator of home tells it
            return init_settings, env_settings
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
    """The settings, with some given outright. Raises ConfigError that names the setting and what may be written."""
    try:
        return Settings(**given)
    except ValidationError as error:
        raise _wrong(error.errors()[0]) from error
    except ValueError as error:
        raise ConfigError(
            f"{FILE_NAME} cannot be read: {error}.",
            hint='Write one setting a line, a text in quotation marks: public_url = "https://routebooks.example.com".',
            code="settings-unreadable",
        ) from error


def _wrong(error: ErrorDetails) -> ConfigError:
    name = str(error["loc"][0])
    field = Settings.model_fields.get(name)
    if field is None:
        known = ", ".join(Settings.model_fields)
        return ConfigError(
            f"{FILE_NAME} has a setting {name}, which Routebooks does not know.",
            hint=f"Take the line out, or write one of: {known}.",
            code="setting-unknown",
        )
    # What was written for a secret may be the secret.
    shown = "so" if field.annotation is SecretStr else repr(str(error["input"]))
    # The file lies in the home folder, so it cannot say where that is.
    where = "with --home or in ROUTEBOOKS_HOME" if name == "home" else f"in ROUTEBOOKS_{name.upper()} or {FILE_NAME}"
    return ConfigError(
        f"The setting {name} cannot be {shown}.",
        hint=f"Write {field.description}, {where}.",
        code="setting-wrong",
    )
