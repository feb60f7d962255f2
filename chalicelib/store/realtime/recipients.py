"""Where something goes that is never stored: a signal of a call, or that somebody is typing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from chalicelib.store import keys, partitions
from chalicelib.store.realtime.connection_results import Target, targets_of
from chalicelib.store.redis.query import Batch, Query
from chalicelib.store.redis.scripts import Script

READ_EPHEMERAL_RECIPIENTS = Script("realtime/read_ephemeral_recipients", spares_writes=True)
READ_ACCEPTING_USERS = Script("realtime/read_accepting_users")
KEPT_SECONDS = 24 * 3600
"""For which it is known that somebody has sent another a signal: longer than calls last."""
ACCEPTING = b"+"
"""Ends what is kept of the signals from one user to another, if one of them accepts calls."""


class Recipients(NamedTuple):
    """Where something may go.

    wait: µs until it may go to everybody who is connected; 0: it may go to all of them now.
    """

    targets: list[Target]
    wait: int


class EphemeralRecipients:
    """Connections of users, as far as another user may send to them. Its key, in the recipient's partition:

    `{u<NNN>}:signals:<recipient>:<sender>`: STRING, expires KEPT_SECONDS after its last write: how much is
        used of the bytes a minute that one user may send another in signals, as a limit's state (see
        lua/parts/gcra.lua); then `+`, if the sender has sent the recipient a signal that accepts calls.
    """

    @staticmethod
    def of(
        sender: str, handles: Iterable[str], size: int = 0, limit: int = 0, *, accepts: bool = False
    ) -> Batch[Recipients]:
        """Return the batch for where users are connected who do not block the sender.

        size: bytes of a signal, taken from what may go to each who is connected; 0: it is no signal.
        limit: of that, bytes a minute; 0: any. accepts: whether the signal accepts calls, see `accepts`.
        """
        args = (sender, limit, size, KEPT_SECONDS, int(accepts))
        return Batch(
            [_reading(sender, group, args) for group in partitions.by_partition(handles, each=4)], _joined
        )

    @staticmethod
    def accepted(chat: str) -> Query[list[str]]:
        """Return the query for who has accepted a chat: wrote in it, made it, or joined it by themselves."""
        return Query(READ_ACCEPTING_USERS, (keys.chat(chat), keys.read_states(chat)), (), _texts)

    @staticmethod
    def follows(follower: str, followed: str) -> Query[bool]:
        """Return the query for whether a user follows another."""
        return Query("ZMSCORE", (keys.following(follower),), (followed,), lambda reply: reply[0] is not None)

    @staticmethod
    def accepts(sender: str, recipient: str) -> Query[bool]:
        """Return the query for whether a user has sent another a signal that accepts calls.

        Within KEPT_SECONDS; a later one that does not accept any takes nothing back.
        """
        return Query("GET", (keys.signals(recipient, sender),), (), _is_accepting)


def _joined(parts: list[Recipients]) -> Recipients:
    targets = [target for part in parts for target in part.targets]
    return Recipients(targets, max((part.wait for part in parts), default=0))


def _reading(sender: str, handles: Sequence[str], args: tuple[str | int, ...]) -> Query[Recipients]:
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
    return Recipients(targets_of(json, protobuf), wait)


def _texts(reply: Sequence[bytes]) -> list[str]:
    return [text.decode() for text in reply]
