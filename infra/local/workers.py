"""Granian's supervisor, which goes on when workers keep dying or cannot be started."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from granian.server import MPServer

from infra.local.backoff import Backoff
from infra.local.shutdown import Shutdown, warn


class Workers(MPServer):
    """Starts a worker again when it dies: at once, and later each time while it keeps dying.

    Until the server is ready, a worker that dies within seconds of being replaced ends it, as Granian does.
    """

    def __init__(self, shutdown: Shutdown, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._shutdown = shutdown
        self._backoffs: defaultdict[int, Backoff] = defaultdict(Backoff)

    def _respawn_workers(
        self, workers: Sequence[int], spawn_target: Any, target_loader: Any, delay: float = 0
    ) -> None:
        for index in workers:
            if self._shutdown.wait(self._delay(self._backoffs[index])):
                self.main_loop_interrupt.set()  # which may have been cleared since the end was requested
                return
            super()._respawn_workers([index], spawn_target, target_loader, delay)
            self._backoffs[index].started()
        if self._shutdown.is_ready:
            self.respawned_wrks.clear()  # with which it would find that one keeps dying, and end

    def _spawn_worker(self, *arguments: Any, **options: Any) -> Any:
        worker = super()._spawn_worker(*arguments, **options)
        start, watch = worker.inner.start, worker._watch

        def insist() -> None:
            self._insist(start)
            self._insist(watch)

        worker.start = insist  # type: ignore[method-assign]
        return worker

    def _insist(self, start: Callable[[], None]) -> None:
        """Start a process or a thread, and try again until the machine lets it."""
        backoff = Backoff()
        while True:
            try:
                return start()
            except (OSError, RuntimeError) as error:
                delay = backoff.failed()
                if backoff.is_news:
                    warn(f"A worker cannot be started: {error}. Trying until it starts.")
            if self._shutdown.wait(delay):
                self._stop_workers()  # type: ignore[no-untyped-call]
                sys.exit(0)

    def _delay(self, backoff: Backoff) -> float:
        delay = backoff.failed()
        if backoff.is_many:
            warn("A worker keeps dying; its output above says why. Starting it again each time.")
        return delay
