"""The index in a user's slot: the user's chats, and the time of their last change."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chalicelib.store import key_rows, keys
from chalicelib.store.inbox.entries import (
    ActivePage,
    Checked,
    InboxEntry,
    MovedChat,
    MovedPage,
    Unchecked,
    UpdatedEntry,
)
from chalicelib.store.realtime.connection_results import Recipient, recipients_of
from chalicelib.store.redis.query import Batch, Query, UserBatch, each, in_one_dict, in_one_list, of_users
from chalicelib.store.redis.scripts import Script
from chalicelib.store.redis.sorted_sets import ScoredMember, number_of, scored_members

DELIVER_MESSAGE = Script("inbox/deliver_message")
DELIVER_CHANGE = Script("inbox/deliver_change")
WRITE_INBOX_ENTRY = Script("inbox/write_inbox_entry")
READ_ACTIVE_CHATS = Script("inbox/read_active_chats")
READ_MOVED_CHATS = Script("inbox/read_moved_chats")
READ_LARGE_CHATS = Script("inbox/read_large_chats")
CHECK_LARGE_CHATS = Script("inbox/check_large_chats")
MOVE_CHATS = Script("inbox/move_chats")
REGISTER_LINEAGE = Script("inbox/register_lineage")

MAX_LINEAGES = 128
MAX_ATTACHED = 500
"""Maximum number of large chats whose messages are pushed to a connection; the others come by sync."""
DIGEST_BYTES = 8


class Inboxes:
    """The chats of each user. Their keys, in the partition of the user, `{u<NNN>}` (see store/keys.py):

    `{u<NNN>}:chats:<handle>`: HASH, no expiry. `version` -> the newest version, µs. `<chat>` -> the inbox
        entry: stamp (8 bytes, µs), state (1 byte, InboxState), floor (8 bytes, µs: messages up to this time
        do not bring an OUT chat back); a direct chat without an entry counts as IN. A LARGE chat has a digest
        of its state at the last check instead of the floor; 0: no check since the entry was written. An
        INVITED chat has the inviter's handle after the floor; earlier versions wrote none.
    `{u<NNN>}:inbox:<handle>`: ZSET, no expiry: chat, also an OUT one -> version of its last change.
    `{u<NNN>}:active:<handle>`: ZSET, no expiry: chat that is not OUT -> time of its last activity, µs; of
        a LARGE chat as of its last check.
    `{u<NNN>}:large:<handle>`: ZSET, no expiry: LARGE chat -> when the last round of checks that reached it
        began, µs; 0: none did.
    `{u<NNN>}:invitations:<handle>`: ZSET, no expiry: INVITED chat -> time of the invitation, µs.
    `{u<NNN>}:lineages:<handle>`: ZSET, no expiry, MAX_LINEAGES: lineage of sync tokens -> highest version
        that it received.
    A version is the time in µs, and always above the user's last one.
    """

    def deliver(self, chat: str, time: int, handles: Iterable[str]) -> UserBatch[list[Recipient]]:
        """Return the batch that writes a message's time to the inboxes of users; idempotent.

        time: Of the message, µs. Its result is the ready connections of the users who are not deleted.
        """
        ask = functools.partial(_delivering, DELIVER_MESSAGE, (*_delivery_args(chat), time))
        return of_users(handles, 5, ask, in_one_list)

    def delivery(self, chat: str, handles: Iterable[str]) -> Query[list[Recipient]]:
        """Return the query of `deliver` without the time, for a script that knows it; see OneStepSends."""
        return _delivering(DELIVER_MESSAGE, _delivery_args(chat), dict.fromkeys(handles))

    def deliver_change(self, chat: str, handles: Iterable[str]) -> UserBatch[list[Recipient]]:
        """Return the batch that moves a chat up in the inboxes of users because a message of it has changed.

        Its result is the ready connections of the users who are not deleted.
        """
        ask = functools.partial(_delivering, DELIVER_CHANGE, _delivery_args(chat))
        return of_users(handles, 5, ask, in_one_list)

    def update(self, chat: str, entry: InboxEntry) -> Query[UpdatedEntry]:
        """Return the query that writes an inbox entry, unless the index has one with a newer stamp."""
        more = (keys.large, keys.user_connections, keys.invitations)
        named = (*_index_keys(entry.handle), *(key(entry.handle) for key in more))
        args = (chat, entry.stamp, int(entry.state), entry.active, entry.inviter)
        return Query(WRITE_INBOX_ENTRY, named, args, _updated)

    def move(self, chats: Mapping[str, Sequence[str]]) -> UserBatch[dict[str, list[str]]]:
        """Return the batch that gives chats new versions in the inboxes of users who have them there.

        chats: Of each user. Its result is the chats that moved, of each user.
        """
        return of_users(chats, 5, functools.partial(_moving, chats), in_one_dict)

    def active(
        self, handle: str, below: ScoredMember | None, since: int, limit: int, checks: int = 0
    ) -> Query[ActivePage]:
        """Return the query for a page of chats, the last active one first.

        below: Time and id of the chat before the page; None: the first page. since: Only chats active later,
        µs. checks: Maximum number of large chats to check.
        """
        after: tuple[int | str, str] = ("", "") if below is None else below
        named = (keys.active(handle), keys.inbox_entries(handle), keys.large(handle))
        return Query(READ_ACTIVE_CHATS, named, (*after, since, limit, checks), _active)

    def moved(
        self, handle: str, lineage: str | None, since: int, limit: int, began: int = 0, checks: int = 0
    ) -> Query[MovedPage | None]:
        """Return the query for the chats that changed after a version; None: the lineage is forgotten.

        lineage: None for a client that has received nothing. began: When the round of checks began, µs; 0: it
        begins now. checks: Maximum number of large chats to check.
        """
        named = (keys.inbox_entries(handle), keys.inbox(handle), keys.large(handle), keys.lineages(handle))
        return Query(READ_MOVED_CHATS, named, (lineage or "", since, limit, began, checks), _moved)

    def record_checks(self, handle: str, began: int, checked: Iterable[Checked]) -> Query[int | None]:
        """Return the query that records checks of large chats, and gives changed ones a new version.

        began: When the round of checks began, µs; 0: they belong to none. The result is the number of changed
        chats; None: the store takes no writes.
        """
        named = (keys.inbox_entries(handle), keys.inbox(handle), keys.active(handle), keys.large(handle))
        args = (part for one in checked for part in (one.chat, one.digest, one.active, one.version))
        return Query(CHECK_LARGE_CHATS, named, (began, *args), if_refused=None)

    def register(self, handle: str, lineage: str, version: int) -> Query[bool | None]:
        """Return the query that records the version that a lineage receives.

        False: that version no longer exists. None: the store takes no writes.
        """
        named = (keys.inbox_entries(handle), keys.lineages(handle))
        args = (lineage, version, MAX_LINEAGES)
        return Query(REGISTER_LINEAGE, named, args, bool_if_kept, if_refused=None)

    def large(self, handle: str, most: int = MAX_ATTACHED) -> Query[list[str]]:
        """Return the query for at most `most` of a user's large chats, whose messages go to no inbox."""
        return Query(READ_LARGE_CHATS, (keys.large(handle),), (most,), _texts)

    def chats_of(self, handle: str) -> Query[list[str]]:
        """Return the query for all chats that a user has or had, oldest change first."""
        return Query("ZRANGE", (keys.inbox(handle),), (0, -1), _texts)

    def forget(self, handle: str) -> Batch[list[object]]:
        """Return the batch that removes the index of a user."""
        kinds = (keys.inbox_entries, keys.inbox, keys.active, keys.large, keys.invitations, keys.lineages)
        return each([Query("DEL", (key(handle),)) for key in kinds])


def bool_if_kept(reply: int | None) -> bool | None:
    """Read a reply of 0 or 1; None: the store takes no writes."""
    return None if reply is None else bool(reply)


_index_keys = key_rows.together(keys.user, keys.inbox_entries, keys.inbox, keys.active)
_delivery_keys = key_rows.together(
    keys.user, keys.inbox_entries, keys.inbox, keys.active, keys.user_connections
)


def _delivery_args(chat: str) -> tuple[str | int, ...]:
    return chat, int(":" not in chat)


def _delivering(
    script: Script, args: tuple[str | int, ...], handles: Iterable[str]
) -> Query[list[Recipient]]:
    named = itertools.chain.from_iterable(map(_delivery_keys, handles))
    return Query(script, tuple(named), args, _recipients)


def _moving(chats: Mapping[str, Sequence[str]], handles: Sequence[str]) -> Query[dict[str, list[str]]]:
    def read(reply: list[bytes]) -> dict[str, list[str]]:
        pairs = zip(handles, reply, strict=True)
        return {handle: moved.decode().split("\0") for handle, moved in pairs if moved}

    named = itertools.chain.from_iterable(map(_index_keys, handles))
    args = ["\0".join(chats[handle]) for handle in handles]
    return Query(MOVE_CHATS, tuple(named), tuple(args), read)


def _updated(reply: list[Any]) -> UpdatedEntry:
    live, *recipients = reply
    return UpdatedEntry(bool(live), recipients_of(*recipients))


def _recipients(reply: list[bytes]) -> list[Recipient]:
    return recipients_of(*reply)


def _active(reply: list[Any]) -> ActivePage:
    return ActivePage(scored_members(reply[0]), _unchecked(reply[1]))


def _moved(reply: list[Any]) -> MovedPage | None:
    if not reply:
        return None
    version, flat, large = reply
    each = zip(flat[::3], flat[1::3], flat[2::3], strict=True)
    rows = [MovedChat(chat.decode(), number_of(moved), digest or None) for chat, moved, digest in each]
    return MovedPage(int(version), rows, _unchecked(large))


def _unchecked(reply: list[Any]) -> Unchecked:
    began, more, *flat = reply
    digests = {chat.decode(): digest for chat, digest in zip(flat[::2], flat[1::2], strict=True)}
    return Unchecked(began, digests, bool(more))


def _texts(reply: Sequence[bytes]) -> list[str]:
    return [text.decode() for text in reply]
