"""The reactions to messages as one reader sees them: without those of users whom the reader blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from chalicelib.schemas.messages import ReactionCount
from chalicelib.services.views.reader_view import Fields
from chalicelib.store.messages.content import LogEntry
from chalicelib.store.messages.reactions import Reaction, Reactions
from chalicelib.store.redis.query import Batch
from chalicelib.store.social.blocks import Blocks

Counts = dict[int, dict[str, int]]
"""Numbers of users by emoji, by the seq of the message."""


class ReactionCounts:
    """Resolves the field `reactions`; it asks only about messages that have some.

    The first query finds the reader's own reactions and blocks; for a reader who blocks users, a second one
    finds the reactions of those users.
    """

    def asking(self, chat: str, reader: str, entries: Sequence[LogEntry]) -> Batch[Any] | None:
        """Return the query for the field; see Resolver."""
        counts = {one.seq: one.content.extra.reactions for one in entries if one.content.extra.reactions}
        if not counts:
            return None
        asking = Reactions.existing(chat, _of(counts, [reader]))

        def join(found: list[Any]) -> Fields | Batch[Fields]:
            own, others = asking.join(found[:-1]), _others(chat, reader, found[-1])
            return _without(chat, counts, own, others) if others else _fields(counts, own, ())

        return Batch([*asking.parts, Blocks.all_of(reader)], join)


def _others(chat: str, reader: str, blocked: Sequence[str]) -> set[str]:
    """Return the blocked users who may have reacted."""
    others = set(blocked) - {reader}
    return others.intersection(chat.split(":")) if ":" in chat else others


def _without(chat: str, counts: Counts, own: set[Reaction], hidden: set[str]) -> Batch[Fields]:
    """Return the query for the fields without the reactions of hidden users.

    All reactions to a message are read if they are fewer than those that hidden users may have.
    """
    whole = {seq for seq, kinds in counts.items() if sum(kinds.values()) <= len(kinds) * len(hidden)}
    rest = {seq: kinds for seq, kinds in counts.items() if seq not in whole}
    parts = (*Reactions.to(chat, whole).parts, *Reactions.existing(chat, _of(rest, hidden)).parts)

    def join(found: list[set[Reaction]]) -> Fields:
        return _fields(counts, own, (one for part in found for one in part if one.handle in hidden))

    return Batch(parts, join)


def _fields(counts: Counts, own: Iterable[Reaction], hidden: Iterable[Reaction]) -> Fields:
    mine, without = {one[:2] for one in own}, Counter(one[:2] for one in hidden)
    return {
        seq: {"reactions": shown}
        for seq, kinds in counts.items()
        if (
            shown := [
                ReactionCount(emoji=emoji, count=count - without[seq, emoji], me=(seq, emoji) in mine)
                for emoji, count in kinds.items()
                if count > without[seq, emoji]
            ]
        )
    }


def _of(counts: Counts, handles: Iterable[str]) -> Iterable[Reaction]:
    return (Reaction(seq, emoji, handle) for seq in counts for emoji in counts[seq] for handle in handles)
