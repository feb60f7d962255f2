"""A typed client of Parley: `AsyncClient` for asyncio, `Client` for everybody else."""

from parley_client.async_client import AsyncClient, login, register
from parley_client.client import Client
from parley_client.errors import Closed, NotAuthenticated, ParleyError, Problem, Unreachable
from parley_client.events import ChatMoved, ChatReset, Connected, Disconnected, Event, InboxReset
from parley_client.incoming import (
    Account,
    Ack,
    ChatRow,
    Failed,
    Message,
    Page,
    Presence,
    Receipt,
    RoomNotice,
    Signal,
    Typing,
)
from parley_client.settings import Settings
from parley_client.state import Cursor, State

__all__ = [
    "Account",
    "Ack",
    "AsyncClient",
    "ChatMoved",
    "ChatReset",
    "ChatRow",
    "Client",
    "Closed",
    "Connected",
    "Cursor",
    "Disconnected",
    "Event",
    "Failed",
    "InboxReset",
    "Message",
    "NotAuthenticated",
    "Page",
    "ParleyError",
    "Presence",
    "Problem",
    "Receipt",
    "RoomNotice",
    "Settings",
    "Signal",
    "State",
    "Typing",
    "Unreachable",
    "login",
    "register",
]
