"""Receipts pushed to the other members of a chat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from chalicelib.errors import StoreUnavailable
from chalicelib.logs import LOGGER, cause_of
from chalicelib.schemas.realtime import ReceiptFrame
from chalicelib.services.delivery.audience import AudienceFinder
from chalicelib.services.delivery.frame_push import AddressedFrame
from chalicelib.services.delivery.push import PushService
from chalicelib.services.values.chat_id import ChatId
from chalicelib.store.realtime.connection_results import Recipient


class ReceiptDelivery:
    """Pushes stored receipts; a failure is logged, and clients get the receipts when they read them."""

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
    ) -> list[Recipient]:
        """Push a receipt to the other members of a chat that is not large, and to the user's own connections.

        read, received: Seq up to which the user has read or received. skip: A connection to leave out.
        Returns the user's own connections that were left in.
        """
        if not self._push.inline:
            return []
        frame = ReceiptFrame(chat=chat.text, user=handle, read=read, received=received)
        try:
            own = [one for one in self._audience.connected([handle]) if one.connection != skip]
            others = [one for one in self._audience.of(handle, chat) if one.connection != skip]
            self._push.send(AddressedFrame([*own, *others], frame))
        except StoreUnavailable as error:
            LOGGER.warning({"event": "receipt_not_pushed", **cause_of(error)})
            return []
        return own

    def deliver_all(self, handle: str, read: Sequence[tuple[ChatId, int]]) -> None:
        """Push receipts of chats that a user has read, each with its seq; see `deliver`.

        They go to as many connections as a request pushes to: receipts for more are left out.
        """
        if not self._push.inline or not read:
            return
        try:
            own = self._audience.connected([handle])
            others = self._audience.of_all(handle, [chat for chat, _ in read])
            self._push.send(*self._receipts(handle, read, [[*own, *reached] for reached in others]))
        except StoreUnavailable as error:
            LOGGER.warning({"event": "receipt_not_pushed", **cause_of(error)})

    def _receipts(
        self, handle: str, read: Sequence[tuple[ChatId, int]], reached: Iterable[Sequence[Recipient]]
    ) -> Iterator[AddressedFrame]:
        left = self._push.inline
        for (chat, seq), recipients in zip(read, reached, strict=True):
            left -= len(recipients)
            if left < 0:
                return
            yield AddressedFrame(recipients, ReceiptFrame(chat=chat.text, user=handle, read=seq))
