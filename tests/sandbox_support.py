"""What the sandbox's tests share: a company whose every answer is checked by Intuit's schema, and requests in brief."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from routebooks.sandbox.company import QuickBooksError, SandboxCompany
from support import shared

START = datetime(2024, 3, 4, 15, 0, 0, tzinfo=UTC)


@cache
def schema() -> etree.XMLSchema:
    """Intuit's own schema of qbXML 13.0."""
    return etree.XMLSchema(etree.parse(shared("wire", "qbxml-13.0", "qbxmlops130.xsd")))


class HeldClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **step: float) -> None:
        self.moment += timedelta(**step)


class Office:
    """A company with an open session. What it answers must be valid; what it takes must be valid, too."""

    def __init__(self, path: Path, new_id: Callable[[], str] | None = None, **options: Any) -> None:
        self.clock = HeldClock()
        self.path = path
        self._options = {**options, **({"new_id": new_id} if new_id else {})}
        self.company = SandboxCompany(path, clock=self.clock, **self._options)
        self.session = self.company.open_session()

    def reopen(self) -> None:
        """As after a kill: the file is all that is left."""
        self.company.close()
        self.company = SandboxCompany(self.path, clock=self.clock, **self._options)
        self.session = self.company.open_session()

    def raw(self, request: bytes) -> bytes:
        """The bytes of the answer, when request and answer are valid."""
        assert schema().validate(etree.fromstring(request)), schema().error_log
        answer = self.company.process(self.session, request)
        assert schema().validate(etree.fromstring(answer)), (schema().error_log, answer)
        return answer

    def send(self, *requests: str, **attributes: str) -> etree._Element:
        """The QBXMLMsgsRs that answers some requests."""
        return etree.fromstring(self.raw(message(*requests, **attributes)))[0]

    def ask(self, request: str, **attributes: str) -> etree._Element:
        """The one answer to one request."""
        outer = self.send(request, **attributes)
        assert len(outer) == 1
        return outer[0]

    def status(self, request: str, **attributes: str) -> int:
        """The status code of the one answer."""
        return int(self.ask(request, **attributes).get("statusCode", "-1"))


def message(*requests: str, version: str = "13.0", **attributes: str) -> bytes:
    """A message set of some requests."""
    outer = {"onError": "stopOnError", **attributes}
    written = "".join(f' {name}="{value}"' for name, value in outer.items())
    text = f'<?xml version="1.0" encoding="utf-8"?><?qbxml version="{version}"?>'
    return f"{text}<QBXML><QBXMLMsgsRq{written}>{''.join(requests)}</QBXMLMsgsRq></QBXML>".encode()


def refused(company: SandboxCompany, request: bytes) -> QuickBooksError | None:
    """What the company throws at a request, None when it takes it."""
    session = company.open_session()
    try:
        company.process(session, request)
    except QuickBooksError as error:
        return error
    finally:
        company.close_session(session)
    return None


def order(*lines: str, customer: str = "Alder Wine", header: str = "", request_id: str = "1") -> str:
    """A SalesOrderAddRq; without lines, one of two cases of `GIN`."""
    standing = "".join(lines) or line("GIN", 2)
    return (
        f'<SalesOrderAddRq requestID="{request_id}"><SalesOrderAdd>'
        f"<CustomerRef><FullName>{customer}</FullName></CustomerRef>{header}{standing}"
        "</SalesOrderAdd></SalesOrderAddRq>"
    )


def line(item: str, quantity: object = None, rest: str = "", before: str = "") -> str:
    """A SalesOrderLineAdd."""
    many = f"<Quantity>{quantity}</Quantity>" if quantity is not None else ""
    ref = f"<ItemRef><FullName>{item}</FullName></ItemRef>"
    return f"<SalesOrderLineAdd>{ref}{before}{many}{rest}</SalesOrderLineAdd>"


def values(node: etree._Element, path: str) -> list[str]:
    """The texts at a path."""
    return [str(found.text or "") for found in node.findall(path)]


def furnish(company: SandboxCompany) -> None:
    """A few objects of each kind that orders need."""
    with company.transaction():
        company.add("Account", Name="Sales")
        company.add("StandardTerms", Name="Net 30", StdDueDays=30)
        company.add("CustomerType", Name="Off Premise")
        company.add("OtherName", Name="North Route")
        company.add("SalesRep", Initial="NR", SalesRepEntityRef="North Route")
        company.add("Vendor", Name="Kestrel Brewing", VendorAddress={"Addr1": "1 Mill Lane", "City": "Port Alder"})
        company.add(
            "Customer",
            Name="Alder Wine",
            CompanyName="Alder Wine & Spirits",
            AccountNumber="10001",
            TermsRef="Net 30",
            SalesRepRef="NR",
            CustomerTypeRef="Off Premise",
            BillAddress={"Addr1": "Alder Wine", "Addr2": "2 Main St", "City": "Port Alder", "State": "CT"},
            custom={"Region": "Shore"},
        )
        company.add("Customer", Name="Copper Kettle")
        company.add("Customer", Name="Store 1", ParentRef="Copper Kettle", Balance=100)
        company.add("Customer", Name="Closed Tavern", IsActive=False)
        _furnish_items(company)


def _furnish_items(company: SandboxCompany) -> None:
    company.add("ItemInventory", Name="GIN", SalesDesc="Gin 12x750 ml", SalesPrice="120.00", IncomeAccountRef="Sales")
    company.add("ItemInventory", Name="ALE", SalesDesc="Ale 24x12 oz", SalesPrice="31.255", custom={"Brand": "Kestrel"})
    company.add("ItemInventory", Name="OLD", SalesPrice="9.00", IsActive=False)
    company.add("ItemService", Name="Delivery", SalesOrPurchase={"Desc": "Delivery", "Price": "15"})
    company.add("ItemOtherCharge", Name="Surcharge", SalesOrPurchase={"PricePercent": "2.5"})
    company.add("ItemDiscount", Name="Volume", DiscountRatePercent="10")
    company.add("ItemDiscount", Name="Rebate", DiscountRate="5")
    company.add("ItemSubtotal", Name="Subtotal", ItemDesc="Subtotal")
    members = [{"ItemRef": "GIN", "Quantity": "1"}, {"ItemRef": "ALE", "Quantity": "2"}]
    company.add("ItemGroup", Name="Sampler", ItemDesc="Sampler", IsPrintItemsInGroup=True, ItemGroupLine=members)
