"""Signals of calls, from one user to another or to the members of a group; they are not stored."""

from __future__ import annotations

import math

import msgspec

from chalicelib.errors import (
    CallNotAccepted,
    Forbidden,
    NobodyThere,
    NotAMember,
    PayloadTooLarge,
    TooManyRequests,
    no_chat,
    not_a_member,
)
from chalicelib.schemas.realtime import MAX_CALL_CHARACTERS, MAX_SIGNAL_BYTES, Signal, SignalFrame
from chalicelib.services.delivery.audience import AudienceFinder
from chalicelib.services.delivery.frame_push import AddressedFrame
from chalicelib.services.delivery.push import PushService
from chalicelib.services.realtime.dispatch import Connection
from chalicelib.services.social.contact import check_not_blocked
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.names import Names
from chalicelib.store.access import muted
from chalicelib.store.chats.summary import MembershipState
from chalicelib.store.realtime.recipients import Recipients
from chalicelib.texts import check_line

BEGINNING = ("ring", "offer", "screen")
"""Kinds of signals that begin a call, or add audio, video or a screen to it."""
ENDING = ("reject", "hangup")
"""Kinds that end a call; by any other kind the sender accepts calls from the recipient."""


class SignalService:
    """Passes signals on to all connections of their recipients; the server adds the sender's handle."""

    def __init__(self, names: Names, ids: ChatIds, audience: AudienceFinder, push: PushService) -> None:
        self._names = names
        self._ids = ids
        self._audience = audience
        self._push = push

    def send(self, connection: Connection, frame: Signal) -> None:
        """Pass a signal on without a reply: one round trip for a user, two for a group, and the push.

        A signal to oneself goes to one's other connections. A signal that begins a call, see BEGINNING, goes
        only to users who have accepted calls from the sender: they have written to the sender, sent them a
        signal not of ENDING, or follow them. In a group they have written in it, made it or joined it by a
        call of their own.
        Raises NobodyThere: none of them is connected; NotAMember: of the group, or the two never wrote;
        CallNotAccepted, Blocked, Muted, Forbidden: the group is large; TooManyRequests: too many bytes;
        PayloadTooLarge, ChatNotFound, BadRequest.
        """
        check_line(frame.call, "call", "a call", MAX_CALL_CHARACTERS)
        _check_size(frame)
        if frame.to is not None:
            to = self._names.user(frame.to, "to")
            passed = _passed(connection, frame, to=to)
            self._pass(passed, self._user(connection, to, passed))
            return
        chat = self._ids.own(connection.handle, frame.chat or "")
        passed = _passed(connection, frame, chat=chat.text)
        if chat.members is None:
            self._pass(passed, self._members(connection, chat.text, passed))
        else:
            self._pass(passed, self._user(connection, chat.other(connection.handle), passed))

    def _pass(self, passed: SignalFrame, reached: Recipients) -> None:
        named = passed.to or passed.chat
        if not reached.connections and reached.wait:
            seconds = math.ceil(reached.wait / 1_000_000)
            raise TooManyRequests(
                f"You have sent too many bytes of signals to {named}. Try again in {seconds} s.",
                headers={"Retry-After": str(seconds)},
            )
        if not reached.connections:
            raise NobodyThere(f"Nobody is connected to receive a signal for {named}.")
        self._push.send(AddressedFrame(reached.connections, passed))

    def _user(self, connection: Connection, other: str, passed: SignalFrame) -> Recipients:
        if other == connection.handle:
            own = self._audience.connected([other])
            return Recipients([recipient for recipient in own if recipient.connection != connection.id], 0)
        pair, accepts, follows = self._audience.callee(
            connection.handle, other, _size(passed), accepts=_accepts(passed)
        )
        if not (pair.known or accepts or follows):
            raise NotAMember(f"You have no chat with {other}: write to each other before you call.")
        check_not_blocked(other, by_other=pair.blocked, by_caller=pair.blocks)
        if passed.kind in BEGINNING and not accepts:
            raise CallNotAccepted(f"You cannot call {other} yet: they must write to you or follow you first.")
        return pair.reached

    def _members(self, connection: Connection, chat: str, passed: SignalFrame) -> Recipients:
        ringing = passed.kind in BEGINNING
        group = self._audience.group(connection.handle, chat, ringing=ringing)
        if group.state is MembershipState.GONE:
            raise no_chat(chat)
        if not group.is_member:
            raise not_a_member(chat)
        if group.muted:
            raise muted(chat, group.muted)
        if group.large:
            raise Forbidden(f"Chat {chat} has too many members for a call.")
        there = group.accepted if ringing else group.others
        return self._audience.reached(connection.handle, there, _size(passed), accepts=_accepts(passed))


def _passed(
    connection: Connection, frame: Signal, *, to: str | None = None, chat: str | None = None
) -> SignalFrame:
    return SignalFrame(
        from_=connection.handle, call=frame.call, kind=frame.kind, to=to, chat=chat, data=frame.data
    )


def _size(passed: SignalFrame) -> int:
    return len(msgspec.json.encode(passed))


def _accepts(passed: SignalFrame) -> bool:
    return passed.kind not in ENDING


def _check_size(frame: Signal) -> None:
    size = len(msgspec.json.encode(frame.data))
    if size > MAX_SIGNAL_BYTES:
        raise PayloadTooLarge(f"data: it is {size} bytes as JSON; send at most {MAX_SIGNAL_BYTES}.")
