"""The part of the sweep that trims messages which chats no longer keep."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from chalicelib.logs import log_failures
from chalicelib.services.messages.one_by_one import together
from chalicelib.store.messages.retention import Retention, Trimmed
from chalicelib.store.redis.client import Store

DUE_OF_PARTITION = 100
"""Maximum number of chats of each of the 256 partitions that one sweep trims."""
AT_ONCE = 50
"""Maximum number of chats that are trimmed together, in one round trip a step."""
BUDGET_SECONDS = 20.0
"""How long one sweep begins steps; the next sweep goes on."""


class RetentionSweep:
    """Trims chats step by step. Sweeps may run at once: a step is one script, and trims only what is due.

    monotonic: Returns seconds.
    """

    def __init__(
        self, store: Store, retention: Retention, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._retention = retention
        self._monotonic = monotonic

    def sweep(self) -> int:
        """Trim the chats that are due; return how many messages were trimmed.

        A chat that cannot be trimmed is logged, and stays for the next sweep. Raises StoreUnavailable.
        """
        end, trimmed = self._monotonic() + BUDGET_SECONDS, 0
        waiting = self._store.run(self._retention.due(DUE_OF_PARTITION))
        while waiting and self._monotonic() < end:
            part, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
            done = [step for steps in together(self._step, part, _log) for step in steps]
            trimmed += sum(step.messages for _, step in done)
            waiting += [chat for chat, step in done if step.more]
        return trimmed

    def _step(self, chats: Sequence[str]) -> list[tuple[str, Trimmed]]:
        """Make one step of each chat."""
        steps = self._store.run_all(self._retention.trim(chat) for chat in chats)
        return list(zip(chats, steps, strict=True))


def _log(chat: str, failure: Exception) -> None:
    log_failures("retention_pending", [({"chat": chat}, failure)])
