"""Gives up connections whose clients leave too much of what they were sent unread."""

from __future__ import annotations

from collections import defaultdict

from infra.local.sockets.connection import Connection
from infra.local.sockets.shared import Limits


class Unread:
    """Holds the connections of a worker to what one of them, and all of one user's, may leave unread."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._of_user: defaultdict[str, set[Connection]] = defaultdict(set)

    def opened(self, connection: Connection) -> None:
        """Take note of a connection; without a user it is held to its own limit only."""
        if connection.user:
            self._of_user[connection.user].add(connection)

    def gone(self, connection: Connection) -> None:
        """Take note that a connection has ended."""
        if connection.user and (others := self._of_user.get(connection.user)):
            others.discard(connection)
            if not others:
                del self._of_user[connection.user]

    def grew(self, connection: Connection) -> None:
        """Give up a connection, or those of its user that leave the most unread, if it is too much."""
        if connection.unread > self._limits.unread_bytes:
            connection.give_up()
            return
        behind = [one for one in self._of_user.get(connection.user, ()) if one.behind]
        behind.sort(key=lambda one: one.unread)
        total = sum(one.unread for one in behind)
        while total > self._limits.user_unread_bytes:
            worst = behind.pop()
            total -= worst.unread
            worst.give_up()
