"""Sessions: begun, authenticated by, extended, listed and ended."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.store import keys
from chalicelib.store.accounts.rate_limits import Rate, RateLimits
from chalicelib.store.accounts.sessions import MAX_SESSIONS, Credential, Details, Sessions, id_of
from chalicelib.store.redis.client import Store, connect
from tests.servers.engines import Engine
from tests.store.account_records import (
    DAY,
    HELD,
    HOUR,
    MINUTE,
    clock,
    fields_of,
    session,
    write_account,
    write_session,
)
from tests.store.log_records import RawClient, settings_for

DIGEST = bytes(range(32))
OTHER = b"\xff" * 32
HOME = Details("192.0.2.7", "curl/8")
AWAY = Details("198.51.100.9", "phone")
TOKEN = Credential("ann", DIGEST)
NO_EXPIRY = -1


@pytest.fixture
def sessions(store: Store) -> Sessions:
    """The sessions under test."""
    return Sessions()


@pytest.fixture
def ann(raw: RawClient) -> str:
    """A user with an account."""
    write_account(raw, "ann")
    return "ann"


def authenticate(
    store: Store, shown: Credential = TOKEN, *, kind: str = "read", limit: int = 0, details: Details = AWAY
) -> Rate | None:
    """Authenticate a caller."""
    return store.run(Sessions().authenticate(shown, kind, limit, details))


def digest(number: int) -> bytes:
    """Return a digest that differs by number."""
    return number.to_bytes(8, "big") * 4


# --- add_session --------------------------------------------------------------------------------------------


def test_session_expires_thirty_days_after_its_login(
    store: Store, sessions: Sessions, raw: RawClient, ann: str
) -> None:
    """A session starts now, expires in 30 days, and records where it was started."""
    before = clock(raw)
    expires = store.run(sessions.add(ann, HELD, DIGEST, HOME))
    after = clock(raw)

    (device,) = store.run(sessions.of(ann))
    assert before <= device.made == device.seen <= after
    assert device.expires == expires == device.made + 30 * DAY
    assert (device.id, device.details) == (DIGEST[:8].hex(), HOME)
    assert raw.ttl(keys.sessions(ann)) == NO_EXPIRY


@pytest.mark.parametrize("held", ["$argon2id$another", "", HELD + " "])
def test_a_password_that_was_changed_in_between(
    store: Store, sessions: Sessions, raw: RawClient, ann: str, held: str
) -> None:
    """A login whose password has changed meanwhile begins no session and changes no hash."""
    assert store.run(sessions.add(ann, held, DIGEST, HOME, rehash="$argon2id$new")) == 0
    assert store.run(sessions.of(ann)) == []
    assert fields_of(raw, keys.user(ann))["password"] == HELD.encode()


def test_a_login_without_account(store: Store, sessions: Sessions, raw: RawClient) -> None:
    """An unknown, a deleted and a passwordless account begin no session."""
    assert store.run(sessions.add("nobody", HELD, DIGEST, HOME)) == 0
    assert store.run(sessions.add("nobody", "", DIGEST, HOME)) == 0
    raw.hset(keys.user("ann"), mapping={"made": 1, "identity": b"x"})
    assert store.run(sessions.add("ann", "", DIGEST, HOME)) == 0
    write_account(raw, "ann", deleted=1)
    assert store.run(sessions.add("ann", HELD, DIGEST, HOME)) == 0
    assert list(raw.scan_iter(match="*sessions*")) == []


def test_login_stores_a_new_hash_in_the_same_step(
    store: Store, sessions: Sessions, raw: RawClient, ann: str
) -> None:
    """A login stores the same password with today's parameters in the same step."""
    assert store.run(sessions.add(ann, HELD, DIGEST, HOME, rehash="$argon2id$new"))
    assert fields_of(raw, keys.user(ann))["password"] == b"$argon2id$new"


def test_the_oldest_gives_way(store: Store, sessions: Sessions, raw: RawClient, ann: str) -> None:
    """A user has at most 100 sessions; expired ones are replaced first, then the one unused for longest."""
    now = clock(raw)
    for number in range(MAX_SESSIONS):
        write_session(raw, ann, digest(number), now - DAY, now - HOUR - (number * 37) % 100, now + DAY)
    write_session(raw, ann, digest(999), now - 9 * DAY, now - 8 * DAY, now - DAY)

    assert store.run(sessions.add(ann, HELD, DIGEST, HOME))

    ids = {device.id for device in store.run(sessions.of(ann))}
    gone = {id_of(digest(number)) for number in (*range(MAX_SESSIONS), 999)} - ids
    oldest = max(range(MAX_SESSIONS), key=lambda number: (number * 37) % 100)
    assert gone == {id_of(digest(999)), id_of(digest(oldest))}
    assert len(ids) == MAX_SESSIONS


def test_many_logins_at_once(valkey: Engine) -> None:
    """Of 150 logins at once 100 sessions are left, each whole."""
    valkey.resume()
    valkey.start()
    valkey.flush()
    write_account(valkey.nodes[0], "ann")
    store, sessions = connect(settings_for(valkey)), Sessions()
    with ThreadPoolExecutor(20) as pool:
        begun = list(
            pool.map(lambda number: store.run(sessions.add("ann", HELD, digest(number), HOME)), range(150))
        )

    assert all(begun)
    assert len(store.run(sessions.of("ann"))) == MAX_SESSIONS


# --- authenticate: by token ---------------------------------------------------------------------------------


def test_a_token_is_let_in(store: Store, sessions: Sessions, ann: str) -> None:
    """The token of a session authenticates; without limits no rate is kept."""
    store.run(sessions.add(ann, HELD, DIGEST, HOME))

    assert authenticate(store) == Rate(0, 0, 0, 0)


@pytest.mark.parametrize(
    "shown",
    [
        Credential("ann", OTHER),
        Credential("ann", DIGEST[:31]),
        Credential("ann", DIGEST + b"\0"),
        Credential("bob", DIGEST),
        Credential("nobody", DIGEST),
        Credential("ann", DIGEST[::-1]),
        Credential("ann"),
        Credential("ann", identity=b"", signed=2**52),
    ],
)
def test_another_token_is_refused(
    store: Store, sessions: Sessions, raw: RawClient, ann: str, shown: Credential
) -> None:
    """A token that is not the user's is refused, and leaves nothing in the store."""
    write_account(raw, "bob")
    store.run(sessions.add(ann, HELD, DIGEST, HOME))
    before = set(raw.scan_iter())

    assert authenticate(store, shown, limit=5) is None
    assert set(raw.scan_iter()) == before


def test_an_expired_session_is_refused(store: Store, raw: RawClient, ann: str) -> None:
    """An expired session is refused and removed; one with a second left authenticates."""
    now = clock(raw)
    write_session(raw, ann, DIGEST, now - 40 * DAY, now - 31 * DAY, now - 1)
    write_session(raw, ann, OTHER, now - 40 * DAY, now - 29 * DAY, now + 60_000_000)

    assert authenticate(store) is None
    assert session(raw, ann, DIGEST) is None
    assert authenticate(store, Credential(ann, OTHER)) is not None


def test_use_within_the_hour_writes_nothing(store: Store, raw: RawClient, ann: str) -> None:
    """A session used again within an hour stays as it is: a request costs no write for it."""
    now = clock(raw)
    write_session(raw, ann, DIGEST, now - 5 * DAY, now - HOUR + MINUTE, now + 7 * DAY)
    before = raw.hget(keys.sessions(ann), DIGEST)

    assert authenticate(store) is not None
    assert raw.hget(keys.sessions(ann), DIGEST) == before


def test_a_clock_that_fell_back(store: Store, raw: RawClient, ann: str) -> None:
    """A session that began by a clock a year ahead ends 30 days after its next use, like any other."""
    ahead = clock(raw) + 365 * DAY
    write_session(raw, ann, DIGEST, ahead, ahead, ahead + 30 * DAY)

    assert authenticate(store) is not None

    made, seen, expires = session(raw, ann, DIGEST) or (0, 0, 0)
    assert made == seen <= clock(raw)
    assert expires == seen + 30 * DAY


def test_use_after_an_hour_slides(store: Store, sessions: Sessions, raw: RawClient, ann: str) -> None:
    """A use after an hour moves the end of a session to 30 days from now."""
    now = clock(raw)
    write_session(raw, ann, DIGEST, now - 5 * DAY, now - HOUR, now + DAY)

    assert authenticate(store) is not None

    made, seen, expires = session(raw, ann, DIGEST) or (0, 0, 0)
    assert made == now - 5 * DAY
    assert now <= seen <= clock(raw)
    assert expires == seen + 30 * DAY
    assert store.run(sessions.of(ann))[0].details == AWAY


def test_no_session_lives_beyond_90_days(store: Store, raw: RawClient, ann: str) -> None:
    """Used daily, a session ends 90 days after its login all the same."""
    now = clock(raw)
    write_session(raw, ann, DIGEST, now - 89 * DAY, now - DAY, now + HOUR)
    assert authenticate(store) is not None
    assert session(raw, ann, DIGEST) is not None
    made, _, expires = session(raw, ann, DIGEST) or (0, 0, 0)
    assert expires == made + 90 * DAY

    write_session(raw, ann, DIGEST, now - 90 * DAY, now - DAY, now - 90 * DAY + 90 * DAY)
    assert authenticate(store) is None


def test_a_slide_leaves_the_key_without_an_end(
    store: Store, sessions: Sessions, raw: RawClient, ann: str
) -> None:
    """To slide a session gives its key no time at which it goes."""
    store.run(sessions.add(ann, HELD, OTHER, HOME))
    now = clock(raw)
    write_session(raw, ann, DIGEST, now - 5 * DAY, now - 2 * HOUR, now + DAY)

    authenticate(store)

    assert raw.ttl(keys.sessions(ann)) == NO_EXPIRY


def test_a_refused_request_does_not_slide(store: Store, raw: RawClient, ann: str) -> None:
    """A request over its limit is refused with a wait, and does not extend the session."""
    now = clock(raw)
    write_session(raw, ann, DIGEST, now - 5 * DAY, now - MINUTE, now + DAY)
    authenticate(store, limit=1)
    write_session(raw, ann, DIGEST, now - 5 * DAY, now - 2 * HOUR, now + DAY)

    refused = authenticate(store, limit=1)

    assert refused is not None
    assert refused.wait > 0
    assert session(raw, ann, DIGEST) == (now - 5 * DAY, now - 2 * HOUR, now + DAY)


# --- authenticate: limits -----------------------------------------------------------------------------------


def test_the_limit_of_a_session(store: Store, sessions: Sessions, ann: str) -> None:
    """A session passes up to its limit; the reply has what is left, and then the wait."""
    store.run(sessions.add(ann, HELD, DIGEST, HOME))

    rates = [authenticate(store, limit=3) for _ in range(4)]

    assert [(rate.left, rate.wait > 0) for rate in rates if rate] == [
        (2, False),
        (1, False),
        (0, False),
        (0, True),
    ]
    assert rates[3] is not None
    assert rates[3].wait <= 20_000_000


def test_the_limit_of_a_user(store: Store, sessions: Sessions, ann: str) -> None:
    """All sessions of a user together have twice the limit of one; another user has their own."""
    for number in range(3):
        store.run(sessions.add(ann, HELD, digest(number), HOME))

    passed = []
    for number in (0, 1, 2):
        rates = [authenticate(store, Credential(ann, digest(number)), limit=2) for _ in range(3)]
        passed.append(sum(not rate.wait for rate in rates if rate))

    assert passed == [2, 2, 0]


def test_a_request_of_a_cost(store: Store, sessions: Sessions, ann: str) -> None:
    """A request takes its cost, from the limit that the session's frames share."""
    store.run(sessions.add(ann, HELD, DIGEST, HOME))
    costs = [store.run(Sessions().authenticate(TOKEN, "read", 10, AWAY, cost)) for cost in (4, 7, 6)]

    assert [(rate.left, rate.wait > 0) for rate in costs if rate] == [(6, False), (0, True), (0, False)]
    assert store.run(RateLimits.of_user(ann, DIGEST, "read", 10)).wait


def test_limits_by_class(store: Store, sessions: Sessions, raw: RawClient, ann: str) -> None:
    """Each class of routes has a limit of its own; its state expires after two minutes."""
    store.run(sessions.add(ann, HELD, DIGEST, HOME))
    authenticate(store, limit=1)

    assert (authenticate(store, limit=1) or Rate(0, 0, 0)).wait
    assert not (authenticate(store, limit=1, kind="write") or Rate(0, 0, 0, 1)).wait
    states = {name.partition(":")[0] for name in fields_of_bytes(raw, keys.user_limits(ann))}
    assert states == {"read", "write"}
    life: Any = raw.ttl(keys.user_limits(ann))
    assert 0 < life <= 120


def fields_of_bytes(raw: RawClient, key: str) -> list[str]:
    """Return the names of a HASH's fields, whatever bytes they have."""
    held: Any = raw.hkeys(key)
    return [name.decode("latin-1") for name in held]


def test_a_limit_that_is_used_up_by_hand(store: Store, sessions: Sessions, raw: RawClient, ann: str) -> None:
    """A state that lies half a minute ahead leaves half of the limit."""
    store.run(sessions.add(ann, HELD, DIGEST, HOME))
    state = str(clock(raw) + 30_000_000)
    raw.hset(keys.user_limits(ann), b"read:" + DIGEST[:8], state)

    rate = authenticate(store, limit=10)

    assert rate is not None
    assert (rate.left, rate.wait) == (4, 0)


def test_states_of_ended_sessions_go(store: Store, sessions: Sessions, raw: RawClient, ann: str) -> None:
    """Repeated logins keep only the rate states that still matter."""
    store.run(sessions.add(ann, HELD, DIGEST, HOME))
    now = clock(raw)
    old: dict[Any, Any] = {b"read:" + bytes([number // 256, number % 256] * 4): now for number in range(600)}
    raw.hset(keys.user_limits(ann), mapping=old)
    raw.hset(keys.user_limits(ann), "write", now + 30_000_000)

    assert authenticate(store, limit=10) is not None

    states = {name.partition(":")[0] for name in fields_of_bytes(raw, keys.user_limits(ann))}
    assert states == {"read", "write"}
    assert raw.hlen(keys.user_limits(ann)) == 3


def test_many_requests_at_once(valkey: Engine) -> None:
    """At most the limit of 100 requests by 20 concurrent threads passes."""
    valkey.resume()
    valkey.start()
    valkey.flush()
    store = connect(settings_for(valkey))
    write_account(valkey.nodes[0], "ann")
    store.run(Sessions().add("ann", HELD, DIGEST, HOME))
    with ThreadPoolExecutor(20) as pool:
        rates = list(pool.map(lambda _: authenticate(store, limit=5), range(100)))

    assert sum(not rate.wait for rate in rates if rate) == 5


# --- authenticate: by signed identity -----------------------------------------------------------------------

IDENTITY = b"\x07" * 32


def signed(at: int, handle: str = "ann", identity: bytes = IDENTITY) -> Credential:
    """Return the credentials of a signed identity; at: signing time, in µs."""
    return Credential(handle, identity=identity, signed=at)


def test_signed_identity_authenticates_its_own_account_alone(store: Store, raw: RawClient) -> None:
    """An identity authenticates as its account and as no other; limits apply."""
    now = clock(raw)
    write_account(raw, "ann", identity=IDENTITY)
    write_account(raw, "bob", identity=b"\x08" * 32)
    write_account(raw, "cid")

    assert authenticate(store, signed(now), limit=1) is not None
    assert (authenticate(store, signed(now), limit=1) or Rate(0, 0, 0)).wait
    assert authenticate(store, signed(now, "bob")) is None
    assert authenticate(store, signed(now, "cid")) is None
    assert authenticate(store, signed(now, "nobody")) is None
    assert authenticate(store, signed(now, identity=b"")) is None


def test_a_signed_identity_of_a_deleted_account(store: Store, raw: RawClient) -> None:
    """An account under deletion refuses its signed identities, although its fields still exist."""
    write_account(raw, "ann", identity=IDENTITY, deleted=1)

    assert authenticate(store, signed(clock(raw))) is None


def test_signed_before_all_was_ended(store: Store, sessions: Sessions, raw: RawClient) -> None:
    """A token signed before the user ended everything is refused; one signed later authenticates."""
    now = clock(raw)
    write_account(raw, "ann", identity=IDENTITY)
    store.run(sessions.end_all("ann"))

    assert authenticate(store, signed(now)) is None
    assert authenticate(store, signed(clock(raw) + 1)) is not None
    since = int(fields_of(raw, keys.user("ann"))["since"])
    assert authenticate(store, signed(since)) is None
    assert authenticate(store, signed(since + 1)) is not None


# --- devices, end_sessions ----------------------------------------------------------------------------------


def test_sessions_are_listed_by_latest_use(
    store: Store, sessions: Sessions, raw: RawClient, ann: str
) -> None:
    """Sessions are listed by their last use, the latest first; an unknown user has none."""
    now = clock(raw)
    for number, seen in enumerate((now - DAY, now, now - HOUR)):
        write_session(raw, ann, digest(number), now - 2 * DAY, seen, now + DAY)

    assert [device.id for device in store.run(sessions.of(ann))] == [id_of(digest(n)) for n in (1, 2, 0)]
    assert store.run(sessions.of("nobody")) == []


def test_ended_session_is_refused_and_others_continue(store: Store, sessions: Sessions, ann: str) -> None:
    """An ended session is refused at once; the user's others, and other users', continue."""
    for one in (DIGEST, OTHER):
        store.run(sessions.add(ann, HELD, one, HOME))

    assert store.run(sessions.end(ann, id_of(DIGEST))) is True
    assert store.run(sessions.end(ann, id_of(DIGEST))) is False
    assert authenticate(store) is None
    assert authenticate(store, Credential(ann, OTHER)) is not None


def test_another_users_session(store: Store, sessions: Sessions, raw: RawClient, ann: str) -> None:
    """A user cannot end another user's session by its id."""
    write_account(raw, "bob")
    store.run(sessions.add(ann, HELD, DIGEST, HOME))

    assert store.run(sessions.end("bob", id_of(DIGEST))) is False
    assert authenticate(store) is not None


def test_to_end_one_leaves_signed_identities(store: Store, sessions: Sessions, raw: RawClient) -> None:
    """Ending one session does not end identities signed by an outside issuer."""
    write_account(raw, "ann", identity=IDENTITY)
    now = clock(raw)
    store.run(sessions.add("ann", HELD, DIGEST, HOME))
    store.run(sessions.end("ann", id_of(DIGEST)))

    assert authenticate(store, signed(now)) is not None


def test_ending_all_sessions_ends_them_at_once(
    store: Store, sessions: Sessions, raw: RawClient, ann: str
) -> None:
    """All sessions end at once; ending those of an unknown user creates nothing."""
    for number in range(5):
        store.run(sessions.add(ann, HELD, digest(number), HOME))

    store.run(sessions.end_all(ann))
    store.run(sessions.end_all("nobody"))

    assert store.run(sessions.of(ann)) == []
    assert all(authenticate(store, Credential(ann, digest(number))) is None for number in range(5))
    assert raw.exists(keys.user("nobody")) == 0


# --- a store that is full -----------------------------------------------------------------------------------


def test_full_store_still_authenticates_limits_and_logs_out(
    engine: Engine, store: Store, sessions: Sessions, ann: str
) -> None:
    """Without memory users are still authenticated and limited, and can still log out."""
    store.run(sessions.add(ann, HELD, DIGEST, HOME))
    for node in engine.nodes:
        node.config_set("maxmemory", 1)
    try:
        assert (authenticate(store, limit=2) or Rate(0, 0, 0)).left == 1
        assert len(store.run(sessions.of(ann))) == 1
        assert store.run(sessions.end(ann, id_of(DIGEST)))
        assert authenticate(store, limit=2) is None
    finally:
        for node in engine.nodes:
            node.config_set("maxmemory", 0)
