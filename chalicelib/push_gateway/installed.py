"""The pusher of this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalicelib.config import Settings
from chalicelib.push_gateway.api_gateway import ApiGatewayPusher
from chalicelib.push_gateway.pusher import NoPusher, Pusher

_installed: list[Any] = []
_user_listeners: list[Callable[[str, str], None]] = []


def install(pusher: Pusher | None) -> None:
    """Install this process's own pusher, as a server does that holds its connections; None: remove it."""
    _installed[:] = [] if pusher is None else [pusher]


def install_user_listener(listener: Callable[[str, str], None] | None) -> None:
    """Install a listener that note_user calls, such as the local server; None: remove it."""
    _user_listeners[:] = [] if listener is None else [listener]


def note_user(connection: str, user: str) -> None:
    """Call the listener with a connection that is about to open, and its user."""
    for listener in _user_listeners:
        listener(connection, user)


def prepare(pusher: Pusher) -> None:
    """Prepare the first push to API Gateway; other pushers need no preparation."""
    if isinstance(pusher, ApiGatewayPusher):
        pusher.prepare()


def pusher(settings: Settings) -> Pusher:
    """Return the installed pusher, else API Gateway's if the settings name it, else NoPusher."""
    if _installed:
        installed: Pusher = _installed[0]
        return installed
    return NoPusher() if settings.push_url is None else ApiGatewayPusher(settings)
