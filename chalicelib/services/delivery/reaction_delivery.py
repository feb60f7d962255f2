"""Reactions delivered to inboxes and connections, but not pushed to users who block the reacting user."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.schemas.realtime import ChangeFrame
from chalicelib.services.delivery.fan_out import ChatFanOut, left_to_sweep
from chalicelib.services.delivery.message_push import change_frame, with_reaction
from chalicelib.services.values.chat_id import ChatId
from chalicelib.store.messages.reactions import Reacted, Reaction
from chalicelib.store.realtime.user_connections import UserConnections
from chalicelib.store.redis.client import Store
from chalicelib.store.social.blocks import Blocks


class ReactionDelivery:
    """Delivers reactions; a failure is logged, and OutboxSweep delivers the change again."""

    def __init__(self, store: Store, fan_out: ChatFanOut, user_connections: UserConnections) -> None:
        self._store = store
        self._fan_out = fan_out
        self._user_connections = user_connections

    def deliver(
        self, chat: ChatId, reaction: Reaction, reacted: Reacted, *, on: bool, skip: str | None
    ) -> None:
        """Move a chat up in the members' inboxes, and push the changed message.

        Takes one round trip, and another if a member blocks the reacting user. skip: A connection that
        already has the answer.
        """
        with left_to_sweep():
            members = reacted.members
            readers = {*members, *(one.handle for one in reacted.attached)} - {reaction.handle}
            moved, blockers = self._store.run_both(
                self._fan_out.inboxes.deliver_change(chat.text, members),
                Blocks.blocking(readers, reaction.handle),
            )
            recipients = [*moved, *(one.recipient for one in reacted.attached)]
            if blockers:
                hidden = self._connections_of(blockers, reacted)
                recipients = [one for one in recipients if one.connection not in hidden]
            self._fan_out.message_push.push_change(_frame(chat, reaction, reacted, on), recipients, skip)

    def _connections_of(self, handles: Sequence[str], reacted: Reacted) -> set[str]:
        connected = self._store.run(self._user_connections.recipients(handles))
        attached = {one.connection for one in reacted.attached if one.handle in handles}
        return attached.union(one.connection for one in connected)


def _frame(chat: ChatId, reaction: Reaction, reacted: Reacted, on: bool) -> ChangeFrame:
    frame = change_frame(chat.text, reacted.entry, reacted.epoch)
    return with_reaction(frame, (reaction.emoji, reaction.handle, on))
