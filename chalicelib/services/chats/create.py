"""Creating groups and rooms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec import UNSET

from chalicelib.errors import (
    AlreadyTaken,
    Blocked,
    FieldError,
    InvitationsFull,
    ParleyError,
    TooManyRequests,
    UserNotFound,
    bad_field,
)
from chalicelib.schemas.chats import NewChat
from chalicelib.services.auth.caller import Caller
from chalicelib.services.chats.fields import Fields, checked_fields
from chalicelib.services.chats.invitee_status import MAX_INVITATIONS_BY_ONE, InviteeStatus, InviteeStatuses
from chalicelib.services.chats.transaction import ChatTransactions, system_message
from chalicelib.services.values.chat_id import group_id, kind_of, new_group_id, room_id
from chalicelib.services.values.names import Names
from chalicelib.services.values.system_events import event
from chalicelib.store.accounts.daily_quotas import DailyQuotas
from chalicelib.store.chats.chats import Chats
from chalicelib.store.chats.info import Info, Relation, Role
from chalicelib.store.redis.client import Store


class CreatedChat(NamedTuple):
    """A chat's id, and whether it is new; invited: Handles of users who were invited instead of added."""

    chat: str
    is_new: bool
    invited: list[str]


class ChatLimits(NamedTuple):
    """Limits of groups and rooms: PARLEY_MAX_MEMBERS, PARLEY_LARGE_CHAT and PARLEY_GROUPS_A_DAY."""

    members: int
    large: int
    a_day: int


class ChatCreation:
    """Creates groups and rooms."""

    def __init__(
        self,
        store: Store,
        names: Names,
        invitees: InviteeStatuses,
        chats: Chats,
        transactions: ChatTransactions,
        limits: ChatLimits,
    ) -> None:
        self._store = store
        self._names = names
        self._invitees = invitees
        self._chats = chats
        self._transactions = transactions
        self._limits = limits

    def create(self, caller: Caller, request: NewChat) -> CreatedChat:
        """Create a group or room with the caller as its owner.

        A group that the caller has created with the same id before is returned, and is not new. The call
        counts as one request, and one more for each named member.
        Raises BadRequest, UserNotFound, Blocked, InvitationsFull, AlreadyTaken, TooManyRequests.
        """
        chat, fields = _id_of(request), _fields_of(request)
        others = self._others(caller.handle, request.members or ())
        if others:
            caller.authenticate(1 + len(others))
        queries = [query for name in others for query in self._invitees.queries(name, caller.handle)]
        snapshot, *replies = caller.read_all(self._chats.snapshot(chat), *queries)
        if snapshot.info is not None:
            return _existing(chat, snapshot.info, caller.handle)
        each = zip(others, replies[::2], replies[1::2], strict=True)
        invitees = self._statuses({name: self._invitees.of(*replies) for name, *replies in each})
        _check_others(invitees, others)
        self._take_quota(caller)
        return self._create(chat, Info(**fields, maker=caller.handle), invitees)  # type: ignore[arg-type]

    def _statuses(self, invitees: dict[str, InviteeStatus]) -> dict[str, InviteeStatus]:
        """Return the statuses; users in too many large chats are invited to another instead of added."""
        if len(invitees) < self._limits.large:
            return invitees
        return {
            name: one._replace(accepts_being_added=one.accepts_being_added and one.can_join_large_chat)
            for name, one in invitees.items()
        }

    def _take_quota(self, caller: Caller) -> None:
        """Count a new chat of a caller with an account; raises TooManyRequests."""
        if caller.session is None or not self._limits.a_day:
            return
        if wait := self._store.run(DailyQuotas.take_group(caller.handle, self._limits.a_day)):
            detail = (
                f"You can create at most {self._limits.a_day} groups and rooms in 24 hours. Try again later."
            )
            raise TooManyRequests(detail, headers={"Retry-After": str(wait)})

    def _create(self, chat: str, info: Info, invitees: Mapping[str, InviteeStatus]) -> CreatedChat:
        members = [name for name, invitee in invitees.items() if invitee.accepts_being_added]
        invited = [name for name in invitees if name not in members]
        body = system_message(info.maker, event("created", members, name=info.name))
        people: list[tuple[str, Role | Relation]] = [(info.maker, Role.OWNER)]
        people += [
            (name, Role.MEMBER if one.accepts_being_added else Relation.INVITED)
            for name, one in invitees.items()
        ]
        changed = self._store.run(self._chats.create(chat, info, people, body))
        if changed is None:
            existing = self._store.run(self._chats.snapshot(chat)).info
            return _existing(chat, existing, info.maker)
        self._transactions.deliver_to_all(chat, changed)
        return CreatedChat(chat, True, invited)

    def _others(self, maker: str, given: Sequence[str]) -> dict[str, str]:
        """Return the named members without the maker, each with the field that named it first."""
        named: dict[str, str] = {}
        for index, name in enumerate(given):
            field = f"members[{index}]"
            named.setdefault(self._names.user(name, field), field)
        named.pop(maker, None)
        if len(named) >= self._limits.members:
            detail = f"a chat has at most {self._limits.members} members, including its creator"
            raise bad_field("members", detail)
        return named


def _check_others(invitees: Mapping[str, InviteeStatus], fields: Mapping[str, str]) -> None:
    """Return if all users may be added or invited; fields: The field that named each user.

    Raises UserNotFound, Blocked, InvitationsFull; the error names each user that caused it.
    """

    def refuse(names: Iterable[str], error: type[ParleyError], detail: str, each: str) -> None:
        if given := list(names):
            errors = tuple(FieldError(fields[name], each.format(name)) for name in given)
            raise error(detail.format(_some(given)), errors=errors)

    all_ = invitees.items()
    missing = (
        "There is no user {}, or the account was deleted.",
        "there is no user {}, or the account was deleted",
    )
    refuse((name for name, one in all_ if not one.exists), UserNotFound, *missing)
    blocking = "You are blocked by {}.", "{} has blocked you"
    refuse((name for name, one in all_ if one.blocks), Blocked, *blocking)
    many = (
        f"{MAX_INVITATIONS_BY_ONE} invitations of yours are waiting for {{}}, the most one user can send. "
        "Withdraw one, or wait until they answer.",
        f"{MAX_INVITATIONS_BY_ONE} invitations of yours are waiting for {{}}: "
        "withdraw one, or wait until they answer",
    )
    strangers = [(name, one) for name, one in all_ if not one.accepts_being_added]
    refuse((name for name, one in strangers if not one.can_be_invited_by_actor), InvitationsFull, *many)
    full = "Too many invitations are waiting for {}.", "{} must answer some invitations first"
    refuse((name for name, one in strangers if not one.can_be_invited), InvitationsFull, *full)


def _id_of(request: NewChat) -> str:
    if request.kind == "room":
        if request.id is UNSET:
            raise bad_field("id", "it is missing: choose an id for the room")
        return room_id(request.id, "id")
    return new_group_id() if request.id is UNSET else group_id(request.id, "id")


def _fields_of(request: NewChat) -> Fields:
    if request.with_ is not UNSET:
        raise bad_field("with", "it is for direct chats only: use `members` for a group")
    if request.name is UNSET:
        raise bad_field("name", "it is missing")
    fields = checked_fields(request)
    if request.kind == "room" and fields.setdefault("join", "open") != "open":
        raise bad_field("join", "a room is open to everybody: leave `join` out, or send `open`")
    return fields


def _existing(chat: str, existing: Info | None, maker: str) -> CreatedChat:
    if existing is None or existing.maker != maker or kind_of(chat) == "room":
        raise AlreadyTaken("The id is taken, or was taken before. Choose another.")
    return CreatedChat(chat, False, [])


def _some(names: Sequence[str], most: int = 10) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
