"""What becomes of the invitations that a user has from somebody whom they block."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.errors import ChatNotFound
from chalicelib.services.chats import rules
from chalicelib.services.chats.decisions import Action, Decision
from chalicelib.services.chats.transaction import ChatTransactions
from chalicelib.store.chats.chats import Chats, ChatSnapshot
from chalicelib.store.chats.info import Info, Other
from chalicelib.store.chats.invitee import Invitees
from chalicelib.store.redis.client import Store


class BlockedInvitations:
    """Does the pending work of a block, as often as it takes and to the same effect.

    end_follow: ends the follow of a blocked user, by the handles of who blocks and of the other.
    """

    def __init__(
        self,
        store: Store,
        chats: Chats,
        transactions: ChatTransactions,
        end_follow: Callable[[str, str], None],
    ) -> None:
        self._store = store
        self._chats = chats
        self._transactions = transactions
        self._end_follow = end_follow

    def block(self, handle: str, other: str) -> None:
        """End the other's follow, and decline their waiting invitations unless the block is over by now."""
        self._end_follow(handle, other)
        for chat in self._store.run(Invitees.unwanted(handle, other)):
            self._decline(handle, other, chat)

    def _decline(self, handle: str, other: str, chat: str) -> None:
        """Decline an invitation, unless it is answered, gone or by somebody else by now."""

        def decide(info: Info, seen: ChatSnapshot) -> Decision | None:
            own = seen.records[handle]
            if not isinstance(own, Other) or own.inviter != other:
                return None
            return rules.uninvite(Action(chat, info, handle, handle, own, own))

        try:
            view = self._store.run(self._chats.viewing(chat, handle))
            self._transactions.change(chat, view, handle, decide)
        except ChatNotFound:
            return
