"""Orders: what one process of the server has a worker do with connections, and how they are packed."""

from __future__ import annotations

import enum
import struct
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

HEAD = struct.Struct("!I")
"""The length that stands before each batch of orders, and before each answer."""


class Kind(enum.IntEnum):
    """The kinds of orders about connections; the last three get an answer."""

    PUSH = 0
    CLOSE = 1
    POST = 2
    GET = 3
    DELETE = 4


class Order(NamedTuple):
    """Something to do with connections of one worker.

    data: a frame to send them, or a packed CloseReason. droppable: see OutgoingFrame.
    """

    kind: int
    connections: Sequence[str]
    data: bytes
    droppable: bool = False


def packed(orders: Sequence[Order]) -> bytes:
    """Return orders as they cross to a worker."""
    batch = msgspec.msgpack.encode(orders)
    return HEAD.pack(len(batch)) + batch
