"""What somebody does in a group or room, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from chalicelib.services.chats.invitations import NO_OBJECTION, InviteeStatus
from chalicelib.services.chats.permissions import Record
from chalicelib.services.values.system_events import Stored
from chalicelib.store.chats.chats import MemberChange
from chalicelib.store.chats.info import Info


class Action(NamedTuple):
    """Somebody who does something in a group or room, to somebody who may be themselves.

    by, to: their handles. actor, target: how they stand to the chat; None: not at all. newcomer: how the
    target meets the actor.
    """

    chat: str
    info: Info
    by: str
    to: str
    actor: Record
    target: Record
    invitee: InviteeStatus = NO_OBJECTION


class Decision(NamedTuple):
    """What comes of an action: what becomes of whom, and what the log says of it; None: nothing.

    info: fields of Info and their new values.
    """

    becomes: tuple[MemberChange, ...]
    event: Stored | None = None
    info: Mapping[str, str | bool] | None = None


Rule = Callable[[Action], Decision | None]
"""Decides on a case; None: it is as it should be already. Raises what refuses it."""
