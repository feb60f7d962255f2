"""Slow routes run beside the event loop: they delay nobody, and requests stay apart."""

from __future__ import annotations

import asyncio
import threading
import uuid
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest

from chalicelib.errors import Overloaded
from infra.local.slow import SlowCalls
from tests.deployed.client import PROBLEM
from tests.local.echo import MAX_SLOW_CALLS, SLOW_THREADS
from tests.local.edge import EchoServer, running_echo
from tests.local.raw_http import Answer, Peer
from tests.servers.waiting import eventually

CALLERS = 20
CALLS = 25


def begin(echo: EchoServer, call: str) -> Peer:
    """Make a slow call, and return its connection once it runs."""
    peer = echo.peer()
    peer.send(f"GET /slow/{call} HTTP/1.1", "Host: localhost")
    assert eventually(lambda: echo.get(f"/slow/{call}/begun").body == b"True")
    return peer


def ended(echo: EchoServer, call: str) -> Answer:
    """Make a slow call whose end was requested before it begins."""
    echo.get(f"/slow/{call}/end")
    return echo.get(f"/slow/{call}")


def test_a_slow_call_holds_nobody_up(echo: EchoServer) -> None:
    """While every thread is busy with a call, the one worker serves others, which end it."""
    names = [uuid.uuid4().hex for _ in range(SLOW_THREADS)]
    peers = [begin(echo, name) for name in names]
    for _ in range(20):
        assert echo.get("/my/path").status == 200
    for name in names:
        echo.get(f"/slow/{name}/end")
    assert [peer.answer().body for peer in peers] == [b"ended"] * SLOW_THREADS
    for peer in peers:
        peer.socket.close()


def test_too_many_slow_calls_are_a_503(echo: EchoServer) -> None:
    """A call beyond the maximum of waiting ones is refused with Retry-After; others are answered."""
    call = uuid.uuid4().hex
    with ThreadPoolExecutor(MAX_SLOW_CALLS + 1) as pool:
        asked = [pool.submit(echo.get, f"/slow/{call}") for _ in range(MAX_SLOW_CALLS + 1)]
        done, waiting = wait(asked, return_when=FIRST_COMPLETED)
        (refused,) = (one.result() for one in done)
        echo.get(f"/slow/{call}/end")
        assert [one.result().body for one in waiting] == [b"ended"] * MAX_SLOW_CALLS
    assert (refused.status, refused.json["code"]) == (503, "overloaded")
    assert refused.headers["Content-Type"] == PROBLEM
    assert int(refused.headers["Retry-After"]) > 0


def test_callers_take_turns() -> None:
    """A caller with one call waits for at most one call of each other caller."""
    order: list[str] = []

    async def race() -> None:
        calls, goes_on = SlowCalls(threads=1, most=40), threading.Event()
        tasks: list[asyncio.Task[Any]] = [asyncio.create_task(calls.run("first", goes_on.wait))]
        for caller in ["a"] * 10 + ["b"] * 5 + ["c"]:
            tasks.append(asyncio.create_task(calls.run(caller, order.append, caller)))
        await asyncio.sleep(0)
        goes_on.set()
        await asyncio.gather(*tasks)

    asyncio.run(race())
    assert order[:6] == ["a", "b", "c", "a", "b", "a"]
    assert sorted(order) == ["a"] * 10 + ["b"] * 5 + ["c"]


def test_one_caller_cannot_take_every_place() -> None:
    """One caller may have half of the waiting calls: others still get in."""

    async def flood() -> list[bool]:
        calls, goes_on = SlowCalls(threads=1, most=8), threading.Event()
        tasks = [asyncio.create_task(calls.run("flood", goes_on.wait)) for _ in range(20)]
        await asyncio.sleep(0)
        tasks.append(asyncio.create_task(calls.run("other", goes_on.wait)))
        await asyncio.sleep(0)
        goes_on.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        return [isinstance(answer, Overloaded) for answer in answers]

    refused = asyncio.run(flood())
    assert refused == [False] * 5 + [True] * 15 + [False]


def test_a_caller_that_leaves_while_waiting_takes_no_thread() -> None:
    """A call whose client has gone before its turn is skipped."""
    made: list[str] = []

    async def leave() -> None:
        calls, goes_on = SlowCalls(threads=1), threading.Event()
        first = asyncio.create_task(calls.run("a", goes_on.wait))
        gone = asyncio.create_task(calls.run("b", made.append, "gone"))
        stays = asyncio.create_task(calls.run("c", made.append, "stays"))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        goes_on.set()
        await asyncio.gather(first, stays)
        await calls.run("d", made.append, "later")

    asyncio.run(leave())
    assert made == ["stays", "later"]


def test_a_slow_call_that_fails_is_a_500(echo: EchoServer) -> None:
    """An exception in a thread is a 500 problem and a log line, as often as it happens."""
    for _ in range(MAX_SLOW_CALLS + 1):
        given = f"fails-{uuid.uuid4()}"
        answer = echo.get("/slow/failure", f"X-Request-Id: {given}")
        assert (answer.status, answer.json["code"]) == (500, "internal_error")
        assert given in echo.output()
    assert ended(echo, "after-failures").body == b"ended"


def test_a_client_that_leaves_a_slow_call(echo: EchoServer) -> None:
    """A client that breaks off does no harm: its call ends, others run, and no line is logged."""
    tracebacks = echo.output().count("Traceback")
    for _ in range(MAX_SLOW_CALLS + 1):
        call = uuid.uuid4().hex
        begin(echo, call).reset()
        echo.get(f"/slow/{call}/end")
    assert eventually(lambda: ended(echo, "after-broken-clients").body == b"ended")
    assert echo.output().count("Traceback") == tracebacks


@pytest.mark.long
def test_a_slow_call_is_answered_while_the_server_stops(tmp_path: Path) -> None:
    """A call that ends soon after SIGTERM is answered before the server has stopped."""
    with running_echo(tmp_path) as echo, begin(echo, "brief") as peer:
        echo.process.terminate()
        assert peer.answer().body == b"held up"
        assert echo.stop() == 0
        assert "Traceback" not in echo.output()


@pytest.mark.long
def test_a_slow_call_does_not_keep_the_server(tmp_path: Path) -> None:
    """A call that does not end is cut off, and the server stops with status 0 and no traceback."""
    with running_echo(tmp_path) as echo, begin(echo, "endless"):
        assert echo.stop() == 0
        assert "Traceback" not in echo.output()


@pytest.mark.long
def test_20_callers_read_their_own_headers(tmp_path: Path) -> None:
    """Calls that race through slow and other routes of a Chalice app each read their own request."""
    with running_echo(tmp_path, "tests.local.racing:gateway") as server, ThreadPoolExecutor(CALLERS) as pool:
        answers = dict(pool.map(lambda caller: (caller, _race(server, caller)), map(str, range(CALLERS))))
    assert answers == {caller: [[caller] * 3] * CALLS for caller in answers}


def _race(server: EchoServer, caller: str) -> list[list[str]]:
    answers = []
    with server.peer() as peer:
        for number in range(CALLS):
            route = "slow" if (number + int(caller)) % 2 else "inline"
            peer.send(f"GET /{route}/{number} HTTP/1.1", "Host: localhost", f"X-Caller: {caller}")
            answers.append(peer.answer().json)
    return answers
