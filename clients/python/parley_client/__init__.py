"""A typed client for Parley: `AsyncClient` for asyncio, `Client` for other programs."""

from parley_client.accounts import login, register
from parley_client.async_client import AsyncClient
from parley_client.client import Client
from parley_client.errors import Closed, NotAuthenticated, ParleyError, Problem, Unreachable
from parley_client.events import (
    ChatMoved,
    ChatReset,
    Connected,
    Disconnected,
    Event,
    InboxReset,
    MemberChanged,
    MessageChanged,
    MessageHidden,
)
from parley_client.incoming import Ack, Failed, Page, Receipt, RoomNotice, Signal, Typing
from parley_client.models import ChatRow, Found, Message, Presence, Scheduled, Unread
from parley_client.responses import Account
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
    "Found",
    "InboxReset",
    "MemberChanged",
    "Message",
    "MessageChanged",
    "MessageHidden",
    "NotAuthenticated",
    "Page",
    "ParleyError",
    "Presence",
    "Problem",
    "Receipt",
    "RoomNotice",
    "Scheduled",
    "Settings",
    "Signal",
    "State",
    "Typing",
    "Unreachable",
    "Unread",
    "login",
    "register",
]
