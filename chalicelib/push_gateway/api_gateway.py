"""Pushes through API Gateway's management API."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from enum import Enum

from chalicelib.config import Settings
from chalicelib.logs import LOGGER
from chalicelib.push_gateway.management_api import ManagementApi
from chalicelib.push_gateway.pusher import CloseReason, Outcome, OutgoingFrame
from chalicelib.push_gateway.signed_api import NoAnswer

INLINE = 50
"""Connections that one call pushes to at once; each has a thread, so none waits for a dead one."""
ALL_OF_A_CALL = 2
"""All pushes of one call, retries included, may take this many times as long as one."""
PAUSE_SECONDS = 0.1
"""Pause before a retry."""


class Answer(Enum):
    """The result of a push."""

    DONE = 0
    GONE = 1
    LATER = 2
    FAILED = 3


class ApiGatewayPusher:
    """Pushes through the management API of a WebSocket API, signed, over pooled connections.

    settings: push_url: URL of the API up to its stage. push_timeout: Maximum seconds of one push.

    Needs botocore, which is imported at the first push and also finds the AWS credentials.
    """

    inline = INLINE

    def __init__(self, settings: Settings) -> None:
        self._url = f"{settings.push_url}".rstrip("/")
        self._timeout = settings.push_timeout
        self._api: ManagementApi | None = None
        self._line: _Line | None = None
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Make all that a push needs except connections; otherwise the first push does."""
        self._opened()

    def push(self, frames: Sequence[OutgoingFrame]) -> Outcome:
        """Push frames; a push that was throttled or failed (429, 5xx) is retried once."""
        waiting: dict[str, list[bytes]] = {}
        for frame in frames:
            for connection in frame.connections:
                waiting.setdefault(connection, []).append(frame.data)
        deadline = time.monotonic() + ALL_OF_A_CALL * self._timeout
        answers = self._round(waiting, deadline)
        again = {one: waiting[one] for one, answer in answers.items() if answer is Answer.LATER}
        if again and time.monotonic() + PAUSE_SECONDS < deadline:
            time.sleep(PAUSE_SECONDS)
            answers |= self._round(again, deadline)
        gone = [one for one, answer in answers.items() if answer is Answer.GONE]
        failed = [one for one, answer in answers.items() if answer in (Answer.LATER, Answer.FAILED)]
        return Outcome(gone, failed)

    def close(self, connections: Sequence[str], reason: CloseReason) -> None:
        """Close connections; the lease ends one that cannot be reached.

        API Gateway takes no code for it: the close frame has 1000 (boto3's issue 3789).
        """
        deadline = time.monotonic() + self._timeout
        self._all({one: functools.partial(_Line.close, connection=one) for one in connections}, deadline)

    def _round(self, frames: dict[str, list[bytes]], deadline: float) -> dict[str, Answer]:
        calls = {
            one: functools.partial(_Line.deliver, connection=one, frames=waiting, deadline=deadline)
            for one, waiting in frames.items()
        }
        return self._all(calls, deadline)

    def _all(self, calls: dict[str, functools.partial[Answer]], deadline: float) -> dict[str, Answer]:
        """Make calls, each in a thread; those that have not returned by the deadline have failed."""
        if not calls:
            return {}
        try:
            line = self._opened()
            futures: dict[Future[Answer], str] = {line.start(call): one for one, call in calls.items()}
        except Exception:
            LOGGER.exception({"event": "pushes_failed", "pushes": len(calls), "failed": len(calls)})
            return dict.fromkeys(calls, Answer.FAILED)
        done, late = wait(futures, max(0.0, deadline - time.monotonic()))
        if late:
            self._drop(line)
        answers = dict.fromkeys(calls, Answer.FAILED)
        answers |= {futures[one]: one.result() for one in done}
        _log(line, answers)
        return answers

    def _opened(self) -> _Line:
        with self._lock:
            if self._api is None:
                self._api = ManagementApi(self._url, self._timeout, INLINE)
            self._api.wake()
            if self._line is None:
                self._line = _Line(self._api)
            return self._line

    def _drop(self, line: _Line) -> None:
        """Make no more calls of a line whose threads may be held by a response that never ends.

        Calls of other callers may wait in it; its threads end with the last of them.
        """
        with self._lock:
            if self._line is line:
                self._line = None


class _Line:
    """Requests to the management API, each in a thread, which a response that never ends may hold.

    reason: Of the last failed request.
    """

    def __init__(self, api: ManagementApi) -> None:
        self._api = api
        self._threads = ThreadPoolExecutor(INLINE, "push")
        self.reason = ""

    def start(self, call: functools.partial[Answer]) -> Future[Answer]:
        """Make a call of this line in one of its threads."""
        return self._threads.submit(call, self)

    def deliver(self, connection: str, frames: list[bytes], deadline: float) -> Answer:
        """Push frames in order, and remove those that arrived from the list."""
        while frames:
            if time.monotonic() > deadline:
                return Answer.FAILED
            answer = self._answer("POST", connection, frames[0])
            if answer is not Answer.DONE:
                return answer
            del frames[0]
        return Answer.DONE

    def close(self, connection: str) -> Answer:
        """Close a connection."""
        return self._answer("DELETE", connection, b"")

    def _answer(self, method: str, connection: str, data: bytes) -> Answer:
        try:
            status = self._api.status(method, connection, data)
        except NoAnswer as error:
            self.reason = f"{error}"
            return Answer.FAILED
        except Exception as error:
            self.reason = f"{type(error).__name__}: {error}".replace(connection, "*")
            return Answer.LATER
        if status < 300 or status == 410:
            return Answer.GONE if status == 410 else Answer.DONE
        self.reason = f"status {status}"
        return Answer.LATER if status == 429 or status >= 500 else Answer.FAILED


def _log(line: _Line, answers: dict[str, Answer]) -> None:
    failed = sum(answer in (Answer.LATER, Answer.FAILED) for answer in answers.values())
    if failed:
        reason = line.reason or "no answer in time"
        LOGGER.warning({"event": "pushes_failed", "pushes": len(answers), "failed": failed, "reason": reason})
