"""CPU time of the store's client in a handler call, and of making the event of one."""

from __future__ import annotations

import gc
import socket
import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import Any, NamedTuple

import hiredis
import redis

from bench.findings import Findings, Table
from bench.in_process import handler
from bench.loads import SEND, SEND_CHAT, SENDER, TEXT
from bench.options import CALL_ROUNDS, Scale, progress
from bench.shared_connection import SharedConnection
from chalicelib.config import Settings
from chalicelib.store.messages.content import Content
from chalicelib.store.messages.log import MessageLog
from chalicelib.store.redis.client import Store, connect
from chalicelib.store.redis.credentials import StoreLogin
from chalicelib.store.redis.nodes import Command, SingleNode

RECEIVE_BYTES = 65_536


class Work(NamedTuple):
    """A function to time, and the values to call it with for a number of calls."""

    name: str
    function: Callable[[Any], object]
    values: Callable[[int], Sequence[Any]]


def measure(scale: Scale) -> Findings:
    """Time one append by each way of talking to the store, and the making of an event."""
    with handler() as made:
        building = Work(EVENT, made.event, partial(made.requests, SEND))
        costs = _costs([building, *_appends(made.url)], scale)
    return Findings([_client_table(costs)], [], [])


def _costs(works: list[Work], scale: Scale) -> dict[str, float]:
    rounds: dict[str, list[float]] = {work.name: [] for work in works}
    for number in range(CALL_ROUNDS):
        progress(f"client: round {number + 1} of {CALL_ROUNDS}, {len(works)} x {scale.calls} calls")
        for work in works:
            rounds[work.name].append(_microseconds(work, scale.calls))
    return {name: median(costs) for name, costs in rounds.items()}


def _microseconds(work: Work, count: int) -> float:
    values = work.values(count)
    gc.collect()
    gc.freeze()  # keeps garbage collection from walking the events, which are not the handler's
    start = time.process_time()
    for value in values:
        work.function(value)
    spent = time.process_time() - start
    gc.unfreeze()
    return spent / count * 1e6


EVENT = "for comparison: making the event of a send, in the local gateway"
MESSAGE_LOG = "MessageLog.append (names, packs, runs the script, reads the reply)"
KEPT_CONNECTION = "a kept redis-py Connection, as on Lambda"
EXECUTE_COMMAND = "redis-py's execute_command"
PLAIN_SOCKET = "a plain socket with hiredis"
CALLERS = (1, 20, 100)


def shared_by(callers: int) -> str:
    """Return the name of the way of a worker, whose callers share a connection."""
    return f"the shared connection of a worker's loop, {callers} at once"


def _appends(url: str) -> list[Work]:
    settings = Settings(redis_url=url)
    store = connect(settings)
    log, node, client = (
        MessageLog(),
        SingleNode(settings),
        redis.Redis.from_url(url, protocol=2),
    )
    content = Content(SENDER, TEXT)
    noted = Noted()
    Store(noted).run(log.append(SEND_CHAT, content))
    command = noted.command
    send = _plain(url.removeprefix("unix://"))
    connection = SharedConnection(settings)
    return [
        Work(MESSAGE_LOG, lambda _: store.run(log.append(SEND_CHAT, content)), range),
        Work(KEPT_CONNECTION, lambda _: node.execute(command, repeatable=False), range),
        Work(EXECUTE_COMMAND, lambda _: client.execute_command(*command), range),
        Work(PLAIN_SOCKET, lambda _: send(command), range),
        *(
            Work(shared_by(callers), connection.asking(command, callers), lambda count: [count])
            for callers in CALLERS
        ),
    ]


class Noted:
    """Replaces the server of a store, and records the last command that it got."""

    login: StoreLogin | None = None

    def __init__(self) -> None:
        self.command: Command = ()

    def execute(self, command: Command, *, repeatable: bool) -> list[int]:
        """Record a command, and reply as to an append."""
        self.command = command
        return [1, 1, 0]

    def execute_all(self, commands: Sequence[Command]) -> list[Any]:
        """Reply to each command in turn."""
        return [self.execute(command, repeatable=True) for command in commands]

    def ping(self) -> None:
        """Do nothing."""


def _plain(path: str) -> Callable[[tuple[Any, ...]], object]:
    connection, reader = socket.socket(socket.AF_UNIX), hiredis.Reader()
    connection.connect(path)

    def send(command: tuple[Any, ...]) -> object:
        connection.sendall(hiredis.pack_command(command))
        while (reply := reader.gets()) is False:
            reader.feed(connection.recv(RECEIVE_BYTES))
        return reply

    return send


def _client_table(costs: dict[str, float]) -> Table:
    rows = [
        (name, f"{costs[name]:.1f}", f"{costs[name] - costs[PLAIN_SOCKET]:+.1f}")
        for name in (
            *(PLAIN_SOCKET, KEPT_CONNECTION, EXECUTE_COMMAND),
            *map(shared_by, CALLERS),
            MESSAGE_LOG,
        )
    ]
    rows.append((EVENT, f"{costs[EVENT]:.1f}", "-"))
    note = "One append, the same script and arguments, in the same rounds."
    return Table("CPU of the store's client", note, ("way to the store", "µs", "over the plain socket"), rows)
