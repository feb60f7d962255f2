"""Opening a WebSocket: with a ticket, with a token in a header, or by name on an open server."""

from __future__ import annotations

import logging
from urllib.parse import quote, urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI

from parley_client.errors import NotAuthenticated, Problem, Unreachable, problem
from parley_client.liveness import probe
from parley_client.rest import Rest
from parley_client.settings import Settings

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
LOGGER = logging.getLogger("parley_client.websocket")
LOGGER.setLevel(logging.INFO)  # at DEBUG it logs the handshake, with the ticket or token in it


class Entrance:
    """Opens WebSockets for one user.

    user: A name, on an open server.
    token: The token of an account. Exactly one of the two is given.
    """

    def __init__(self, rest: Rest, settings: Settings, user: str | None, token: str | None) -> None:
        self._rest = rest
        self._settings = settings
        self._user = user
        self._token = token

    async def open(self) -> ClientConnection:
        """Open a WebSocket; an expired ticket is replaced once.

        Raises NotAuthenticated if a new ticket is refused too; Problem; Unreachable.
        """
        try:
            return await self._open()
        except NotAuthenticated:
            if not (self._token and self._settings.ticket):
                raise
            return await self._open()

    async def _open(self) -> ClientConnection:
        url, headers = await self._address()
        try:
            connection = await connect(
                url,
                additional_headers=headers,
                compression=None,  # API Gateway has no compression
                open_timeout=self._settings.answer_seconds,
                ping_interval=None,  # only frames renew the lease; see Connection
                close_timeout=min(self._settings.answer_seconds, 2.0),
                max_size=MAX_MESSAGE_BYTES,
                logger=LOGGER,
                ssl=self._settings.tls if url.startswith("wss:") else None,
            )
            probe(connection.transport.get_extra_info("socket"))
        except InvalidStatus as refused:
            answer = refused.response
            refusal = problem(
                answer.status_code, bytes(answer.body or b""), answer.headers.get("Retry-After")
            )
            if _is_no_socket_server(refusal):
                raise Unreachable(
                    f"{_bare(url)} does not accept WebSockets: it answered {refusal.status}."
                ) from None
            raise refusal from None
        except (OSError, InvalidHandshake, InvalidURI, TimeoutError) as error:
            reason = "" if isinstance(error, InvalidURI) else f": {str(error) or type(error).__name__}"
            raise Unreachable(f"{_bare(url)} cannot be reached{reason}.") from None
        return connection

    async def _address(self) -> tuple[str, dict[str, str]]:
        """Return the URL to connect to, and headers."""
        if self._token and self._settings.ticket:
            ticket = await self._rest.ticket()
            return _with(self._settings.socket_url or ticket.url, "ticket", ticket.ticket), {}
        url = self._settings.socket_url or "ws" + self._rest.url.removeprefix("http") + "/"
        if self._token:
            return url, {"Authorization": f"Bearer {self._token}"}
        return _with(url, "user", self._user or ""), {}


def _is_no_socket_server(refusal: Problem) -> bool:
    """Return whether the handshake's response is of a server without WebSockets, which leaves only REST."""
    if refusal.passes or isinstance(refusal, NotAuthenticated):
        return False
    return refusal.status in {404, 405} or refusal.code.startswith("http_")


def _with(url: str, name: str, value: str) -> str:
    parts = urlsplit(url)
    query = f"{parts.query}&" if parts.query else ""
    return urlunsplit(parts._replace(path=parts.path or "/", query=f"{query}{name}={quote(value, safe='')}"))


def _bare(url: str) -> str:
    return urlunsplit(urlsplit(url)._replace(query=""))
