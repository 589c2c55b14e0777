"""An FTP server that says what it is told to say."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from file_servers import Secure

PLAIN = {"USER": "331 go on", "PASS": "230 in", "PWD": '257 "/home" is it', "CWD": "250 there", "QUIT": "221 bye"}


@contextmanager
def talker(
    answers: dict[str, str],
    greeting: str = "220 ready",
    heard: list[str] | None = None,
    secure: Secure | None = None,
    times: int = 1,
) -> Iterator[int]:
    """A server of few words on a free port: it answers each command with what stands for its verb, else 500.

    It takes so many connections, one after the other; with `secure`, an answer of 234 begins TLS.
    """
    listening = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        for _ in range(times):
            conversation, _ = listening.accept()
            with suppress(OSError):
                _converse(conversation, answers, greeting, heard, secure)
            conversation.close()

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        thread.join()
        listening.close()


def _converse(
    conversation: socket.socket,
    answers: dict[str, str],
    greeting: str,
    heard: list[str] | None,
    secure: Secure | None,
) -> None:
    if greeting:
        conversation.sendall(f"{greeting}\r\n".encode("latin-1"))
    while command := _line(conversation):
        verb = command.decode("latin-1").partition(" ")[0].strip()
        if heard is not None:
            heard.append(command.decode("latin-1").strip())
        answer = answers.get(verb, "500 unknown")
        conversation.sendall(f"{answer}\r\n".encode("latin-1"))
        if secure and answer.startswith("234"):
            with secure.context().wrap_socket(conversation, server_side=True) as secured:
                _converse(secured, answers, "", heard, None)
            return
        if verb == "QUIT":
            return


def _line(conversation: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n") and (one := conversation.recv(1)):
        line += one
    return line
