"""All stored data about a user, in pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from chalicelib.errors import NotAuthenticated
from chalicelib.schemas.export import Export, ExportedPost, PostReference, SignIn, Since
from chalicelib.services.accounts.sessions import exported
from chalicelib.services.export.chats import ChatExports
from chalicelib.services.export.parts import ENOUGH_BYTES, Part, Reader, part
from chalicelib.services.values.paging import Field, TextCursor, number, until_enough
from chalicelib.services.values.times import rfc3339
from chalicelib.services.views.profile import me_of
from chalicelib.services.views.scheduled_row import scheduled_row
from chalicelib.store.accounts.accounts import Account, Accounts
from chalicelib.store.accounts.sessions import Sessions
from chalicelib.store.messages.scheduled import ScheduledMessages
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.sorted_sets import ScoredMember
from chalicelib.store.social.blocks import Blocks
from chalicelib.store.social.follows import Follows
from chalicelib.store.social.posts import Posts
from chalicelib.store.social.timelines import Timelines

ENTRIES, POSTS, SCHEDULED = 1000, 100, 20
"""Entries in one part of a list.

When JSON has to escape every byte, 100 posts are 2.4 MiB, and 20 scheduled messages 1.9 MiB.
"""
LISTS = (
    "following",
    "followers",
    "blocked",
    "posts",
    "timeline",
    "scheduled",
    "chats",
    "reactions",
    "messages",
)
"""The lists of an archive, in their order."""


class ArchiveCursor(NamedTuple):
    """A list, and the score and member of the last entry of it that a page has; None: the list begins."""

    name: str
    score: int | None = None
    member: str | None = None

    @property
    def last(self) -> ScoredMember | None:
        """The last entry that a page has."""
        return None if self.score is None else ScoredMember(self.score, self.member or "")


ARCHIVE_CURSOR = TextCursor(
    ArchiveCursor,
    "{name}[.{score}.{member}]",
    name=Field("|".join(LISTS)),
    score=number(16),
    member=Field(".{1,240}"),
)


class ListReaders(NamedTuple):
    """The stores and services that read the lists of a user."""

    follows: Follows
    blocks: Blocks
    posts: Posts
    timelines: Timelines
    scheduled: ScheduledMessages
    chats: ChatExports


class Exports:
    """Reads all stored data about a user. Of other users it shows handles only."""

    def __init__(
        self, store: Store, accounts: Accounts, sessions: Sessions, lists: ListReaders, *, needs_account: bool
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._sessions = sessions
        self._needs_account = needs_account
        self._posts = lists.posts
        self._timelines = lists.timelines
        self._scheduled = lists.scheduled
        self._lists: dict[str, Reader] = {
            "following": self._scored(lists.follows.following),
            "followers": self._scored(lists.follows.followers),
            "blocked": self._scored(lists.blocks.blocked),
            "posts": self._read_posts,
            "timeline": self._read_timeline,
            "scheduled": self._read_scheduled,
            "chats": lists.chats.chats,
            "messages": lists.chats.messages,
            "reactions": lists.chats.reactions,
        }

    def page(self, handle: str, cursor: str | None) -> Export:
        """Return a page of a user's archive; the first page has the profile and the sessions.

        A list may span pages. Its entries are from the newest to the oldest, but scheduled messages are in
        the order of their times, chats in that of their ids, and reactions and messages in that of chat and
        seq.
        Raises BadRequest, NotAuthenticated.
        """
        started = rfc3339(time.time_ns() // 1000)
        start = ArchiveCursor(LISTS[0]) if cursor is None else ARCHIVE_CURSOR.decode(cursor, "cursor")
        page = Export(handle=handle, exported_at=started, next=None)
        if cursor is None:
            self._begin(page)
        self._read_lists(page, start)
        return page

    def _begin(self, page: Export) -> None:
        profile = self._store.run(self._accounts.profile(page.handle))
        if profile is None:
            raise NotAuthenticated("The account no longer exists.")
        page.profile = me_of(profile, needs_account=self._needs_account)
        page.sign_in = _sign_in(profile.account)
        page.sessions = list(map(exported, self._store.run(self._sessions.of(page.handle))))

    def _read_lists(self, page: Export, start: ArchiveCursor) -> None:
        """Add parts of lists to a page until it has enough, and set its `next`."""
        parts = self._parts(page.handle, start)
        for name, read in until_enough(parts, lambda one: one[1].size, ENOUGH_BYTES):
            held = getattr(page, name)
            setattr(page, name, read.entries if held is msgspec.UNSET else held + read.entries)
            following = _following(name, read)
            page.next = None if following is None else ARCHIVE_CURSOR.encode(following)
            if read.ends_page:
                return

    def _parts(self, handle: str, start: ArchiveCursor) -> Iterator[tuple[str, Part]]:
        at: ArchiveCursor | None = start
        while at:
            read = self._lists[at.name](handle, at.last)
            yield at.name, read
            at = _following(at.name, read)

    def _scored(
        self, listing: Callable[[str, ScoredMember | None, int], Query[list[ScoredMember]]]
    ) -> Reader:
        def read(handle: str, below: ScoredMember | None) -> Part:
            entries = self._store.run(listing(handle, below, ENTRIES))
            return part([Since(entry.member, rfc3339(entry.score)) for entry in entries], entries, ENTRIES)

        return read

    def _read_posts(self, handle: str, below: ScoredMember | None) -> Part:
        posts = self._store.run(self._posts.page(handle, below.score if below else None, POSTS))
        shown = [ExportedPost(str(post.id), rfc3339(post.id), post.text) for post in posts]
        return part(shown, (ScoredMember(post.id, handle) for post in posts), POSTS)

    def _read_timeline(self, handle: str, below: ScoredMember | None) -> Part:
        entries = self._store.run(self._timelines.read(handle, below, ENTRIES)).entries
        return part([PostReference(*entry.member.rsplit(":", 1)) for entry in entries], entries, ENTRIES)

    def _read_scheduled(self, handle: str, after: ScoredMember | None) -> Part:
        held = self._store.run(self._scheduled.of(handle))
        messages = [one for one in held if after is None or one.mark > after][:SCHEDULED]
        return part(map(scheduled_row, messages), (one.mark for one in messages), SCHEDULED)


def _following(name: str, read: Part) -> ArchiveCursor | None:
    """Return where the archive goes on after a part of a list; None: it ends."""
    if read.last is not None:
        return ArchiveCursor(name, *read.last)
    names = LISTS[LISTS.index(name) + 1 :]
    return ArchiveCursor(names[0]) if names else None


def _sign_in(account: Account) -> SignIn:
    return SignIn(
        password=account.password is not None,
        outside_identity=account.identity is not None,
        imported_from=account.source,
    )
