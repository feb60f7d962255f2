"""Reactions to messages, for /v1 and the WebSocket API."""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.errors import bad_field
from chalicelib.schemas.reactions import Reaction as ShownReaction
from chalicelib.schemas.reactions import ReactionPage
from chalicelib.services.auth.caller import Caller
from chalicelib.services.delivery.reaction_delivery import ReactionDelivery
from chalicelib.services.social.contact import check_not_blocked
from chalicelib.services.values.chat_id import ChatId, ChatIds
from chalicelib.services.values.cursors import REACTION_CURSOR, ReactionMark
from chalicelib.services.values.paging import page_of
from chalicelib.store.accounts.accounts import Accounts
from chalicelib.store.messages.reactions import Reacted, Reaction, Reactions
from chalicelib.store.redis.client import Store
from chalicelib.store.social.blocks import Blocks
from chalicelib.texts import emoji_in


class WantedReaction(NamedTuple):
    """A reaction to add or to remove; chat: The chat's id as the caller gave it. on: Whether to add it."""

    chat: str
    seq: int
    emoji: str
    on: bool


class ReactionService:
    """The rules of reactions: whoever may write to a chat may react to its messages.

    A reaction takes two round trips, and those of its delivery.
    """

    def __init__(
        self, store: Store, ids: ChatIds, accounts: Accounts, reactions: Reactions, delivery: ReactionDelivery
    ) -> None:
        self._store = store
        self._ids = ids
        self._accounts = accounts
        self._reactions = reactions
        self._delivery = delivery

    def react(self, caller: Caller, wanted: WantedReaction, *, skip: str | None = None) -> Reacted:
        """Add or remove the caller's reaction; idempotent.

        skip: Id of a connection that the change is not pushed to. Raises BadRequest, ChatNotFound,
        NotAMember, MessageNotFound, MessageDeleted, Forbidden; when it adds one also Muted, Blocked and
        TooManyReactions.
        """
        chat, emoji = self._ids.own(caller.handle, wanted.chat), _checked(wanted.emoji)
        self._check_contact(caller, chat, adds=wanted.on)
        reaction = Reaction(wanted.seq, emoji, caller.handle)
        reacted = self._store.run(self._reactions.react(reaction, chat.text, on=wanted.on))
        if reacted.changed:
            self._delivery.deliver(chat, reaction, reacted, on=wanted.on, skip=skip)
        return reacted

    def page(
        self, caller: Caller, chat: str, seq: int, emoji: str | None, cursor: str | None, limit: int
    ) -> ReactionPage:
        """Read who reacted to a message, without users whom the caller blocks; one round trip.

        emoji: Only reactions of this kind. Raises BadRequest, ChatNotFound, NotAMember, MessageNotFound.
        """
        found, kind = self._ids.own(caller.handle, chat).text, None if emoji is None else _checked(emoji)
        after = _after(seq, kind, cursor)
        read, blocked = caller.read_all(
            self._reactions.page(found, seq, caller.handle, after, limit + 1), Blocks.all_of(caller.handle)
        )
        existing = [] if read.entry.is_deleted else read.reactions
        wanted = [one for one in existing if kind is None or one.emoji == kind]
        page = page_of(wanted, limit, lambda one: REACTION_CURSOR.encode(ReactionMark(one.emoji, one.handle)))
        shown = [one for one in page.rows if one.handle not in set(blocked)]
        return ReactionPage(
            reactions=[ShownReaction(emoji=one.emoji, user=one.handle) for one in shown], next=page.next
        )

    def _check_contact(self, caller: Caller, chat: ChatId, *, adds: bool) -> None:
        """Authenticate the caller; raises Blocked if the other user of a direct chat blocks the caller."""
        other = chat.other(caller.handle)
        if not adds or other == caller.handle:
            caller.authenticate()
            return
        relation = caller.read(self._accounts.relation(other, caller.handle))
        check_not_blocked(other, by_other=relation.blocks)


def _checked(emoji: str) -> str:
    found = emoji_in(emoji)
    if found is None:
        raise bad_field("emoji", "it must be one emoji")
    return found


def _after(seq: int, emoji: str | None, cursor: str | None) -> str:
    """Return what the members of a page are above; see Reactions."""
    if cursor is None:
        return f"{emoji}\0" if emoji else ""
    return Reaction(seq, *REACTION_CURSOR.decode(cursor, "cursor")).member
