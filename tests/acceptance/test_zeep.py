"""A SOAP client that somebody else wrote, built from Intuit's own description, holds a whole session."""

from __future__ import annotations

import urllib.request
from typing import Any

import zeep

from installation import Make
from routebooks.store.runs import State
from support import shared


def client(url: str) -> Any:
    """The service as zeep reads it from Intuit's file, at our address."""
    make: Any = zeep.Client
    wsdl = make(str(shared("wire", "QBWebConnectorSvc.wsdl")))
    (binding,) = [name for name in wsdl.wsdl.bindings if name.endswith("Soap")]
    return wsdl.create_service(binding, url)


def test_a_whole_session(installed: Make) -> None:
    installation = installed(quickbooks={"page_size": "60"})
    made = installation.ask("customers", "items")
    installation.until_called_for(made)
    installation.connector()  # leaves the mark in the company file
    company = installation.world.company
    soap = client(f"{installation.settings.public_url}/webconnector")
    caller = installation.qwc.decode().partition("<UserName>")[2].partition("</UserName>")[0]

    assert soap.serverVersion().startswith("Routebooks")
    assert soap.clientVersion("2.3.0.215") in (None, "")
    assert list(soap.authenticate(caller, "wrong"))[1] == "nvu"
    ticket, answer = list(soap.authenticate(caller, installation.password))[:2]
    assert answer in (None, "")
    session, done, turns = company.open_session(), 0, 0
    first = company.host_company_preferences().decode()
    while done < 100:
        request = soap.sendRequestXML(ticket, first, company.file_path, "US", 13, 0)
        response = company.process(session, request.encode()).decode()
        done = soap.receiveResponseXML(ticket, response, "", "")
        assert 0 <= done <= 100
        first, turns = "", turns + 1
    assert soap.closeConnection(ticket) == f"Done, {turns} requests."
    assert soap.getLastError(ticket) == "There is nothing to do now."
    installation.until_ended(made)
    assert {installation.run(run_id).state for run_id in made} == {State.DONE}
    assert installation.run(made[0]).records_read == 125


def test_calls_in_the_shape_of_the_recorded_ones(installed: Make) -> None:
    installation = installed()
    url = f"{installation.settings.public_url}/webconnector"

    def call(operation: str, inside: str) -> str:
        body = (
            '<?xml version="1.0" encoding="utf-8"?>'
            '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
            f"<soap:Body>{inside}</soap:Body></soap:Envelope>"
        )
        headers = {
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": f'"http://developer.intuit.com/{operation}"',
            "User-Agent": "Mozilla/4.0 (compatible; MSIE 6.0; MS Web Services Client Protocol 4.0.30319.42000)",
        }
        with urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers), timeout=30) as reply:
            assert reply.headers["Content-Type"].startswith("text/xml")
            text: str = reply.read().decode()
        assert "\n" not in text.partition("?>")[2]
        return text

    name = 'xmlns="http://developer.intuit.com/"'
    assert "Routebooks" in call("serverVersion", f"<serverVersion {name} />")
    version = f"<clientVersion {name}><strVersion>2.2.0.71</strVersion></clientVersion>"
    assert "clientVersionResult" in call("clientVersion", version)
    assert ">nvu<" in call(
        "authenticate", f"<authenticate {name}><strUserName>x</strUserName><strPassword /></authenticate>"
    )
