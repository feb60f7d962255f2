"""Applications on one store that schedule messages and send them, and may crash in the middle."""

from __future__ import annotations

import time
from typing import Any

import pytest

from chalicelib.config import Settings
from chalicelib.schemas.messages import SendRequest
from chalicelib.schemas.scheduled import Scheduled, ScheduleRequest
from chalicelib.services import Services
from chalicelib.services.auth.caller import Caller
from chalicelib.services.values.times import rfc3339
from chalicelib.store import keys
from chalicelib.store.messages.content import entry_of
from chalicelib.store.messages.scheduled import Due
from chalicelib.store.redis import client
from tests.servers.engines import Engine
from tests.store.account_services import CrashingStore
from tests.store.log_records import RawClient, elements_of, settings_for

MINUTE = 60.0


class App:
    """One process of the application; its users are ann, and names of an open server.

    now: Returns the time at which messages are scheduled.
    """

    def __init__(self, settings: Settings) -> None:
        self.services = Services(settings)
        self.now = time.time

    def caller(self, handle: str = "ann", *, account: bool = False) -> Caller:
        """Return an authenticated caller."""
        return Caller(self.services._store, handle, "" if account else None)

    def schedule(
        self, text: str, chat: str = "ann:bob", *, late: bool = True, account: bool = False, **fields: Any
    ) -> Scheduled:
        """Schedule a message of ann; late: for a time that has passed since."""
        service = self.services.scheduled
        before = service._clock
        service._clock = lambda: self.now() - (MINUTE if late else 0)
        send_at = rfc3339(int((service._clock() + 6) * 1_000_000))
        try:
            return service.add(
                self.caller(account=account), chat, ScheduleRequest(text, send_at=send_at, **fields)
            )
        finally:
            service._clock = before

    def send(self, text: str, chat: str = "ann:bob", sender: str = "ann") -> None:
        """Send a message now."""
        self.services.messages.send(self.caller(sender), chat, SendRequest(text))

    def sweep(self) -> int:
        """Send what is due."""
        return self.services.scheduled_sender.sweep()

    def attempt(self, message: Scheduled) -> bool:
        """Try to send one message of ann."""
        return self.services.scheduled_sender._attempt(Due(1, "ann", message.id))

    def listed(self, handle: str = "ann") -> list[Scheduled]:
        """Return the scheduled messages of a user."""
        return self.services.scheduled.page(handle, None, None, 100).scheduled

    def failures(self) -> list[str]:
        """Return the codes of ann's messages that were not sent."""
        return [one.failed.code for one in self.listed() if one.failed]


def app_on(engine: Engine, left: int | None = None, *, done: bool = False, **settings: Any) -> App:
    """Return an application on an engine; left, done: see CrashingStore, None: it does not crash."""
    with pytest.MonkeyPatch.context() as patch:
        if left is not None:
            connect = client.connect
            patch.setattr(
                client, "connect", lambda settings: CrashingStore(connect(settings), left, done=done)
            )
        return App(settings_for(engine, **settings))


def end_leases(raw: RawClient, handle: str = "ann", at: int = 1) -> None:
    """Let the time of all scheduled messages of a user come, those of attempts that have crashed too."""
    due: Any = raw.zrange(keys.scheduled_due(handle), 0, -1)
    if due:
        raw.zadd(keys.scheduled_due(handle), dict.fromkeys(due, at))


def texts_of(raw: RawClient, chat: str = "ann:bob") -> list[str]:
    """Return the texts in the log of a chat."""
    return [entry_of(1, element).content.text for element in elements_of(raw, chat)[1:]]
