"""The address that the Web Connector calls, its WSDL, and the page of support."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from routebooks.webconnector.desk import Answer, Desk
from routebooks.webconnector.wsdl import wsdl

PATH = "/webconnector"
SUPPORT_PATH = f"{PATH}/support"

_XML = "text/xml; charset=utf-8"  # any other type is QBWC1012
_READ = ["GET", "HEAD"]
_SUPPORT = "Ask whoever runs Routebooks for you: `routebooks status` shows there what is wrong, and its cure."


class _Gone(Exception):
    """The sender of a call went away."""


def with_web_connector(app: FastAPI, desk: Desk, *, public_url: str) -> ASGIApp:
    """The app with all that is below /webconnector.

    Calls go to the desk before FastAPI sees them: its layers take a tenth of what a call's way in and out takes.
    """
    _add_pages(app, wsdl(public_url.rstrip("/") + PATH))

    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == PATH:
            await _call(desk, scope, receive, send)
        else:
            await app(scope, receive, send)

    return routed


async def _call(desk: Desk, scope: Scope, receive: Receive, send: Send) -> None:
    address = scope["client"][0] if scope["client"] else ""
    try:
        answer = await desk.answer(_body(receive), address)
    except _Gone:
        return
    await send({"type": "http.response.start", "status": answer.status, "headers": _headers(answer)})
    await send({"type": "http.response.body", "body": answer.body})


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    goes_on = True
    while goes_on:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        yield message.get("body", b"")
        goes_on = message.get("more_body", False)


def _headers(answer: Answer) -> list[tuple[bytes, bytes]]:
    headers = [(b"content-type", _XML.encode()), (b"content-length", b"%d" % len(answer.body))]
    # What comes of a late body after its answer is not waited for.
    return [*headers, (b"connection", b"close")] if answer.status == 408 else headers


def _add_pages(app: FastAPI, description: bytes) -> None:
    @app.api_route(PATH, methods=_READ)
    async def describe(request: Request) -> Response:
        if any(name.lower() == "wsdl" for name in request.query_params):
            return Response(description, media_type=_XML)
        return page("Routebooks", "QuickBooks Web Connector calls this address. Nothing is to be done here.")

    @app.api_route(SUPPORT_PATH, methods=_READ)
    async def support() -> Response:
        # AppSupport of the .qwc: has to answer 200 when the connection is added (QBWC1003, QBWC1004)
        return page("Routebooks support", _SUPPORT)


def page(title: str, text: str, status: int = 200) -> Response:
    """A small page of HTML."""
    head = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
    body = f"{head}<body><h1>{title}</h1><p>{text}</p></body></html>"
    return Response(body, status, media_type="text/html; charset=utf-8")
