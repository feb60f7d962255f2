"""The store's classes of connections."""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.store.realtime.chat_connections import ChatConnections
from chalicelib.store.realtime.connection import Connections
from chalicelib.store.realtime.user_connections import UserConnections
from chalicelib.store.redis.client import Store


class ConnectionStores(NamedTuple):
    """What the store knows of connections: by their own ids, by their users, and by chats."""

    store: Store
    connections: Connections
    user_connections: UserConnections
    chat_connections: ChatConnections
