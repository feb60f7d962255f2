"""The names that frames show for senders."""

from __future__ import annotations

from chalicelib.services.auth.account_status import AccountStatusCache
from chalicelib.services.delivery.display_names import KEPT_SECONDS, DisplayNames
from chalicelib.store.accounts.accounts import Accounts
from chalicelib.store.accounts.user_cards import UserCards
from chalicelib.store.redis.client import Store
from tests.clock import Clock
from tests.store.account_records import write_account
from tests.store.log_records import RawClient


def names_at(store: Store, clock: Clock) -> DisplayNames:
    """Return the names of a store's users, remembered by a clock."""
    return DisplayNames(store, UserCards(), AccountStatusCache(store, Accounts(), clock), clock)


def test_names_are_read_again_when_they_are_old(store: Store, raw: RawClient) -> None:
    """A name is remembered for KEPT_SECONDS, and then read again."""
    clock = Clock(0.0)
    names = names_at(store, clock)
    write_account(raw, "ann", name="Ann")
    assert (names.known("ann"), store.run(names.query("ann")), names.known("ann")) == (None, "Ann", "Ann")

    store.run(Accounts().update("ann", {"name": "Anna"}))
    assert names.of(["ann"]) == {"ann": "Ann"}
    clock.now += KEPT_SECONDS
    assert names.known("ann") is None
    assert names.of(["ann", "bob"]) == {"ann": "Anna", "bob": ""}


def test_forgotten_name_is_read_again(store: Store, raw: RawClient) -> None:
    """A user who has changed their name shows the new one at once in the same process."""
    names = names_at(store, Clock(0.0))
    write_account(raw, "ann", name="Ann")
    names.of(["ann"])
    store.run(Accounts().update("ann", {"name": None}))
    names.forget("ann")

    assert names.of(["ann"]) == {"ann": ""}
