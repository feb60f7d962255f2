"""Blocking."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.errors import Forbidden, UserNotFound
from chalicelib.schemas.social import PersonPage
from chalicelib.services.jobs.pending_jobs import PendingJobs
from chalicelib.services.social.relations import Relations
from chalicelib.services.social.user_pages import UserPages
from chalicelib.store.redis.client import Store
from chalicelib.store.social import follows
from chalicelib.store.social.blocks import MAX_BLOCKED, Blocking, Blocks, item


class BlockService:
    """The rules of blocking.

    handle: Handle of the caller.
    name: Handle of the other user, as the caller wrote it.
    notify_watcher: Sends a user's presence to a watcher, by the handles of the user and the watcher.
    """

    def __init__(
        self,
        store: Store,
        blocks: Blocks,
        relations: Relations,
        pages: UserPages,
        work: PendingJobs,
        notify_watcher: Callable[[str, str], object],
    ) -> None:
        self._store = store
        self._blocks = blocks
        self._relations = relations
        self._pages = pages
        self._work = work
        self._notify_watcher = notify_watcher

    def block(self, handle: str, name: str) -> None:
        """Block a user; the two no longer follow each other. Blocking again changes nothing.

        Raises BadRequest; UserNotFound; Forbidden if the caller blocks too many users.
        """
        other = self._relations.other(handle, name, "handle")
        self._relations.of(other, handle)
        outcome = self._store.run(self._blocks.block(handle, other))
        if outcome == Blocking.NO_ACCOUNT:
            raise UserNotFound("Your account no longer exists.")
        if outcome == Blocking.TOO_MANY:
            raise Forbidden(f"You block {MAX_BLOCKED} users, the maximum. Unblock one first.")
        self._work.try_now(follows.item(handle, other))
        self._work.try_now(item(handle, other))
        self._notify_watcher(handle, other)

    def unblock(self, handle: str, name: str) -> None:
        """Unblock a user, also one who is not blocked; raises BadRequest, UserNotFound."""
        other = self._relations.other(handle, name, "handle")
        if not self._store.run(self._blocks.unblock(handle, other)):
            self._relations.of(other, handle)
        self._notify_watcher(handle, other)

    def blocked(self, handle: str, cursor: str | None, limit: int) -> PersonPage:
        """Read a page of the users whom the caller blocks, newest first; raises BadRequest."""
        return self._pages.page(self._blocks.blocked, handle, cursor, limit)
