"""The recipients of frames that are never stored: signals of calls and typing notices."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from chalicelib.store import keys
from chalicelib.store.realtime.connection_results import Recipient, recipients_of
from chalicelib.store.redis.query import Query, UserBatch, of_users
from chalicelib.store.redis.scripts import Script

READ_EPHEMERAL_RECIPIENTS = Script("realtime/read_ephemeral_recipients", spares_writes=True)
READ_ACCEPTING_USERS = Script("realtime/read_accepting_users")
KEPT_SECONDS = 24 * 3600
"""Time after the last signal from one user to another for which it is known: longer than calls last."""
ACCEPTING = b"+"
"""The end of the record of signals from one user to another, if one of them accepts calls."""


class Recipients(NamedTuple):
    """The connections that may receive a frame.

    wait: µs until the frame may go to all connected users; 0: it may go to all of them now.
    """

    connections: list[Recipient]
    wait: int


class EphemeralRecipients:
    """Connections of users to which another user may send. The key, in the recipient's partition:

    `{u<NNN>}:signals:<recipient>:<sender>`: STRING, expires KEPT_SECONDS after its last write: the state of
        the limit on bytes a minute that one user may send another in signals (see lua/parts/gcra.lua); then
        `+`, if the sender has sent the recipient a signal that accepts calls.
    """

    @staticmethod
    def of(
        sender: str, handles: Iterable[str], size: int = 0, limit: int = 0, *, accepts: bool = False
    ) -> UserBatch[Recipients]:
        """Return the batch for the connections of users who do not block the sender.

        size: Bytes of a signal, counted against the limit of each connected user; 0: no signal.
        limit: Maximum bytes of signals a minute; 0: no limit. accepts: Whether the signal accepts calls, see
        `accepts`.
        """
        args = (sender, limit, size, KEPT_SECONDS, int(accepts))
        return of_users(handles, 4, functools.partial(_reading, sender, args), _joined)

    @staticmethod
    def accepted(chat: str) -> Query[list[str]]:
        """Return the query for the users who have accepted a chat: wrote in it, made it, or joined it."""
        return Query(READ_ACCEPTING_USERS, (keys.chat(chat), keys.read_states(chat)), (), _texts)

    @staticmethod
    def follows(follower: str, followed: str) -> Query[bool]:
        """Return the query for whether a user follows another."""
        return Query("ZMSCORE", (keys.following(follower),), (followed,), lambda reply: reply[0] is not None)

    @staticmethod
    def accepts(sender: str, recipient: str) -> Query[bool]:
        """Return the query for whether a user has sent another a signal that accepts calls.

        Signals count for KEPT_SECONDS; a later signal that does not accept calls changes nothing.
        """
        return Query("GET", (keys.signals(recipient, sender),), (), _is_accepting)


def _joined(parts: list[Recipients]) -> Recipients:
    connections = [one for part in parts for one in part.connections]
    return Recipients(connections, max((part.wait for part in parts), default=0))


def _reading(sender: str, args: tuple[str | int, ...], handles: Sequence[str]) -> Query[Recipients]:
    named = [
        key
        for handle in handles
        for key in (
            keys.user(handle),
            keys.user_connections(handle),
            keys.blocked(handle),
            keys.signals(handle, sender),
        )
    ]
    return Query(READ_EPHEMERAL_RECIPIENTS, tuple(named), args, _reached)


def _is_accepting(state: bytes | None) -> bool:
    return state is not None and state.endswith(ACCEPTING)


def _reached(reply: list[Any]) -> Recipients:
    json, protobuf, wait = reply
    return Recipients(recipients_of(json, protobuf), wait)


def _texts(reply: Sequence[bytes]) -> list[str]:
    return [text.decode() for text in reply]
