"""Changes of single messages: each puts another version in the place of the one that the caller has seen."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from chalicelib.errors import Forbidden, TooManyPins
from chalicelib.store import key_rows, keys
from chalicelib.store.access import NO_CHAT, NO_MEMBER, change_item, kind_of, muted, reader_keys, refusal
from chalicelib.store.messages.content import Content, LogEntry, entry_of, packed, stored_entry
from chalicelib.store.messages.expiries import expiry_of
from chalicelib.store.messages.log import READ_LOG
from chalicelib.store.messages.mentions import fields_of
from chalicelib.store.realtime.connection_results import Recipient, recipients_of
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

CHANGE_MESSAGE = Script("messages/change_message")
DELETE_MESSAGE = Script("messages/delete_message")

DONE, MOVED, CHAT_MISSING, MEMBER_MISSING, MUTED, ROLE_TOO_LOW, TOO_MANY_PINS = 0, 1, 3, 4, 5, 6, 7
"""The outcomes of a change; see lua/messages/change_message.lua."""


MAX_PINS = 100
"""Maximum number of pinned messages of a chat."""
ANY_MEMBER = 1
"""The lowest role in a group or room, see Role."""


class Seen(NamedTuple):
    """A message as a caller has read it; element: Its bytes in the log. epoch: Of the log, µs since 1970."""

    entry: LogEntry
    element: bytes
    epoch: int


class NewVersion(NamedTuple):
    """A message as it is to be.

    role: The lowest role that may make the change in a group or room. writes: Whether a muted member may not
    make it. mentioned, unmentioned: Fields of `mentions` to which the message is added, and that it leaves,
    see Mentions; a deleted message leaves those of its content.
    """

    content: Content
    role: int = ANY_MEMBER
    writes: bool = False
    mentioned: Sequence[str] = ()
    unmentioned: Sequence[str] = ()


class MessageChange(NamedTuple):
    """The result of a change.

    number: Of the change, µs; it rises within the chat. members: Handles of the users who may read the
    message; empty for a large group. recipients: The attached connections of such members of a large
    group.
    """

    number: int
    members: list[str]
    recipients: list[Recipient]


class MessageChanges:
    """Changes messages of the log, see MessageLog. It has no keys of its own.

    A change raises the subject `e:<seq>` in `changes`, see Chats, to its number, and adds `c<chat>` to the
    outbox, see Outbox. A deletion also removes the message's reactions, its pin, its expiry and its
    mentions, takes it out of its thread, and adds the seq to `uncounted`.
    """

    @staticmethod
    def read(chat: str, seq: int, reader: str) -> Query[Seen | None]:
        """Return the query for one message that a reader may read; None: there is none any more, or yet.

        Reading the reply raises ChatNotFound, NotAMember.
        """
        args = ("after", seq - 1, 1, 1, b"", "", reader, kind_of(chat))
        return Query(
            READ_LOG,
            _read_keys(chat),
            args,
            functools.partial(_seen, chat, seq, entry_of),
        )

    @staticmethod
    def read_stored(chat: str, seq: int) -> Query[Seen | None]:
        """Return the query for one message as the log stores it, also one that has expired: for the sweep.

        None: it was trimmed, or the chat is deleted.
        """
        args = ("after", seq - 1, 1, 1, b"", "", "", kind_of(chat))
        return Query(
            READ_LOG,
            _read_keys(chat),
            args,
            functools.partial(_seen, chat, seq, stored_entry),
        )

    @staticmethod
    def change(chat: str, seen: Seen, new: NewVersion, actor: str) -> Query[MessageChange | None]:
        """Return the query that replaces a message; None: it is not as it was seen.

        A deletion also works in a store without free memory.

        actor: Handle of the user who changes it; empty for the server itself, which may do anything.
        Reading the reply raises ChatNotFound; NotAMember, Muted and Forbidden if the actor may not do it;
        TooManyPins.
        """
        entry, deletes = seen.entry, new.content.extra.deleted > 0
        args: tuple[bytes | str | int, ...] = (kind_of(chat), actor, int(new.role), int(new.writes))
        args += entry.seq, seen.element, packed(new.content), 0 if deletes else entry.expires, int(deletes)
        args += int(deletes or new.content.text != entry.content.text), change_item(chat)
        args += (expiry_of(chat, entry.seq),)
        unmentioned = fields_of(entry.content.extra) if deletes else new.unmentioned
        args += "\0".join(new.mentioned), "\0".join(unmentioned)
        args += _pin(entry.content, new.content), MAX_PINS
        read = functools.partial(_changed, chat)
        script = DELETE_MESSAGE if deletes else CHANGE_MESSAGE
        return Query(script, _change_keys(chat), args, read, repeatable=False)


_change_keys = key_rows.together(
    keys.log,
    keys.chat,
    keys.members,
    keys.changes,
    keys.uncounted,
    keys.outbox,
    keys.chat_connections,
    keys.reactions,
    keys.pins,
    keys.word_filters,
    keys.expiries,
    keys.threads,
    keys.mentions,
    keys.read_states,
)


def _pin(before: Content, after: Content) -> int:
    """Return when a message is pinned by a change, µs; 0: nothing changes, -1: it is no longer pinned."""
    pinned = after.extra.pinned
    return 0 if pinned == before.extra.pinned else pinned or -1


def _read_keys(chat: str) -> tuple[str, ...]:
    """Return the keys to read a message that the reader may have hidden: an admin may still delete it."""
    return (*reader_keys(chat), keys.hidden(chat, ""))


def _seen(chat: str, seq: int, decoded: Callable[[int, bytes], LogEntry], reply: Any) -> Seen | None:
    if isinstance(reply, int):
        raise refusal(chat, reply)
    _, _, epoch, first, _, *elements = reply
    return Seen(decoded(seq, elements[0]), elements[0], epoch) if elements and first == seq else None


def _changed(chat: str, reply: Any) -> MessageChange | None:
    outcome, *rest = reply
    if outcome == CHAT_MISSING:
        raise refusal(chat, NO_CHAT)
    if outcome == MEMBER_MISSING:
        raise refusal(chat, NO_MEMBER)
    if outcome == MUTED:
        raise muted(chat, *rest)
    if outcome == ROLE_TOO_LOW:
        raise Forbidden(f"Only admins and owners of {chat} may do this.")
    if outcome == TOO_MANY_PINS:
        raise TooManyPins(f"Chat {chat} has {MAX_PINS} pinned messages, the maximum. Unpin one of them.")
    if outcome == MOVED:
        return None
    number, members, *recipients = rest
    named = members.decode().split("\0") if members else []
    return MessageChange(number, named, recipients_of(*recipients) if recipients else [])
