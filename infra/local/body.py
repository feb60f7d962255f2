"""Reads a request's body: no larger and no slower than allowed, and without holding up anyone else."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from chalicelib.errors import BadRequest, PayloadTooLarge, RequestTimeout
from chalicelib.http.call import MAX_BODY_BYTES

BODY_SECONDS = 10.0
DRAIN_BYTES = 10 * 1024 * 1024
DRAIN_SECONDS = 5.0

Receive = Callable[[], Awaitable[Mapping[str, Any]]]


class Body:
    """The body of one request.

    receive: ASGI's. headers: every header, names in lower case. seconds: how long the whole body may take to
    arrive.
    """

    def __init__(
        self, receive: Receive, headers: dict[str, list[str]], seconds: float = BODY_SECONDS
    ) -> None:
        self._receive = receive
        self._late = False
        self._seconds = seconds
        chunked = "transfer-encoding" in headers
        length = headers.get("content-length", [""])[0]
        self._declared = int(length) if length.isdecimal() and not chunked else None
        self._finished = not self._declared and not chunked

    async def read(self) -> bytes:
        """Return the body; raises PayloadTooLarge, RequestTimeout, or BadRequest when it broke off."""
        if self._finished:
            return b""
        if self._declared is not None and self._declared > MAX_BODY_BYTES:
            raise _too_large()
        try:
            async with asyncio.timeout(self._seconds):
                return await self._collected()
        except TimeoutError:
            self._late = True
            raise RequestTimeout(
                f"The body did not arrive within {self._seconds:g} seconds. Send it again."
            ) from None

    async def discarded(self) -> bool:
        """Read and drop the rest of the body, so that a client that is still sending can read the answer.

        Reads at most DRAIN_BYTES for DRAIN_SECONDS, and nothing of a late body or one with a larger declared
        length. Returns whether the end was reached, so that the connection can serve another request.
        """
        bearable = self._declared is None or self._declared <= MAX_BODY_BYTES + DRAIN_BYTES
        if bearable and not self._late:
            with contextlib.suppress(TimeoutError, BadRequest):
                async with asyncio.timeout(DRAIN_SECONDS):
                    await self._drain()
        return self._finished

    async def _drain(self) -> None:
        left = DRAIN_BYTES
        while left > 0 and not self._finished:
            left -= len(await self._chunk())

    async def _collected(self) -> bytes:
        body = bytearray()
        while not self._finished:
            body += await self._chunk()
            if len(body) > MAX_BODY_BYTES:
                raise _too_large()
        return bytes(body)

    async def _chunk(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The body is incomplete. Send it again.")
        self._finished = not message.get("more_body")
        chunk: bytes = message.get("body", b"")
        return chunk


def _too_large() -> PayloadTooLarge:
    return PayloadTooLarge(f"The body is too large: send at most {MAX_BODY_BYTES} bytes.")
