"""A simulated QuickBooks Web Connector, by its own means: it shares no code with the service that it calls."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from routebooks.sandbox.qwc_file import load_qwc
from routebooks.sandbox.soap_client import SoapClient
from routebooks.sandbox.update import Faults, QuickBooks, Result, Session, Setup, Update

__all__ = ["Faults", "QuickBooks", "Result", "Update", "WebConnector", "load_qwc"]


class WebConnector:
    """One application of the connector: a service's address, its user, and the company file it works on."""

    def __init__(
        self,
        url: str,
        user_name: str,
        password: str,
        company: QuickBooks,
        *,
        file_is_open: bool = True,
        timeout: float = 60,
        sleep: Callable[[float], object] = time.sleep,
        on_turn: Callable[[str], None] | None = None,
    ) -> None:
        self._setup = Setup(
            client=SoapClient(url, timeout=timeout),
            user_name=user_name,
            password=password,
            company=company,
            file_is_open=file_is_open,
            sleep=sleep,
            on_turn=on_turn or (lambda _: None),
        )

    def update(self, faults: Faults | None = None) -> Update:
        """One whole session. Raises only what the company raises without being a refusal."""
        return Session(self._setup, faults or Faults()).run()

    def run_forever(self, stop: threading.Event, every_seconds: float) -> None:
        """Updates with Auto-Run on, until told to stop; the service may ask for longer pauses."""
        while not stop.is_set():
            update = self.update()
            stop.wait(max(every_seconds, update.postpone_seconds, update.least_interval_seconds))
