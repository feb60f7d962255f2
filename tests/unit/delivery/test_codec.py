"""Frames from text to types and back, whatever a client sends."""

from __future__ import annotations

import base64
import functools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.apidocs import asyncapi
from chalicelib.apidocs.asyncapi_examples import EXAMPLES
from chalicelib.errors import BadRequest
from chalicelib.schemas.message_pb2 import Message
from chalicelib.schemas.realtime import (
    MAX_WATCHED,
    ClientFrame,
    ErrorFrame,
    Hello,
    Ping,
    Pong,
    Read,
    Send,
    Signal,
    SignalFrame,
)
from chalicelib.services.delivery import codec
from tests.realtime.document_check import check

SIGNAL = '{"type":"signal","to":"bob","call":"1","kind":"offer","data":%s}'


def decode(text: str) -> ClientFrame:
    """Return the frame in a JSON text."""
    return codec.decode(text, protobuf=False, handle="alice")


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ('{"type":"hello"}', Hello()),
        ('{"type":"hello","version":null,"ref":"1"}', Hello(ref="1")),
        ('{"ref":"é","type":"ping"}', Ping(ref="é")),
        ('{"type":"send","chat":"a:b","id":"1","text":"hi"}', Send(chat="a:b", id="1", text="hi")),
        ('{"type":"read","chat":"a:b","seq":7,"cursor":null}', Read(chat="a:b", seq=7)),
        (SIGNAL % "null", Signal(to="bob", call="1", kind="offer")),
        (SIGNAL % '{"a": [1]}', Signal(to="bob", call="1", kind="offer", data=msgspec.Raw(b'{"a":[1]}'))),
        ('{"type":"read","chat":"a:b","seq":7.0}', Read(chat="a:b", seq=7)),
        (SIGNAL % "1.0", Signal(to="bob", call="1", kind="offer", data=msgspec.Raw(b"1.0"))),
    ],
)
def test_frame_decodes_to_its_type(text: str, frame: ClientFrame) -> None:
    """A frame decodes to its type; 7.0 is a whole number, and a signal's data stays unchanged."""
    assert decode(text) == frame


@pytest.mark.parametrize(
    ("text", "detail", "fields"),
    [
        ("", "The frame is empty: send JSON, at least `{}`.", []),
        ("{", "The frame is not JSON: Input data was truncated.", []),
        ("hello", "The frame is not JSON: JSON is malformed: invalid character (byte 0).", []),
        ('{"type":"ping"} {"type":"ping"}', "The frame is not JSON", []),
        ("[]", "Expected `object`, got `array`", []),
        ("null", "Expected `object`, got `null`", []),
        ("{}", "type: it is missing; it must be `hello`, `send`, ", ["type"]),
        ('{"type":"shout"}', "type: it must be `hello`, `send`, ", ["type"]),
        ('{"type":["ping"]}', "type: it must be `hello`, `send`, ", ["type"]),
        (
            '{"type":"ping","from":"eve"}',
            "from: there is no such field; the known ones are `type` and",
            ["from"],
        ),
        ('{"type":"ping","reff":"1"}', "reff: there is no such field; did you mean `ref`?", ["reff"]),
        (
            '{"type":"send","chat":"a:b","id":"1","text":"x","replyTo":1}',
            "replyTo: there is no such field; did you mean `reply_to`?",
            ["replyTo"],
        ),
        ('{"type":"send","chat":"a:b","text":"x"}', "id: it is missing", ["id"]),
        ('{"type":"send","chat":7,"id":"1","text":"x"}', "chat: Expected `str`, got `int`", ["chat"]),
        (
            '{"type":"send","chat":"a:b","id":"1","text":"x","kind":"system"}',
            "kind: it must be `text`",
            ["kind"],
        ),
        ('{"type":"received","chat":"a:b"}', "Expected one of `seq` and `cursor`", []),
        ('{"type":"read","chat":"a:b","seq":1,"cursor":"1"}', "Expected one of `seq` and `cursor`", []),
        ('{"type":"read","chat":"a:b","seq":0}', "seq: Expected `int` >= 1", ["seq"]),
        ('{"type":"read","chat":"a:b","seq":true}', "seq: Expected `int | null`, got `bool`", ["seq"]),
        ('{"type":"read","chat":"a:b","seq":9007199254740992}', "seq: Expected `int` <= ", ["seq"]),
        ('{"type":"read","chat":"a:b","seq":' + "9" * 5000 + "}", "seq: Integer value out of range", ["seq"]),
        ('{"type":"read","chat":"a:b","seq":NaN}', "The frame is not JSON", []),
        ('{"type":"pull","chat":"a:b","limit":1001}', "limit: Expected `int` <= 1000", ["limit"]),
        ('{"type":"typing","chat":"a:b","on":1}', "on: Expected `bool`, got `int`", ["on"]),
        ('{"type":"signal","call":"1","kind":"offer"}', "Expected one of `to` and `chat`", []),
        (
            '{"type":"signal","to":"b","call":"","kind":"offer"}',
            "call: Expected `str` of length >= 1",
            ["call"],
        ),
        (
            '{"type":"signal","to":"b","call":"1","kind":"shout"}',
            "kind: it must be `accept`, `answer`, ",
            ["kind"],
        ),
        ('{"type":"ping","ref":"' + "x" * 65 + '"}', "ref: Expected `str` of length <= 64", ["ref"]),
        ('{"type":"ping","ref":7}', "ref: Expected `str | null`, got `int`", ["ref"]),
        ('{"type":"ping","ref":"\ud800"}', "The frame is not UTF-8.", []),
        ('{"type":"ping","ref":"\\ud800"}', "ref: it has half of a surrogate pair", ["ref"]),
        (SIGNAL % '{"a":["\\udc00"]}', "data.a[0]: it has half of a surrogate pair", ["data.a[0]"]),
        (SIGNAL % ("[" * 30_000), "The frame is nested too deeply.", []),
        (SIGNAL % ('{"a":' * 20_000), "The frame is nested too deeply.", []),
        ('{"type":"pull","chat":"a:b","limit":1e1}', "limit: Expected `int`, got `float`", ["limit"]),
        ('{"type":"pull","chat":"a:b","limit":10.5}', "limit: Expected `int`, got `float`", ["limit"]),
        (SIGNAL % "1e999", "data: Number out of range", ["data"]),
        (SIGNAL % "Infinity", "The frame is not JSON", []),
        (
            json.dumps({"type": "watch", "users": ["b"] * (MAX_WATCHED + 1)}),
            f"users: Expected `array` of length <= {MAX_WATCHED}",
            ["users"],
        ),
    ],
)
def test_invalid_frame_error_says_what_is_wrong_and_where(text: str, detail: str, fields: list[str]) -> None:
    """The error of an invalid frame says what is wrong, and where."""
    with pytest.raises(BadRequest) as caught:
        decode(text)

    assert caught.value.detail.startswith(detail)
    assert [error.field for error in caught.value.errors] == fields


@pytest.mark.parametrize("data", ["1", "[]", '{"a":{"b":"é"}}'])
def test_data_is_passed_on(data: str) -> None:
    """The data of a signal reaches recipients unchanged."""
    assert codec.encode(delivered(decode(SIGNAL % data)), protobuf=False) == (
        f'{{"type":"signal","from":"alice","call":"1","kind":"offer","to":"bob","data":{data}}}'.encode()
    )


def test_deepest_data_is_passed_on() -> None:
    """Data as deep as can be decoded can be encoded, though the stack may be deeper by then."""
    frame = next(found for depth in range(1000, 0, -1) if (found := _nested_signal(depth)))

    for protobuf in (False, True):
        assert _further_down(functools.partial(codec.encode, delivered(frame), protobuf))


def delivered(frame: ClientFrame) -> SignalFrame:
    """Return the frame that recipients get for a signal."""
    assert isinstance(frame, Signal)
    return SignalFrame(
        from_="alice", call=frame.call, kind=frame.kind, to=frame.to, chat=frame.chat, data=frame.data
    )


def _nested_signal(depth: int) -> ClientFrame | None:
    try:
        return decode(SIGNAL % ("[" * depth + "]" * depth))
    except BadRequest:
        return None


def _further_down(call: Callable[[], bytes], calls: int = 50) -> bytes:
    return _further_down(call, calls - 1) if calls else call()


@pytest.mark.parametrize(
    ("body", "ref"),
    [
        ('{"type":"shout","ref":"7"}', "7"),
        ('{"ref":"7"}', "7"),
        ('{"type":"send","chat":7,"ref":"7"}', "7"),
        ('{"type":"ping"}', None),
        ('{"type":"ping","ref":7}', None),
        ('{"type":"ping","ref":"' + "x" * 65 + '"}', None),
        ('{"type":"ping","ref":"7"', None),
        ('{"ref":"7","x":' + "[" * 30_000, None),
        ('{"ref":"\ud800"}', None),
        ("[]", None),
        ("", None),
    ],
)
def test_ref_of_what_is_refused(body: str, ref: str | None) -> None:
    """The error for a bad frame repeats its ref, if it can be read."""
    assert codec.ref_of(body, protobuf=False) == ref


def test_encoded_without_what_is_null() -> None:
    """Absent fields of a server's frame are omitted."""
    frame = SignalFrame(from_="alice", to="bob", call="1", kind="ring")

    assert codec.encode(frame, protobuf=False) == (
        b'{"type":"signal","from":"alice","call":"1","kind":"ring","to":"bob"}'
    )
    assert codec.encode(Pong(time="x"), protobuf=False) == b'{"type":"pong","time":"x"}'


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
FIELDS = sorted({name for kind in asyncapi.FROM_CLIENT for name in kind.__struct_fields__} | {"type", "from"})
SPOILT = st.builds(
    lambda example, changes: {**example, **changes},
    st.sampled_from(
        [asyncapi.example_of(kind, one) for kind in asyncapi.FROM_CLIENT for one in EXAMPLES[kind]]
    ),
    st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=3),
)
TEXTS = (
    st.text(st.characters(exclude_categories=()))
    | VALUES.map(json.dumps)
    | SPOILT.map(json.dumps)
    | SPOILT.map(lambda values: json.dumps(values, ensure_ascii=False))
    | st.builds(lambda values, cut: json.dumps(values)[:cut], SPOILT, st.integers(0, 200))
)


def _decoded(body: str, *, protobuf: bool) -> ClientFrame | None:
    """Return a frame, or None for a bad request that can be answered."""
    ref = codec.ref_of(body, protobuf)
    try:
        return codec.decode(body, protobuf, "alice")
    except BadRequest as refusal:
        check(msgspec.to_builtins(_error(refusal, ref)))
        return None


def _error(refusal: BadRequest, ref: str | None) -> ErrorFrame:
    return ErrorFrame(
        status=refusal.status,
        code=refusal.code,
        title=refusal.title,
        detail=refusal.detail,
        errors=list(refusal.errors),
        ref=ref,
    )


@given(TEXTS)
def test_any_text_is_a_frame_or_a_bad_request(text: str) -> None:
    """Any text is a frame or a bad request, and a frame can be encoded for others."""
    frame = _decoded(text, protobuf=False)

    assert frame is None or msgspec.json.encode(frame)
    if isinstance(frame, Signal):
        assert codec.encode(delivered(frame), protobuf=True)
        check(json.loads(codec.encode(delivered(frame), protobuf=False)))


MESSAGES = st.builds(
    lambda fields: Message(**fields),
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["", "heatbeat", "webrtc", "parley.send", "parley.", "x"]),
            "to": st.sampled_from(["", "bob", "bob:carol", "g-1", "0195a1c2-6f1e-7a51-9d53-2f8d8c3f1a10"])
            | st.text(),
            "from": st.text(),
            "content": st.text() | TEXTS.map(lambda text: text.encode(errors="replace").decode()),
            "contentType": st.sampled_from([0, 1, 7, 15]) | st.integers(-(2**31), 2**31 - 1),
            "messageType": st.sampled_from([0, 1, 2]) | st.integers(-(2**31), 2**31 - 1),
            "file": st.binary(),
        },
    ),
)


@given(
    st.text(st.characters(exclude_categories=()))
    | st.binary().map(lambda raw: base64.b64encode(raw).decode())
    | MESSAGES.map(lambda message: base64.b64encode(message.SerializeToString()).decode())
)
def test_any_protobuf_text_is_a_frame_or_a_bad_request(body: str) -> None:
    """Any text on a protobuf connection is a frame or a bad request, too."""
    frame = _decoded(body, protobuf=True)

    assert frame is None or msgspec.json.encode(frame)
    if isinstance(frame, Signal):
        assert codec.encode(delivered(frame), protobuf=True)


def test_library_is_imported_when_it_is_needed() -> None:
    """Neither the application nor a JSON frame imports Google's protobuf; a frame of the subprotocol does."""
    script = (
        "import sys, app\n"
        "from chalicelib.services.delivery import codec\n"
        "codec.decode('{\"type\":\"ping\"}', False, 'alice')\n"
        "assert 'google.protobuf' not in sys.modules\n"
        "codec.decode('OghoZWF0YmVhdA==', True, 'alice')\n"
        "assert 'google.protobuf' in sys.modules\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        check=False,
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr


def test_every_frame_of_a_client_is_decoded() -> None:
    """Each documented example of a client is a frame of its own type."""
    for kind in asyncapi.FROM_CLIENT:
        for example in EXAMPLES[kind]:
            frame: Any = decode(json.dumps(asyncapi.example_of(kind, example)))
            assert type(frame) is kind
