"""Finds who is mentioned by a message: members named in its text, and the author of what it replies to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from chalicelib.services.auth.caller import Caller
from chalicelib.services.values.chat_id import ChatId
from chalicelib.services.values.mention_names import MentionNames, names_in
from chalicelib.store.chats.chats import Chats
from chalicelib.store.chats.info import Member, Other, Role
from chalicelib.store.messages.content import TEXT
from chalicelib.store.messages.log import LogPage, MessageLog
from chalicelib.store.messages.mentions import ALL, EXCEPT
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Runnable
from chalicelib.store.social.blocks import Blocks
from chalicelib.texts import folded

MAX_MENTIONS = 50
"""Maximum number of members that a message mentions; further ones are not mentioned."""


class Mentioned(NamedTuple):
    """Who is mentioned.

    handles: Members named in the text. all: Whether the text mentions all members. fields: Fields of the
    store that get the message, see store.messages.mentions.Mentions.
    """

    handles: tuple[str, ...] = ()
    all: bool = False
    fields: tuple[str, ...] = ()


class _Found(NamedTuple):
    """What the store says of a message that may mention somebody."""

    handles: list[str]
    all: list[str] | None
    author: str | None


NOBODY = Mentioned()


class MentionFinder:
    """Finds the mentions of a message.

    One round trip, which authenticates the caller, and another for the blocks of those who are named; none
    for a text without names that is no reply. A member who blocks the caller is not mentioned, nor is the
    caller.
    """

    def __init__(self, store: Store, chats: Chats, log: MessageLog) -> None:
        self._store = store
        self._chats = chats
        self._log = log

    def find(self, caller: Caller, chat: ChatId, text: str, reply_to: int | None) -> Mentioned:
        """Return the mentions of a text, and of a reply the one of the author whom it answers.

        Raises NotAuthenticated, TooManyRequests. Whether the caller may write to the chat is checked later.
        """
        names = names_in(text)
        if not names.places and not names.all and reply_to is None:
            return NOBODY
        found = self._read(caller, chat, names, reply_to)
        everyone = set(found.handles).union(found.all or (), [found.author] if found.author else ())
        blockers = self._blockers(caller, chat, everyone - {caller.handle})
        return _mentioned(caller.handle, found, blockers)

    def author_of(self, chat: str, seq: int) -> str | None:
        """Return the author of a message, whom a reply to it mentions; None: it was trimmed."""
        return _author(self._store.run(self._log.after(chat, seq - 1, 1)), seq)

    def _read(self, caller: Caller, chat: ChatId, names: MentionNames, reply_to: int | None) -> _Found:
        is_group, is_reply = chat.members is None, reply_to is not None
        asking: dict[str, Runnable[Any]] = {}
        if is_reply:
            asking["replied"] = self._log.after(chat.text, (reply_to or 0) - 1, 1)
        if is_group and (names.places or names.all):
            asking["snapshot"] = self._chats.snapshot(chat.text, caller.handle, *names.names)
        if is_group and names.all:
            asking["members"] = self._chats.members(chat.text)
        read = dict(zip(asking, caller.read_all(*asking.values()) if asking else (), strict=True))
        author = _author(read["replied"], reply_to or 0) if is_reply else None
        if "snapshot" not in read:
            return _Found(_first_of(names, chat.members or ()), None, author)
        records = read["snapshot"].records
        known = [handle for handle, record in records.items() if isinstance(record, Member)]
        says_all = names.all and _may_mention_all(records[caller.handle])
        everyone = [member.handle for member in read["members"]] if says_all else None
        return _Found(_first_of(names, known), everyone, author)

    def _blockers(self, caller: Caller, chat: ChatId, handles: Iterable[str]) -> set[str]:
        """Return those who block the caller; in a direct chat the send itself is refused then."""
        users = sorted(handles)
        if chat.members is not None or not users:
            return set()
        return set(self._store.run(Blocks.blocking(users, caller.handle)))


def _first_of(names: MentionNames, members: Sequence[str]) -> list[str]:
    """Return the members that places name, each the longest name at its place."""
    known = set(members)
    found = [next((name for name in place if name in known), None) for place in names.places]
    return list(dict.fromkeys(one for one in found if one is not None))


def _may_mention_all(record: Member | Other | None) -> bool:
    return isinstance(record, Member) and record.role >= Role.ADMIN


def _author(page: LogPage, seq: int) -> str | None:
    entry = page.first(seq)
    if entry is None or entry.is_deleted or entry.content.kind != TEXT:
        return None
    return folded(entry.content.sender)


def _mentioned(caller: str, found: _Found, blockers: set[str]) -> Mentioned:
    left_out = blockers | {caller}
    handles = tuple([one for one in found.handles if one not in left_out][:MAX_MENTIONS])
    fields = [*handles, *([found.author] if found.author and found.author not in left_out else [])]
    if found.all is not None:
        fields += [ALL, *(EXCEPT + one for one in sorted(blockers.intersection(found.all)))]
    return Mentioned(handles, found.all is not None, tuple(dict.fromkeys(fields)))
