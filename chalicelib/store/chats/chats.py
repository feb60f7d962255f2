"""Groups and rooms: their fields, their members and other users, and changes of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.errors import ChatFull, LastOwner
from chalicelib.store import keys
from chalicelib.store.chats.changes import ChatChange, ChatSnapshot, MemberChange
from chalicelib.store.chats.info import (
    REFUSED,
    Info,
    Member,
    Other,
    Relation,
    Role,
    info_of,
    member_of,
    other_of,
)
from chalicelib.store.chats.lists import ChatLists, inbox_entry
from chalicelib.store.redis.packing import packed_list
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

CREATE_CHAT = Script("chats/create_chat")
CHANGE_CHAT = Script("chats/change_chat")
DELETE_CHAT = Script("chats/delete_chat")
READ_CHAT = Script("chats/read_chat")

MAX_OTHERS = 10_000
"""Maximum number of former members and other users that a chat remembers."""
CHOSEN = ("name", "notice", "avatar", "join", "history", "maker")
"""The fields of Info that the creator of a chat chooses; the store sets the others."""
OF_MESSAGES = (
    keys.word_filters,
    keys.reactions,
    keys.pins,
    keys.reports,
    keys.threads,
    keys.mentions,
    keys.last_sent,
)
"""The further keys of a chat that hold something of its messages; they go with a deleted chat."""
UNCHANGED = b"="
DONE, MOVED, FULL, NO_OWNER, CROWDED = range(5)


class Chats(ChatLists):
    """The truth of groups and rooms. Their keys, all in the chat's partition `{c<NNN>}`, none expires:

    `{c<NNN>}:chat:<chat>`: HASH: name, notice, avatar, join, history (0 or 1), expires_in (seconds after
        which new messages expire, 0: never), made (µs), maker, owners (how many), requests (how many users
        ask to join; absent before the first), large (1, once there were more than PARLEY_LARGE_CHAT members),
        change_seq and change_time (µs) of the last message of the kind `system`, info_time (µs, of the last
        change of name and the like), changes_lost (µs, see `changes`), terms (see ChatTerms), hidden (µs, see
        HiddenMessages); if they were ever set, slow (seconds), keep and keep_days (see Retention). Of a
        deleted chat only: deleted (µs), terms; its id is taken for good. Of a direct chat only hidden, and
        expires_in, if it was ever set; see DirectSettings.
    `{c<NNN>}:members:<chat>`: HASH: handle -> role (1 byte, see Role), then since, joined and muted_until, 8
        bytes each, see Member.
    `{c<NNN>}:others:<chat>`: HASH: handle -> relation (1 byte, see Relation), then at, since and upto, 8
        bytes each, see Other; of an invited user the handle of the inviter follows. Above MAX_OTHERS some
        former members are forgotten, with their read states.
    `{c<NNN>}:changes:<chat>`: ZSET, of a direct chat too: the subject of a change -> its number, µs, always
        above the last one and the time of the newest message. `info` or `m:<handle>`: the number is the time
        of the last system message about it. `e:<seq>`: a message, see MessageChanges. Forgetting a former
        member raises changes_lost to the number of that member's last change.
    `{c<NNN>}:uncounted:<chat>`: ZSET, of a direct chat too: seq -> seq of each system message and each
        deleted message that the log holds.
    A change also writes the log (see MessageLog), the stamps in `readers` (see ReadStates) and the outbox
    (see Outbox): `m<chat>` when there is a message, `p<handle>\\0<chat>` for each user whose inbox entry it
    changes, `i<chat>` when the search entries may be out of date.
    """

    def __init__(self, max_members: int, large_chat: int, keep: int = 0) -> None:
        """Take the limits PARLEY_MAX_MEMBERS, PARLEY_LARGE_CHAT and PARLEY_KEEP_MESSAGES."""
        self._limits = (keep, max_members, large_chat, MAX_OTHERS)
        self._max_members = max_members

    def snapshot(self, chat: str, *handles: str) -> Query[ChatSnapshot]:
        """Return the query for a chat's fields, and for the records of some handles in it."""

        def read(reply: list[Any]) -> ChatSnapshot:
            flat, members, *raw = reply
            records = {handle: _record(handle, held) for handle, held in zip(handles, raw, strict=True)}
            return ChatSnapshot(info_of(flat, members), records, dict(zip(handles, raw, strict=True)))

        named = (keys.chat(chat), keys.members(chat), keys.others(chat))
        return Query(READ_CHAT, named, (packed_list(handles),), read)

    def create(
        self, chat: str, info: Info, people: Sequence[tuple[str, Role | Relation]], body: bytes
    ) -> Query[ChatChange | None]:
        """Return the query that makes a chat; None: its id is or was taken.

        people: Members, at least one of them an owner, and invited users. body: The packed system message.
        Reading its reply raises ChatFull, LastOwner.
        """
        chosen = {name: getattr(info, name) for name in CHOSEN}
        fields = _fields(chosen | ({"expires_in": info.expires_in} if info.expires_in else {}))
        changes = [
            MemberChange(handle, to, inviter=info.maker if to is Relation.INVITED else "")
            for handle, to in people
        ]
        moves = _moves(dict.fromkeys(dict(people), b""), changes)
        args = (chat, body, *self._limits, "", "", packed_list(fields), packed_list(moves))
        return self._changing(CREATE_CHAT, chat, args, keys.retained(chat))

    def change(
        self,
        chat: str,
        snapshot: ChatSnapshot,
        changes: Sequence[MemberChange],
        *,
        info: Mapping[str, str | int] | None = None,
        body: bytes | None,
    ) -> Query[ChatChange | None]:
        """Return the query that changes a chat if it still equals the snapshot; None: it does not.

        snapshot: Of all handles in `changes`, and of the other users that the decision depends on. info:
        Fields of Info and their new values. body: The packed system message; None: there is none.
        Reading its reply raises ChatFull, LastOwner.
        """
        fields = _fields(info or {})
        seen = ("", 0) if snapshot.info is None else (snapshot.info.join, int(snapshot.info.history))
        args = (
            chat,
            body or b"",
            *self._limits,
            *seen,
            packed_list(fields),
            packed_list(_moves(snapshot.raw, changes)),
        )
        return self._changing(CHANGE_CHAT, chat, args, keys.retained(chat))

    def delete(self, chat: str, snapshot: ChatSnapshot) -> Query[ChatChange | None]:
        """Return the query that deletes a chat if its records still equal the snapshot; None: they do not."""
        records = [part for handle, held in snapshot.raw.items() for part in (handle, held)]
        args = (chat, packed_list(records))
        more = tuple(key(chat) for key in OF_MESSAGES)
        return self._changing(DELETE_CHAT, chat, args, *more)

    def _changing(
        self, script: Script, chat: str, args: tuple[bytes | str | int, ...], *more_keys: str
    ) -> Query[ChatChange | None]:
        def read(reply: list[Any]) -> ChatChange | None:
            outcome, *rest = reply
            if outcome == FULL:
                raise ChatFull(f"Chat {chat} can have at most {self._max_members} members.")
            if outcome == NO_OWNER:
                raise LastOwner(f"Chat {chat} must keep an owner: hand it over first, or delete it.")
            if outcome == CROWDED:
                raise ChatFull(
                    f"Chat {chat} has the maximum number of invited, waiting and banned users. Remove one "
                    "of them first."
                )
            return _changed(*rest) if outcome == DONE else None

        return Query(script, (*_keys(chat), *more_keys), args, read, repeatable=False)


def _keys(chat: str) -> tuple[str, ...]:
    people = (keys.chat(chat), keys.members(chat), keys.others(chat), keys.read_states(chat))
    delivery = (keys.uncounted(chat), keys.outbox(chat), keys.chat_connections(chat))
    return (*people, keys.log(chat), keys.changes(chat), *delivery)


def _fields(info: Mapping[str, str | int]) -> list[str | int]:
    values = {name: int(value) if isinstance(value, bool) else value for name, value in info.items()}
    return [part for pair in values.items() for part in pair]


def _moves(raw: Mapping[str, bytes], changes: Sequence[MemberChange]) -> list[bytes | str | int]:
    """Return four values for each handle of a snapshot; see lua/chats/change_chat.lua."""
    by_handle = {one.handle: one for one in changes}
    if missing := by_handle.keys() - raw.keys():
        raise ValueError(f"these are not in the snapshot: {', '.join(sorted(missing))}")
    args: list[bytes | str | int] = []
    for handle, held in raw.items():
        one = by_handle.get(handle)
        args += [handle, held, *((UNCHANGED, 0) if one is None else (_record_of(one), one.muted_until))]
    return args


def _record_of(one: MemberChange) -> bytes:
    if one.to is None:
        return b""
    if isinstance(one.to, Role):
        return b"m" + bytes([one.to])
    return b"o" + bytes([one.to | (REFUSED if one.refused else 0)]) + one.inviter.encode()


def _record(handle: str, held: bytes) -> Member | Other | None:
    if not held:
        return None
    return member_of(handle, held[1:]) if held[:1] == b"m" else other_of(handle, held[1:])


def _changed(
    seq: int, time: int, members: list[bytes] | None, flat: list[Any], known: bytes = b""
) -> ChatChange:
    handles = None if members is None else [handle.decode() for handle in members]
    each = zip(*(flat[part::5] for part in range(5)), strict=True)
    entries = [inbox_entry(handle.decode(), state, stamp, *rest) for handle, stamp, state, *rest in each]
    return ChatChange(seq, time, handles, entries, known.decode().split("\0") if known else ())
