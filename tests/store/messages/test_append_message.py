"""lua/messages/append_message.lua through Log.append, on every kind of store."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.config import Secret
from chalicelib.errors import ChatNotFound, IdConflict, MessageNotFound, Muted, NotAMember, ParleyError
from chalicelib.store import keys, partitions
from chalicelib.store.chats.info import Relation
from chalicelib.store.inbox.read_state import ACCEPTED, WROTE
from chalicelib.store.messages.append_result import Appended
from chalicelib.store.messages.content import Content
from chalicelib.store.messages.idempotency import DAY_SECONDS, IDS_TTL_SECONDS
from chalicelib.store.messages.log import MessageLog
from chalicelib.store.realtime.connection_results import Recipient
from chalicelib.store.redis.client import Store, connect
from tests.servers.engines import Engine
from tests.store.chat_records import (
    FOR_EVER,
    GROUP,
    Held,
    client,
    outbox,
    reader,
    write_client,
    write_group,
    write_member,
    write_other,
    write_reader,
    write_tombstone,
)
from tests.store.log_records import (
    CHAT,
    EPOCH,
    Log,
    RawClient,
    eight,
    element,
    elements_of,
    header,
    ids_days,
    settings_for,
    write_elements,
)

HELLO = Content("ann", "hello", "id-1")
PLANES = [range(1, 0xD800), range(0xE000, 0x10000), *(range(p << 16, (p + 1) << 16) for p in range(1, 17))]

SetClock = Callable[[float], None]


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Set the clock by which this process names days, in seconds since 1970."""

    def set_to(seconds: float) -> None:
        clock = SimpleNamespace(time=lambda: seconds)
        monkeypatch.setattr("chalicelib.store.messages.idempotency.time", clock)

    return set_to


def texts(log: Log, chat: str = CHAT) -> list[str]:
    """Return the texts of a chat in send order."""
    return [entry.content.text for entry in log.after(chat, 0, 1000).entries]


# --- numbers and times --------------------------------------------------------------------------------------


def test_numbers_run_from_one_without_gap(log: Log) -> None:
    """The messages of a chat are numbered 1, 2, 3 and so on."""
    appended = [log.append(CHAT, Content("ann", f"text {i}")) for i in range(20)]

    assert [one.seq for one in appended] == list(range(1, 21))
    assert texts(log) == [f"text {i}" for i in range(20)]


def test_chats_are_numbered_apart(log: Log) -> None:
    """Each chat has numbers of its own, be they of one partition or of two."""
    for chat in ("ann:bob", "ann:cid", "ann:dan"):
        assert log.append(chat, Content("ann", chat)).seq == 1

    assert texts(log, "ann:cid") == ["ann:cid"]


def test_a_reply_is_to_a_message_that_is_there(log: Log) -> None:
    """A reply keeps the number of its message; one to a later message stores nothing, and uses up no id."""
    log.append(CHAT, Content("ann", "tea?"))
    with pytest.raises(MessageNotFound):
        log.append(CHAT, Content("bob", "yes", "id-1", reply_to=2))
    reply = Content("bob", "yes", "id-1", reply_to=1)
    assert log.append(CHAT, reply).seq == 2
    assert log.append(CHAT, reply).duplicate
    with pytest.raises(IdConflict):
        log.append(CHAT, Content("bob", "yes", "id-1"))
    assert [entry.content.reply_to for entry in log.after(CHAT, 0, 10).entries] == [None, 1]


@pytest.mark.parametrize("skew_days", [-400, 0, 400])
def test_time_is_the_stores(log: Log, set_clock: SetClock, skew_days: int) -> None:
    """A message's time is the store's clock in µs, whatever this process's clock shows."""
    set_clock(time.time() + skew_days * DAY_SECONDS)

    before = time.time_ns() // 1000
    sent = [log.append(CHAT, Content("ann", "hello", f"id-{i}")).time for i in range(20)]
    after = time.time_ns() // 1000

    assert before <= min(sent)
    assert max(sent) <= after
    assert sent == sorted(set(sent))


def test_time_always_rises(log: Log, raw: RawClient) -> None:
    """After a message that claims a time in the future, times go on by 1 µs until the clock has caught up."""
    future = time.time_ns() // 1000 + 3600 * 1_000_000
    write_elements(raw, [element(EPOCH, "ann", "now"), element(future, "ann", "from the future")])

    appended = [log.append(CHAT, Content("ann", "hello")) for _ in range(3)]

    assert appended == [Appended(seq, future + seq - 2, False, EPOCH) for seq in (3, 4, 5)]


# --- storage ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (Content("ann", "hello"), b"\x92\xa3ann\xa5hello"),
        (Content("ann", "h\u00e9", "id-1"), b"\x93\xa3ann\xa3h\xc3\xa9\xa4id-1"),
        (Content("Ann", "hello", None, "notice"), b"\x94\xa3Ann\xa5hello\xc0\xa6notice"),
        (Content("ann", "hello", "id-1", "notice"), b"\x94\xa3ann\xa5hello\xa4id-1\xa6notice"),
        (
            Content("ann", "", None, "system", {"type": "left"}),
            b"\x95\xa3ann\xa0\xc0\xa6system\x81\xa4type\xa4left",
        ),
    ],
)
def test_log_matches_the_documented_layout(log: Log, raw: RawClient, content: Content, body: bytes) -> None:
    """A log is its header and one element a message, byte for byte as Log documents them."""
    sent = log.append(CHAT, content).time

    epoch = log.after(CHAT, 0, 1).epoch
    assert epoch == sent
    assert elements_of(raw) == [b"\0" + eight(0) + eight(epoch), b"\1" + eight(sent) + body]


@pytest.mark.parametrize("plane", PLANES, ids=lambda plane: f"U+{plane.start:04X}")
def test_every_code_point_survives(log: Log, plane: range) -> None:
    """A text of any code points is read as it was sent."""
    text = "".join(map(chr, plane))

    log.append(CHAT, Content("ann", text))

    assert texts(log) == [text]


def test_keys_are_the_documented_ones(log: Log, raw: RawClient) -> None:
    """A chat has its log, read states and pending items, and an ids key once a message came with an id."""
    always = {keys.log(CHAT), keys.read_states(CHAT), keys.outbox(CHAT)}
    log.append(CHAT, Content("ann", "hello"))
    assert {key.decode() for key in raw.scan_iter()} == always

    log.append(CHAT, HELLO)
    (day,) = ids_days(raw)
    assert {key.decode() for key in raw.scan_iter()} == always | {keys.ids(CHAT, day)}
    assert keys.ids(CHAT, day).startswith(partitions.chat_partition(CHAT) + ":")


def test_every_key_is_declared(engine: Engine, raw: RawClient) -> None:
    """A store user with access to declared keys only can run every branch of the script."""
    today = int(time.time()) // DAY_SECONDS
    people = (keys.chat, keys.members, keys.others, keys.read_states, keys.chat_connections)
    kept = (keys.log, *people, keys.uncounted, keys.outbox, keys.expiries)
    names = [name(chat) for name in kept for chat in (CHAT, GROUP)]
    names += [keys.ids(CHAT, day) for day in range(today - 3, today + 4)]
    names += [key(chat) for key in (keys.last_sent, keys.retained) for chat in (CHAT, GROUP)]
    names += [keys.hidden(chat, "*") for chat in (CHAT, GROUP)]
    names += [key(chat) for key in (keys.threads, keys.mentions) for chat in (CHAT, GROUP)]
    rules = ["on", ">pass", "+@all", *(f"~{name}" for name in names)]
    for node in engine.nodes:
        node.execute_command("ACL SETUSER", "narrow", *rules)
    try:
        narrow = connect(settings_for(engine, redis_user="narrow", redis_password=Secret("pass")))
        log = Log(narrow, keep=1)
        assert log.append(CHAT, HELLO).seq == 1
        assert log.append(CHAT, Content("ann", "hello")).seq == 2
        assert log.append(CHAT, HELLO).duplicate
        assert log.after(CHAT, 0, 10, time=EPOCH).head == 2
        assert log.newest(CHAT, 0, 10, reader="ann").base == 1
        write_group(raw, {"ann": 0})
        assert log.append(GROUP, Content("ann", "hello")).members == ["ann"]
        mentioned = MessageLog().append(GROUP, Content("ann", "re", reply_to=1), mentioned=("bob",))
        assert narrow.run(mentioned).root == 1
        assert log.newest(GROUP, 0, 10, reader="ann").head == 2
    finally:
        for node in engine.nodes:
            node.execute_command("ACL DELUSER", "narrow")


# --- ids ----------------------------------------------------------------------------------------------------


def test_same_id_same_content_is_the_first_message(log: Log) -> None:
    """A message sent again with its id is stored once and answered as the first time, marked duplicate."""
    first = log.append(CHAT, HELLO)
    log.append(CHAT, Content("bob", "in between"))

    again = [log.append(CHAT, HELLO) for _ in range(3)]

    assert again == [first._replace(duplicate=True)] * 3
    assert texts(log) == ["hello", "in between"]


def test_duplicate_of_a_trimmed_message(store: Store) -> None:
    """A message sent again with its id is known even when the log no longer holds it."""
    log = Log(store, keep=1)
    first = log.append(CHAT, HELLO)
    log.append(CHAT, Content("ann", "the only one kept"))

    assert log.append(CHAT, HELLO) == first._replace(duplicate=True)
    assert texts(log) == ["the only one kept"]


@pytest.mark.parametrize(
    "other",
    [Content("ann", "hello!", "id-1"), Content("ann", "hello", "id-1", "notice"), Content("ann", "", "id-1")],
)
def test_same_id_other_content_is_refused(log: Log, other: Content) -> None:
    """An id that came with another content before is a conflict that names the message; nothing is stored."""
    log.append(CHAT, Content("bob", "before"))
    log.append(CHAT, HELLO)

    with pytest.raises(IdConflict, match=r"message 2\b"):
        log.append(CHAT, other)

    assert texts(log) == ["before", "hello"]
    assert log.append(CHAT, HELLO).duplicate


@pytest.mark.parametrize(
    "other",
    [
        Content("bob", "hello", "id-1"),
        Content("ann", "hello", "ID-1"),
        Content("ann", "hello", "id-1 "),
        Content("anni", "hello", "d-1"),
    ],
)
def test_another_sender_or_id_is_another_message(log: Log, other: Content) -> None:
    """An id belongs to one sender, and is compared letter by letter."""
    log.append(CHAT, HELLO)

    sent = log.append(CHAT, other)

    assert (sent.seq, sent.duplicate) == (2, False)


def test_an_id_is_of_one_chat(log: Log) -> None:
    """The same id in another chat is another message."""
    log.append("ann:bob", HELLO)

    sent = log.append("ann:cid", HELLO)

    assert (sent.seq, sent.duplicate) == (1, False)


@pytest.mark.parametrize(
    ("sender", "respelt"), [("ann", "ANN"), ("\u00c9va", "\u00e9VA"), ("stra\u00dfe", "STRASSE")]
)
def test_sender_of_an_id_in_any_case(log: Log, sender: str, respelt: str) -> None:
    """A sender is the same in any case; the message keeps the first spelling."""
    first = log.append(CHAT, Content(sender, "hello", "id-1"))

    assert log.append(CHAT, Content(respelt, "hello", "id-1")) == first._replace(duplicate=True)
    assert log.after(CHAT, 0, 10).entries[0].content.sender == sender


@pytest.mark.parametrize("first_skew", [-1, 0, 1])
@pytest.mark.parametrize("second_skew", [-1, 0, 1])
def test_ids_with_clocks_a_day_apart(
    log: Log, raw: RawClient, set_clock: SetClock, first_skew: int, second_skew: int
) -> None:
    """An id is found by a process whose clock is a day behind or ahead of the store's, or of another's."""
    set_clock(time.time() + first_skew * DAY_SECONDS)
    first = log.append(CHAT, HELLO)
    set_clock(time.time() + second_skew * DAY_SECONDS)

    assert log.append(CHAT, HELLO) == first._replace(duplicate=True)
    assert len(ids_days(raw)) == 1


@pytest.mark.parametrize("skew", [-1, 0, 1])
def test_id_of_the_day_before(log: Log, raw: RawClient, set_clock: SetClock, skew: int) -> None:
    """An id that the store saw before its midnight is found after it, by a clock a day off too."""
    first = log.append(CHAT, HELLO)
    (day,) = ids_days(raw)
    raw.rename(keys.ids(CHAT, day), keys.ids(CHAT, day - 1))
    set_clock((day + skew) * DAY_SECONDS + 60)

    assert log.append(CHAT, HELLO) == first._replace(duplicate=True)


def test_id_of_the_day_after(log: Log, raw: RawClient, set_clock: SetClock) -> None:
    """An id that the store saw after its midnight is found by a clock still before it."""
    first = log.append(CHAT, HELLO)
    (day,) = ids_days(raw)
    set_clock(day * DAY_SECONDS - 1)

    assert log.append(CHAT, HELLO) == first._replace(duplicate=True)


@pytest.mark.parametrize("skew", [-1, 0, 1])
def test_id_is_kept_under_the_stores_day(log: Log, raw: RawClient, set_clock: SetClock, skew: int) -> None:
    """An id is kept under the day of the store's clock, not of the caller's."""
    now = time.time()
    set_clock(now + skew * DAY_SECONDS)

    log.append(CHAT, HELLO)

    today = int(now) // DAY_SECONDS
    assert ids_days(raw)[0] in (today, today + 1)  # the second when midnight has just passed


def test_ids_expire_and_the_log_does_not(log: Log, raw: RawClient) -> None:
    """An ids key expires 48 h after its last write, a log never."""
    log.append(CHAT, HELLO)
    (day,) = ids_days(raw)
    raw.expire(keys.ids(CHAT, day), 60)

    log.append(CHAT, HELLO)
    assert raw.ttl(keys.ids(CHAT, day)) <= 60

    log.append(CHAT, Content("ann", "hello", "id-2"))
    assert IDS_TTL_SECONDS - 60 < raw.ttl(keys.ids(CHAT, day)) <= IDS_TTL_SECONDS == 48 * 3600
    assert raw.ttl(keys.log(CHAT)) == -1


def test_ids_entry_layout(log: Log, raw: RawClient) -> None:
    """An id costs an 8-byte field and a 22-byte value: fingerprint, time and seq."""
    sent = log.append(CHAT, HELLO)
    (day,) = ids_days(raw)

    ((field, value),) = raw.hgetall(keys.ids(CHAT, day)).items()

    assert len(field) == 8
    assert value[8:] == eight(sent.time) + sent.seq.to_bytes(6, "big")


# --- trimming -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", [1, 2, 7])
def test_trimmed_log_keeps_its_numbers_and_epoch(store: Store, raw: RawClient, keep: int) -> None:
    """A log keeps its newest `keep` messages; numbers and epoch go on, base counts the removed ones."""
    log = Log(store, keep)
    epoch = log.append(CHAT, Content("ann", "text 1")).time

    for seq in range(2, 21):
        assert log.append(CHAT, Content("ann", f"text {seq}")).seq == seq
        part = log.after(CHAT, 0, 1000)
        assert (part.base, part.head, part.epoch) == (max(seq - keep, 0), seq, epoch)
        assert [one.seq for one in part.entries] == list(range(part.base + 1, seq + 1))
        assert elements_of(raw)[0] == header(part.base, epoch)

    assert texts(log) == [f"text {seq}" for seq in range(21 - keep, 21)]


def test_lower_keep_applies_with_the_next_message(store: Store, raw: RawClient) -> None:
    """A lower `keep` applies with the next message, in one step."""
    for i in range(1, 101):
        Log(store).append(CHAT, Content("ann", f"text {i}"))

    assert Log(store, keep=3).append(CHAT, Content("ann", "text 101")).seq == 101

    assert texts(Log(store)) == ["text 99", "text 100", "text 101"]
    assert len(elements_of(raw)) == 4


def test_higher_keep_lets_a_trimmed_log_grow(store: Store) -> None:
    """A higher `keep`, or none, lets a trimmed log grow again from there."""
    for i in range(1, 11):
        Log(store, keep=2).append(CHAT, Content("ann", f"text {i}"))

    Log(store, keep=4).append(CHAT, Content("ann", "text 11"))
    assert Log(store).append(CHAT, Content("ann", "text 12")).seq == 12

    assert texts(Log(store)) == [f"text {i}" for i in range(9, 13)]


def test_keep_far_beyond_the_log(store: Store) -> None:
    """A `keep` beyond any log keeps every message."""
    log = Log(store, keep=2**70)

    assert [log.append(CHAT, Content("ann", "hello")).seq for _ in range(3)] == [1, 2, 3]
    assert log.after(CHAT, 0, 10).base == 0


@pytest.mark.parametrize("keep", [0, 3])
def test_trimming_takes_what_does_not_count(store: Store, raw: RawClient, keep: int) -> None:
    """Trimming removes the not-unread entries of the trimmed messages."""
    raw.zadd(keys.uncounted(CHAT), {str(seq): seq for seq in (1, 3, 4, 5)})
    for _ in range(6):
        Log(store, keep).append(CHAT, Content("ann", "hello"))

    assert raw.zrange(keys.uncounted(CHAT), 0, -1) == ([b"4", b"5"] if keep else [b"1", b"3", b"4", b"5"])


# --- the sender's marks, and pending work -------------------------------------------------------------------


@pytest.mark.parametrize("sender", ["ann", "ANN"])
def test_a_sender_has_read_the_message(log: Log, raw: RawClient, sender: str) -> None:
    """A message raises the marks and the stamp of its sender only, in any spelling, and is an acceptance."""
    write_reader(raw, "ann", CHAT, Held(1, 1, 1, 7, 6))
    first = log.append(CHAT, Content("bob", "hello"))

    sent = log.append(CHAT, Content(sender, "hello"))

    assert reader(raw, "ann", CHAT) == Held(2, 2, 1, sent.time, 6 | WROTE | ACCEPTED)
    assert reader(raw, "bob", CHAT) == Held(1, 1, 0, first.time, WROTE | ACCEPTED)


def test_a_stamp_of_the_future_rises(log: Log, raw: RawClient) -> None:
    """A stamp that is ahead of the clock rises all the same."""
    write_reader(raw, "ann", CHAT, Held(0, 0, 0, FOR_EVER, 0))
    log.append(CHAT, Content("ann", "hello"))

    assert reader(raw, "ann", CHAT) == Held(1, 1, 0, FOR_EVER + 1, WROTE | ACCEPTED)


def test_newest_message_is_pending_once_for_its_chat(log: Log, raw: RawClient) -> None:
    """The newest message's time is pending, once for a chat; a duplicate adds and raises nothing."""
    first = log.append(CHAT, HELLO)
    second = log.append(CHAT, Content("bob", "hello"))
    assert outbox(raw, CHAT) == {f"m{CHAT}": second.time}

    raw.delete(keys.outbox(CHAT), keys.read_states(CHAT))
    assert log.append(CHAT, HELLO) == first._replace(duplicate=True)
    assert outbox(raw, CHAT) == {}
    assert reader(raw, "ann", CHAT) is None


# --- groups -------------------------------------------------------------------------------------------------


def test_members_message_is_stored_and_pending_for_all_members(log: Log, raw: RawClient) -> None:
    """A member's message is stored, its reply names all members, and its fan-out is pending."""
    write_group(raw, {"ann": 0, "bob": 0, "cid": 0})

    sent = log.append(GROUP, HELLO)

    assert (sent.seq, sent.duplicate, sent.epoch) == (1, False, sent.time)
    assert sorted(sent.members or []) == ["ann", "bob", "cid"]
    assert outbox(raw, GROUP) == {f"m{GROUP}": sent.time}
    assert reader(raw, "ann", GROUP) == Held(1, 1, 0, sent.time, ACCEPTED)
    assert log.append(GROUP, HELLO) == sent._replace(duplicate=True, members=None)


def test_large_group_append_names_attached_connections(log: Log, raw: RawClient) -> None:
    """A message to a large group names no members, but the members' attached connections."""
    write_group(raw, {"ann": 0, "bob": 0}, large=1)
    for number, handle in enumerate(("ann", "bob", "bob", "cid", "gone")):
        write_client(raw, f"c{number}", handle, FOR_EVER if handle != "gone" else EPOCH, flags=number)
    write_member(raw, "gone", 0)

    sent = log.append(GROUP, HELLO)

    assert sent.members is None
    assert sent.recipients == [Recipient("c0", False), Recipient("c1", False), Recipient("c2", True)]
    assert outbox(raw, GROUP) == {f"m{GROUP}": sent.time}
    assert log.append(GROUP, HELLO) == sent._replace(duplicate=True, recipients=None)
    raw.delete(keys.chat_connections(GROUP))
    assert log.append(GROUP, Content("ann", "more")).recipients == []


def test_ten_thousand_clients(log: Log, raw: RawClient) -> None:
    """The connections of more members than Lua takes arguments are all returned."""
    handles = [f"user{i}" for i in range(10_000)]
    write_group(raw, {"ann": 0}, large=1)
    record: Any = raw.hget(keys.members(GROUP), "ann")
    raw.hset(keys.members(GROUP), mapping=dict.fromkeys(handles, record))
    raw.hset(keys.chat_connections(GROUP), mapping={f"c-{one}": client(one, FOR_EVER) for one in handles})

    recipients = log.append(GROUP, HELLO).recipients or []

    assert sorted(recipient.connection for recipient in recipients) == sorted(f"c-{one}" for one in handles)


def test_ten_thousand_members(log: Log, raw: RawClient) -> None:
    """All members of the largest possible small chat are returned."""
    handles = [f"user{i}" for i in range(10_000)]
    write_group(raw, {"ann": 0})
    record: Any = raw.hget(keys.members(GROUP), "ann")
    raw.hset(keys.members(GROUP), mapping=dict.fromkeys(handles, record))

    assert sorted(log.append(GROUP, HELLO).members or []) == sorted([*handles, "ann"])


def stand(raw: RawClient, relation: str) -> None:
    """Give ann a relation to the group."""
    write_group(raw, {"bob": 0})
    if relation == "deleted":
        write_tombstone(raw)
    elif relation == "unknown":
        raw.delete(keys.chat(GROUP), keys.members(GROUP))
    elif relation == "muted":
        write_member(raw, "ann", 0, muted=FOR_EVER)
    elif relation != "stranger":
        write_other(raw, "ann", Relation[relation], 0, 5)


@pytest.mark.parametrize(
    ("relation", "error"),
    [
        ("unknown", ChatNotFound),
        ("deleted", ChatNotFound),
        ("stranger", NotAMember),
        *((relation.name, NotAMember) for relation in Relation),
        ("muted", Muted),
    ],
)
@pytest.mark.parametrize("content", [HELLO, Content("ann", "hello")])
def test_user_without_write_permission_changes_nothing(
    log: Log, raw: RawClient, relation: str, error: type[ParleyError], content: Content
) -> None:
    """A muted user or one who is not a member writes nothing, raises nothing, and learns nothing of an id."""
    write_group(raw, {"ann": 0, "bob": 0})
    log.append(GROUP, HELLO)
    before = elements_of(raw, GROUP)
    raw.delete(keys.read_states(GROUP), keys.outbox(GROUP))
    stand(raw, relation)

    with pytest.raises(error):
        log.append(GROUP, content)

    assert elements_of(raw, GROUP) == before
    assert not raw.exists(keys.read_states(GROUP), keys.outbox(GROUP))


def test_a_mute_says_until_when(log: Log, raw: RawClient) -> None:
    """The error of a muted member has the end of the mute, after which they can write again."""
    write_group(raw, {"bob": 0})
    write_member(raw, "ann", 0, muted=FOR_EVER)
    with pytest.raises(Muted, match=r"until 2112-09-17T23:53:47Z"):
        log.append(GROUP, HELLO)

    write_member(raw, "ann", 0, muted=EPOCH)
    assert log.append(GROUP, HELLO).seq == 1


# --- threads, mentions and expiry ---------------------------------------------------------------------------


def test_reply_joins_the_thread_of_the_message_it_replies_to(store: Store, log: Log, raw: RawClient) -> None:
    """A reply, and a reply to a reply, have the same root; the root is marked, and keeps its content."""
    log.append(CHAT, HELLO)
    roots = [log.append(CHAT, Content("bob", "re", reply_to=seq)).root for seq in (1, 2, 1)]

    assert roots == [1, 1, 1]
    entries = log.after(CHAT, 0, 10).entries
    assert [one.root for one in entries] == [1, 1, 1, 1]
    assert entries[0].content == HELLO
    assert raw.zrange(keys.threads(CHAT), 0, -1, withscores=True) == [(eight(seq), 1) for seq in (2, 3, 4)]


def test_message_with_a_lifetime_says_when_it_expires(store: Store, log: Log) -> None:
    """A message expires its lifetime after it was sent."""
    stored = store.run(MessageLog().append(CHAT, HELLO, lifetime=60))
    (entry,) = log.after(CHAT, 0, 10).entries

    assert stored.expires == entry.expires == entry.time + 60_000_000
    assert (entry.root, entry.content) == (0, HELLO)


def test_mentions_hold_the_newest_thousand_in_order(store: Store, log: Log, raw: RawClient) -> None:
    """A message is added to each mentioned field; a field has the newest 1,000 messages."""
    held = b"".join(eight(seq) for seq in range(1, 1001))
    raw.hset(keys.mentions(CHAT), "bob", held)
    write_elements(raw, [element(EPOCH, "ann", "x")] * 1000)
    store.run(MessageLog().append(CHAT, Content("ann", "@bob @all"), mentioned=("bob", "*")))

    assert raw.hget(keys.mentions(CHAT), "bob") == held[8:] + eight(1001)
    assert raw.hget(keys.mentions(CHAT), "*") == eight(1001)
    assert log.after(CHAT, 1000, 1).entries[0].root == 0
