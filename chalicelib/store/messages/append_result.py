"""What an append of a message gives, and the errors of one that is refused."""

from __future__ import annotations

from typing import Any, NamedTuple

from chalicelib.errors import IdConflict, MessageNotFound, ParleyError
from chalicelib.store.access import NO_CHAT, NO_MEMBER, muted, refusal, slowed
from chalicelib.store.messages.content import LogEntry, entry_of
from chalicelib.store.realtime.connection_results import Recipient, recipients_of

LONGEST_REPLY = 10
"""Length of the longest reply of an append; most leave out the end."""
STORED, DUPLICATE, CONFLICT, CHAT_MISSING, MEMBER_MISSING, MUTED, NOTHING_REPLIED, SLOWED = range(8)
"""The outcomes of an append; see lua/messages/append_message.lua."""


class Appended(NamedTuple):
    """The result of an append; seq, time: Of the message, µs since 1970.

    epoch: Of the log, µs. expires: When it expires, µs; 0: never, or it is a duplicate. root: See LogEntry.
    members: Handles of all members of a group that is not large; None for a duplicate.
    recipients: The attached connections of members of a large group; None for a duplicate. first: Of a
    duplicate, the message as it is now, unless it was trimmed.
    """

    seq: int
    time: int
    duplicate: bool
    epoch: int
    members: list[str] | None = None
    recipients: list[Recipient] | None = None
    expires: int = 0
    root: int = 0
    first: LogEntry | None = None


def appended(chat: str, reply: Any) -> Appended:
    """Return the result in a reply of append_message; raises its errors, see MessageLog.append."""
    if reply[2] > DUPLICATE:
        raise _refused(chat, *reply[:3])
    seq, sent, outcome, epoch, members, *rest = reply
    named = members.decode().split("\0") if members else None
    if not rest:
        return Appended(seq, sent, outcome == DUPLICATE, epoch, named)
    json, protobuf, expires, root, element = rest + [None] * (LONGEST_REPLY - len(reply))
    recipients = None if json is None else recipients_of(json, protobuf)
    first = entry_of(seq, element) if element else None
    return Appended(seq, sent, outcome == DUPLICATE, epoch, named, recipients, expires or 0, root or 0, first)


def _refused(chat: str, seq: int, sent: int, outcome: int) -> ParleyError:
    """Return the error of an append that stored nothing."""
    if outcome == CONFLICT:
        return IdConflict(
            f"The id belongs to message {seq} of this chat, which has other content. Use a new id."
        )
    if outcome == NOTHING_REPLIED:
        return MessageNotFound(f"The message to reply to does not exist: the newest of chat {chat} is {seq}.")
    if outcome == MUTED:
        return muted(chat, sent)
    if outcome == SLOWED:
        return slowed(chat, sent)
    return refusal(chat, NO_CHAT if outcome == CHAT_MISSING else NO_MEMBER)
