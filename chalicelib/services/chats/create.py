"""Making groups and rooms."""

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
from chalicelib.services.chats.invitations import MOST_BY_ONE, Invitations, InviteeStatus
from chalicelib.services.chats.transaction import ChatTransactions, told
from chalicelib.services.values.chat_id import group_id, kind_of, new_group_id, room_id
from chalicelib.services.values.names import Names
from chalicelib.services.values.system_events import event
from chalicelib.store.accounts.daily_quotas import DailyQuotas
from chalicelib.store.chats.chats import Chats
from chalicelib.store.chats.info import Info, Relation, Role
from chalicelib.store.redis.client import Store


class CreatedChat(NamedTuple):
    """A chat's id, and whether it is new; invited: the users who were invited instead of added."""

    chat: str
    is_new: bool
    invited: list[str]


class Limits(NamedTuple):
    """What groups and rooms may be; see PARLEY_MAX_MEMBERS, PARLEY_LARGE_CHAT and PARLEY_GROUPS_A_DAY."""

    members: int
    large: int
    a_day: int


class ChatCreation:
    """The rules of making groups and rooms."""

    def __init__(
        self,
        store: Store,
        names: Names,
        invitations: Invitations,
        chats: Chats,
        transactions: ChatTransactions,
        limits: Limits,
    ) -> None:
        self._store = store
        self._names = names
        self._invitations = invitations
        self._chats = chats
        self._transactions = transactions
        self._limits = limits

    def make(self, caller: Caller, request: NewChat) -> CreatedChat:
        """Make a group or room, of which the caller is the owner.

        It is not new if it is the group that the caller made with the same id before. It counts as one
        request, and one more for each member who is named.
        Raises BadRequest, UserNotFound, Blocked, InvitationsFull, AlreadyTaken, TooManyRequests.
        """
        chat, fields = _id_of(request), _fields_of(request)
        others = self._others(caller.handle, request.members or ())
        if others:
            caller.authenticate(1 + len(others))
        asking = [query for name in others for query in self._invitations.asking(name, caller.handle)]
        view, *met = caller.read_all(self._chats.viewing(chat), *asking)
        if view.info is not None:
            return _again(chat, view.info, caller.handle)
        each = zip(others, met[::2], met[1::2], strict=True)
        invitations = self._asked({name: self._invitations.of(*replies) for name, *replies in each})
        _check_others(invitations, others)
        self._take(caller)
        return self._made(chat, Info(**fields, maker=caller.handle), invitations)  # type: ignore[arg-type]

    def _asked(self, invitations: dict[str, InviteeStatus]) -> dict[str, InviteeStatus]:
        """Return them so that of a chat that will be large those are asked first who are in too many."""
        if len(invitations) < self._limits.large:
            return invitations
        return {name: one._replace(welcomes=one.welcomes and one.fits) for name, one in invitations.items()}

    def _take(self, caller: Caller) -> None:
        """Count a chat of somebody with an account; raises TooManyRequests."""
        if caller.session is None or not self._limits.a_day:
            return
        if wait := self._store.run(DailyQuotas.take_group(caller.handle, self._limits.a_day)):
            detail = (
                f"You can make at most {self._limits.a_day} groups and rooms in 24 hours. Try again later."
            )
            raise TooManyRequests(detail, headers={"Retry-After": str(wait)})

    def _made(self, chat: str, info: Info, invitations: Mapping[str, InviteeStatus]) -> CreatedChat:
        members = [name for name, invitee in invitations.items() if invitee.welcomes]
        invited = [name for name in invitations if name not in members]
        body = told(info.maker, event("created", members, name=info.name))
        people: list[tuple[str, Role | Relation]] = [(info.maker, Role.OWNER)]
        people += [
            (name, Role.MEMBER if invitations[name].welcomes else Relation.INVITED) for name in invitations
        ]
        changed = self._chats.create(chat, info, people, body)
        if changed is None:
            there = self._store.run(self._chats.viewing(chat)).info
            return _again(chat, there, info.maker)
        self._transactions.tell_all(chat, changed)
        return CreatedChat(chat, True, invited)

    def _others(self, maker: str, given: Sequence[str]) -> dict[str, str]:
        """Return the members beside the maker, each with the field that named it first."""
        named: dict[str, str] = {}
        for place, name in enumerate(given):
            field = f"members[{place}]"
            named.setdefault(self._names.user(name, field), field)
        named.pop(maker, None)
        if len(named) >= self._limits.members:
            detail = f"a chat has at most {self._limits.members} members, including its maker"
            raise bad_field("members", detail)
        return named


def _check_others(invitations: Mapping[str, InviteeStatus], fields: Mapping[str, str]) -> None:
    """Return if all of them may be added or invited; fields: where each was named.

    Raises UserNotFound, Blocked, InvitationsFull, naming each user at fault.
    """

    def refuse(names: Iterable[str], error: type[ParleyError], detail: str, each: str) -> None:
        if given := list(names):
            errors = tuple(FieldError(fields[name], each.format(name)) for name in given)
            raise error(detail.format(_some(given)), errors=errors)

    all_ = invitations.items()
    missing = "There is no user {}, or not any more.", "there is no user {}, or not any more"
    refuse((name for name, one in all_ if not one.exists), UserNotFound, *missing)
    blocking = "You are blocked by {}.", "{} has blocked you"
    refuse((name for name, one in all_ if one.blocks), Blocked, *blocking)
    many = (
        f"{MOST_BY_ONE} invitations of yours are waiting for {{}}, the most one user can send. "
        "Withdraw one, or wait until they answer.",
        f"{MOST_BY_ONE} invitations of yours are waiting for {{}}: withdraw one, or wait until they answer",
    )
    strangers = [(name, one) for name, one in all_ if not one.welcomes]
    refuse((name for name, one in strangers if not one.invitable_by_other), InvitationsFull, *many)
    full = "Too many invitations are waiting for {}.", "{} must answer some invitations first"
    refuse((name for name, one in strangers if not one.invitable), InvitationsFull, *full)


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


def _again(chat: str, there: Info | None, maker: str) -> CreatedChat:
    if there is None or there.maker != maker or kind_of(chat) == "room":
        raise AlreadyTaken("The id is taken, or was once. Choose another.")
    return CreatedChat(chat, False, [])


def _some(names: Sequence[str], most: int = 10) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
