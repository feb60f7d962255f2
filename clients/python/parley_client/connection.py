"""One WebSocket connection: sends and receives frames, and checks that it is alive."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable
from typing import TypeVar

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from parley_client.errors import Unreachable, problem_of
from parley_client.incoming import Failed, Incoming, Pong, Sync, decode
from parley_client.liveness import Sleep
from parley_client.outgoing import Frame, Ping, encode
from parley_client.settings import Settings

T = TypeVar("T")
LOGGER = logging.getLogger("parley_client")
ENDED = "connection_ended"
"""The close code by which the server says that it does not know the connection any more."""
LOOK_SECONDS = 15.0
"""Seconds between two checks whether the machine has slept."""
Hearing = Callable[["Connection", Incoming, str, bool], None]


class Connection:
    """An open WebSocket connection, which is read and kept alive.

    hear: Called with each frame, decoded and raw, and whether a call waits for it; in the order of arrival,
        and before that call returns.
    """

    def __init__(self, socket: ClientConnection, settings: Settings, hear: Hearing) -> None:
        self._socket = socket
        self._settings = settings
        self._hear = hear
        self._refs = itertools.count(1)
        self._asked: dict[str, asyncio.Future[Incoming]] = {}
        loop = asyncio.get_running_loop()
        self._sent_at = loop.time()
        self._suspected = asyncio.Event()
        self._sleep = Sleep()
        self.lost: asyncio.Future[str] = loop.create_future()
        self._tasks = [loop.create_task(self._read()), loop.create_task(self._keep_alive())]

    @property
    def open(self) -> bool:
        """Whether the connection is open, as far as the client knows."""
        return not self.lost.done()

    async def ask(self, frame: Frame, kind: type[T]) -> T:
        """Send a frame and return its response.

        Raises Problem; TimeoutError if the server does not respond in time; Unreachable if the connection is
        lost.
        """
        frame.ref = str(next(self._refs))
        answer: asyncio.Future[Incoming] = asyncio.get_running_loop().create_future()
        self._asked[frame.ref] = answer
        try:
            async with asyncio.timeout(self._settings.answer_seconds):
                await self._send(frame)
                response = await answer
        finally:
            del self._asked[frame.ref]
            if answer.done() and not answer.cancelled():
                answer.exception()  # the connection may be lost while the frame is being sent
        if isinstance(response, Failed):
            raise problem_of(response)
        if not isinstance(response, kind):
            raise Unreachable(f"The server answered {type(frame).__name__} with {type(response).__name__}.")
        return response

    async def send(self, frame: Frame) -> str:
        """Send a frame whose response is not waited for; return its ref. Raises Unreachable, TimeoutError."""
        frame.ref = str(next(self._refs))
        await self.tell(frame)
        return frame.ref

    async def tell(self, frame: Frame) -> None:
        """Send a frame without a ref, which the server answers only by errors. Raises as send does."""
        async with asyncio.timeout(self._settings.answer_seconds):
            await self._send(frame)

    def suspect(self) -> None:
        """Check at once whether the connection is still alive."""
        self._suspected.set()

    async def drained(self) -> None:
        """Return when no response is pending, or the time for pending ones is over."""
        if waiting := list(self._asked.values()):
            await asyncio.wait(waiting, timeout=self._settings.answer_seconds)

    async def close(self, reason: str = "closed by the client") -> None:
        """Close the connection; pending calls fail."""
        with contextlib.suppress(ConnectionClosed, OSError):
            await self._socket.close()
        self._lose(reason)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _send(self, frame: Frame) -> None:
        if not self.open:
            raise Unreachable(self.lost.result())
        try:
            await self._socket.send(encode(frame))
        except ConnectionClosed as closed:
            self._lose(_reason(closed))  # the reader may not have noticed yet
            raise Unreachable(_reason(closed)) from None
        self._sent_at = asyncio.get_running_loop().time()

    async def _read(self) -> None:
        try:
            while True:
                self._take(await self._socket.recv(decode=True))
        except ConnectionClosed as closed:
            self._lose(_reason(closed))
        except Exception:
            LOGGER.exception("a frame of the server could not be handled")
            self._lose("a frame of the server could not be handled")

    def _take(self, text: str) -> None:
        if (frame := decode(text)) is None:
            return
        answer = self._asked.get(getattr(frame, "ref", None) or "")
        self._hear(self, frame, text, answer is not None)
        if isinstance(frame, Failed) and frame.code == ENDED:
            self._lose(frame.detail.rstrip("."))
        if answer and not answer.done() and not isinstance(frame, Sync):
            answer.set_result(frame)

    async def _keep_alive(self) -> None:
        """Ping after a long silence, and at once when the connection may be dead."""
        while True:
            await self._pause()
            if not self._suspected.is_set() and self._due_in() > 0:
                continue
            try:
                await self.ask(Ping(), Pong)
            except (TimeoutError, Unreachable):
                self._lose("the server did not answer a ping")
                self._socket.transport.abort()
                return
            self._suspected.clear()

    async def _pause(self) -> None:
        """Wait until a ping may be due; sleep of the machine makes the connection suspect."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(max(self._due_in(), 0), LOOK_SECONDS)):
                await self._suspected.wait()
        if self._sleep.happened():
            self.suspect()

    def _due_in(self) -> float:
        return self._sent_at + self._settings.ping_seconds - asyncio.get_running_loop().time()

    def _lose(self, reason: str) -> None:
        if not self.lost.done():
            self.lost.set_result(reason)
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(Unreachable(f"The connection was lost: {reason}."))


def _reason(closed: ConnectionClosed) -> str:
    if closed.rcvd is None:
        return "the connection broke"
    return f"the server closed it with {closed.rcvd.code} {closed.rcvd.reason}".rstrip()
