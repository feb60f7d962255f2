"""Ends connections to the HTTP port of addresses that have too many of them."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple

from infra.local.addresses import Addresses, AddressLimit

LOOK_SECONDS = 1.0
OWN_FILES = "/dev/fd"
INTERNET = (socket.AF_INET, socket.AF_INET6)


class Peer(NamedTuple):
    """The other end of a connection."""

    address: str
    port: int


class Census:
    """Looks at the connections that this process has, since Granian accepts them without asking anyone.

    port: whose connections are looked at. limit: how many an address may have. others: counts the connections
    of this process to other ports.
    """

    def __init__(self, port: int, limit: AddressLimit, others: Callable[[], int]) -> None:
        self._port = port
        self._most = limit.connections
        self._addresses = Addresses(limit)
        self._others = others
        self._seen: set[Peer] = set()

    def begin(self) -> None:
        """Look every LOOK_SECONDS, in a thread, for as long as the process lives."""
        if self._most:
            threading.Thread(target=self._look_on, name="census", daemon=True).start()

    def look(self) -> int:
        """End the newest connections of each address that has too many, and return how many there were."""
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            files = os.listdir(OWN_FILES)
            if len(files) - self._others() <= self._most:
                return 0
            found = dict(self._connections(sorted(map(int, files)), stack))
            ended = self._excess(found)
            self._seen = found.keys() - ended
            for peer in ended:
                with contextlib.suppress(OSError):
                    found[peer].shutdown(socket.SHUT_RDWR)
            return len(ended)
        return 0

    def _look_on(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            self.look()

    def _excess(self, found: dict[Peer, socket.socket]) -> set[Peer]:
        """Return the connections that are too many; those of the last look come before new ones."""
        held: defaultdict[str, int] = defaultdict(int)
        ended = set()
        for peer in sorted(found, key=lambda peer: peer not in self._seen):
            if (site := self._addresses.site(peer.address)) is not None:
                held[site] += 1
                if held[site] > self._most:
                    ended.add(peer)
        return ended

    def _connections(
        self, files: list[int], stack: contextlib.ExitStack
    ) -> Iterator[tuple[Peer, socket.socket]]:
        """Yield the connections to the port, each by a descriptor of our own, closed by the stack."""
        for file in files:
            with contextlib.suppress(OSError):
                copy = os.dup(file)  # what the number stands for may change meanwhile
                try:
                    connection = socket.socket(fileno=copy)
                except OSError:
                    os.close(copy)
                    continue
                stack.enter_context(connection)
                if connection.family in INTERNET and connection.getsockname()[1] == self._port:
                    yield Peer(*connection.getpeername()[:2]), connection
