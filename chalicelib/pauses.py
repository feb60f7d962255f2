"""Pauses within a call, in which a process with an event loop does something else."""

from __future__ import annotations

import time
from collections.abc import Callable

_installed: list[Callable[[float], object]] = []


def install(pause: Callable[[float], object] | None) -> None:
    """Install this process's own way to pause; None: block the thread again."""
    _installed[:] = [] if pause is None else [pause]


def pause(seconds: float) -> None:
    """Return after some seconds."""
    (_installed[0] if _installed else time.sleep)(seconds)
