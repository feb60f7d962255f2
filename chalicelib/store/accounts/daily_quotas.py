"""Daily quotas: actions that a user may do a limited number of times a day."""

from __future__ import annotations

from chalicelib.store import keys
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

TAKE_QUOTA = Script("accounts/take_quota")

DAY_SECONDS = 24 * 3600


class DailyQuotas:
    """Numbers of groups and rooms that users have made. Its key, in the partition of the user:

    `{u<NNN>}:groups_made:<handle>`: STRING, expires 24 h after it was made: the number since then.
    """

    @staticmethod
    def take_group(handle: str, limit: int) -> Query[int]:
        """Return the query that counts a group; its result is the seconds to wait, 0: the group may be made.

        limit: Maximum number of groups and rooms in 24 hours.
        """
        return Query(TAKE_QUOTA, (keys.groups_made(handle),), (limit, DAY_SECONDS), repeatable=False)
