"""Signals of calls, from one peer to another or to the members of a group; nothing of them is stored."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chalicelib.errors import (
    Blocked,
    Forbidden,
    NobodyThere,
    NotAMember,
    PayloadTooLarge,
    no_chat,
    not_a_member,
)
from chalicelib.schemas.realtime import MAX_CALL_CHARACTERS, MAX_SIGNAL_BYTES, Signal, SignalFrame
from chalicelib.services.chat_ids import ChatIds
from chalicelib.services.names import Names
from chalicelib.services.realtime.frames import Session
from chalicelib.services.realtime.others import Others
from chalicelib.services.realtime.pushing import Pushing
from chalicelib.store.presence import Target
from chalicelib.store.rights import muted
from chalicelib.store.summaries import State
from chalicelib.texts import check_line


class Signals:
    """Passes signals on to every connection of whom they are for; who sent one is ours to say."""

    def __init__(self, names: Names, ids: ChatIds, others: Others, pushing: Pushing) -> None:
        self._names = names
        self._ids = ids
        self._others = others
        self._pushing = pushing

    def send(self, session: Session, frame: Signal) -> None:
        """Pass a signal on, and answer nothing: one trip to a user, two to the members of a group, the push.

        A signal to oneself goes to one's other connections.
        Raises NobodyThere: none of them is connected; NotAMember: of the group, or the two never wrote;
        Blocked, Muted, Forbidden: the group is large; PayloadTooLarge, ChatNotFound, BadRequest.
        """
        check_line(frame.call, "call", "a call", MAX_CALL_CHARACTERS)
        _check_size(frame)
        if frame.to is not None:
            to = self._names.user(frame.to, "to")
            self._pass(session, frame, self._user(session, to), to=to)
            return
        chat = self._ids.own(session.handle, frame.chat or "")
        if chat.members is None:
            targets = self._members(session, chat.text)
        else:
            targets = self._user(session, chat.other(session.handle))
        self._pass(session, frame, targets, chat=chat.text)

    def _pass(
        self,
        session: Session,
        frame: Signal,
        targets: Sequence[Target],
        *,
        to: str | None = None,
        chat: str | None = None,
    ) -> None:
        if not targets:
            raise NobodyThere(f"Nobody is connected whom a signal for {to or chat} could reach.")
        passed = SignalFrame(
            from_=session.handle, call=frame.call, kind=frame.kind, to=to, chat=chat, data=frame.data
        )
        self._pushing.send(targets, passed)

    def _user(self, session: Session, other: str) -> list[Target]:
        if other == session.handle:
            own = self._others.connected([other])
            return [target for target in own if target.connection != session.connection]
        pair = self._others.pair(session.handle, other)
        if not pair.known:
            raise NotAMember(f"You have no chat with {other}: write to each other before you call.")
        if pair.blocked:
            raise Blocked(f"{other} takes no calls from you.")
        if pair.blocks:
            raise Blocked(f"You have blocked {other}.")
        return pair.targets

    def _members(self, session: Session, chat: str) -> list[Target]:
        circle = self._others.circle(session.handle, chat)
        if circle.state is State.GONE:
            raise no_chat(chat)
        if not circle.is_member:
            raise not_a_member(chat)
        if circle.muted:
            raise muted(chat, circle.muted)
        if circle.large:
            raise Forbidden(f"Chat {chat} has too many members for a call.")
        return self._others.connected(circle.others)


def _check_size(frame: Signal) -> None:
    size = len(msgspec.json.encode(frame.data))
    if size > MAX_SIGNAL_BYTES:
        raise PayloadTooLarge(f"data: it has {size} bytes as JSON, and may have {MAX_SIGNAL_BYTES}.")
