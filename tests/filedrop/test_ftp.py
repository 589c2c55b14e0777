"""An FTP server as a place for files, against a real one."""

from __future__ import annotations

import ftplib
import socket
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from drops import got, put
from ftp_talker import PLAIN, talker
from routebooks.connectors.filedrop.ftp import FtpDrop
from routebooks.errors import ConfigError, RoutebooksError, TransientError
from routebooks.sandbox.servers import SandboxFtpServer


@pytest.mark.parametrize("passive", [True, False])
@pytest.mark.parametrize("no_size", [True, False])
def test_files_are_written_read_renamed_and_removed(
    server: SandboxFtpServer, ftp_drop: FtpDrop, passive: bool, no_size: bool
) -> None:
    server.no_size = no_size
    data = b"1\r\n2\n\x00\xff" * 50_000
    with replace(ftp_drop, passive=passive) as drop:
        drop.make_folder("a/b")
        drop.make_folder("a/b")
        put(drop, "a/b", "x.part", data)
        assert drop.names("a/b") == ["x.part"]
        assert drop.size("a/b", "x.part") == len(data)
        assert drop.size("a/b", "x") is None
        drop.rename("a/b", "x.part", "x")
        put(drop, "a/b", "y", b"new")
        drop.rename("a/b", "y", "x")
        assert (drop.names("a/b"), got(drop, "a/b", "x")) == (["x"], b"new")
        assert (server.root / "a" / "b" / "x").read_bytes() == b"new"
        drop.remove("a/b", "x")
        drop.remove("a/b", "x")
        assert drop.names("/a/b") == []
        assert drop.names("") == ["a"]
    assert ftp_drop.address("/a/b/", "x") == f"ftp://127.0.0.1:{server.address[1]}/a/b/x"


def test_names_beyond_ascii_are_utf8_where_the_server_says_so(server: SandboxFtpServer, ftp_drop: FtpDrop) -> None:
    with ftp_drop as drop:
        drop.make_folder("für Łódź")
        put(drop, "für Łódź", "日本.fil", b"x")
        assert drop.names("für Łódź") == ["日本.fil"]
    assert (server.root / "für Łódź" / "日本.fil").read_bytes() == b"x"


def test_what_is_refused_is_told_with_the_cure(server: SandboxFtpServer, ftp_drop: FtpDrop) -> None:
    (server.root / "folder").mkdir()
    with ftp_drop as drop:
        for call, code in (
            (lambda: drop.names("missing"), "folder-missing"),
            (lambda: drop.size("missing", "x"), "folder-missing"),
            (lambda: got(drop, "", "missing"), "ftp-refused"),
            (lambda: put(drop, "", "folder", b""), "ftp-refused"),
            (lambda: drop.rename("", "missing", "x"), "ftp-refused"),
            (lambda: put(drop, "", "two\nlines", b""), "ftp-refused"),
        ):
            with pytest.raises(ConfigError) as caught:
                call()
            assert (caught.value.problem.code, bool(caught.value.problem.hint)) == (code, True)


@pytest.mark.parametrize("code", [550, 553])
def test_a_refusal_to_rename_over_a_file_has_its_own_code(
    server: SandboxFtpServer, ftp_drop: FtpDrop, code: int
) -> None:
    server.refuse_rename_over = code
    with ftp_drop as drop:
        put(drop, "", "a", b"a")
        put(drop, "", "b", b"b")
        with pytest.raises(ConfigError, match=str(code)) as caught:
            drop.rename("", "a", "b")
        assert caught.value.problem.code == "rename-refused"
        assert drop.names("") == ["a", "b"]


@pytest.mark.parametrize(("user", "password"), [("routebooks", "wrong horse"), ("nobody", "wrong horse"), ("", "")])
def test_a_refused_log_in_is_told_without_the_password(ftp_drop: FtpDrop, user: str, password: str) -> None:
    drop = replace(ftp_drop, user=user, password=password)
    with pytest.raises(ConfigError) as caught, drop:
        pass
    assert caught.value.problem.code == "log-in-refused"
    assert "wrong horse" not in f"{caught.value.problem} {drop!r}"


def test_an_upload_that_is_cut_off_is_tried_again(server: SandboxFtpServer, ftp_drop: FtpDrop) -> None:
    server.cut_upload_after = 70_000
    with pytest.raises(TransientError) as caught, ftp_drop as drop:
        put(drop, "", "x", b"x" * 3_000_000)
    assert caught.value.problem.code == "ftp-lost"
    with ftp_drop as drop:
        put(drop, "", "x", b"x" * 3_000_000)
        assert drop.size("", "x") == 3_000_000


def test_a_server_that_is_not_there_is_tried_again(ftp_drop: FtpDrop) -> None:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with (
            pytest.raises(TransientError, match=f"Could not reach 127.0.0.1 on port {port}"),
            replace(ftp_drop, port=port),
        ):
            pass


def test_a_host_name_that_cannot_be_one_needs_a_person(ftp_drop: FtpDrop) -> None:
    with pytest.raises(ConfigError, match="Could not reach"), replace(ftp_drop, host="ftp..example"):
        pass


def test_a_server_of_the_old_kind_is_understood() -> None:
    """No FEAT; names in the encoding of the West; TYPE answered, SIZE not a number."""
    answers = PLAIN | {"TYPE": "200 I", "SIZE": "213 unknown", "RNFR": "350 to?", "RNTO": "250 done"}
    with talker(answers) as port, FtpDrop(host="127.0.0.1", port=port, user="u", password="p", timeout=10) as drop:
        drop.rename("für", "a", "b")
        with pytest.raises(ConfigError):
            drop.rename("Łódź", "a", "b")
        assert drop.size("", "x") is None


@pytest.mark.parametrize(
    ("answers", "kind", "code"),
    [
        (PLAIN | {"CWD": "421 too many connections"}, TransientError, "ftp-lost"),
        (PLAIN | {"CWD": "450 busy"}, TransientError, "ftp-lost"),
        (PLAIN | {"CWD": "what?"}, TransientError, "ftp-lost"),
        (PLAIN | {"CWD": "550 no"}, ConfigError, "folder-missing"),
        (PLAIN | {"CWD": "250 ok", "RNFR": "550 no"}, ConfigError, "ftp-refused"),
        (PLAIN | {"RNFR": "350 to?", "RNTO": "451 busy"}, TransientError, "ftp-lost"),
    ],
)
def test_each_answer_has_its_kind_of_error(answers: dict[str, str], kind: type[RoutebooksError], code: str) -> None:
    with talker(answers) as port, FtpDrop(host="127.0.0.1", port=port, user="u", password="p", timeout=10) as drop:
        with pytest.raises(kind) as caught:
            drop.rename("folder", "a", "b")
        assert caught.value.problem.code == code


def test_a_server_that_repeats_the_password_does_not_bring_it_into_an_error() -> None:
    answers = PLAIN | {"PASS": "530 user u with password s3cret-word is unknown"}
    with talker(answers) as port:
        drop = FtpDrop(host="127.0.0.1", port=port, user="u", password="s3cret-word", timeout=10)
        with pytest.raises(ConfigError) as caught, drop:
            pass
    assert "s3cret" not in str(caught.value.problem)


def test_a_server_that_is_full_at_the_greeting_is_tried_again() -> None:
    with (
        talker({}, greeting="421 too many users") as port,
        pytest.raises(TransientError, match="too many users"),
        FtpDrop(host="127.0.0.1", port=port, user="u", password="p", timeout=10),
    ):
        pass


@pytest.mark.parametrize("greeting", ["500 OOPS: not today", "530 no access from there", "550 go away"])
def test_a_server_that_refuses_the_connection_is_asked_for_nothing_in_a_folder(greeting: str) -> None:
    with (
        talker({}, greeting=greeting) as port,
        pytest.raises(ConfigError, match=greeting) as caught,
        FtpDrop(host="127.0.0.1", port=port, user="u", password="p", timeout=10),
    ):
        pass
    assert caught.value.problem.code == "ftp-unreachable"
    assert caught.value.problem.hint.endswith("whether it lets this machine in.")


def test_a_folder_is_made_from_the_top_or_from_where_the_log_in_lands() -> None:
    for folder, start in (("/a", "CWD /"), ("a", "CWD /home")):
        heard: list[str] = []
        with (
            talker(PLAIN | {"CWD": "550 no"}, heard=heard) as port,
            FtpDrop(host="127.0.0.1", port=port, user="u", password="p", timeout=10) as drop,
            pytest.raises(ConfigError, match="make the folder"),
        ):
            drop.make_folder(folder)
        assert heard[-3:] == ["CWD /home", start, "QUIT"]


def test_the_size_is_asked_for_and_not_read_back_where_the_server_tells_it(
    ftp_drop: FtpDrop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(FtpDrop, "read")
    with ftp_drop as drop:
        put(drop, "", "x", b"abc")
        assert drop.names("") == ["x"]  # leaves the connection in ASCII mode
        assert drop.size("", "x") == 3


@pytest.mark.parametrize(
    ("answer", "empty"),
    [
        (ftplib.error_perm("550 No files found."), True),
        (ftplib.error_temp("450 No such file or directory"), True),
        (ftplib.error_perm("550 Permission denied."), False),
    ],
)
def test_a_server_that_will_not_list_an_empty_folder_is_understood(
    ftp_drop: FtpDrop, monkeypatch: pytest.MonkeyPatch, answer: ftplib.Error, empty: bool
) -> None:
    def refuse(*_: object) -> None:
        raise answer

    monkeypatch.setattr(ftplib.FTP, "nlst", refuse)
    with ftp_drop as drop:
        if empty:
            assert drop.names("") == []
        else:
            with pytest.raises(ConfigError, match="Permission denied"):
                drop.names("")


def test_the_files_are_where_the_log_in_lands(server: SandboxFtpServer, ftp_drop: FtpDrop, tmp_path: Path) -> None:
    with ftp_drop as drop:
        drop.make_folder("/top/sub")
        put(drop, "/top/sub", "x", b"x")
        put(drop, "top", "y", b"y")
    assert sorted(path.relative_to(server.root).as_posix() for path in server.root.rglob("*") if path.is_file()) == [
        "top/sub/x",
        "top/y",
    ]
