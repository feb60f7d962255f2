"""Whether a user lets another add them to a chat, must be invited first, or can be neither."""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.services.social.contact import is_user
from chalicelib.services.values.profile_fields import default_who_may_add
from chalicelib.store.accounts.accounts import AccountStatus
from chalicelib.store.chats.invitee import Invitee, Invitees
from chalicelib.store.redis.query import Query

MAX_INVITATIONS = 100
"""Maximum number of unanswered invitations of a user; further ones are refused."""

MAX_INVITATIONS_BY_ONE = 10
"""Maximum number of a user's unanswered invitations by one inviter; ten inviters reach MAX_INVITATIONS."""


class InviteeStatus(NamedTuple):
    """What another user may do to get a user, the invitee, into a chat.

    exists: Whether the handle belongs to a user; see `contact.is_user`.
    blocks: Whether the invitee blocks the other user.
    accepts_being_added: Whether the other user may add the invitee without an invitation.
    can_be_invited: Whether the invitee has fewer than MAX_INVITATIONS.
    can_be_invited_by_actor: Whether the invitee has fewer than MAX_INVITATIONS_BY_ONE by the other user.
    can_join_large_chat: Whether the invitee is in fewer large chats than the maximum.
    """

    exists: bool = True
    blocks: bool = False
    accepts_being_added: bool = True
    can_be_invited: bool = True
    can_be_invited_by_actor: bool = True
    can_join_large_chat: bool = True


NO_OBJECTION = InviteeStatus()
"""The status of a user who may be added to any chat."""


class InviteeStatuses:
    """Reads the status of invitees.

    By default, a user must be invited by strangers on a server where everybody has an account. A name without
    an account has no settings and accepts being added.

    max_large: Maximum number of large chats of a user (PARLEY_MAX_LARGE_CHATS); 0: no maximum.
    needs_account: Whether every user needs an account (PARLEY_AUTH=required).
    """

    def __init__(self, max_large: int, *, needs_account: bool) -> None:
        self._max_large = max_large
        self._needs_account = needs_account

    def queries(self, handle: str, by: str) -> tuple[Query[Invitee], Query[bool]]:
        """Return the queries for `of`: about a handle that `by` adds or invites; one round trip."""
        return Invitees.of(handle, by), Invitees.wrote(handle, by)

    def own(self, handle: str) -> Query[InviteeStatus]:
        """Return the query for a user who joins by themselves."""
        return Invitees.of(handle, handle).map(lambda invitee: self.of(invitee, True))

    def of(self, invitee: Invitee, wrote: bool) -> InviteeStatus:
        """Return the status by the results of `queries`; wrote: Whether the invitee has written to `by`."""
        setting = invitee.setting or default_who_may_add(needs_account=self._needs_account)
        knows = invitee.follows or wrote
        named = invitee.status is AccountStatus.NONE
        return InviteeStatus(
            exists=is_user(invitee.status, needs_account=self._needs_account),
            blocks=invitee.blocks,
            accepts_being_added=named or setting == "everybody" or (setting == "known" and knows),
            can_be_invited=invitee.invitations < MAX_INVITATIONS,
            can_be_invited_by_actor=invitee.by_other < MAX_INVITATIONS_BY_ONE,
            can_join_large_chat=not self._max_large or invitee.large < self._max_large,
        )
