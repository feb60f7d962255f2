"""lua/inbox/check_history.lua through ChatHistories.check, on every kind of store."""

from __future__ import annotations

import pytest

from chalicelib.store import keys
from chalicelib.store.chats.info import Relation
from chalicelib.store.inbox.history import ChatHistories, ChatHistory
from chalicelib.store.redis.client import Store
from tests.store.chat_records import (
    GROUP,
    Held,
    write_group,
    write_other,
    write_reader,
    write_tombstone,
)
from tests.store.log_records import CHAT, EPOCH, RawClient, entry, write

BASE, HEAD = 2, 8
NOW = ChatHistory(True, HEAD, entry(HEAD).time, EPOCH)
UNREADABLE = ChatHistory(readable=False)


@pytest.fixture(autouse=True)
def logs(engine: object, raw: RawClient) -> None:
    """A direct chat and a group with messages 3 to 8; earlier ones were trimmed."""
    for chat in (CHAT, GROUP):
        write(raw, [entry(seq) for seq in range(BASE + 1, HEAD + 1)], base=BASE, chat=chat)
    write_group(raw, {"ann": 0})


def checked(
    store: Store, seq: int, *, chat: str = CHAT, reader: str = "ann", later: int = 0, epoch: int = EPOCH
) -> ChatHistory | None:
    """Check a message; later: by how many µs its time is ahead of the log's."""
    return store.run(ChatHistories.check(chat, reader, seq, entry(seq).time + later, epoch))


@pytest.mark.parametrize("chat", [CHAT, GROUP])
def test_message_that_is_there(store: Store, chat: str) -> None:
    """Every message of the log passes, and so does a trimmed one."""
    assert {checked(store, seq, chat=chat) for seq in range(HEAD + 1)} == {None}


@pytest.mark.parametrize("chat", [CHAT, GROUP])
@pytest.mark.parametrize(
    ("seq", "later", "epoch"),
    [(HEAD + 1, 0, EPOCH), (HEAD, 1, EPOCH), (BASE + 1, -1, EPOCH), (HEAD, 0, EPOCH + 1), (BASE, 0, 1)],
    ids=["lost end", "number taken again", "another time", "another epoch", "trimmed, of another epoch"],
)
def test_message_that_was_lost(store: Store, chat: str, seq: int, later: int, epoch: int) -> None:
    """A message beyond the end, of another time, or of another epoch gets the chat's current state."""
    assert checked(store, seq, chat=chat, later=later, epoch=epoch) == NOW


def test_whole_log_was_lost(store: Store, raw: RawClient) -> None:
    """A direct chat without a log has no message, like one that never had any."""
    raw.delete(keys.log(CHAT))

    assert checked(store, 1) == ChatHistory(True, 0, 0, 0)


def test_messages_that_the_reader_cleared(store: Store, raw: RawClient) -> None:
    """Messages that the reader cleared from a direct chat are not lost."""
    write_reader(raw, "ann", CHAT, Held(0, 0, HEAD, EPOCH, 0))

    assert checked(store, HEAD) is None
    assert checked(store, HEAD + 1) == ChatHistory(True, 0, 0, EPOCH)


def test_former_member_keeps_their_history_alone(store: Store, raw: RawClient) -> None:
    """A former member keeps the messages that they may still read, and gets no later ones."""
    write_other(raw, "bob", Relation.LEFT, 0, 5)

    assert checked(store, 5, chat=GROUP, reader="bob") is None
    assert checked(store, 6, chat=GROUP, reader="bob") == ChatHistory(True, 5, entry(5).time, EPOCH)


@pytest.mark.parametrize("relation", [None, Relation.INVITED, Relation.REQUESTED, Relation.BANNED])
def test_user_without_read_permission_sees_a_missing_group(
    store: Store, raw: RawClient, relation: Relation | None
) -> None:
    """A user who can read nothing of a group gets the same answer as for a missing group."""
    if relation is not None:
        write_other(raw, "bob", relation)

    assert checked(store, HEAD, chat=GROUP, reader="bob") == UNREADABLE
    write_tombstone(raw)
    assert checked(store, HEAD, chat=GROUP, reader="ann") == UNREADABLE
    raw.delete(keys.chat(GROUP), keys.log(GROUP))
    assert checked(store, HEAD, chat=GROUP, reader="ann") == UNREADABLE
