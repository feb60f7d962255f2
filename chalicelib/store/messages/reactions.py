"""Reactions to messages: an emoji, of which a user has one of a kind on a message."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from chalicelib.errors import (
    Forbidden,
    ParleyError,
    TooManyReactions,
    message_deleted,
    no_chat,
    no_message,
    not_a_member,
)
from chalicelib.store import key_rows, keys
from chalicelib.store.access import change_item, kind_of, muted, reader_keys, refusal
from chalicelib.store.messages.content import LogEntry, entry_of
from chalicelib.store.realtime.chat_connections import ChatConnection, chat_connections_of
from chalicelib.store.redis.query import Batch, Query
from chalicelib.store.redis.scripts import Script

SET_REACTION = Script("messages/set_reaction")
READ_REACTIONS = Script("messages/read_reactions")

MAX_KINDS = 20
"""Maximum number of kinds of reactions to one message."""
AT_ONCE = 2000
"""Maximum number of members that one query asks for."""
DONE, UNCHANGED, NO_MESSAGE, CHAT_MISSING, MEMBER_MISSING, MUTED, DELETED, SYSTEM, TOO_MANY = range(9)
"""The outcomes of a reaction; see lua/messages/set_reaction.lua."""
NOT_READABLE = 3
"""The outcome of a page of reactions to no message; see lua/messages/read_reactions.lua."""


class Reaction(NamedTuple):
    """A reaction of a user to a message."""

    seq: int
    emoji: str
    handle: str

    @property
    def member(self) -> str:
        """The member of the ZSET that is the reaction."""
        return f"{self.emoji}\0{self.handle}\0{self.seq}"


class Reacted(NamedTuple):
    """The result of a reaction.

    entry: The message after it. epoch: Of the log, µs. changed: Whether the reaction was new, or was there to
    be removed. members: Handles of the users who may read the message; empty for a large group.
    attached: The attached connections of such members of a large group.
    """

    entry: LogEntry
    epoch: int
    changed: bool
    members: list[str]
    attached: list[ChatConnection]


class ReactionPage(NamedTuple):
    """Some reactions to a message, by emoji and handle; entry: The message."""

    entry: LogEntry
    reactions: list[Reaction]


class Reactions:
    """The reactions to the messages of a chat. Their key, in the chat's partition `{c<NNN>}`:

    `{c<NNN>}:reactions:<chat>`: ZSET, no expiry: `<emoji>\\0<handle>\\0<seq>` -> seq. The message itself has
        the counts, see Extra; the script changes both, and the subject `e:<seq>` in `changes`, see Chats.
        Reactions go with their message when it is deleted. Those to trimmed messages are removed later.
    """

    @staticmethod
    def react(reaction: Reaction, chat: str, *, on: bool) -> Query[Reacted]:
        """Return the query that adds or removes a reaction; idempotent.

        Reading its reply raises ChatNotFound, NotAMember, MessageNotFound, MessageDeleted, Forbidden; Muted
        and TooManyReactions when it adds one.
        """
        wanted = (reaction.seq, reaction.emoji, int(on))
        args = (reaction.handle, kind_of(chat), *wanted, MAX_KINDS, change_item(chat))
        read = functools.partial(_reacted, chat, reaction.seq)
        return Query(SET_REACTION, _reaction_keys(chat), args, read)

    @staticmethod
    def page(chat: str, seq: int, reader: str, after: str, limit: int) -> Query[ReactionPage]:
        """Return the query for a page of the reactions to a message that a reader may read.

        after: The member before the page, or what members of the page are above.
        Reading its reply raises ChatNotFound, NotAMember, MessageNotFound.
        """
        named = (*reader_keys(chat), keys.reactions(chat), keys.hidden(chat, reader))
        args = (reader, kind_of(chat), seq, after, limit)
        return Query(READ_REACTIONS, named, args, functools.partial(_page, chat, seq))

    @staticmethod
    def existing(chat: str, wanted: Iterable[Reaction]) -> Batch[set[Reaction]]:
        """Return the batch for those of some reactions that there are."""
        return Batch([_existing(chat, part) for part in _parts(wanted)], lambda found: set().union(*found))

    @staticmethod
    def listed(chat: str, first: int, limit: int) -> Query[list[Reaction]]:
        """Return the query for a chat's reactions, by seq; first: the number of reactions to leave out."""
        return Query("ZRANGE", (keys.reactions(chat),), (first, first + limit - 1), _reactions)

    @staticmethod
    def to(chat: str, seqs: Iterable[int]) -> Batch[set[Reaction]]:
        """Return the batch for all reactions to messages."""
        named = (keys.reactions(chat),)
        asked = [Query("ZRANGE", named, (seq, seq, "BYSCORE"), _reactions) for seq in seqs]
        return Batch(asked, lambda found: {one for part in found for one in part})


_reaction_keys = key_rows.together(
    keys.log,
    keys.chat,
    keys.members,
    keys.others,
    keys.read_states,
    keys.changes,
    keys.outbox,
    keys.chat_connections,
    keys.reactions,
)


def _reacted(chat: str, seq: int, reply: Any) -> Reacted:
    outcome, *rest = reply
    if outcome not in (DONE, UNCHANGED):
        raise _refusal(chat, seq, outcome, rest)
    epoch, element, *delivery = rest
    entry = entry_of(seq, element)
    if outcome == UNCHANGED:
        return Reacted(entry, epoch, False, [], [])
    _, members, *attached = delivery
    named = members.decode().split("\0") if members else []
    return Reacted(entry, epoch, True, named, chat_connections_of(attached) if attached else [])


def _refusal(chat: str, seq: int, outcome: int, rest: Sequence[int]) -> ParleyError:
    if outcome == MUTED:
        return muted(chat, *rest)
    errors = {
        CHAT_MISSING: no_chat(chat),
        MEMBER_MISSING: not_a_member(chat),
        NO_MESSAGE: no_message(chat, seq),
        DELETED: message_deleted(chat, seq),
        SYSTEM: Forbidden("Messages of kind `system` take no reactions."),
        TOO_MANY: TooManyReactions(
            f"Message {seq} of chat {chat} has {MAX_KINDS} kinds of reactions, the maximum. Use one of them."
        ),
    }
    return errors[outcome]


def _page(chat: str, seq: int, reply: Any) -> ReactionPage:
    if reply == NOT_READABLE:
        raise no_message(chat, seq)
    if isinstance(reply, int):
        raise refusal(chat, reply)
    element, *members = reply
    return ReactionPage(entry_of(seq, element), _reactions(members))


def _reactions(members: Sequence[bytes]) -> list[Reaction]:
    parts = [member.decode().split("\0") for member in members]
    return [Reaction(int(seq), emoji, handle) for emoji, handle, seq in parts]


def _existing(chat: str, wanted: Sequence[Reaction]) -> Query[set[Reaction]]:
    def read(scores: Sequence[object]) -> set[Reaction]:
        return {one for one, score in zip(wanted, scores, strict=True) if score is not None}

    return Query("ZMSCORE", (keys.reactions(chat),), tuple(one.member for one in wanted), read)


def _parts(wanted: Iterable[Reaction]) -> Iterator[list[Reaction]]:
    all_of_them = list(wanted)
    for start in range(0, len(all_of_them), AT_ONCE):
        yield all_of_them[start : start + AT_ONCE]
