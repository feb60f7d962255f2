"""Notices that a user is typing: pushed at once, never stored, dropped where they would be noise."""

from __future__ import annotations

from chalicelib.schemas.realtime import Typing, TypingFrame
from chalicelib.services.delivery.audience import AudienceFinder
from chalicelib.services.delivery.frame_push import AddressedFrame
from chalicelib.services.delivery.push import PushService
from chalicelib.services.realtime.dispatch import Connection
from chalicelib.services.values.chat_id import ChatIds


class TypingService:
    """Notifies the other members of a chat that a user is typing."""

    def __init__(self, ids: ChatIds, audience: AudienceFinder, push: PushService) -> None:
        self._ids = ids
        self._audience = audience
        self._push = push

    def notify(self, connection: Connection, frame: Typing) -> None:
        """Notify every connection that AudienceFinder.of finds, without a reply.

        Takes one round trip for a direct chat, two for a group, and the push.
        Raises ChatNotFound, BadRequest; NotAMember: a direct chat of two other users.
        """
        chat = self._ids.own(connection.handle, frame.chat)
        recipients = self._audience.of(connection.handle, chat)
        if recipients:
            typing = TypingFrame(chat=chat.text, user=connection.handle, on=frame.on)
            self._push.send(AddressedFrame(recipients, typing))
