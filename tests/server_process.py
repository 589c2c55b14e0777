"""`routebooks serve` as a process of its own, which can be killed or stand still."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress

from installation import PATIENCE
from routebooks.settings import Settings


class Process:
    """`routebooks serve` as a process of its own, with settings beyond its home in the environment."""

    def __init__(self, settings: Settings, **environment: str) -> None:
        self.settings = settings
        self._environment = environment
        self._said = settings.home / "said.txt"
        self._running: subprocess.Popen[bytes] | None = None

    def start(self, tick_seconds: float = 0.05) -> None:
        """Start, and wait until it answers."""
        environment = {
            **os.environ,
            **self._environment,
            "ROUTEBOOKS_PORT": str(self.settings.port),
            "ROUTEBOOKS_PUBLIC_URL": self.settings.public_url,
            "ROUTEBOOKS_TICK_SECONDS": str(tick_seconds),
        }
        command = [sys.executable, "-m", "routebooks", "--home", str(self.settings.home), "serve"]
        self.settings.home.mkdir(parents=True, exist_ok=True)
        # A file, for nobody reads along: a pipe would be full at some time.
        with self._said.open("wb") as said:
            self._running = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=said)
        end = time.monotonic() + PATIENCE
        while True:
            with suppress(urllib.error.URLError, ConnectionError):
                urllib.request.urlopen(f"{self.settings.public_url}/webconnector/support", timeout=5).close()
                return
            assert self._running.poll() is None, self._said.read_text()
            assert time.monotonic() < end, "the server does not come up"
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        """The number of the running process."""
        assert self._running is not None
        return self._running.pid

    def kill(self) -> None:
        """The power goes."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            self._running = None

    def again(self, tick_seconds: float = 0.05) -> None:
        """Killed, and started anew."""
        self.kill()
        self.start(tick_seconds)

    def stand_still(self) -> None:
        """As a machine does that is suspended: nothing ends, nothing goes on."""
        assert self._running is not None
        self._running.send_signal(signal.SIGSTOP)

    def go_on(self) -> tuple[int, str]:
        """Come to itself, and run to its end by itself: exit code and what it said on standard error."""
        assert self._running is not None
        self._running.send_signal(signal.SIGCONT)
        code, self._running = self._running.wait(PATIENCE), None
        return code, self._said.read_text()
