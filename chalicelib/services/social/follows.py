"""Following, and who follows whom."""

from __future__ import annotations

from chalicelib.errors import Forbidden, UserNotFound
from chalicelib.schemas.social import PersonPage
from chalicelib.services.jobs.pending_jobs import PendingJobs
from chalicelib.services.social.contact import check_contact, check_not_blocked
from chalicelib.services.social.relations import Relations
from chalicelib.services.social.user_pages import UserPages
from chalicelib.store.social.follows import MOST_FOLLOWED, Following, Follows, item


class FollowService:
    """The rules of following.

    handle: the caller's. name, field: another's handle as the caller gave it, and where.
    """

    def __init__(self, follows: Follows, relations: Relations, pages: UserPages, work: PendingJobs) -> None:
        self._follows = follows
        self._relations = relations
        self._pages = pages
        self._work = work

    def follow(self, handle: str, name: str, field: str = "handle") -> None:
        """Follow somebody; again is fine.

        Raises BadRequest, UserNotFound, Blocked: one of the two has blocked the other; Forbidden: too many.
        """
        target = self._relations.other(handle, name, field)
        check_contact(target, self._relations.of(target, handle), needs_account=True)
        outcome = self._follows.follow(handle, target)
        if outcome == Following.NO_ACCOUNT:
            raise UserNotFound("Your account is not there any more.")
        if outcome == Following.BLOCKING:
            check_not_blocked(target, by_other=False, by_caller=True)
        if outcome == Following.TOO_MANY:
            raise Forbidden(f"You follow {MOST_FOLLOWED} users, which is the most. Unfollow one first.")
        self._work.try_now(item(handle, target))

    def unfollow(self, handle: str, name: str, field: str = "handle") -> None:
        """Follow somebody no more; again is fine. Raises BadRequest, UserNotFound."""
        target = self._relations.other(handle, name, field)
        if self._follows.unfollow(handle, target):
            self._work.try_now(item(handle, target))
        else:
            self._relations.of(target, handle)

    def following(self, handle: str, name: str, cursor: str | None, limit: int) -> PersonPage:
        """Read a page of whom somebody follows, newest first; raises BadRequest, UserNotFound."""
        owner = self._relations.named(name, "handle")
        self._relations.of(owner, handle)
        return self._pages.page(self._follows.following, owner, cursor, limit)

    def followers(self, handle: str, name: str, cursor: str | None, limit: int) -> PersonPage:
        """Read a page of who follows somebody, newest first; raises BadRequest, UserNotFound."""
        owner = self._relations.named(name, "handle")
        self._relations.of(owner, handle)
        return self._pages.page(self._follows.followers, owner, cursor, limit)
