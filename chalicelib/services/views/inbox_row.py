"""Rows of the inbox: a chat as one user sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b

import msgspec
from msgspec import UNSET, UnsetType, structs

from chalicelib.schemas.encoded import Encoded
from chalicelib.schemas.inbox import PREVIEW_CHARACTERS, ChatRow, ChatState, ChatUser, Preview
from chalicelib.schemas.system_events import Event, Role
from chalicelib.services.values import system_events
from chalicelib.services.values.chat_id import kind_of
from chalicelib.services.values.cursors import MessageCursor
from chalicelib.services.values.times import rfc3339
from chalicelib.store.accounts.user_cards import UserCard
from chalicelib.store.chats import info
from chalicelib.store.chats.summary import MembershipState, Summary
from chalicelib.store.inbox.entries import Checked
from chalicelib.store.inbox.index import DIGEST_BYTES
from chalicelib.store.inbox.read_state import ARCHIVED, MARKED_UNREAD, MUTED, PINNED
from chalicelib.store.messages.content import Content, LogEntry
from chalicelib.texts import beginning, folded

Cards = Mapping[str, UserCard]
"""Users who have accounts, by handle."""
NO_CARDS: Cards = {}
PAGE_BYTES = 200 * 1024
"""Maximum size of the rows of a page: with one more row and the fields around them it is below 256 KiB."""
EVENT_BYTES = 1024
"""Maximum size of an event in a preview; longer events are left out of it."""
STATES: dict[MembershipState, ChatState] = {
    MembershipState.NONE: "none",
    MembershipState.MEMBER: "member",
    MembershipState.INVITED: "invited",
    MembershipState.REQUESTED: "requested",
    MembershipState.BANNED: "banned",
    MembershipState.LEFT: "left",
    MembershipState.GONE: "left",
}
ROLES: dict[info.Role, Role] = {
    info.Role.MEMBER: "member",
    info.Role.ADMIN: "admin",
    info.Role.OWNER: "owner",
}
SHOWN = (MembershipState.MEMBER, MembershipState.INVITED)
"""The states of the chats that an inbox shows."""


def row(summary: Summary, active: int = 0, cards: Cards = NO_CARDS) -> ChatRow:
    """Return the row of a chat.

    active: Time of its last activity in the index, µs since 1970, for a summary without a message.
    cards: The users of a direct chat who have accounts, by handle.
    """
    info, flags = summary.info, summary.flags
    moved = summary.time or active
    return ChatRow(
        chat=summary.chat,
        kind=kind_of(summary.chat),
        state=STATES[summary.state],
        role=None if summary.role is None else ROLES[summary.role],
        muted_until=rfc3339(summary.muted_until) if summary.muted_until else None,
        name=None if info is None else info.name,
        avatar=None if info is None or not info.avatar else info.avatar,
        members=None if info is None else summary.members,
        requests=_requests(summary),
        users=_users(summary.chat, cards),
        expires_in=summary.expires_in or UNSET,
        epoch=summary.epoch,
        base=summary.base,
        seq=summary.head,
        cursor=_cursor(summary, summary.head, summary.time),
        change=None if summary.change is None else _cursor(summary, *summary.change),
        read=summary.read,
        received=summary.received,
        unread=summary.unread,
        mentions=summary.mentions,
        marked_unread=bool(flags & MARKED_UNREAD),
        pinned=bool(flags & PINNED),
        muted=bool(flags & MUTED),
        archived=bool(flags & ARCHIVED),
        active_at=rfc3339(moved) if moved else None,
        last=None if summary.last is None else preview(summary.last),
    )


def synced_row(summary: Summary, cards: Cards) -> ChatRow:
    """Return the row of a chat that has moved, as a client learns of it; cards: See `row`."""
    shown = row(summary, cards=cards)
    return structs.replace(shown, state="left") if shown.state == "none" else shown


def users_of(chats: Iterable[str]) -> list[str]:
    """Return the handles of the users whom the rows of chats name: those of direct chats."""
    return [handle for chat in chats if ":" in chat for handle in chat.split(":")]


def _requests(summary: Summary) -> int | None:
    """Return the number of users who ask to join a chat, for those who decide."""
    decides = summary.role is not None and summary.role >= info.Role.ADMIN
    return summary.info.requests if decides and summary.info is not None else None


def _users(chat: str, cards: Cards) -> list[ChatUser] | None:
    if ":" not in chat:
        return None
    pair = {handle: cards.get(handle, UserCard(handle, "", None)) for handle in chat.split(":")}
    return [ChatUser(handle=one.handle, name=one.name, avatar=one.avatar) for one in pair.values()]


def preview(entry: LogEntry) -> Preview:
    """Return a message as the inbox shows it: its beginning."""
    content, event = entry.content, _event(entry.content)
    sender = folded(content.sender)
    text = content.text if content.event is None else system_events.sentence(sender, content.event)
    return Preview(
        seq=entry.seq,
        sender=sender,
        kind=content.kind,
        text=beginning(text, PREVIEW_CHARACTERS),
        deleted=entry.is_deleted or UNSET,
        cut=len(text) > PREVIEW_CHARACTERS or (event is UNSET and content.event is not None),
        event=event,
        sent_at=rfc3339(entry.time),
    )


def size_of(row: tuple[object, Encoded[ChatRow] | None]) -> int:
    """Return the bytes that a page needs for an entry's row and a comma; 0 for an entry without a row."""
    encoded = row[1]
    return 0 if encoded is None else len(encoded) + 1


def checked(summary: Summary, version: int = 0) -> Checked:
    """Return the state of a large chat, for the index.

    version: Version of the index at which the page that is being made shows the chat; 0 if none does.
    """
    state = (int(summary.state), summary.epoch, summary.head, summary.time, summary.stamp, summary.change)
    digest = blake2b(repr(state).encode(), digest_size=DIGEST_BYTES).digest()
    return Checked(summary.chat, digest, summary.time, version)


def _event(content: Content) -> Event | UnsetType:
    if content.event is None:
        return UNSET
    shown = system_events.shown(content.event)
    return shown if len(msgspec.json.encode(shown)) <= EVENT_BYTES else UNSET


def _cursor(summary: Summary, seq: int, time: int) -> str:
    return str(MessageCursor(seq, time, summary.epoch) if time else MessageCursor(seq))
