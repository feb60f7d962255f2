"""Runs a program that gets SIGTERM when the process that starts it dies, however that happens.

`python -I -S leash.py PARENT PROGRAM ARGUMENT…`; PARENT is the id of that process. The program takes the
place of this one, so it has the id that its parent knows. It needs the standard library alone.
"""

from __future__ import annotations

import os
import signal
import sys
import time

PR_SET_PDEATHSIG = 1  # linux/prctl.h
POLL_SECONDS = 0.5


def main() -> None:
    """Tie this process to its parent and become the program."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if not (sys.platform == "linux" and _tied_by_kernel()):
        _watch(parent)
    if os.getppid() != parent:  # it died before the tie held
        sys.exit(1)
    os.execv(program[0], program)  # noqa: S606 - no shell is wanted


def _tied_by_kernel() -> bool:
    import ctypes

    return bool(ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM) == 0)


def _watch(parent: int) -> None:
    """Leave a child behind that ends this process after its parent."""
    program = os.getpid()
    if os.fork():
        return
    while os.getppid() == program:
        if not _is_alive(parent):
            os.kill(program, signal.SIGTERM)
            break
        time.sleep(POLL_SECONDS)
    os._exit(0)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()
