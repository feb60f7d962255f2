"""Waits for the next job in the store's list of jobs."""

from __future__ import annotations

import threading

import msgspec
import redis
from redis.exceptions import RedisClusterException

from chalicelib.config import Settings
from chalicelib.store import keys
from chalicelib.store.redis.nodes import ClusterNodes, Node, SingleNode

MAX_SECONDS, MIN_SECONDS = 1.0, 0.01
LOOK_SECONDS = 0.03


class JobWait:
    """Waits until the list has a job, on a connection of its own, as a long poll of SQS does.

    BLMOVE from the head of the list to the head of the list waits and removes nothing, so no job is lost with
    a reply. The permissions in docs/redis.md do not include commands that wait, as no request should make
    one: for a user with only those, the list is read every LOOK_SECONDS instead.
    """

    def __init__(self, settings: Settings) -> None:
        # A cluster's node gets half of it: the wait, and as long again as the settings give the store.
        patient = msgspec.structs.replace(settings, redis_timeout=2 * (MAX_SECONDS + settings.redis_timeout))
        self._node: Node = ClusterNodes(patient) if settings.redis_cluster else SingleNode(patient)
        self._may_wait = True

    def wait(self, seconds: float, ended: threading.Event) -> None:
        """Return when there is a job, or after some seconds; at once or soon when the store fails."""
        seconds = min(seconds, MAX_SECONDS)
        if seconds > MIN_SECONDS and self._may_wait and self._waited(seconds):
            return
        ended.wait(min(max(seconds, 0.0), LOOK_SECONDS))

    def _waited(self, seconds: float) -> bool:
        key = keys.jobs()
        try:
            self._node.execute(("BLMOVE", key, key, "LEFT", "LEFT", f"{seconds:.3f}"), repeatable=True)
        except redis.exceptions.NoPermissionError:
            self._may_wait = False
        except (redis.RedisError, RedisClusterException):
            pass  # the next read of the list reports it
        else:
            return True
        return False
