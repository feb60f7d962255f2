"""Repair of a user's index that is ahead of a chat: the chat's node lost its last writes in a failover."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chalicelib.services.inbox.sync_token import SyncToken
from chalicelib.services.views.inbox_row import SHOWN
from chalicelib.store.chats.summary import MembershipState, Summary
from chalicelib.store.inbox.entries import InboxEntry, InboxState
from chalicelib.store.inbox.repair import InboxRepair, KnownChat, KnownChats
from chalicelib.store.redis.query import Query

MAX_LAG = 30 * 1_000_000
"""Maximum replica lag, in µs; writes lost beyond it go undetected."""
MAX_COMPARED_AGAIN = 100
"""Maximum number of chats of earlier pages that a page compares again."""


def known_chats(handle: str, token: SyncToken, limit: int) -> tuple[Query[KnownChats], Query[KnownChats]]:
    """Return the queries for the index entries to compare with their chats.

    The first is for the chats of the page that follows a token. The second is for chats that moved shortly
    before the client's last page: a failover since then may have lost their writes.
    """
    since = max(token.at - MAX_LAG, 0)
    return (
        InboxRepair.first(handle, token.version, limit),
        InboxRepair.last(handle, since, token.version, MAX_COMPARED_AGAIN),
    )


def repairs(
    handle: str, known: Iterable[KnownChat], chats: Mapping[str, Summary]
) -> list[Query[bool | None]]:
    """Return the queries that write chats with lost writes to the index again, so that they move."""
    lost = [one for one in known if _has_lost(chats[one.chat], one)]
    return [InboxRepair.repair(one, _entry(handle, chats[one.chat], one)) for one in lost]


def _has_lost(summary: Summary, known: KnownChat) -> bool:
    """Return whether the index knows of a write that the chat does not have."""
    if known.state is InboxState.OUT and summary.state not in SHOWN:
        return False
    is_older = summary.state is MembershipState.MEMBER and summary.time < known.time
    return summary.stamp < known.stamp or is_older


def _entry(handle: str, summary: Summary, known: KnownChat) -> InboxEntry:
    """Return the index entry of a chat that has lost writes."""
    if summary.state is MembershipState.MEMBER:
        state = InboxState.LARGE if summary.large else InboxState.IN
    else:
        state = InboxState.INVITED if summary.state is MembershipState.INVITED else InboxState.OUT
    active = known.time if summary.state is MembershipState.INVITED else summary.time
    return InboxEntry(handle, summary.stamp, state, active)
