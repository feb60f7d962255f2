"""The handlers of the compared trees, each in a process and on a store of its own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import redis

from bench.in_process import Event, Handler
from bench.loads import Load
from bench.options import LIMITS
from bench.servers import without_settings
from bench.trees import Tree
from tests.servers.engines import ValkeyEngine

SCRIPT = Path(__file__).with_name("probe.py")
RUN = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')"
SETTINGS = {"PARLEY_STAGE": "local", "PARLEY_AUTH": "open", "PARLEY_RATE_LIMITS": LIMITS}


class ProbeError(Exception):
    """The handler of a tree failed; the text is its traceback."""


class Probe(Handler):
    """The handler of a tree, in another process."""

    def __init__(self, process: subprocess.Popen[str], store: redis.Redis, url: str) -> None:
        self._process = process
        super().__init__(self._app, self._order("routes"), store, url)

    def microseconds(self, load: Load, count: int, *, straight: bool = False, faked: bool = False) -> float:
        """Return the CPU time of a call, in µs.

        straight: Without Chalice, if the tree can. faked: With a store that costs nothing.
        """
        return float(self._order("microseconds", self.events(load, count), straight, faked))

    def _app(self, event: Event) -> dict[str, Any]:
        answer: dict[str, Any] = self._order("call", event)
        return answer

    def _order(self, name: str, *arguments: Any) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([name, arguments]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise ProbeError(f"the handler's process ended on {name}")
        result = json.loads(line)
        if "error" in result:
            raise ProbeError(result["error"])
        return result["result"]


@contextlib.contextmanager
def probes(trees: Sequence[Tree]) -> Iterator[dict[str, Probe]]:
    """Yield the handler of each tree by its name, with a chat to pull from."""
    with contextlib.ExitStack() as running:
        yield {tree.name: running.enter_context(_probe(tree)) for tree in trees}


@contextlib.contextmanager
def _probe(tree: Tree) -> Iterator[Probe]:
    with ValkeyEngine() as engine:
        environ = {**without_settings(os.environ), **SETTINGS, "REDIS_URL": engine.url}
        with subprocess.Popen(
            [tree.python, "-c", RUN, str(SCRIPT)],
            cwd=tree.root,
            env=environ,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            try:
                made = Probe(process, engine.nodes[0], engine.url)
                made.fill()
                yield made
            finally:
                process.kill()
