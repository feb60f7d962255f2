"""Whether one user may contact another."""

from __future__ import annotations

import pytest

from chalicelib.errors import Blocked, UserNotFound
from chalicelib.services.social.contact import check_contact, check_not_blocked, is_user
from chalicelib.store.accounts.accounts import AccountStatus, UserRelation


@pytest.mark.parametrize(
    ("status", "needs_account", "expected"),
    [
        (AccountStatus.ACTIVE, True, True),
        (AccountStatus.NONE, True, False),
        (AccountStatus.NONE, False, True),
        (AccountStatus.DELETED, False, False),
    ],
)
def test_who_is_a_user(status: AccountStatus, needs_account: bool, expected: bool) -> None:
    """On an open server a name without an account is a user; a deleted account is a user nowhere."""
    assert is_user(status, needs_account=needs_account) is expected


def test_contact_is_allowed_without_a_block() -> None:
    """Users contact each other unless there is a block."""
    check_contact("bob", UserRelation(AccountStatus.ACTIVE, blocks=False), needs_account=True)
    check_not_blocked("bob", by_other=False)


def test_a_missing_user_comes_before_a_block() -> None:
    """A deleted user is not found, even one who blocked the caller; a block of a user is a refusal."""
    with pytest.raises(UserNotFound):
        check_contact("bob", UserRelation(AccountStatus.DELETED, blocks=True), needs_account=False)
    with pytest.raises(Blocked, match="bob has blocked you"):
        check_contact("bob", UserRelation(AccountStatus.ACTIVE, blocks=True), needs_account=True)


def test_the_other_users_block_is_named_first() -> None:
    """Of two blocks the other user's is named; the caller's own says what to do."""
    with pytest.raises(Blocked, match="bob has blocked you"):
        check_not_blocked("bob", by_other=True, by_caller=True)
    with pytest.raises(Blocked, match="Unblock them first"):
        check_not_blocked("bob", by_other=False, by_caller=True)
