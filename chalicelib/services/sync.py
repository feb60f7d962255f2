"""The sync: brings a client to know of all its chats, however long it was away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from chalicelib.errors import StoreUnavailable
from chalicelib.schemas.inbox import ChatRow, Sync
from chalicelib.services.callers import Caller
from chalicelib.services.chat_rows import PAGE_BYTES, SHOWN, row, size_of
from chalicelib.services.sync_tokens import SyncToken, digest
from chalicelib.store.client import Store
from chalicelib.store.inboxes import Inboxes, Moved, Place, PlaceState, Row
from chalicelib.store.mending import Known, Mending
from chalicelib.store.summaries import State, Summaries, Summary

LAG = 30 * 1_000_000
"""µs by which a replica may lag; what one that lags more loses, nobody notices."""
MOST_LOOKED_AT = 100
"""Chats that are looked at again, at the most."""
ATTEMPTS = 3
ROWS_OF_A_REQUEST = 10
"""Chats that a page may look at for each request that it counts as, beside the first."""


class Bounds(NamedTuple):
    """What a page may have at the most: rows, and bytes of them on the wire."""

    rows: int
    size: int


class SyncService:
    """Tells a client which chats have moved, each as it is now.

    A page is two trips: the user's index, then the chats that it names. Chats that are too large to write
    indexes are all looked at, once the others are told; the token says which of them the client knows as they
    are. Where the index knows more than a chat does, the chat has lost writes; then the index is set right, a
    third trip, so that the chat moves once more. For that, chats that moved shortly before the client was
    told last are looked at again. A page counts as one request more for each ten chats that it looks at:
    that is one more trip.
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
        token, bounds = None if since is None else SyncToken.parse(since, field), Bounds(limit, most)
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
        limit = bounds.rows
        lineage, since, at = (token.lineage, token.version, token.at) if token else (None, 0, 0)
        moved, first, last = caller.read_all(
            self._inboxes.moved(caller.handle, lineage, since, limit + 1),
            Mending.first(caller.handle, since, limit),
            Mending.last(caller.handle, max(at - LAG, 0), since, MOST_LOOKED_AT),
        )
        if moved is None:
            return None
        held = (token or SyncToken.first(moved.version))._replace(at=first.time)
        return self._page(caller, held, moved, [*first.chats, *last.chats], bounds, reset=reset)

    def _page(
        self,
        caller: Caller,
        token: SyncToken,
        moved: Moved,
        known: list[Known],
        bounds: Bounds,
        *,
        reset: bool,
    ) -> Sync | None:
        rows, more = moved.rows[: bounds.rows], len(moved.rows) > bounds.rows
        large = [] if more else moved.large
        names = [*(one.chat for one in rows), *(one.chat for one in known), *large]
        chats = self._asked(caller.handle, token.lineage, moved.version, list(dict.fromkeys(names)))
        if chats is None:
            return None
        lost = [one for one in known if _has_lost(chats[one.chat], one)]
        self._store.fetch_all(
            Mending.mending(one, _place(caller.handle, chats[one.chat], one)) for one in lost
        )
        caller.charge(len(chats) // ROWS_OF_A_REQUEST)
        page = _Page(token, bounds)
        page.tell_moved((one, chats[one.chat]) for one in rows)
        if not more:
            page.tell_large([chats[chat] for chat in large])
        return Sync(chats=page.rows, next=str(page.token), more=more or page.full or bool(lost), reset=reset)

    def _asked(
        self, handle: str, lineage: str, version: int, names: Sequence[str]
    ) -> dict[str, Summary] | None:
        """Note what the client may be told by now, and ask chats, in one trip; None: the version is gone."""
        asking = [self._summaries.of(chat, handle) for chat in names]
        noted, *found = self._store.fetch_all([self._inboxes.registering(handle, lineage, version), *asking])
        return dict(zip(names, found, strict=True)) if noted else None


class _Page:
    """Rows of one page, and the token of a client that was told them. full: there was more than fitted."""

    def __init__(self, token: SyncToken, bounds: Bounds) -> None:
        self.token = token
        self.rows: list[ChatRow] = []
        self.full = False
        self._bounds = bounds
        self._size = 0

    def tell_moved(self, moved: Iterable[tuple[Row, Summary]]) -> None:
        """Tell chats in the order in which they moved, as far as they fit."""
        for one, summary in moved:
            unknown = one.version <= self.token.floor and summary.state not in SHOWN
            if not unknown and not self._told(summary):
                return
            digests = {_digest(summary)} if summary.large else ()
            self.token = self.token.after(one.version, self.token.told.union(digests))

    def tell_large(self, summaries: Sequence[Summary]) -> None:
        """Tell those of all large chats that are not as the client knows them, as far as they fit."""
        if self.full:
            return
        known = {_digest(summary) for summary in summaries} & self.token.told
        for summary in summaries:
            if _digest(summary) not in known:
                if not self._told(summary):
                    break
                known.add(_digest(summary))
        self.token = self.token.after(self.token.version, known)

    def _told(self, summary: Summary) -> bool:
        told = row(summary)
        if told.state == "none":
            told = msgspec.structs.replace(told, state="left")
        self._size += size_of(told)
        self.full = len(self.rows) == self._bounds.rows or (
            self._size > self._bounds.size and bool(self.rows)
        )
        if not self.full:
            self.rows.append(told)
        return not self.full


def _has_lost(summary: Summary, known: Known) -> bool:
    """Return whether the index knows of a write that the chat does not."""
    if known.state is PlaceState.OUT and summary.state not in SHOWN:
        return False
    is_older = summary.state is State.MEMBER and summary.time < known.time
    return summary.stamp < known.stamp or is_older


def _place(handle: str, summary: Summary, known: Known) -> Place:
    """Return what the index should say of a chat that has lost writes."""
    if summary.state is State.MEMBER:
        state = PlaceState.LARGE if summary.large else PlaceState.IN
    else:
        state = PlaceState.IN if summary.state is State.INVITED else PlaceState.OUT
    active = known.time if summary.state is State.INVITED else summary.time
    return Place(handle, summary.stamp, state, active)


def _digest(summary: Summary) -> bytes:
    state = int(summary.state)
    return digest(summary.chat, state, summary.epoch, summary.head, summary.time, summary.stamp)
