"""Secrets at rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from routebooks.errors import ConfigError
from routebooks.store.secrets import Vault


def test_what_is_sealed_opens_again_and_does_not_show(tmp_path: Path) -> None:
    vault = Vault.from_file(tmp_path / "key")
    sealed = vault.seal({"password": "hunter2"})
    assert "hunter2" not in sealed
    assert Vault.from_file(tmp_path / "key").open(sealed) == {"password": "hunter2"}
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0


def test_another_key_is_told_in_words(tmp_path: Path) -> None:
    sealed = Vault.from_file(tmp_path / "one").seal({"a": "b"})
    with pytest.raises(ConfigError) as caught:
        Vault.from_file(tmp_path / "two").open(sealed)
    assert caught.value.problem.code == "key-wrong"
    with pytest.raises(ConfigError):
        Vault(["no key"])


def test_a_new_key_in_front_still_opens_what_the_old_one_sealed() -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    sealed, hashed = Vault([old]).seal({"a": "b"}), Vault([old]).hash("password")
    both = Vault([new, old])
    assert both.open(sealed) == {"a": "b"}
    assert both.matches("password", hashed)
    assert not both.matches("Password", hashed)
