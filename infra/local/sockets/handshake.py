"""Upgrade requests: their checks, and the response that accepts them."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import parse_qsl, unquote

from picows import WSUpgradeResponse

from chalicelib.config import Settings
from chalicelib.errors import BadRequest, CrossSite, NoSuchRoute, ParleyError
from chalicelib.http.cors import is_page_of
from infra.local.events import header_pairs
from infra.local.hosts import reference
from infra.local.requests import Request
from infra.local.sockets.events import Opening

ROOM_PATH = "/ws/joinRoom/"
PROTOCOL = "Sec-WebSocket-Protocol"
KEY_BYTES = 16
VERSION = "13"
HTTP_PORT = 80


class UpgradeRequired(ParleyError):
    """A request that asks for another version of the WebSocket protocol."""

    status, code, title = 426, "upgrade_required", "Upgrade required"


class UpgradeRules:
    """Checks the upgrade requests that the HTTP gateway lets through.

    port: Of the server, whose own pages may connect to it if it is open.
    """

    def __init__(self, settings: Settings, port: int) -> None:
        self._open = settings.auth == "open"
        self._hosts = settings.open_hosts
        self._origins = settings.cors_origins
        self._port = port

    def opening(self, request: Request, head: bytes, connection: str) -> Opening:
        """Return the opening of a connection by a request.

        head: As the client wrote it. connection: Id of the new connection. Raises a ParleyError if the
        request is not a correct upgrade, or may not connect.
        """
        host = request.headers.get("host", [""])[0]
        reference(without_port(host))
        query = _query_of(request)
        _refuse_other_requests(request.headers)
        for origin in request.headers.get("origin", ()):
            self._refuse_cross_site(origin, host)
        return Opening(connection, _as_written(head), query, request.client)

    def _refuse_cross_site(self, origin: str, host: str) -> None:
        if not self._open or origin in self._origins or is_page_of(origin, self._hosts):
            return
        port = "" if self._port == HTTP_PORT else f":{self._port}"
        if origin.partition("://")[2] not in (host, without_port(host) + port):
            raise CrossSite(
                "An open server refuses connections from web pages of other sites. Its setting "
                "PARLEY_CORS_ORIGINS lists the pages that may connect."
            )


def is_upgrade(request: Request) -> bool:
    """Return whether a request asks for a WebSocket. Source: RFC 6455, 4.2.1, and RFC 9110, 7.8."""
    headers = request.headers
    if "upgrade" not in headers or request.method != "GET" or request.version == "1.0":
        return False
    options = [option.strip().lower() for line in headers.get("connection", ()) for option in line.split(",")]
    return "upgrade" in options and headers["upgrade"][-1].encode().lower() == b"websocket"


def without_port(host: str) -> str:
    """Return the name in a Host header."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host


def accepted(answer: dict[str, Any]) -> WSUpgradeResponse:
    """Return the response that opens a connection, with the subprotocol that `$connect` chose, if any.

    Raises ValueError if HTTP cannot carry it.
    """
    chosen = [(name, value) for name, value in header_pairs(answer) if name.lower() == PROTOCOL.lower()]
    if not all(value.isascii() and value.isprintable() for _, value in chosen):
        raise ValueError(f"$connect chose a subprotocol that HTTP cannot carry: {chosen!r}")
    response: WSUpgradeResponse = WSUpgradeResponse.create_101_response(chosen)
    return response


def asked_again(request: Request) -> bytes:
    """Return an upgrade request as picows needs it: with the headers that the protocol has, and no others."""
    (key,) = request.headers["sec-websocket-key"]
    return (
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: {VERSION}\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    ).encode()


def is_success(answer: dict[str, Any]) -> bool:
    """Return whether `$connect` accepts the connection."""
    return 200 <= int(answer["statusCode"]) < 300


def _query_of(request: Request) -> dict[str, list[str]]:
    """Return the values in the query, with the room in the path as `room`."""
    try:
        path = unquote(request.path, errors="strict")
        pairs = parse_qsl(request.query, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise BadRequest("The percent-encoding of the path or the query is not UTF-8.") from None
    room = path.removeprefix(ROOM_PATH)
    if path != "/" and (room == path or not room):
        raise NoSuchRoute(f"Connect to / or to {ROOM_PATH}ROOM.")
    query: dict[str, list[str]] = {}
    for name, value in pairs:
        query.setdefault(name, []).append(value)
    return query if path == "/" else {**query, "room": [room]}


def _refuse_other_requests(headers: dict[str, list[str]]) -> None:
    if headers.get("sec-websocket-version") != [VERSION]:
        raise UpgradeRequired(f"Use WebSocket version {VERSION}.", headers={"Sec-WebSocket-Version": VERSION})
    try:
        lengths = [len(base64.b64decode(key, validate=True)) for key in headers.get("sec-websocket-key", ())]
    except (binascii.Error, ValueError):
        lengths = []
    if lengths != [KEY_BYTES]:
        raise BadRequest(f"Sec-WebSocket-Key must be the base64 of {KEY_BYTES} bytes.")


def _as_written(head: bytes) -> dict[str, list[str]]:
    """Return every value by the name of its header, as the client wrote it."""
    headers: dict[str, list[str]] = {}
    for line in head.decode("utf-8", "replace").split("\r\n")[1:]:
        name, _, value = line.partition(":")
        headers.setdefault(name, []).append(value.strip(" \t"))
    return headers
