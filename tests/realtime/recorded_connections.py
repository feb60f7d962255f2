"""Sockets on a real store, without a network: frames go straight to the services, pushes to a recorder."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from chalicelib.config import Settings
from chalicelib.push_gateway import installed
from chalicelib.push_gateway.pusher import CloseReason, Outcome, OutgoingFrame
from chalicelib.schemas.chats import NewChat
from chalicelib.schemas.messages import SendRequest
from chalicelib.services import Services
from chalicelib.services.auth.caller import Caller
from chalicelib.services.realtime.connect import ConnectRequest
from chalicelib.store.accounts.accounts import Account
from chalicelib.store.accounts.sessions import Details
from chalicelib.store.realtime.chat_connections import ChatConnections
from chalicelib.store.realtime.connection import Connections
from chalicelib.store.realtime.user_connections import UserConnections
from chalicelib.store.redis.client import Store, connect

Frame = dict[str, Any]
PASSWORD = "correct horse battery"
DETAILS = Details("127.0.0.1", "test")
LARGE_CHAT = 5
CHEAP = "m=8,t=1,p=1"
NO_LEASE = 1
"""µs: over before anybody looks."""


class Recorder:
    """A Pusher that holds connections itself, and keeps what they were pushed, in order.

    silent: connections that are there and take nothing. when_pushing: called before each push.
    """

    inline = 10_000

    def __init__(self) -> None:
        self.open: dict[str, list[Frame]] = {}
        self.silent: set[str] = set()
        self.closed: list[str] = []
        self.endings: list[CloseReason] = []
        self.when_pushing: Callable[[], None] = lambda: None

    def push(self, frames: Sequence[OutgoingFrame]) -> Outcome:
        """Push frames to the open connections."""
        self.when_pushing()
        outcome = Outcome([], [])
        for frame in frames:
            for connection in frame.connections:
                if connection not in self.open:
                    outcome.gone.append(connection)
                elif connection in self.silent:
                    outcome.failed.append(connection)
                else:
                    self.open[connection].append(json.loads(frame.data))
        return outcome

    def close(self, connections: Sequence[str], ending: CloseReason) -> None:
        """Close open connections."""
        for connection in connections:
            if self.open.pop(connection, None) is not None:
                self.closed.append(connection)
                self.endings.append(ending)


class Socket:
    """A connection as its client sees it."""

    def __init__(self, stage: Stage, connection: str, user: str) -> None:
        self._stage = stage
        self.id = connection
        self.user = user
        self.frames = stage.recorder.open[connection]

    def send(self, **frame: Any) -> list[Frame]:
        """Send a frame, and return the frames pushed here meanwhile."""
        before = len(self.frames)
        self._stage.services.realtime.frames.handle(self.id, json.dumps(frame), "request")
        return self.frames[before:]

    def ask(self, **frame: Any) -> Frame:
        """Send a frame with one answer, beside messages and rows that it may make; return the answer."""
        (answer,) = [one for one in self.send(**frame) if one["type"] not in {"message", "chat"}]
        return answer

    def of_type(self, *types: str) -> list[Frame]:
        """Return the frames of some types that were pushed here."""
        return [frame for frame in self.frames if frame["type"] in types]

    def close(self) -> None:
        """Close it, with a notice to the server."""
        self.vanish()
        self.disconnected()

    def vanish(self) -> None:
        """Vanish without a notice."""
        self._stage.recorder.open.pop(self.id, None)

    def disconnected(self) -> None:
        """Notify the server of the close."""
        self._stage.services.realtime.disconnect(self.id)

    def expire(self) -> None:
        """Vanish, and let the lease expire in every key that has it."""
        self.vanish()
        self.live_for(NO_LEASE)

    def live_for(self, lease: int) -> None:
        """End the lease some µs from now, in every key that has it."""
        store = self._stage.store
        user_connections, connections = UserConnections(lease), Connections(lease)
        held = store.run(connections.attachments(self.id))
        assert held is not None
        store.run(connections.frame(self.id, 0))
        store.run(user_connections.renew(self.user, self.id))
        store.run_all(ChatConnections(lease).renew(chat, self.id) for chat in held.chats)
        store.run_all(
            user_connections.watch(name, self.id, self.user, protobuf=False) for name in held.watched
        )


class Stage:
    """A server's services and its connections; a chat of more than LARGE_CHAT members is large."""

    def __init__(self, settings: Settings) -> None:
        settings = msgspec.structs.replace(settings, large_chat=LARGE_CHAT, argon2=CHEAP)
        self.recorder = Recorder()
        installed.install(self.recorder)
        self.services = Services(settings)
        self.store: Store = connect(settings)
        self._ids = itertools.count(1)

    def close(self) -> None:
        """Stop pushing by the recorder."""
        installed.install(None)

    def register(self, user: str) -> str:
        """Make an account, and return the token of a session of it."""
        return self.services.registration.register(Account(handle=user), PASSWORD, DETAILS).token

    def connect(
        self, user: str, *, token: str | None = None, room: str | None = None, hello: bool = True
    ) -> Socket:
        """Open a connection by a token, or without one as a name without an account."""
        connection = f"{user}-{next(self._ids)}"
        name = user if token is None else None
        request = ConnectRequest(connection=connection, details=DETAILS, bearer=token, user=name, room=room)
        self.services.realtime.connecting.connect(request)
        self.recorder.open[connection] = []
        socket = Socket(self, connection, user)
        if hello:
            assert socket.send(type="hello")[-1]["type"] == "ready"
            socket.frames.clear()
        return socket

    def caller(self, user: str) -> Caller:
        """Return a user as a caller."""
        return Caller(self.store, user)

    def room(self, maker: str, room: str = "lobby", **fields: Any) -> str:
        """Make a room; return its chat id."""
        request = NewChat(kind="room", id=room, name="Lobby", **fields)
        return self.services.chats.create(self.caller(maker), request)[0].chat

    def group(self, maker: str, *members: str) -> str:
        """Make a group; return its id."""
        request = NewChat(kind="group", name="Tea", members=list(members))
        return self.services.chats.create(self.caller(maker), request)[0].chat

    def write(self, user: str, chat: str) -> None:
        """Write something to a chat."""
        self.services.messages.send(self.caller(user), chat, SendRequest("hi"))

    def sweep(self) -> int:
        """End expired connections, and return their number."""
        return self.services.realtime.leases.sweep()
