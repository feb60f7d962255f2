"""Joining and leaving groups and rooms, and what members do to others."""

from __future__ import annotations

from chalicelib.schemas.chats import Added, Joined
from chalicelib.services.auth.caller import Caller
from chalicelib.services.chats.decisions import Action, Decision, Rule
from chalicelib.services.chats.fields import Fields, change_info
from chalicelib.services.chats.invitee_status import NO_OBJECTION, InviteeStatus, InviteeStatuses
from chalicelib.services.chats.rules import inviting, joining
from chalicelib.services.chats.transaction import ChatTransactions
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.names import Names
from chalicelib.store.chats.changes import ChatSnapshot
from chalicelib.store.chats.chats import Chats
from chalicelib.store.chats.info import Info, Member, Role
from chalicelib.store.redis.query import Query


class Membership:
    """Applies rules to what users do in groups and rooms.

    An action takes two round trips, and those of the delivery.
    """

    def __init__(
        self,
        names: Names,
        ids: ChatIds,
        invitees: InviteeStatuses,
        chats: Chats,
        transactions: ChatTransactions,
    ) -> None:
        self._names = names
        self._ids = ids
        self._invitees = invitees
        self._chats = chats
        self._transactions = transactions

    def add(self, caller: Caller, chat: str, name: str) -> Added:
        """Make a user a member, or invite them; see `inviting.add`. Raises what `apply` raises."""
        group, other = self._ids.group(chat), self._names.user(name, "handle")
        seen, decision = self.apply(caller, group, other, inviting.add)
        to = decision.member_changes[0].to if decision else None
        is_in = isinstance(seen.records[other], Member) or isinstance(to, Role)
        return Added(chat=group, handle=other, state="member" if is_in else "invited")

    def apply(
        self, caller: Caller, chat: str, name: str, rule: Rule, field: str = "handle"
    ) -> tuple[ChatSnapshot, Decision | None]:
        """Apply a rule to an action of the caller on another user; idempotent.

        name, field: The other user's handle as the caller gave it, and the field that held it.
        Returns the chat before the action, and the decision.
        Raises BadRequest, ChatNotFound, ChatFull, LastOwner, and what the rule raises.
        """
        group, other = self._ids.group(chat), self._names.user(name, field)
        queries = self._invitees.queries(other, caller.handle)
        snapshot, *replies = caller.read_all(self._viewing(group, caller.handle, other), *queries)
        return self._decide(group, snapshot, caller.handle, other, rule, self._invitees.of(*replies))

    def join(self, caller: Caller, chat: str) -> Joined:
        """Become a member, or request to; idempotent.

        Raises BadRequest, ChatNotFound, Banned, Forbidden, ChatFull, TooManyChats.
        """
        group, by = self._ids.group(chat), caller.handle
        snapshot, own = caller.read_all(self._viewing(group, by), self._invitees.own(by))
        seen, decision = self._decide(group, snapshot, by, by, joining.join, own)
        is_in = isinstance(seen.records[by], Member) or (decision is not None and decision.event is not None)
        return Joined(chat=group, state="member" if is_in else "requested")

    def leave(self, caller: Caller, group: str) -> None:
        """Leave a group or room, by its canonical id; idempotent.

        Raises ChatNotFound, NotAMember, Banned, LastOwner.
        """
        snapshot = caller.read(self._viewing(group, caller.handle))
        self._decide(group, snapshot, caller.handle, caller.handle, joining.leave)

    def change_info(self, caller: Caller, group: str, fields: Fields) -> None:
        """Change fields of a group or room, by its canonical id; fields: See `fields.change_info`.

        Raises BadRequest, ChatNotFound, NotAMember, Banned, Forbidden.
        """
        by = caller.handle
        snapshot = caller.read(self._viewing(group, by))
        self._decide(group, snapshot, by, by, lambda action: change_info(action, fields))

    def _decide(
        self,
        chat: str,
        snapshot: ChatSnapshot,
        by: str,
        to: str,
        rule: Rule,
        invitee: InviteeStatus = NO_OBJECTION,
    ) -> tuple[ChatSnapshot, Decision | None]:
        def decide(info: Info, seen: ChatSnapshot) -> Decision | None:
            return rule(Action(chat, info, by, to, seen.records[by], seen.records[to], invitee))

        return self._transactions.change(chat, snapshot, by, decide)

    def _viewing(self, chat: str, *handles: str) -> Query[ChatSnapshot]:
        return self._chats.snapshot(chat, *dict.fromkeys(handles))
