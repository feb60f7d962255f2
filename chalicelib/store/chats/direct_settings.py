"""The settings of direct chats."""

from __future__ import annotations

from chalicelib.store import keys
from chalicelib.store.access import change_item
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

CHANGE_DIRECT_CHAT = Script("chats/change_direct_chat")


class DirectSettings:
    """Changes what both users of a direct chat set for it. It has no keys of its own; see Chats for `chat`.

    A change of a chat with messages also adds `c<chat>` to the outbox, see Outbox.
    """

    @staticmethod
    def change(chat: str, expires_in: int) -> Query[bool]:
        """Return the query that sets after how many seconds new messages expire; 0: never.

        It returns whether the rows of the chat in inboxes change.
        """
        named = (keys.chat(chat), keys.log(chat), keys.outbox(chat))
        return Query(CHANGE_DIRECT_CHAT, named, (expires_in, change_item(chat)), bool, repeatable=False)
