"""Events to handlers."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

from parley_client.events import Event

E = TypeVar("E", bound=Event)
Handler = Callable[[Any], Awaitable[None] | None]
LOGGER = logging.getLogger("parley_client")


class Callbacks:
    """Handlers by the type of the event."""

    def __init__(self) -> None:
        self._handlers: list[tuple[type[object], Handler]] = []

    def on(self, kind: type[E], handler: Callable[[E], Awaitable[None] | None]) -> None:
        """Have events of a type handed to a function."""
        self._handlers.append((kind, handler))

    def of(self, event: Event) -> list[Handler]:
        """Return the handlers of an event, in the order in which they were given."""
        return [handler for kind, handler in self._handlers if isinstance(event, kind)]

    @contextlib.contextmanager
    def logging(self, event: Event) -> Iterator[None]:
        """Log what a handler raises: it does not stop the others."""
        try:
            yield
        except Exception:
            LOGGER.exception("a handler of %s failed", type(event).__name__)
