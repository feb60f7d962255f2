"""Receipts: that somebody has come further in a chat."""

from __future__ import annotations

from chalicelib.errors import StoreUnavailable
from chalicelib.logs import LOGGER, cause_of
from chalicelib.schemas.realtime import ReceiptFrame
from chalicelib.services.delivery.audience import AudienceFinder
from chalicelib.services.delivery.push import PushService
from chalicelib.services.values.chat_id import ChatId


class ReceiptDelivery:
    """Tells of marks, which are made by then: what fails is logged, and read by who asks for receipts."""

    def __init__(self, audience: AudienceFinder, push: PushService) -> None:
        self._audience = audience
        self._push = push

    def deliver(
        self,
        handle: str,
        chat: ChatId,
        *,
        read: int | None = None,
        received: int | None = None,
        skip: str | None = None,
    ) -> None:
        """Tell the others of a chat that is not large, and the user's own other connections.

        read, received: the seq of the mark that has risen. skip: a connection that is not told.
        """
        if not self._push.inline:
            return
        frame = ReceiptFrame(chat=chat.text, user=handle, read=read, received=received)
        try:
            targets = [*self._audience.connected([handle]), *self._audience.of(handle, chat)]
            self._push.send([target for target in targets if target.connection != skip], frame)
        except StoreUnavailable as error:
            LOGGER.warning({"event": "receipt_untold", **cause_of(error)})
