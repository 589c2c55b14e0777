"""What a person sets, and the place that it leads to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncssh
import pytest

from certificates import Authority, fingerprint
from routebooks.connectors.filedrop.ftp import FtpDrop
from routebooks.connectors.filedrop.local import LocalDrop
from routebooks.connectors.filedrop.settings import SETTINGS, open_drop
from routebooks.connectors.filedrop.sftp import SftpDrop
from routebooks.connectors.filedrop.tls import Tls
from routebooks.errors import ConfigError

AUTHORITY = Authority()
SHOWN = fingerprint(AUTHORITY.pem)
KEY = asyncssh.generate_private_key("ssh-ed25519")
HOST_KEY = "SHA256:" + "aB+/" * 10 + "abc"
PLAIN = SHOWN.replace(":", "").lower()


def said(**settings: Any) -> dict[str, Any]:
    return {setting.name: setting.default for setting in SETTINGS} | {"host": "ftp.example.com"} | settings


def opened(**settings: Any) -> FtpDrop:
    drop = open_drop(said(**settings), {"password": "s3cret"})
    assert isinstance(drop, FtpDrop)
    assert drop.password == "s3cret"
    return drop


@pytest.mark.parametrize(
    ("settings", "port", "tls"),
    [
        ({}, 21, None),
        ({"port": 2121}, 2121, None),
        ({"drop": "ftps"}, 21, Tls()),
        ({"drop": "ftps", "tls_newest": "1.2"}, 21, Tls(newest="1.2")),
        ({"drop": "ftps_implicit"}, 990, Tls(implicit=True)),
        ({"drop": "ftps_implicit", "port": 9990}, 9990, Tls(implicit=True)),
    ],
)
def test_each_kind_has_its_usual_port(settings: dict[str, Any], port: int, tls: Tls | None) -> None:
    drop = opened(**settings)
    assert (drop.port, drop.tls, drop.host, drop.passive) == (port, tls, "ftp.example.com", True)


def test_an_sftp_server_is_known_by_its_key_and_we_by_ours(tmp_path: Path) -> None:
    locked = KEY.export_private_key("openssh", "s3cret", rounds=50).decode()
    (tmp_path / "id_ed25519").write_bytes(KEY.export_private_key())
    for private_key in (locked, f" {tmp_path / 'id_ed25519'}\n"):
        secrets = {"private_key": private_key, "passphrase": "s3cret", "password": "too"}
        drop = open_drop(said(drop="sftp", user="u", host_key=f"256 {HOST_KEY} ftp (ED25519)"), secrets)
        assert isinstance(drop, SftpDrop)
        assert (drop.port, drop.host_key, drop.password) == (22, HOST_KEY, "too")
        assert drop.private_key is not None
        assert drop.private_key.get_fingerprint() == KEY.get_fingerprint()
        assert "PRIVATE" not in repr(drop)
    drop = open_drop(said(drop="sftp", port=2222), {"password": "p"})
    assert isinstance(drop, SftpDrop)
    assert (drop.port, drop.host_key, drop.private_key) == (2222, "", None)


@pytest.mark.parametrize("name", [__file__, "missing", "two\nlines", "hello"])
def test_a_private_key_that_cannot_be_used_is_told_and_not_shown(name: str) -> None:
    with pytest.raises(ConfigError, match="private") as caught:
        open_drop(said(drop="sftp"), {"private_key": name})
    assert caught.value.problem.hint
    assert name not in caught.value.problem.message


def test_a_folder_of_this_computer_needs_nothing_else(tmp_path: Path) -> None:
    assert open_drop(said(drop="local", root=str(tmp_path), host=""), {}) == LocalDrop(tmp_path)


def test_a_fingerprint_is_taken_as_people_copy_it() -> None:
    for text in (SHOWN, PLAIN, f" {PLAIN.upper()}\n", f"sha256 Fingerprint={SHOWN}", SHOWN.replace(":", " ")):
        assert opened(drop="ftps", certificate=text).tls == Tls(fingerprint=PLAIN)


def test_authorities_are_taken_as_text_or_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "office.pem").write_bytes(AUTHORITY.pem.encode())
    for text in (AUTHORITY.pem, str(tmp_path / "office.pem")):
        tls = opened(drop="ftps", authorities=text).tls
        assert tls is not None
        assert tls.authorities.strip() == AUTHORITY.pem.strip()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"host": " "}, "no server is set"),
        ({"drop": "local"}, "no folder is set"),
        ({"drop": "ftps", "certificate": "AB:" * 31 + "A"}, "certificate is not a SHA-256 fingerprint"),
        ({"drop": "ftps", "certificate": "no"}, "certificate is not a SHA-256 fingerprint"),
        ({"drop": "sftp", "host_key": "SHA256:short"}, "host_key is not a fingerprint"),
        ({"drop": "sftp", "host_key": f"{HOST_KEY}A"}, "host_key is not a fingerprint"),
        ({"drop": "sftp", "host_key": "MD5:aa:bb"}, "host_key is not a fingerprint"),
        ({"drop": "ftps", "authorities": "-----BEGIN CERTIFICATE-----"}, "authorities holds no certificate"),
        ({"drop": "ftps", "authorities": str(Path(__file__))}, "authorities holds no certificate"),
        ({"drop": "ftps", "authorities": str(Path(__file__).parent)}, "the file that authorities names"),
        (
            {"drop": "ftps", "authorities": str(Path(__file__).parent / "missing.pem")},
            "the file that authorities names",
        ),
        ({"drop": "ftps", "authorities": "a\0b"}, "the file that authorities names"),
    ],
)
def test_what_cannot_be_used_is_told_with_the_cure(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        open_drop(said(**settings), {})
    assert caught.value.problem.code == "file-place-setting"
    assert caught.value.problem.hint
