"""The simplest HTTP server of llhttp and uvloop: what Parley's edge would do if it did nothing.

`python -m bench.parser_hello PORT PROCESSES`
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import httptools
import uvloop

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"


class Hello(asyncio.Protocol):
    """Responds to any request with five letters."""

    def connection_made(self, transport: Any) -> None:
        """Begin to parse."""
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        """Parse some bytes."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Respond."""
        self._transport.write(ANSWER)


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Hello, "127.0.0.1", port, reuse_port=True)
    await server.serve_forever()


def main() -> None:
    """Serve until the process is ended."""
    port, processes = map(int, sys.argv[1:])
    for _ in range(processes - 1):
        if not os.fork():
            break
    uvloop.run(_serve(port))


if __name__ == "__main__":
    main()
