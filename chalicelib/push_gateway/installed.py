"""Which pusher this process uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalicelib.config import Settings
from chalicelib.push_gateway.api_gateway import ApiGatewayPusher
from chalicelib.push_gateway.pusher import NoPusher, Pusher

_installed: list[Any] = []
_user_listeners: list[Callable[[str, str], None]] = []


def install(pusher: Pusher | None) -> None:
    """Have this process push by something of its own, as a server does that holds its connections itself."""
    _installed[:] = [] if pusher is None else [pusher]


def install_user_listener(listener: Callable[[str, str], None] | None) -> None:
    """Install a listener that note_user calls, such as the server that holds the connections; None: none."""
    _user_listeners[:] = [] if listener is None else [listener]


def note_user(connection: str, user: str) -> None:
    """Pass the user of a connection that is about to open to the listener, if there is one."""
    for listener in _user_listeners:
        listener(connection, user)


def prepare(pusher: Pusher) -> None:
    """Make ahead of time what the first push would make, if it is API Gateway that pushes."""
    if isinstance(pusher, ApiGatewayPusher):
        pusher.prepare()


def pusher(settings: Settings) -> Pusher:
    """Return what pushes here: what was installed, else API Gateway if the settings name it, else nothing."""
    if _installed:
        installed: Pusher = _installed[0]
        return installed
    return NoPusher() if settings.push_url is None else ApiGatewayPusher(settings)
