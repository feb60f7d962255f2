"""Invalid frames: each gets an error frame, and the connection lives on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.deployed.realtime.device import Device
from tests.deployed.realtime.users import Net

REF = "my-ref"
WRONG: dict[str, Any] = {
    "unknown type": {"type": "dance"},
    "no type": {"chat": "a:b"},
    "type of a number": {"type": 7},
    "missing field": {"type": "send", "chat": "a:b", "text": "no id"},
    "wrong type": {"type": "send", "chat": "a:b", "id": 7, "text": "x"},
    "wrong kind": {"type": "signal", "to": "bob", "call": "c", "kind": "wave"},
    "neither of two": {"type": "read", "chat": "a:b"},
    "both of two": {"type": "read", "chat": "a:b", "seq": 1, "cursor": "1"},
    "below the least": {"type": "read", "chat": "a:b", "seq": 0},
    "too many": {"type": "watch", "users": ["a"] * 101},
    "nothing to see": {"type": "send", "chat": "a:b", "id": "i", "text": "\u3164\u2800"},
    "an id nobody sees": {"type": "send", "chat": "a:b", "id": "\u3164", "text": "x"},
    "no such chat id": {"type": "pull", "chat": "nobody"},
}
NOT_FRAMES = {
    "empty": "",
    "no JSON": "hello",
    "half of it": '{"type":"ping"',
    "two": '{"type":"ping"}{"type":"ping"}',
    "a list": "[]",
    "null": "null",
    "a number": "7",
    "deep": '{"type":"signal","to":"b","call":"c","kind":"offer","data":' + "[" * 5000 + "]" * 5000 + "}",
    "a lone surrogate": '{"type":"typing","chat":"\\ud800","on":true}',
    "no number": '{"type":"pull","chat":"a:b","limit":NaN}',
}


def check_error(answer: dict[str, Any], device: Device) -> None:
    """Check that a frame is a problem caused by the client, and that the connection lives."""
    assert answer["type"] == "error", answer
    assert 400 <= answer["status"] < 500
    assert {"code", "title", "detail"} <= answer.keys()
    assert device.ask("ping")["type"] == "pong"


def test_ping_is_answered_with_time_and_ref(net: Net) -> None:
    """`pong` answers `ping` with the time and its ref; without a ref it has none."""
    device = net.device(net.someone(), hello=False)
    answer = device.ask("ping")
    assert (answer["type"], answer["time"][-1]) == ("pong", "Z")
    device.raw('{"type":"ping"}')
    assert "ref" not in device.expect("pong")


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_frame_is_answered_by_an_error(net: Net, wrong: str) -> None:
    """The error repeats the ref of the frame, and names the invalid field."""
    device = net.device(net.pair()[1])
    device.raw(json.dumps({**WRONG[wrong], "ref": REF}))
    check_error(device.expect("error", ref=REF), device)


@pytest.mark.parametrize("text", NOT_FRAMES)
def test_what_is_no_frame_is_answered_by_an_error(net: Net, text: str) -> None:
    """An unreadable frame gets an error, too."""
    device = net.device(net.pair()[1])
    device.raw(NOT_FRAMES[text])
    check_error(device.expect("error"), device)


@pytest.mark.parametrize("ref", ["x" * 65, 7, None, ["a"]])
def test_a_ref_that_is_none(net: Net, ref: Any) -> None:
    """A ref that is too long or no text is not repeated; null counts as absent."""
    device = net.device(net.pair()[1])
    device.raw(json.dumps({"type": "ping", "ref": ref}))
    answer = device.expect("pong" if ref is None else "error")
    assert "ref" not in answer
    assert device.ask("ping")["type"] == "pong"


def test_invalid_frames_of_one_device_disturb_no_other(net: Net) -> None:
    """While one device sends invalid frames, another's message arrives."""
    chat, alice, bob = net.pair()
    rude, sending, other = net.device(bob), net.device(alice), net.device(bob)
    for _ in range(20):
        rude.raw("{" * 1000)
    ack = sending.ask("send", chat=chat, id="a-fine-one", text="fine")
    assert other.expect("message", chat=chat, seq=ack["seq"])["text"] == "fine"
    for _ in range(20):
        assert rude.expect("error")["status"] == 400
