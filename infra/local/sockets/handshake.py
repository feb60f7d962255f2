"""Upgrade requests: their checks, and the responses that accept or refuse them."""

from __future__ import annotations

import base64
import binascii
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from picows import WSUpgradeRequest, WSUpgradeResponse

from chalicelib.config import Settings
from chalicelib.errors import PROBLEM_JSON, BadRequest, CrossSite, NoSuchRoute, ParleyError
from chalicelib.http.cors import is_page_of
from infra.local.hosts import only_host, refuse_foreign_names
from infra.local.sockets.events import Opening

if TYPE_CHECKING:
    from multidict import CIMultiDict

ROOM_PATH = "/ws/joinRoom/"
PROTOCOL = "Sec-WebSocket-Protocol"
KEY_BYTES = 16
HTTP_PORT = 80


class UpgradeRequired(ParleyError):
    """A request that does not ask for a WebSocket."""

    status, code, title = 426, "upgrade_required", "Upgrade required"


class HeadersTooLarge(ParleyError):
    """A request whose request line and headers exceed the limit."""

    status, code, title = 431, "headers_too_large", "Request header fields too large"


class UpgradeRules:
    """Checks upgrade requests by the rules that the HTTP gateway has for other requests.

    http_port: Of that gateway, whose own pages may connect to an open server.
    """

    def __init__(self, settings: Settings, http_port: int) -> None:
        self._open = settings.auth == "open"
        self._hosts = settings.open_hosts
        self._origins = settings.cors_origins
        self._http_port = http_port

    def opening(self, request: WSUpgradeRequest, connection: str, source_ip: str) -> Opening:
        """Return the opening of a connection by a request.

        connection: Id of the new connection. Raises a ParleyError if the request is not an upgrade, or may
        not connect.
        """
        headers = request.headers
        host = only_host(headers.getall("Host", []))
        if self._open:
            refuse_foreign_names([host], self._hosts)
        query = _query_of(request)
        _refuse_other_requests(headers)
        self._refuse_cross_site(headers)
        lists: dict[str, list[str]] = {}
        for name, value in headers.items():
            lists.setdefault(name, []).append(_text(value))
        return Opening(connection, lists, query, source_ip)

    def _refuse_cross_site(self, headers: CIMultiDict[str]) -> None:
        origin, host = headers.get("Origin"), headers.get("Host", "")
        if not self._open or origin is None or origin in self._origins or is_page_of(origin, self._hosts):
            return
        port = "" if self._http_port == HTTP_PORT else f":{self._http_port}"
        if origin.partition("://")[2] not in (host, without_port(host) + port):
            raise CrossSite(
                "An open server refuses connections from web pages of other sites. Its setting "
                "PARLEY_CORS_ORIGINS lists the pages that may connect."
            )


def without_port(host: str) -> str:
    """Return the name in a Host header."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host


def accepted(answer: dict[str, Any], request: WSUpgradeRequest) -> WSUpgradeResponse:
    """Return the response that opens a connection, with the subprotocol that `$connect` chose, if any."""
    chosen = [(name, value) for name, value in _headers(answer) if name.lower() == PROTOCOL.lower()]
    request.headers.popall("Connection")  # picows does not accept the list that Firefox sends
    request.headers["Connection"] = "Upgrade"
    response: WSUpgradeResponse = WSUpgradeResponse.create_101_response(chosen)
    return response


def refused(answer: dict[str, Any]) -> WSUpgradeResponse:
    """Return the response that refuses a connection with the response of `$connect`."""
    text = answer.get("body") or ""
    body = base64.b64decode(text) if answer.get("isBase64Encoded") else text.encode()
    response: WSUpgradeResponse = WSUpgradeResponse.create_ok_response(body, _headers(answer))
    response.status = HTTPStatus(answer["statusCode"])
    if not body:
        response.headers["Content-Length"] = "0"
    return response


def problem(error: ParleyError) -> WSUpgradeResponse:
    """Return the response that refuses a connection with an error."""
    headers = {"Content-Type": PROBLEM_JSON, **error.headers}
    return refused({"statusCode": error.status, "headers": headers, "body": error.problem().decode()})


def is_success(answer: dict[str, Any]) -> bool:
    """Return whether `$connect` accepts the connection."""
    return 200 <= int(answer["statusCode"]) < 300


def _query_of(request: WSUpgradeRequest) -> dict[str, list[str]]:
    """Return the values in the query, with the room in the path as `room`."""
    target = urlsplit(request.path.decode("latin-1"))
    try:
        path = unquote(target.path, errors="strict")
        pairs = parse_qsl(target.query, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise BadRequest("The percent-encoding of the path or the query is not UTF-8.") from None
    room = path.removeprefix(ROOM_PATH)
    if path != "/" and (room == path or not room):
        raise NoSuchRoute(f"Connect to / or to {ROOM_PATH}ROOM.")
    query: dict[str, list[str]] = {}
    for name, value in pairs:
        query.setdefault(name, []).append(value)
    return query if path == "/" else {**query, "room": [room]}


def _refuse_other_requests(headers: CIMultiDict[str]) -> None:
    options = {
        option.strip().lower() for line in headers.getall("Connection", []) for option in line.split(",")
    }
    if headers.get("Upgrade", "").lower() != "websocket" or "upgrade" not in options:
        raise UpgradeRequired(
            "This port is for WebSocket connections only.",
            headers={"Upgrade": "websocket"},
        )
    if headers.get("Sec-WebSocket-Version") != "13":
        raise UpgradeRequired("Use WebSocket version 13.", headers={"Sec-WebSocket-Version": "13"})
    try:
        length = len(base64.b64decode(headers.get("Sec-WebSocket-Key", ""), validate=True))
    except (binascii.Error, ValueError):
        length = 0
    if length != KEY_BYTES:
        raise BadRequest(f"Sec-WebSocket-Key must be the base64 of {KEY_BYTES} bytes.")


def _headers(answer: dict[str, Any]) -> list[tuple[str, str]]:
    headers = list((answer.get("headers") or {}).items())
    for name, values in (answer.get("multiValueHeaders") or {}).items():
        headers += [(name, value) for value in values]
    for name, value in headers:
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"the handler's header {name} has a value that HTTP cannot carry")
    return headers


def _text(value: str) -> str:
    return value.encode("ascii", "surrogateescape").decode("utf-8", "replace")
