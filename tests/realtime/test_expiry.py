"""Messages that expire: nobody reads them after their time, and the sweep removes them from the store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import redis

from chalicelib.errors import BadRequest, Blocked, Forbidden, IdConflict, MessageDeleted, StoreFull
from chalicelib.queues import PushJob
from chalicelib.schemas.chats import ChatChanges
from chalicelib.schemas.messages import EditRequest, Message, SendRequest
from chalicelib.services.values.times import microseconds
from chalicelib.store import keys
from tests.realtime.expired_messages import expiries_of, set_expiry
from tests.realtime.recorded_connections import Stage
from tests.servers.engines import Engine, ValkeyEngine
from tests.servers.refusing_writes import no_memory
from tests.store.log_records import RawClient

PAIR = "ann:bob"
SECRET = "the secret recipe"
HOUR = 3_600
Made = dict[str, Any]


@pytest.fixture
def raw(valkey: Engine, stage: Stage) -> Iterator[RawClient]:
    """A client that looks at keys by hand."""
    with redis.Redis.from_url(valkey.url) as client:
        yield client


def send(stage: Stage, chat: str = PAIR, text: str = SECRET, user: str = "ann", **fields: Any) -> Made:
    """Send a message and return it."""
    sent = stage.services.messages.send(stage.caller(user), chat, SendRequest(text, **fields))
    made: Made = plain(sent)
    return made


def plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    return msgspec.json.decode(msgspec.json.encode(value))


def change(stage: Stage, chat: str, user: str = "ann", **fields: Any) -> Made:
    """Change a chat and return it."""
    changed: Made = plain(stage.services.chats.change(stage.caller(user), chat, ChatChanges(**fields)))
    return changed


def page(stage: Stage, chat: str = PAIR, user: str = "bob") -> list[Made]:
    """Return the messages of a chat."""
    found = stage.services.messages.page(stage.caller(user), chat, after="0", before=None, limit=99)
    messages: list[Made] = plain(found.messages)
    return messages


def lifetime(message: Made) -> float:
    """Return the seconds between a message and its expiry; 0: it never expires."""
    if "expires_at" not in message:
        return 0
    return (microseconds(message["expires_at"], "") - microseconds(message["sent_at"], "")) / 1e6


def sweep(stage: Stage) -> int:
    """Delete what has expired; return how many messages were deleted."""
    return stage.services.expiry_sweep.sweep()


def values_of(raw: RawClient) -> bytes:
    """Return all that the store holds, in one piece."""
    return b"\n".join(raw.dump(key) or b"" for key in raw.scan_iter(count=1000))


def test_a_message_says_when_it_expires(stage: Stage, raw: RawClient) -> None:
    """The sender's answer, pages, the push and the ack have `expires_at`; without a lifetime it is absent."""
    bob = stage.connect("bob")
    sent = send(stage, expires_in=60, id="one")
    assert lifetime(sent) == 60
    assert lifetime(send(stage, text="stays")) == 0
    shown, plain_one = page(stage)
    assert (shown["expires_at"], "expires_at" in plain_one) == (sent["expires_at"], False)
    first, second = bob.of_type("message")
    assert (first["expires_at"], "expires_at" in second) == (sent["expires_at"], False)
    ack = stage.connect("ann").ask(type="send", chat=PAIR, id="two", text="hi", expires_in=5)
    assert lifetime(ack) == 5
    assert list(expiries_of(raw, PAIR)) == ["3", "1"]


def test_a_repeated_send_says_when_the_first_one_expires(stage: Stage) -> None:
    """A duplicate has the expiry of the stored message; another lifetime is other content."""
    sent = send(stage, expires_in=60, id="one")
    assert send(stage, expires_in=60, id="one") == {**sent, "duplicate": True}
    with pytest.raises(IdConflict):
        send(stage, expires_in=61, id="one")
    change(stage, PAIR, expires_in=HOUR)
    kept = send(stage, id="two")
    change(stage, PAIR, expires_in=None)
    assert send(stage, id="two") == {**kept, "duplicate": True}


@pytest.mark.parametrize("seconds", [4, 0, -1, 365 * 86_400 + 1])
def test_a_lifetime_is_from_five_seconds_to_a_year(stage: Stage, seconds: int) -> None:
    """Other lifetimes are refused by the type that all ways to send share."""
    with pytest.raises(msgspec.ValidationError, match="expires_in"):
        msgspec.convert({"text": "hi", "expires_in": seconds}, SendRequest)
    with pytest.raises(msgspec.ValidationError, match="expires_in"):
        msgspec.convert({"expires_in": seconds}, ChatChanges)


def test_nobody_reads_an_expired_message(stage: Stage, raw: RawClient) -> None:
    """Before any sweep: pages, one message, the row, an edit, a late push and the export have no text."""
    send(stage, expires_in=60)
    at = set_expiry(raw, PAIR, 1)

    (shown,) = page(stage)
    assert (shown["text"], shown["deleted"]["by"], microseconds(shown["deleted"]["at"], "")) == ("", None, at)
    assert "expires_at" not in shown
    bob = stage.caller("bob")
    one: Message = stage.services.messages.one(bob, PAIR, "1")
    assert plain(one) == shown
    (row,) = plain(stage.services.inbox.page(bob, None, None, 9).chats)
    assert (row["last"]["text"], row["last"]["deleted"]) == ("", True)
    with pytest.raises(MessageDeleted):
        stage.services.message_changes.edit(stage.caller("ann"), PAIR, 1, EditRequest("new"))
    listener = stage.connect("bob")
    stage.services.message_push.run(PushJob(PAIR, 1, [(listener.id, False)]))
    assert [(one["text"], one["deleted"]["by"]) for one in listener.of_type("message")] == [("", None)]


def test_the_sweep_removes_an_expired_message(stage: Stage, raw: RawClient) -> None:
    """The text leaves the store; both users get a `change` frame, and the feed has the change."""
    ann, bob = stage.connect("ann"), stage.connect("bob")
    send(stage, expires_in=60)
    send(stage, expires_in=60, text="not yet")
    assert sweep(stage) == 0
    set_expiry(raw, PAIR, 1)

    assert (sweep(stage), sweep(stage)) == (1, 0)

    assert SECRET.encode() not in values_of(raw)
    assert list(expiries_of(raw, PAIR)) == ["2"]
    shown = page(stage)[0]
    assert (shown["text"], shown["deleted"]["by"]) == ("", None)
    feed = plain(stage.services.changelog.page(stage.caller("bob"), PAIR, None, 9))
    assert [one["message"] for one in feed["changes"]] == [shown]
    for device in (ann, bob):
        (frame,) = device.of_type("change")
        assert (frame["message"], frame["cursor"]) == (shown, feed["next"])
    (row,) = plain(stage.services.inbox.page(stage.caller("bob"), None, None, 9).chats)
    assert (row["unread"], row["change"]) == (1, feed["next"])


def test_each_message_is_deleted_by_one_of_two_sweeps(stage: Stage, raw: RawClient) -> None:
    """Sweeps that have read the same messages delete each once, and count it once."""
    for number in range(3):
        send(stage, text=f"{SECRET} {number}", expires_in=60)
        set_expiry(raw, PAIR, number + 1)
    sweeper = stage.services.expiry_sweep
    due = stage.store.run(sweeper._expiries.due(9))

    assert sweeper._delete(due[:2]) == 2
    assert sweeper._delete(due) == 1
    assert sweeper._delete(due) == 0
    assert len(plain(stage.services.changelog.page(stage.caller("bob"), PAIR, None, 9))["changes"]) == 3
    assert expiries_of(raw, PAIR) == {}


def test_what_is_gone_is_dropped(stage: Stage, raw: RawClient) -> None:
    """A deleted message leaves the list at once, a trimmed one and one of a deleted chat at their times."""
    group = stage.group("ann", "bob")
    first = send(stage, group, expires_in=60)["seq"]
    second = send(stage, group, expires_in=60)["seq"]
    stage.services.message_changes.delete(stage.caller("ann"), group, first)
    assert list(expiries_of(raw, group)) == [str(second)]
    set_expiry(raw, group, second)
    stage.services.chats.delete(stage.caller("ann"), group)
    assert sweep(stage) == 0
    assert expiries_of(raw, group) == {}


def test_a_damaged_message_does_not_hold_up_the_others(
    stage: Stage, raw: RawClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A message that cannot be decoded is logged without its text; the others are deleted."""
    for number in (1, 2, 3):
        send(stage, expires_in=60)
        set_expiry(raw, PAIR, number)
    held: Any = raw.lindex(keys.log(PAIR), 2)
    raw.lset(keys.log(PAIR), 2, held[:40])
    assert sweep(stage) == 2
    assert list(expiries_of(raw, PAIR)) == ["2"]
    (line,) = [one.msg for one in caplog.records if isinstance(one.msg, dict)]
    assert line == {"event": "expiry_pending", "chat": PAIR, "seq": 2}
    assert SECRET not in caplog.text


def test_the_shorter_lifetime_wins(stage: Stage) -> None:
    """Later messages of a chat expire after its lifetime, or after their own if that is shorter."""
    before = send(stage)
    change(stage, PAIR, expires_in=HOUR)
    lives = [lifetime(send(stage, expires_in=own)) for own in (None, 60, 2 * HOUR)]
    change(stage, PAIR, expires_in=None)
    after = send(stage)
    assert (lifetime(before), lives, lifetime(after)) == (0, [HOUR, 60, HOUR], 0)
    assert [lifetime(one) for one in page(stage)] == [0, HOUR, 60, HOUR, 0]


def test_admins_set_the_lifetime_of_a_group(stage: Stage) -> None:
    """A change is an event and in the row; it holds for later messages, but not for those of the server."""
    group = stage.group("ann", "bob")
    bob = stage.connect("bob")
    with pytest.raises(Forbidden):
        change(stage, group, "bob", expires_in=HOUR)
    assert change(stage, group, expires_in=HOUR)["expires_in"] == HOUR
    assert change(stage, group, expires_in=HOUR)["expires_in"] == HOUR
    assert lifetime(send(stage, group)) == HOUR
    assert "expires_in" not in change(stage, group, expires_in=None)
    events = [one for one in page(stage, group) if one["kind"] == "system"]
    assert [one["event"].get("expires_in") for one in events] == [None, HOUR, 0]
    assert events[1]["text"] == "ann changed when messages expire."
    assert [lifetime(one) for one in events] == [0, 0, 0]
    assert [row.get("expires_in") for row in bob.of_type("chat")] == [HOUR, None]


def test_either_user_sets_the_lifetime_of_a_direct_chat(stage: Stage) -> None:
    """Both see it in their rows; it is the only field that a direct chat has."""
    send(stage)
    ann = stage.connect("ann")
    version = stage.services.sync.page(stage.caller("ann"), None, 9).next
    assert change(stage, PAIR, "bob", expires_in=HOUR)["expires_in"] == HOUR
    (row,) = plain(stage.services.sync.page(stage.caller("ann"), version, 9).chats)
    assert row["expires_in"] == HOUR
    assert [one["expires_in"] for one in ann.of_type("chat")] == [HOUR]
    assert lifetime(send(stage)) == HOUR
    with pytest.raises(BadRequest, match="name: of a direct chat only `expires_in` can be changed"):
        change(stage, PAIR, name="Tea", expires_in=60)
    with pytest.raises(BadRequest, match="expires_in: it is missing"):
        change(stage, PAIR)


def test_a_direct_chat_without_messages_stays_out_of_the_inbox(stage: Stage) -> None:
    """A lifetime that a stranger sets shows nothing to the other user, until a message comes."""
    change(stage, PAIR, expires_in=HOUR)
    assert plain(stage.services.sync.page(stage.caller("bob"), None, 9).chats) == []
    assert lifetime(send(stage)) == HOUR


def test_a_blocked_user_does_not_set_the_lifetime(stage: Stage) -> None:
    """The lifetime would hold for the messages of the other user, too."""
    for name in ("ann", "bob"):
        stage.register(name)
    stage.services.blocks.block("bob", "ann")
    with pytest.raises(Blocked):
        change(stage, PAIR, expires_in=HOUR)


def test_a_full_store_still_deletes(valkey: ValkeyEngine, stage: Stage, raw: RawClient) -> None:
    """Where there is no memory for messages, users and the sweep can delete those that are there."""
    kept, own, expired = send(stage), send(stage), send(stage, expires_in=HOUR)
    set_expiry(raw, PAIR, expired["seq"])
    with no_memory(valkey):
        with pytest.raises(StoreFull):
            send(stage)
        with pytest.raises(StoreFull):
            stage.services.message_changes.edit(stage.caller("ann"), PAIR, kept["seq"], EditRequest("longer"))
        stage.services.message_changes.delete(stage.caller("ann"), PAIR, own["seq"])
        assert stage.services.expiry_sweep.sweep() == 1
    log: Any = raw.lrange(keys.log(PAIR), 0, -1)
    assert sum(SECRET.encode() in element for element in log) == 1
