"""The keys of SFTP: those that servers show, and those that people log in with."""

from __future__ import annotations

import asyncssh

from routebooks.errors import ConfigError

#: the kinds of host keys, the best first; a server may have one of each
KINDS = (
    ("ssh-ed25519",),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    ("rsa-sha2-512", "rsa-sha2-256"),
)


class Proof(asyncssh.SSHClient):
    """Looks at the host key of a server."""

    def __init__(self, known: str) -> None:
        self._known = known
        self.shown = self.kind = ""

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Whether it is the known one."""
        self.shown, self.kind = key.get_fingerprint(), key.get_algorithm()
        return self.shown == self._known


def read_private_key(text: str, passphrase: str) -> asyncssh.SSHKey:
    """A private key from the text of its file (OpenSSH, PEM, PKCS #8). Raises ConfigError, which shows none of it."""
    try:
        return asyncssh.import_private_key(text, passphrase or None)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        if any(word in str(error) for word in ("assphrase", "decrypt")):
            message = "The private key cannot be opened with the passphrase."
            hint = "Set passphrase to that of the key."
        else:
            message = "The private key is of no known form."
            hint = "Set private_key to the whole text of the file (the one without .pub), or to the name of the file."
        raise ConfigError(message, hint=hint, code="private-key-unusable", detail=str(error)) from error
