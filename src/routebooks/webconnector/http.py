"""The address that the Web Connector calls: bodies read within a limit, operations run in threads, answers in SOAP."""

from __future__ import annotations

from dataclasses import dataclass

import anyio
import anyio.to_thread
import structlog
from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from routebooks.errors import ConfigError
from routebooks.webconnector import soap
from routebooks.webconnector.operations import Operations
from routebooks.webconnector.wsdl import wsdl

PATH = "/webconnector"
SUPPORT_PATH = f"{PATH}/support"

_XML = "text/xml; charset=utf-8"  # any other type is QBWC1012
_READ = ["GET", "HEAD"]
_FAILED = "Routebooks could not answer this call. Its log says why."

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes


def router(operations: Operations, *, public_url: str, threads: int = 16, max_bytes: int = soap.MAX_BYTES) -> APIRouter:
    """The routes below /webconnector. At most `threads` calls are worked on at once; the others wait their turn."""
    routes = APIRouter(include_in_schema=False)
    description = wsdl(public_url.rstrip("/") + PATH)
    limiter = anyio.CapacityLimiter(threads)

    @routes.post(PATH)
    async def call(request: Request) -> Response:
        address = request.client.host if request.client else ""
        try:
            body = await _read(request, max_bytes)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            answer = _refuse(soap.too_large(), address)
        else:
            answer = await anyio.to_thread.run_sync(_answer, operations, body, address, limiter=limiter)
        return Response(answer.body, answer.status, media_type=_XML)

    @routes.api_route(PATH, methods=_READ)
    async def describe(request: Request) -> Response:
        if any(name.lower() == "wsdl" for name in request.query_params):
            return Response(description, media_type=_XML)
        return _page("Routebooks", "QuickBooks Web Connector calls this address. Nothing is to be done here.")

    @routes.api_route(SUPPORT_PATH, methods=_READ)
    async def support() -> Response:
        # AppSupport of the .qwc: has to answer 200 when the connection is added (QBWC1003, QBWC1004)
        return _page("Routebooks support", "Ask whoever runs Routebooks for you. Its console shows each error's cure.")

    return routes


async def _read(request: Request, limit: int) -> bytes | None:
    """The body; None, without reading on, when it is over the limit."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


def _answer(operations: Operations, body: bytes, address: str) -> _Answer:
    """Read a call, have it done, write its result. Raises nothing."""
    try:
        call = soap.read_call(body)
    except ConfigError as error:
        return _refuse(error, address)
    try:
        return _Answer(200, soap.write_result(call.operation, _dispatch(operations, call, address)))
    except Exception:
        _log.exception("webconnector_call_failed", operation=call.operation, address=address)
        return _Answer(500, soap.write_fault("Server", _FAILED))


def _refuse(error: ConfigError, address: str) -> _Answer:
    problem = error.problem
    _log.warning("webconnector_call_refused", code=problem.code, detail=problem.detail[:200], address=address)
    status = 413 if problem.code == "soap-too-large" else 500
    return _Answer(status, soap.write_fault("Client", f"{problem.message} {problem.hint}"))


def _dispatch(operations: Operations, call: soap.Call, address: str) -> soap.Value:
    sent = call.arguments
    ticket = sent.get("ticket", "")
    match call.operation:
        case "serverVersion":
            return operations.server_version()
        case "clientVersion":
            return operations.client_version(sent["strVersion"])
        case "authenticate":
            return operations.authenticate(sent["strUserName"], sent["strPassword"], address)
        case "sendRequestXML":
            versions = _number(sent["qbXMLMajorVers"]), _number(sent["qbXMLMinorVers"])
            texts = sent["strHCPResponse"], sent["strCompanyFileName"], sent["qbXMLCountry"]
            return operations.send_request_xml(ticket, *texts, *versions)
        case "receiveResponseXML":
            response = soap.document(sent["response"])
            return operations.receive_response_xml(ticket, response, sent["hresult"], sent["message"])
        case "connectionError":
            return operations.connection_error(ticket, sent["hresult"], sent["message"])
        case "getLastError":
            return operations.get_last_error(ticket)
        case "closeConnection":
            return operations.close_connection(ticket)
    raise LookupError(call.operation)


def _number(text: str) -> int:
    """A version number; 0 where the caller sent none or no number."""
    return int(text) if text.strip().isdecimal() else 0


def _page(title: str, text: str) -> Response:
    head = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
    return Response(f"{head}<body><h1>{title}</h1><p>{text}</p></body></html>", media_type="text/html; charset=utf-8")
