"""The queue of password hashes: a few run at once, and doubtful ones come after all others."""

from __future__ import annotations

import contextlib
import heapq
import threading
from collections.abc import Iterator

from chalicelib.errors import TooManyRequests

AT_ONCE = 2
"""Hashes of a process at once: each keeps a core busy for 25 ms and takes 19 MiB by the default settings."""
MOST_IN_DOUBT = 8
"""Passwords in doubt that may wait; fewer than the threads of infra/local/slow.py, so that some are left."""


class _Waiting:
    def __init__(self) -> None:
        self.turn = threading.Event()
        self.gave_way = False


class HashQueue:
    """Orders the hashes of a process by how doubtful they are; a wait is as short as the hashes before it.

    at_once: how many may run. most_in_doubt: how many of a doubt above 0 may wait; of one more, the most
    doubtful is refused, so a flood of guesses neither delays others nor keeps threads.
    """

    def __init__(self, at_once: int = AT_ONCE, most_in_doubt: int = MOST_IN_DOUBT) -> None:
        self._free = at_once
        self._most_in_doubt = most_in_doubt
        self._changing = threading.Lock()
        self._waiting: list[tuple[int, int, _Waiting]] = []
        self._count = 0

    @contextlib.contextmanager
    def turn(self, doubt: int = 0) -> Iterator[None]:
        """Wait for a turn, and have it for the block.

        doubt: 0, or how many guesses speak against it. Raises TooManyRequests, of a doubt above 0 alone.
        """
        waiting = self._entered(doubt)
        if waiting is not None:
            waiting.turn.wait()
            if waiting.gave_way:
                raise _busy()
        try:
            yield
        finally:
            self._leave()

    def _entered(self, doubt: int) -> _Waiting | None:
        """Take a free turn, or a place among those who wait."""
        with self._changing:
            if self._free:
                self._free -= 1
                return None
            if doubt:
                self._make_room(doubt)
            self._count += 1
            waiting = _Waiting()
            heapq.heappush(self._waiting, (doubt, self._count, waiting))
            return waiting

    def _make_room(self, doubt: int) -> None:
        in_doubt = [entry for entry in self._waiting if entry[0]]
        if len(in_doubt) < self._most_in_doubt:
            return
        last = max(in_doubt)
        if last[0] <= doubt:
            raise _busy()
        self._waiting.remove(last)
        heapq.heapify(self._waiting)
        last[2].gave_way = True
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
