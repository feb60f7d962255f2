"""The scripts of read states through ReadStates, on every kind of store."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.config import Secret
from chalicelib.errors import BadRequest, ChatNotFound, HistoryChanged, NotAMember, ParleyError
from chalicelib.store import keys
from chalicelib.store.chats.info import Relation
from chalicelib.store.inbox.read_state import (
    ARCHIVED,
    HIDDEN,
    MARKED_UNREAD,
    MUTED,
    PINNED,
    ReadStateChange,
    ReadStates,
    Receipt,
)
from chalicelib.store.messages.content import Content
from chalicelib.store.redis.client import Store, connect
from tests.servers.engines import Engine
from tests.store.account_records import clock
from tests.store.chat_records import (
    FOR_EVER,
    GROUP,
    Held,
    outbox,
    reader,
    write_group,
    write_other,
    write_reader,
    write_tombstone,
)
from tests.store.log_records import CHAT, EPOCH, Log, RawClient, entry, settings_for, write

CHATS = pytest.mark.parametrize("chat", [CHAT, GROUP])
HEAD = 6
LAST = entry(HEAD).time


@pytest.fixture
def read_states(store: Store, raw: RawClient) -> ReadStates:
    """The read states of a direct chat and of a group, of six messages each."""
    for chat in (CHAT, GROUP):
        write(raw, [entry(seq) for seq in range(1, HEAD + 1)], chat=chat)
    write_group(raw, {"ann": 0, "bob": 0})
    return ReadStates()


def kept(raw: RawClient, chat: str, handle: str = "ann") -> Held:
    """Return the stored read state of a user, which must exist."""
    held = reader(raw, handle, chat)
    assert held is not None
    return held


def check_pending(
    raw: RawClient, chat: str, touched: ReadStateChange | None, active: int = LAST, read: int = 0
) -> None:
    """Check that the stamp of ann's inbox entry is the stored one, and that its delivery is pending."""
    stamp = kept(raw, chat).stamp
    assert touched == ReadStateChange(stamp, active, False, read)
    assert outbox(raw, chat) == {f"pann\0{chat}": stamp}


# --- read and received --------------------------------------------------------------------------------------


@CHATS
def test_reading_raises_both_marks(store: Store, read_states: ReadStates, raw: RawClient, chat: str) -> None:
    """Reading raises both marks; the reader's inbox entry is pending, with a new stamp."""
    before = clock(raw)
    touched = store.run(read_states.read(chat, "ann", 4))

    assert kept(raw, chat)[:3] == (4, 4, 0)
    assert before <= kept(raw, chat).stamp <= clock(raw)
    check_pending(raw, chat, touched, read=4)


@CHATS
@pytest.mark.parametrize("seq", [1, 4])
def test_marks_only_rise(store: Store, read_states: ReadStates, raw: RawClient, chat: str, seq: int) -> None:
    """A mark that is equal or lower changes nothing."""
    store.run(read_states.read(chat, "ann", 4))
    before = kept(raw, chat)
    raw.delete(keys.outbox(chat))

    assert store.run(read_states.read(chat, "ann", seq)) is None
    assert store.run(read_states.received(chat, "ann", seq)) is False
    assert kept(raw, chat) == before
    assert outbox(raw, chat) == {}


@CHATS
def test_received_is_no_news_to_the_inbox(
    store: Store, read_states: ReadStates, raw: RawClient, chat: str
) -> None:
    """A received mark rises alone: the stamp stays, and nothing is pending."""
    assert store.run(read_states.received(chat, "ann", 5)) is True

    assert kept(raw, chat) == Held(0, 5, 0, 0, 0)
    assert outbox(raw, chat) == {}
    store.run(read_states.read(chat, "ann", 3))
    assert kept(raw, chat)[:2] == (3, 5)


@CHATS
def test_reading_takes_the_mark_of_being_unread_away(
    store: Store, read_states: ReadStates, raw: RawClient, chat: str
) -> None:
    """Reading clears the unread flag, also where the read mark does not rise."""
    store.run(read_states.read(chat, "ann", 6))
    store.run(read_states.flag(chat, "ann", MARKED_UNREAD | PINNED, 0))

    check_pending(raw, chat, store.run(read_states.read(chat, "ann", 2)), read=6)
    assert kept(raw, chat).flags == PINNED
    assert kept(raw, chat)[:2] == (6, 6)
    assert store.run(read_states.read(chat, "ann", 6)) is None


@CHATS
def test_reading_without_a_seq_reads_up_to_the_newest_message(
    store: Store, read_states: ReadStates, raw: RawClient, chat: str
) -> None:
    """Without a seq everything is read, and the result says up to where."""
    check_pending(raw, chat, store.run(read_states.read(chat, "ann", None)), read=HEAD)
    assert kept(raw, chat)[:2] == (HEAD, HEAD)
    assert store.run(read_states.read(chat, "ann", None)) is None


@CHATS
def test_a_stamp_rises_ahead_of_the_clock(
    store: Store, read_states: ReadStates, raw: RawClient, chat: str
) -> None:
    """A stamp that is ahead of the clock rises all the same."""
    write_reader(raw, "ann", chat, Held(0, 0, 0, FOR_EVER, 0))

    assert store.run(read_states.read(chat, "ann", 1)) == ReadStateChange(FOR_EVER + 1, LAST, False, 1)
    assert store.run(read_states.flag(chat, "ann", PINNED, 0)) == ReadStateChange(FOR_EVER + 2, LAST, False)


@CHATS
@pytest.mark.parametrize("mark", ["read", "received"])
def test_a_message_to_come_cannot_be_read(
    store: Store, read_states: ReadStates, raw: RawClient, chat: str, mark: str
) -> None:
    """A seq beyond the newest message is refused, and nothing is stored."""
    with pytest.raises(BadRequest):
        store.run(getattr(read_states, mark)(chat, "ann", HEAD + 1))

    assert reader(raw, "ann", chat) is None


@CHATS
@pytest.mark.parametrize("mark", ["read", "received"])
@pytest.mark.parametrize(
    ("seq", "time", "epoch"),
    [
        (3, entry(3).time + 1, EPOCH),
        (3, entry(3).time, EPOCH + 1),
        (HEAD + 1, entry(HEAD + 1).time, EPOCH),
        (0, None, EPOCH - 1),
    ],
)
def test_a_cursor_of_another_history(
    read_states: ReadStates,
    raw: RawClient,
    *,
    store: Store,
    chat: str,
    mark: str,
    seq: int,
    time: int,
    epoch: int,
) -> None:
    """A cursor of a message that no longer exists raises nothing."""
    with pytest.raises(HistoryChanged):
        store.run(getattr(read_states, mark)(chat, "ann", seq, time, epoch))

    assert reader(raw, "ann", chat) is None


@CHATS
def test_a_cursor_of_this_history(store: Store, read_states: ReadStates, raw: RawClient, chat: str) -> None:
    """A cursor of an existing message raises the mark to it."""
    assert store.run(read_states.read(chat, "ann", 3, entry(3).time, EPOCH)) is not None
    assert store.run(read_states.received(chat, "ann", 5, entry(5).time, EPOCH))
    assert kept(raw, chat)[:2] == (3, 5)


def test_a_large_chat_says_so(store: Store, read_states: ReadStates, raw: RawClient) -> None:
    """The reply to a mark says whether the chat is large."""
    write_group(raw, {"ann": 0}, large=1)

    assert store.run(read_states.read(GROUP, "ann", 1)) == ReadStateChange(
        kept(raw, GROUP).stamp, LAST, True, 1
    )


def test_new_member_without_messages_has_no_message_time(
    store: Store, read_states: ReadStates, raw: RawClient
) -> None:
    """A member who joined after the newest message sees none, so there is no message time."""
    write_group(raw, {"ann": HEAD})

    check_pending(raw, GROUP, store.run(read_states.flag(GROUP, "ann", PINNED, 0)), 0)


# --- flags --------------------------------------------------------------------------------------------------


@CHATS
def test_flags_change_one_by_one_and_only_changes_are_delivered(
    store: Store, read_states: ReadStates, raw: RawClient, chat: str
) -> None:
    """Flags are set and cleared one by one; a call that changes nothing delivers nothing."""
    check_pending(raw, chat, store.run(read_states.flag(chat, "ann", PINNED | MUTED, 0)))
    first = kept(raw, chat)
    assert first == Held(0, 0, 0, first.stamp, PINNED | MUTED)

    check_pending(raw, chat, store.run(read_states.flag(chat, "ann", ARCHIVED, MUTED | MARKED_UNREAD)))
    assert kept(raw, chat).flags == PINNED | ARCHIVED
    assert kept(raw, chat).stamp > first.stamp

    before = kept(raw, chat)
    assert store.run(read_states.flag(chat, "ann", PINNED, MUTED)) is None
    assert kept(raw, chat) == before


@CHATS
def test_each_reader_has_their_own(store: Store, read_states: ReadStates, raw: RawClient, chat: str) -> None:
    """The marks of one reader do not change another's."""
    store.run(read_states.flag(chat, "ann", PINNED, 0))
    store.run(read_states.read(chat, "bob", 2))

    assert kept(raw, chat, "bob")[:3] == (2, 2, 0)
    assert kept(raw, chat, "bob").flags == 0
    assert kept(raw, chat)[:3] == (0, 0, 0)


# --- permissions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("standing", "error"),
    [
        ("unknown", ChatNotFound),
        ("deleted", ChatNotFound),
        ("stranger", NotAMember),
        *((relation.name, NotAMember) for relation in Relation),
    ],
)
def test_only_members_have_marks(
    read_states: ReadStates, store: Store, raw: RawClient, standing: str, error: type[ParleyError]
) -> None:
    """A user who is not a member, such as a former one, can set no marks and read no receipts."""
    write_group(raw, {"bob": 0})
    if standing == "deleted":
        write_tombstone(raw)
    elif standing == "unknown":
        raw.delete(keys.chat(GROUP))
    elif standing != "stranger":
        write_other(raw, "ann", Relation[standing], 0, 4)

    for seq in (1, HEAD + 1):
        for call in (read_states.read, read_states.received):
            with pytest.raises(error):
                store.run(call(GROUP, "ann", seq))
    with pytest.raises(error):
        store.run(read_states.flag(GROUP, "ann", PINNED, 0))
    with pytest.raises(error):
        store.run(read_states.receipts(GROUP, "ann"))
    assert not raw.exists(keys.read_states(GROUP), keys.outbox(GROUP))


# --- a chat of two is left and opened -----------------------------------------------------------------------


def test_leaving_hides_what_there_is(store: Store, read_states: ReadStates, raw: RawClient) -> None:
    """Leaving clears all messages and flags, keeps the marks, and makes the inbox entry pending."""
    store.run(read_states.read(CHAT, "ann", 3))
    store.run(read_states.flag(CHAT, "ann", PINNED | MUTED, 0))

    touched = store.run(read_states.leave(CHAT, "ann"))

    assert kept(raw, CHAT) == Held(3, 3, HEAD, touched.stamp, HIDDEN)
    check_pending(raw, CHAT, touched)
    assert reader(raw, "bob", CHAT) is None


def test_a_hidden_chat_is_not_brought_back(store: Store, read_states: ReadStates, raw: RawClient) -> None:
    """Marks on a chat that was left are stored, and delivered to no inbox, until the next message."""
    store.run(read_states.leave(CHAT, "ann"))
    raw.delete(keys.outbox(CHAT))

    assert store.run(read_states.flag(CHAT, "ann", PINNED, 0)) is None
    assert store.run(read_states.read(CHAT, "ann", 2)) is None
    assert outbox(raw, CHAT) == {}
    assert kept(raw, CHAT)[:3] == (2, 2, HEAD)
    assert kept(raw, CHAT).flags == HIDDEN | PINNED


def test_a_message_brings_a_hidden_chat_back(
    store: Store, read_states: ReadStates, log: Log, raw: RawClient
) -> None:
    """After a new message in a chat that was left, marks are delivered again."""
    store.run(read_states.leave(CHAT, "ann"))
    sent = log.append(CHAT, Content("bob", "are you there?"))
    raw.delete(keys.outbox(CHAT))

    check_pending(raw, CHAT, store.run(read_states.read(CHAT, "ann", HEAD + 1)), sent.time, HEAD + 1)


def test_opening_a_chat_keeps_cleared_messages_hidden(
    store: Store, read_states: ReadStates, raw: RawClient
) -> None:
    """Opening a chat creates the user's record of it, and keeps cleared messages hidden."""
    check_pending(raw, CHAT, store.run(read_states.open(CHAT, "ann")))
    assert kept(raw, CHAT)[:3] == (0, 0, 0)

    store.run(read_states.leave(CHAT, "ann"))
    check_pending(raw, CHAT, store.run(read_states.open(CHAT, "ann")), 0)
    assert kept(raw, CHAT)[:3] == (0, 0, HEAD)
    assert kept(raw, CHAT).flags == 0


def test_empty_chat_can_be_opened_and_left(store: Store, raw: RawClient) -> None:
    """A chat without messages can be opened and left, too."""
    read_states = ReadStates()

    check_pending(raw, CHAT, store.run(read_states.open(CHAT, "ann")), 0)
    check_pending(raw, CHAT, store.run(read_states.leave(CHAT, "ann")), 0)
    assert kept(raw, CHAT)[:3] == (0, 0, 0)
    assert not raw.exists(keys.log(CHAT))


# --- receipts -----------------------------------------------------------------------------------------------


def test_receipts_of_a_group(read_states: ReadStates, store: Store, raw: RawClient) -> None:
    """Members have a receipt each, by handle; former members have none."""
    store.run(read_states.read(GROUP, "bob", 3))
    store.run(read_states.received(GROUP, "bob", 5))
    store.run(read_states.read(GROUP, "ann", 6))
    write_group(raw, {"cid": 0, "bob": 0})

    assert store.run(read_states.receipts(GROUP, "bob")) == [Receipt("bob", 3, 5), Receipt("cid", 0, 0)]


@pytest.mark.parametrize(("chat", "pair"), [(CHAT, ["ann", "bob"]), ("ann:ann", ["ann"])])
def test_receipts_of_a_chat_of_two(
    read_states: ReadStates, store: Store, raw: RawClient, chat: str, pair: list[str]
) -> None:
    """Both users of a direct chat have a receipt, and notes to oneself have one."""
    write(raw, [entry(1)], chat=chat)
    store.run(read_states.read(chat, "ann", 1))

    found = store.run(read_states.receipts(chat, "ann"))
    assert found == [Receipt(one, int(one == "ann"), int(one == "ann")) for one in pair]


def test_receipts_of_ten_thousand(read_states: ReadStates, store: Store, raw: RawClient) -> None:
    """The receipts of the maximum number of members take one round trip."""
    handles = [f"user{i:04d}" for i in range(10_000)]
    record: Any = raw.hget(keys.members(GROUP), "ann")
    raw.hset(keys.members(GROUP), mapping=dict.fromkeys(handles, record))
    store.run(read_states.read(GROUP, "user9999", 4))

    found = store.run(read_states.receipts(GROUP, "ann"))
    assert [one.handle for one in found] == ["ann", "bob", *handles]
    assert [one for one in found if one.read] == [Receipt("user9999", 4, 4)]


# --- keys ---------------------------------------------------------------------------------------------------


@CHATS
def test_every_key_is_declared(engine: Engine, read_states: ReadStates, raw: RawClient, chat: str) -> None:
    """A store user with access to declared keys only can run every branch of the scripts."""
    kept_as = (keys.log, keys.chat, keys.members, keys.others, keys.read_states, keys.outbox)
    own = (keys.hidden(chat, "ann"), keys.hidings(chat, "ann"))
    rules = ["on", ">pass", "+@all", *(f"~{name}" for name in (*(name(chat) for name in kept_as), *own))]
    for node in engine.nodes:
        node.execute_command("ACL SETUSER", "narrow", *rules)
    try:
        store = connect(settings_for(engine, redis_user="narrow", redis_password=Secret("pass")))
        narrow = ReadStates()
        assert store.run(narrow.read(chat, "ann", 1, entry(1).time, EPOCH))
        assert store.run(narrow.received(chat, "ann", 2))
        assert store.run(narrow.flag(chat, "ann", PINNED, 0))
        assert store.run(narrow.receipts(chat, "ann"))
        if chat == CHAT:
            assert store.run(narrow.leave(chat, "ann")).active == LAST
            assert store.run(narrow.open(chat, "ann")).active == 0
    finally:
        for node in engine.nodes:
            node.execute_command("ACL DELUSER", "narrow")
