"""Connections that send any bytes, and the server's frames before it closes them."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
from typing import Any, NamedTuple, Self

from tests.local.raw_http import Peer
from tests.realtime import document_check

UPGRADE = (
    "Host: 127.0.0.1",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
MASK = b"\x00\x00\x00\x00"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
MIDDLE, LARGE = 126, 127


class Piece(NamedTuple):
    """A WebSocket frame (RFC 6455, 5.2), right or wrong.

    length: what it says to have; None: the truth. size: of the field for that: 7, 16 or 64 bits; 0: as
    short as it can be.
    """

    opcode: int
    payload: bytes = b""
    fin: bool = True
    reserved: int = 0
    masked: bool = True
    length: int | None = None
    size: int = 0

    def bytes(self) -> bytes:
        """Return the frame's bytes."""
        length = len(self.payload) if self.length is None else self.length
        size = self.size or (7 if length < MIDDLE else 16 if length < 2**16 else 64)
        field = {7: min(length, MIDDLE - 1), 16: MIDDLE, 64: LARGE}[size]
        head = struct.pack("!BB", self.fin << 7 | self.reserved << 4 | self.opcode, self.masked << 7 | field)
        more = {7: b"", 16: struct.pack("!H", length % 2**16), 64: struct.pack("!Q", length)}[size]
        return head + more + (MASK if self.masked else b"") + self.payload


class End(NamedTuple):
    """What a server said; code: of its close frame; None: it sent none."""

    frames: list[dict[str, Any]]
    pongs: list[bytes]
    code: int | None


class Rude:
    """One connection whose bytes are ours; small_window: whether the kernel keeps little of what comes."""

    def __init__(
        self, port: int, user: str, *, small_window: bool = False, protocol: str | None = None
    ) -> None:
        self.peer = Peer(port)
        if small_window:
            self.peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        asked = () if protocol is None else (f"Sec-WebSocket-Protocol: {protocol}",)
        self.peer.send(f"GET /?user={user} HTTP/1.1", *UPGRADE, *asked)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.peer.socket.recv(1)
        assert head.startswith(b"HTTP/1.1 101 "), head

    def send(self, *pieces: Piece | bytes) -> None:
        """Send frames or bytes; the server may have closed the connection by then."""
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                self.peer.socket.sendall(piece if isinstance(piece, bytes) else piece.bytes())

    def end(self) -> End:
        """Send nothing more, and return the server's frames until it closes the connection, too."""
        with contextlib.suppress(OSError):
            self.peer.socket.shutdown(socket.SHUT_WR)
        data = b""
        with contextlib.suppress(ConnectionError):
            while more := self.peer.socket.recv(65_536):
                data += more
        return _read(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.peer.__exit__(None, None, None)


def _read(data: bytes) -> End:
    """Read a server's frames, the last perhaps incomplete, and check that they are as documented."""
    frames: list[dict[str, Any]] = []
    pongs: list[bytes] = []
    at = 0
    while at + 2 <= len(data):
        first, length = data[at], data[at + 1]
        width = {MIDDLE: 2, LARGE: 8}.get(length, 0)
        at += 2
        if width:
            length = int.from_bytes(data[at : at + width])
        payload = data[at + width : at + width + length]
        at += width + length
        if at > len(data):
            break
        assert first >> 4 == 8, f"a server's frame begins with {first:#x}"
        if first & 15 == CLOSE:
            return End(frames, pongs, int.from_bytes(payload[:2]) if payload else 1005)
        if first & 15 == PONG:
            pongs.append(payload)
        else:
            frames.append(json.loads(payload))
            document_check.check(frames[-1])
    return End(frames, pongs, None)
