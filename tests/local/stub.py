"""A gateway that answers every request with the id of its process; `/die` ends it."""

from __future__ import annotations

import asyncio
import os
from typing import Any


class Answering(asyncio.Protocol):
    """Answers whatever arrives in one piece."""

    def connection_made(self, transport: Any) -> None:
        """Keep the transport; see asyncio.Protocol."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer a request; see asyncio.Protocol."""
        if data.startswith(b"GET /die "):
            os._exit(1)
        body = str(os.getpid()).encode()
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


class Stub:
    """See above."""

    async def begin(self) -> None:
        """Do nothing."""

    def protocol(self) -> asyncio.Protocol:
        """Return the protocol of a new connection."""
        return Answering()

    async def end(self) -> None:
        """Do nothing: the process ends."""


def gateway() -> Stub:
    """Return the gateway of a worker."""
    return Stub()


def broken() -> Stub:
    """Fail, as a worker with a defect does."""
    raise RuntimeError("a defect")
