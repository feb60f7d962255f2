"""The CPU time of a server's processes, by what they are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from bench.findings import Skipped
from bench.footprint import PROC, processes

TICK_MICROSECONDS = 1e6 / os.sysconf("SC_CLK_TCK")
STORE = "valkey-server"
FIRST_FIELD = 2
"""Number of fields of /proc/PID/stat up to the program's name, which may have spaces; see proc(5)."""
USER, SYSTEM = 13 - FIRST_FIELD, 14 - FIRST_FIELD


class CpuTime(NamedTuple):
    """CPU time in µs: of the store, and of the other processes' main threads and other threads."""

    main: float
    others: float
    store: float

    def since(self, before: CpuTime) -> CpuTime:
        """Return the time since an earlier reading."""
        return CpuTime(*(now - then for now, then in zip(self, before, strict=True)))


def cpu_time(pid: int) -> CpuTime:
    """Return the CPU time of a process and of all processes below it; raises Skipped without /proc."""
    if not PROC.is_dir():
        raise Skipped("CPU time of processes, because it is read from /proc, which this system lacks.")
    main = others = store = 0.0
    for process in processes(pid):
        by_thread = {thread.name: _microseconds(thread) for thread in (process / "task").iterdir()}
        if (process / "comm").read_text(encoding="utf-8").strip() == STORE:
            store += sum(by_thread.values())
        else:
            main += by_thread.pop(process.name, 0.0)
            others += sum(by_thread.values())
    return CpuTime(main, others, store)


def _microseconds(thread: Path) -> float:
    try:
        stat = (thread / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:  # the thread has ended
        return 0.0
    fields = stat.rpartition(")")[2].split()
    return (int(fields[USER]) + int(fields[SYSTEM])) * TICK_MICROSECONDS
