"""Waits for other threads within a call, in which a process with an event loop does something else."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

_installed: list[Callable[[Future[Any], float], Any]] = []


def install(wait: Callable[[Future[Any], float], Any] | None) -> None:
    """Install this process's own way to wait; None: block the thread again."""
    _installed[:] = [] if wait is None else [wait]


def outcome(future: Future[T], seconds: float) -> T:
    """Return the result of a future, or raise its exception; TimeoutError if it takes longer."""
    if _installed:
        return _installed[0](future, seconds)  # type: ignore[no-any-return]
    return future.result(seconds)
