"""Claims, on every kind of store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.store import keys
from chalicelib.store.accounts.claims import CLAIM_SECONDS, Claims
from chalicelib.store.redis.client import Store, connect
from tests.servers.engines import Engine
from tests.servers.waiting import eventually
from tests.store.log_records import RawClient, settings_for

EMAIL = "ann@example.org"
KEY = keys.claim("email", EMAIL)


@pytest.fixture
def claims(store: Store) -> Claims:
    """The claims under test."""
    return Claims()


def test_new_claim_excludes_everybody_for_a_while(store: Store, claims: Claims, raw: RawClient) -> None:
    """A new claim holds for a while against everybody, including its claimer."""
    assert store.run(claims.claim("email", EMAIL, "ann"))

    life: Any = raw.ttl(KEY)
    assert 0 < life <= CLAIM_SECONDS
    assert store.run(claims.holder("email", EMAIL)) == "ann"
    assert not store.run(claims.claim("email", EMAIL, "bob"))
    assert not store.run(claims.claim("email", EMAIL, "ann"))
    assert store.run(claims.claim("identity", EMAIL, "bob"))


def test_an_unsettled_claim_ends(store: Store, claims: Claims, raw: RawClient) -> None:
    """A claim that is not settled in time ends, and the name is free again."""
    store.run(claims.claim("email", EMAIL, "ann"))
    raw.pexpire(KEY, 20)

    assert eventually(lambda: store.run(claims.holder("email", EMAIL)) is None)
    assert store.run(claims.claim("email", EMAIL, "bob"))
    assert not store.run(claims.settle("email", EMAIL, "ann"))
    assert store.run(claims.holder("email", EMAIL)) == "bob"


def test_settled_claim_stays_and_can_be_settled_again(store: Store, claims: Claims, raw: RawClient) -> None:
    """A settled claim stays, and can be settled again; settling a free name claims it."""
    store.run(claims.claim("email", EMAIL, "ann"))

    assert store.run(claims.settle("email", EMAIL, "ann"))
    assert store.run(claims.settle("email", EMAIL, "ann"))
    assert raw.ttl(KEY) == -1
    assert not store.run(claims.settle("email", EMAIL, "bob"))
    assert store.run(claims.settle("email", "free@example.org", "bob"))
    assert store.run(claims.holder("email", "free@example.org")) == "bob"


def test_a_settled_claim_gets_no_end(store: Store, claims: Claims, raw: RawClient) -> None:
    """Another claim on a settled name, by any user, gives it no expiry."""
    store.run(claims.settle("email", EMAIL, "ann"))
    for handle in ("ann", "bob"):
        assert not store.run(claims.claim("email", EMAIL, handle))

    assert raw.ttl(KEY) == -1


def test_only_its_owner_releases_a_claim(store: Store, claims: Claims) -> None:
    """Only its owner releases a claim."""
    store.run(claims.settle("email", EMAIL, "ann"))

    store.run(claims.release("email", EMAIL, "bob"))
    assert store.run(claims.holder("email", EMAIL)) == "ann"
    store.run(claims.release("email", EMAIL, "ann"))
    store.run(claims.release("email", EMAIL, "ann"))
    assert store.run(claims.holder("email", EMAIL)) is None
    assert store.run(claims.claim("email", EMAIL, "bob"))


def test_200_claim_one_email(valkey: Engine) -> None:
    """Of 200 threads that claim one email at once, one gets it."""
    valkey.resume()
    valkey.start()
    valkey.flush()
    store, claims = connect(settings_for(valkey)), Claims()
    handles = [f"user{number}" for number in range(200)]
    with ThreadPoolExecutor(200) as pool:
        got = list(pool.map(lambda handle: store.run(claims.claim("email", EMAIL, handle)), handles))

    assert [handle for handle, one in zip(handles, got, strict=True) if one] == [
        store.run(claims.holder("email", EMAIL))
    ]
