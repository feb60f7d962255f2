"""The first message of a forwarded one, for readers who may read it now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from chalicelib.schemas.messages import Forwarded
from chalicelib.services.views.reader_view import Fields
from chalicelib.store.messages.content import LogEntry, Origin
from chalicelib.store.messages.threads import Related, Threads
from chalicelib.store.redis.query import Batch, Query
from chalicelib.texts import folded


class Origins:
    """Resolves the field `forwarded`; it asks only about forwarded messages, once for each chat of theirs."""

    def asking(self, chat: str, reader: str, entries: Sequence[LogEntry]) -> Batch[Fields] | None:
        """Return the query for the field; see Resolver."""
        origins = {
            one.seq: one.content.extra.forwarded
            for one in entries
            if one.content.extra.forwarded and _may_ask(one.content.extra.forwarded, reader)
        }
        if not origins:
            return None
        wanted: dict[str, set[int]] = defaultdict(set)
        for origin in origins.values():
            wanted[origin.chat].add(origin.seq)
        asking: list[Query[Related]] = [Threads.related(of, reader, seqs, ()) for of, seqs in wanted.items()]

        def join(found: list[Related]) -> Fields:
            messages = {of: one.messages for of, one in zip(wanted, found, strict=True)}
            return {
                seq: {"forwarded": Forwarded(chat=origin.chat, seq=origin.seq, sender=origin.sender)}
                for seq, origin in origins.items()
                if _is_there(origin, messages[origin.chat].get(origin.seq))
            }

        return Batch(asking, join)


def _may_ask(origin: Origin, reader: str) -> bool:
    """Return whether the reader is one of the two users, if the message is of a direct chat."""
    return ":" not in origin.chat or reader in origin.chat.split(":")


def _is_there(origin: Origin, entry: LogEntry | None) -> bool:
    """Return whether a message is the one that was forwarded, and not deleted."""
    return entry is not None and not entry.is_deleted and folded(entry.content.sender) == origin.sender
