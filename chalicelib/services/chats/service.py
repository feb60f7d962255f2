"""Creating, changing, leaving and deleting chats of every kind."""

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
from chalicelib.store.chats.changes import ChatSnapshot
from chalicelib.store.chats.chats import Chats
from chalicelib.store.chats.info import Role


class ChatService:
    """Creates, changes and ends chats of every kind.

    chat: The id in any form that the caller may use.
    """

    def __init__(
        self,
        ids: ChatIds,
        chats: Chats,
        transactions: ChatTransactions,
        details: ChatDetails,
        creation: ChatCreation,
        direct_chats: DirectChats,
        membership: Membership,
    ) -> None:
        self._ids = ids
        self._chats = chats
        self._transactions = transactions
        self._details = details
        self._creation = creation
        self._direct_chats = direct_chats
        self._membership = membership

    def create(self, caller: Caller, request: NewChat) -> tuple[Chat, bool]:
        """Create a chat; returns it, and whether it is new.

        Raises BadRequest, UserNotFound, Blocked, InvitationsFull, AlreadyTaken.
        """
        if request.kind == "direct":
            chat, is_new = self._direct_chats.open(caller, _other_of(request))
            return self._details.after_change(chat, caller.handle), is_new
        created = self._creation.create(caller, request)
        shown = self._details.after_change(created.chat, caller.handle)
        if created.invited:
            shown = structs.replace(shown, invited=created.invited)
        return shown, created.is_new

    def change(self, caller: Caller, chat: str, changes: ChatChanges) -> Chat:
        """Change the given fields of a chat: all of them, or none if one is refused.

        Raises BadRequest, ChatNotFound, NotAMember, Banned, Forbidden, UserNotFound, Blocked.
        """
        found = self._ids.own(caller.handle, chat)
        if found.members is None:
            self._membership.change_info(caller, found.text, checked_fields(changes))
        else:
            self._direct_chats.change(caller, found, _direct_setting(changes))
        return self._details.after_change(found.text, caller.handle)

    def leave(self, caller: Caller, chat: str) -> None:
        """Leave a chat; a direct chat is hidden until somebody writes.

        Raises BadRequest, ChatNotFound, NotAMember, Banned, LastOwner.
        """
        found = self._ids.own(caller.handle, chat)
        (self._direct_chats if found.members else self._membership).leave(caller, found.text)

    def delete(self, caller: Caller, chat: str) -> None:
        """Delete a group or room for all members, as an owner; leave a direct chat.

        The call counts as one request for each member.

        Raises BadRequest, ChatNotFound, NotAMember, Banned, Forbidden.
        """
        found = self._ids.own(caller.handle, chat)
        if found.members:
            self._direct_chats.leave(caller, found.text)
            return
        snapshot = caller.read(self._chats.snapshot(found.text, caller.handle))

        def check(seen: ChatSnapshot) -> None:
            permissions.check_manager(found.text, seen.records[caller.handle], Role.OWNER)

        self._transactions.delete(found.text, snapshot, check)
        caller.charge(snapshot.info.members - 1 if snapshot.info else 0)


def _direct_setting(changes: ChatChanges) -> int:
    """Return the new `expires_in` of a direct chat, null as 0; raises BadRequest for another field."""
    given = [name for name, value in structs.asdict(changes).items() if value is not UNSET]
    errors = [
        FieldError(name, "a direct chat does not have this field") for name in given if name != "expires_in"
    ]
    if errors:
        named = ", ".join(error.field for error in errors)
        raise BadRequest(f"{named}: of a direct chat only `expires_in` can be changed", errors=tuple(errors))
    if changes.expires_in is UNSET:
        raise bad_field("expires_in", "it is missing: of a direct chat only this field can be changed")
    return changes.expires_in or 0


def _other_of(request: NewChat) -> str:
    """Return the other user of a direct chat; raises BadRequest, naming each field that is not allowed."""
    if request.with_ is UNSET:
        raise bad_field("with", "it is missing: name the other user of the direct chat")
    given = [name for name, value in structs.asdict(request).items() if value is not UNSET]
    errors = [
        FieldError(name, "a direct chat does not have this field")
        for name in given
        if name not in ("kind", "with_")
    ]
    if errors:
        named = ", ".join(error.field for error in errors)
        raise BadRequest(f"{named}: a direct chat takes only `with`", errors=tuple(errors))
    return request.with_
