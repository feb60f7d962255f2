"""Where connections are known."""

from __future__ import annotations

from typing import NamedTuple, Self

from chalicelib.store.client import Store
from chalicelib.store.clients import Clients
from chalicelib.store.presence import Presence
from chalicelib.store.sockets import Sockets


class Registry(NamedTuple):
    """What the store knows of connections: by their own ids, by their users, and by chats."""

    store: Store
    sockets: Sockets
    presence: Presence
    clients: Clients

    @classmethod
    def on(cls, store: Store, lease: int) -> Self:
        """Return the registry of a store; lease: µs for which a connection lives without a frame."""
        return cls(store, Sockets(store, lease), Presence(store, lease), Clients(store, lease))
