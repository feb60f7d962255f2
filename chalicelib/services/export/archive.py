"""Everything that is held about a user, in pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from chalicelib.errors import NotAuthenticated, bad_field
from chalicelib.schemas.export import Export, ExportedPost, PostReference, SignIn, Since
from chalicelib.services.accounts.sessions import exported
from chalicelib.services.export.chats import ChatExports
from chalicelib.services.export.parts import ENOUGH_BYTES, Part, Reader, part
from chalicelib.services.values.times import rfc3339
from chalicelib.services.views.profile import me_of
from chalicelib.store.accounts.accounts import Account, Accounts
from chalicelib.store.accounts.sessions import Sessions
from chalicelib.store.redis.client import Query, Store
from chalicelib.store.redis.sorted_sets import ScoredMember
from chalicelib.store.social.blocks import Blocks
from chalicelib.store.social.follows import Follows
from chalicelib.store.social.posts import Posts
from chalicelib.store.social.timelines import Timelines

MARKS, POSTS = 1000, 100
"""Entries in one part of a list; 100 posts are 2.4 MiB when JSON has to escape every byte of them."""
MAX_CURSOR_CHARACTERS = 256


class Listed(NamedTuple):
    """What has lists of a user's."""

    follows: Follows
    blocks: Blocks
    posts: Posts
    timelines: Timelines
    chats: ChatExports


class Exports:
    """Reads what is held about a user; nothing of it is another's, but for who they are."""

    def __init__(
        self, store: Store, accounts: Accounts, sessions: Sessions, listed: Listed, *, strict: bool
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._sessions = sessions
        self._strict = strict
        self._posts = listed.posts
        self._timelines = listed.timelines
        self._lists: dict[str, Reader] = {
            "following": self._marks(listed.follows.following),
            "followers": self._marks(listed.follows.followers),
            "blocked": self._marks(listed.blocks.blocked),
            "posts": self._read_posts,
            "timeline": self._read_timeline,
            "chats": listed.chats.chats,
            "messages": listed.chats.messages,
        }

    def page(self, handle: str, cursor: str | None) -> Export:
        """Return a page of the archive of a user; the first has the profile and the sessions.

        Lists go on over pages, from the newest to the oldest, but chats and messages by chat and seq.
        Raises BadRequest, NotAuthenticated.
        """
        started = rfc3339(time.time_ns() // 1000)
        place = (next(iter(self._lists)), None) if cursor is None else self._place(cursor)
        page = Export(handle=handle, exported_at=started, next=None)
        if cursor is None:
            self._begin(page)
        self._read_lists(page, *place)
        return page

    def _begin(self, page: Export) -> None:
        profile = self._store.fetch(self._accounts.profile(page.handle))
        if profile is None:
            raise NotAuthenticated("The account was deleted.")
        page.profile = me_of(profile, strict=self._strict)
        page.sign_in = _sign_in(profile.account)
        page.sessions = list(map(exported, self._sessions.devices(page.handle)))

    def _read_lists(self, page: Export, name: str, below: ScoredMember | None) -> None:
        """Read lists from a place on until the page has enough, and say where the next one goes on."""
        size = 0
        for current, read in self._parts(page.handle, name, below):
            held = getattr(page, current)
            setattr(page, current, read.entries if held is msgspec.UNSET else held + read.entries)
            page.next = _cursor(current, read.last) if read.last else self._following(current)
            size += len(msgspec.json.encode(read.entries))
            if size >= ENOUGH_BYTES or read.ends_page:
                return

    def _parts(self, handle: str, name: str, below: ScoredMember | None) -> Iterator[tuple[str, Part]]:
        current: str | None = name
        while current:
            read = self._lists[current](handle, below)
            yield current, read
            below = read.last
            if below is None:
                current = self._following(current)

    def _following(self, name: str) -> str | None:
        names = list(self._lists)
        return next(iter(names[names.index(name) + 1 :]), None)

    def _place(self, cursor: str) -> tuple[str, ScoredMember | None]:
        name, dot, rest = cursor.partition(".")
        score, _, member = rest.partition(".")
        malformed = bool(dot) and not (score.isascii() and score.isdigit() and len(score) < 17 and member)
        if name not in self._lists or malformed or len(cursor) > MAX_CURSOR_CHARACTERS:
            raise bad_field("cursor", "a cursor is the `next` of a page")
        return name, ScoredMember(int(score), member) if dot else None

    def _marks(self, listing: Callable[[str, ScoredMember | None, int], Query[list[ScoredMember]]]) -> Reader:
        def read(handle: str, below: ScoredMember | None) -> Part:
            marks = self._store.fetch(listing(handle, below, MARKS))
            return part([Since(mark.member, rfc3339(mark.score)) for mark in marks], marks, MARKS)

        return read

    def _read_posts(self, handle: str, below: ScoredMember | None) -> Part:
        posts = self._store.fetch(self._posts.page(handle, below.score if below else None, POSTS))
        shown = [ExportedPost(str(post.id), rfc3339(post.id), post.text) for post in posts]
        return part(shown, (ScoredMember(post.id, handle) for post in posts), POSTS)

    def _read_timeline(self, handle: str, below: ScoredMember | None) -> Part:
        marks = self._timelines.read(handle, below, MARKS).marks
        return part([PostReference(*mark.member.rsplit(":", 1)) for mark in marks], marks, MARKS)


def _cursor(name: str, below: ScoredMember) -> str:
    return f"{name}.{below.score}.{below.member}"


def _sign_in(account: Account) -> SignIn:
    return SignIn(
        password=account.password is not None,
        outside_identity=account.identity is not None,
        imported_from=account.source,
    )
