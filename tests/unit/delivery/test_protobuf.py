"""The subprotocol `parley.protobuf`: frames as protobuf Messages in base64."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chalicelib.apidocs import asyncapi
from chalicelib.apidocs.asyncapi_examples import EXAMPLES
from chalicelib.errors import BadRequest
from chalicelib.schemas.message_pb2 import Message
from chalicelib.schemas.messages import MAX_CHAT_CHARACTERS
from chalicelib.schemas.realtime import (
    MAX_MESSAGE_BYTES,
    ClientFrame,
    ErrorFrame,
    Hello,
    MessageFrame,
    PageFrame,
    Ping,
    Pong,
    Send,
    ServerFrame,
    Signal,
    SignalFrame,
)
from chalicelib.services.delivery import codec
from chalicelib.services.delivery.codec import PROTOBUF_BYTES
from infra.openapi import PROTO, ROOT, generate
from tests.realtime.document_check import check

GROUP = "0195a1c2-6f1e-7a51-9d53-2f8d8c3f1a10"
DOCUMENTED = {
    "avatar": 1,
    "fromUsername": 2,
    "from": 3,
    "to": 4,
    "content": 5,
    "contentType": 6,
    "type": 7,
    "messageType": 8,
    "url": 9,
    "fileSuffix": 10,
    "file": 11,
}
SENT_AT = "2026-01-05T12:00:00.000000Z"


def body_of(**fields: Any) -> str:
    """Return a Message as a client sends it."""
    return base64.b64encode(Message(**fields).SerializeToString()).decode()


def decode(**fields: Any) -> ClientFrame:
    """Return the frame that a Message of alice's means."""
    return codec.decode(body_of(**fields), protobuf=True, handle="alice")


def fields_of(frame: ServerFrame) -> dict[str, Any]:
    """Return the fields of the Message that a client gets for a frame."""
    message = Message.FromString(base64.b64decode(codec.encode(frame, protobuf=True), validate=True))
    return {field.name: value for field, value in message.ListFields()}


def message(**changes: Any) -> MessageFrame:
    """Return a message of alice's to bob."""
    values = {"chat": "alice:bob", "seq": 1, "id": "1", "sender": "alice", "kind": "text", "text": "hi"}
    beside = {"cursor": "1.2.3", "epoch": 3, "sender_name": "Ann"}
    return MessageFrame(**{**values, **beside, "sent_at": SENT_AT, **changes})


def test_fields_have_the_documented_numbers() -> None:
    """The Message has the fields that the clients of the replaced server know, by number, and no other."""
    assert {field.name: field.number for field in Message.DESCRIPTOR.fields} == DOCUMENTED


def test_generated_module_is_fresh(tmp_path: Path) -> None:
    """The module of message.proto is the compiler's output; `python -m infra.openapi` writes it."""
    generate(tmp_path)

    for suffix in ("_pb2.py", "_pb2.pyi"):
        name = PROTO.replace(".proto", suffix)
        assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes(), "run: python -m infra.openapi"


def test_bytes_on_the_wire() -> None:
    """A message of alice's to bob is these bytes, worked out by hand from the encoding of protobuf."""
    wire = b"\x12\x05alice\x1a\x05alice\x22\x03bob\x2a\x02hi\x30\x01\x40\x01"

    assert base64.b64decode(codec.encode(message(), protobuf=True)) == wire


@pytest.mark.parametrize(
    ("fields", "chat"),
    [
        ({"to": "bob"}, "alice:bob"),
        ({"to": "bob", "messageType": 1, "contentType": 1}, "alice:bob"),
        ({"to": "Bob", "from": "eve", "fromUsername": "eve"}, "alice:Bob"),
        ({"to": GROUP, "messageType": 2}, f"g-{GROUP}"),
        ({"to": f"g-{GROUP}", "messageType": 2}, f"g-{GROUP}"),
        ({"to": "r-lobby", "messageType": 2}, "r-lobby"),
        ({"to": "R-Lobby", "messageType": 2}, "R-Lobby"),
    ],
)
def test_message_without_type_is_a_send_whatever_its_sender(fields: dict[str, Any], chat: str) -> None:
    """A Message without a type is a send to the direct chat or group, whatever sender it names."""
    frame = decode(content="Tea?", **fields)

    assert isinstance(frame, Send)
    assert (frame.chat, frame.text, frame.ref) == (chat, "Tea?", None)


@pytest.mark.parametrize("kind", [{}, {"type": "webrtc"}])
@pytest.mark.parametrize("message_type", [3, -1, 2**31 - 1, -(2**31)])
def test_other_message_types_are_refused(kind: dict[str, str], message_type: int) -> None:
    """A messageType that is neither a user's nor a group's is refused by name."""
    with pytest.raises(BadRequest, match=r"messageType.* 1.* 2"):
        decode(to="bob", content="hi", messageType=message_type, **kind)


def test_each_text_has_an_id() -> None:
    """Two equal Messages are two messages: the Message has no field for an id of the client's."""
    frames = [decode(to="bob", content="hi") for _ in range(2)]

    assert len({frame.id for frame in frames if isinstance(frame, Send)}) == 2


def test_heartbeat_is_a_ping_answered_as_before() -> None:
    """A heartbeat is a ping, and the answer is the replaced server's."""
    assert decode(type="heatbeat", content="ping") == Ping()
    assert fields_of(Pong(time=SENT_AT)) == {"type": "heatbeat", "content": "pong"}


@pytest.mark.parametrize(
    ("content", "content_type", "kind"),
    [
        ('{"type":"offer","sdp":"v=0"}', 7, "offer"),
        ('{"type":"answer","sdp":"v=0"}', 6, "answer"),
        ('{"type":"offer_ice","iceCandidate":{}}', 0, "candidate"),
        ("", 11, "ring"),
        ("", 15, "ring"),
        ("", 12, "accept"),
        ("", 17, "hangup"),
        ("", 18, "reject"),
        ("", 9, "screen"),
        ("not JSON", 0, "candidate"),
        ("[]", 0, "candidate"),
    ],
)
@pytest.mark.parametrize(
    ("to", "target"),
    [
        ({"to": "bob", "messageType": 1}, {"to": "bob"}),
        ({"to": GROUP, "messageType": 2}, {"chat": f"g-{GROUP}"}),
    ],
)
def test_signal_passes_unchanged_with_its_true_sender(
    content: str, content_type: int, kind: Any, to: dict[str, Any], target: dict[str, str]
) -> None:
    """A signal reaches another protobuf client unchanged, with its true sender."""
    frame = decode(type="webrtc", content=content, contentType=content_type, **{"from": "eve"}, **to)

    assert isinstance(frame, Signal)
    data = {"content": content, "contentType": content_type}
    assert frame == Signal(call="webrtc", kind=kind, data=msgspec.Raw(msgspec.json.encode(data)), **target)
    given = fields_of(SignalFrame(from_="alice", call=frame.call, kind=kind, data=frame.data, **target))
    wanted = {"type": "webrtc", "from": "alice", "fromUsername": "alice", "messageType": to["messageType"]}
    assert given == {
        key: value for key, value in (wanted | data | {"to": next(iter(target.values()))}).items() if value
    }


@pytest.mark.parametrize(
    ("kind", "data", "content", "content_type"),
    [
        ("offer", {"type": "offer", "sdp": "v=0"}, '{"type":"offer","sdp":"v=0"}', 7),
        ("ring", None, "null", 15),
        ("screen", "on", '"on"', 9),
        ("offer", {"content": 1, "contentType": 2**31}, '{"content":1,"contentType":2147483648}', 7),
        ("offer", {"content": "x", "contentType": True}, '{"content":"x","contentType":true}', 7),
        ("offer", {"content": "x", "contentType": 2**31}, '{"content":"x","contentType":2147483648}', 7),
    ],
)
def test_signal_of_a_json_client(kind: Any, data: Any, content: str, content_type: int) -> None:
    """The data of a signal that came as JSON is in the content, as JSON."""
    fields = fields_of(SignalFrame(from_="alice", to="bob", call="1", kind=kind, data=data))

    assert (fields["content"], fields["contentType"]) == (content, content_type)


@pytest.mark.parametrize(
    ("frame", "to", "message_type"),
    [
        (message(), "bob", 1),
        (message(sender="bob"), "alice", 1),
        (message(chat="alice:alice"), "alice", 1),
        (message(chat=f"g-{GROUP}"), f"g-{GROUP}", 2),
        (message(chat="r-lobby"), "r-lobby", 2),
    ],
)
def test_message_uses_the_fields_for_sender_text_and_receiver(
    frame: MessageFrame, to: str, message_type: int
) -> None:
    """A message has its sender, text and receiver in the fields for them."""
    assert fields_of(frame) == {
        "from": frame.sender,
        "fromUsername": frame.sender,
        "to": to,
        "content": "hi",
        "contentType": 1,
        "messageType": message_type,
    }


@pytest.mark.parametrize(
    "frame",
    [
        *(
            msgspec.convert(asyncapi.example_of(kind, example), kind)
            for kind in asyncapi.FROM_SERVER
            if kind not in (MessageFrame, SignalFrame)
            for example in EXAMPLES[kind]
        ),
        message(kind="system", text="alice has left", chat="r-lobby"),
    ],
    ids=asyncapi.type_of,
)
def test_what_has_no_field_is_json(frame: Any) -> None:
    """Every other frame is JSON in the content, with a type of its own."""
    fields = fields_of(frame)

    assert fields == {
        "type": f"parley.{asyncapi.type_of(type(frame))}",
        "content": codec.encode(frame, protobuf=False).decode(),
    }
    check(json.loads(fields["content"]))


@pytest.mark.parametrize("kind", asyncapi.FROM_CLIENT, ids=asyncapi.type_of)
def test_a_client_may_send_any_frame(kind: type[msgspec.Struct]) -> None:
    """Any frame can be sent as JSON in the content; the error for it repeats its ref."""
    for example in EXAMPLES[kind]:
        text = json.dumps({**asyncapi.example_of(kind, example), "ref": "7"})
        body = body_of(type=f"parley.{asyncapi.type_of(kind)}", content=text)

        same = codec.decode(text, protobuf=False, handle="alice")
        assert codec.decode(body, protobuf=True, handle="alice") == same
        assert codec.ref_of(body, protobuf=True) == "7"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("{}", "The frame is not the base64 of a protobuf Message."),
        ('{"type":"hello"}', "The frame is not the base64 of a protobuf Message."),
        ("é", "The frame is not the base64 of a protobuf Message."),
        ("\ud800", "The frame is not the base64 of a protobuf Message."),
        ("KgE=\n", "The frame is not the base64 of a protobuf Message."),
        ("KgE", "The frame is not the base64 of a protobuf Message."),
        ("KgE=", "The frame is not the base64 of a protobuf Message."),
        ("KgH/", "The frame is not the base64 of a protobuf Message."),
        ("", "to: it is missing"),
        (body_of(content="hi"), "to: it is missing"),
        (body_of(type="webrtc"), "to: it is missing"),
        (
            body_of(to="bob", contentType=3, file=b"\x89PNG"),
            "contentType: it must be 1, for text: nothing else can be sent",
        ),
        (body_of(to="b" * 600, content="x"), f"chat: Expected `str` of length <= {MAX_CHAT_CHARACTERS}"),
        (body_of(type="shout"), "type: it must be empty, heatbeat or webrtc, or begin with parley."),
        (body_of(type="parley.ping"), "The frame is empty"),
        (body_of(type="parley.ping", content='{"x":' * 9_000), "The frame is nested too deeply."),
    ],
)
def test_invalid_frame_error_says_what_is_wrong(body: str, detail: str) -> None:
    """The error of an invalid frame says what is wrong."""
    with pytest.raises(BadRequest) as caught:
        codec.decode(body, protobuf=True, handle="alice")

    assert caught.value.detail.startswith(detail)
    assert codec.ref_of(body, protobuf=True) is None


def test_nested_unknown_groups_do_not_exhaust_the_stack() -> None:
    """Unknown groups inside each other do not exhaust the stack."""
    body = base64.b64encode(b"\x63" * 100_000).decode()

    with pytest.raises(BadRequest):
        codec.decode(body, protobuf=True, handle="alice")


def test_largest_page_fits_one_frame() -> None:
    """A page with the maximum of JSON fits one frame."""
    page = PageFrame(
        chat="r-lobby",
        messages=[],
        base=0,
        head=0,
        epoch=0,
        next="x" * PROTOBUF_BYTES,
        previous=None,
        deleted_users=[],
    )

    assert len(codec.encode(page, protobuf=True)) <= MAX_MESSAGE_BYTES


def test_what_does_not_fit_is_an_error() -> None:
    """A frame too long for a connection in base64 becomes an error with what to do, and its ref."""
    page = PageFrame(
        chat="r-lobby",
        messages=[],
        base=0,
        head=0,
        epoch=0,
        next="x" * 98_304,
        previous=None,
        deleted_users=[],
        ref="7",
    )

    fields = fields_of(page)

    assert fields["type"] == "parley.error"
    error = msgspec.json.decode(fields["content"], type=ErrorFrame)
    assert (error.status, error.code, error.ref) == (413, "payload_too_large", "7")
    assert error.detail == "The page is too large for a protobuf Message; read it over HTTP."


def test_hello_of_a_protobuf_client_is_json() -> None:
    """The first frame of a protobuf client is a hello in JSON."""
    assert decode(type="parley.hello", content='{"type":"hello"}') == Hello()


def test_documented_proto_is_the_one_there_is() -> None:
    """docs/protobuf.md shows each field with its number."""
    text = (ROOT / "docs" / "protobuf.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", text, re.MULTILINE)

    assert {name: int(number) for name, number in rows} == DOCUMENTED
