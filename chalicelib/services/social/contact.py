"""Whether one user may contact another: by messages, direct chats, invitations, follows and calls."""

from __future__ import annotations

from chalicelib.errors import Blocked, no_user
from chalicelib.store.accounts.accounts import AccountStatus, UserRelation


def check_contact(other: str, relation: UserRelation, *, needs_account: bool) -> None:
    """Return if the caller may contact another user; raises UserNotFound, Blocked.

    other: Handle of the other user.
    relation: The other user's account status, and whether that user has blocked the caller.
    needs_account: See `is_user`.
    """
    if not is_user(relation.status, needs_account=needs_account):
        raise no_user(other)
    check_not_blocked(other, by_other=relation.blocks)


def is_user(status: AccountStatus, *, needs_account: bool) -> bool:
    """Return whether a handle belongs to somebody who can be contacted.

    needs_account: Whether a name without an account is nobody, as on a server that requires authentication.
        A deleted account is nobody everywhere.
    """
    return status is AccountStatus.ACTIVE or (status is AccountStatus.NONE and not needs_account)


def check_not_blocked(other: str, *, by_other: bool, by_caller: bool = False) -> None:
    """Raise Blocked if another user has blocked the caller, or the caller has blocked that user."""
    if by_other:
        raise Blocked(f"{other} has blocked you.")
    if by_caller:
        raise Blocked(f"You have blocked {other}. Unblock them first.")
