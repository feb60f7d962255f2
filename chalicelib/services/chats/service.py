"""Chats of every kind: making, changing and ending them."""

from __future__ import annotations

from msgspec import UNSET, structs

from chalicelib.errors import BadRequest, FieldError, bad_field
from chalicelib.schemas.chats import Chat, ChatChanges, NewChat
from chalicelib.services.auth.caller import Caller
from chalicelib.services.chats import permissions
from chalicelib.services.chats.create import ChatCreation
from chalicelib.services.chats.details import ChatDetails
from chalicelib.services.chats.direct import DirectChats
from chalicelib.services.chats.fields import checked_fields
from chalicelib.services.chats.membership import Membership
from chalicelib.services.chats.transaction import ChatTransactions
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.store.chats.chats import Chats, ChatSnapshot
from chalicelib.store.chats.info import Role


class ChatService:
    """What is done to a whole chat, whichever kind it is of; chat: as the caller named it."""

    def __init__(
        self,
        ids: ChatIds,
        chats: Chats,
        transactions: ChatTransactions,
        views: ChatDetails,
        creation: ChatCreation,
        direct_chats: DirectChats,
        membership: Membership,
    ) -> None:
        self._ids = ids
        self._chats = chats
        self._transactions = transactions
        self._views = views
        self._creation = creation
        self._direct_chats = direct_chats
        self._membership = membership

    def make(self, caller: Caller, request: NewChat) -> tuple[Chat, bool]:
        """Make a chat; returns it, and whether it is new.

        Raises BadRequest, UserNotFound, Blocked, InvitationsFull, AlreadyTaken.
        """
        if request.kind == "direct":
            chat, is_new = self._direct_chats.open(caller, _other_of(request))
            return self._views.after_change(chat, caller.handle), is_new
        made = self._creation.make(caller, request)
        shown = self._views.after_change(made.chat, caller.handle)
        if made.invited:
            shown = structs.replace(shown, invited=made.invited)
        return shown, made.is_new

    def change(self, caller: Caller, chat: str, changes: ChatChanges) -> Chat:
        """Change what a group or room is, all fields that are given or none.

        Raises BadRequest, ChatNotFound, NotAMember, Banned, Forbidden.
        """
        group = self._ids.group(chat)
        self._membership.change_info(caller, group, checked_fields(changes))
        return self._views.after_change(group, caller.handle)

    def leave(self, caller: Caller, chat: str) -> None:
        """Leave a chat; a direct one is put away until somebody writes.

        Raises BadRequest, ChatNotFound, NotAMember, Banned, LastOwner.
        """
        found = self._ids.own(caller.handle, chat)
        (self._direct_chats if found.members else self._membership).leave(caller, found.text)

    def delete(self, caller: Caller, chat: str) -> None:
        """End a group or room for everybody, as an owner; leave a direct chat.

        It counts as one request for each member.

        Raises BadRequest, ChatNotFound, NotAMember, Banned, Forbidden.
        """
        found = self._ids.own(caller.handle, chat)
        if found.members:
            self._direct_chats.leave(caller, found.text)
            return
        view = caller.read(self._chats.viewing(found.text, caller.handle))

        def check(seen: ChatSnapshot) -> None:
            permissions.check_manager(found.text, seen.records[caller.handle], Role.OWNER)

        self._transactions.delete(found.text, view, check)
        caller.charge(view.info.members - 1 if view.info else 0)


def _other_of(request: NewChat) -> str:
    """Return the other of a direct chat; raises BadRequest naming each field that one cannot have."""
    if request.with_ is UNSET:
        raise bad_field("with", "it is missing: a direct chat is with somebody")
    given = [name for name, value in structs.asdict(request).items() if value is not UNSET]
    errors = [FieldError(name, "a direct chat has none") for name in given if name not in ("kind", "with_")]
    if errors:
        named = ", ".join(error.field for error in errors)
        raise BadRequest(f"{named}: a direct chat has only `with`", errors=tuple(errors))
    return request.with_
