"""Daily quotas of a user."""

from __future__ import annotations

from chalicelib.store import keys
from chalicelib.store.accounts.daily_quotas import DAY_SECONDS, DailyQuotas
from chalicelib.store.redis.client import Store
from tests.store.log_records import RawClient


def test_a_quota_of_a_clock_that_fell_back(store: Store, raw: RawClient) -> None:
    """A quota delays a user by at most a day, whatever the store's clock was at the first use."""
    assert [store.run(DailyQuotas.take_group("ann", 1)) for _ in range(2)] == [0, DAY_SECONDS]
    raw.expire(keys.groups_made("ann"), 365 * DAY_SECONDS)

    assert 0 < store.run(DailyQuotas.take_group("ann", 1)) <= DAY_SECONDS
