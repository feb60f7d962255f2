"""Calls in greenlets overlap, end in their own results, and let nothing out onto the loop."""

from __future__ import annotations

import asyncio
import gc
import weakref
from functools import partial
from typing import Any

import pytest
from chalice.app import Chalice, Request, Response

from infra.local.events import LambdaContext
from infra.local.pipeline import greenlets

pytestmark = pytest.mark.anyio

CALLERS = 20
Ends = list[tuple[Any, BaseException | None]]


def end(ends: Ends) -> greenlets.Done:
    """Return a function that records how a call ends."""
    return lambda result, error: ends.append((result, error))


async def test_end_of_call_that_never_waits_is_reported_before_start_returns() -> None:
    """The result of a call without a wait is there at once."""
    ends: Ends = []
    greenlets.start(divmod, 7, 2, done=end(ends))
    assert ends == [((3, 1), None)]


async def test_exception_of_call_is_reported_and_not_raised() -> None:
    """An exception reaches `done`, before a wait and after one, and nothing else."""
    ends: Ends = []

    def fail_later() -> None:
        greenlets.sleep(0)
        raise LookupError("later")

    greenlets.start(divmod, 1, 0, done=end(ends))
    greenlets.start(fail_later, done=end(ends))
    await asyncio.sleep(0.01)
    assert [type(error) for _, error in ends] == [ZeroDivisionError, LookupError]


async def test_failing_done_harms_no_other_call(caplog: pytest.LogCaptureFixture) -> None:
    """An exception of `done` is logged; the loop and other calls go on."""

    def fail(result: object, error: BaseException | None) -> None:
        raise RuntimeError("done fails")

    greenlets.start(str, 1, done=fail)
    assert await greenlets.run(str, 2) == "2"
    assert "done fails" in caplog.text


async def test_calls_wait_side_by_side() -> None:
    """A call that waits lets others begin and end, in the order that they are resumed."""
    order: list[int] = []

    def call(number: int) -> None:
        greenlets.sleep(0.03 - number / 100)
        order.append(number)

    await asyncio.gather(*(greenlets.run(call, number) for number in range(3)))
    assert order == [2, 1, 0]


async def test_call_started_by_call_is_resumed_by_loop() -> None:
    """A call that another call starts runs on its own; neither waits for the other."""
    ends: Ends = []

    def inner() -> str:
        greenlets.sleep(0)
        return "inner"

    def outer() -> str:
        greenlets.start(inner, done=end(ends))
        return "outer"

    assert await greenlets.run(outer) == "outer"
    await asyncio.sleep(0.01)
    assert ends == [("inner", None)]


async def test_call_waits_for_future() -> None:
    """A call waits for a future, whose result or exception it gets, while the loop goes on."""
    first, second = (asyncio.get_running_loop().create_future() for _ in range(2))
    waiting = [asyncio.create_task(greenlets.run(greenlets.result, one)) for one in (first, second)]
    await asyncio.sleep(0)
    first.set_result(1)
    second.set_exception(LookupError())
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert (answers[0], type(answers[1])) == (1, LookupError)


async def test_pause_of_call_keeps_no_other_call_waiting() -> None:
    """A pause in a call lets others run; in a thread it blocks the thread."""
    order: list[str] = []

    def call() -> None:
        greenlets.pause(0.01)
        order.append("paused")

    paused = asyncio.create_task(greenlets.run(call))
    await asyncio.sleep(0)
    order.append("other")
    await asyncio.gather(paused, asyncio.to_thread(call))
    assert order == ["other", "paused", "paused"]


async def test_greenlet_is_kept_for_later_calls_and_holds_nothing() -> None:
    """A call takes the greenlet of an ended one, which keeps neither arguments, results nor exceptions."""
    seen: list[greenlets.Call | None] = []

    class Value:
        pass

    def call(value: Value, *, fails: bool) -> Value:
        seen.append(greenlets.current())
        if fails:
            raise LookupError(value)
        return Value()

    value = Value()
    kept = weakref.WeakSet([value])

    def done(result: Value | None, error: BaseException | None) -> None:
        if result is not None:
            kept.add(result)

    for fails in (False, True):
        greenlets.start(partial(call, fails=fails), value, done=done)
    del value
    gc.collect()
    assert seen[0] is seen[1]
    assert len(kept) == 0


async def test_20_overlapping_calls_read_their_own_request() -> None:
    """Chalice gives its middleware the request of its own call, which stays so after others have begun."""
    app = Chalice(app_name="overlapping", configure_logs=False)

    def answer(request: Request, get_response: object) -> Response:
        seen = []
        for _ in range(3):
            seen.append(request.headers["x-caller"])
            greenlets.sleep(0)
        return Response(seen)

    app.register_middleware(answer, "http")
    answers = await asyncio.gather(
        *(greenlets.run(app, _event(str(caller)), LambdaContext("1")) for caller in range(CALLERS))
    )
    assert [answer["body"] for answer in answers] == [
        f'["{caller}","{caller}","{caller}"]' for caller in range(CALLERS)
    ]


def _event(caller: str) -> dict[str, Any]:
    return {
        "requestContext": {"resourcePath": "/", "httpMethod": "GET"},
        "headers": {"x-caller": caller},
        "multiValueHeaders": {"x-caller": [caller]},
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
    }
