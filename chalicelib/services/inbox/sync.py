"""The sync: brings a client to know of all its chats, however long it was away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from chalicelib.errors import StoreUnavailable
from chalicelib.schemas.inbox import Sync
from chalicelib.services.auth.caller import Caller
from chalicelib.services.inbox.sync_page import sync_page
from chalicelib.services.inbox.sync_token import CHECKED, SYNC_TOKEN, UNKEPT, SyncToken
from chalicelib.services.views.inbox_row import PAGE_BYTES, SHOWN, checked
from chalicelib.store.chats.summary import MembershipState, Summaries, Summary
from chalicelib.store.inbox.index import InboxEntry, Inboxes, InboxState, MovedPage, Unchecked
from chalicelib.store.inbox.repair import InboxRepair, KnownChat
from chalicelib.store.redis.client import Store

LAG = 30 * 1_000_000
"""µs by which a replica may lag; what one that lags more loses, nobody notices."""
MOST_CHECKED = 64
"""Large chats that a page checks: with so many its cost does not grow further."""
MOST_LOOKED_AT = 100
"""Chats that are looked at again, at the most."""
ATTEMPTS = 3
ROWS_OF_A_REQUEST = 10
"""Chats that a page may look at for each request that it counts as, beside the first."""
NO_CHECKS = Unchecked(CHECKED, {}, more=False)


class Bounds(NamedTuple):
    """Maximum size of a page: rows, and bytes of them on the wire."""

    rows: int
    size: int


class Found(NamedTuple):
    """What the index says for one page.

    token: of the client, with the time of the store. known: how the index has chats that moved recently.
    more: whether other chats have moved beside these.
    """

    token: SyncToken
    moved: MovedPage
    known: list[KnownChat]
    more: bool


class Asked(NamedTuple):
    """Chats as they are now; kept: whether the store has noted what the client may be told by now."""

    chats: dict[str, Summary]
    kept: bool


class SyncService:
    """Tells a client which chats have moved, each as it is now.

    A page is two trips: the user's index, then the chats that it names. Chats that are too large to write
    indexes are checked on the first page and on the last, MOST_CHECKED on a page, and on more pages where
    there are more: one that is not as the index holds it moves, which is up to three trips more.
    Where the index knows more than a chat does, the chat has lost writes; then the index is set right, a
    third trip, so that the chat moves once more. For that, chats that moved shortly before the client was
    told last are looked at again. A page counts as one request more for each ten chats that it looks at:
    that is one more trip.
    A store that takes no writes notes neither what the client is told, nor how large chats are. Its tokens
    are good as long as it takes none; after that the client is told all once more, see `reset`.
    """

    def __init__(self, store: Store, inboxes: Inboxes, summaries: Summaries) -> None:
        self._store = store
        self._inboxes = inboxes
        self._summaries = summaries

    def page(
        self,
        caller: Caller,
        since: str | None,
        limit: int,
        *,
        most: int = PAGE_BYTES,
        field: str = "since",
    ) -> Sync:
        """Read the next page of a sync.

        since: the `next` of the page before, of any age; None: the client holds nothing. What was told in a
        history that is gone begins again, see `reset`. limit, most: rows, and bytes of them on the wire.
        field: what the client calls `since`.
        Raises BadRequest; StoreUnavailable when the store loses its last writes again and again.
        """
        token, bounds = None if since is None else SYNC_TOKEN.decode(since, field), Bounds(limit, most)
        if token is not None and (page := self._attempt(caller, token, bounds, reset=False)):
            return page
        for _ in range(ATTEMPTS):
            if page := self._attempt(caller, None, bounds, reset=token is not None):
                return page
        raise StoreUnavailable

    def _attempt(
        self, caller: Caller, token: SyncToken | None, bounds: Bounds, *, reset: bool
    ) -> Sync | None:
        """Return the page after a token, or the first of all; None: the token's history is gone."""
        fresh = SyncToken.first(0)
        found = self._find(caller, token, fresh, bounds.rows)
        if found is None or (asked := self._asked(caller.handle, found)) is None:
            return None
        large = found.moved.large if asked.kept else NO_CHECKS
        moved = self._check(caller.handle, found, asked.chats)
        if moved:
            found = self._find(caller, token, fresh, bounds.rows, check=False)
            if found is None or (asked := self._asked(caller.handle, found)) is None:
                return None
            moved = self._check(caller.handle, found, asked.chats)
        caller.charge(len(asked.chats) // ROWS_OF_A_REQUEST)
        return self._page(caller.handle, found, asked, bounds, large, reset=reset, more=moved)

    def _find(
        self, caller: Caller, token: SyncToken | None, fresh: SyncToken, limit: int, *, check: bool = True
    ) -> Found | None:
        """Read the index; None: the token's history is gone.

        token: None for a client that holds nothing: then fresh is its token. check: whether large chats are
        to be checked: not again while others are told.
        """
        held, lineage = token or fresh, token.lineage if token and token.is_kept else None
        moved, first, last = caller.read_all(
            self._inboxes.moved(
                caller.handle, lineage, held.version, limit + 1, held.began, MOST_CHECKED if check else 0
            ),
            InboxRepair.first(caller.handle, held.version, limit),
            InboxRepair.last(caller.handle, max(held.at - LAG, 0), held.version, MOST_LOOKED_AT),
        )
        if moved is None:
            return None
        more = len(moved.rows) > limit
        large = NO_CHECKS if more and held.began == CHECKED else moved.large
        floor = held.floor if token else moved.version
        told = moved._replace(rows=moved.rows[:limit], large=large)
        return Found(held._replace(floor=floor, at=first.time), told, [*first.chats, *last.chats], more)

    def _asked(self, handle: str, found: Found) -> Asked | None:
        """Note what the client may be told by now, and ask chats, in one trip.

        None: the version is gone, or the store takes writes again after it noted nothing of the token.
        """
        moved = found.moved
        named = [*(one.chat for one in moved.rows), *(one.chat for one in found.known), *moved.large.digests]
        names = list(dict.fromkeys(named))
        noting = self._inboxes.registering(handle, found.token.lineage, moved.version)
        noted, *chats = self._store.run_all([noting, *(self._summaries.of(chat, handle) for chat in names)])
        if noted is False or (noted and not found.token.is_kept):
            return None
        return Asked(dict(zip(names, chats, strict=True)), kept=bool(noted))

    def _check(self, handle: str, found: Found, chats: Mapping[str, Summary]) -> bool:
        """Note how large chats are that are not as the index holds them; returns whether any has moved.

        On a store that takes no writes none has: the next check that is kept finds them.
        """
        large = found.moved.large
        held = large.digests | {one.chat: one.digest for one in found.moved.rows if one.digest is not None}
        versions = {one.chat: one.version for one in found.moved.rows}
        now = [checked(chats[chat], versions.get(chat, 0)) for chat in held]
        is_round = large.more or found.token.began > CHECKED
        if not is_round:
            now = [one for one in now if one.digest != held[one.chat]]
        if not now:
            return False
        return bool(self._store.run(self._inboxes.checking(handle, large.began if is_round else 0, now)))

    def _page(
        self,
        handle: str,
        found: Found,
        asked: Asked,
        bounds: Bounds,
        large: Unchecked,
        *,
        reset: bool,
        more: bool,
    ) -> Sync:
        chats = asked.chats
        lost = [one for one in found.known if _has_lost(chats[one.chat], one)]
        mended = self._store.run_all(
            InboxRepair.mending(one, _place(handle, chats[one.chat], one)) for one in lost
        )
        moved = ((one, chats[one.chat]) for one in found.moved.rows)
        page = sync_page(found.token, moved, bounds.size)
        more = more or large.more or found.more or page.full or any(reply is not None for reply in mended)
        began = (large.began if large.more else CHECKED) if more else 0
        return Sync(
            chats=page.rows,
            next=str(_next(page.token, found.token, began, kept=asked.kept)),
            more=more,
            reset=reset,
        )


def _next(told: SyncToken, held: SyncToken, began: int, *, kept: bool) -> SyncToken:
    """Return the token after a page; held: the one before. What is not more than before was noted then."""
    token = told._replace(began=began)
    noted = kept or 0 < told.version == held.version
    return token if noted else token._replace(lineage=UNKEPT)


def _has_lost(summary: Summary, known: KnownChat) -> bool:
    """Return whether the index knows of a write that the chat does not."""
    if known.state is InboxState.OUT and summary.state not in SHOWN:
        return False
    is_older = summary.state is MembershipState.MEMBER and summary.time < known.time
    return summary.stamp < known.stamp or is_older


def _place(handle: str, summary: Summary, known: KnownChat) -> InboxEntry:
    """Return what the index should say of a chat that has lost writes."""
    if summary.state is MembershipState.MEMBER:
        state = InboxState.LARGE if summary.large else InboxState.IN
    else:
        state = InboxState.INVITED if summary.state is MembershipState.INVITED else InboxState.OUT
    active = known.time if summary.state is MembershipState.INVITED else summary.time
    return InboxEntry(handle, summary.stamp, state, active)
