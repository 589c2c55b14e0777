"""The address that the Web Connector calls, its WSDL, and the page of support."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from routebooks.webconnector.desk import Desk
from routebooks.webconnector.wsdl import wsdl

PATH = "/webconnector"
SUPPORT_PATH = f"{PATH}/support"

_XML = "text/xml; charset=utf-8"  # any other type is QBWC1012
_READ = ["GET", "HEAD"]
_SUPPORT = "Ask whoever runs Routebooks for you: `routebooks status` shows there what is wrong, and its cure."


def router(desk: Desk, *, public_url: str) -> APIRouter:
    """The routes below /webconnector."""
    routes = APIRouter(include_in_schema=False)
    description = wsdl(public_url.rstrip("/") + PATH)

    async def call(request: Request) -> Response:
        address = request.client.host if request.client else ""
        try:
            answer = await desk.answer(request.stream(), address)
        except ClientDisconnect:
            return Response(status_code=400)
        # What comes of a late body after its answer is not waited for.
        headers = {"Connection": "close"} if answer.status == 408 else None
        return Response(answer.body, answer.status, headers, media_type=_XML)

    # FastAPI's own routes look for parameters first, in every call.
    routes.add_route(PATH, call, methods=["POST"])

    @routes.api_route(PATH, methods=_READ)
    async def describe(request: Request) -> Response:
        if any(name.lower() == "wsdl" for name in request.query_params):
            return Response(description, media_type=_XML)
        return page("Routebooks", "QuickBooks Web Connector calls this address. Nothing is to be done here.")

    @routes.api_route(SUPPORT_PATH, methods=_READ)
    async def support() -> Response:
        # AppSupport of the .qwc: has to answer 200 when the connection is added (QBWC1003, QBWC1004)
        return page("Routebooks support", _SUPPORT)

    return routes


def page(title: str, text: str, status: int = 200) -> Response:
    """A small page of HTML."""
    head = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
    body = f"{head}<body><h1>{title}</h1><p>{text}</p></body></html>"
    return Response(body, status, media_type="text/html; charset=utf-8")
