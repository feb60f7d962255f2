"""Commands that a call has asked the store, and what becomes of them."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

import redis

from infra.local.pipeline import greenlets

E = TypeVar("E", bound=BaseException)
UNANSWERED: Any = object()
_NONE: list[Any] = []


class Asked:
    """Commands of one call, which go out together, and whose replies come back together.

    packed: The commands, as they are sent. count: Their number. repeatable: Whether they may run twice.
    call: The call to resume with the reply; None: nobody waits yet. replies: Those of several commands that
    have come so far. reply: That of one command, the list of several, or the exception that ended the wait.
    """

    __slots__ = ("call", "count", "is_second", "packed", "repeatable", "replies", "reply")

    def __init__(self, call: greenlets.Call | None, packed: bytes, count: int, *, repeatable: bool) -> None:
        self.call = call
        self.packed = packed
        self.count = count
        self.repeatable = repeatable
        self.is_second = False
        self.replies: list[Any] = [] if count > 1 else _NONE
        self.reply = UNANSWERED

    def settle(self, reply: Any) -> None:
        """Give the call its reply or an exception."""
        if self.call is None:
            self.reply = reply
        else:
            greenlets.resume(self.call, reply)

    def wait(self, call: greenlets.Call) -> Any:
        """Return the reply of commands that were asked without a call."""
        if self.reply is not UNANSWERED:
            return self.reply
        self.call = call
        return greenlets.wait()

    def may_repeat(self, error: Exception) -> bool:
        """Return whether they are to be asked once more after an error, and count that."""
        if self.is_second or not self.repeatable or not is_lost(error):
            return False
        self.is_second = True
        self.replies = []
        return True


def is_lost(error: BaseException) -> bool:
    """Return whether an error says that a connection broke, or answers nothing yet."""
    return isinstance(error, redis.ConnectionError) and not isinstance(error, redis.AuthenticationError)


def another(error: E) -> E:
    """Return the same error for another call, which adds a traceback of its own."""
    try:
        made = copy.copy(error)
    except TypeError:  # its class takes other arguments than it keeps
        return error
    made.__cause__, made.__context__ = error.__cause__, error.__context__
    return made
