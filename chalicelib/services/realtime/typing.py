"""That somebody is typing: told at once, never stored, and dropped where it would be noise."""

from __future__ import annotations

from chalicelib.schemas.realtime import Typing, TypingFrame
from chalicelib.services.delivery.audience import Others
from chalicelib.services.delivery.push import Pushing
from chalicelib.services.realtime.dispatch import Session
from chalicelib.services.values.chat_id import ChatIds


class TypingService:
    """Tells the others of a chat that somebody is typing."""

    def __init__(self, ids: ChatIds, others: Others, pushing: Pushing) -> None:
        self._ids = ids
        self._others = others
        self._pushing = pushing

    def tell(self, session: Session, frame: Typing) -> None:
        """Tell every connection of the others, and answer nothing; see Others.of for when nobody is told.

        One trip for a chat of two, two for a group, and the push.
        Raises ChatNotFound, BadRequest, NotAMember of a chat of two others.
        """
        chat = self._ids.own(session.handle, frame.chat)
        targets = self._others.of(session.handle, chat)
        if targets:
            self._pushing.send(targets, TypingFrame(chat=chat.text, user=session.handle, on=frame.on))
