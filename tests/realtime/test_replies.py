"""Replies, forwards and mentions: what connections get, and what they cost and leave in the store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import redis

from chalicelib.errors import Forbidden, MessageNotFound
from chalicelib.schemas.messages import ForwardedFrom, SendRequest
from chalicelib.schemas.scheduled import ScheduleRequest
from chalicelib.services.auth.caller import Caller
from chalicelib.services.values.times import rfc3339
from chalicelib.store import keys
from tests.realtime.document_check import check
from tests.realtime.recorded_connections import Stage
from tests.servers.engines import Engine
from tests.store.counted_round_trips import RoundTrips
from tests.store.log_records import RawClient, eight

PAIR = "ann:bob"


@pytest.fixture
def raw(valkey: Engine, stage: Stage) -> Iterator[RawClient]:
    """A client that looks at keys by hand."""
    with redis.Redis.from_url(valkey.url) as client:
        yield client


def send(stage: Stage, user: str, chat: str, text: str = "", **fields: Any) -> Any:
    """Send a message and return it as JSON has it."""
    sent = stage.services.messages.send(stage.caller(user), chat, SendRequest(text, **fields))
    return msgspec.json.decode(msgspec.json.encode(sent))


def test_frames_say_what_they_leave_out(stage: Stage) -> None:
    """A pushed reply or forward has no field that differs between readers, and is `partial`."""
    group = stage.group("ann", "bob", "cid")
    source = send(stage, "ann", PAIR, "tea")["seq"]
    bob, cid = stage.connect("bob"), stage.connect("cid")

    forward = {"chat": PAIR, "seq": source}
    ack = bob.ask(type="send", chat=group, id="one", forward=forward, data=None)
    check(ack)
    (pushed,) = cid.of_type("message")
    check(pushed)
    for frame in (ack, pushed):
        assert (frame["text"], frame["forwarded"], frame["partial"]) == ("tea", {}, True)
    reply = bob.ask(type="send", chat=group, id="two", text="@cid", reply_to=pushed["seq"], data={"x": 1})
    pushed = cid.of_type("message")[-1]
    check(pushed)
    assert (reply["mentions"], reply["partial"], "replied" in pushed) == (["cid"], True, False)
    assert pushed["data"] == {"x": 1}
    plain = bob.ask(type="send", chat=group, id="three", text="x")
    assert "partial" not in plain
    edited = bob.ask(type="edit", chat=group, seq=plain["seq"], data={"x": 2})
    assert (edited["message"]["text"], edited["message"]["data"]) == ("x", {"x": 2})
    assert bob.ask(type="send", chat=group, id="four")["errors"][0]["field"] == "text"


def test_page_with_replies_and_forwards_takes_one_more_round_trip(stage: Stage) -> None:
    """All stubs, threads and origins of a page are found in one further round trip."""
    group = stage.group("ann", "bob")
    source = send(stage, "ann", PAIR, "tea")["seq"]
    for _ in range(3):
        sent = send(stage, "ann", group, "", forward=ForwardedFrom(PAIR, source))
        send(stage, "bob", group, "re", reply_to=sent["seq"])
    counted = stage.services._store._node = RoundTrips(stage.services._store._node)
    caller = Caller(stage.services._store, "bob")
    page = stage.services.messages.page(caller, group, after=None, before=None, limit=50)

    assert len(counted.sizes) == 2
    shown = msgspec.json.decode(msgspec.json.encode(page))["messages"]
    assert [one["forwarded"]["seq"] for one in shown if "forwarded" in one] == [source] * 3
    assert sum("replied" in one for one in shown) == sum("thread" in one for one in shown) == 3


def test_scheduled_forward_is_read_when_it_is_sent(stage: Stage) -> None:
    """A forward can be scheduled if the message can be read; it fails if that was deleted meanwhile."""
    source = send(stage, "ann", PAIR, "tea")["seq"]
    service, caller = stage.services.scheduled, stage.caller("bob")
    at = rfc3339(service._now() + 60_000_000)
    request = ScheduleRequest(send_at=at, forward=ForwardedFrom(PAIR, source), data=None)

    made = service.add(caller, "bob:cid", request)
    assert (made.text, made.forward) == ("", ForwardedFrom(PAIR, source))
    with pytest.raises(MessageNotFound):
        service.add(stage.caller("cid"), "bob:cid", request)
    stage.services.message_changes.delete(stage.caller("ann"), PAIR, source)
    with pytest.raises(MessageNotFound):
        service.add(caller, "bob:cid", request)


def test_deletion_takes_a_message_out_of_threads_and_mentions(stage: Stage, raw: RawClient) -> None:
    """After a deletion neither the thread nor the mentions hold the message; a deleted chat has no keys."""
    group = stage.group("ann", "bob")
    root = send(stage, "ann", group, "tea")["seq"]
    seq = send(stage, "ann", group, "@bob @all", reply_to=root)["seq"]
    assert raw.hgetall(keys.mentions(group)) == {b"bob": eight(seq), b"*:": eight(seq)}
    assert raw.zrange(keys.threads(group), 0, -1) == [eight(seq)]

    stage.services.message_changes.delete(stage.caller("ann"), group, seq)
    assert raw.exists(keys.mentions(group), keys.threads(group)) == 0
    send(stage, "ann", group, "@bob", reply_to=root)
    stage.services.chats.delete(stage.caller("ann"), group)
    assert raw.exists(keys.mentions(group), keys.threads(group)) == 0


def test_forwarded_system_message_is_refused(stage: Stage) -> None:
    """A message of kind `system` cannot be forwarded."""
    group = stage.group("ann", "bob")
    with pytest.raises(Forbidden):
        send(stage, "ann", PAIR, "", forward=ForwardedFrom(group, 1))
