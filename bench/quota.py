"""Limiting another process to a share of a core, as Lambda does, by pausing it when it has used its share."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator

LAMBDA_CORE_MEGABYTES = 1769
"""Memory of a function with a whole core. Source: "Configure Lambda function memory", Lambda guide."""
PERIOD_SECONDS = 0.02
"""Seconds of a scheduling period, in which a process may use its share at once; Lambda's are as long."""
POLL_SECONDS = 0.001


def share(megabytes: int) -> float:
    """Return the share of a core of a function with this memory, in MB."""
    return min(1.0, megabytes / LAMBDA_CORE_MEGABYTES)


@contextlib.contextmanager
def limited(pid: int, part: float) -> Iterator[None]:
    """Limit a process to a share of one core within the block; afterwards it runs."""
    os.sched_setaffinity(pid, {max(os.sched_getaffinity(0))})
    over = threading.Event()
    guard = threading.Thread(target=_guard, args=(pid, part, over))
    guard.start()
    try:
        yield
    finally:
        over.set()
        guard.join()


def _guard(pid: int, part: float, over: threading.Event) -> None:
    clock = _cpu_clock(pid)
    start, used = time.monotonic(), time.clock_gettime(clock)
    while not over.wait(POLL_SECONDS):
        allowed = part * (time.monotonic() - start + PERIOD_SECONDS)
        is_over = time.clock_gettime(clock) - used > allowed
        os.kill(pid, signal.SIGSTOP if is_over else signal.SIGCONT)
    os.kill(pid, signal.SIGCONT)


def _cpu_clock(pid: int) -> int:
    """Return the clock of a process's CPU time; see clock_getcpuclockid(3)."""
    return (~pid << 3) | 2
