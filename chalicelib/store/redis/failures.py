"""What the errors of the store's client mean."""

from __future__ import annotations

import redis
from redis.exceptions import RedisClusterException

BREAKING = (redis.TimeoutError, RedisClusterException)
# What a server answers that is there but cannot serve; after any of it nothing was written. redis-py has
# classes for some of these answers, and cuts the code off their text.
REFUSALS = (redis.exceptions.ClusterError, redis.exceptions.ReadOnlyError, redis.exceptions.TryAgainError)
REFUSAL_CODES = ("BUSY", "NOREPLICAS")
FULL_CODE = "MISCONF"
"""What a server answers to writes that its disk does not take."""
WRITE_REFUSALS = (FULL_CODE, "NOREPLICAS")
"""What a server answers to writes alone, and to scripts that do not say that they only read."""


def is_full(error: object) -> bool:
    """Return whether a store that is full answers so."""
    return isinstance(error, redis.exceptions.OutOfMemoryError) or str(error).startswith(FULL_CODE)


def refuses_writes(reply: object) -> bool:
    """Return whether a store that refuses writes, and may well read, answers so."""
    if not isinstance(reply, redis.ResponseError):
        return False
    return is_full(reply) or str(reply).startswith(WRITE_REFUSALS)


def is_outage(error: Exception) -> bool:
    """Return whether the store is not there, or cannot serve."""
    kinds = (*BREAKING, redis.ConnectionError, *REFUSALS)
    return isinstance(error, kinds) or str(error).startswith(REFUSAL_CODES)
