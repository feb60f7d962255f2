"""The event loop of one worker process: it listens, serves, and ends with the server."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import threading
import time
from typing import Protocol

import uvloop

from infra.local import line_writer
from infra.local.ports import BACKLOG, Port

GRACE_SECONDS = 5.0
QUEUE_SECONDS, READ_SECONDS = 0.2, 0.01
INPUT = 0


class Gateway(Protocol):
    """What a worker serves."""

    async def begin(self) -> None:
        """Get ready for the first connection."""

    def protocol(self) -> asyncio.Protocol:
        """Return the protocol of a new connection."""

    async def end(self) -> None:
        """Finish the requests under way, for STOP_SECONDS at most, and close all connections."""


def end_with_server() -> None:
    """Have this process end once its standard input does, which its server closes, or leaves if killed.

    Ask for it before slow imports: until `run` serves, the process ends at once.
    """
    threading.Thread(target=_outlive_nobody, daemon=True).start()


def run(gateway: Gateway, port: Port) -> None:
    """Serve until SIGTERM, and end the process."""
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(_serve(gateway, port))
    line_writer.drain()
    os._exit(0)  # threads of slow calls are not waited for


async def _serve(gateway: Gateway, port: Port) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    await gateway.begin()
    listener = port.listener()
    listener.setblocking(False)
    server = await loop.create_server(gateway.protocol, sock=listener, backlog=BACKLOG)
    await stop.wait()
    await _take_the_rest(listener)
    server.close()
    await asyncio.sleep(READ_SECONDS)  # their requests have arrived, and are not read yet
    await gateway.end()


async def _take_the_rest(listener: socket.socket) -> None:
    """Accept the connections that wait in the kernel, which it would reset."""
    waiting = select.poll()
    waiting.register(listener, select.POLLIN)
    deadline = time.monotonic() + QUEUE_SECONDS
    while waiting.poll(0) and time.monotonic() < deadline:
        await asyncio.sleep(0)


def _outlive_nobody() -> None:
    while os.read(INPUT, 1):
        continue
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    line_writer.drain()
    os._exit(1)
