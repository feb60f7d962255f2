"""Invalid and abusive clients, over real connections of one worker, while two others chat on."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import re
import struct
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from chalicelib.apidocs.asyncapi import FROM_CLIENT, type_of
from chalicelib.apidocs.asyncapi_examples import EXAMPLES
from chalicelib.schemas.message_pb2 import Message
from chalicelib.schemas.realtime import MAX_FRAME_BYTES, MAX_MESSAGE_BYTES, MAX_SIGNAL_BYTES, SUBPROTOCOL
from tests.local.raw_http import Peer, port_of
from tests.realtime import document_check
from tests.realtime.bystanders import CHAT, WAIT_SECONDS, Bystanders, ask, opened, received
from tests.realtime.raw_websocket import CLOSE, PING, TEXT, UPGRADE, Piece, Rude
from tests.servers.gateway import Gateway, running_gateway
from tests.servers.waiting import eventually

pytestmark = pytest.mark.long

KIB = 1024
SECRET = "nobody else reads this"
UNREAD_BYTES = 64 * KIB
ENV = {
    "PARLEY_AUTH": "open",
    "PARLEY_RATE_LIMITS": "read=0,write=0,auth=0",
    "SOCKET_UNREAD_BYTES": f"{UNREAD_BYTES}",
    "WORKERS": "1",
}
FRAMES_A_MINUTE = 1200
FLOOD = 10_000
CODES = (1002, 1003, 1007, 1009)
"""The close codes of a server for invalid bytes."""
FUZZ = settings(database=None)


@pytest.fixture(scope="module")
def server() -> Iterator[Gateway]:
    """An open server of one worker, whose log shows no defect in the end, and nothing that is secret."""
    with running_gateway(ENV) as server:
        yield server
        log = server.output()
    for wrong in ("Traceback", '"level":"ERROR"', "defect", SECRET, "ticket_"):
        assert wrong not in log, log[max(0, log.index(wrong) - 2000) :][:4000]


@pytest.fixture(scope="module")
def url(server: Gateway) -> str:
    """The server's WebSocket URL."""
    found = re.search(r"^WebSockets are on (\S+?)\. ", server.output(), re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def chatting(server: Gateway, url: str) -> Iterator[Bystanders]:
    """Una and Val, whose messages are all kept in the end, each once and in order."""
    bystanders = Bystanders(url)
    yield bystanders
    bystanders.end()
    kept: list[str] = []
    while page := _page(server, len(kept)):
        kept += page
    assert kept == bystanders.texts


def _page(server: Gateway, after: int) -> list[str]:
    params = {"after": f"{after}", "limit": "100"}
    found = httpx.get(
        f"{server.url}/v1/chats/{CHAT}/messages", params=params, headers={"X-Parley-User": "una"}
    )
    return [message["text"] for message in found.json()["messages"]]


@pytest.fixture(autouse=True)
def undisturbed(chatting: Bystanders) -> Iterator[None]:
    """The two chat on after each test as before."""
    chatting.check()
    yield
    chatting.check()


class Eve:
    """Somebody who sends whatever she likes; protobuf: what she sends is base64 of protobuf Messages."""

    def __init__(self, url: str, *, protobuf: bool = False) -> None:
        protocols = [Subprotocol(SUBPROTOCOL)] if protobuf else None
        self._socket = connect(
            f"{url}?user=eve",
            proxy=None,
            legacy=True,
            open_timeout=WAIT_SECONDS,
            ping_interval=None,
            subprotocols=protocols,
        )
        self._protobuf = protobuf
        self._numbers = itertools.count()

    def answers(self, text: str) -> list[dict[str, Any]]:
        """Send a text, and return what comes before the answer to a ping, each as documented.

        Raises ConnectionClosed when the connection does not live on.
        """
        ref = f"ping {next(self._numbers)}"
        ping = json.dumps({"type": "ping", "ref": ref})
        self._socket.send(text)
        self._socket.send(_wrapped(Message(type="parley.ping", content=ping)) if self._protobuf else ping)
        answers: list[dict[str, Any]] = []
        while not answers or (answers[-1]["type"], answers[-1].get("ref")) != ("pong", ref):
            answers += self._next()
        return answers[:-1]

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _next(self) -> list[dict[str, Any]]:
        text = str(self._socket.recv(WAIT_SECONDS))
        if self._protobuf:
            message = Message.FromString(base64.b64decode(text, validate=True))
            if not message.type.startswith("parley."):
                return []
            text = message.content
        frame: dict[str, Any] = json.loads(text)
        document_check.check(frame)
        return [frame]


def _wrapped(message: Message) -> str:
    return base64.b64encode(message.SerializeToString()).decode()


def check_refused(url: str, texts: Sequence[str], *, protobuf: bool = False) -> None:
    """Send texts on one connection; refused ones are refused as the client's fault."""
    with contextlib.closing(Eve(url, protobuf=protobuf)) as eve:
        for text in texts:
            errors = [frame for frame in eve.answers(text) if frame["type"] == "error"]
            assert all(400 <= error["status"] < 500 for error in errors), (text, errors)


VALID = [{"type": type_of(kind), **fields} for kind in FROM_CLIENT for fields in EXAMPLES[kind]]
NAMES = st.sampled_from(sorted({name for frame in VALID for name in frame} | {"from", "sender", "user"}))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**53, max_value=2**80)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40)
    | st.sampled_from(
        ["", "\0", " ", "eve", "me", "una:val", "eve:", ":", "a:b:c", "g-", "r-", "g-x", "..", "0.0.0"]
    )
    | st.sampled_from(["x" * 64, "x" * 65, "x" * 161, "\u0130" * 64, "1", "-1", "1" * 40, "\U0001f600" * 40])
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=15,
)
SWAPPED = st.builds(
    lambda frame, junk: json.dumps({**frame, **junk}),
    st.sampled_from(VALID),
    st.dictionaries(NAMES.filter(lambda name: name != "type"), JUNK, min_size=1, max_size=3),
)
RETYPED = st.builds(
    lambda frame, kind: json.dumps({**frame, "type": kind}),
    st.sampled_from(VALID),
    st.sampled_from([frame["type"] for frame in VALID]) | JUNK,
)


@st.composite
def nearly(draw: st.DrawFn) -> str:
    """Return the JSON of a frame with a cut and an insertion."""
    text = json.dumps(draw(st.sampled_from(VALID)))
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    put = draw(
        st.sampled_from(["", "[" * 200, '{"a":' * 200, "\\", '"', "\0", "\u2028", "NaN", "1e9999", ","])
        | st.text()
    )
    return text[:start] + put + text[end:]


@settings(FUZZ, max_examples=80)
@given(texts=st.lists(st.text() | nearly() | SWAPPED | RETYPED, min_size=1, max_size=12))
def test_any_text_is_handled_or_answered_with_an_error(url: str, texts: list[str]) -> None:
    """Any text is handled or answered with an error, and the connection stays open."""
    check_refused(url, texts)


MESSAGES = st.builds(
    Message,
    type=st.sampled_from(["", "heatbeat", "webrtc", "parley.", "parley.send", "parley.hello"])
    | st.text(max_size=9),
    to=st.text(max_size=9) | st.sampled_from(["eve", "una", "g-x", "una:val"]),
    content=nearly() | SWAPPED | st.text(max_size=40),
    contentType=st.integers(-(2**31), 2**31 - 1) | st.integers(0, 20),
    messageType=st.integers(0, 3),
    **{"from": st.just("una"), "file": st.binary(max_size=20)},
)
ENCODED = (
    MESSAGES.map(_wrapped)
    | st.binary(max_size=200).map(lambda data: base64.b64encode(data).decode())
    | st.builds(lambda message, cut: _wrapped(message)[:cut], MESSAGES, st.integers(0, 200))
)


@settings(FUZZ, max_examples=60)
@given(texts=st.lists(ENCODED | st.text() | SWAPPED, min_size=1, max_size=12))
def test_any_protobuf_text_is_handled_or_answered_with_an_error(url: str, texts: list[str]) -> None:
    """The same holds for a client of the protobuf subprotocol."""
    check_refused(url, texts, protobuf=True)


PIECES = st.builds(
    Piece,
    opcode=st.sampled_from([0, TEXT, 2, CLOSE, PING, 10]) | st.integers(0, 15),
    payload=st.binary(max_size=130) | nearly().map(str.encode) | SWAPPED.map(str.encode),
    fin=st.booleans(),
    reserved=st.just(0) | st.integers(0, 7),
    masked=st.sampled_from([True, True, True, False]),
    length=st.none()
    | st.integers(0, 2**16)
    | st.sampled_from([2**15 + 1, 2**31, 2**63 - 1, 2**63, 2**64 - 1]),
    size=st.sampled_from([0, 0, 0, 16, 64]),
)


@settings(FUZZ, max_examples=150)
@given(pieces=st.lists(PIECES | st.binary(max_size=40), min_size=1, max_size=6), cut=st.integers(0, 30))
def test_any_bytes_get_documented_frames_and_a_valid_close(
    url: str, pieces: list[Piece | bytes], cut: int
) -> None:
    """Whatever bytes a client sends, it gets documented frames and a valid close code."""
    wire = b"".join(piece if isinstance(piece, bytes) else piece.bytes() for piece in pieces)
    with Rude(port_of(url), "eve") as rude:
        rude.send(wire[: len(wire) - cut])
        end = rude.end()
    assert end.code in (None, 1000, *CODES) or struct.pack("!H", end.code) in wire
    assert all(frame.get("status", 400) < 500 for frame in end.frames)


HELLO = Piece(TEXT, b'{"type":"ping","ref":"1"}')
WRONG: dict[str, tuple[int, list[Piece]]] = {
    "binary": (1003, [Piece(2, HELLO.payload)]),
    "second reserved bit": (1002, [Piece(TEXT, b"{}", reserved=2)]),
    "third reserved bit": (1002, [Piece(TEXT, b"{}", reserved=1)]),
    **{f"opcode {code}": (1002, [Piece(code)]) for code in (3, 7, 11, 15)},
    "not masked": (1002, [Piece(TEXT, b"{}", masked=False)]),
    "a ping of 126 bytes": (1002, [Piece(PING, b"x" * 126)]),
    "a ping in fragments": (1002, [Piece(PING, fin=False)]),
    "a message within a message": (1002, [Piece(TEXT, b"{", fin=False), HELLO]),
    "binary within a message": (1003, [Piece(TEXT, b"{", fin=False), Piece(2, b"}")]),
    "a length of 2^63": (1002, [Piece(TEXT, length=2**63, size=64)]),
    "a length of 2^63 - 1": (1009, [Piece(TEXT, length=2**63 - 1, size=64)]),
    "a frame of one byte more": (1009, [Piece(TEXT, length=MAX_FRAME_BYTES + 1)]),
    "a message of one byte more": (
        1009,
        [
            Piece(TEXT, b"x" * MAX_FRAME_BYTES, fin=False),
            *[Piece(0, b"x" * MAX_FRAME_BYTES, fin=False)] * (MAX_MESSAGE_BYTES // MAX_FRAME_BYTES - 1),
            Piece(0, b"x"),
        ],
    ),
    "no UTF-8": (1007, [Piece(TEXT, b'{"type":"ping","x":"\xff"}')]),
    "a close of one byte": (1002, [Piece(CLOSE, b"\x03")]),
}


@pytest.mark.parametrize("kind", WRONG)
def test_bytes_that_end_a_connection(url: str, kind: str) -> None:
    """Earlier frames are answered; then comes a close frame with the right code."""
    code, pieces = WRONG[kind]
    with Rude(port_of(url), "eve") as rude:
        rude.send(HELLO, *pieces, HELLO)
        end = rude.end()
    assert end.code == code
    assert [frame["type"] for frame in end.frames] in ([], ["pong"])


@pytest.mark.parametrize("code", [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535])
def test_a_close_code_that_may_not_be_sent_is_a_protocol_error(url: str, code: int) -> None:
    """A close frame with a code that RFC 6455 keeps off the wire is answered with 1002."""
    with Rude(port_of(url), "eve") as rude:
        rude.send(Piece(CLOSE, struct.pack("!H", code)), HELLO)
        end = rude.end()
    assert end.code == 1002
    assert end.frames == []


def test_half_a_frame_and_silence(url: str, chatting: Bystanders) -> None:
    """Clients that never end their frames or requests delay nobody."""
    half = Piece(TEXT, b"{" * 100, length=MAX_FRAME_BYTES).bytes()
    with contextlib.ExitStack() as open_ones:
        for cut in (1, 3, 7, 50):
            open_ones.enter_context(Rude(port_of(url), "eve")).send(half[:cut])
            open_ones.enter_context(Rude(port_of(url), "eve")).send(Piece(TEXT, fin=False), half[:cut])
            peer = open_ones.enter_context(Peer(port_of(url)))
            peer.socket.sendall("\r\n".join(["GET / HTTP/1.1", *UPGRADE]).encode()[: -cut * 3])
        chatting.check(more=10)


LIMITS: dict[str, tuple[int, dict[str, Any], str, str]] = {
    "text": (16 * KIB, {"type": "send", "chat": "eve:fay", "id": "1"}, "text", "text_too_long"),
    "id": (64, {"type": "send", "chat": "eve:fay", "text": "x"}, "id", "bad_request"),
    "ref": (64, {"type": "ping"}, "ref", "bad_request"),
    "call": (64, {"type": "signal", "to": "eve", "kind": "ring"}, "call", "bad_request"),
    "data": (
        MAX_SIGNAL_BYTES - 2,
        {"type": "signal", "to": "eve", "call": "c", "kind": "ring"},
        "data",
        "payload_too_large",
    ),
}


@pytest.mark.parametrize("kind", LIMITS)
def test_one_more_than_a_field_may_have(url: str, kind: str) -> None:
    """The largest frame is accepted; one character more is refused by an error that says so."""
    most, frame, name, code = LIMITS[kind]
    other = opened(url, "eve")
    with opened(url, "eve") as eve, other:
        for size, expected in ((most, None), (most + 1, code)):
            _send_in_pieces(eve, json.dumps({**frame, name: "x" * size}))
            eve.send('{"type":"ping","ref":"end"}')
            answers: list[dict[str, Any]] = []
            while not answers or answers[-1].get("ref") != "end":
                answers.append(received(eve))
            codes = [answer["code"] for answer in answers if answer["type"] == "error"]
            assert codes == ([] if expected is None else [expected])


def _send_in_pieces(client: ClientConnection, text: str) -> None:
    client.send([text[at : at + MAX_FRAME_BYTES] for at in range(0, len(text), MAX_FRAME_BYTES)])


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "x" * 100_000},
        {"type": "signal", "to": "eve", "call": "c", "kind": "x" * 100_000},
        {"type": "ping", "x" * 100_000: 1, "ref": 1},
    ],
)
def test_a_refused_frame_is_answered_however_long_it_is(url: str, frame: dict[str, Any]) -> None:
    """An error that quotes the invalid value is not too large to be sent."""
    with opened(url, "eve") as eve:
        _send_in_pieces(eve, json.dumps(frame))
        answer = received(eve)
        assert (answer["type"], answer["status"]) == ("error", 400)
        assert len(json.dumps(answer)) < 10_000


def test_frame_cannot_choose_its_sender(url: str) -> None:
    """A client cannot send as another user, write as a non-member, or call strangers."""
    with opened(url, "eve") as eve, opened(url, "fay") as fay:
        send = {"type": "send", "chat": "eve:fay", "id": "forged", "text": SECRET}
        ring = {"type": "signal", "to": "fay", "call": "c", "kind": "ring"}
        for forged in (send, ring):
            for name in ("from", "sender", "user", "from_"):
                answer = ask(eve, "error", **forged, **{name: "una"})
                assert [error["field"] for error in answer["errors"]] == [name]
        ask(eve, "ack", **send)
        assert received(fay)["sender"] == "eve"
        ask(fay, "ack", type="send", chat="eve:fay", id="answer", text="call me")
        assert received(eve)["sender"] == "fay"
        eve.send(json.dumps(ring))
        assert received(fay)["from"] == "eve"
        for frame in (
            {"type": "send", "chat": CHAT, "id": "x", "text": SECRET},
            {"type": "pull", "chat": CHAT},
            {"type": "typing", "chat": CHAT, "on": True},
            {"type": "read", "chat": CHAT, "seq": 1},
            {"type": "signal", "to": "una", "call": "c", "kind": "ring"},
            {"type": "signal", "chat": CHAT, "call": "c", "kind": "ring"},
        ):
            eve.send(json.dumps(frame))
            assert received(eve)["code"] == "not_a_member"


def test_flood_of_frames_is_answered_within_the_limit(url: str, chatting: Bystanders) -> None:
    """Each of 10,000 concurrent frames is answered: those within the limit are handled, the rest refused."""
    with opened(url, "eve", max_queue=None) as eve:
        eve.socket.sendall(HELLO.bytes() * FLOOD)
        chatting.check(more=20)
        answers = [received(eve) for _ in range(FLOOD)]
    done = [answer for answer in answers if answer["type"] == "pong"]
    refused = [answer for answer in answers if answer["type"] == "error"]
    assert len(done) + len(refused) == FLOOD
    assert len(done) >= FRAMES_A_MINUTE - 1
    assert {(answer["code"], answer["ref"]) for answer in refused} == {("too_many_requests", "1")}


def test_500_short_connections_leave_no_trace(url: str) -> None:
    """500 connections, with and without a close and cut in the middle, leave no connection behind."""
    with opened(url, "fay") as fay:
        for number in range(500):
            rude = Rude(port_of(url), "gus")
            rude.send(Piece(TEXT, b'{"type":"hello"}'), *([Piece(CLOSE)] if number % 2 else []))
            rude.peer.reset() if number % 3 else rude.peer.socket.close()
        with opened(url, "gus"):
            assert ask(fay, "presence", type="watch", users=["gus"])["users"][0]["online"]
        assert eventually(lambda: not ask(fay, "presence", type="watch", users=["gus"])["users"][0]["online"])


def test_a_ticket_shown_by_20_at_once(server: Gateway) -> None:
    """A ticket opens one connection, however many clients use it at once."""
    made = httpx.post(f"{server.url}/v1/realtime/ticket", json={}, headers={"X-Parley-User": "eve"}).json()
    opening = f"{made['url']}?ticket={quote(made['ticket'], safe='')}"
    with ThreadPoolExecutor(20) as threads:
        assert sorted(threads.map(_status, [opening] * 20)) == [101, *[401] * 19]


def _status(opening: str) -> int:
    try:
        with connect(opening, proxy=None, open_timeout=WAIT_SECONDS):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def test_client_that_never_reads_is_dropped(server: Gateway, url: str) -> None:
    """A client that never reads is dropped once too much waits for it; the other members get everything."""
    body = {"kind": "group", "name": "Tea", "members": ["hal", "fay"]}
    made = httpx.post(f"{server.url}/v1/chats", json=body, headers={"X-Parley-User": "eve"})
    chat = made.json()["chat"]
    with (
        Rude(port_of(url), "hal", small_window=True) as deaf,
        opened(url, "eve") as eve,
        opened(url, "fay") as fay,
    ):
        deaf.send(Piece(TEXT, b'{"type":"hello"}'))
        assert eventually(lambda: ask(eve, "presence", type="watch", users=["hal"])["users"][0]["online"])
        lives = True
        for number in range(FRAMES_A_MINUTE - 100):
            eve.send(json.dumps({"type": "send", "chat": chat, "id": f"{number}", "text": "x" * 16 * KIB}))
            while (seq := received(fay)["seq"]) < number + 2:
                continue  # what came before is pushed again when the server is not sure
            assert seq == number + 2
            while (answer := received(eve))["type"] != "ack":
                lives = answer["users"][0]["online"] if answer["type"] == "presence" else lives
            if not lives:
                break
        assert not lives
        assert deaf.end().code is None
