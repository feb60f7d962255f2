"""The rule for a request that changes a member: a role or a mute."""

from __future__ import annotations

import time

from msgspec import UNSET

from chalicelib.errors import bad_field
from chalicelib.schemas.chats import MemberChange
from chalicelib.services.chats.decisions import Rule
from chalicelib.services.chats.rules.moderation import mute
from chalicelib.services.chats.rules.roles import change_role
from chalicelib.services.values.times import microseconds

LAST_MUTE = microseconds("2200-01-01T00:00:00Z", "")
"""µs since 1970; the store's scripts count exactly to the year 2255."""


def rule_of(change: MemberChange) -> Rule:
    """Return the rule that makes a change; raises BadRequest for none or several changes."""
    given, until = change.role, change.muted_until
    if (given is UNSET) == (until is UNSET):
        raise bad_field("role", "send either `role` or `muted_until`")
    if given is not UNSET:
        role = given
        return lambda action: change_role(action, role)
    end = microseconds(until, "muted_until") if isinstance(until, str) else 0
    if end >= LAST_MUTE:
        raise bad_field("muted_until", "a mute ends before the year 2200")
    passed = end <= time.time() * 1_000_000
    return lambda action: mute(action, 0 if passed else end)
