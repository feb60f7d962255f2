"""Declining the invitations of a user whom the invitee blocks."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.errors import ChatNotFound
from chalicelib.services.chats.decisions import Action, Decision
from chalicelib.services.chats.rules.inviting import end_invitation
from chalicelib.services.chats.transaction import ChatTransactions
from chalicelib.store.chats.changes import ChatSnapshot
from chalicelib.store.chats.chats import Chats
from chalicelib.store.chats.info import Info, Other
from chalicelib.store.chats.invitee import Invitees
from chalicelib.store.redis.client import Store


class BlockedInvitations:
    """Runs the pending job of a block; idempotent.

    end_follow: Ends the follow of a blocked user, by the handles of the blocking and of the blocked user.
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

    def decline(self, handle: str, other: str) -> None:
        """End a blocked user's follow and decline their invitations, unless the block has ended since.

        handle, other: Handles of the blocking and of the blocked user.
        """
        self._end_follow(handle, other)
        for chat in self._store.run(Invitees.unwanted(handle, other)):
            self._decline(handle, other, chat)

    def _decline(self, handle: str, other: str, chat: str) -> None:
        """Decline an invitation, unless it is answered, withdrawn or by another inviter by now."""

        def decide(info: Info, seen: ChatSnapshot) -> Decision | None:
            own = seen.records[handle]
            if not isinstance(own, Other) or own.inviter != other:
                return None
            return end_invitation(Action(chat, info, handle, handle, own, own))

        try:
            snapshot = self._store.run(self._chats.snapshot(chat, handle))
            self._transactions.change(chat, snapshot, handle, decide)
        except ChatNotFound:
            return
