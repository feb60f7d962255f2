"""Overlapping calls share the store's connections, and each gets its own reply, once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import redis
from redis.connection import AbstractConnection
from redis.crc import key_slot

from chalicelib.config import Settings
from chalicelib.errors import StoreUnavailable
from chalicelib.store.messages.content import Content
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.credentials import ACCESS_STRING, SecretLogin
from chalicelib.store.redis.nodes import BlockingNode, ClusterNodes, SingleNode
from infra.local.pipeline import connection, greenlets, server
from infra.local.pipeline.asked import Asked
from infra.local.pipeline.connection import LARGE_BYTES, MAX_UNANSWERED, PipelinedConnection
from infra.local.pipeline.nodes import node_on_loop
from tests.local.pipeline.slow_link import SlowLink
from tests.servers.engines import Engine, ValkeyEngine
from tests.servers.faults import CuttingProxy
from tests.store.log_records import CHAT, Log, settings_for
from tests.store.redis.test_rotated_credentials import SecretsManager
from tests.store.store_users import WORD, cut_all, user

pytestmark = pytest.mark.anyio

Call = Callable[[], Any]
MIB = 1024 * 1024
CALLERS = 64
ECHO = "return ARGV[1]"
SECONDS = 30.0


@asynccontextmanager
async def node_for(settings: Settings) -> AsyncIterator[Any]:
    """Yield a node of this loop."""
    blocking: BlockingNode = ClusterNodes(settings) if settings.redis_cluster else SingleNode(settings)
    node = node_on_loop(settings, blocking)
    try:
        yield node
    finally:
        node.close()


def echo(
    node: Any, text: str, script: str = ECHO, key: str = "{c001}:key", *, repeatable: bool = True
) -> str:
    """Ask the store for a text."""
    reply: bytes = node.execute(("EVAL", script, 1, "{c001}:key", text), repeatable=repeatable)
    return reply.decode()


async def side_by_side(calls: Sequence[Call]) -> list[Any]:
    """Run calls in greenlets, and return their results or exceptions."""
    running = (greenlets.run(call) for call in calls)
    return await asyncio.wait_for(asyncio.gather(*running, return_exceptions=True), SECONDS)


async def until(true: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(SECONDS):
        while not true():
            await asyncio.sleep(0.001)


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of calls whose commands went out in each write."""
    counts: list[int] = []
    write = PipelinedConnection.write

    def counted(self: PipelinedConnection, asked: list[Asked]) -> None:
        counts.append(len(asked))
        write(self, asked)

    monkeypatch.setattr(PipelinedConnection, "write", counted)
    return counts


async def test_what_is_asked_in_one_turn_goes_out_in_one_write(valkey: Engine, writes: list[int]) -> None:
    """Callers that race get their own replies in each of their round trips, all of them in one write each."""
    async with node_for(settings_for(valkey)) as node:

        def call(caller: int) -> list[str]:
            return [echo(node, f"{caller}.{number}") for number in range(10)]

        answers = await side_by_side([partial(call, caller) for caller in range(20)])
    assert answers == [[f"{caller}.{number}" for number in range(10)] for caller in range(20)]
    assert writes == [20] * 10


async def test_batches_of_replies_stay_apart(engine: Engine) -> None:
    """Batches of racing callers, to several servers of a cluster, each get their own replies in order."""
    keys = [f"{{c{number:03d}}}:key" for number in range(12)]
    async with node_for(settings_for(engine)) as node:

        def call(caller: int) -> list[Any]:
            commands = [("EVAL", ECHO, 1, key, f"{caller}.{key}") for key in keys]
            return [reply.decode() for reply in node.execute_all(commands)]

        answers = await side_by_side([partial(call, caller) for caller in range(20)])
    assert answers == [[f"{caller}.{key}" for key in keys] for caller in range(20)]


async def test_error_of_one_command_is_its_callers_alone(valkey: Engine) -> None:
    """An error reply reaches its own caller as redis-py's exception; in a batch it is one of the replies."""
    fail = "return redis.error_reply('OOM full')"
    async with node_for(settings_for(valkey)) as node:
        answers = await side_by_side(
            [
                lambda: echo(node, "before"),
                lambda: echo(node, "x", fail),
                lambda: node.execute_all([("EVAL", fail, 1, "k"), ("EVAL", ECHO, 1, "k", "in")]),
                lambda: echo(node, "after"),
            ]
        )
    assert (answers[0], answers[3]) == ("before", "after")
    assert isinstance(answers[1], redis.exceptions.OutOfMemoryError)
    batch: Any = answers[2]
    assert isinstance(batch[0], redis.exceptions.OutOfMemoryError)
    assert batch[1] == b"in"


async def test_call_in_thread_uses_connection_of_its_own(valkey: Engine, writes: list[int]) -> None:
    """Code in a thread blocks on its own connection, while calls on the loop go on."""
    async with node_for(settings_for(valkey)) as node:
        assert await asyncio.to_thread(echo, node, "thread") == "thread"
        assert writes == []
        assert await greenlets.run(echo, node, "loop") == "loop"


async def test_more_calls_than_a_connection_carries_wait(valkey: Engine, writes: list[int]) -> None:
    """Calls beyond the maximum of unanswered ones wait for a reply, and get their own."""
    count = 4 * MAX_UNANSWERED + 10
    async with node_for(settings_for(valkey)) as node:
        answers = await side_by_side([partial(echo, node, str(n)) for n in range(count)])
    assert answers == [str(n) for n in range(count)]
    assert max(writes) == MAX_UNANSWERED


@pytest.mark.parametrize("engine", ["valkey", "tls_cluster"], indirect=True)
async def test_large_commands_and_replies_arrive_whole(engine: Engine) -> None:
    """Values of several MiB, more than a socket takes at once, pass unchanged beside small ones."""
    async with node_for(settings_for(engine)) as node:
        texts = ["x" * 3 * MIB, "small", "y" * 2 * MIB, "small too"]
        answers = await side_by_side([partial(echo, node, text) for text in texts])
    assert answers == texts


async def test_large_reply_holds_up_no_small_call(valkey: Engine) -> None:
    """While a reply of 4 MiB is half read, 1,000 small calls are answered, by another connection."""
    path = valkey.url.removeprefix("unix://")
    async with SlowLink(path, LARGE_BYTES + 1000) as link:
        settings = settings_for(valkey, redis_url=link.url)
        async with node_for(settings) as node:
            large = asyncio.create_task(greenlets.run(echo, node, "x" * 4 * MIB))
            (connection,) = await _connections(node)
            await until(lambda: not connection.is_free and not connection._unsent)
            answers = await side_by_side([partial(echo, node, str(n)) for n in range(1000)])
            assert answers == [str(n) for n in range(1000)]
            assert not large.done()
            link.release()
            assert await asyncio.wait_for(large, SECONDS) == "x" * 4 * MIB
            assert link.connections == 2


async def _connections(node: Any) -> list[PipelinedConnection]:
    await until(lambda: bool(node._server._connections))
    return list(node._server._connections)


async def test_kill_with_64_calls_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls under way when the store is killed are answered or refused; what is stored, is stored once."""
    with ValkeyEngine(appendonly=True) as engine:
        settings = settings_for(engine)
        async with node_for(settings) as node:
            log = Log(Store(node))
            await greenlets.run(log.append, CHAT, Content("ann", "first"))
            engine.pause()
            calls = asyncio.create_task(side_by_side([_send(log, number) for number in range(CALLERS)]))
            (connection,) = await _connections(node)
            await until(lambda: len(connection._unanswered) == CALLERS)
            engine.kill()
            engine.start()
            answers = await calls
            log = Log(Store(node))
            stored = await greenlets.run(log.after, CHAT, 0, 1000)
    _assert_right(answers, stored.entries)


async def test_lost_replies_of_64_calls_in_flight(valkey: Engine) -> None:
    """Calls whose replies are lost are repeated if they have an id, else refused; none is stored twice."""
    valkey.flush()
    with CuttingProxy(valkey.url.removeprefix("unix://")) as proxy:
        async with node_for(settings_for(valkey, redis_url=proxy.url)) as node:
            log = Log(Store(node))
            await greenlets.run(log.append, CHAT, Content("ann", "first"))
            proxy.cut_next_reply()
            answers = await side_by_side([_send(log, number) for number in range(CALLERS)])
            stored = await greenlets.run(log.after, CHAT, 0, 1000)
    _assert_right(answers, stored.entries)
    refused = [number for number, answer in enumerate(answers) if isinstance(answer, StoreUnavailable)]
    assert refused
    assert all(number % 2 for number in refused)


def _send(log: Log, number: int) -> Call:
    """Return a send; one of an even number has an id."""
    content = Content("ann", str(number), None if number % 2 else f"id-{number}")
    return partial(log.append, CHAT, content)


def _assert_right(answers: Sequence[Any], entries: Sequence[Any]) -> None:
    seqs = {entry.content.text: entry.seq for entry in entries}
    assert set(Counter(entry.content.text for entry in entries).values()) == {1}
    for number, answer in enumerate(answers):
        if isinstance(answer, BaseException):
            assert isinstance(answer, StoreUnavailable)
        else:
            assert answer.seq == seqs[str(number)]


async def test_commands_that_were_not_written_are_asked_again(valkey: Engine) -> None:
    """A connection that the store closed unseen harms no call: what was not written runs on a new one."""
    async with node_for(settings_for(valkey)) as node:
        await greenlets.run(echo, node, "first")
        valkey.nodes[0].client_kill_filter(_type="normal", skipme=True)
        answers = await side_by_side([partial(echo, node, str(n), repeatable=False) for n in range(CALLERS)])
    assert answers == [str(n) for n in range(CALLERS)]


async def test_calls_beyond_a_full_connection_outlive_its_end(
    valkey: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls that a full connection had no room for go on by a new one when it ends, without a later call."""
    monkeypatch.setattr(connection, "MAX_UNANSWERED", 4)
    with CuttingProxy(valkey.url.removeprefix("unix://")) as proxy:
        async with node_for(settings_for(valkey, redis_url=proxy.url)) as node:
            await greenlets.run(echo, node, "first")
            proxy.cut_next_reply()
            answers = await side_by_side([partial(echo, node, str(n), repeatable=False) for n in range(12)])
    assert [type(answer) for answer in answers[:4]] == [redis.ConnectionError] * 4
    assert answers[4:] == [str(n) for n in range(4, 12)]


async def test_connection_is_opened_once_a_thread_can_start(
    valkey: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call fails while the process can start no thread, and the next one opens the connection."""
    threads, refusals = greenlets.threads, iter([RuntimeError("can't start new thread")])

    def refused_once() -> ThreadPoolExecutor:
        for refusal in refusals:
            raise refusal
        return threads()

    monkeypatch.setattr(greenlets, "threads", refused_once)
    async with node_for(settings_for(valkey)) as node:
        answers = [(await side_by_side([partial(echo, node, text)]))[0] for text in ("first", "second")]
    assert isinstance(answers[0], RuntimeError)
    assert answers[1] == "second"


async def test_connections_that_always_end_unused_fail_the_call(
    valkey: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that may not run twice is refused when each new connection is closed before it is used."""
    monkeypatch.setattr(PipelinedConnection, "is_ended", lambda self: True)
    async with node_for(settings_for(valkey)) as node:
        (refused,) = await side_by_side([partial(echo, node, "once", repeatable=False)])
        assert isinstance(refused, redis.ConnectionError)
        monkeypatch.undo()
        assert await side_by_side([partial(echo, node, "again", repeatable=False)]) == ["again"]


async def test_stalled_store_ends_every_wait_together(valkey: Engine) -> None:
    """All calls of a stalled store fail by its time-out, once; late replies reach nobody."""
    async with node_for(settings_for(valkey, redis_timeout=0.3)) as node:
        await greenlets.run(echo, node, "first")
        valkey.pause()
        try:
            answers = await side_by_side([partial(echo, node, str(n)) for n in range(CALLERS)])
        finally:
            valkey.resume()
        assert {type(answer) for answer in answers} == {redis.TimeoutError}
        assert await greenlets.run(echo, node, "after") == "after"


async def test_too_many_waiting_calls_are_refused(valkey: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call beyond the maximum of waiting ones is refused at once, as by a store that is not there."""
    monkeypatch.setattr(server, "MAX_WAITING", 10)
    async with node_for(settings_for(valkey)) as node:
        store = Store(node)
        calls = [partial(echo, node, str(n)) for n in range(12)]
        answers = await side_by_side([*calls, store.ping])
    assert answers[:10] == [str(n) for n in range(10)]
    assert [type(answer) for answer in answers[10:]] == [redis.ConnectionError] * 2 + [StoreUnavailable]


@pytest.mark.parametrize("engine", ["valkey", "cluster"], indirect=True)
async def test_login_is_renewed_once_for_all_calls(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a password was rotated, calls that are refused together read the new one once, and all succeed."""
    manager = SecretsManager(WORD)
    monkeypatch.setattr(SecretLogin, "_client", lambda self: manager)
    with user(engine, "few", ACCESS_STRING) as set_password:
        settings = settings_for(engine, redis_user=None, redis_password=None, redis_secret="parley/store")
        async with node_for(settings) as node:
            log = Log(Store(node))
            await greenlets.run(log.append, CHAT, Content("ann", "first"))
            manager.password = "another"
            set_password("another")
            cut_all(engine)
            answers = await side_by_side([_send(log, number) for number in range(20)])
    assert sorted(answer.seq for answer in answers) == list(range(2, 22))
    assert manager.reads == 2


async def test_login_renewed_while_a_connection_is_opened(
    valkey: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that is refused with the old password logs in with the one that was read meanwhile."""
    manager = SecretsManager(WORD)
    monkeypatch.setattr(SecretLogin, "_client", lambda self: manager)
    with user(valkey, "few", ACCESS_STRING) as set_password:
        settings = settings_for(valkey, redis_user=None, redis_password=None, redis_secret="parley/store")
        async with node_for(settings) as node:
            await greenlets.run(node.ping)
            manager.password = "another"
            set_password("another")
            cut_all(valkey)
            connect: Any = AbstractConnection.connect

            def connect_and_renew(connection: AbstractConnection) -> None:
                try:
                    connect(connection)
                finally:
                    node.login.renew()

            monkeypatch.setattr(AbstractConnection, "connect", connect_and_renew)
            assert await greenlets.run(echo, node, "after") == "after"


@pytest.fixture
def moving(cluster: Engine) -> Iterator[str]:
    """A key whose slot is on its way from one server of the cluster to another."""
    cluster.flush()
    key, (first, *_) = "{c001}:key", cluster.nodes
    slot = key_slot(key.encode())
    shares = first.execute_command("CLUSTER SLOTS")
    source, target = _owner(cluster, shares, slot), _owner(cluster, shares, (slot + 8192) % 16384)
    names = [node.execute_command("CLUSTER MYID").decode() for node in (source, target)]
    target.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", names[0])
    source.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", names[1])
    yield key
    for node in (source, target):
        node.execute_command("CLUSTER SETSLOT", slot, "STABLE")


def _owner(cluster: Engine, shares: Any, slot: int) -> redis.Redis:
    port = next(share[2][1] for share in shares if share[0] <= slot <= share[1])
    return next(node for node in cluster.nodes if node.connection_pool.connection_kwargs["port"] == port)


async def test_commands_follow_a_slot_that_is_moving(cluster: Engine, moving: str) -> None:
    """Commands on keys that have left their slot's owner go to its new owner, alone and in a batch."""
    async with node_for(settings_for(cluster)) as node:
        command = ("EVAL", ECHO, 1, moving, "here")
        answers = await side_by_side(
            [partial(node.execute, command, repeatable=False), partial(node.execute_all, [command] * 3)]
        )
    assert answers == [b"here", [b"here"] * 3]
