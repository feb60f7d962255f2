"""Use cases: plain values in and out, no HTTP and no Redis command."""

from __future__ import annotations

import functools

from chalicelib.config import Settings
from chalicelib.schemas.messages import Health
from chalicelib.services.classic import ClassicMessages
from chalicelib.services.messages import Messages
from chalicelib.services.names import Names
from chalicelib.store import client
from chalicelib.store.messages import MessageLog


class Services:
    """The composition root: every use case, wired once from the settings; opens no connection."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.names = Names(open_names=settings.auth == "open")
        self._store = client.connect(settings)
        log = MessageLog(self._store, settings.keep_messages)
        self.messages = Messages(log, self.names)
        self.classic = ClassicMessages(log, self.names)

    def health(self) -> Health:
        """Ask the store; raises StoreUnavailable when it does not answer."""
        self._store.ping()
        return Health()


@functools.cache
def current() -> Services:
    """Return this process's services, made at the first call from the environment."""
    return Services(Settings.from_env())
