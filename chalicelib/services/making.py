"""Making groups and rooms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import UNSET

from chalicelib.errors import AlreadyTaken, Blocked, FieldError, UserNotFound, bad_field
from chalicelib.schemas.chats import NewChat
from chalicelib.services import rights
from chalicelib.services.callers import Caller
from chalicelib.services.changing import Changing, told
from chalicelib.services.chat_fields import Fields, checked_fields
from chalicelib.services.chat_ids import group_id, kind_of, new_group_id, room_id
from chalicelib.services.events import event
from chalicelib.services.names import Names
from chalicelib.store.accounts import Accounts, Peer
from chalicelib.store.chat_info import Info, Role
from chalicelib.store.chats import Chats
from chalicelib.store.client import Store


class Making:
    """The rules of making groups and rooms.

    max_members: see PARLEY_MAX_MEMBERS. strict: whether everybody has an account, as on a server that trusts
    no names.
    """

    def __init__(
        self,
        store: Store,
        names: Names,
        accounts: Accounts,
        chats: Chats,
        changing: Changing,
        max_members: int,
        *,
        strict: bool,
    ) -> None:
        self._store = store
        self._names = names
        self._accounts = accounts
        self._chats = chats
        self._changing = changing
        self._max_members = max_members
        self._strict = strict

    def make(self, caller: Caller, request: NewChat) -> tuple[str, bool]:
        """Make a group or room, of which the caller is the owner; returns its id, and whether it is new.

        It is not new if it is the group that the caller made with the same id before.
        Raises BadRequest, UserNotFound, Blocked, AlreadyTaken.
        """
        chat, fields = _id_of(request), _fields_of(request)
        others = self._others(caller.handle, request.members or ())
        peering = [self._accounts.peer(name, caller.handle) for name in others]
        view, *peers = caller.read_all(self._chats.viewing(chat), *peering)
        if view.info is not None:
            return _again(chat, view.info, caller.handle)
        self._check_others(dict(zip(others, peers, strict=True)), others)
        return self._made(chat, Info(**fields, maker=caller.handle), list(others))  # type: ignore[arg-type]

    def _made(self, chat: str, info: Info, others: Sequence[str]) -> tuple[str, bool]:
        body = told(info.maker, event("created", others, name=info.name))
        members = [(info.maker, Role.OWNER), *((name, Role.MEMBER) for name in others)]
        changed = self._chats.create(chat, info, members, body)
        if changed is None:
            there = self._store.fetch(self._chats.viewing(chat)).info
            return _again(chat, there, info.maker)
        self._changing.tell_all(chat, changed)
        return chat, True

    def _others(self, maker: str, given: Sequence[str]) -> dict[str, str]:
        """Return the members beside the maker, each with the field that named it first."""
        named: dict[str, str] = {}
        for place, name in enumerate(given):
            field = f"members[{place}]"
            named.setdefault(self._names.user(name, field), field)
        named.pop(maker, None)
        if len(named) >= self._max_members:
            detail = f"a chat has {self._max_members} members at the most, its maker among them"
            raise bad_field("members", detail)
        return named

    def _check_others(self, peers: Mapping[str, Peer], fields: Mapping[str, str]) -> None:
        """Return if all may be brought in; raises UserNotFound, Blocked, naming each who may not."""
        missing = [name for name, peer in peers.items() if not rights.may_come(peer, strict=self._strict)]
        if missing:
            errors = [
                FieldError(fields[name], f"there is no user {name}, or not any more") for name in missing
            ]
            raise UserNotFound(f"There is no user {_some(missing)}, or not any more.", errors=tuple(errors))
        blocking = [name for name, peer in peers.items() if peer.blocks]
        if blocking:
            errors = [FieldError(fields[name], f"{name} has blocked you") for name in blocking]
            raise Blocked(f"You are blocked by {_some(blocking)}.", errors=tuple(errors))


def _id_of(request: NewChat) -> str:
    if request.kind == "room":
        if request.id is UNSET:
            raise bad_field("id", "it is missing: a room is made under an id that you choose")
        return room_id(request.id, "id")
    return new_group_id() if request.id is UNSET else group_id(request.id, "id")


def _fields_of(request: NewChat) -> Fields:
    if request.with_ is not UNSET:
        raise bad_field("with", "it is for a direct chat; a group has `members`")
    if request.name is UNSET:
        raise bad_field("name", "it is missing")
    fields = checked_fields(request)
    if request.kind == "room" and fields.setdefault("join", "open") != "open":
        raise bad_field("join", "a room is open to everybody")
    return fields


def _again(chat: str, there: Info | None, maker: str) -> tuple[str, bool]:
    if there is None or there.maker != maker or kind_of(chat) == "room":
        raise AlreadyTaken("The id is taken, or was once. Choose another.")
    return chat, False


def _some(names: Sequence[str], most: int = 10) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
