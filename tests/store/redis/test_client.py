"""Failures of the store become StoreUnavailable or StoreFull, soon, and no longer than they last."""

from __future__ import annotations

import signal
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
import redis
from redis.crc import key_slot

from chalicelib.config import Secret, Settings
from chalicelib.errors import StoreFull, StoreUnavailable
from chalicelib.store import keys
from chalicelib.store.accounts.rate_limits import RateLimits
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.messages.content import Content
from chalicelib.store.redis.client import BREAK_SECONDS, NotAsked, Store, connect
from chalicelib.store.redis.installed import node_of
from chalicelib.store.redis.nodes import ClusterNodes
from chalicelib.store.redis.query import Query
from tests.clock import Clock
from tests.servers.engines import Engine
from tests.servers.faults import CuttingProxy, RefusingServer
from tests.servers.waiting import eventually
from tests.store.log_records import CHAT, Log, RawClient, settings_for

pytestmark = pytest.mark.usefixtures("each_kind_of_node")

HELLO = Content("ann", "hello")
HELLO_ONCE = Content("ann", "hello", "id-1")
MAX_SECONDS = 3.0
"""The longest wait of a request for a stalled store, by the default settings."""
DEFAULT_SECONDS = Settings().redis_timeout
WAIT_SECONDS = 60.0

Call = Callable[[Log], object]
CALLS: dict[str, Call] = {
    "send": lambda log: log.append(CHAT, HELLO),
    "send with id": lambda log: log.append(CHAT, HELLO_ONCE),
    "pull": lambda log: log.after(CHAT, 0, 10),
}
EVERY_CALL = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())


@contextmanager
def time_outs() -> Iterator[list[object]]:
    """Yield a list that gets one entry for each time-out of the store."""
    found: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redis.TimeoutError, "__init__", lambda _self, *args: found.append(args))
        yield found


def unavailable(log: Log, call: Call = CALLS["send"], waits: int = 0) -> StoreUnavailable:
    """Make a call that must be refused, and return the refusal; waits: maximum number of time-outs."""
    with time_outs() as found, pytest.raises(StoreUnavailable) as raised:
        call(log)
    assert len(found) <= waits
    assert bool(found) == bool(waits)
    assert raised.value.headers["Retry-After"] == "1"
    return raised.value


def names(refused: StoreUnavailable, first: BaseException | None) -> bool:
    """Whether a refusal without a round trip names the earlier failure, and keeps no frames of it."""
    cause, failure = refused.__cause__, f"{type(first).__name__}: {first}"
    return isinstance(cause, NotAsked) and failure in str(cause) and cause.__cause__ is None


def most_waits(engine: Engine, seconds: float = DEFAULT_SECONDS) -> int:
    """Return the maximum number of waits of a call for a stalled engine; seconds: one wait's time-out."""
    return int(MAX_SECONDS / (seconds / 2 if engine.is_cluster else seconds))


def await_service(store: Store) -> None:
    """Wait until the store answers, as long as a returning store may take."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            store.ping()
        except StoreUnavailable:
            assert time.monotonic() < deadline, "the store is back and not found again"
            time.sleep(0.02)
        else:
            return


def await_new_connections(engine: Engine, settings: Settings) -> None:
    """Wait until a resumed engine answers its administrator, and new clients connect within their time-out.

    What came while it was paused is answered first, and a TLS handshake behind that may time out.
    """
    engine.start()
    await_service(Store(node_of(settings), count(0.0, 2 * BREAK_SECONDS).__next__))


def stored(log: Log) -> bool:
    """Send a message, and return whether the store was in time."""
    try:
        log.append(CHAT, HELLO)
    except StoreUnavailable:
        return False
    return True


def seqs(log: Log, chat: str = CHAT) -> list[int]:
    """Return the seqs of a chat."""
    return [entry.seq for entry in log.after(chat, 0, 1000).entries]


def dumped(raw: RawClient) -> dict[bytes, Any]:
    """Return the content of every key."""
    return {key: raw.dump(key) for key in raw.scan_iter()}


# --- scripts ------------------------------------------------------------------------------------------------


@EVERY_CALL
def test_flushed_scripts_are_loaded_again(engine: Engine, log: Log, call: Call) -> None:
    """A server that lost its scripts receives them again, in the same call."""
    call(log)
    for node in engine.nodes:
        node.script_flush()

    call(log)
    assert seqs(log) == list(range(1, len(seqs(log)) + 1))


def test_scripts_flushed_on_one_primary(cluster: Engine) -> None:
    """Only the primary that lost its scripts receives them again."""
    cluster.flush()
    log = Log(connect(settings_for(cluster)))
    chats = [f"ann:{name}" for name in "bcdefghijklm"]
    for chat in chats:
        log.append(chat, HELLO)

    cluster.nodes[1].script_flush()

    assert [log.append(chat, HELLO).seq for chat in chats] == [2] * len(chats)


# --- the nodes of a cluster ---------------------------------------------------------------------------------


def test_commands_go_to_their_owner_without_a_look_at_every_key(
    cluster: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command goes to the owner of its first key, without redis-py's own search of keys."""
    cluster.flush()
    searched: list[object] = []
    determine = redis.RedisCluster.determine_slot

    def noted(client: redis.RedisCluster, *command: Any) -> int | None:
        searched.append(command)
        return determine(client, *command)

    monkeypatch.setattr(redis.RedisCluster, "determine_slot", noted)
    store = connect(settings_for(cluster))
    log = Log(store)
    for number in range(3):
        log.append(chat_of_primary(number), HELLO_ONCE)
    store.run_all([log._log.after(chat_of_primary(number), 0, 1) for number in range(3)])
    store.ping()

    assert searched == []


def test_a_moved_slot_is_found(cluster: Engine) -> None:
    """A command to a former owner of its keys is redirected to the new one."""
    cluster.flush()
    node = ClusterNodes(settings_for(cluster))
    log = Log(Store(node))
    chat = chat_of_primary(1)
    log.append(chat, HELLO)
    client = node.client()
    slot = key_slot(keys.log(chat).encode())
    wrong = client.get_node_from_key(keys.log(chat_of_primary(2)))
    assert wrong is not None
    client.nodes_manager.slots_cache[slot] = [wrong]

    assert log.append(chat, HELLO).seq == 2
    assert seqs(log, chat) == [1, 2]


# --- connections that are cut -------------------------------------------------------------------------------


@EVERY_CALL
def test_call_succeeds_on_a_new_connection_after_a_close(engine: Engine, log: Log, call: Call) -> None:
    """A connection that the server closed between two calls is replaced, and the call succeeds."""
    call(log)
    for node in engine.nodes:
        node.client_kill_filter(_type="normal", skipme=True)

    call(log)
    assert seqs(log) == list(range(1, len(seqs(log)) + 1))


@pytest.fixture
def proxy(valkey: Engine) -> Iterator[CuttingProxy]:
    """A TCP connection to an embedded Valkey that can be cut."""
    valkey.flush()
    with CuttingProxy(valkey.url.removeprefix("unix://")) as proxy:
        yield proxy


@pytest.fixture
def far_log(proxy: CuttingProxy, valkey: Engine) -> Log:
    """Logs behind that connection."""
    return Log(connect(settings_for(valkey, redis_url=proxy.url)))


@EVERY_CALL
def test_tcp_connection_cut_between_calls(proxy: CuttingProxy, far_log: Log, call: Call) -> None:
    """A TCP connection that was closed between two calls is replaced, and the call succeeds."""
    call(far_log)
    proxy.cut_all()

    call(far_log)
    assert proxy.connections == 2


def test_send_cut_before_its_answer(proxy: CuttingProxy, far_log: Log, valkey: Engine) -> None:
    """A send without an id whose answer is lost may have happened: it is refused, and not repeated."""
    far_log.append(CHAT, HELLO)
    proxy.cut_next_reply()

    unavailable(far_log)

    assert seqs(Log(connect(settings_for(valkey)))) == [1, 2]
    assert far_log.append(CHAT, HELLO).seq == 3


def test_send_with_id_cut_before_its_answer(proxy: CuttingProxy, far_log: Log) -> None:
    """A send with an id whose answer is lost is repeated, and stored once."""
    far_log.append(CHAT, HELLO)
    proxy.cut_next_reply()

    assert far_log.append(CHAT, HELLO_ONCE).seq == 2
    assert seqs(far_log) == [1, 2]


def test_pull_cut_before_its_answer(proxy: CuttingProxy, far_log: Log) -> None:
    """A pull whose answer is lost is repeated."""
    far_log.append(CHAT, HELLO)
    proxy.cut_next_reply()

    assert seqs(far_log) == [1]


def test_send_cut_while_it_waits(engine: Engine, store: Store) -> None:
    """A send without an id whose connection is cut while it waits is refused, and not repeated."""
    log = Log(store)
    with ThreadPoolExecutor(1) as caller:
        caller.submit(log.append, CHAT, HELLO).result()
        caller.submit(store.ping).result()
        others = _clients_in_a_script(engine)
        for node in engine.nodes:
            node.client_pause(timeout=60_000, all=False)
        waiting = caller.submit(log.append, CHAT, HELLO)
        _kill_client_in_a_script(engine, but=others)
        for node in engine.nodes:
            node.client_unpause()
        with pytest.raises(StoreUnavailable):
            waiting.result(WAIT_SECONDS)

    assert seqs(log) == [1]


def _clients_in_a_script(engine: Engine) -> set[str]:
    clients = (client for node in engine.nodes for client in node.client_list())
    return {client["addr"] + client["id"] for client in clients if client["cmd"] == "evalsha"}


def _kill_client_in_a_script(engine: Engine, but: set[str]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        for node in engine.nodes:
            for client in node.client_list():
                if client["cmd"] == "evalsha" and client["addr"] + client["id"] not in but:
                    node.client_kill_filter(_id=client["id"])
                    return
    pytest.fail("no server has a client that waits for a script")


# --- a store that stalls or is gone -------------------------------------------------------------------------


@EVERY_CALL
def test_stalled_store_is_refused_then_retried_after_a_second(engine: Engine, call: Call) -> None:
    """A stalled store fails after the time-out, then at once for a second, and is then tried again."""
    clock, settings = Clock(), settings_for(engine, redis_timeout=0.5)
    log = Log(Store(node_of(settings), clock))
    await_new_connections(engine, settings)
    call(log)
    count = len(seqs(log))

    engine.pause()
    try:
        first = unavailable(log, call, most_waits(engine)).__cause__
        clock.now += BREAK_SECONDS - 0.01
        assert names(unavailable(log, call), first)
    finally:
        engine.resume()
    assert names(unavailable(log, call), first)

    await_new_connections(engine, settings)
    clock.now += 0.02
    call(log)
    assert len(seqs(log)) <= count + 2


def test_stalled_store_from_the_start(engine: Engine) -> None:
    """A store that stalls before the first connection is refused after the time-out, then at once."""
    clock, settings = Clock(), settings_for(engine, redis_timeout=0.5)
    store = Store(node_of(settings), clock)

    engine.pause()
    try:
        first = unavailable(Log(store), waits=most_waits(engine)).__cause__
        assert names(unavailable(Log(store)), first)
    finally:
        engine.resume()

    await_new_connections(engine, settings)
    clock.now += BREAK_SECONDS + 0.01
    store.ping()


def test_stalled_store_with_the_default_time_out(engine: Engine) -> None:
    """With the default settings a call waits at most 3 s for a stalled store."""
    log = Log(connect(settings_for(engine, redis_timeout=DEFAULT_SECONDS)))
    assert eventually(lambda: stored(log))

    engine.pause()
    try:
        unavailable(log, waits=most_waits(engine))
    finally:
        engine.resume()


def test_killed_store_is_unavailable_until_it_is_back(engine: Engine, log: Log, store: Store) -> None:
    """A killed store fails each call, and works again by itself once it is back."""
    log.append(CHAT, HELLO)
    engine.kill()
    for call in CALLS.values():
        unavailable(log, call)

    engine.start()

    await_service(store)
    for call in CALLS.values():
        call(log)


def test_store_that_was_never_there(engine: Engine) -> None:
    """A store that is down before the first connection is used once it is up."""
    engine.kill()
    store = connect(settings_for(engine))
    unavailable(Log(store))
    with pytest.raises(StoreUnavailable):
        store.ping()

    engine.start()

    await_service(store)
    assert Log(store).append(CHAT, HELLO).seq == 1


def test_one_primary_gone(cluster: Engine) -> None:
    """Without one primary its chats are refused and the others work; ping names the missing one."""
    cluster.flush()
    store = connect(settings_for(cluster))
    log = Log(store)
    lost, kept = (chat_of_primary(number) for number in (2, 1))
    for chat in (lost, kept):
        log.append(chat, HELLO)

    cluster.servers[2].end(signal.SIGKILL)
    unavailable(log, lambda log: log.append(lost, HELLO))
    with time_outs() as found, pytest.raises(StoreUnavailable):
        store.ping()
    assert not found
    assert log.append(kept, HELLO).seq == 2

    cluster.start()
    await_service(store)
    assert log.append(lost, HELLO).seq == 1


def chat_of_primary(number: int) -> str:
    """Return a chat on one of a cluster's three primaries, each with a third of the slots."""
    chats = (f"ann:{i}" for i in count())
    return next(chat for chat in chats if key_slot(keys.log(chat).encode()) * 3 // 16384 == number)


# --- a store that refuses -----------------------------------------------------------------------------------


@contextmanager
def configured(engine: Engine, option: str, value: int) -> Iterator[None]:
    """Set another option on every server for a while."""
    before: list[Any] = [node.config_get(option)[option] for node in engine.nodes]
    try:
        for node in engine.nodes:
            node.config_set(option, value)
        yield
    finally:
        for node, old in zip(engine.nodes, before, strict=True):
            node.config_set(option, old)


@pytest.mark.parametrize("flushed", [False, True], ids=["scripts loaded", "scripts flushed"])
def test_what_reads_is_answered_by_a_store_that_refuses_writes(
    engine: Engine, store: Store, log: Log, flushed: bool
) -> None:
    """Of a store that refuses writes, limits pass uncounted and reads are answered; writes are refused."""
    log.append(CHAT, HELLO)
    (limit,) = RateLimits.take("192.0.2.1", "read", 10).parts
    name: Query[bytes | None] = Query("HGET", (keys.user("ann"),), ("name",))
    lineage = Inboxes().register("ann", "00" * 7 + "01", 0)
    if flushed:
        for node in engine.nodes:
            node.script_flush()
    with configured(engine, "min-replicas-to-write", 1):
        assert log.after(CHAT, 0, 10)
        assert [store.run(limit).left for _ in range(2)] == [9, 9]
        one, nothing, other, unkept = store.run_all([limit, name, limit, lineage])
        assert (one.left, nothing, other.left, unkept) == (9, None, 9, None)
        with pytest.raises(StoreUnavailable):
            store.run_all([limit, Query("SADD", (keys.index_traces("ann"),), ("x",))])
    assert [store.run(limit).left for _ in range(2)] == [9, 8]


@pytest.mark.parametrize("content", [HELLO, HELLO_ONCE], ids=["send", "send with id"])
@pytest.mark.parametrize("flushed", [False, True], ids=["scripts loaded", "scripts flushed"])
def test_full_store_refuses_writes_and_still_reads(
    engine: Engine, log: Log, raw: RawClient, content: Content, flushed: bool
) -> None:
    """A store without memory is StoreFull and nothing is written; existing data can be read."""
    log.append(CHAT, Content("ann", "before"))
    written = dumped(raw)
    if flushed:
        for node in engine.nodes:
            node.script_flush()

    with configured(engine, "maxmemory", 1):
        for chat in (CHAT, "ann:cid"):
            with pytest.raises(StoreFull):
                log.append(chat, content)
        assert seqs(log) == [1]
        assert dumped(raw) == written

    assert log.append(CHAT, content).seq == 2


def test_store_without_its_replicas(engine: Engine, log: Log) -> None:
    """A server that wants more replicas than it has is StoreUnavailable, and nothing is written."""
    log.append(CHAT, HELLO)

    with configured(engine, "min-replicas-to-write", 1):
        unavailable(log)
        assert seqs(log) == [1]


@pytest.mark.parametrize("name", ["valkey", "redis7"])
def test_replica_refuses_sends_until_it_is_primary(request: pytest.FixtureRequest, name: str) -> None:
    """A server that became a replica is StoreUnavailable for a send until it is the primary again."""
    engine: Engine = request.getfixturevalue(name)
    engine.flush()
    log = Log(connect(settings_for(engine)))
    log.append(CHAT, HELLO)

    engine.nodes[0].replicaof("127.0.0.1", "1")
    try:
        unavailable(log)
    finally:
        engine.nodes[0].replicaof("NO", "ONE")

    assert log.append(CHAT, HELLO).seq == 2


def test_busy_store_is_unavailable(engine: Engine, log: Log) -> None:
    """A server that is busy with a script is StoreUnavailable."""
    log.append(CHAT, HELLO)
    with configured(engine, "lua-time-limit", 1), ThreadPoolExecutor() as others:
        endless = [others.submit(node.eval, "while true do end", 0) for node in engine.nodes]
        try:
            for node in engine.nodes:
                _await_busy(node)
            unavailable(log)
        finally:
            for node in engine.nodes:
                node.script_kill()
        for script in endless:
            with pytest.raises(redis.ResponseError):
                script.result()

    assert log.append(CHAT, HELLO).seq == 2


def _await_busy(node: redis.Redis) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            node.ping()
        except redis.ResponseError:
            return
    pytest.fail("the server never said that it is busy")


@pytest.mark.parametrize(
    "error",
    [
        "LOADING Redis is loading the dataset in memory",
        "BUSY Redis is busy running a script.",
        "NOREPLICAS Not enough good replicas to write.",
        "READONLY You can't write against a read only replica.",
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "CLUSTERDOWN The cluster is down",
        "TRYAGAIN Multiple keys request during rehashing of slot",
        "NOAUTH Authentication required.",
        "ERR max number of clients reached",
    ],
    ids=lambda error: error.partition(" ")[0],
)
@EVERY_CALL
def test_every_refusal_of_a_server_is_store_unavailable(error: str, call: Call) -> None:
    """Every way in which a server says that it can't serve now is StoreUnavailable."""
    with RefusingServer(error) as server:
        log = Log(connect(Settings(redis_url=server.url)))
        unavailable(log, call)


@pytest.mark.parametrize(
    "error",
    [
        "OOM command not allowed when used memory > 'maxmemory'.",
        "MISCONF Errors writing to the AOF file: No space left on device",
        "MISCONF Redis is configured to save RDB snapshots, but cannot.",
    ],
)
def test_refused_for_room(error: str) -> None:
    """A server without memory or disk space is StoreFull, a StoreUnavailable with a code of its own."""
    with RefusingServer(error) as server:
        log = Log(connect(Settings(redis_url=server.url)))
        assert isinstance(unavailable(log), StoreFull)


@pytest.mark.parametrize("password", ["wrong-secret", ""])
def test_wrong_password_is_unavailable_and_not_shown(engine: Engine, password: str) -> None:
    """A server that refuses the password is StoreUnavailable, and the error does not show it."""
    for node in engine.nodes:
        node.execute_command("ACL SETUSER", "visitor", "on", ">right-secret", "+@all", "~*")
    settings = settings_for(engine, redis_user="visitor", redis_password=Secret(password))
    try:
        error = unavailable(Log(connect(settings)))
    finally:
        for node in engine.nodes:
            node.execute_command("ACL DELUSER", "visitor")

    shown = "".join(traceback.format_exception(error)) + repr(error.__cause__) + error.problem().decode()
    assert "secret" not in shown
    assert "PARLEY_REDIS_PASSWORD" in str(error.__cause__)


def test_a_defect_is_not_an_outage(engine: Engine, log: Log, raw: RawClient) -> None:
    """An error that every server would give is raised as it is, and breaks nothing."""
    raw.set(keys.log(CHAT), "not a list")

    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        log.append(CHAT, HELLO)

    assert log.append("ann:cid", HELLO).seq == 1


def clients_of(engine: Engine) -> int:
    """Return the number of our connections to the only server."""
    (node,) = engine.nodes
    return sum(client["name"] == "parley" for client in node.client_list())


def test_threads_that_come_and_go(valkey: Engine) -> None:
    """Every thread gets a connection, however many came before; ended threads leave none open."""
    before = clients_of(valkey)
    store = connect(settings_for(valkey))
    for _ in range(150):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(store.ping).result()

    assert eventually(lambda: clients_of(valkey) < before + 10)
