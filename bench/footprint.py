"""The memory of a server's processes."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from bench.findings import Skipped

PROC = Path("/proc")
SHARE = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
PARENT = re.compile(r"^PPid:\s+(\d+)", re.MULTILINE)


def kibibytes(pid: int) -> dict[str, int]:
    """Return the memory of a process and all processes below it, in KiB, by name of their program.

    Shared memory counts proportionally (proportional set size, proc(5)).
    Raises Skipped without /proc.
    """
    if not PROC.is_dir():
        raise Skipped("Memory a connection takes is read from /proc, which this system does not have.")
    sizes: dict[str, int] = defaultdict(int)
    for process in processes(pid):
        rollup = (process / "smaps_rollup").read_text(encoding="ascii", errors="replace")
        program = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
        sizes[program] += sum(map(int, SHARE.findall(rollup)))
    return dict(sizes)


def processes(root: int) -> list[Path]:
    """Return the folders in /proc of a process and of all processes below it."""
    children: dict[int, list[int]] = defaultdict(list)
    for process in PROC.glob("[0-9]*"):
        try:
            parent = PARENT.search((process / "status").read_text(encoding="utf-8", errors="replace"))
        except OSError:  # the process has ended
            continue
        if parent is not None:
            children[int(parent.group(1))].append(int(process.name))
    found, waiting = [PROC / str(root)], [root]
    while waiting:
        below = children[waiting.pop()]
        found += [PROC / str(number) for number in below]
        waiting += below
    return found
