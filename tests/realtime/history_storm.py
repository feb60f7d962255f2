"""Failures of the server, and of the connections to it, while devices send and receive."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import os
import random
import signal
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

import redis.asyncio

from parley_client import AsyncClient, Problem, Settings, State, Unreachable
from parley_client.rest import Rest
from tests.local.processes import store, workers
from tests.local.raw_http import port_of
from tests.realtime.history_check import Entry, History
from tests.realtime.history_device import Device, entry
from tests.realtime.history_world import ROOM, ROOM_PADDING, World, made_world
from tests.servers.gateway import Gateway
from tests.servers.lossy_proxy import Faults, LossyProxy

FAULTS = Faults(drop=0.1, delay=0.15, drop_ack=0.03, cut=0.002, most_delay=0.6)
CLIENT = Settings(
    backlog=None,
    gap_seconds=0.3,
    answer_seconds=3.0,
    ping_seconds=3.0,
    life_seconds=10.0,
    resync_seconds=3.0,
    backoff_base=0.05,
    backoff_cap=1.0,
    fallback_seconds=1.0,
    page_messages=4,
    most_events=60,
)
STALLED, HANGING, STUCK, RESTARTED = 4, 4, 4, 6
WRITERS, ROUNDS = 8, 3
"""How many write into the room at once, and how often before more of them stop reading."""
DEADLINE_SECONDS = 60.0
POLL_SECONDS = 0.05
PAGE = 1000
READS_AT_ONCE = 4

Logs = dict[str, dict[str, list[Entry]]]


class Storm:
    """One run on a server of its own.

    data: the server's folder. seed: of random choices. proxy: the proxy to it.
    """

    def __init__(self, server: Gateway, data: Path, seed: int) -> None:
        self._server = server
        self._socket = data / "valkey.sock"
        self._rng = random.Random(seed)
        self._world: Final[World] = made_world(server.url, self._rng)
        self._settings = CLIENT
        self._first_workers = sorted(workers(server))
        self._devices: list[Device] = []
        self.proxy: Final = LossyProxy(port_of(server.url), self._rng, Faults())

    @property
    def resets(self) -> list[str]:
        """The chats that a device got a reset of."""
        return [chat for device in self._devices for chat in device.resets]

    async def run(self) -> History:
        """Return what every device saw."""
        async with self.proxy:
            self._settings = _with(CLIENT, socket_url=self.proxy.url, tls=ssl.create_default_context())
            self._devices = self._made_devices()
            for device in self._devices:
                await device.start()
            taking = [asyncio.create_task(device.take()) for device in self._devices]
            async with asyncio.timeout(DEADLINE_SECONDS):
                await asyncio.gather(*(device.join(ROOM) for device in self._devices))
            await self._send_in_the_storm()
            await self._calm(await self._logs())
            await asyncio.gather(*(device.close() for device in self._devices))
            await asyncio.gather(*taking)
        return self._history(await self._logs())

    def _made_devices(self) -> list[Device]:
        plans, rng = self._world.plans, self._rng
        return [
            Device(name, user, plans[name], self._client, rng) for name, user in self._world.devices.items()
        ]

    def _client(self, user: str, state: State | None) -> AsyncClient:
        return AsyncClient(self._server.url, user=user, state=state, settings=self._settings)

    async def _send_in_the_storm(self) -> None:
        sending = asyncio.gather(*(device.send_all() for device in self._devices))
        self.proxy.faults = FAULTS
        for share, disaster in (
            (0.01, self._stall_some),
            (0.05, self._hang_some),
            (0.1, self._stick_some),
            (0.2, self._kill_store),
            (0.3, self._overflow),
            (0.4, self._kill_worker),
            (0.5, self._restart_some),
            (0.65, self._kill_worker),
            (0.75, self._kill_store),
        ):
            await self._until(functools.partial(self._reached, share), f"{share} of the sends acknowledged")
            await disaster()
        async with asyncio.timeout(DEADLINE_SECONDS):
            await sending

    def _reached(self, share: float) -> bool:
        """Return whether a share of all messages was acknowledged."""
        planned = sum(len(device.plan) for device in self._devices)
        return sum(len(device.acknowledged) for device in self._devices) >= share * planned

    async def _stall_some(self) -> None:
        self.proxy.stall(STALLED)

    async def _overflow(self) -> None:
        """Write into the room until the server drops who does not read.

        Those who stopped may have gone otherwise meanwhile, so now and then some more stop.
        """
        async with asyncio.timeout(DEADLINE_SECONDS):
            for number in itertools.count(1):
                if self.proxy.counts["unread"]:
                    return
                if number % ROUNDS == 0:
                    self.proxy.stall(STALLED)
                writers = self._rng.sample(self._devices, WRITERS)
                await asyncio.gather(*(device.send_more(f"r-{ROOM}", ROOM_PADDING) for device in writers))

    async def _hang_some(self) -> None:
        self.proxy.hang(HANGING)

    async def _stick_some(self) -> None:
        for device in self._rng.sample(self._devices, STUCK):
            device.sleep()

    async def _restart_some(self) -> None:
        await asyncio.gather(*(device.restart() for device in self._rng.sample(self._devices, RESTARTED)))

    async def _kill_worker(self) -> None:
        """Kill one that was there from the start: who dies soon after a death counts as failing for good."""
        killed = self._first_workers.pop(self._rng.randrange(len(self._first_workers)))
        before = workers(self._server)
        os.kill(killed, signal.SIGKILL)
        await self._until(lambda: len(set(workers(self._server)) - {killed}) == len(before), "workers again")

    async def _kill_store(self) -> None:
        await self._make_durable()
        killed = store(self._server)
        assert killed
        os.kill(killed, signal.SIGKILL)
        await self._until(lambda: store(self._server) not in (killed, None), "Valkey again")
        await self._make_durable()

    async def _make_durable(self) -> None:
        """Have Valkey write before it answers: what an fsync each second may lose is not what is tested."""
        client = redis.asyncio.Redis(unix_socket_path=str(self._socket))
        async with client, asyncio.timeout(DEADLINE_SECONDS):
            while True:
                with contextlib.suppress(redis.RedisError):
                    await client.config_set("appendfsync", "always")
                    return
                await asyncio.sleep(POLL_SECONDS)

    async def _calm(self, logs: Logs) -> None:
        """Resume all readers, and wait until each has all messages; the checker says what is missing."""
        self.proxy.heal()
        for device in self._devices:
            device.wake()
        counts = {device.name: sum(map(len, logs[device.name].values())) for device in self._devices}
        with contextlib.suppress(TimeoutError):
            await self._until(
                lambda: all(len(one.handed) >= counts[one.name] for one in self._devices), "all"
            )

    async def _logs(self) -> Logs:
        """Return the chats of each device's user, read over REST."""
        slots = asyncio.Semaphore(READS_AT_ONCE)
        users = list(self._world.chats)
        read = await asyncio.gather(*(self._read(user, slots) for user in users))
        found = dict(zip(users, read, strict=True))
        return {name: found[user] for name, user in self._world.devices.items()}

    async def _read(self, user: str, slots: asyncio.Semaphore) -> dict[str, list[Entry]]:
        async with slots:
            rest = Rest(self._server.url, self._settings, user=user)
            try:
                return {chat: await _log(rest, chat) for chat in self._world.chats[user]}
            finally:
                await rest.close()

    def _history(self, logs: Logs) -> History:
        return History(
            sent=[planned.id for device in self._devices for planned in device.plan],
            acknowledged=[one for device in self._devices for one in device.acknowledged],
            handed={device.name: device.handed for device in self._devices},
            logs=logs,
        )

    async def _until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for a condition; raises TimeoutError, which says what was missing."""
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                while not condition():
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise TimeoutError(f"not within {DEADLINE_SECONDS:g} s: {what}") from None


def _with(settings: Settings, **changed: object) -> Settings:
    return Settings(**{name: getattr(settings, name) for name in Settings.__struct_fields__} | changed)


async def _log(rest: Rest, chat: str) -> list[Entry]:
    """Read a whole chat, with repetitions while the server is unavailable."""
    read: list[Entry] = []
    while True:
        try:
            page = await rest.page(chat, after=str(read[-1].seq) if read else "0", limit=PAGE)
        except (Problem, Unreachable) as error:
            if isinstance(error, Problem) and not error.passes:
                raise
            await asyncio.sleep(POLL_SECONDS)
            continue
        if not page.messages:
            return read
        read += map(entry, page.messages)
