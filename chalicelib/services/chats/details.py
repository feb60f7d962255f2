"""One chat as a user sees it."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from chalicelib.errors import no_chat, not_a_member
from chalicelib.schemas.chats import Chat
from chalicelib.services.auth.caller import Caller
from chalicelib.services.chats import permissions
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.times import rfc3339
from chalicelib.services.views import inbox_row
from chalicelib.store.accounts.user_cards import UserCard, UserCards
from chalicelib.store.chats.summary import MembershipState, Summaries, Summary
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query, UserBatch

DETAILS = ("notice", "join", "history", "slow", "keep", "keep_days", "maker")
"""The fields of a chat that its row does not have, and a direct chat neither."""


class ChatDetails:
    """Reads chats for their members, and for users who may join them."""

    def __init__(self, store: Store, ids: ChatIds, summaries: Summaries, cards: UserCards) -> None:
        self._store = store
        self._ids = ids
        self._summaries = summaries
        self._cards = cards

    def read(self, caller: Caller, chat: str) -> Chat:
        """Read a chat, in one round trip; raises BadRequest, ChatNotFound, NotAMember, Banned."""
        found = self._ids.own(caller.handle, chat).text
        summary, cards = caller.read_all(*self._asking(found, caller.handle))
        if summary.state == MembershipState.GONE:
            raise no_chat(found)
        if summary.state == MembershipState.BANNED:
            raise permissions.banned(found)
        if summary.state == MembershipState.NONE and summary.info is None:
            raise not_a_member(found)
        return shown(summary, cards)

    def after_change(self, chat: str, handle: str) -> Chat:
        """Read a chat that a user has just created or changed; raises ChatNotFound if it is deleted since."""
        summary, cards = self._store.run_both(*self._asking(chat, handle))
        if summary.state == MembershipState.GONE:
            raise no_chat(chat)
        return shown(summary, cards)

    def _asking(self, chat: str, handle: str) -> tuple[Query[Summary], UserBatch[dict[str, UserCard]]]:
        return self._summaries.of(chat, handle), self._cards.of(inbox_row.users_of([chat]))


def shown(summary: Summary, cards: inbox_row.Cards) -> Chat:
    """Return a chat as the response shows it; cards: See inbox_row.row."""
    row, info = inbox_row.row(summary, cards=cards), summary.info
    fields = {name: getattr(row, name) for name in row.__struct_fields__}
    if info is None:
        nothing: dict[str, Any] = dict.fromkeys(DETAILS)
        return Chat(**fields, **nothing, made_at=None)
    details = {name: getattr(info, name) for name in DETAILS}
    data = msgspec.json.decode(info.data) if info.data else UNSET
    return Chat(**fields, **details, made_at=rfc3339(info.made), data=data)
