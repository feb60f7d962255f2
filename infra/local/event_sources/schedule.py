"""A schedule that calls a function, as EventBridge calls a Lambda."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

from chalicelib.errors import StoreUnavailable
from chalicelib.logs import LOGGER
from infra.local.event_sources.aws_events import schedule_event
from infra.local.event_sources.queue import Handler
from infra.local.events import LambdaContext


class Schedule:
    """Calls a function at once, and then at an interval of `seconds`.

    failing: whether the last call failed.
    """

    def __init__(self, handler: Handler, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._handler = handler
        self._seconds = seconds
        self._clock = clock
        self._next = clock()
        self.failing = False

    @property
    def seconds_left(self) -> float:
        """Seconds until the next call."""
        return self._next - self._clock()

    def poll(self) -> None:
        """Call the function if its time has come; a failure is logged, and the next call comes no earlier."""
        if self.seconds_left > 0:
            return
        self.failing = True
        try:
            self._handler(schedule_event(), LambdaContext(str(uuid.uuid4())))
        except StoreUnavailable as error:
            LOGGER.warning({"event": "sweep", "code": error.code, "cause": str(error.__cause__)})
        except Exception:
            LOGGER.exception({"event": "defect", "function": "sweep"})
        else:
            self.failing = False
        self._next = self._clock() + self._seconds
