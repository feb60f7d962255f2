"""Errors about chats, their members and messages, and about posts and calls."""

from __future__ import annotations

from chalicelib.errors.base import Forbidden, ParleyError


class NotAMember(Forbidden):
    """The caller is not a member of the chat."""

    code, title = "not_a_member", "Not a member"


class Muted(Forbidden):
    """The member may read the chat, but not write to it for now."""

    code, title = "muted", "Muted"


class SlowMode(ParleyError):
    """The chat is in slow mode, and the caller has written a moment ago."""

    status, code, title = 429, "slow_mode", "Slow mode"


class TextRefused(Forbidden):
    """The operator's word filter refuses the text."""

    code, title = "text_refused", "Text refused"


class Banned(Forbidden):
    """The user is banned from the chat."""

    code, title = "banned", "Banned"


class Blocked(Forbidden):
    """One of the two users has blocked the other."""

    code, title = "blocked", "Blocked"


class CallNotAccepted(Forbidden):
    """The other user has neither written to the caller nor followed them."""

    code, title = "call_not_accepted", "Call not accepted"


class ChatNotFound(ParleyError):
    """No chat has this id."""

    status, code, title = 404, "chat_not_found", "Chat not found"


class MessageNotFound(ParleyError):
    """The chat has no message of this number."""

    status, code, title = 404, "message_not_found", "Message not found"


class ScheduledNotFound(ParleyError):
    """The caller has no scheduled message of this id."""

    status, code, title = 404, "scheduled_not_found", "Scheduled message not found"


class MessageDeleted(ParleyError):
    """The message was deleted or has expired: it cannot be changed any more."""

    status, code, title = 410, "message_deleted", "Message deleted"


class MessageChanged(ParleyError):
    """The message has changed since the version that `If-Match` names."""

    status, code, title = 412, "message_changed", "Message changed"


class PostNotFound(ParleyError):
    """The caller has no post of this id."""

    status, code, title = 404, "post_not_found", "Post not found"


class NobodyThere(ParleyError):
    """Nobody whom the signal could reach is connected."""

    status, code, title = 404, "nobody_there", "Nobody connected"


class IdConflict(ParleyError):
    """The id belongs to another message of the caller."""

    status, code, title = 409, "id_conflict", "Id already used"


class BeingSent(ParleyError):
    """The scheduled message is being sent, so it can no longer be changed."""

    status, code, title = 409, "being_sent", "Being sent"


class SendUnconfirmed(ParleyError):
    """The server was interrupted for so long that it is unknown whether the message was sent."""

    status, code, title = 409, "send_unconfirmed", "Sending not confirmed"


class TooManyScheduled(ParleyError):
    """The caller has the maximum number of scheduled messages."""

    status, code, title = 409, "too_many_scheduled", "Too many scheduled messages"


class TooManyHidden(ParleyError):
    """The caller has hidden the maximum number of messages of the chat."""

    status, code, title = 409, "too_many_hidden", "Too many hidden messages"


class TooManyPins(ParleyError):
    """The chat has the maximum number of pinned messages."""

    status, code, title = 409, "too_many_pins", "Too many pins"


class TooManyReactions(ParleyError):
    """The message has the maximum number of kinds of reactions."""

    status, code, title = 409, "too_many_reactions", "Too many reactions"


class ChatFull(ParleyError):
    """The chat has the maximum number of members."""

    status, code, title = 409, "chat_full", "Chat full"


class InvitationsFull(ParleyError):
    """The user has the maximum number of waiting invitations, or the caller has sent them."""

    status, code, title = 409, "invitations_full", "Too many invitations"


class TooManyReports(ParleyError):
    """The chat has the maximum number of reports, or of the caller's."""

    status, code, title = 409, "too_many_reports", "Too many reports"


class TooManyChats(ParleyError):
    """The user is in the maximum number of large chats."""

    status, code, title = 409, "too_many_chats", "Too many chats"


class LastOwner(ParleyError):
    """The chat would be left without an owner."""

    status, code, title = 409, "last_owner", "Last owner"


class HistoryChanged(ParleyError):
    """The chat's history has changed since the cursor was made."""

    status, code, title = 409, "history_changed", "History changed"


def no_chat(chat: str) -> ChatNotFound:
    """Return a ChatNotFound that names the chat."""
    return ChatNotFound(f"There is no chat {chat}.")


def no_message(chat: str, seq: int) -> MessageNotFound:
    """Return a MessageNotFound that names chat and message."""
    return MessageNotFound(f"Chat {chat} has no message {seq}.")


def message_deleted(chat: str, seq: int) -> MessageDeleted:
    """Return a MessageDeleted that names chat and message."""
    return MessageDeleted(f"Message {seq} of chat {chat} was deleted.")


def not_a_member(chat: str) -> NotAMember:
    """Return a NotAMember that names the chat."""
    return NotAMember(f"You are not a member of chat {chat}.")
