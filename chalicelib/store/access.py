"""A user's permissions in a chat, as the scripts in the chat's slot decide them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from chalicelib.errors import HistoryChanged, Muted, ParleyError, SlowMode, bad_field, no_chat, not_a_member
from chalicelib.store import key_rows, keys

UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HISTORY_CHANGED, NO_CHAT, NO_MEMBER, NO_MESSAGE = range(4)
"""Replies of the scripts instead of a result; see lua/inbox/raise_read_state.lua."""


def kind_of(chat: str) -> str:
    """Return the kind of a chat for the scripts: `direct`, or `group` also for a room."""
    return "direct" if ":" in chat else "group"


reader_keys = key_rows.together(keys.log, keys.chat, keys.members, keys.others, keys.read_states)
"""Returns the keys from which the scripts read a user's permissions; see lua/parts/read_permission.lua."""


def message_item(chat: str) -> str:
    """Return the outbox item of a message."""
    return f"m{chat}"


def change_item(chat: str) -> str:
    """Return the outbox item of a changed message."""
    return f"c{chat}"


def inbox_item(handle: str, chat: str) -> str:
    """Return the outbox item of a changed inbox entry."""
    return f"p{handle}\0{chat}"


def refusal(chat: str, code: int, field: str = "seq") -> ParleyError:
    """Return the error for a script's refusal: ChatNotFound, NotAMember, BadRequest or HistoryChanged.

    field: Name of the field with the message's seq or cursor.
    """
    if code == NO_CHAT:
        return no_chat(chat)
    if code == NO_MEMBER:
        return not_a_member(chat)
    if code == NO_MESSAGE:
        return bad_field(field, f"chat {chat} has no such message yet")
    return HistoryChanged(
        "The chat's history has changed since this cursor was made. Read the chat from the start."
    )


def muted(chat: str, until: int) -> Muted:
    """Return the error of a member who may not write; until: µs since 1970."""
    shown = (UNIX_EPOCH + timedelta(microseconds=until)).isoformat(timespec="seconds")[:19] + "Z"
    return Muted(f"You are muted in chat {chat} until {shown}.")


def slowed(chat: str, wait: int) -> SlowMode:
    """Return the error of a member who may not write yet; wait: µs."""
    seconds = math.ceil(wait / 1_000_000)
    return SlowMode(
        f"Chat {chat} is in slow mode. You can write again in {seconds} s.",
        headers={"Retry-After": str(seconds)},
    )
