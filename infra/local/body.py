"""Reads a request's body: no larger and no slower than allowed, and without holding up anyone else."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from chalicelib.errors import BadRequest, PayloadTooLarge, RequestTimeout
from chalicelib.http.call import MAX_BODY_BYTES

Receive = Callable[[], Awaitable[dict[str, Any]]]

BODY_SECONDS = 10.0
DRAIN_BYTES = 10 * 1024 * 1024
DRAIN_SECONDS = 5.0


class BodyReader:
    """Reads the body of one request.

    receive: the ASGI channel. headers: every header, names in lower case.
    seconds: how long the whole body may take to arrive.
    """

    def __init__(
        self, receive: Receive, headers: dict[str, list[str]], seconds: float = BODY_SECONDS
    ) -> None:
        self._receive = receive
        self._seconds = seconds
        chunked = "transfer-encoding" in headers
        length = headers.get("content-length", [""])[0]
        self._declared = int(length) if length.isdecimal() and not chunked else None
        self.finished = not self._declared and not chunked

    async def read(self) -> bytes:
        """Return the body; raises PayloadTooLarge, RequestTimeout, or BadRequest when it broke off."""
        if self.finished:
            return b""
        if self._declared and self._declared > MAX_BODY_BYTES:
            raise _too_large()
        try:
            async with asyncio.timeout(self._seconds):
                return await self._collect()
        except TimeoutError:
            raise RequestTimeout(
                f"The body did not arrive within {self._seconds:g} seconds. Send it again."
            ) from None

    async def discard(self) -> None:
        """Throw away what is still to come, so that a client that is busy sending can read the answer.

        Up to DRAIN_BYTES and DRAIN_SECONDS; a body that declares to be longer is not waited for.
        """
        if self._declared and self._declared > MAX_BODY_BYTES + DRAIN_BYTES:
            return
        left = DRAIN_BYTES
        with contextlib.suppress(TimeoutError, BadRequest):
            async with asyncio.timeout(DRAIN_SECONDS):
                while left > 0 and not self.finished:
                    left -= len(await self._chunk())

    async def _collect(self) -> bytes:
        body = b""
        while not self.finished:
            body += await self._chunk()
            if len(body) > MAX_BODY_BYTES:
                raise _too_large()
            self.finished |= len(body) == self._declared
        return body

    async def _chunk(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.finished = True
            raise BadRequest("The body broke off before its end.")
        self.finished = not message.get("more_body")
        chunk: bytes = message.get("body", b"")
        return chunk


def _too_large() -> PayloadTooLarge:
    return PayloadTooLarge(f"A request's body is {MAX_BODY_BYTES} bytes at the most.")
