"""The client for programs without asyncio: runs AsyncClient on a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from parley_client.async_client import AsyncClient
from parley_client.blocking_calls import BlockingInboxCalls, BlockingMessageCalls
from parley_client.callbacks import Callbacks
from parley_client.errors import Closed, ParleyError
from parley_client.events import Event
from parley_client.incoming import Ack, RoomNotice
from parley_client.models import ChatRow, Presence
from parley_client.outgoing import SignalKind
from parley_client.settings import Settings
from parley_client.state import State

E = TypeVar("E", bound=Event)
T = TypeVar("T")


class Client(BlockingMessageCalls, BlockingInboxCalls):
    """Like AsyncClient, with blocking calls: `with Client(url, user="alice") as client`.

    Any thread may call. The handlers of `on` run on one separate thread, so they may call too.

    timeout: Maximum number of seconds that a call waits; None for no limit. After it the call raises
        TimeoutError, but the server may still carry it out.
    """

    def __init__(
        self,
        url: str,
        *,
        user: str | None = None,
        token: str | None = None,
        state: State | None = None,
        settings: Settings | None = None,
        timeout: float | None = 30.0,
    ) -> None:
        self._client = AsyncClient(url, user=user, token=token, state=state, settings=settings)
        self._timeout = timeout
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="parley-client", daemon=True)
        self._callbacks = Callbacks()
        self._handing: threading.Thread | None = None

    @property
    def state(self) -> State:
        """See AsyncClient.state."""
        return self._client.state

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._client.connected

    @property
    def user(self) -> str | None:
        """The user's handle as the server knows it; None before the first connection."""
        return self._client.user

    @property
    def inbox(self) -> list[ChatRow]:
        """See AsyncClient.inbox."""
        return self._client.inbox

    def start(self) -> Self:
        """Start connecting, and return at once."""
        self._thread.start()
        self._do(self._client.start())
        return self

    def ready(self) -> None:
        """Return when there is a connection; raises Problem if the server refuses permanently."""
        self._do(self._client.ready())

    def close(self) -> None:
        """Close the connection and end the threads."""
        if self._loop.is_closed():
            return
        if self._thread.is_alive():
            self._do(self._end(), forever=True)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()
        if self._handing and self._handing is not threading.current_thread():
            self._handing.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Event]:
        with contextlib.suppress(Closed):
            while True:
                yield self.next_event(timeout=None)

    def next_event(self, timeout: float | None = None) -> Event:
        """Return the next event; timeout: Seconds to wait before TimeoutError. Raises Closed."""
        return self._do(_within(self._client.next_event(), timeout), forever=True)

    def on(self, kind: type[E], handler: Callable[[E], None]) -> None:
        """Pass events of a type to a handler, on a separate thread, one event at a time."""
        self._callbacks.on(kind, handler)
        if self._handing is None:
            self._handing = threading.Thread(target=self._hand_on, name="parley-handlers", daemon=True)
            self._handing.start()

    def send(
        self,
        chat: str,
        text: str,
        *,
        id: str | None = None,  # noqa: A002 # the API's own word
        reply_to: int | None = None,
        expires_in: int | None = None,
        data: dict[str, Any] | None = None,
    ) -> Ack:
        """See AsyncClient.send."""
        sending = self._client.send(chat, text, id=id, reply_to=reply_to, expires_in=expires_in, data=data)
        return self._do(sending)

    def read(self, chat: str, seq: int | None = None) -> None:
        """See AsyncClient.read."""
        self._do(self._client.read(chat, seq))

    def received(self, chat: str, seq: int) -> None:
        """See AsyncClient.received."""
        self._do(self._client.received(chat, seq))

    def typing(self, chat: str, on: bool = True) -> None:
        """See AsyncClient.typing."""
        self._do(self._client.typing(chat, on))

    def watch(self, users: Sequence[str]) -> list[Presence]:
        """See AsyncClient.watch."""
        return self._do(self._client.watch(users))

    def join(self, room: str) -> RoomNotice:
        """See AsyncClient.join."""
        return self._do(self._client.join(room))

    def leave(self, room: str) -> RoomNotice:
        """See AsyncClient.leave."""
        return self._do(self._client.leave(room))

    def clients(self, room: str) -> list[str]:
        """See AsyncClient.clients."""
        return self._do(self._client.clients(room))

    def signal(
        self,
        call: str,
        kind: SignalKind,
        data: object = None,
        *,
        to: str | None = None,
        chat: str | None = None,
    ) -> str:
        """See AsyncClient.signal."""
        return self._do(self._client.signal(call, kind, data, to=to, chat=chat))

    def _hand_on(self) -> None:
        with contextlib.suppress(ParleyError):
            while True:
                event = self.next_event()
                for handler in self._callbacks.of(event):
                    with self._callbacks.logging(event):
                        handler(event)

    async def _end(self) -> None:
        """Close the client, after everything that other threads wait for has ended."""
        await self._client.close()
        waiting = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*waiting, return_exceptions=True)

    def _do(self, work: Coroutine[Any, Any, T], *, forever: bool = False) -> T:
        """Run a coroutine on the client's thread; return its result."""
        if not self._thread.is_alive():
            work.close()
            raise Closed("Start the client first: `with Client(…)`. A closed client cannot be started again.")
        limited = work if forever else _within(work, self._timeout)
        return asyncio.run_coroutine_threadsafe(limited, self._loop).result()


async def _within(work: Coroutine[Any, Any, T], seconds: float | None) -> T:
    async with asyncio.timeout(seconds):
        return await work
