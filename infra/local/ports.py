"""The port of the server: claimed before anything starts, and listened on by every worker."""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
from collections.abc import Iterator
from typing import NamedTuple

from infra.local.shutdown import StartError

BACKLOG = 1024
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to reach a server on all addresses


class Port(NamedTuple):
    """Where the workers of a server listen.

    number: Of the port. shared: Descriptor of a socket that listens for all workers; None: each worker has
    its own, among which the kernel spreads connections.
    """

    address: str
    number: int
    shared: int | None = None

    @classmethod
    def from_words(cls, address: str, number: str, shared: str = "") -> Port:
        """Return the port of a worker's command line."""
        return cls(address, int(number), int(shared) if shared else None)

    @property
    def words(self) -> list[str]:
        """The port on a worker's command line."""
        return [str(part) for part in self if part is not None]

    def listener(self) -> socket.socket:
        """Return the socket of this process for connections to the port."""
        if self.shared is not None:
            return socket.socket(fileno=self.shared)
        own = socket.socket(_family(self.address))
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        # Its connections inherit this, and the next server is not refused the port while some of them close.
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        own.bind((self.address, self.number))
        return own


@contextlib.contextmanager
def claimed_port(address: str, number: int, *, spreads: bool = sys.platform == "linux") -> Iterator[Port]:
    """Yield the port of an address to listen on, any that is free for 0, and keep others off it.

    Workers listen with SO_REUSEPORT, so that a second server would share a port without a word. spreads:
    Whether the kernel spreads connections among them; if not, one socket listens for all. Raises StartError
    when the port cannot be had.
    """
    family = _family(address)
    with socket.socket(family) as probe, socket.socket(family) as claim:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT if spreads else socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, number))
            probe.close()
            claim.bind((address, number))
            if not spreads:
                claim.listen(BACKLOG)
        except OSError as error:
            remedy = "PARLEY_HOST" if error.errno == errno.EADDRNOTAVAIL else "PORT"
            raise StartError(
                f"Port {number} of {address} cannot be used: {error.strerror}. Set {remedy} to another."
            ) from None
        yield Port(address, claim.getsockname()[1], None if spreads else claim.fileno())


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
