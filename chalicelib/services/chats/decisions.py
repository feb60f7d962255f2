"""An action in a group or room, and the decision on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from chalicelib.services.chats.invitee_status import NO_OBJECTION, InviteeStatus
from chalicelib.services.chats.permissions import Record
from chalicelib.services.values.system_events import Stored
from chalicelib.store.chats.changes import MemberChange
from chalicelib.store.chats.info import Info, Other, Relation

EVENTS_OF_NUMBER = frozenset(("joined", "added", "left", "removed", "banned", "account_deleted"))
"""The types of events that change the number of members."""


class Action(NamedTuple):
    """An action of one user in a group or room, on another user or on themselves.

    by, to: Handles of the acting user and of the target; the same for an action on oneself.
    actor, target: The records of the two in the chat; None for a user whom the chat does not know.
    invitee: Whether the target lets the acting user add or invite them.
    """

    chat: str
    info: Info
    by: str
    to: str
    actor: Record
    target: Record
    invitee: InviteeStatus = NO_OBJECTION


class Decision(NamedTuple):
    """The changes that an action makes.

    member_changes: The new records of users.
    event: The system message that the log gets, if any.
    info: New values of fields of Info, if any.
    """

    member_changes: tuple[MemberChange, ...]
    event: Stored | None = None
    info: Mapping[str, str | int] | None = None

    def shown_to(self, members: Sequence[str] | None) -> Sequence[str]:
        """Return those of all members who see the change in their rows; None: they are too many."""
        moved = self.event is not None and self.event["type"] in EVENTS_OF_NUMBER
        return members or () if moved or self.info is not None else ()


Rule = Callable[[Action], Decision | None]
"""Decides on an action; None: nothing has to change. Raises the error that refuses the action."""


def former(handle: str, record: Record) -> Decision:
    """Return the decision that restores a user's earlier record: a former member, or none."""
    is_known = isinstance(record, Other) and (record.upto > 0 or record.refused)
    return Decision((MemberChange(handle, Relation.LEFT if is_known else None),))
