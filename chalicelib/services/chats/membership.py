"""Coming into groups and rooms, going, and what members may do to others."""

from __future__ import annotations

from chalicelib.schemas.chats import Added, Joined
from chalicelib.services.auth.caller import Caller
from chalicelib.services.chats import rules
from chalicelib.services.chats.decisions import Action, Decision, Rule
from chalicelib.services.chats.invitations import NO_OBJECTION, Invitations, InviteeStatus
from chalicelib.services.chats.transaction import ChatTransactions
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.names import Names
from chalicelib.store.chats.chats import Chats, ChatSnapshot
from chalicelib.store.chats.info import Info, Member, Role
from chalicelib.store.redis.query import Query


class Membership:
    """Has rules decided on what people do in groups and rooms, and makes it so: two trips and the telling."""

    def __init__(
        self,
        names: Names,
        ids: ChatIds,
        invitations: Invitations,
        chats: Chats,
        transactions: ChatTransactions,
    ) -> None:
        self._names = names
        self._ids = ids
        self._invitations = invitations
        self._chats = chats
        self._transactions = transactions

    def add(self, caller: Caller, chat: str, name: str) -> Added:
        """Make somebody a member, or invite them; see roles.add. Raises as apply does."""
        group, other = self._ids.group(chat), self._names.user(name, "handle")
        seen, decision = self.apply(caller, group, other, rules.add)
        to = decision.becomes[0].to if decision else None
        is_in = isinstance(seen.records[other], Member) or isinstance(to, Role)
        return Added(chat=group, handle=other, state="member" if is_in else "invited")

    def apply(
        self, caller: Caller, chat: str, name: str, rule: Rule, field: str = "handle"
    ) -> tuple[ChatSnapshot, Decision | None]:
        """Have the caller do something to somebody, as a rule has it; again is fine.

        name, field: the other as the caller named them, and where. Returns how they stood, and the outcome.
        Raises BadRequest, ChatNotFound, ChatFull, LastOwner, and what the rule refuses.
        """
        group, other = self._ids.group(chat), self._names.user(name, field)
        asking = self._invitations.asking(other, caller.handle)
        view, *met = caller.read_all(self._viewing(group, caller.handle, other), *asking)
        return self._decide(group, view, caller.handle, other, rule, self._invitations.of(*met))

    def join(self, caller: Caller, chat: str) -> Joined:
        """Become a member, or ask to; again is fine.

        Raises BadRequest, ChatNotFound, Banned, Forbidden, ChatFull, TooManyChats.
        """
        group, by = self._ids.group(chat), caller.handle
        view, own = caller.read_all(self._viewing(group, by), self._invitations.own(by))
        seen, decision = self._decide(group, view, by, by, rules.join, own)
        is_in = isinstance(seen.records[by], Member) or (decision is not None and decision.event is not None)
        return Joined(chat=group, state="member" if is_in else "requested")

    def leave(self, caller: Caller, group: str) -> None:
        """Leave a group or room, by its canonical id; again is fine.

        Raises ChatNotFound, NotAMember, Banned, LastOwner.
        """
        view = caller.read(self._viewing(group, caller.handle))
        self._decide(group, view, caller.handle, caller.handle, rules.leave)

    def change_info(self, caller: Caller, group: str, fields: dict[str, str | bool]) -> None:
        """Change what a group or room is, by its canonical id; fields: of store.chat_info.Info.

        Raises BadRequest, ChatNotFound, NotAMember, Banned, Forbidden.
        """
        by = caller.handle
        view = caller.read(self._viewing(group, by))
        self._decide(group, view, by, by, lambda case: rules.change_info(case, fields))

    def _decide(
        self,
        chat: str,
        view: ChatSnapshot,
        by: str,
        to: str,
        rule: Rule,
        invitee: InviteeStatus = NO_OBJECTION,
    ) -> tuple[ChatSnapshot, Decision | None]:
        def decide(info: Info, seen: ChatSnapshot) -> Decision | None:
            return rule(Action(chat, info, by, to, seen.records[by], seen.records[to], invitee))

        return self._transactions.change(chat, view, by, decide)

    def _viewing(self, chat: str, *handles: str) -> Query[ChatSnapshot]:
        return self._chats.viewing(chat, *dict.fromkeys(handles))
