"""The queue of password hashes: few run at once, and suspicious ones run last."""

from __future__ import annotations

import contextlib
import heapq
import threading
from collections.abc import Iterator

from chalicelib.errors import TooManyRequests

AT_ONCE = 2
"""Hashes that a process runs at once; each takes a core for 25 ms, and 19 MiB, by the default settings."""
MAX_WAITING_IN_DOUBT = 8
"""Maximum number of waiting hashes with a doubt; below the number of threads of infra/local/slow.py."""


class _Waiting:
    def __init__(self) -> None:
        self.turn = threading.Event()
        self.is_refused = False


class HashQueue:
    """Orders the hashes of a process by their doubt.

    A doubt is the number of failed attempts that speak against a password. A flood of guesses neither delays
    other logins nor keeps threads: when too many wait, the one with the highest doubt is refused.

    at_once: Maximum number of hashes that run at once.
    max_waiting_in_doubt: Maximum number of waiting hashes with a doubt above 0.
    """

    def __init__(self, at_once: int = AT_ONCE, max_waiting_in_doubt: int = MAX_WAITING_IN_DOUBT) -> None:
        self._free = at_once
        self._max_waiting_in_doubt = max_waiting_in_doubt
        self._changing = threading.Lock()
        self._waiting: list[tuple[int, int, _Waiting]] = []
        self._count = 0

    @contextlib.contextmanager
    def turn(self, doubt: int = 0) -> Iterator[None]:
        """Wait for a turn, and hold it for the block.

        doubt: Number of failed attempts. Raises TooManyRequests, for a doubt above 0 only.
        """
        waiting = self._enter(doubt)
        if waiting is not None:
            waiting.turn.wait()
            if waiting.is_refused:
                raise _busy()
        try:
            yield
        finally:
            self._leave()

    def _enter(self, doubt: int) -> _Waiting | None:
        """Take a free turn, or join the waiting ones."""
        with self._changing:
            if self._free:
                self._free -= 1
                return None
            if doubt:
                self._make_room_for(doubt)
            self._count += 1
            waiting = _Waiting()
            heapq.heappush(self._waiting, (doubt, self._count, waiting))
            return waiting

    def _make_room_for(self, doubt: int) -> None:
        in_doubt = [entry for entry in self._waiting if entry[0]]
        if len(in_doubt) < self._max_waiting_in_doubt:
            return
        last = max(in_doubt)
        if last[0] <= doubt:
            raise _busy()
        self._waiting.remove(last)
        heapq.heapify(self._waiting)
        last[2].is_refused = True
        last[2].turn.set()

    def _leave(self) -> None:
        with self._changing:
            if self._waiting:
                heapq.heappop(self._waiting)[2].turn.set()
            else:
                self._free += 1


def _busy() -> TooManyRequests:
    return TooManyRequests(
        "Too many logins are being tried from your address or for this name. Try again in 1 s.",
        headers={"Retry-After": "1"},
    )
