"""Samples the stacks of a process's main thread by its CPU time, if BENCH_SAMPLES names a folder.

Python imports this module at its start, if its folder is on PYTHONPATH. It knows nothing of bench: processes
of an earlier commit import it too. Each process keeps a file PID.json in the folder: a list of [stack, µs],
where a stack is the files of its frames from the innermost on.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import threading
import time
from pathlib import Path
from types import FrameType

FOLDER = os.environ.get("BENCH_SAMPLES")
PERIOD_SECONDS = 0.002
WRITE_SECONDS = 0.5
MAX_FRAMES = 40

Stack = tuple[str, ...]

_spent: dict[Stack, float] = {}
_last = 0.0


def stack_of(frame: FrameType | None) -> Stack:
    """Return the files of a frame and those that called it, without repetitions."""
    files = list[str]()
    for _ in range(MAX_FRAMES):
        if frame is None:
            break
        name = frame.f_code.co_filename
        if not files or files[-1] != name:
            files.append(name)
        frame = frame.f_back
    return tuple(files)


def _sample(_number: int, frame: FrameType | None) -> None:
    """Add this thread's CPU time since the last sample to the stack: the timer counts other threads too."""
    global _last  # noqa: PLW0603 # a handler of a signal has no object of its own
    now = time.thread_time()
    stack = stack_of(frame)
    _spent[stack] = _spent.get(stack, 0.0) + now - _last
    _last = now


def _begin(folder: Path) -> None:
    signal.signal(signal.SIGPROF, _sample)
    signal.setitimer(signal.ITIMER_PROF, PERIOD_SECONDS, PERIOD_SECONDS)
    atexit.register(signal.setitimer, signal.ITIMER_PROF, 0)  # or the end of Python would restore its default
    threading.Thread(target=_keep_writing, args=(folder,), daemon=True).start()


def _keep_writing(folder: Path) -> None:
    while True:
        time.sleep(WRITE_SECONDS)
        path = folder / f"{os.getpid()}.json"
        new = path.with_suffix(".new")
        with contextlib.suppress(OSError):  # the folder is gone: the measurement is over
            new.write_text(json.dumps([[stack, 1e6 * spent] for stack, spent in list(_spent.items())]))
            new.replace(path)


if FOLDER:
    _begin(Path(FOLDER))
    os.register_at_fork(after_in_child=lambda: _begin(Path(FOLDER or "")))
