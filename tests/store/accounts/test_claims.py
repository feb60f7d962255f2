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
    return Claims(store)


def test_new_claim_excludes_everybody_for_a_while(claims: Claims, raw: RawClient) -> None:
    """A new claim holds for a while against everybody, including its claimer."""
    assert claims.claim("email", EMAIL, "ann")

    life: Any = raw.ttl(KEY)
    assert 0 < life <= CLAIM_SECONDS
    assert claims.holder("email", EMAIL) == "ann"
    assert not claims.claim("email", EMAIL, "bob")
    assert not claims.claim("email", EMAIL, "ann")
    assert claims.claim("identity", EMAIL, "bob")


def test_an_unsettled_claim_ends(claims: Claims, raw: RawClient) -> None:
    """What is not settled in time is free again."""
    claims.claim("email", EMAIL, "ann")
    raw.pexpire(KEY, 20)

    assert eventually(lambda: claims.holder("email", EMAIL) is None)
    assert claims.claim("email", EMAIL, "bob")
    assert not claims.settle("email", EMAIL, "ann")
    assert claims.holder("email", EMAIL) == "bob"


def test_settled_claim_stays_and_can_be_settled_again(claims: Claims, raw: RawClient) -> None:
    """A settled claim stays, and can be settled again; settling a free name claims it."""
    claims.claim("email", EMAIL, "ann")

    assert claims.settle("email", EMAIL, "ann")
    assert claims.settle("email", EMAIL, "ann")
    assert raw.ttl(KEY) == -1
    assert not claims.settle("email", EMAIL, "bob")
    assert claims.settle("email", "free@example.org", "bob")
    assert claims.holder("email", "free@example.org") == "bob"


def test_a_settled_claim_gets_no_end(claims: Claims, raw: RawClient) -> None:
    """To claim what is settled, by whomever, does not make it end."""
    claims.settle("email", EMAIL, "ann")
    for handle in ("ann", "bob"):
        assert not claims.claim("email", EMAIL, handle)

    assert raw.ttl(KEY) == -1


def test_only_its_owner_releases_a_claim(claims: Claims) -> None:
    """A claim is released by its owner, and by nobody else."""
    claims.settle("email", EMAIL, "ann")

    claims.release("email", EMAIL, "bob")
    assert claims.holder("email", EMAIL) == "ann"
    claims.release("email", EMAIL, "ann")
    claims.release("email", EMAIL, "ann")
    assert claims.holder("email", EMAIL) is None
    assert claims.claim("email", EMAIL, "bob")


def test_200_claim_one_email(valkey: Engine) -> None:
    """Of 200 threads that claim one email at once, one has it."""
    valkey.resume()
    valkey.start()
    valkey.flush()
    claims = Claims(connect(settings_for(valkey)))
    handles = [f"user{number}" for number in range(200)]
    with ThreadPoolExecutor(200) as pool:
        got = list(pool.map(lambda handle: claims.claim("email", EMAIL, handle), handles))

    assert [handle for handle, one in zip(handles, got, strict=True) if one] == [
        claims.holder("email", EMAIL)
    ]
