"""The OpenAPI and AsyncAPI documents, and a page to read and try the routes, without other sites."""

from __future__ import annotations

from importlib.resources import files

from chalice.app import Blueprint

from chalicelib.apidocs import asyncapi, openapi
from chalicelib.errors import NoSuchRoute
from chalicelib.http import JSON, Call, Response, Who, route, text

blueprint = Blueprint(__name__)

ASSETS = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "docs.css": "text/css; charset=utf-8",
    "docs.js": "text/javascript; charset=utf-8",
}

POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"


@route(blueprint, Who.ANYBODY, "GET", "/openapi.json", {200: dict})
def document(call: Call) -> Response:
    """Read the description of every route (OpenAPI 3.1)."""
    return text(openapi.as_json(), JSON)


@route(blueprint, Who.ANYBODY, "GET", "/asyncapi.json", {200: dict})
def sockets(call: Call) -> Response:
    """Read the description of every frame of the WebSocket (AsyncAPI 3.0)."""
    return text(asyncapi.as_json(), JSON)


@route(blueprint, Who.ANYBODY, "GET", "/docs", {200: str})
def page(call: Call) -> Response:
    """Show a page to read and try the routes."""
    return text(_static("docs.html"), "text/html; charset=utf-8", {"Content-Security-Policy": POLICY})


@route(blueprint, Who.ANYBODY, "GET", "/docs/{asset}", {200: str}, fails=(NoSuchRoute,))
def asset(call: Call, asset: str) -> Response:
    """Read a file of the page."""
    if asset not in ASSETS:
        raise NoSuchRoute(f"The documentation page has no file {asset}.")
    return text(_static(asset), ASSETS[asset])


def _static(name: str) -> str:
    return (files("chalicelib.apidocs") / "static" / name).read_text(encoding="utf-8")
