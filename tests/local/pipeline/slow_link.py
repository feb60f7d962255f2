"""A link to a store that can hold back what the store sends."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import Any, Self

CHUNK = 64 * 1024


class SlowLink:
    """Carries connections to a unix socket, while it is a context.

    held_bytes: Maximum bytes that the first connection carries from the store until it is released.
    connections: Number of connections so far.
    """

    def __init__(self, path: str, held_bytes: int) -> None:
        self.connections = 0
        self.url = ""
        self._path = path
        self._held_bytes = held_bytes
        self._released = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._carrying: list[asyncio.Future[Any]] = []

    def release(self) -> None:
        """Carry what was held back."""
        self._released.set()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        held_bytes = self._held_bytes if self.connections == 1 else None
        from_store, to_store = await asyncio.open_unix_connection(self._path)
        both = asyncio.gather(self._copy(reader, to_store), self._down(from_store, writer, held_bytes))
        self._carrying.append(both)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await both
        to_store.close()
        writer.close()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            writer.write(data)

    async def _down(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: int | None
    ) -> None:
        while data := await reader.read(CHUNK):
            if left is not None:
                writer.write(data[:left])
                data, left = data[left:], max(0, left - len(data))
                if data:
                    await self._released.wait()
                    left = None
            writer.write(data)
            await writer.drain()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.url = f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/0"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server
        self._server.close()
        for both in self._carrying:
            both.cancel()
