"""Whose clock the scripts go by: the store's, or the caller's on a store that tells scripts no time."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

import redis

from chalicelib.logs import LOGGER
from chalicelib.store.redis.nodes import Node
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

T = TypeVar("T")

ASK_TIME = Script("redis/ask_time")
NOT_TOLD = re.compile(
    "command is not allowed from script|command called from script"
    "|^The user executing the script can't run|^ACL failure in script"
)
"""What a store answers whose scripts may not call TIME: ElastiCache Serverless by public reports (see
docs/adr/0018-whose-clock.md); one without TIME; Redis 7.0 and others to a user who may not call it."""


class ScriptClock:
    """Chooses the clock, once, and tells scripts the time where the store does not.

    asks: whether to ask the store whether its scripts may call TIME; it is taken for granted otherwise.
    clock: this caller's, in nanoseconds since 1970.
    """

    def __init__(self, *, asks: bool = False, clock: Callable[[], int] = time.time_ns) -> None:
        self.chosen = not asks
        self._is_callers = False
        self._clock = clock

    def choose(self, node: Node, key: str) -> None:
        """Ask the store, in one round trip, and log which clock it is; may raise what the node raises.

        key: one that scripts may use; nothing is done with it.
        """
        asking: Query[Any] = Query(ASK_TIME, (key,))
        try:
            node.execute(asking.in_full, repeatable=True)
        except redis.ResponseError as error:
            if not NOT_TOLD.search(str(error)):
                raise
            self._is_callers = True
            LOGGER.warning({"event": "script_clock", "clock": "caller", "reason": str(error)})
        else:
            LOGGER.info({"event": "script_clock", "clock": "store"})
        self.chosen = True

    def timed(self, query: Query[T]) -> Query[T]:
        """Return a query as the store is to be asked it now."""
        return query.at(self._clock() // 1000) if self._is_callers else query
