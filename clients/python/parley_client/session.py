"""What a client does on its connection: sends hello, passes frames on, repeats receipts when reconnected."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from websockets.asyncio.client import ClientConnection

from parley_client.connection import Connection
from parley_client.errors import ParleyError, Problem, Unreachable
from parley_client.event_queue import EventQueue
from parley_client.events import Connected, Disconnected
from parley_client.inbox import Inbox, Wanting
from parley_client.incoming import (
    Ack,
    ChangedMessage,
    Failed,
    Incoming,
    MovedRow,
    PresenceFrame,
    Ready,
    Receipt,
    RoomNotice,
    Signal,
    Sync,
    Typing,
)
from parley_client.link import Link
from parley_client.missed_changes import MissedChanges
from parley_client.models import Message
from parley_client.outgoing import Frame, Hello, RoomJoin, Watch
from parley_client.overlap import Overlap
from parley_client.polling import Polling
from parley_client.read_states import ReadStates
from parley_client.repairs import Repairs
from parley_client.rest import Rest
from parley_client.sending import Sending
from parley_client.settings import Settings
from parley_client.state import State

T = TypeVar("T")
LOGGER = logging.getLogger("parley_client")
Opening = Callable[[], Awaitable[ClientConnection]]


class Session:
    """Connects the parts of a client; created and used in a running event loop.

    opening: Opens a WebSocket.
    """

    def __init__(self, opening: Opening, rest: Rest, state: State, settings: Settings) -> None:
        self._opening = opening
        self._settings = settings
        self.events = EventQueue(state, settings.most_events)
        wanting = Wanting(self._want, self._want_changes, self._want_row)
        self.inbox = Inbox(self.events, settings.backlog, wanting)
        self._overlap = Overlap()
        self.link = Link(self._opened, self._greet, self._lost, self._overlap, settings)
        self.sending = Sending(self.link, rest, self.inbox, settings)
        self._repairs = Repairs(self.inbox, self.events, self.link, rest, settings)
        self._missed = MissedChanges(self.inbox, self.events, rest, settings)
        self.read_states = ReadStates(self.link, settings)
        self.user: str | None = None
        self.watched: list[str] = []
        self.rooms: dict[str, None] = {}
        self._more = False
        self._greeting = asyncio.Lock()
        loop = asyncio.get_running_loop()
        polling = Polling(self.link, rest, self.inbox, self._greeting, settings)
        self._tasks = [loop.create_task(work) for work in (self._run(), self._resync(), polling.run())]

    async def ask(self, frame: Frame, kind: type[T]) -> T:
        """Send a frame when there is a connection, and return the response; see Connection.ask."""
        connection = await self.link.usable()
        try:
            return await connection.ask(frame, kind)
        except TimeoutError:
            connection.suspect()
            raise Unreachable("The server did not respond in time.") from None

    async def close(self, error: ParleyError) -> None:
        """End all parts; the application gets the error after the last event."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._repairs.close()
        await self._missed.close()
        await self.link.close()
        self.events.end(error)

    def _want(self, chat: str, urgent: bool) -> None:
        self._repairs.want(chat, urgent)

    def _want_changes(self, chat: str) -> None:
        self._missed.want(chat)

    def _want_row(self, chat: str) -> None:
        self._missed.want_row(chat)

    async def _run(self) -> None:
        try:
            error = await self.link.run()
        except Exception as defect:
            LOGGER.exception("the client failed")
            error = self.link.fail(ParleyError(f"The client failed: {defect!r}."))
        self.events.end(error)

    async def _opened(self) -> Connection:
        return Connection(await self._opening(), self._settings, self._hear)

    def _lost(self, reason: str, retry_in: float) -> None:
        self.events.put(Disconnected(reason, retry_in))

    async def _greet(self, connection: Connection) -> None:
        ready = await self._say_hello(connection)
        self.user = self.inbox.rows.me = ready.user
        if self.watched:
            found = await connection.ask(Watch(users=self.watched), PresenceFrame)
            for presence in found.users:
                self.events.offer(presence)
        for room in list(self.rooms):
            try:
                await connection.ask(RoomJoin(room=room), RoomNotice)
            except Problem as problem:
                self.rooms.pop(room, None)
                self._failed(problem)
        for refused in await self.read_states.send(connection):
            self._failed(refused)
        self.events.put(Connected(ready.user, ready.connection, ready.unread))

    async def _say_hello(self, connection: Connection) -> Ready:
        async with self._greeting:
            self.inbox.begin_sync()
            while True:
                self._more = False
                hello = Hello(version=self.inbox.version, check=self.inbox.unchecked.take())
                try:
                    ready = await connection.ask(hello, Ready)
                except Problem as problem:
                    if not self.inbox.unchecked.refused(problem):
                        raise
                    continue
                if not (self._more or self.inbox.unchecked.waiting):
                    self.inbox.synced()
                    return ready

    async def _resync(self) -> None:
        while True:
            await asyncio.sleep(self._settings.resync_seconds)
            if connection := self.link.connection:
                try:
                    await self._say_hello(connection)
                    await self.read_states.send(connection)
                except TimeoutError:
                    connection.suspect()
                except (Problem, Unreachable):
                    pass

    def _hear(self, source: Connection, frame: Incoming, text: str, awaited: bool) -> None:
        match frame:
            case Ack():
                self.inbox.push(frame.message())
            case Message():
                self.inbox.push(frame)
            case ChangedMessage():
                self._changed(frame)
            case MovedRow() if not self._overlap.repeats(source, text):
                self.inbox.moved(frame.row())
            case Sync():
                self._more = frame.more
                self.inbox.sync(frame)
            case Receipt() | Typing() | Signal() | PresenceFrame() | RoomNotice() | Failed() if not awaited:
                if not self._overlap.repeats(source, text):
                    self._offer(frame)
            case _:
                pass

    def _offer(self, frame: Receipt | Typing | Signal | PresenceFrame | RoomNotice | Failed) -> None:
        if isinstance(frame, PresenceFrame):
            for presence in frame.users:
                self.events.offer(presence)
        else:
            self.events.offer(frame)

    def _changed(self, frame: ChangedMessage) -> None:
        if frame.hidden:
            self.inbox.changes.hide(frame.chat, frame.seq, frame.change)
        elif frame.partial or frame.message is None:
            self._missed.want_message(frame.chat, frame.seq)
        else:
            self.inbox.changes.take(frame.message)

    def _failed(self, problem: Problem) -> None:
        self.events.offer(
            Failed(status=problem.status, code=problem.code, title=problem.title, detail=problem.detail)
        )
