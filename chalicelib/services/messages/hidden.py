"""Hiding messages from oneself, for /v1 and the WebSocket API."""

from __future__ import annotations

from chalicelib.errors import StoreUnavailable
from chalicelib.logs import LOGGER, cause_of
from chalicelib.schemas.realtime import ChangeFrame
from chalicelib.services.auth.caller import Caller
from chalicelib.services.delivery.entry_delivery import EntryDelivery
from chalicelib.services.delivery.frame_push import AddressedFrame
from chalicelib.services.delivery.push import PushService
from chalicelib.services.inbox.read_state import own_entry
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.cursors import MessageCursor
from chalicelib.store.inbox.hidden_messages import HiddenMessages
from chalicelib.store.realtime.user_connections import UserConnections
from chalicelib.store.redis.client import Store


class MessageHider:
    """Deletes messages for one reader: on all devices of the reader, and for nobody else.

    The reader's other devices learn of it by a `change` frame, the row of the chat and the feed.
    """

    def __init__(
        self,
        store: Store,
        ids: ChatIds,
        hidden: HiddenMessages,
        entries: EntryDelivery,
        user_connections: UserConnections,
        push: PushService,
    ) -> None:
        self._store = store
        self._ids = ids
        self._hidden = hidden
        self._entries = entries
        self._user_connections = user_connections
        self._push = push

    def hide(self, caller: Caller, chat: str, seq: int, *, skip: str | None = None) -> ChangeFrame:
        """Hide a message of any sender and kind from the caller; return the change. Idempotent.

        chat: The chat's id as the caller gave it. skip: Id of a connection that the change is not pushed to.
        Raises MessageNotFound, ChatNotFound, NotAMember, TooManyHidden.
        """
        found = self._ids.own(caller.handle, chat).text
        caller.authenticate()
        hidden = self._store.run(self._hidden.hide(found, seq, caller.handle))
        cursor = str(MessageCursor(seq, hidden.number, hidden.epoch))
        frame = ChangeFrame(chat=found, seq=seq, change=hidden.number, cursor=cursor, hidden=True)
        if hidden.entry is not None:
            self._entries.deliver(found, own_entry(caller.handle, hidden.entry))
            self._push_to_own(caller.handle, frame, skip)
        return frame

    def _push_to_own(self, handle: str, frame: ChangeFrame, skip: str | None) -> None:
        if not self._push.inline:
            return
        try:
            connected = self._store.run(self._user_connections.recipients([handle]))
        except StoreUnavailable as error:
            LOGGER.warning({"event": "change_not_pushed", **cause_of(error)})
            return
        self._push.send(AddressedFrame([one for one in connected if one.connection != skip], frame))
