"""Blocking."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.errors import Forbidden, UserNotFound
from chalicelib.schemas.social import PersonPage
from chalicelib.services.jobs.pending_jobs import PendingJobs
from chalicelib.services.social.relations import Relations
from chalicelib.services.social.user_pages import UserPages
from chalicelib.store.social import follows
from chalicelib.store.social.blocks import MOST_BLOCKED, Blocking, Blocks, item


class BlockService:
    """The rules of blocking; handle: the caller's. name: another's handle as the caller gave it.

    tell: tells somebody who watches a user how that one is shown to them, by the handles of user and watcher.
    """

    def __init__(
        self,
        blocks: Blocks,
        relations: Relations,
        pages: UserPages,
        work: PendingJobs,
        tell: Callable[[str, str], object],
    ) -> None:
        self._blocks = blocks
        self._relations = relations
        self._pages = pages
        self._work = work
        self._tell = tell

    def block(self, handle: str, name: str) -> None:
        """Block somebody, which ends the edges between the two; again is fine.

        Raises BadRequest, UserNotFound, Forbidden: too many.
        """
        other = self._relations.other(handle, name, "handle")
        self._relations.of(other, handle)
        outcome = self._blocks.block(handle, other)
        if outcome == Blocking.NO_ACCOUNT:
            raise UserNotFound("Your account is not there any more.")
        if outcome == Blocking.TOO_MANY:
            raise Forbidden(f"You block {MOST_BLOCKED} users, which is the most. Unblock one first.")
        self._work.try_now(follows.item(handle, other))
        self._work.try_now(item(handle, other))
        self._tell(handle, other)

    def unblock(self, handle: str, name: str) -> None:
        """Block somebody no more; again is fine. Raises BadRequest, UserNotFound."""
        other = self._relations.other(handle, name, "handle")
        if not self._blocks.unblock(handle, other):
            self._relations.of(other, handle)
        self._tell(handle, other)

    def blocked(self, handle: str, cursor: str | None, limit: int) -> PersonPage:
        """Read a page of whom the caller has blocked, newest first; raises BadRequest."""
        return self._pages.page(self._blocks.blocked, handle, cursor, limit)
