"""Secrets at rest: encrypted with a key that lies outside the database; generated passwords as a fast keyed hash."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from routebooks.errors import ConfigError


class Vault:
    """The master keys: the first encrypts, all of them decrypt, so that a key is changed by putting a new one first."""

    def __init__(self, keys: list[str]) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except (ValueError, TypeError) as error:
            raise ConfigError(
                "The master key cannot be read.",
                hint="Put back the key file that belongs to this database, or set ROUTEBOOKS_KEY.",
                code="key-unreadable",
            ) from error
        self._hash_key = hashlib.sha256(b"routebooks caller password" + keys[-1].encode()).digest()

    @classmethod
    def from_file(cls, path: Path) -> Vault:
        """The keys of a file, one a line, newest first; a fresh file is made, readable by its owner alone."""
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return cls(path.read_text(encoding="ascii").split())
        with os.fdopen(descriptor, "wb") as file:
            key = Fernet.generate_key()
            file.write(key + b"\n")
        return cls([key.decode()])

    def seal(self, secrets: Mapping[str, str]) -> str:
        """The secrets of a connection as one encrypted text."""
        return self._fernet.encrypt(json.dumps(dict(secrets)).encode()).decode()

    def open(self, sealed: str) -> dict[str, str]:
        """The secrets again. Raises ConfigError when they were sealed with another key."""
        try:
            opened: dict[str, str] = json.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken as error:
            raise ConfigError(
                "The stored passwords cannot be read with this key.",
                hint="Put back the key file that belongs to this database, or enter the passwords again.",
                code="key-wrong",
            ) from error
        return opened

    def opens(self, sealed: str) -> bool:
        """Whether a text was sealed with one of these keys."""
        try:
            self._fernet.decrypt(sealed.encode())
        except InvalidToken:
            return False
        return True

    def hash(self, password: str) -> str:
        """A keyed hash; fit for generated passwords of 128 random bits only (a person's needs argon2id)."""
        return hmac.new(self._hash_key, password.encode(), hashlib.sha256).hexdigest()

    def matches(self, password: str, hashed: str) -> bool:
        """Whether the password is the one that was hashed; takes equally long for every answer."""
        return hmac.compare_digest(self.hash(password), hashed)
