"""What a user may do so many times a day."""

from __future__ import annotations

from chalicelib.store import keys
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

TAKE_QUOTA = Script("accounts/take_quota")

DAY_SECONDS = 24 * 3600


class DailyQuotas:
    """How many groups and rooms users have made. Its key, in the partition of the user:

    `{u<NNN>}:groups_made:<handle>`: STRING, expires 24 h after it was made: how many since then.
    """

    @staticmethod
    def take_group(handle: str, limit: int) -> Query[int]:
        """Return the query that counts a group; it replies seconds to wait, 0: the group may be made.

        limit: groups and rooms in 24 hours.
        """
        return Query(TAKE_QUOTA, (keys.groups_made(handle),), (limit, DAY_SECONDS), repeatable=False)
