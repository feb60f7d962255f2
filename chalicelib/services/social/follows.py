"""Following, and the lists of followers and of followed users."""

from __future__ import annotations

from chalicelib.errors import Forbidden, UserNotFound
from chalicelib.schemas.social import PersonPage
from chalicelib.services.jobs.pending_jobs import PendingJobs
from chalicelib.services.social.contact import check_contact, check_not_blocked
from chalicelib.services.social.relations import Relations
from chalicelib.services.social.user_pages import UserPages
from chalicelib.store.redis.client import Store
from chalicelib.store.social.follows import MAX_FOLLOWED, Following, Follows, item


class FollowService:
    """The rules of following.

    handle: Handle of the caller.
    name: Handle of the other user, as the caller wrote it.
    field: Name of the field in which the caller sent it.
    """

    def __init__(
        self, store: Store, follows: Follows, relations: Relations, pages: UserPages, work: PendingJobs
    ) -> None:
        self._store = store
        self._follows = follows
        self._relations = relations
        self._pages = pages
        self._work = work

    def follow(self, handle: str, name: str, field: str = "handle") -> None:
        """Follow a user; following again changes nothing.

        Raises BadRequest; UserNotFound; Blocked if one of the two blocks the other; Forbidden if the caller
        follows too many users.
        """
        target = self._relations.other(handle, name, field)
        check_contact(target, self._relations.of(target, handle), needs_account=True)
        outcome = self._store.run(self._follows.follow(handle, target))
        if outcome == Following.NO_ACCOUNT:
            raise UserNotFound("Your account no longer exists.")
        if outcome == Following.BLOCKING:
            check_not_blocked(target, by_other=False, by_caller=True)
        if outcome == Following.TOO_MANY:
            raise Forbidden(f"You follow {MAX_FOLLOWED} users, the maximum. Unfollow one first.")
        self._work.try_now(item(handle, target))

    def unfollow(self, handle: str, name: str, field: str = "handle") -> None:
        """Unfollow a user, also one who is not followed; raises BadRequest, UserNotFound."""
        target = self._relations.other(handle, name, field)
        if self._store.run(self._follows.unfollow(handle, target)):
            self._work.try_now(item(handle, target))
        else:
            self._relations.of(target, handle)

    def following(self, handle: str, name: str, cursor: str | None, limit: int) -> PersonPage:
        """Read a page of the users whom a user follows, newest first; raises BadRequest, UserNotFound."""
        owner = self._relations.named(name, "handle")
        self._relations.of(owner, handle)
        return self._pages.page(self._follows.following, owner, cursor, limit)

    def followers(self, handle: str, name: str, cursor: str | None, limit: int) -> PersonPage:
        """Read a page of the followers of a user, newest first; raises BadRequest, UserNotFound."""
        owner = self._relations.named(name, "handle")
        self._relations.of(owner, handle)
        return self._pages.page(self._follows.followers, owner, cursor, limit)
