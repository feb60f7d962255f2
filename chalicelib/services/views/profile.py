"""A profile as other users see it, and as its own user sees it."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, structs

from chalicelib.schemas.users import Me, User
from chalicelib.services.values.profile_fields import default_who_may_add
from chalicelib.services.values.times import rfc3339
from chalicelib.store.accounts.accounts import Profile


def user_of(profile: Profile) -> User:
    """Return a profile as anybody may see it."""
    account, followers, following, posts = profile
    return User(
        handle=account.handle,
        name=account.name,
        bio=account.bio,
        avatar=account.avatar,
        made_at=rfc3339(account.made),
        followers=followers,
        following=following,
        posts=posts,
        data=msgspec.json.decode(account.data) if account.data else UNSET,
    )


def me_of(profile: Profile, *, needs_account: bool) -> Me:
    """Return a profile as its own user sees it; needs_account: Whether every user has an account."""
    account = profile.account
    return Me(
        **structs.asdict(user_of(profile)),
        email=account.email,
        reset=account.reset,
        who_may_add_me=account.who_may_add_me or default_who_may_add(needs_account=needs_account),
    )
