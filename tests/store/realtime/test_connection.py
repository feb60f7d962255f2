"""The record of a connection by its id, on every kind of store."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.config import Secret
from chalicelib.store import keys
from chalicelib.store.inbox.index import MAX_ATTACHED
from chalicelib.store.realtime.connection import GRACE_MS, RENEWALS, Attachments, Connections, FrameSender
from chalicelib.store.redis.client import Store, connect
from tests.servers.engines import Engine
from tests.servers.serverless_limits import MAX_ARGUMENTS
from tests.store.account_records import clock, fields_of
from tests.store.connected_users import LEASE, SESSION, without_memory
from tests.store.log_records import RawClient, settings_for

BESIDE_CHATS = 4
"""Arguments of the command that attaches: EVALSHA, the script, 1, the key."""
ID = "Fz9-_xA1b2c3d4="
KEY = keys.connection(ID)
ANN = FrameSender("ann", SESSION, protobuf=False, room=None, renew=False, wait=0)


@pytest.fixture
def connections(store: Store) -> Connections:
    """The connections under test, with one of ann's."""
    connections = Connections(LEASE)
    store.run(connections.open(ID, "ann", SESSION, protobuf=False, room=None))
    return connections


def whole(raw: RawClient, field: str) -> int:
    """Return a numeric field of the connection."""
    return int(fields_of(raw, KEY)[field])


def test_stored_connection_matches_the_documented_layout(
    store: Store, connections: Connections, raw: RawClient
) -> None:
    """A stored connection has the documented layout, and expires some time after its lease."""
    before = clock(raw)
    store.run(connections.open(ID, "bob", b"", protobuf=True, room="r-tea"))
    store.run(connections.attach(ID, "g-1"))
    store.run(connections.watching(ID, "cid"))

    held = fields_of(raw, KEY)
    lease, renewed = int(held.pop("lease")), int(held.pop("renewed"))
    assert before <= renewed <= clock(raw)
    assert lease == renewed + LEASE
    fixed = {"user": b"bob", "session": b"", "flags": b"2", "room": b"r-tea"}
    assert held == {**fixed, "chat:g-1": b"", "watch:cid": b""}
    life: Any = raw.pttl(KEY)
    assert LEASE // 1000 < life <= LEASE // 1000 + GRACE_MS


def test_frame_names_its_user_if_the_connection_is_known(store: Store, connections: Connections) -> None:
    """A frame's reply names its user; for an unknown or dropped connection it is empty."""
    assert store.run(connections.frame(ID, 60)) == ANN
    store.run(connections.open("b", "bob", b"", protobuf=True, room="r-tea"))
    assert store.run(connections.frame("b", 60)) == FrameSender(
        "bob", b"", True, "r-tea", renew=False, wait=0
    )

    assert store.run(connections.frame("c", 60)) is None
    assert store.run(connections.forget(ID)) == Attachments("ann", [], [])
    assert store.run(connections.frame(ID, 60)) is None


def test_which_connections_take_protobuf(store: Store, connections: Connections) -> None:
    """A connection that takes protobuf does so also after its lease; an unknown one takes JSON."""
    narrow = Connections(1)
    store.run(narrow.open("b", "bob", b"", protobuf=True, room=None))

    asked = [connections.takes_protobuf(one) for one in (ID, "b", "nobody")]
    assert store.run_all(asked) == [False, True, False]


def test_every_frame_renews_the_lease(store: Store, connections: Connections, raw: RawClient) -> None:
    """Every frame renews the lease; the renewal in other slots is due again after a part of it."""
    raw.hset(KEY, "lease", clock(raw) + 1_000_000)
    raw.pexpire(KEY, 100_000)
    assert store.run(connections.frame(ID, 60)) == ANN
    before = clock(raw)
    assert store.run(connections.frame(ID, 60)) == ANN
    assert whole(raw, "lease") >= before + LEASE
    life: Any = raw.pttl(KEY)
    assert life > LEASE // 1000

    raw.hset(KEY, "renewed", clock(raw) - LEASE // RENEWALS)
    assert store.run(connections.frame(ID, 60)) == ANN._replace(renew=True)
    assert whole(raw, "renewed") >= before
    assert store.run(connections.frame(ID, 60)) == ANN


def test_a_clock_that_fell_back(store: Store, connections: Connections, raw: RawClient) -> None:
    """A connection renewed at a later time than now is renewed by its next frame, and lives on."""
    raw.hset(KEY, "renewed", clock(raw) + 10 * LEASE)
    raw.hset(KEY, "lease", clock(raw) + 11 * LEASE)

    assert store.run(connections.frame(ID, 60)) == ANN._replace(renew=True)
    assert whole(raw, "renewed") <= clock(raw)
    assert whole(raw, "lease") <= clock(raw) + LEASE
    assert store.run(connections.frame(ID, 60)) == ANN


def test_a_lease_that_is_over(store: Store, connections: Connections, raw: RawClient) -> None:
    """A connection after its lease takes no frames, and its attachments are still known."""
    store.run(connections.attach(ID, "g-1"))
    raw.hset(KEY, "lease", clock(raw))

    assert store.run(connections.frame(ID, 60)) is None
    assert store.run(connections.attachments(ID)) == Attachments("ann", ["g-1"], [])


def test_frames_beyond_the_limit_wait_and_still_renew(
    store: Store, connections: Connections, raw: RawClient
) -> None:
    """As many frames as the limit pass at once; the next gets its wait, and still renews the lease."""
    assert [store.run(connections.frame(ID, 3)) for _ in range(3)] == [ANN] * 3
    raw.hset(KEY, "renewed", 0)
    lease = whole(raw, "lease")

    refused = store.run(connections.frame(ID, 3))

    assert refused is not None
    assert 0 < refused.wait <= 20_000_000
    assert not refused.renew
    assert whole(raw, "lease") > lease
    raw.hset(KEY, "rate", clock(raw))
    assert store.run(connections.frame(ID, 3)) == ANN._replace(renew=True)
    assert [store.run(connections.frame(ID, 0)) for _ in range(9)] == [ANN] * 9


def test_attachments_and_watches_last_until_the_drop(store: Store, connections: Connections) -> None:
    """A connection's attached chats and watched users are known until it is dropped."""
    assert store.run(connections.attach(ID, "g-2", "g-1"))
    assert store.run(connections.attach(ID, "g-1", "r-tea"))
    assert store.run(connections.detach(ID, "g-2"))
    assert not store.run(connections.detach(ID, "g-2"))
    assert store.run(connections.watching(ID, "bob", "cid")) == []
    assert store.run(connections.watching(ID, "cid", "watch:dan")) == ["bob", "cid"]

    attached = Attachments("ann", ["g-1", "r-tea"], ["cid", "watch:dan"])
    assert store.run(connections.attachments(ID)) == attached
    assert store.run(connections.watching(ID)) == attached.watched
    assert store.run(connections.forget(ID)) == attached._replace(watched=[])
    assert store.run(connections.forget(ID)) is None


def test_nothing_is_noted_of_the_unknown(store: Store, connections: Connections, raw: RawClient) -> None:
    """Late writes do not make a dropped connection again."""
    store.run(connections.forget(ID))

    assert not store.run(connections.attach(ID, "g-1"))
    assert not store.run(connections.detach(ID, "g-1"))
    assert store.run(connections.watching(ID, "bob")) == []
    assert store.run(connections.frame(ID, 60)) is None
    assert store.run(connections.attachments(ID)) is None
    assert not raw.exists(KEY)


def test_connection_attaches_to_the_maximum_of_chats(store: Store, connections: Connections) -> None:
    """A connection can attach to as many chats as a command can name, seven times the number of a hello."""
    chats = sorted(f"g-{number}" for number in range(MAX_ARGUMENTS - BESIDE_CHATS))
    assert len(chats) > 7 * MAX_ATTACHED
    assert store.run(connections.attach(ID, *chats))

    assert store.run(connections.attachments(ID)) == Attachments("ann", chats, [])


def test_full_store_still_takes_frames_and_ends_connections(
    engine: Engine, store: Store, connections: Connections
) -> None:
    """Without memory frames are still taken, and connections end."""
    store.run(connections.attach(ID, "g-1"))
    with without_memory(engine):
        assert store.run(connections.frame(ID, 60)) == ANN
        assert store.run(connections.attachments(ID)) == Attachments("ann", ["g-1"], [])
        assert store.run(connections.detach(ID, "g-1"))
        assert store.run(connections.forget(ID)) == Attachments("ann", [], [])


def test_every_key_is_declared(engine: Engine) -> None:
    """A store user with access to declared keys only can run every branch of the scripts."""
    for node in engine.nodes:
        node.execute_command("ACL SETUSER", "narrow", "on", ">pass", "+@all", f"~{KEY}")
    try:
        narrow = connect(settings_for(engine, redis_user="narrow", redis_password=Secret("pass")))
        connections = Connections(LEASE)
        narrow.run(connections.open(ID, "ann", SESSION, protobuf=False, room="r-tea"))
        assert narrow.run(connections.frame(ID, 60)) == ANN._replace(room="r-tea")
        assert narrow.run(connections.attach(ID, "g-1"))
        assert narrow.run(connections.watching(ID, "bob")) == []
        assert narrow.run(connections.forget(ID)) == Attachments("ann", ["g-1"], ["bob"])
    finally:
        for node in engine.nodes:
            node.execute_command("ACL DELUSER", "narrow")
