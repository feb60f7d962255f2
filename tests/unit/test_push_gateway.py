"""Pushes through the management API: signed, with a time limit, and with distinct outcomes."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme

from chalicelib import idle
from chalicelib.config import Settings
from chalicelib.idle import IDLE_SECONDS
from chalicelib.logs import LOGGER
from chalicelib.push_gateway import api_gateway, installed
from chalicelib.push_gateway.api_gateway import ApiGatewayPusher
from chalicelib.push_gateway.management_api import ManagementApi
from chalicelib.push_gateway.pusher import SESSION_ENDED, NoPusher, Outcome, OutgoingFrame
from tests.clock import Clock
from tests.servers import management_api
from tests.servers.faults import FreezingProxy
from tests.servers.management_api import Connections, after, cut, drip, hang, status
from tests.servers.ports import ReservedPort
from tests.servers.waiting import eventually

TOKEN = "a/session+token=="
FRAME = '{"type":"pong","text":"h\u00e9llo"}'.encode()
NOBODY = Outcome([], [])
SECONDS = 30.0


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """The credentials of a function."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", management_api.KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", management_api.SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    monkeypatch.setenv("AWS_DEFAULT_REGION", management_api.REGION)


@pytest.fixture
def api() -> Iterator[Connections]:
    """A management API."""
    with Connections(TOKEN) as started:
        yield started


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Any]]:
    """Return the log."""
    monkeypatch.setattr(LOGGER, "propagate", True)
    caplog.set_level(logging.INFO, logger=LOGGER.name)
    return lambda: [record.msg for record in caplog.records if isinstance(record.msg, dict)]


class Ending:
    """Ends a call's time once some of its connections have answered."""

    def __init__(self) -> None:
        self.answered = 0

    def wait(self, futures: dict[Future[Any], str], _seconds: float) -> Any:
        """Wait as the standard library's function of that name does, except for the clock."""
        assert eventually(lambda: sum(map(Future.done, futures)) >= self.answered)
        return wait(futures, 0)


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> Ending:
    """Let the test end the time of a call."""
    ending = Ending()
    monkeypatch.setattr(api_gateway, "wait", ending.wait)
    return ending


def pusher_at(url: str, seconds: float = 20.0) -> ApiGatewayPusher:
    """Return a pusher for a management API; seconds: the time limit of one push."""
    return ApiGatewayPusher(Settings(push_url=url, push_timeout=seconds))


@pytest.mark.parametrize("ids", [["L0SM9cOFvHcCIhw="], ["a/b+c%", "d e~f", "\u00fc"]])
def test_frame_reaches_each_connection_unchanged_and_signed(api: Connections, ids: list[str]) -> None:
    """A frame reaches each connection unchanged, whatever its id, by a correctly signed request."""
    assert pusher_at(api.url).push([OutgoingFrame(ids, FRAME)]) == NOBODY
    assert api.frames == {one: [FRAME] for one in ids}
    assert api.forged == 0


def test_the_check_of_signatures(api: Connections, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request signed with another key is refused: the API of the tests checks signatures."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")

    assert pusher_at(api.url).push([OutgoingFrame(["one"], FRAME)]) == Outcome([], ["one"])
    assert api.forged == 1


def test_the_host_names_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """The region of the signature is that of the API's host name, if it has one."""
    api = ManagementApi("https://abc123.execute-api.ap-southeast-2.api.aws/prod", 1.0, 1)
    assert api.region == "ap-southeast-2"
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert ManagementApi("http://127.0.0.1:8080", 1.0, 1).region == "us-east-1"


def test_order_for_one_connection(api: Connections) -> None:
    """Frames for one connection arrive in the order of the recipients."""
    frames = [f"{number}".encode() for number in range(20)]

    assert pusher_at(api.url).push([OutgoingFrame(["one", "two"], frame) for frame in frames]) == NOBODY
    assert api.frames == {"one": frames, "two": frames}


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([status(410)], Outcome(["one"], [])),
        ([status(429)], Outcome([], ["one"])),
        ([status(500)], Outcome([], ["one"])),
        ([status(413)], Outcome([], ["one"])),
        ([cut], Outcome([], ["one"])),
        ([status(429), management_api.OK], NOBODY),
        ([status(503), management_api.OK], NOBODY),
        ([cut, management_api.OK], NOBODY),
        ([status(500), status(410)], Outcome(["one"], [])),
        ([hang, management_api.OK], Outcome([], ["one"])),
    ],
)
def test_gone_retried_and_failed_pushes_are_told_apart(
    api: Connections, answers: list[management_api.Answer], outcome: Outcome
) -> None:
    """410 is gone; 429, 5xx and a cut are retried once; all else fails; other connections are unaffected."""
    api.answers["one"] = answers

    assert pusher_at(api.url, 5.0).push([OutgoingFrame(["one", "other"], FRAME)]) == outcome
    assert api.frames["other"] == [FRAME]
    assert len([one for _, one in api.asked if one == "one"]) <= 2


def test_a_second_frame_after_a_refusal(api: Connections) -> None:
    """A retry begins with the refused frame: no frame comes twice or out of order."""
    api.answers["one"] = [management_api.OK, status(429), management_api.OK]

    assert pusher_at(api.url).push([OutgoingFrame(["one"], frame) for frame in (b"1", b"2", b"3")]) == NOBODY
    assert api.frames["one"] == [b"1", b"2", b"3"]


def test_dead_peers_delay_nobody(api: Connections, ending: Ending) -> None:
    """With half of the connections dead or slow, the others get their frames, and the call does not wait."""
    dead = [f"dead{number}" for number in range(15)] + [f"drip{number}" for number in range(9)]
    slow, live = ["slow"], [f"live{number}" for number in range(25)]
    for one in dead:
        api.answers[one] = [drip if one.startswith("drip") else hang]
    api.answers["slow"] = [after(0.3, management_api.OK), management_api.OK]
    pusher = pusher_at(api.url)

    ending.answered = len([*slow, *live])
    outcome = pusher.push([OutgoingFrame([*dead, *slow, *live], FRAME)])

    assert not api.waited_for
    assert (outcome.gone, set(outcome.failed)) == ([], set(dead))
    assert api.frames["slow"] == [FRAME]
    assert all(api.frames[one] == [FRAME] for one in live)
    ending.answered = len(live)
    assert pusher.push([OutgoingFrame(live, FRAME)]) == NOBODY


def test_more_dead_peers_than_threads(api: Connections) -> None:
    """A call with any number of dead connections ends; those without an answer in time have failed."""
    dead = [f"dead{number}" for number in range(8 * api_gateway.INLINE)]
    for one in dead:
        api.answers[one] = [hang]

    pusher = pusher_at(api.url, 1.0)
    outcome = pusher.push([OutgoingFrame(dead, FRAME)])

    assert set(outcome.failed) == set(dead)
    assert len(api.asked) < len(dead)
    assert not api.waited_for
    assert eventually(lambda: pusher.push([OutgoingFrame(["live"], FRAME)]) == NOBODY)


def test_pushes_of_several_threads(api: Connections, ending: Ending) -> None:
    """Threads share a pusher; dead connections of one call do not affect another's pushes."""
    api.answers["dead"] = [drip]
    pusher = pusher_at(api.url)
    ending.answered = 1
    outcomes: list[Outcome] = []

    def push(number: int) -> None:
        targets = ["dead", f"live{number}"] if number % 2 else [f"live{number}"]
        outcomes.append(pusher.push([OutgoingFrame(targets, FRAME)]))

    threads = [threading.Thread(target=push, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(outcomes) == 8
    assert all(api.frames[f"live{number}"] == [FRAME] for number in range(8))
    assert {tuple(outcome.failed) for outcome in outcomes} == {(), ("dead",)}


def test_a_call_that_gives_up_leaves_the_calls_of_others(
    api: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A push that waits for a thread is sent, though the one before it timed out."""
    queued, given_up, answered = threading.Event(), threading.Event(), threading.Event()
    api.answers["dead"] = [lambda handler: handler.respond(200 if answered.wait(SECONDS) else 500)]

    def waiting(futures: dict[Future[Any], str], seconds: float) -> Any:
        if "dead" in futures.values():
            assert queued.wait(SECONDS)
            return wait(futures, 0)
        queued.set()
        assert given_up.wait(SECONDS)
        answered.set()
        return wait(futures, seconds)

    monkeypatch.setattr(api_gateway, "INLINE", 1)
    monkeypatch.setattr(api_gateway, "wait", waiting)
    pusher = pusher_at(api.url)
    with ThreadPoolExecutor(2) as callers:
        dead = callers.submit(pusher.push, [OutgoingFrame(["dead"], FRAME)])
        assert eventually(lambda: len(api.asked) == 1)
        live = callers.submit(pusher.push, [OutgoingFrame(["live"], FRAME)])
        assert dead.result() == Outcome([], ["dead"])
        given_up.set()
        assert live.result() == NOBODY
    assert api.frames == {"live": [FRAME]}


def test_missing_server_fails_all_pushes_in_one_log_line(lines: Callable[[], list[Any]]) -> None:
    """Without a server every push fails soon, with one log line that gives the reason and no id."""
    with ReservedPort() as port:
        outcome = pusher_at(f"http://127.0.0.1:{port}").push([OutgoingFrame(["secret-id"], FRAME)])

    assert outcome == Outcome([], ["secret-id"])
    assert {line["event"] for line in lines()} == {"pushes_failed"}
    assert "secret-id" not in str(lines())


def test_push_without_credentials_fails_unsent(api: Connections, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials a push fails, and no unsigned request is sent."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    assert pusher_at(api.url).push([OutgoingFrame(["one"], FRAME)]) == Outcome([], ["one"])
    assert (api.asked, api.forged) == ([], 0)


def test_connections_are_kept(api: Connections) -> None:
    """Consecutive pushes use one TCP connection."""
    pusher = pusher_at(api.url)
    for _ in range(10):
        pusher.push([OutgoingFrame(["one"], FRAME)])

    assert (len(api.frames["one"]), api.accepted) == (10, 1)


@pytest.fixture
def secured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Connections]:
    """A management API by TLS, of an authority that AWS_CA_BUNDLE names."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    with Connections(TOKEN, context) as started:
        yield started


def together(barrier: threading.Barrier) -> management_api.Answer:
    """Return a handler that waits until some requests are there at once, each on its own connection."""

    def wait_for_all(handler: management_api.Handler) -> None:
        barrier.wait(20.0)
        management_api.take(handler)

    return wait_for_all


def test_authorities_are_read_once(secured: Connections, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many connections a push opens, now and after a freeze, the authorities are read once."""
    clock, loads = Clock(), []
    load = ssl.SSLContext.load_verify_locations

    def counted(context: ssl.SSLContext, *arguments: Any, **options: Any) -> None:
        loads.append(context)
        load(context, *arguments, **options)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counted)
    monkeypatch.setattr(idle, "time", clock)
    everybody = [f"connection{number}" for number in range(api_gateway.INLINE)]
    at_once = threading.Barrier(api_gateway.INLINE)
    for one in everybody:
        secured.answers[one] = [together(at_once)]
    pusher = pusher_at(secured.url)
    for times in (1, 2):
        assert pusher.push([OutgoingFrame(everybody, FRAME)]) == NOBODY
        assert secured.accepted == times * api_gateway.INLINE
        clock.now += IDLE_SECONDS + 0.1

    assert len(loads) == 1


def test_a_certificate_of_another_authority(
    secured: Connections, monkeypatch: pytest.MonkeyPatch, lines: Callable[[], list[Any]]
) -> None:
    """A server with a certificate of an untrusted authority gets no frame, and the log says why."""
    monkeypatch.delenv("AWS_CA_BUNDLE")

    assert pusher_at(secured.url).push([OutgoingFrame(["one"], FRAME)]) == Outcome([], ["one"])
    assert secured.asked == []
    assert "certificate verify failed" in lines()[-1]["reason"]


@pytest.mark.parametrize("resets", [False, True], ids=["swallowed", "reset"])
def test_a_push_after_a_freeze(api: Connections, monkeypatch: pytest.MonkeyPatch, resets: bool) -> None:
    """The first push after a freeze goes over new connections, and arrives once."""
    clock = Clock()
    monkeypatch.setattr(idle, "time", clock)
    with FreezingProxy(int(urlsplit(api.url).port or 0), resets=resets) as proxy:
        pusher = pusher_at(f"http://127.0.0.1:{proxy.port}/prod", 5.0)
        assert pusher.push([OutgoingFrame(["one", "two"], FRAME)]) == NOBODY

        proxy.freeze()
        clock.now += IDLE_SECONDS + 0.1
        assert pusher.push([OutgoingFrame(["one", "two"], FRAME)]) == NOBODY

    assert api.frames == {"one": [FRAME, FRAME], "two": [FRAME, FRAME]}
    assert len(api.asked) == 4


def test_closing_ignores_gone_and_dead_connections(api: Connections) -> None:
    """Connections are closed; one that is gone or dead is no error."""
    api.answers["gone"], api.answers["dead"] = [status(410)], [hang]
    pusher_at(api.url, 5.0).close(["one", "gone", "dead"], SESSION_ENDED)

    assert sorted(api.asked) == [("DELETE", "dead"), ("DELETE", "gone"), ("DELETE", "one")]
    assert not api.waited_for


def test_nothing_to_do(api: Connections) -> None:
    """Without frames or connections no request is sent."""
    pusher = pusher_at(api.url)

    assert pusher.push([]) == pusher.push([OutgoingFrame([], FRAME)]) == NOBODY
    pusher.close([], SESSION_ENDED)
    assert api.asked == []


def test_installed_pusher_precedes_the_setting() -> None:
    """An installed pusher precedes the setting; without both nothing is pushed."""
    settings = Settings(push_url="http://127.0.0.1:1")
    assert isinstance(installed.pusher(Settings()), NoPusher)
    assert isinstance(installed.pusher(settings), ApiGatewayPusher)
    own = NoPusher()
    installed.install(own)
    try:
        assert installed.pusher(settings) is own
    finally:
        installed.install(None)
    assert isinstance(installed.pusher(settings), ApiGatewayPusher)


def test_no_pusher_says_so_and_fails_nothing() -> None:
    """A server without a pusher says so by its limit, and no push fails."""
    pusher = NoPusher()
    pusher.close(["one"], SESSION_ENDED)

    assert (pusher.inline, pusher.push([OutgoingFrame(["one"], FRAME)])) == (0, NOBODY)
