"""The client for asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Self, TypeVar

from parley_client import outgoing
from parley_client.callbacks import Callbacks
from parley_client.entrance import Entrance
from parley_client.errors import Closed, ParleyError
from parley_client.events import Event
from parley_client.inbox_calls import InboxCalls
from parley_client.incoming import Ack, PresenceFrame, RoomNotice
from parley_client.message_calls import MessageCalls
from parley_client.models import ChatRow, Presence
from parley_client.rest import Rest
from parley_client.session import Session
from parley_client.settings import Settings
from parley_client.state import State

E = TypeVar("E", bound=Event)


class AsyncClient(MessageCalls, InboxCalls):
    """One user's connection to Parley, kept up until closed: `async with AsyncClient(url, user="alice")`.

    url: The server's http or https URL.
    user, token: Exactly one: a name on an open server, or the token of an account, see `login`.
    state: A value of `state` from before a restart. Without it see Settings.backlog.

    Get events by iterating, `async for event in client`, or by handlers, `client.on(Message, handler)`; not
    both. Each message of each chat comes once, in seq order, the user's own too. A ChatReset starts a chat
    again. Iterating ends when the client is closed; it raises Problem when the server refuses permanently.

    Calls that need a response wait for a connection; limit the wait by asyncio.timeout. They raise Problem,
    Unreachable if the connection is lost meanwhile, and Closed.
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
            raise ValueError("give a token, or on an open server a user")
        self.settings = settings or Settings()
        self.rest = Rest(url, self.settings, user=user, token=token)
        self._entrance = Entrance(self.rest, self.settings, user, token)
        self._state = state.copy() if state else State()
        self._running: Session | None = None
        self._callbacks = Callbacks()
        self._handing: asyncio.Task[None] | None = None

    @property
    def state(self) -> State:
        """The state after the last event that the application took; store it to continue after a restart."""
        return self._state.copy()

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return bool(self._running and self._running.link.connection)

    @property
    def user(self) -> str | None:
        """The user's handle as the server knows it; None before the first connection."""
        return self._running.user if self._running else None

    @property
    def inbox(self) -> list[ChatRow]:
        """The rows of the list of chats now, without a request: pinned first, then by last activity.

        Of a client that began with a state: the rows that have moved since then.
        """
        return self._running.inbox.rows.listed() if self._running else []

    async def start(self) -> Self:
        """Start connecting, and return at once; `ready` waits for the connection."""
        if self._running:
            raise Closed("A client can be started only once. Create another one.")
        self._running = Session(self._entrance.open, self.rest, self._state, self.settings)
        return self

    async def ready(self) -> None:
        """Return when there is a connection; raises Problem if the server refuses permanently."""
        await self._session.link.usable()

    async def close(self) -> None:
        """Close the connection; waiting calls raise Closed."""
        if self._handing:
            self._handing.cancel()
            await asyncio.gather(self._handing, return_exceptions=True)
        if self._running:
            await self._running.close(Closed("The client is closed."))
        await self.rest.close()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def __aiter__(self) -> AsyncIterator[Event]:
        if self._handing:
            raise ParleyError("The handlers of this client get its events: either iterate or use `on`.")
        with contextlib.suppress(Closed):
            while True:
                yield await self._session.events.take()

    async def next_event(self) -> Event:
        """Return the next event; raises Closed, or the Problem by which the server refuses permanently."""
        return await self._session.events.take()

    def on(self, kind: type[E], handler: Callable[[E], Awaitable[None] | None]) -> None:
        """Pass events of a type to a handler, plain or async, one event at a time."""
        self._callbacks.on(kind, handler)
        if self._handing is None:
            self._handing = asyncio.get_running_loop().create_task(
                self._callbacks.run(self._session.events.take)
            )

    async def send(
        self,
        chat: str,
        text: str,
        *,
        id: str | None = None,  # noqa: A002 # the API's word
        reply_to: int | None = None,
        expires_in: int | None = None,
        data: dict[str, Any] | None = None,
    ) -> Ack:
        """Send a message; return it as stored.

        The client repeats the message with the same id until the server responds; the chat's next send waits
        for that. A cancelled send may have been stored. Raises Problem if the server refuses the message.

        id: 1-64 printable characters; the server stores one message for each id. Random by default.
        reply_to: Seq of the message that this one replies to.
        expires_in: Seconds after which the message is deleted by itself, from 5 to a year.
        data: A JSON object of the application's own, up to 4 KiB.
        """
        frame = outgoing.Send(
            chat=chat,
            id=id or str(uuid.uuid4()),
            text=text,
            reply_to=reply_to,
            expires_in=expires_in,
            data=data,
        )
        return await self._session.sending.send(frame)

    async def read(self, chat: str, seq: int | None = None) -> None:
        """Mark a chat as read up to a message, or up to the newest one (None).

        Returns when the server has confirmed it. Without a connection it returns at once, and the client
        marks the chat when it is connected again.
        """
        await self._session.read_states.mark(outgoing.Read, chat, seq)

    async def received(self, chat: str, seq: int) -> None:
        """Mark a chat as received up to a message; see read."""
        await self._session.read_states.mark(outgoing.Received, chat, seq)

    async def typing(self, chat: str, on: bool = True) -> None:
        """Say whether the user is typing; does nothing without a connection."""
        if connection := self._session.link.connection:
            await connection.tell(outgoing.SayTyping(chat=chat, on=on))

    async def watch(self, users: Sequence[str]) -> list[Presence]:
        """Replace the list of users whose presence comes as events; return their current presence."""
        self._session.watched = list(users)
        return (await self._session.ask(outgoing.Watch(users=list(users)), PresenceFrame)).users

    async def join(self, room: str) -> RoomNotice:
        """Join a room, by its id without `r-`, and rejoin it after reconnects; return who is there."""
        notice = await self._session.ask(outgoing.RoomJoin(room=room), RoomNotice)
        self._session.rooms[room] = None
        return notice

    async def leave(self, room: str) -> RoomNotice:
        """Leave a room."""
        self._session.rooms.pop(room, None)
        return await self._session.ask(outgoing.RoomLeave(room=room), RoomNotice)

    async def clients(self, room: str) -> list[str]:
        """Return the users who are in a room now."""
        return (await self._session.ask(outgoing.RoomClients(room=room), RoomNotice)).clients or []

    async def signal(
        self,
        call: str,
        kind: outgoing.SignalKind,
        data: object = None,
        *,
        to: str | None = None,
        chat: str | None = None,
    ) -> str:
        """Pass data of a call to a user, or to the other members of a chat; return the frame's ref.

        call: Your name for the call. If the server refuses the signal, a Failed event has the ref.
        """
        connection = await self._session.link.usable()
        return await connection.send(outgoing.SendSignal(call=call, kind=kind, data=data, to=to, chat=chat))
