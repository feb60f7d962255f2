"""Several queries in one round trip: each gets its own reply, whatever happens on the way."""

from __future__ import annotations

import functools
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
import redis
from redis.crc import key_slot

from chalicelib.config import Settings
from chalicelib.errors import StoreUnavailable
from chalicelib.store import keys, partitions
from chalicelib.store.redis.client import PIPELINE, Store, connect
from chalicelib.store.redis.query import Query
from tests.servers.engines import Engine, ValkeyEngine
from tests.servers.faults import CHUNK, CuttingProxy, RefusingServer
from tests.store.log_records import RawClient, settings_for

USERS = [f"user{number}" for number in range(12)]


def reading(handle: str) -> Query[Any]:
    """Return the query for a user's key that `written` has set."""
    return Query("GET", (keys.user(handle),))


def written(raw: RawClient, handles: list[str]) -> list[bytes]:
    """Write each user's own name in their key, and return the names."""
    for handle in handles:
        raw.set(keys.user(handle), handle)
    return [handle.encode() for handle in handles]


def test_results_are_in_the_order_of_the_queries(store: Store, raw: RawClient) -> None:
    """Queries of many slots in one round trip are answered in their order."""
    names = written(raw, USERS)

    assert store.run_all(map(reading, USERS)) == names
    assert store.run_all(map(reading, USERS[::-1])) == names[::-1]
    assert store.run_all([]) == []
    assert store.run_both(reading("user3"), reading("nobody")) == (b"user3", None)


def pair(at: int, reply: Any) -> tuple[int, Any]:
    """Return a reply with the index of its query."""
    return at, reply


def test_each_query_reads_its_own_reply(store: Store, raw: RawClient) -> None:
    """Each result is its own query's `read` of its own reply."""
    written(raw, USERS)
    readers: list[Callable[[Any], Any]] = [functools.partial(pair, at) for at in range(len(USERS))]
    queries = [reading(handle).map(read) for handle, read in zip(USERS, readers, strict=True)]

    assert store.run_all(queries) == [(at, handle.encode()) for at, handle in enumerate(USERS)]
    assert store.run(queries[5]) == (5, b"user5")


def test_many_queries_take_several_round_trips_in_order(store: Store, raw: RawClient) -> None:
    """Many queries take several round trips, in order, and none is lost between them."""
    handles = [f"user{number}" for number in range(2 * PIPELINE + 1)]
    names = written(raw, handles)

    assert store.run_all(map(reading, handles)) == names


def test_scripts_flushed_on_one_primary(engine: Engine, store: Store, raw: RawClient) -> None:
    """A server that lost its scripts runs its queries in full; all results are in order."""
    names = written(raw, USERS)
    store.run_all(map(reading, USERS))
    engine.nodes[-1].script_flush()

    assert store.run_all(map(reading, USERS)) == names
    assert store.run_all(map(reading, USERS)) == names


def test_an_error_in_the_middle(engine: Engine, store: Store, raw: RawClient) -> None:
    """A query's error is raised; the other queries have run, and no reply is left unread."""
    written(raw, USERS)
    bad: Query[Any] = Query("LPUSH", (keys.user("user5"),), ("x",))
    writes: list[Query[Any]] = [Query("SET", (keys.pending(handle),), (handle,)) for handle in USERS]

    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        store.run_all([*writes[:6], bad, *writes[6:]])

    for handle in USERS:
        assert store.run(reading(handle)) == handle.encode()
        assert raw.get(keys.pending(handle)) is not None


def test_an_error_before_forgotten_scripts(engine: Engine, store: Store, raw: RawClient) -> None:
    """Queries that had to be sent in full have run although an earlier query failed."""
    written(raw, USERS)
    bad: Query[Any] = Query("LPUSH", (keys.user("user0"),), ("x",))
    store.run(reading("user0"))
    writes: list[Query[Any]] = [Query("SET", (keys.sessions(handle),), (handle,)) for handle in USERS[1:]]
    for node in engine.nodes:
        node.script_flush()

    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        store.run_all([bad, *writes])

    assert [raw.get(keys.sessions(handle)) for handle in USERS[1:]] == [h.encode() for h in USERS[1:]]


def test_the_first_error_is_raised(store: Store, raw: RawClient) -> None:
    """Of several errors that of the first query is raised."""
    written(raw, USERS)
    none: Query[Any] = Query("NOSUCH", (keys.user("user9"),))
    wrong: Query[Any] = Query("LPUSH", (keys.user("user1"),), ("x",))

    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        store.run_all([reading("user4"), wrong, none])
    with pytest.raises(redis.ResponseError, match=r"(?i)unknown.*command"):
        store.run_all([none, wrong])


def test_callers_at_once_never_read_each_other(store: Store, raw: RawClient) -> None:
    """20 threads with one client each read their own replies, hundreds of times."""
    written(raw, USERS)

    def ask(number: int) -> bool:
        mine = [USERS[(number + step) % len(USERS)] for step in range(5)]
        return all(
            store.run_all(map(reading, mine)) == [handle.encode() for handle in mine] for _ in range(30)
        )

    with ThreadPoolExecutor(20) as pool:
        assert all(pool.map(ask, range(20)))


# --- connections that are cut -------------------------------------------------------------------------------


class HalfReplyProxy(CuttingProxy):
    """A proxy that forwards only some bytes of the next replies, then cuts the connection."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.cuts: list[int] = []

    def _carried(self, source: socket.socket, target: socket.socket, *, is_reply: bool) -> bool:
        if not (is_reply and self.cuts):
            return super()._carried(source, target, is_reply=is_reply)
        target.sendall(source.recv(CHUNK)[: self.cuts.pop(0)])
        return False


@pytest.fixture
def half_replies(valkey: ValkeyEngine) -> Iterator[HalfReplyProxy]:
    """A TCP connection to an embedded Valkey that breaks off in the middle of replies."""
    valkey.resume()
    valkey.start()
    valkey.flush()
    with HalfReplyProxy(valkey.url.removeprefix("unix://")) as proxy:
        yield proxy


@pytest.fixture
def far_store(half_replies: HalfReplyProxy, valkey: ValkeyEngine) -> Store:
    """A store behind that connection, its users written and its scripts loaded."""
    written(valkey.nodes[0], USERS)
    store = connect(settings_for(valkey, redis_url=half_replies.url))
    store.run(reading("user0"))
    return store


@pytest.mark.parametrize("bytes_", [0, 1, 5, 11, 12, 40, 100])
def test_cut_in_the_middle_of_the_replies(
    far_store: Store, half_replies: HalfReplyProxy, bytes_: int
) -> None:
    """After a cut in the middle of the replies all queries are repeated, with results in order."""
    half_replies.cuts = [bytes_]
    names = [handle.encode() for handle in USERS]

    assert far_store.run_all(map(reading, USERS)) == names
    assert far_store.run_all(map(reading, USERS[::-1])) == names[::-1]


@pytest.mark.parametrize("bytes_", [0, 1, 5, 11, 12, 40, 100])
def test_second_cut_in_a_row_is_store_unavailable(
    far_store: Store, half_replies: HalfReplyProxy, bytes_: int
) -> None:
    """Two cuts in a row are StoreUnavailable, and the next call reads none of the lost replies."""
    half_replies.cuts = [40, bytes_]

    with pytest.raises(StoreUnavailable):
        far_store.run_all(map(reading, USERS))

    assert far_store.run(reading("user7")) == b"user7"
    assert far_store.run_both(reading("user8"), reading("user9")) == (b"user8", b"user9")


def test_a_stall_in_the_middle_of_the_replies(valkey: ValkeyEngine) -> None:
    """Late replies are discarded: the next call uses a new connection."""
    valkey.flush()
    written(valkey.nodes[0], USERS)
    now = [1000.0]
    node = connect(settings_for(valkey, redis_timeout=0.5))._node
    store = Store(node, lambda: now[0])
    store.run(reading("user0"))
    valkey.pause()
    try:
        with pytest.raises(StoreUnavailable):
            store.run_all(map(reading, USERS))
    finally:
        valkey.resume()
    now[0] += 2.0

    assert store.run_both(reading("user8"), reading("user9")) == (b"user8", b"user9")


@pytest.mark.parametrize(
    "error",
    ["LOADING Redis is loading", "READONLY You can't write", "BUSY a script", "NOAUTH no", "CLUSTERDOWN x"],
)
def test_every_refusal_in_a_pipeline_is_store_unavailable(error: str) -> None:
    """Every way in which a server says that it can't serve now is StoreUnavailable in a pipeline, too."""
    with RefusingServer(error) as server, pytest.raises(StoreUnavailable):
        connect(Settings(redis_url=server.url)).run_all([reading("user1")])


# --- slots that move ----------------------------------------------------------------------------------------


@contextmanager
def owner_changed(cluster: Engine, slot: int, *, finished: bool) -> Iterator[None]:
    """Move an empty slot to the next primary for a while; not finished: the move is under way."""
    names = [str(node.execute_command("CLUSTER MYID")) for node in cluster.nodes]
    names = [name.removeprefix("b'").removesuffix("'") for name in names]
    old = slot * len(names) // 16384
    new = (old + 1) % len(names)
    cluster.nodes[new].execute_command("CLUSTER SETSLOT", slot, "IMPORTING", names[old])
    cluster.nodes[old].execute_command("CLUSTER SETSLOT", slot, "MIGRATING", names[new])
    try:
        if finished:
            for place in (new, old, 3 - old - new):
                cluster.nodes[place].execute_command("CLUSTER SETSLOT", slot, "NODE", names[new])
        yield
    finally:
        cluster.flush()
        for place in (old, new, 3 - old - new):
            cluster.nodes[place].execute_command("CLUSTER SETSLOT", slot, "STABLE")
        for place in (old, new, 3 - old - new):
            cluster.nodes[place].execute_command("CLUSTER SETSLOT", slot, "NODE", names[old])
        cluster.start()


def user_of_slot_third(third: int) -> str:
    """Return a user whose keys are on one of the three primaries."""
    users = (f"mover{number}" for number in count())
    return next(user for user in users if key_slot(keys.user(user).encode()) * 3 // 16384 == third)


@pytest.mark.parametrize("finished", [True, False], ids=["MOVED", "ASK"])
def test_a_slot_that_moves(cluster: Engine, finished: bool) -> None:
    """A query whose slot has moved, or is moving, is answered by its owner, in its order."""
    cluster.resume()
    cluster.start()
    cluster.flush()
    store = connect(settings_for(cluster))
    mover = user_of_slot_third(1)
    others = [user for user in USERS if partitions.user_partition(user) != partitions.user_partition(mover)]
    users = (*others[:4], mover, *others[4:])
    setting: list[Query[Any]] = [Query("SET", (keys.user(user),), (user,)) for user in users]
    store.run_all(setting[:4])
    with owner_changed(cluster, key_slot(keys.user(mover).encode()), finished=finished):
        store.run_all(setting)
        assert store.run_all(map(reading, users)) == [user.encode() for user in users]
        assert store.run(reading(mover)) == mover.encode()


def test_one_primary_gone_in_a_pipeline(cluster: Engine) -> None:
    """Queries to a primary that is down are StoreUnavailable, until it is back."""
    cluster.start()
    cluster.flush()
    now = [1000.0]
    store = Store(connect(settings_for(cluster))._node, lambda: now[0])
    both = [reading(user_of_slot_third(1)), reading(user_of_slot_third(2))]
    assert store.run_all(both) == [None, None]
    cluster.servers[2].end(signal.SIGKILL)
    try:
        with pytest.raises(StoreUnavailable):
            store.run_all(both)
        now[0] += 2.0
        assert store.run_all(both[:1]) == [None]
    finally:
        cluster.start()
    now[0] += 2.0
    assert store.run_all(both) == [None, None]


def test_threads_that_come_and_go(valkey: Engine) -> None:
    """Threads that make one call each get its replies, and leave no connection open."""
    valkey.flush()
    store = connect(settings_for(valkey))
    names = written(valkey.nodes[0], USERS)
    seen: list[list[Any]] = []
    for _ in range(30):
        thread = threading.Thread(target=lambda: seen.append(store.run_all(map(reading, USERS))))
        thread.start()
        thread.join()
    assert seen == [names] * 30
