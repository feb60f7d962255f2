"""Calls the Lambda handler of the source tree in the current folder; bench/probes.py runs it as a script.

It knows nothing of bench: an earlier commit's tree runs it too. One JSON object a line: an order on standard
input, then its result on standard output.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

Event = dict[str, Any]


class Context:
    """The context of an invocation."""

    aws_request_id = "bench"
    function_name = "parley-bench"
    invoked_function_arn = "arn:aws:lambda:local:000000000000:function:parley-bench"

    def get_remaining_time_in_millis(self) -> int:
        """Return the time of a whole invocation."""
        return 29_000


class Replies:
    """Replaces the store's client: replies as the store did before to the same scripts.

    missed: Number of commands that went to the store, because they had not been asked before.
    """

    def __init__(self, nodes: Any) -> None:
        self._known: dict[Any, Any] = {}
        self._replaying = False
        self.missed = 0
        node = nodes.SingleNode
        self._execute, self._execute_all = node.execute, node.execute_all
        replies = self

        def execute(node: Any, command: Any, *, repeatable: bool) -> Any:
            known = replies._known.get(command[1]) if replies._replaying else None
            if known is None:
                known = replies._execute(node, command, repeatable=repeatable)
                replies._note(command[1], known)
            return known

        def execute_all(node: Any, commands: Any) -> list[Any]:
            name = tuple([command[1] for command in commands])
            known = replies._known.get(name) if replies._replaying else None
            if known is None:
                known = replies._execute_all(node, commands)
                replies._note(name, known)
            return list(known)

        node.execute, node.execute_all = execute, execute_all

    def begin(self, call: Any) -> None:
        """Learn the replies to a call, and give them from now on."""
        self._known.clear()
        call()
        self._replaying, self.missed = True, 0

    def end(self) -> None:
        """Ask the store again."""
        self._replaying = False

    def _note(self, name: Any, reply: Any) -> None:
        self.missed += 1
        self._known[name] = reply


class Probe:
    """The handler of one tree."""

    def __init__(self) -> None:
        from app import app

        self._app = app
        self._replies: Replies | None = None

    def routes(self) -> list[str]:
        """Return the paths of the handler, as Chalice writes them."""
        return list(self._app.routes)

    def call(self, event: Event) -> dict[str, Any]:
        """Handle an event, and return the response."""
        answer: dict[str, Any] = self._app(event, Context())
        assert answer["statusCode"] < 300, answer["body"]
        return answer

    def microseconds(self, events: list[Event], straight: bool, faked: bool) -> float:
        """Handle events, and return the CPU time of one, in µs.

        straight: By the application's own dispatch, without Chalice, if it has one. faked: With the store's
        replies to the first one.
        """
        call, requests = self._straight(events) if straight else (self.call, events)
        if faked:
            self._fake(events[0])
        gc.collect()
        gc.freeze()  # keeps garbage collection from walking the events, which are not the handler's
        start = time.process_time()
        for request in requests:
            call(request)
        spent = time.process_time() - start
        gc.unfreeze()
        if faked and self._replies is not None:
            self._replies.end()
            assert self._replies.missed <= len(events) / 20, (
                f"the store was asked {self._replies.missed} times"
            )
        return spent / len(events) * 1e6

    def _straight(self, events: list[Event]) -> tuple[Callable[[Any], Any], list[Any]]:
        try:
            from chalicelib.http import dispatch
            from chalicelib.http.request import Request
        except ImportError:  # an earlier commit always goes through Chalice
            return self.call, events

        def call(request: Request) -> None:
            response = dispatch.answer(request)
            assert response.status < 300, response.body

        return call, [Request.from_event(event) for event in events]

    def _fake(self, event: Event) -> None:
        if self._replies is None:
            from chalicelib.store.redis import nodes

            self._replies = Replies(nodes)
        self._replies.begin(lambda: self.call(event))


def main() -> None:
    """Carry out orders until there are no more."""
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    probe: Any = None
    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            probe = probe or Probe()
            result = {"result": getattr(probe, name)(*arguments)}
        except Exception:
            result = {"error": traceback.format_exc()}
        print(json.dumps(result), file=results, flush=True)


if __name__ == "__main__":
    main()
