"""Recently failed logins."""

from __future__ import annotations

import functools
import secrets
from typing import NamedTuple

from chalicelib.store import keys
from chalicelib.store.accounts.rate_limits import SUBSCRIBER_SHARE, sites_of
from chalicelib.store.redis.query import Batch, Query, each
from chalicelib.store.redis.scripts import Script

RECORD_LOGIN_ATTEMPT = Script("accounts/record_login_attempt")

WINDOW_SECONDS = 15 * 60
PAIR_FAILURES = 10
ADDRESS_FAILURES = 50
SPACING_SECONDS, MAX_SPACING_SECONDS = 0.1, 2.0
"""Seconds that each failure of a name beyond PAIR_FAILURES, from any address, adds between its attempts."""
REMEMBERED = 1000


class LoginAttempt(NamedTuple):
    """A counted attempt to log in.

    keys: Of its counts, those of the name from an address first. failures: Of the name from any address, in
    the window. doubt: Failures from the address in the window, and one more while the name is under attack.
    wait: Seconds until an attempt from this address may continue; 0: this one may.
    """

    id: str
    keys: tuple[str, ...]
    pairs: int
    failures: int
    doubt: int
    wait: float


class Tried(NamedTuple):
    """The count of a key: attempts before this one, µs to wait, µs since the last (None: there is none)."""

    before: int
    wait: int
    since: int | None


class LoginAttempts:
    """Failed attempts to log in. Its keys, each a ZSET of attempts by time in µs, which expires 15 minutes
    after its last write; an address is one of IPv4, or a /64 or a /56 of IPv6:

    `{u<NNN>}:tries:<name>:<address>`: as a name from an address, in the partition of the name.
    `{u<NNN>}:tries:<name>:`: as a name from anywhere.
    `{u<NNN>}:tries::<address>`: as anyone from an address, in the partition of the address.
    """

    def begin(self, name: str, address: str) -> Batch[LoginAttempt]:
        """Return the batch that counts an attempt; it runs before the password is compared.

        name: Handle or email of the login. A /56 may fail twice as often as a /64. The caller takes back an
        attempt that must wait.
        """
        attempt, sites = secrets.token_hex(8), sites_of(address)
        pairs = [keys.login_attempts(name, site) for site in sites]
        named = (*pairs, *(keys.address_attempts(site) for site in sites), keys.login_attempts(name, ""))
        limits = [
            limit * share for limit in (PAIR_FAILURES, ADDRESS_FAILURES) for share in _shares(len(sites))
        ]
        return Batch(
            [_trying(key, attempt, most) for key, most in zip(named, (*limits, 0), strict=True)],
            functools.partial(_counted, attempt, named, len(pairs)),
        )

    def take_back(self, attempt: LoginAttempt) -> Batch[list[int]]:
        """Return the batch that uncounts an attempt whose password was not compared."""
        return each(_taking_back(attempt))

    def succeed(self, attempt: LoginAttempt) -> Batch[list[int]]:
        """Return the batch that uncounts an attempt and the failures of its name from its address."""
        forgotten: list[Query[int]] = [Query("DEL", (key,)) for key in attempt.keys[: attempt.pairs]]
        return each([*forgotten, *_taking_back(attempt)])


def _shares(count: int) -> tuple[int, ...]:
    return (1, SUBSCRIBER_SHARE)[:count]


def _counted(attempt: str, named: tuple[str, ...], pairs: int, tried: list[Tried]) -> LoginAttempt:
    """Return what the counts say: of pairs, addresses, and last of the name from anywhere."""
    *counted, anywhere = tried
    attacked = anywhere.before > PAIR_FAILURES
    waits = [one.wait / 1_000_000 for one in counted]
    if attacked and (since := counted[0].since) is not None:
        spacing = min((anywhere.before - PAIR_FAILURES) * SPACING_SECONDS, MAX_SPACING_SECONDS)
        waits.append(spacing - since / 1_000_000)
    doubt = max(one.before for one in counted[pairs:]) + attacked
    return LoginAttempt(attempt, named, pairs, anywhere.before, doubt, max(0.0, *waits))


def _taking_back(attempt: LoginAttempt) -> list[Query[int]]:
    return [Query("ZREM", (key,), (attempt.id,)) for key in attempt.keys]


def _trying(key: str, attempt: str, most: int) -> Query[Tried]:
    args = (attempt, WINDOW_SECONDS * 1_000_000, most, REMEMBERED)
    return Query(
        RECORD_LOGIN_ATTEMPT,
        (key,),
        args,
        lambda reply: Tried(reply[0], reply[1], None if reply[2] < 0 else reply[2]),
    )
