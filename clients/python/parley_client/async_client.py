"""The client for asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self, TypeVar

from parley_client.callbacks import Callbacks
from parley_client.entrance import Entrance
from parley_client.errors import Closed, ParleyError
from parley_client.events import Event
from parley_client.incoming import Account, Ack, ChatRow, Page, Presence, PresenceFrame, RoomNotice
from parley_client.outgoing import (
    Read,
    Received,
    RoomClients,
    RoomJoin,
    RoomLeave,
    SayTyping,
    SendSignal,
    SignalKind,
    Watch,
)
from parley_client.rest import Rest
from parley_client.session import Session
from parley_client.settings import Settings
from parley_client.state import State

E = TypeVar("E", bound=Event)


class AsyncClient:
    """One user's connection to Parley, kept up until closed: `async with AsyncClient(url, user="alice")`.

    url: of the server, http or https. user: a name, on an open server; token: of an account, see `login`.
    state: what `state` gave before a restart; without it the client begins anew, see Settings.backlog.

    Events come by iterating, `async for event in client`, or to handlers, `client.on(Message, handler)`; not
    both. Each message of each chat comes once, in seq order, the user's own too; a ChatReset says that a
    chat begins again. Iterating ends when the client is closed, and raises NotAuthenticated, or another
    Problem, when the server refuses for good.

    Calls that want an answer wait for a connection; use asyncio.timeout to wait less. They raise Problem,
    Unreachable when the connection was lost meanwhile, and Closed.
    """

    def __init__(
        self,
        url: str,
        *,
        user: str | None = None,
        token: str | None = None,
        state: State | None = None,
        settings: Settings | None = None,
    ) -> None:
        if bool(user) == bool(token):
            raise ValueError("give a user (on an open server), or a token")
        self.settings = settings or Settings()
        self.rest = Rest(url, self.settings, user=user, token=token)
        self._entrance = Entrance(self.rest, self.settings, user, token)
        self._state = state.copy() if state else State()
        self._running: Session | None = None
        self._callbacks = Callbacks()
        self._handing: asyncio.Task[None] | None = None

    @property
    def state(self) -> State:
        """How far the application was told, as of the last event that it took; store it, and give it back."""
        return self._state.copy()

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return bool(self._running and self._running.link.connection)

    @property
    def user(self) -> str | None:
        """The user as the server knows them; None before the first connection."""
        return self._running.user if self._running else None

    async def start(self) -> Self:
        """Begin to connect, and return at once; `ready` waits for the connection."""
        if self._running:
            raise Closed("A client is started once; make another one.")
        self._running = Session(self._entrance.open, self.rest, self._state, self.settings)
        return self

    async def ready(self) -> None:
        """Return when there is a connection; raises Problem when the server refuses for good."""
        await self._session.link.usable()

    async def close(self) -> None:
        """Close the connection; whatever waits gets Closed."""
        if self._handing:
            self._handing.cancel()
            await asyncio.gather(self._handing, return_exceptions=True)
        if self._running:
            await self._running.close(Closed("The client is closed."))
        await self.rest.close()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # --- events --------------------------------------------------------------------------------------------

    async def __aiter__(self) -> AsyncIterator[Event]:
        if self._handing:
            raise ParleyError("Events go to the handlers of this client; iterate, or use `on`.")
        with contextlib.suppress(Closed):
            while True:
                yield await self._session.events.take()

    async def next_event(self) -> Event:
        """Return the next event; raises Closed, or what the server refused for good with."""
        return await self._session.events.take()

    def on(self, kind: type[E], handler: Callable[[E], Awaitable[None] | None]) -> None:
        """Have events of a type handed to a function, plain or async, one event after the other."""
        self._callbacks.on(kind, handler)
        if self._handing is None:
            self._handing = asyncio.get_running_loop().create_task(self._hand_on())

    async def _hand_on(self) -> None:
        with contextlib.suppress(ParleyError):
            while True:
                event = await self._session.events.take()
                for handler in self._callbacks.of(event):
                    with self._callbacks.logging(event):
                        if inspect.isawaitable(waiting := handler(event)):
                            await waiting

    # --- messages ------------------------------------------------------------------------------------------

    async def send(
        self,
        chat: str,
        text: str,
        *,
        id: str | None = None,  # noqa: A002 # the API's word
        reply_to: int | None = None,
    ) -> Ack:
        """Send a message; return it as it was stored.

        id: 1-64 printable characters of your own, by which it is stored once; drawn when absent. It is sent
        again, by the same id, until the server answers; the chat's next send waits. Cancelled, it may have
        been stored. reply_to: the seq of the message that it replies to.
        Raises Problem when the server refuses it.
        """
        return await self._session.sending.send(chat, text, id, reply_to)

    async def history(
        self, chat: str, *, before: str | None = None, after: str | None = None, limit: int = 50
    ) -> Page:
        """Read messages beside the events: the newest, or those before or after a cursor of another page."""
        return await self.rest.page(chat, before=before, after=after, limit=limit)

    async def chats(self, *, limit: int = 50) -> list[ChatRow]:
        """Read the chats of the inbox as they are now, the latest first; limit: 1 to 100."""
        return await self.rest.chats(limit)

    async def read(self, chat: str, seq: int) -> None:
        """Say that the user has read a chat up to a message."""
        await self._session.mark(Read, chat, seq)

    async def received(self, chat: str, seq: int) -> None:
        """Say that a chat was received up to a message."""
        await self._session.mark(Received, chat, seq)

    async def typing(self, chat: str, on: bool = True) -> None:
        """Say whether the user is typing; without a connection nobody is told."""
        if connection := self._session.link.connection:
            await connection.tell(SayTyping(chat=chat, on=on))

    # --- people, rooms, calls ------------------------------------------------------------------------------

    async def watch(self, users: Sequence[str]) -> list[Presence]:
        """Have the presence of these users told, instead of those before; return it as it is now."""
        self._session.watched = list(users)
        return (await self._session.ask(Watch(users=list(users)), PresenceFrame)).users

    async def join(self, room: str) -> RoomNotice:
        """Join a room, by its id without `r-`, and stay in it over reconnects; tells who is there."""
        told = await self._session.ask(RoomJoin(room=room), RoomNotice)
        self._session.rooms[room] = None
        return told

    async def leave(self, room: str) -> RoomNotice:
        """Leave a room."""
        self._session.rooms.pop(room, None)
        return await self._session.ask(RoomLeave(room=room), RoomNotice)

    async def clients(self, room: str) -> list[str]:
        """Return who is in a room now."""
        return (await self._session.ask(RoomClients(room=room), RoomNotice)).clients or []

    async def signal(
        self,
        call: str,
        kind: SignalKind,
        data: object = None,
        *,
        to: str | None = None,
        chat: str | None = None,
    ) -> str:
        """Pass data of a call on to a user or to the others of a chat; return its ref.

        call: your name for the call. When it cannot be done, a Failed event has the ref.
        """
        connection = await self._session.link.usable()
        return await connection.tell(SendSignal(call=call, kind=kind, data=data, to=to, chat=chat))

    @property
    def _session(self) -> Session:
        if self._running is None:
            raise Closed("Start the client first: `async with AsyncClient(…)`.")
        return self._running


async def register(
    url: str, handle: str, password: str, *, email: str | None = None, settings: Settings | None = None
) -> Account:
    """Make an account and log in; raises Problem, Unreachable."""
    rest = Rest(url, settings or Settings())
    try:
        return await rest.register(handle, password, email)
    finally:
        await rest.close()


async def login(url: str, handle: str, password: str, *, settings: Settings | None = None) -> Account:
    """Log in; raises NotAuthenticated when name and password do not fit, Problem, Unreachable."""
    rest = Rest(url, settings or Settings())
    try:
        return await rest.login(handle, password)
    finally:
        await rest.close()
