"""One connection of a user, as a client has it."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from chalicelib.schemas.message_pb2 import Message
from tests.realtime import document_check

Frame = dict[str, Any]
PROTOBUF = "parley.protobuf"
WAIT_SECONDS = 60.0
CLOSE_SECONDS = 2.0
OWN = "parley."


def opened(
    url: str, *, headers: Mapping[str, str] | None = None, protocol: str | None = None
) -> AbstractContextManager[ClientConnection]:
    """Open a WebSocket for a context; raises InvalidStatus when it is refused."""
    return connect(
        url,
        additional_headers=headers,
        subprotocols=[Subprotocol(protocol)] if protocol else None,
        compression=None,
        proxy=None,
        open_timeout=WAIT_SECONDS,
        close_timeout=CLOSE_SECONDS,
        max_size=None,
    )


class Device:
    """Sends frames, checks that those it gets are documented, and keeps those that nobody asked for yet.

    wraps: whether frames go as protobuf Messages of the type `parley.…`.
    """

    def __init__(self, socket: ClientConnection, *, wraps: bool = False) -> None:
        self.socket = socket
        self._wraps = wraps
        self._kept: list[Frame] = []
        self._refs = map(str, itertools.count(1))

    def raw(self, content: str | bytes) -> None:
        """Send anything."""
        self.socket.send(content)

    def say(self, type: str, **fields: Any) -> str:  # noqa: A002 # as the frame has it
        """Send a frame with a new ref, and return that."""
        frame = {"type": type, "ref": next(self._refs), **fields}
        text = json.dumps(frame)
        self.raw(text if not self._wraps else wrapped(Message(type=OWN + type, content=text)))
        return str(frame["ref"])

    def ask(self, type: str, **fields: Any) -> Frame:  # noqa: A002
        """Send a frame and return the one that answers it."""
        ref = self.say(type, **fields)
        return self._next(lambda frame: frame.get("ref") == ref)

    def hello(self, version: str | None = None, **fields: Any) -> list[Frame]:
        """Say hello, and return the `sync` frames once the server is ready."""
        ref = self.say("hello", **fields, **({} if version is None else {"version": version}))
        answers: list[Frame] = []
        while not answers or answers[-1]["type"] != "ready":
            answers.append(self._next(lambda frame: frame.get("ref") == ref))
            assert answers[-1]["type"] in ("sync", "ready"), answers[-1]
        return answers[:-1]

    def expect(self, type: str, **fields: Any) -> Frame:  # noqa: A002
        """Return the first frame of a type, kept or next, that has some fields."""
        return self._next(lambda frame: frame["type"] == type and fields.items() <= frame.items())

    def kept(self, *types: str) -> list[Frame]:
        """Return unrequested frames of some types that arrived before the pong of a ping."""
        assert self.ask("ping")["type"] == "pong"
        return [frame for frame in self._kept if frame["type"] in types]

    def receive(self) -> str | bytes:
        """Return the next frame as it is on the wire; raises ConnectionClosed or TimeoutError."""
        return self.socket.recv(timeout=WAIT_SECONDS)

    def close_code(self) -> int:
        """Return the server's close code, skipping earlier frames."""
        try:
            while True:
                self.receive()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006

    def close(self) -> None:
        """Close the WebSocket, if it is open."""
        self.socket.close()

    def _next(self, fits: Any) -> Frame:
        for position, frame in enumerate(self._kept):
            if fits(frame):
                return self._kept.pop(position)
        while not fits(frame := self._received()):
            self._kept.append(frame)
        return frame

    def _received(self) -> Frame:
        text = self.receive()
        assert isinstance(text, str)
        if self._wraps:
            message = unwrapped(text)
            if not message.type.startswith(OWN):
                return {"type": "protobuf", "message": message}
            text = message.content
        frame: Frame = json.loads(text)
        document_check.check(frame)
        return frame


def wrapped(message: Message) -> str:
    """Return a Message as a text frame."""
    return base64.b64encode(message.SerializeToString()).decode()


def unwrapped(text: str) -> Message:
    """Return the Message of a text frame."""
    return Message.FromString(base64.b64decode(text, validate=True))
