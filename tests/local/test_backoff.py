"""The delay before a failed process is started again."""

from __future__ import annotations

from infra.local.backoff import LIVED_SECONDS, MANY, MAX_SECONDS, QUIET_SECONDS, Backoff
from tests.clock import Clock


def test_delays_double_up_to_a_bound() -> None:
    """The first failure has no delay, each further one twice the last, up to the maximum."""
    backoff = Backoff(Clock())
    delays = [backoff.failed() for _ in range(10)]
    assert delays == [0, 0.5, 1, 2, 4, 8, 16, MAX_SECONDS, MAX_SECONDS, MAX_SECONDS]


def test_a_quiet_time_ends_a_row() -> None:
    """A failure after a quiet time counts as a first one again; one before does not."""
    clock = Clock()
    backoff = Backoff(clock)
    for expected in (True, False, True):
        backoff.failed()
        assert backoff.is_first is expected
        clock.now += QUIET_SECONDS - 1 if expected else 2 * QUIET_SECONDS


def test_a_row_becomes_long_once() -> None:
    """A long row of failures is reported once."""
    backoff = Backoff(Clock())
    reports = []
    for _ in range(3 * MANY):
        backoff.failed()
        reports.append(backoff.is_many)
    assert sum(reports) == 1


def test_a_death_is_news_once_the_process_has_lived() -> None:
    """A second failure within a row is reported if the process lived since, and not if it kept dying."""
    clock = Clock()
    backoff = Backoff(clock)
    news = []
    for lived in (None, 0.5 * LIVED_SECONDS, 2 * LIVED_SECONDS, None):
        if lived is not None:
            backoff.started()
            clock.now += lived
        backoff.failed()
        news.append((backoff.is_first, backoff.is_news))
    assert news == [(True, True), (False, False), (False, True), (False, False)]
