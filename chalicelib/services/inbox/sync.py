"""The sync: sends a client the chats that have moved, however long the client was away."""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.errors import StoreUnavailable
from chalicelib.schemas.inbox import Sync
from chalicelib.services.auth.caller import Caller
from chalicelib.services.inbox.repair import known_chats, repairs
from chalicelib.services.inbox.sync_page import sync_page
from chalicelib.services.inbox.sync_token import CHECKED, SYNC_TOKEN, UNKEPT, SyncToken
from chalicelib.services.views.inbox_row import PAGE_BYTES, Cards, checked, users_of
from chalicelib.store.accounts.user_cards import UserCards
from chalicelib.store.chats.summary import Summaries, Summary
from chalicelib.store.inbox.entries import MovedPage, Unchecked
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.inbox.repair import KnownChat
from chalicelib.store.redis.client import Store

MAX_CHECKED = 64
"""Maximum number of large chats that a page checks, which bounds its cost."""
ATTEMPTS = 3
ROWS_OF_A_REQUEST = 10
"""Chats that a page may read for each request that it counts as."""
NO_CHECKS = Unchecked(CHECKED, {}, more=False)


class Bounds(NamedTuple):
    """Maximum size of a page: number of rows, and their size in bytes of JSON."""

    rows: int
    size: int


class Indexed(NamedTuple):
    """The part of the index that a page needs.

    token: Token of the client, with the store's time.
    moved: Chats of the page.
    known: Index entries to compare with their chats.
    more: Whether other chats have moved, too.
    """

    token: SyncToken
    moved: MovedPage
    known: list[KnownChat]
    more: bool


class Read(NamedTuple):
    """The index and the chats that it names.

    cards: The users of the page's direct chats. kept: Whether the store has recorded the token's lineage.
    """

    indexed: Indexed
    chats: dict[str, Summary]
    cards: Cards
    kept: bool


class SyncService:
    """Sends a client the chats that have moved, each as it is now.

    A page takes two round trips: the user's index, then the chats that it names. A message to a large chat is
    not written to the indexes of its members. So the first page and the last one check MAX_CHECKED large
    chats each, and pages in between check the rest of a longer list. A large chat that differs from its index
    entry moves, which takes up to three more round trips.
    An index that is ahead of a chat shows that the chat lost writes: a third round trip repairs the index, so
    that the chat moves again; see inbox/repair.py.
    A page counts as one more request for each ten chats that it reads, which takes one more round trip.
    A store that refuses writes records neither tokens nor checks. Its tokens are valid while it refuses
    writes; after that the client gets all chats again, see `reset`.
    """

    def __init__(self, store: Store, inboxes: Inboxes, summaries: Summaries, cards: UserCards) -> None:
        self._store = store
        self._inboxes = inboxes
        self._summaries = summaries
        self._cards = cards

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

        since: The `next` of the previous page, of any age; None for a client that holds nothing. After a
            failover that lost the token's history the sync begins again, see `reset`.
        limit: Maximum number of rows.
        most: Maximum size of the rows in bytes.
        field: Name that the client has for `since`.
        Raises BadRequest; StoreUnavailable if the store keeps losing its last writes.
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
        """Return the page after a token, or the first page; None if the token's history is lost."""
        fresh = SyncToken.first(0)
        read = self._read(caller, token, fresh, bounds.rows, MAX_CHECKED)
        if read is None:
            return None
        large = read.indexed.moved.large if read.kept else NO_CHECKS
        moved = self._write_checks(caller.handle, read)
        if moved:
            read = self._read(caller, token, fresh, bounds.rows, checks=0)
            if read is None:
                return None
            moved = self._write_checks(caller.handle, read)
        caller.charge(len(read.chats) // ROWS_OF_A_REQUEST)
        return self._page(caller.handle, read, bounds, large, reset=reset, more=moved)

    def _read(
        self, caller: Caller, token: SyncToken | None, fresh: SyncToken, limit: int, checks: int
    ) -> Read | None:
        """Read the index, then the chats that it names; None if the token's history is lost.

        fresh: The token of a client that holds nothing.
        checks: Maximum number of large chats to check.
        """
        index = self._read_index(caller, token, fresh, limit, checks)
        return None if index is None else self._read_chats(caller.handle, index)

    def _read_index(
        self, caller: Caller, token: SyncToken | None, fresh: SyncToken, limit: int, checks: int
    ) -> Indexed | None:
        held, lineage = token or fresh, token.lineage if token and token.is_kept else None
        moved, first, last = caller.read_all(
            self._inboxes.moved(caller.handle, lineage, held.version, limit + 1, held.began, checks),
            *known_chats(caller.handle, held, limit),
        )
        if moved is None:
            return None
        more = len(moved.rows) > limit
        large = NO_CHECKS if more and held.began == CHECKED else moved.large
        floor = held.floor if token else moved.version
        page = moved._replace(rows=moved.rows[:limit], large=large)
        return Indexed(held._replace(floor=floor, at=first.time), page, [*first.chats, *last.chats], more)

    def _read_chats(self, handle: str, index: Indexed) -> Read | None:
        """Record the token's lineage and read the chats, in one round trip.

        None: The version is lost, or the store takes writes again and has no record of the token.
        """
        moved = index.moved
        named = [*(one.chat for one in moved.rows), *(one.chat for one in index.known), *moved.large.digests]
        names = list(dict.fromkeys(named))
        recording = self._inboxes.register(handle, index.token.lineage, moved.version)
        cards = self._cards.of(users_of(one.chat for one in moved.rows))
        reading = [self._summaries.of(chat, handle) for chat in names]
        kept, shown, *chats = self._store.run_all([recording, cards, *reading])
        if kept is False or (kept and not index.token.is_kept):
            return None
        return Read(index, dict(zip(names, chats, strict=True)), shown, kept=bool(kept))

    def _write_checks(self, handle: str, read: Read) -> bool:
        """Write large chats that differ from their index entries to the index; return whether one has moved.

        A store that refuses writes moves none: the next check that it records finds them.
        """
        moved, large = read.indexed.moved, read.indexed.moved.large
        held = large.digests | {one.chat: one.digest for one in moved.rows if one.digest is not None}
        versions = {one.chat: one.version for one in moved.rows}
        now = [checked(read.chats[chat], versions.get(chat, 0)) for chat in held]
        is_round = large.more or read.indexed.token.began > CHECKED
        if not is_round:
            now = [one for one in now if one.digest != held[one.chat]]
        if not now:
            return False
        return bool(self._store.run(self._inboxes.record_checks(handle, large.began if is_round else 0, now)))

    def _page(
        self, handle: str, read: Read, bounds: Bounds, large: Unchecked, *, reset: bool, more: bool
    ) -> Sync:
        index, chats = read.indexed, read.chats
        repaired = self._store.run_all(repairs(handle, index.known, chats))
        moved = ((one, chats[one.chat]) for one in index.moved.rows)
        page = sync_page(index.token, moved, bounds.size, read.cards)
        more = more or large.more or index.more or page.full or any(one is not None for one in repaired)
        began = (large.began if large.more else CHECKED) if more else 0
        following = _next(page.token, index.token, began, kept=read.kept)
        return Sync(chats=page.rows, next=str(following), more=more, reset=reset)


def _next(reached: SyncToken, held: SyncToken, began: int, *, kept: bool) -> SyncToken:
    """Return the token after a page.

    reached: Token of a client that has the page.
    held: The previous token, whose version is on record.
    """
    token = reached._replace(began=began)
    recorded = kept or 0 < reached.version == held.version
    return token if recorded else token._replace(lineage=UNKEPT)
