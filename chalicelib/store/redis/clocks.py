"""The clock of the scripts: the store's, or the caller's if the store's scripts may not read the time."""

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
TIME_REFUSED = re.compile(
    "command is not allowed from script|command called from script"
    "|^The user executing the script can't run|^ACL failure in script"
)
"""Replies of stores whose scripts may not call TIME: of ElastiCache Serverless by public reports (see
docs/adr/0018-whose-clock.md), of stores without TIME, and of others to a user without permission."""


class ScriptClock:
    """Chooses the clock once, and passes the caller's time to scripts that cannot read the store's.

    asks: Whether to test if the store's scripts may call TIME; False: they may. clock: The caller's, ns since
    1970.
    """

    def __init__(self, *, asks: bool = False, clock: Callable[[], int] = time.time_ns) -> None:
        self.chosen = not asks
        self._is_callers = False
        self._clock = clock

    def choose(self, node: Node, key: str) -> None:
        """Test the store in one round trip, and log the chosen clock; raises the errors of the node.

        key: Any key that scripts may use; it is neither read nor written.
        """
        asking: Query[Any] = Query(ASK_TIME, (key,))
        try:
            node.execute(asking.in_full, repeatable=True)
        except redis.ResponseError as error:
            if not TIME_REFUSED.search(str(error)):
                raise
            self._choose_callers(str(error))
        else:
            self._choose_stores()

    def _choose_callers(self, reason: str) -> None:
        if not self.chosen:  # by another call, which asked at the same time
            self.chosen = self._is_callers = True
            LOGGER.warning({"event": "script_clock", "clock": "caller", "reason": reason})

    def _choose_stores(self) -> None:
        if not self.chosen:
            self.chosen = True
            LOGGER.info({"event": "script_clock", "clock": "store"})

    def timed(self, query: Query[T]) -> Query[T]:
        """Return a query with the caller's time if the scripts need it."""
        return query.at(self._clock() // 1000) if self._is_callers else query
