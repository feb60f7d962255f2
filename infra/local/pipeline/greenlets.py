"""Calls of handlers on the event loop: each in a greenlet, so that one that waits keeps no other waiting.

A handler is a plain function. Where it waits, it switches to the loop, which goes on with other calls and
switches back.
"""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from greenlet import GreenletExit, getcurrent, greenlet

from chalicelib.logs import LOGGER

T = TypeVar("T")

Done = Callable[[Any, BaseException | None], object]
"""Takes the result of a call, or the exception that it raised."""
THREADS = 16
MAX_IDLE = 256
"""Maximum number of greenlets that are kept for later calls: a new one costs its own stack, 8 µs."""
_ENDED = object()


class Call(greenlet):
    """A greenlet that runs a call, and later others; its parent is the greenlet of the loop.

    task: The function to call, its arguments, and `done`. ended: `done`, the result, and the exception.
    """

    task: Any = None
    ended: Any = None


class _Idle(threading.local):
    """The greenlets of a thread that wait for a call."""

    def __init__(self) -> None:
        self.calls: list[Call] = []


_idle = _Idle()


def start(function: Callable[..., Any], *arguments: Any, done: Done) -> None:
    """Call function(*arguments) in a greenlet, and `done` with its result or exception.

    `done` is called on the loop, and before this function returns if the call never waits. Nothing is raised.
    """
    caller, idle = getcurrent(), _idle.calls
    if caller.__class__ is Call:  # which would never be resumed if the new call waited
        asyncio.get_running_loop().call_soon(functools.partial(start, function, *arguments, done=done))
        return
    call = idle.pop() if idle and idle[-1].parent is caller else Call(_serve)
    call.task = function, arguments, done
    resume(call, None)


async def run(function: Callable[..., T], *arguments: Any) -> T:
    """Return function(*arguments), called in a greenlet; a caller that is cancelled does not end the call."""
    future = asyncio.get_running_loop().create_future()

    def done(result: T, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    start(function, *arguments, done=done)
    return await future  # type: ignore[no-any-return]


def current() -> Call | None:
    """Return the call that runs now; None: the code runs in a thread or on the loop itself."""
    call = getcurrent()
    return call if call.__class__ is Call else None


def wait() -> Any:
    """Let the loop go on until somebody resumes the current call, and return the value given with it."""
    return getcurrent().parent.switch(None)  # type: ignore[union-attr]


def resume(call: Call, value: object) -> None:
    """Go on with a call that waits, until it waits again or ends; only on the loop. Nothing is raised."""
    if call.switch(value) is _ENDED:
        _report(call)


def sleep(seconds: float) -> None:
    """Let the loop go on for some seconds; only in a call."""
    asyncio.get_running_loop().call_later(seconds, resume, _this(), None)
    wait()


def pause(seconds: float) -> None:
    """Return after some seconds, in which the loop goes on if the code runs in a call; see pauses.install."""
    (time.sleep if current() is None else sleep)(seconds)


def result(future: asyncio.Future[T]) -> T:
    """Return the result of a future, or raise its exception, when it is done; only in a call."""
    call = _this()
    future.add_done_callback(lambda _: resume(call, None))
    wait()
    return future.result()


def outcome(future: Future[T], seconds: float) -> T:
    """Return the result of a thread, while the loop goes on if the code runs in a call; see waits.install."""
    if current() is None:
        return future.result(seconds)
    return result(asyncio.ensure_future(asyncio.wait_for(asyncio.wrap_future(future), seconds)))


@functools.cache
def threads() -> ThreadPoolExecutor:
    """Return the threads of this process for what blocks."""
    return ThreadPoolExecutor(THREADS, "blocking-call")


def _this() -> Call:
    call = current()
    if call is None:
        raise RuntimeError("only a call can let the loop go on")
    return call


def _serve(_: object) -> object:
    """Run the tasks of a greenlet, and wait for the next one in between, with nothing kept of the last."""
    call, idle = _this(), _idle.calls
    while True:
        function, arguments, done = call.task
        call.task = None
        try:
            call.ended = done, function(*arguments), None
        except GreenletExit:
            raise
        except BaseException as error:
            call.ended = done, None, error
        del function, arguments, done
        if len(idle) >= MAX_IDLE:
            return _ENDED
        idle.append(call)
        call.parent.switch(_ENDED)  # type: ignore[union-attr]


def _report(call: Call) -> None:
    """Give the result of a call to its `done`."""
    done, result, error = call.ended
    call.ended = None
    try:
        done(result, error)
    except Exception:
        LOGGER.exception({"event": "defect", "route": "after a call"})
