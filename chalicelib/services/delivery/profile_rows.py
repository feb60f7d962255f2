"""The rows of direct chats after a change of one user's name or picture, which both users' rows show."""

from __future__ import annotations

from collections import defaultdict

from chalicelib.services.delivery.display_names import DisplayNames
from chalicelib.services.delivery.row_push import RowPush, SeenRow
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.redis.client import Store
from chalicelib.store.social.blocks import Blocks

MAX_CHATS = 100
"""Maximum number of direct chats that move, the last active ones; the others show the change later."""
MAX_READ = 500
"""Maximum number of chats of all kinds among which the direct chats are found."""


class ProfileRows:
    """Moves a user's direct chats in both inboxes, so that each sync has them, and pushes their rows.

    Users who block the user get no frame: else a name would be a text that reaches them.
    """

    def __init__(self, store: Store, inboxes: Inboxes, row_push: RowPush, names: DisplayNames) -> None:
        self._store = store
        self._inboxes = inboxes
        self._row_push = row_push
        self._names = names

    def deliver(self, handle: str) -> None:
        """Move and push the rows of a user's direct chats; repeating it moves them again.

        Takes two round trips, and two for the rows. Raises StoreUnavailable, StoreFull.
        """
        self._names.forget(handle)
        active = self._store.run(self._inboxes.active(handle, None, -1, MAX_READ))
        chats = [row.member for row in active.rows if ":" in row.member][:MAX_CHATS]
        by_user: dict[str, list[str]] = defaultdict(list)
        for chat in chats:
            for user in dict.fromkeys(chat.split(":")):
                by_user[user].append(chat)
        if not by_user:
            return
        moved, blockers = self._store.run_both(
            self._inboxes.move(by_user), Blocks.blocking(by_user.keys() - {handle}, handle)
        )
        self._row_push.push(
            SeenRow(chat, user) for user, there in moved.items() if user not in blockers for chat in there
        )
