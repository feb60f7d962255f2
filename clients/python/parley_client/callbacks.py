"""Passing events to handlers."""

from __future__ import annotations

import contextlib
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

from parley_client.errors import ParleyError
from parley_client.events import Event

E = TypeVar("E", bound=Event)
Handler = Callable[[Any], Awaitable[None] | None]
LOGGER = logging.getLogger("parley_client")


class Callbacks:
    """The handlers of an application, by type of event."""

    def __init__(self) -> None:
        self._handlers: list[tuple[type[object], Handler]] = []

    def on(self, kind: type[E], handler: Callable[[E], Awaitable[None] | None]) -> None:
        """Register a handler for events of a type."""
        self._handlers.append((kind, handler))

    def of(self, event: Event) -> list[Handler]:
        """Return the handlers of an event, in the order of registration."""
        return [handler for kind, handler in self._handlers if isinstance(event, kind)]

    @contextlib.contextmanager
    def logging(self, event: Event) -> Iterator[None]:
        """Log an exception of a handler, so that the other handlers still run."""
        try:
            yield
        except Exception:
            LOGGER.exception("a handler of %s failed", type(event).__name__)

    async def run(self, take: Callable[[], Awaitable[Event]]) -> None:
        """Pass events to their handlers until the client ends; take: Returns the next event."""
        with contextlib.suppress(ParleyError):
            while True:
                event = await take()
                for handler in self.of(event):
                    with self.logging(event):
                        if inspect.isawaitable(waiting := handler(event)):
                            await waiting
