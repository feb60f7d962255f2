"""The rpc function by direct invocation: the same messages as over HTTP, and never a crash."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.deployed.client import Api, new_pair
from tests.deployed.rpc import Rpc

SENT = {"code": 0, "msg": "ok"}
LONE_SURROGATE = "\ud800"


def test_what_rpc_sends_is_pulled_over_http(rpc: Rpc, api: Api) -> None:
    """A message sent by rpc is in the chat that HTTP reads."""
    chat, alice, bob = api.new_pair()
    assert rpc.send(chat=chat, sender=alice, text="by chat") == SENT
    assert rpc.send(receiver=alice, sender=bob, text="by receiver") == SENT
    assert [m["text"] for m in api.pull(chat=chat)["messages"]] == ["by chat", "by receiver"]


def test_what_http_sends_is_pulled_by_rpc(rpc: Rpc, api: Api) -> None:
    """A message sent over HTTP is in the page that rpc gives, with the fields of the legacy pull."""
    chat, alice, bob = api.new_pair()
    api.send(chat=chat, sender=alice, text="legacy")
    api.post(chat, bob, text="v1 \U0001f600")
    page = rpc.pull(chat=chat)
    assert page == {**SENT, **api.pull(chat=chat)}
    assert [m["text"] for m in page["messages"]] == ["legacy", "v1 \U0001f600"]


def test_rpc_pulls_in_pages(rpc: Rpc) -> None:
    """Pages go on by position, from either end, and keys are taken in any case."""
    chat, alice, _ = new_pair()
    for text in "0123":
        assert rpc.send(chat=chat, Sender=alice, TEXT=text) == SENT
    first = rpc.pull(chat=chat, limit=3)
    assert ([m["text"] for m in first["messages"]], first["has_more"]) == (["0", "1", "2"], True)
    rest = rpc.pull(chat=chat, cursor=first["next_cursor"])
    assert ([m["text"] for m in rest["messages"]], rest["has_more"]) == (["3"], False)
    assert "next_cursor" not in rest
    assert [m["text"] for m in rpc.pull(chat=chat, reverse=True, limit=2)["messages"]] == ["3", "2"]
    assert abs(rest["messages"][0]["send_time"] - time.time()) < 60


def test_rpc_sends_with_an_id_once(rpc: Rpc) -> None:
    """The same id stores one message; with other content it is refused."""
    chat, alice, _ = new_pair()
    message = {"chat": chat, "sender": alice, "text": "once", "id": "k1"}
    assert (rpc.send(**message), rpc.send(**message)) == (SENT, SENT)
    conflict = rpc.send(**{**message, "text": "other"})
    assert (conflict["code"], conflict["error"]) == (409, "id_conflict")
    assert len(rpc.pull(chat=chat)["messages"]) == 1


@pytest.mark.parametrize(
    ("change", "code", "error"),
    [
        ({"text": None}, 400, "bad_request"),
        ({"text": " "}, 400, "bad_request"),
        ({"text": "a\0b"}, 400, "bad_request"),
        ({"text": LONE_SURROGATE}, 400, "bad_request"),
        ({"sender": "stranger"}, 400, "bad_request"),
        ({"chat": "nocolon"}, 400, "bad_request"),
        ({"id": "x" * 65}, 400, "bad_request"),
        ({"text": "x" * 16385}, 413, "text_too_long"),
        ({"text": "x" * 1_000_000}, 413, "text_too_long"),
    ],
)
def test_a_refused_send_says_why_and_stores_nothing(
    rpc: Rpc, change: dict[str, Any], code: int, error: str
) -> None:
    """An invalid send answers a code that is not 0 and the reason, and the chat stays unchanged."""
    chat, alice, _ = new_pair()
    answer = rpc.send(**{"chat": chat, "sender": alice, "text": "hi", **change})
    assert (answer["code"], answer["error"]) == (code, error)
    assert answer["msg"]
    assert rpc.pull(chat=chat) == {**SENT, "messages": [], "has_more": False}


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "send",
        5,
        {},
        {"method": "delete", "params": {}},
        {"method": ["send"], "params": {}},
        {"method": "send"},
        {"method": "send", "params": []},
        {"method": "pull", "params": "a:b"},
        {"method": "pull", "params": {"chat": "a:b", "limit": -1}},
        {"method": "pull", "params": {"chat": "a:b", "cursor": "1"}},
    ],
)
def test_an_event_of_another_shape_is_refused(rpc: Rpc, event: Any) -> None:
    """An invalid event answers code 400 and the reason; the function continues."""
    answer = rpc(event)
    assert (answer["code"], answer["error"]) == (400, "bad_request")
    assert answer["msg"]
    assert rpc.pull(chat=new_pair()[0])["code"] == 0
