"""Answers through the edge, for any handler and any request."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import pytest

from tests.deployed.client import PROBLEM
from tests.local.echo import ANSWERS, LARGE, LISTED_HOST, LISTED_ORIGIN, SHORT_SECONDS
from tests.local.edge import EchoServer, running_echo
from tests.local.raw_http import Answer

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EchoServer]:
    """A server with a short time limit for bodies."""
    with running_echo(tmp_path_factory.mktemp("impatient"), "tests.local.echo:impatient") as server:
        yield server


def ask(echo: EchoServer, *head: str, body: bytes = b"") -> Answer:
    """Send one request on a connection of its own, and return the answer."""
    with echo.peer() as peer:
        peer.send(*head, body=body)
        return peer.answer()


def get(echo: EchoServer, path: str, *headers: str) -> Answer:
    """Return the answer to a GET."""
    return ask(echo, f"GET {path} HTTP/1.1", "Host: localhost", *headers)


def is_problem(answer: Answer, status: int) -> bool:
    """Return whether an answer is a problem of a status, with an id."""
    problem: Any = answer.json
    kind, given = answer.headers["Content-Type"], answer.headers["X-Request-Id"]
    return (answer.status, kind, problem["status"]) == (status, PROBLEM, status) and bool(given)


def test_base64_answer_arrives_as_its_bytes(echo: EchoServer) -> None:
    """A base64 body arrives as its bytes."""
    assert get(echo, "/answers/binary").body == bytes(range(256))


def test_headers_with_several_values(echo: EchoServer) -> None:
    """Each value of multiValueHeaders is a header of its own."""
    assert get(echo, "/answers/cookies").headers.get_all("Set-Cookie") == ["a=1", "b=2"]


@pytest.mark.parametrize("kind", ["empty", "unchanged"])
def test_answers_without_a_body(echo: EchoServer, kind: str) -> None:
    """A 204 and a 304 have no body, and the connection continues."""
    with echo.peer() as peer:
        for _ in range(2):
            peer.send(f"GET /answers/{kind} HTTP/1.1", "Host: localhost")
            answer = peer.answer()
            assert (answer.status, answer.body) == (ANSWERS[kind]["statusCode"], b"")


@pytest.mark.parametrize("kind", ["failure", "unknown", "accent", "split"])
def test_a_handler_that_fails_is_a_500(echo: EchoServer, kind: str) -> None:
    """An exception from the handler, or a header that HTTP cannot carry, is a 500 problem, and logged."""
    answer = get(echo, f"/answers/{kind}", f"X-Request-Id: fails-{kind}")
    assert is_problem(answer, 500)
    assert answer.headers["X-Other"] is None
    assert f"fails-{kind}" in echo.output()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "//",
        "/%",
        "/%ff",
        "/a%2Fb",
        "/%00",
        "*",
        "/caf\u00c3\u00a9",
        "/" + "a" * 15_000,
        "/..",
        "/?" + "a" * 9000,
    ],
)
def test_odd_paths_are_a_404(echo: EchoServer, path: str) -> None:
    """A path without a route is a 404 problem, however odd it is."""
    assert is_problem(get(echo, path), 404)


@pytest.mark.parametrize("path", ["/caf\u00e9", "/" + "a" * 70_000, "/a b"])
def test_what_is_no_path_is_refused(echo: EchoServer, path: str) -> None:
    """An invalid path is a 4xx."""
    assert 400 <= get(echo, path).status < 500


@pytest.mark.parametrize(
    "header", ["X-Name: zo\u00c3\u00ab", "X-Name: \u00ff", "Cookie: a=\u00e9", "X-Long: " + "a" * 15_000]
)
def test_odd_headers_do_no_harm(echo: EchoServer, header: str) -> None:
    """Header values beyond ASCII, or very long, cause no failure."""
    assert get(echo, "/my/path", header).status == 200


@pytest.mark.parametrize("head", [("/" + "a" * 60_000,), ("/my/path", "X-Long: " + "a" * 50_000)])
def test_a_head_that_is_too_large_is_a_431(echo: EchoServer, head: tuple[str, ...]) -> None:
    """A request line and headers of 16 KB and more are a 431 problem, after which the connection ends."""
    answer = get(echo, *head)
    assert is_problem(answer, 431)
    assert answer.headers["Connection"] == "close"


@pytest.mark.parametrize("proto", ["https", "http"])
def test_the_edges_own_errors_have_the_headers_of_every_answer(echo: EchoServer, proto: str) -> None:
    """A page of a listed origin may read answers; only TLS answers have the header that requires TLS."""
    answer = get(echo, "/nowhere", f"Origin: {LISTED_ORIGIN}", f"X-Forwarded-Proto: {proto}")
    assert is_problem(answer, 404)
    assert answer.headers["Access-Control-Allow-Origin"] == LISTED_ORIGIN
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert ("Strict-Transport-Security" in answer.headers) == (proto == "https")
    assert get(echo, "/nowhere", "Origin: https://evil.example").headers["Vary"] == "Origin"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080", "127.8.8.8"])
@pytest.mark.parametrize("listed", [LISTED_HOST, f"{LISTED_HOST.upper()}:8080"])
def test_names_of_this_machine_are_served(echo: EchoServer, host: str, listed: str) -> None:
    """An open server answers to every loopback name, and to the listed ones."""
    assert ask(echo, "GET /my/path HTTP/1.1", f"Host: {listed}").status == 200
    assert ask(echo, "GET /my/path HTTP/1.1", f"Host: {host}").status == 200


@pytest.mark.parametrize(
    "host",
    [
        f"evil.{LISTED_HOST}",
        f"{LISTED_HOST}.evil.example",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "192.168.1.7",
        "[::2]",
        "a@localhost",
    ],
)
def test_other_names_are_refused(echo: EchoServer, host: str) -> None:
    """An open server refuses any other name, so that no page can reach it under a name of its own."""
    assert is_problem(ask(echo, "GET /my/path HTTP/1.1", f"Host: {host}"), 403)


HOSTS: dict[str, tuple[str, ...]] = {
    "none": ("GET /my/path HTTP/1.1",),
    "an empty one": ("GET /my/path HTTP/1.1", "Host:"),
    "an empty one and another": ("GET /my/path HTTP/1.1", "Host:", "Host: localhost"),
    "two": ("GET /my/path HTTP/1.1", "Host: localhost", "Host: localhost"),
    "two, the second of another name": ("GET /my/path HTTP/1.1", "Host: localhost", "Host: evil.example"),
    "two in HTTP/1.0": ("GET /my/path HTTP/1.0", "Host: localhost", "Host: localhost"),
    "none where there is no route": ("GET /nowhere HTTP/1.1",),
    "none and a body": ("POST /my/path HTTP/1.1", "Content-Length: 0"),
}


@pytest.mark.parametrize("kind", HOSTS)
def test_a_request_names_one_host(echo: EchoServer, kind: str) -> None:
    """A request without a Host header, or with an empty one, or with two, is a 400 problem."""
    assert is_problem(ask(echo, *HOSTS[kind]), 400)


def test_http_1_0_needs_no_host(echo: EchoServer) -> None:
    """A request of HTTP/1.0, which knows no Host header, is served without one."""
    answer = ask(echo, "GET /my/path HTTP/1.0")
    assert answer.status == 200
    context = answer.json["event"]["requestContext"]
    assert (context["protocol"], context["domainName"]) == ("HTTP/1.0", "")


@pytest.mark.parametrize("size", [256 * 1024 + 1, 2 * MIB, 10 * MIB])
def test_a_large_body_is_a_413(echo: EchoServer, size: int) -> None:
    """A body over 256 KiB is a 413 problem, also for a client that sends all of it before it reads."""
    length = [f"Content-Length: {size}"]
    assert is_problem(ask(echo, "POST /my/path HTTP/1.1", "Host: localhost", *length, body=bytes(size)), 413)
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    chunks = chunk * (size // 0x10000 + 1) + b"0\r\n\r\n"
    chunked = ["Transfer-Encoding: chunked"]
    assert is_problem(ask(echo, "POST /my/path HTTP/1.1", "Host: localhost", *chunked, body=chunks), 413)


def test_the_largest_body_passes(echo: EchoServer) -> None:
    """A body of 256 KiB is taken."""
    body = b"a" * (256 * 1024)
    answer = ask(echo, "PUT /my/path HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", body=body)
    assert answer.json["event"]["body"] == body.decode()


def test_a_body_that_claims_to_be_huge_is_not_waited_for(echo: EchoServer) -> None:
    """A request that only announces a gigabyte is refused at once."""
    answer = ask(echo, "POST /my/path HTTP/1.1", "Host: localhost", "Content-Length: 1000000000")
    assert is_problem(answer, 413)


@pytest.mark.parametrize(
    ("framing", "part"), [("Content-Length: 100", b"half"), ("Transfer-Encoding: chunked", b"4\r\nhalf\r\n")]
)
def test_a_body_that_does_not_come_is_a_408(impatient: EchoServer, framing: str, part: bytes) -> None:
    """A body that is late is a 408 problem, and ends the connection."""
    answer = ask(impatient, "POST /my/path HTTP/1.1", "Host: localhost", framing, body=part)
    assert is_problem(answer, 408)
    assert f"{SHORT_SECONDS:g} seconds" in answer.json["detail"]
    assert answer.headers["Connection"] == "close"


def test_a_body_that_breaks_off_is_not_taken_for_whole(echo: EchoServer) -> None:
    """Chunks that break off do not reach the handler."""
    chunked = "Transfer-Encoding: chunked"
    with echo.peer() as peer:
        peer.send("POST /my/path HTTP/1.1", "Host: localhost", chunked, body=b"4\r\nhalf\r\nnonsense\r\n")
        with contextlib.suppress(OSError):
            assert 400 <= peer.answer().status < 500


def test_a_refusal_does_not_end_a_connection_whose_body_was_read(echo: EchoServer) -> None:
    """After a 404 the same connection serves the next request."""
    with echo.peer() as peer:
        peer.send("POST /nowhere HTTP/1.1", "Host: localhost", "Content-Length: 4", body=b"body")
        assert is_problem(peer.answer(), 404)
        peer.send("GET /my/path HTTP/1.1", "Host: localhost")
        assert peer.answer().status == 200


def test_pipelined_requests_are_answered_in_order(echo: EchoServer) -> None:
    """Requests sent without waiting are answered one after the other."""
    heads = [f"GET /things/{number} HTTP/1.1\r\nHost: localhost\r\n\r\n" for number in range(20)]
    with echo.peer() as peer:
        peer.socket.sendall("".join(heads).encode())
        with peer.socket.makefile("rb") as received:
            paths = [_next_event(received)["path"] for _ in heads]
    assert paths == [f"/things/{number}" for number in range(20)]


def _next_event(received: BinaryIO) -> Any:
    head = list(iter(received.readline, b"\r\n"))
    (length,) = (int(line.split(b":")[1]) for line in head if line.lower().startswith(b"content-length:"))
    return json.loads(received.read(length))["event"]


@pytest.mark.parametrize("kind", ["binary", "cookies", "empty", "failure", "accent"])
def test_head_is_get_without_the_body(echo: EchoServer, kind: str) -> None:
    """HEAD gets the status and the headers of GET, no body, and the connection continues."""
    expected = get(echo, f"/answers/{kind}", "X-Request-Id: head")
    with echo.peer() as peer:
        for _ in range(2):
            peer.send(f"HEAD /answers/{kind} HTTP/1.1", "Host: localhost", "X-Request-Id: head")
            answer = peer.answer("HEAD")
            assert (answer.status, answer.body) == (expected.status, b"")
            assert _without_date(answer) == _without_date(expected)


def test_head_reaches_the_handler_as_get(echo: EchoServer) -> None:
    """HEAD calls the function as GET does; a slow GET route is slow."""
    with echo.peer() as peer:
        peer.send("HEAD /my/path HTTP/1.1", "Host: localhost")
        head = peer.answer("HEAD")
    asked = get(echo, "/my/path")
    assert asked.json["event"]["httpMethod"] == "GET"
    assert head.headers["Content-Type"] == asked.headers["Content-Type"]
    assert int(head.headers["Content-Length"]) == len(asked.body)


def _without_date(answer: Answer) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in answer.headers.items() if name.lower() != "date")


def test_a_slow_reader_holds_nobody_up(echo: EchoServer) -> None:
    """While a client does not read its large answer, others are served by the same worker."""
    with echo.peer() as slow:
        slow.send("GET /answers/large HTTP/1.1", "Host: localhost")
        for _ in range(20):
            assert get(echo, "/my/path").status == 200
        assert slow.answer().body == b"x" * LARGE


def test_a_websocket_is_refused(echo: EchoServer) -> None:
    """An upgrade is answered with a 4xx."""
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    answer = get(echo, "/my/path", *upgrade, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    assert 400 <= answer.status < 500


def test_broken_clients_leave_no_trace(echo: EchoServer) -> None:
    """Clients that vanish half-way do no harm and leave no traceback in the log."""
    before = echo.output().count("Traceback")
    post = ("POST /my/path HTTP/1.1", "Host: localhost")
    for head, body in [
        (("GET /my/pa",), b""),
        ((*post, "Content-Length: 100"), b"half"),
        ((*post, "Transfer-Encoding: chunked"), b"5\r\nha"),
        ((*post, "Content-Length: 9999999"), b"half"),
        (("GET /answers/large HTTP/1.1", "Host: localhost"), b""),
        (("POST /nowhere HTTP/1.1", "Host: localhost", "Content-Length: 100"), b"half"),
    ]:
        for _ in range(3):
            peer = echo.peer()
            peer.send(*head, body=body)
            peer.reset()
    assert get(echo, "/my/path").status == 200
    assert echo.output().count("Traceback") == before
