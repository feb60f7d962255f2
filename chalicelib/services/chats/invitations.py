"""Who may put whom into a chat, and who is asked first."""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.services.social.contact import is_user
from chalicelib.services.values.profile_fields import default_who_may_add
from chalicelib.store.accounts.accounts import AccountStatus
from chalicelib.store.chats.invitee import Invitee, Invitees
from chalicelib.store.redis.query import Query

MOST_INVITATIONS = 100
"""Invitations that may wait for a user: who has as many gets no more until they answer some."""

MOST_BY_ONE = 10
"""Invitations of one inviter that may wait for a user: it takes ten inviters to reach MOST_INVITATIONS."""


class InviteeStatus(NamedTuple):
    """Somebody whom another user is about to put into a chat.

    exists: whether there may be somebody of the handle. blocks: whether they block the other. welcomes:
    whether they let the other add them without asking. invitable: whether another invitation may wait.
    invitable_by_other: whether another one by the other may. fits: whether they may be in another large chat.
    """

    exists: bool = True
    blocks: bool = False
    welcomes: bool = True
    invitable: bool = True
    invitable_by_other: bool = True
    fits: bool = True


NO_OBJECTION = InviteeStatus()
"""Somebody who may be put into any chat."""


class Invitations:
    """Knows whom a user may add.

    strict: whether everybody has an account, as on a server that trusts no names; there strangers are asked
    unless they say otherwise. A name without an account has no settings, and takes everybody.
    """

    def __init__(self, max_large: int, *, strict: bool) -> None:
        """Make it; max_large: see PARLEY_MAX_LARGE_CHATS."""
        self._max_large = max_large
        self._strict = strict

    def asking(self, handle: str, by: str) -> tuple[Query[Invitee], Query[bool]]:
        """Return the two queries whose replies `of` takes; they are one trip."""
        return Invitees.of(handle, by), Invitees.wrote(handle, by)

    def own(self, handle: str) -> Query[InviteeStatus]:
        """Return the query for how somebody meets themselves."""
        return Invitees.of(handle, handle).map(lambda invitee: self.of(invitee, True))

    def of(self, invitee: Invitee, wrote: bool) -> InviteeStatus:
        """Return how somebody meets who puts them into a chat; wrote: whether they have written to them."""
        setting = invitee.setting or default_who_may_add(strict=self._strict)
        knows = invitee.follows or wrote
        named = invitee.status is AccountStatus.NONE
        return InviteeStatus(
            exists=is_user(invitee.status, needs_account=self._strict),
            blocks=invitee.blocks,
            welcomes=named or setting == "everybody" or (setting == "known" and knows),
            invitable=invitee.invitations < MOST_INVITATIONS,
            invitable_by_other=invitee.by_other < MOST_BY_ONE,
            fits=not self._max_large or invitee.large < self._max_large,
        )
