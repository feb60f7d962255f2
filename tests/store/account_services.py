"""People on a store, wired as the application wires them, and stores that crash in the middle."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from chalicelib.config import Settings
from chalicelib.push_gateway.pusher import NoPusher
from chalicelib.queues import JobQueue
from chalicelib.services.accounts.deletion import AccountErasure, Deletion
from chalicelib.services.accounts.indexing import AccountIndexer
from chalicelib.services.accounts.profiles import Profiles
from chalicelib.services.auth.account_status import AccountStatusCache
from chalicelib.services.delivery.connection_stores import ConnectionStores
from chalicelib.services.delivery.display_names import DisplayNames
from chalicelib.services.delivery.frame_push import FramePush
from chalicelib.services.delivery.message_push import MessagePush
from chalicelib.services.delivery.push import PushService
from chalicelib.services.delivery.session_close import SessionCloser
from chalicelib.services.export.archive import Exports, ListReaders
from chalicelib.services.export.chats import ChatExports
from chalicelib.services.jobs.pending_jobs import PendingJobs
from chalicelib.services.search.users import UserSearch
from chalicelib.services.social.edge_mirror import EdgeMirror
from chalicelib.services.social.edge_removal import EdgeRemoval
from chalicelib.services.social.posts import PostFanOut
from chalicelib.services.values.emails import EMAIL
from chalicelib.services.values.names import Names
from chalicelib.store import keys
from chalicelib.store.accounts.accounts import Account, Accounts
from chalicelib.store.accounts.claims import Claims
from chalicelib.store.accounts.index_traces import IndexTraces
from chalicelib.store.accounts.sessions import Sessions
from chalicelib.store.accounts.user_cards import UserCards
from chalicelib.store.chats.chats import Chats
from chalicelib.store.chats.summary import Summaries
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.messages.log import MessageLog
from chalicelib.store.messages.outbox import Outbox
from chalicelib.store.messages.reactions import Reactions
from chalicelib.store.messages.reports import Reports
from chalicelib.store.messages.scheduled import ScheduledMessages
from chalicelib.store.realtime.chat_connections import ChatConnections
from chalicelib.store.realtime.connection import Connections
from chalicelib.store.realtime.user_connections import UserConnections
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query, Runnable
from chalicelib.store.search import SearchIndex
from chalicelib.store.social.blocks import Blocks
from chalicelib.store.social.follows import Follows, item
from chalicelib.store.social.posts import Posts
from chalicelib.store.social.timelines import Timelines
from chalicelib.store.work.pending import PendingWork
from tests.servers.engines import Engine
from tests.store.log_records import RawClient

T = TypeVar("T")
LEASE = 660 * 1_000_000
LATER_SECONDS = 60.0
EVERYBODY = ("alice", "bob", "carol", "dave")


def nobody_connected(store: Store) -> SessionCloser:
    """Return a closer of connections for a store without WebSocket connections."""
    return SessionCloser(store, UserConnections(LEASE), no_push(), lambda connection: None)


def pushes_to_nobody(store: Store) -> MessagePush:
    """Return a pusher of messages for tests without connections."""
    stores = ConnectionStores(store, Connections(LEASE), UserConnections(LEASE), ChatConnections(LEASE))
    queue = JobQueue(Settings(), store)
    return MessagePush(stores, MessageLog(), Outbox(), no_push(), queue, names_of(store))


def names_of(store: Store) -> DisplayNames:
    """Return the names of a store's users, as frames show them."""
    return DisplayNames(store, UserCards(), AccountStatusCache(store, Accounts()))


def no_push() -> PushService:
    """Return a pusher of frames for tests without connections."""
    return PushService(FramePush(NoPusher()), lambda connection: None)


class Crash(BaseException):
    """The process ends here; nothing may catch it."""


class CrashingStore(Store):
    """Runs so many queries of another store, and then none any more.

    left: number of queries. done: whether one more runs, and only its answer is lost.
    """

    def __init__(self, store: Store, left: int, *, done: bool = False) -> None:
        self._inner = store
        self._left = left
        self._done = done

    @property
    def has_one_slot(self) -> bool:
        """As the other store."""
        return self._inner.has_one_slot

    def run(self, query: Runnable[T]) -> T:
        """Run a query, or crash."""
        if not isinstance(query, Query):
            return self.run_all([query])[0]  # type: ignore[no-any-return]
        if self._left <= 0:
            if self._left == 0 and self._done:
                self._inner.run(query)
            self._left = -1
            raise Crash
        self._left -= 1
        return self._inner.run(query)

    def run_all(self, queries: Iterable[Runnable[Any]]) -> list[Any]:
        """Run queries one by one, or crash between them."""
        asked = [one.grouped(self._inner._grouping) for one in queries]
        results = iter([self.run(part) for one in asked for part in one.parts])
        return [one.result(results) for one in asked]


class ChangesCountingStore(CrashingStore):
    """Runs the queries of another store until so many have changed something, and then none any more.

    left: Number of queries with a change. engine: The store's servers, which count their changes.

    What a process leaves behind is in the store alone, so it matters after which change it ends, and not how
    many reads later.
    """

    def __init__(self, store: Store, left: int, engine: Engine) -> None:
        super().__init__(store, left)
        self._engine = engine

    def run(self, query: Runnable[T]) -> T:
        """Run a query, or crash."""
        if self._left <= 0 or not isinstance(query, Query):
            return super().run(query)
        before = self._changes()
        answer = self._inner.run(query)
        self._left -= self._changes() != before
        return answer

    def _changes(self) -> list[int]:
        found: list[Any] = [node.info("persistence") for node in self._engine.nodes]
        return [int(one["rdb_changes_since_last_save"]) for one in found]


class Village:
    """The people of a store; ahead: seconds by which the clock of the sweep is ahead of time."""

    def __init__(self, store: Store, ahead: float = 0.0) -> None:
        self.store = store
        self.accounts, self.claims, self.index = Accounts(), Claims(), SearchIndex()
        self.traces = IndexTraces()
        self.directory = AccountIndexer(store, self.accounts, self.claims, self.index, self.traces)
        self.pending_work, self.follows, self.blocks = PendingWork(), Follows(), Blocks()
        self.posts, self.timelines, self.sessions = Posts(), Timelines(), Sessions()
        self.chats, self.log = Chats(1000, 100), MessageLog()
        edge_mirror = EdgeMirror(store, self.follows, self.posts, self.timelines)
        inboxes, self.departed = Inboxes(), list[tuple[str, str]]()
        self.erasure = AccountErasure(
            store,
            self.accounts,
            self.claims,
            self.directory,
            EdgeRemoval(store, self.follows, self.timelines),
            inboxes,
            self._depart,
        )
        handlers: dict[str, Callable[..., None]] = {
            "delete": self.erasure.erase,
            "index": self.directory.index,
            "rows": lambda handle: None,
            "follow": edge_mirror.follow,
            "block": edge_mirror.block,
            "posts": PostFanOut(store, self.follows, self.posts, self.timelines, 10_000).run,
        }
        queue = JobQueue(Settings(), store)
        self.work = PendingJobs(store, self.pending_work, queue, handlers, lambda: time.time() + ahead)
        self.people = Profiles(
            store, self.accounts, self.claims, Names(open_names=False), self.work, needs_account=True
        )
        self.search = UserSearch(store, self.accounts, self.index)
        self.deletion = Deletion(store, self.accounts, inboxes, self.work, nobody_connected(store))
        chats = ChatExports(store, inboxes, Summaries(), self.chats, self.log, Reports(), Reactions())
        lists = (self.follows, self.blocks, self.posts, self.timelines, ScheduledMessages())
        self.exports = Exports(
            store, self.accounts, self.sessions, ListReaders(*lists, chats), needs_account=True
        )

    def settle(self, handle: str, name: str = "", email: str | None = None) -> None:
        """Make an account and enter it in the directory."""
        if email is not None:
            assert self.store.run(self.claims.claim(EMAIL, email, handle))
        assert self.store.run(self.accounts.create(Account(handle=handle, name=name, email=email)))
        self.work.try_now(f"index:{handle}")

    def _depart(self, handle: str, chat: str) -> None:
        self.departed.append((handle, chat))

    def follow(self, handle: str, *targets: str) -> None:
        """Have a user follow others."""
        for target in targets:
            self.store.run(self.follows.follow(handle, target))
            self.work.try_now(item(handle, target))

    def edges(self) -> set[tuple[str, str]]:
        """Return all edges between the users of EVERYBODY that either side knows of."""
        known = set()
        for handle in EVERYBODY:
            known |= {
                (handle, mark.member) for mark in self.store.run(self.follows.following(handle, None, 99))
            }
            known |= {
                (mark.member, handle) for mark in self.store.run(self.follows.followers(handle, None, 99))
            }
        return known

    def found(self, q: str, limit: int = 100) -> list[str]:
        """Return the handles that a search finds, on all its pages."""
        handles, cursor = [], None
        while True:
            page = self.search.users(q, limit, cursor)
            handles += [user.handle for user in page.users]
            if (cursor := page.next) is None:
                return handles


def sweep(store: Store) -> None:
    """Do all pending work, as if it had been pending for long."""
    Village(store, ahead=LATER_SECONDS).work.sweep()


def expire(raw: RawClient, *emails: str) -> None:
    """End the email claims that are not settled."""
    for email in emails:
        if raw.pttl(keys.claim(EMAIL, email)) > 0:
            raw.delete(keys.claim(EMAIL, email))


def settled(raw: RawClient, email: str) -> str | None:
    """Return the owners of settled email claims."""
    key = keys.claim(EMAIL, email)
    held: Any = raw.get(key)
    return held.decode() if held is not None and raw.pttl(key) == -1 else None


def members(raw: RawClient, pattern: str) -> list[bytes]:
    """Return the members of all sorted sets of which the key matches."""
    found: list[bytes] = []
    for key in raw.scan_iter(match=pattern):
        part: Any = raw.zrange(key, 0, -1)
        found += part
    return sorted(found)
