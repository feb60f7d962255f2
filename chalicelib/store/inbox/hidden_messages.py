"""Messages that a reader has hidden from themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from chalicelib.errors import TooManyHidden, no_message
from chalicelib.store import keys
from chalicelib.store.access import NO_MESSAGE, inbox_item, kind_of, reader_keys, refusal
from chalicelib.store.inbox.read_state import ReadStateChange
from chalicelib.store.redis.query import Batch, Query, each
from chalicelib.store.redis.scripts import Script

HIDE_MESSAGE = Script("messages/hide_message")

MAX_HIDDEN = 10_000
"""Maximum number of messages of a chat that a reader can hide."""
TOO_MANY = 4


class Hidden(NamedTuple):
    """The result of hiding a message.

    number: Of the reader's change, µs. epoch: Of the log, µs. entry: What changes in the reader's inbox;
    None: the message was hidden before.
    """

    number: int
    epoch: int
    entry: ReadStateChange | None


class HiddenMessages:
    """The messages that a reader has hidden. Their keys, in the chat's partition `{c<NNN>}`, none expires:

    `{c<NNN>}:hidden:<chat>:<handle>`: ZSET, MAX_HIDDEN: seq -> seq.
    `{c<NNN>}:hidings:<chat>:<handle>`: ZSET of the same seqs -> number of the change, µs: the reader's part
        of the feed, on the same line of numbers as `changes`, see Chats.

    The field `hidden` of `chat:<chat>` is the number of the last such change of any reader, so that no other
    change gets it. Seqs that the reader can no longer read are removed when the reader hides another message;
    the keys go with a deleted chat and with a deleted account.
    Every script that reads messages for a reader leaves out what the reader has hidden.
    """

    @staticmethod
    def hide(chat: str, seq: int, reader: str) -> Query[Hidden]:
        """Return the query that hides a message, also a deleted one; idempotent.

        Reading its reply raises ChatNotFound, NotAMember, MessageNotFound and TooManyHidden.
        """
        named = (*reader_keys(chat), keys.changes(chat), keys.outbox(chat))
        named += keys.hidden(chat, reader), keys.hidings(chat, reader)
        args = (reader, kind_of(chat), inbox_item(reader, chat), seq, MAX_HIDDEN)
        return Query(HIDE_MESSAGE, named, args, lambda reply: _hidden(chat, seq, reply))

    @staticmethod
    def forget(chat: str, readers: Iterable[str]) -> Batch[list[object]]:
        """Return the batch that removes what readers have hidden."""
        named = [key(chat, reader) for reader in readers for key in (keys.hidden, keys.hidings)]
        return each([Query("DEL", (one,)) for one in named])


def _hidden(chat: str, seq: int, reply: Any) -> Hidden:
    if reply == TOO_MANY:
        raise TooManyHidden(f"You have hidden {MAX_HIDDEN} messages of chat {chat}, the maximum.")
    if reply == NO_MESSAGE:
        raise no_message(chat, seq)
    if isinstance(reply, int):
        raise refusal(chat, reply)
    epoch, number, *entry = reply
    stamp, active, large = entry or (0, 0, 0)
    return Hidden(number, epoch, ReadStateChange(stamp, active, bool(large)) if entry else None)
