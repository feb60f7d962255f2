"""lua/chats/read_summary.lua through Summaries.of, on every kind of store."""

from __future__ import annotations

import pytest

from chalicelib.config import Secret
from chalicelib.store import keys
from chalicelib.store.chats.info import Info, Relation, Role
from chalicelib.store.chats.summary import MembershipState, Summaries, Summary
from chalicelib.store.inbox.read_state import HIDDEN, MUTED, PINNED
from chalicelib.store.messages.content import Content, CorruptEntry, LogEntry
from chalicelib.store.redis.client import Store, connect
from tests.servers.engines import Engine
from tests.store.chat_records import (
    GROUP,
    Held,
    write_group,
    write_member,
    write_other,
    write_reader,
    write_tombstone,
)
from tests.store.log_records import CHAT, EPOCH, Log, RawClient, entry, settings_for, write, write_elements

BASE, HEAD = 2, 8
SYSTEM = (4, 5, 7)
FRIENDS = Info("friends", "be kind", "", "invite", made=EPOCH, maker="ann", members=2)


@pytest.fixture(autouse=True)
def logs(engine: Engine, raw: RawClient) -> None:
    """A chat of two and a group with messages 3 to 8; the group's 4, 5 and 7 do not count."""
    for chat in (CHAT, GROUP):
        write(raw, [entry(seq) for seq in range(BASE + 1, HEAD + 1)], base=BASE, chat=chat)
    raw.zadd(keys.uncounted(GROUP), {str(seq): seq for seq in SYSTEM})


def summed(store: Store, chat: str = GROUP, handle: str = "ann") -> Summary:
    """Return a reader's summary of a chat."""
    return store.run(Summaries.of(chat, handle))


def nothing(chat: str, state: MembershipState) -> Summary:
    """Return the summary of a chat in which everything is hidden."""
    return Summary(chat, state, None, 0, None, 0, 0, 0, 0, 0, None, None, 0, 0, 0, 0, 0, False)


# --- groups -------------------------------------------------------------------------------------------------


def test_member_gets_everything_an_inbox_shows(store: Store, raw: RawClient) -> None:
    """A member's summary has everything that an inbox shows."""
    write_group(raw, {"bob": 0}, change_seq=7, change_time=entry(7).time)
    write_member(raw, "ann", 3, Role.ADMIN, muted=EPOCH + 7)
    write_reader(raw, "ann", GROUP, Held(4, 6, 0, EPOCH + 9, PINNED | MUTED))

    assert summed(store) == Summary(
        chat=GROUP,
        state=MembershipState.MEMBER,
        role=Role.ADMIN,
        muted_until=EPOCH + 7,
        info=FRIENDS,
        members=2,
        base=3,
        head=HEAD,
        epoch=EPOCH,
        time=entry(HEAD).time,
        last=entry(HEAD),
        change=(7, entry(7).time),
        read=4,
        received=6,
        stamp=EPOCH + 9,
        flags=PINNED | MUTED,
        unread=2,
        large=False,
    )


@pytest.mark.parametrize("history", [0, 1])
@pytest.mark.parametrize("since", [0, 3, 5, HEAD])
@pytest.mark.parametrize("read", [0, 2, 3, 4, 6, HEAD])
def test_unread_counts_visible_messages_after_read_and_join(
    store: Store, raw: RawClient, since: int, read: int, history: int
) -> None:
    """Visible messages that count, after the read mark and the join, are unread; history shown or not."""
    write_group(raw, {"ann": since}, history=history)
    write_reader(raw, "ann", GROUP, Held(read, read, 0, 1, 0))

    first = max(read, since, BASE) + 1
    assert summed(store).unread == len(set(range(first, HEAD + 1)) - set(SYSTEM))


def test_a_member_without_marks(store: Store, raw: RawClient) -> None:
    """A member without a read state has read nothing since they joined."""
    write_group(raw, {"ann": 5}, large=1)

    summary = summed(store)
    assert (summary.read, summary.received, summary.stamp, summary.flags) == (0, 0, 0, 0)
    assert (summary.unread, summary.base, summary.large) == (2, 5, True)
    assert summary.info is not None
    assert summary.info.large


def test_new_member_without_messages_has_no_last_one(store: Store, raw: RawClient) -> None:
    """A member who joined after the newest message has no last message."""
    write_group(raw, {"ann": HEAD})

    summary = summed(store)
    assert (summary.base, summary.head, summary.time, summary.last, summary.unread) == (
        HEAD,
        HEAD,
        0,
        None,
        0,
    )
    assert summary.epoch == EPOCH


@pytest.mark.parametrize("relation", [Relation.LEFT, Relation.DELETED])
def test_left_member_sees_the_chat_as_of_their_leave(
    store: Store, raw: RawClient, relation: Relation
) -> None:
    """A member who left sees the last message of that time, and none of the group's later info."""
    write_group(raw, {"bob": 0}, large=1, change_seq=7, change_time=entry(7).time)
    write_other(raw, "ann", relation, 0, 6)
    write_reader(raw, "ann", GROUP, Held(4, 5, 0, 77, 0))

    left = nothing(GROUP, MembershipState.LEFT)
    seen = left._replace(base=BASE, head=6, epoch=EPOCH, time=entry(6).time, last=entry(6))
    assert summed(store) == seen._replace(read=4, received=5, stamp=77)


def test_left_member_sees_the_newest_change_of_their_time(store: Store, raw: RawClient) -> None:
    """A member who left sees the newest change up to then."""
    write_group(raw, {"bob": 0}, change_seq=6, change_time=entry(6).time)
    write_other(raw, "ann", Relation.LEFT, 0, 6)

    assert summed(store).change == (6, entry(6).time)


@pytest.mark.parametrize("upto", [0, 6])
def test_invited_user_sees_the_group_and_their_old_messages(store: Store, raw: RawClient, upto: int) -> None:
    """An invited user sees the group, and of its log the messages from their time as a member."""
    write_group(raw, {"bob": 0, "cid": 0})
    write_other(raw, "ann", Relation.INVITED, 0, upto)

    summary = summed(store)
    assert (summary.state, summary.role, summary.info, summary.members) == (
        MembershipState.INVITED,
        None,
        FRIENDS,
        2,
    )
    assert (summary.head, summary.last, summary.unread) == (upto, entry(upto) if upto else None, 0)
    assert summary.epoch == (EPOCH if upto else 0)


@pytest.mark.parametrize(
    ("relation", "state"),
    [
        (None, MembershipState.NONE),
        (Relation.REQUESTED, MembershipState.REQUESTED),
        (Relation.BANNED, MembershipState.BANNED),
    ],
)
@pytest.mark.parametrize("join", ["invite", "request", "open"])
def test_stranger_sees_a_joinable_group_without_messages(
    store: Store, raw: RawClient, relation: Relation | None, state: MembershipState, join: str
) -> None:
    """Strangers see a group that they can join or ask to, banned users never; none sees messages."""
    write_group(raw, {"bob": 0}, join=join, history=1, change_seq=7, change_time=entry(7).time)
    if relation is not None:
        write_other(raw, "ann", relation, 0, 6 if relation is Relation.BANNED else 0)

    summary = summed(store)
    hidden = join == "invite" or state is MembershipState.BANNED
    info = Info("friends", "be kind", "", join, True, EPOCH, "ann", members=1)
    assert summary == nothing(GROUP, state)._replace(
        info=None if hidden else info, members=0 if hidden else 1
    )


@pytest.mark.parametrize("deleted", [False, True])
def test_no_such_group(store: Store, raw: RawClient, deleted: bool) -> None:
    """A missing or deleted group has no summary, for former members neither."""
    write_other(raw, "ann", Relation.LEFT, 0, 6)
    write_reader(raw, "ann", GROUP, Held(4, 5, 0, 77, 1))
    if deleted:
        write_tombstone(raw)

    assert summed(store) == nothing(GROUP, MembershipState.GONE)


def test_a_system_message_is_whole(store: Store, log: Log, raw: RawClient) -> None:
    """The last message is returned as stored, with its event."""
    write_group(raw, {"ann": 0})
    content = Content("ann", "", kind="system", event={"type": "left", "users": ["bob"]})
    sent = log.append(GROUP, content)

    assert summed(store).last == LogEntry(sent.seq, sent.time, content)


def test_a_corrupt_last_message(store: Store, raw: RawClient) -> None:
    """A last message that this version cannot have written is CorruptEntry."""
    write_elements(raw, [b"\2secret"], chat=GROUP)
    write_group(raw, {"ann": 0})

    with pytest.raises(CorruptEntry):
        summed(store)


# --- chats of two -------------------------------------------------------------------------------------------


def test_a_chat_of_two(store: Store, raw: RawClient) -> None:
    """A direct chat has no info and no role; messages after one's read mark are unread."""
    write_reader(raw, "ann", CHAT, Held(5, 6, 0, 77, PINNED))

    seen = nothing(CHAT, MembershipState.MEMBER)._replace(
        base=BASE, head=HEAD, epoch=EPOCH, time=entry(HEAD).time
    )
    marks = {"read": 5, "received": 6, "stamp": 77, "flags": PINNED, "unread": 3}
    assert summed(store, CHAT) == seen._replace(last=entry(HEAD), **marks)  # type: ignore[arg-type]
    assert summed(store, CHAT, "bob").unread == HEAD - BASE


@pytest.mark.parametrize(("flags", "state"), [(HIDDEN, MembershipState.LEFT), (0, MembershipState.MEMBER)])
def test_all_is_cleared(store: Store, raw: RawClient, flags: int, state: MembershipState) -> None:
    """A direct chat that one left shows nothing, and is left unless it was opened again."""
    write_reader(raw, "ann", CHAT, Held(3, 3, HEAD, 77, flags))

    summary = summed(store, CHAT)
    assert summary.state is state
    assert (summary.base, summary.head, summary.time, summary.last, summary.unread) == (
        HEAD,
        HEAD,
        0,
        None,
        0,
    )


@pytest.mark.parametrize("flags", [HIDDEN, 0])
def test_some_is_cleared(store: Store, raw: RawClient, flags: int) -> None:
    """A message after one left brings a direct chat back, as unread."""
    write_reader(raw, "ann", CHAT, Held(3, 3, 6, 77, flags))

    summary = summed(store, CHAT)
    assert summary.state is MembershipState.MEMBER
    assert (summary.base, summary.head, summary.last, summary.unread) == (6, HEAD, entry(HEAD), 2)


def test_empty_direct_chat_has_a_summary_and_makes_no_key(store: Store, raw: RawClient) -> None:
    """A direct chat without messages has a summary, and reading it makes no key."""
    assert summed(store, "ann:cid") == nothing("ann:cid", MembershipState.MEMBER)
    assert not raw.exists(keys.log("ann:cid"), keys.read_states("ann:cid"))


def test_every_key_is_declared(engine: Engine, raw: RawClient) -> None:
    """A store user with access to declared keys only can run every branch of the script."""
    write_group(raw, {"ann": 0})
    kept_as = (keys.log, keys.chat, keys.members, keys.others, keys.read_states, keys.uncounted, keys.changes)
    names = [name(chat) for name in (*kept_as, keys.mentions) for chat in (CHAT, GROUP)]
    names += [own(chat, "*") for own in (keys.hidden, keys.hidings) for chat in (CHAT, GROUP)]
    for node in engine.nodes:
        node.execute_command("ACL SETUSER", "narrow", "on", ">pass", "+@all", *(f"~{name}" for name in names))
    try:
        narrow = connect(settings_for(engine, redis_user="narrow", redis_password=Secret("pass")))
        for chat in (CHAT, GROUP):
            assert summed(narrow, chat).head == HEAD
            assert summed(narrow, chat, "bob").chat == chat
    finally:
        for node in engine.nodes:
            node.execute_command("ACL DELUSER", "narrow")
