"""The whole sandbox in one folder: a seeded company, an FTP server, an orders database, a Web Connector for them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from routebooks import clock as system_clock
from routebooks.errors import ConfigError
from routebooks.sandbox import orders_db
from routebooks.sandbox.company import SandboxCompany
from routebooks.sandbox.seed import seed
from routebooks.sandbox.seed_orders import orders_for
from routebooks.sandbox.servers import SandboxFtpServer
from routebooks.sandbox.web_connector import WebConnector, load_qwc

#: the orders were taken a while ago, so that none has to settle first
_TAKEN_AGO = timedelta(minutes=10)
COMPANY_FILE = "company.db"


class SandboxWorld:
    """Everything that Routebooks speaks to, on loopback; made on the first start, kept in its folder."""

    def __init__(
        self,
        folder: Path,
        *,
        clock: system_clock.Clock = system_clock.now,
        ftp_port: int | None = 0,
        edition: str = "Enterprise",
        fill: Callable[[SandboxCompany], object] = seed,
        company_name: str = "",
    ) -> None:
        """Opens the folder, or makes it. The company is named after the folder, if nobody names it, when it is made.

        Port 0 takes a free one; None takes that of the last start, if it is free.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._clock = clock
        fresh = not is_sandbox(folder)
        self.company = SandboxCompany(
            folder / COMPANY_FILE, clock=clock, edition=edition, company_name=company_name or name_after(folder)
        )
        self.ftp_root = folder / "ftp"
        self._port_file = folder / "ftp-port.txt"
        #: the port of the last start; 0: it was never started
        self.last_port = int(self._port_file.read_text(encoding="ascii")) if self._port_file.exists() else 0
        self._may_move = ftp_port is None
        self.ftp = SandboxFtpServer(self.ftp_root, port=self.last_port if ftp_port is None else ftp_port)
        self.orders_url = f"sqlite:///{folder / 'orders.db'}"
        if fresh:
            fill(self.company)
            orders_db.create(self.orders_url)
            if fill is seed:
                self.take_orders(clock() - _TAKEN_AGO)

    def take_orders(self, now: datetime) -> None:
        """The reps send their orders of the day; sent again, they replace the first."""
        orders_db.add_orders(self.orders_url, [_as_stored(order) for order in orders_for(self.company)], now)

    def start(self) -> None:
        """Open the FTP server. Raises ConfigError when a port that was named is taken."""
        try:
            self.ftp.start()
        except ConfigError:
            if not self._may_move:
                raise
            self.ftp.port = 0
            self.ftp.start()
        self._port_file.write_text(str(self.ftp.port), encoding="ascii")

    def stop(self) -> None:
        """Close the FTP server and the company."""
        self.ftp.stop()
        self.company.close()

    def connector(self, qwc: bytes, password: str, **options: Any) -> WebConnector:
        """A Web Connector to which this .qwc file was added: it has left its mark in the company file by now."""
        entry = load_qwc(qwc)
        self.company.admit(entry["OwnerID"], entry["FileID"])
        return WebConnector(entry["AppURL"], entry["UserName"], password, self.company, **options)


def is_sandbox(folder: Path) -> bool:
    """Whether a sandbox was made in this folder."""
    return (folder / COMPANY_FILE).exists()


def name_after(folder: Path) -> str:
    """A company's name by its folder, so that two sandboxes are two companies; QuickBooks takes 59 characters."""
    words = re.sub(r"[^0-9A-Za-z]+", " ", folder.name).split()
    return f"{' '.join(words).title()[:36].strip() or 'Harbor'} Beverage Company"


def _as_stored(order: Any) -> orders_db.Order:
    """A seeded order in the shape of the example database: cases, at the price the rep saw."""
    lines = tuple(
        orders_db.OrderLine(item_key=line.item_key, quantity=line.quantity, unit="case", price=line.price)
        for line in order.lines
    )
    return orders_db.Order(**{**asdict(order), "po_number": order.po_number or None, "lines": lines})
