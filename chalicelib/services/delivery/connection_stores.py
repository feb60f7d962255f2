"""The store's classes for connections, as one value."""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.store.realtime.chat_connections import ChatConnections
from chalicelib.store.realtime.connection import Connections
from chalicelib.store.realtime.user_connections import UserConnections
from chalicelib.store.redis.client import Store


class ConnectionStores(NamedTuple):
    """The store and its records of connections: by connection id, by user, and by chat."""

    store: Store
    connections: Connections
    user_connections: UserConnections
    chat_connections: ChatConnections
